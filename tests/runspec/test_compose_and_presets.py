from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.ports import ContainerSpec
from dockdesk.runspec.compose import parse_compose
from dockdesk.runspec.presets import Presets

FILE = """
name: shop
services:
  web:
    image: nginx:${TAG:-1.27}
    ports: ["8080:80", {target: 443, published: "8443", protocol: tcp, host_ip: 127.0.0.1}]
    volumes:
      - ./site:/srv:ro
      - {type: volume, source: data, target: /data, read_only: true}
    environment: {DEBUG: true, EMPTY: , PRICE: "$$5", FROM: "${MISSING}"}
    env_file: .env
    networks: {front: {aliases: [www], ipv4_address: 10.1.0.5}}
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost"], interval: 1m30s, retries: 3}
    deploy: {resources: {limits: {cpus: "0.5", memory: 256M}}}
    stop_grace_period: 20s
    depends_on: [db]
    secrets: [cert]
  db:
    build: ./db
    command: postgres -c "max_connections=5"
    ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
    restart: unless-stopped
"""


def test_services_become_specs() -> None:
    web, db = parse_compose(FILE, folder="/src/shop", variables={"TAG": "1.28"})
    spec = web.run.spec
    assert (web.name, spec.image) == ("web", "nginx:1.28")
    assert spec.ports == ("8080:80", "127.0.0.1:8443:443/tcp")
    assert spec.volumes == ("/src/shop/site:/srv:ro", "data:/data:ro")
    assert spec.env == (("DEBUG", "true"), ("EMPTY", ""), ("PRICE", "$5"), ("FROM", ""))
    assert web.run.env_files == ("/src/shop/.env",)
    assert (spec.network, spec.network_aliases, spec.ip) == ("shop_front", ("www",), "10.1.0.5")
    assert spec.health_cmd == "curl -f http://localhost"
    assert (spec.health_interval, spec.health_retries) == (90, 3)
    assert (spec.cpus, spec.memory, spec.stop_timeout) == (0.5, 256 << 20, 20)
    notes = " ".join(web.run.notes)
    assert "secrets" in notes
    assert "MISSING" in notes
    assert "depends_on" not in notes
    assert db.run.spec.image == "shop-db"
    assert db.run.spec.command == ("postgres", "-c", "max_connections=5")
    assert db.run.spec.ulimits == ("nofile=10:20", "nproc=5")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b",
        "services: []",
        "services: {a: 1}",
        "services: {a: {cpus: x}}",
        "{",
        "services: {a: &a [*a]}",
    ],
)
def test_bad_files_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_compose(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_compose("services:\n  a:\n    image: x\n    " + text)
    except InvalidInputError:
        return


def test_presets_keep_all_but_secrets(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "deep" / "presets.json")
    assert presets.load() == {}
    spec = ContainerSpec(image="x", env=(("A", "1"), ("DB_PASSWORD", "hunter2")), ports=("80:80",))
    assert presets.save("mine", spec) == ["DB_PASSWORD"]
    assert "hunter2" not in (tmp_path / "deep" / "presets.json").read_text()
    kept = presets.load()["mine"]
    assert kept.ports == ("80:80",)
    assert kept.env == (("A", "1"), ("DB_PASSWORD", ""))
    presets.remove("mine")
    assert presets.load() == {}


def test_a_broken_preset_file_is_said_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    path.write_text("{broken")
    with pytest.raises(LocalError):
        Presets(path).save("x", ContainerSpec(image="x"))
    assert path.read_text() == "{broken"


def test_presets_are_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    spec = ContainerSpec(image="x", log_options=(("splunk-token", "hunter2"), ("mode", "x")))
    assert Presets(path).save("mine", spec) == ["splunk-token"]
    assert "hunter2" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
