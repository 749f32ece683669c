from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.ports import ContainerSpec
from dockdesk.runspec.fields import FIELDS
from dockdesk.runspec.form import parse_env_file, problems_of, spec_of, values_of

FULL = ContainerSpec(
    image="ghcr.io/acme/api:2.0",
    name="api",
    command=("serve", "--title", "a b"),
    entrypoint=("/bin/sh", "-c"),
    env=(("A", "1"), ("B", "x=y")),
    ports=("8080:80", "127.0.0.1:53:53/udp", "[::1]:443:443"),
    volumes=("data:/data", "/srv:/srv:ro"),
    tmpfs=("/run:size=64m",),
    network="backend",
    ip="10.0.0.5",
    restart="on-failure:3",
    memory=512 << 20,
    memory_swap=-1,
    cpus=1.5,
    health_cmd="curl localhost",
    health_interval=30.0,
    labels=(("team", "web"),),
    stop_timeout=5,
    ulimits=("nofile=1024:2048",),
    gpus="device=0,1",
)


def test_every_field_of_the_form_is_a_field_of_the_spec() -> None:
    names = {field.id for field in FIELDS} - {"env_file"}
    assert names == set(values_of(ContainerSpec(image="x"))) - {"env_file"}


@pytest.mark.parametrize(
    "spec", [ContainerSpec(image="alpine"), FULL, ContainerSpec(image="a", entrypoint=())]
)
def test_a_spec_survives_the_form(spec: ContainerSpec) -> None:
    values = values_of(spec)
    assert problems_of(values) == {}
    assert spec_of(values) == spec


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", ""),
        ("image", "Nginx"),
        ("image", "a b"),
        ("name", "-x"),
        ("ports", "80:80:80:80"),
        ("ports", "70000:80"),
        ("ports", "8000-8002:80-81"),
        ("ports", "0"),
        ("ports", "8080:80\n8080:81"),
        ("volumes", "data:relative"),
        ("volumes", ":/x"),
        ("volumes", "x:/"),
        ("env", "NOVALUE"),
        ("env", "=x"),
        ("memory", "1m"),
        ("memory", "much"),
        ("cpus", -1.0),
        ("ip", "300.1.1.1"),
        ("restart", "sometimes"),
        ("health_interval", "soon"),
        ("command", "'open"),
        ("ulimits", "nofile"),
        ("gpus", "some"),
        ("platform", "Linux ARM"),
        ("add_hosts", "db"),
    ],
)
def test_a_bad_value_is_told_at_its_field(field: str, value: Any) -> None:
    values = {**values_of(ContainerSpec(image="alpine")), field: value}
    problem = problems_of(values)[field]
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"auto_remove": True, "restart": "always"}, "restart"),
        ({"no_healthcheck": True, "health_cmd": "true"}, "health_cmd"),
        ({"network": "host", "ports": "80:80"}, "ports"),
        ({"ip": "10.0.0.9"}, "ip"),
    ],
)
def test_what_does_not_go_together(values: dict[str, Any], field: str) -> None:
    assert field in problems_of({**values_of(ContainerSpec(image="alpine")), **values})


@given(
    st.sampled_from([field.id for field in FIELDS if field.id not in {"cpus"}]),
    st.text(max_size=40),
)
def test_no_text_breaks_the_checks(field: str, text: str) -> None:
    values = {**values_of(ContainerSpec(image="alpine")), field: text}
    if not problems_of(values) and isinstance(values_of(ContainerSpec(image="a"))[field], str):
        spec_of(values)


def test_variables_of_a_file_give_way_to_the_forms_own() -> None:
    file_env = parse_env_file("\ufeff# comment\nA=1\n  B='quoted'\nNAMEONLY\n\nC=x=y\n")
    assert file_env == [("A", "1"), ("B", "'quoted'"), ("C", "x=y")]
    spec = spec_of({"image": "x", "env": "A=mine", "pull": "missing"}, file_env)
    assert spec.env == (("B", "'quoted'"), ("C", "x=y"), ("A", "mine"))
