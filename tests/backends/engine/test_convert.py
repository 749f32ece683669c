"""Containers in the engine's JSON become core's values."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.engine.convert import (
    RawList,
    changes_from,
    containers_from,
    detail_from,
    listed_from,
    process_table_from,
)
from dockdesk.backends.engine.values import HELPER_LABEL, moment
from dockdesk.core.errors import NotSupportedError
from dockdesk.core.resources.containers import Container, Mount, Port
from tests.backends.engine.shapes import INSPECTED, LISTED, PODMAN_INSPECTED, PODMAN_LISTED, changed


def listed(*shapes: dict[str, Any]) -> list[Container]:
    return containers_from(
        listed_from(msgspec.json.decode(json.dumps(shapes).encode(), type=RawList))
    )


def test_docker_list() -> None:
    (container,) = listed(LISTED)
    assert container.name == "c1"
    assert container.image == "bb:1"
    assert (container.state, container.health, container.exit_code) == ("running", "healthy", None)
    assert container.created == 1796068748.0
    assert container.ports == (
        Port(80, "tcp", 8080, "0.0.0.0"),
        Port(80, "tcp", 8080, "::"),
        Port(81, "tcp", None, ""),
        Port(9002, "udp", 9002, "127.0.0.1"),
    )
    assert container.mounts == (
        Mount("bind", "/srv", "/host", False, ""),
        Mount("volume", "/var/lib/docker/volumes/vv/_data", "/vol", True, "vv"),
    )
    assert container.networks == ("nn",)
    assert container.project == "shop"


def test_podman_list() -> None:
    (container,) = listed(PODMAN_LISTED)
    assert (container.state, container.exit_code) == ("exited", 137)
    assert container.ports == (Port(80, "tcp", 8080, ""),)
    assert container.labels == {}


@pytest.mark.parametrize(
    ("state", "status", "health", "code"),
    [
        ("running", "Up 2 hours", "", None),
        ("running", "Up 2 hours (unhealthy)", "unhealthy", None),
        ("running", "Up 1 second (health: starting)", "starting", None),
        ("running", "Up 1 second (starting)", "starting", None),
        ("paused", "Up 2 hours (Paused)", "", None),
        ("exited", "Exited (0) 3 weeks ago", "", 0),
        ("restarting", "Restarting (1) 5 seconds ago", "", 1),
        ("dead", "Dead", "", None),
        ("created", "Created", "", None),
    ],
)
def test_health_and_exit_code_stand_in_the_phrase(
    state: str, status: str, health: str, code: int | None
) -> None:
    (container,) = listed(changed(LISTED, State=state, Status=status))
    assert (container.state, container.health, container.exit_code) == (state, health, code)


def test_newer_engines_have_a_field_for_health() -> None:
    (container,) = listed(changed(LISTED, Health={"Status": "unhealthy", "FailingStreak": 3}))
    assert container.health == "unhealthy"
    (container,) = listed(changed(LISTED, Health={"Status": "none"}, Status="Up 1 second"))
    assert container.health == ""


def test_null_and_absent_are_the_same() -> None:
    nulls = {key: None for key in LISTED if key != "Id"}
    assert listed({"Id": "a" * 64, **nulls}) == listed({"Id": "a" * 64})


def test_helpers_are_hidden() -> None:
    assert listed(changed(LISTED, Labels={HELPER_LABEL: "vv"})) == []


@pytest.mark.parametrize(
    "name",
    ["<b>bold</b>", "\u202egnp.exe", "🐳-whale", "a" * 4096, "line\nbreak", "“quoted”"],
)
def test_odd_names_and_long_labels_are_kept_as_they_are(name: str) -> None:
    shape = changed(LISTED, Names=[f"/{name}"], Labels={name: name * 2}, Image=name)
    (container,) = listed(shape)
    assert container.name == name
    assert container.labels == {name: name * 2}
    assert container.image == name


def test_thousands_of_containers() -> None:
    shapes = [changed(LISTED, Id=f"{number:064x}", Names=[f"/c{number}"]) for number in range(5000)]
    made = listed(*shapes)
    assert len(made) == 5000
    assert made[4321].name == "c4321"
    assert len({container.id for container in made}) == 5000


def test_docker_inspect() -> None:
    detail = detail_from(INSPECTED)
    container = detail.container
    assert (container.name, container.state, container.health) == ("c1", "running", "unhealthy")
    assert container.command == "sleep 1000 'two words'"
    assert container.status.startswith("Up ")
    assert container.status.endswith("(unhealthy)")
    assert container.exit_code is None
    assert container.ports == (
        Port(7, "tcp", None, ""),
        Port(80, "tcp", 8080, "0.0.0.0"),
        Port(80, "tcp", 8080, "::"),
        Port(9000, "udp", 9000, "127.0.0.1"),
        Port(9001, "udp", 9001, "127.0.0.1"),
    )
    assert detail.environment == (("B", "2"), ("PATH", "/bin"), ("A", "1"), ("EMPTY", ""))
    assert detail.restart_policy == "on-failure:3"
    assert (detail.restart_count, detail.failing_streak, detail.pid) == (4, 2, 10402)
    assert detail.started == pytest.approx(1796068749.115983)
    assert detail.finished == 0.0
    assert (detail.memory_limit, detail.cpu_limit) == (64 << 20, 0.5)
    assert [mount.target for mount in detail.mounts] == ["/data", "/host", "/t", "/vol", "/vol2"]
    assert detail.mounts[2].kind == "tmpfs"
    (endpoint,) = detail.endpoints
    assert (endpoint.network, endpoint.address) == ("nn", "172.18.0.2")
    (probe,) = detail.health_log
    assert probe.end - probe.start == pytest.approx(0.9)
    assert probe.output == "curl: (7) <b>refused</b>"
    assert detail.raw is INSPECTED


def test_podman_inspect() -> None:
    detail = detail_from(PODMAN_INSPECTED)
    assert detail.container.state == "created"
    assert detail.container.health == ""
    assert detail.memory_limit is None
    assert detail.container.ports == (Port(80, "tcp", 8080, ""),)


def test_cpu_limit_from_quota() -> None:
    host = changed(INSPECTED["HostConfig"], NanoCpus=0, CpuQuota=150_000, CpuPeriod=100_000)
    assert detail_from(changed(INSPECTED, HostConfig=host)).cpu_limit == 1.5


def test_stopped_containers_tell_their_exit() -> None:
    state = {"Status": "exited", "ExitCode": 137, "FinishedAt": "2026-11-30T19:59:09Z"}
    container = detail_from(changed(INSPECTED, State=state)).container
    assert container.exit_code == 137
    assert container.status.startswith("Exited (137)")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
def test_an_odd_field_takes_nothing_down(data: st.DataObject) -> None:
    """Whatever kind of value stands in a field of an inspect, there is a detail."""
    section = data.draw(st.sampled_from([None, "State", "HostConfig", "Config", "NetworkSettings"]))
    shape = changed(INSPECTED)
    place = shape if section is None else shape[section]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
    assert detail_from(shape).raw is shape


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-11-30T19:59:09.11598386Z", 1796068749.11598),
        ("2026-11-30T20:59:09+01:00", 1796068749.0),
        ("2026-11-30T19:59:09", 1796068749.0),
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
        ("yesterday", 0.0),
        (None, 0.0),
        (1796068749, 1796068749.0),
        (-62135596800, 0.0),
    ],
)
def test_moments(written: Any, seconds: float) -> None:
    assert moment(written) == pytest.approx(seconds, abs=1e-4)


def test_processes() -> None:
    table = process_table_from(
        {
            "Titles": ["UID", "PID", "CMD"],
            "Processes": [["root", " 1 ", "sleep 9"], ["a", "2", "x"]],
        }
    )
    assert table.titles == ("UID", "PID", "CMD")
    assert table.rows == (("root", "1", "sleep 9"), ("a", "2", "x"))


def test_podmans_lines_of_processes_become_cells() -> None:
    table = process_table_from(
        {"Titles": ["PID   USER     COMMAND"], "Processes": [["1 root     sleep 100 000"]]}
    )
    assert table.titles == ("PID", "USER", "COMMAND")
    assert table.rows == (("1", "root", "sleep 100 000"),)


def test_changes() -> None:
    raw = [{"Path": "/a", "Kind": 1}, {"Path": "/b", "Kind": 0}, {"Path": "/c", "Kind": 2}]
    assert [(change.path, change.kind) for change in changes_from(raw)] == [
        ("/a", "added"),
        ("/b", "changed"),
        ("/c", "deleted"),
    ]
    assert changes_from(None) == []


@pytest.mark.parametrize("entry", [b"{}", b'{"Id": 5}', b"[]", b"7"])
def test_what_is_no_container_is_told(entry: bytes) -> None:
    with pytest.raises(NotSupportedError):
        listed_from([msgspec.Raw(entry)])
    assert listed_from(None) == []
