"""Published ports, from -p to PortBindings and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.engine.spec_ports import (
    exposed_lines,
    parse_exposed,
    parse_port,
    port_lines,
    port_maps,
)
from dockdesk.core.errors import InvalidInputError


def bound(line: str) -> list[tuple[str, str, str]]:
    return [(item.key, item.host, item.public) for item in parse_port(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("80", [("80/tcp", "", "")]),
        ("8080:80", [("80/tcp", "", "8080")]),
        ("8080:80/UDP", [("80/udp", "", "8080")]),
        ("127.0.0.1:8080:80", [("80/tcp", "127.0.0.1", "8080")]),
        ("127.0.0.1::80", [("80/tcp", "127.0.0.1", "")]),
        ("[::1]:8080:80", [("80/tcp", "::1", "8080")]),
        ("[fe80::1]::80/sctp", [("80/sctp", "fe80::1", "")]),
        ("::1:8080:80", [("80/tcp", "::1", "8080")]),
        (
            "8000-8002:80-82",
            [("80/tcp", "", "8000"), ("81/tcp", "", "8001"), ("82/tcp", "", "8002")],
        ),
        ("80-81", [("80/tcp", "", ""), ("81/tcp", "", "")]),
        ("8000-8009:80", [("80/tcp", "", "8000-8009")]),
        ("0:80", [("80/tcp", "", "")]),
    ],
)
def test_what_a_line_means(line: str, expected: list[tuple[str, str, str]]) -> None:
    assert bound(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "http",
        "80/icmp",
        "0",
        "65536",
        "82-80",
        "8000-8001:80-82",
        "1.2.3:80:80",
        "localhost:80:80",
        "127.0.0.1:80",
        "[::1:80:80",
        "[::1]80:80",
        "-1:80",
        "80:",
        ":",
        "８０:80",
    ],
)
def test_nonsense_is_told_at_its_field(line: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_port(line)
    assert caught.value.field == "ports"
    assert caught.value.hint


def test_what_is_published_is_exposed_too() -> None:
    bindings, exposed = port_maps(["8080:80", "8081:80", "8080:80"], ["81-82/udp"])
    assert bindings == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "", "HostPort": "8081"}]
    }
    assert exposed == {"80/tcp": {}, "81/udp": {}, "82/udp": {}}


def test_exposed_ports() -> None:
    assert parse_exposed("8000-8001/udp") == ["8000/udp", "8001/udp"]
    assert exposed_lines(["80/tcp", "53/udp", "9/tcp"]) == ("9", "80", "53/udp")
    with pytest.raises(InvalidInputError) as caught:
        parse_exposed("80:80")
    assert caught.value.field == "expose"


def test_runs_become_ranges() -> None:
    bindings, _ = port_maps(["8000-8999:7000-7999", "[::1]:53:53/udp", "80-82", "1.2.3.4::5"], [])
    assert set(port_lines(bindings)) == {
        "8000-8999:7000-7999",
        "[::1]:53:53/udp",
        "80-82",
        "1.2.3.4::5",
    }


def test_a_port_without_a_binding_is_published_anywhere() -> None:
    assert port_lines({"80/tcp": None, "81/tcp": [], "82/tcp": [{"HostPort": "0"}]}) == ("80-82",)
    assert port_lines(None) == ()


hosts = st.sampled_from(["", "127.0.0.1", "10.0.0.7", "::1", "fe80::1"])


@st.composite
def lines(draw: st.DrawFn) -> str:
    first = draw(st.integers(1, 65_500))
    span = draw(st.integers(0, 30))
    private = f"{first}-{first + span}" if span else str(first)
    public = ""
    if draw(st.booleans()):
        start = draw(st.integers(1, 65_500))
        public = f"{start}-{start + span}" if span else str(start)
    host = draw(hosts)
    shown = f"[{host}]" if ":" in host else host
    protocol = draw(st.sampled_from(["", "/tcp", "/udp", "/sctp"]))
    if shown:
        return f"{shown}:{public}:{private}{protocol}"
    return f"{public}:{private}{protocol}" if public else f"{private}{protocol}"


@given(st.lists(lines(), max_size=5))
def test_there_and_back_is_the_same(written: list[str]) -> None:
    bindings, exposed = port_maps(written, [])
    again, exposed_again = port_maps(port_lines(bindings), [])
    assert {key: sorted(map(str, value)) for key, value in again.items()} == {
        key: sorted(map(str, value)) for key, value in bindings.items()
    }
    assert exposed_again == exposed


@given(st.text(st.sampled_from("0123456789-:/.[]tcpud "), max_size=14) | st.text(max_size=30))
def test_any_text_is_understood_or_refused(written: str) -> None:
    with contextlib.suppress(InvalidInputError):
        made = parse_port(written)
        assert made
        assert all(1 <= item.private <= 65_535 for item in made)
