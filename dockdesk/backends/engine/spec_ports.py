"""Published ports between the form `docker run -p` takes and the Engine API's PortBindings.

Source: docker CLI reference, `docker container run --publish`; Engine API, PortMap.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dockdesk.backends.engine.values import mapping, records, text, whole
from dockdesk.core.errors import InvalidInputError
from dockdesk.core.records import dataclass

_PROTOCOLS = {"tcp", "udp", "sctp"}
_HIGHEST = 65_535
_FORM = "Write it as 8080:80, 127.0.0.1:8080:80, [::1]:8080:80 or 8000-8010:8000-8010/udp."


@dataclass(frozen=True, slots=True)
class Binding:
    """One container port and where it is published; ``public`` is a port, a range to choose from, or empty for any."""

    private: int
    protocol: str
    host: str
    public: str

    @property
    def key(self) -> str:
        return f"{self.private}/{self.protocol}"


def parse_port(line: str) -> list[Binding]:
    """What one -p value means; a range becomes a binding each. Raise InvalidInputError."""
    host, public, private, protocol = _split(line.strip(), line)
    first, last = _range(private, line)
    if not public:
        return [Binding(port, protocol, host, "") for port in range(first, last + 1)]
    low, high = _range(public, line, zero=True)
    if high - low == last - first:
        return [
            Binding(port, protocol, host, str(low + port - first) if low else "")
            for port in range(first, last + 1)
        ]
    if first == last:  # the engine takes the first free port of the range
        return [Binding(first, protocol, host, f"{low}-{high}")]
    raise _wrong(line, "Both ranges must be equally long.")


def _split(text_: str, line: str) -> tuple[str, str, str, str]:
    rest, slash, protocol = text_.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in _PROTOCOLS:
        raise _wrong(line, f"There is no protocol “{protocol}”.")
    host = ""
    if rest.startswith("["):
        host, bracket, rest = rest[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise _wrong(line, "The bracket of the IPv6 address is not closed.")
        public, _, private = rest[1:].rpartition(":")
    else:
        outside, _, private = rest.rpartition(":")
        host, _, public = outside.rpartition(":")
    if host:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise _wrong(line, f"“{host}” is no IP address.") from None
    return host, public, private, protocol


def _range(part: str, line: str, zero: bool = False) -> tuple[int, int]:
    low, dash, high = part.partition("-")
    ends = (low, high if dash else low)
    if not all(end.isascii() and end.isdecimal() for end in ends):
        raise _wrong(line, f"“{part}” is no port.")
    first, last = int(ends[0]), int(ends[1])
    if last > _HIGHEST or first > last or (first == 0 and not zero):
        raise _wrong(line, "Ports are 1 to 65535, and a range goes upwards.")
    return first, last


def _wrong(line: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"“{line}” is no port to publish", why, _FORM, field="ports")


def parse_exposed(line: str) -> list[str]:
    """Keys of ExposedPorts from an --expose value, such as 8000-8001/udp."""
    stripped = line.strip()
    rest, slash, protocol = stripped.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    try:
        if protocol not in _PROTOCOLS:
            raise _wrong(line, f"There is no protocol “{protocol}”.")
        first, last = _range(rest, line)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"“{line}” is no port to expose", error.detail, "Write it as 80 or 53/udp.", "expose"
        ) from None
    return [f"{port}/{protocol}" for port in range(first, last + 1)]


def port_maps(
    lines: Iterable[str], exposed: Iterable[str]
) -> tuple[dict[str, list[dict[str, str]]], dict[str, dict[str, str]]]:
    """PortBindings and ExposedPorts; what is published is exposed too."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for line in lines:
        for item in parse_port(line):
            entry = {"HostIp": item.host, "HostPort": item.public}
            if entry not in (entries := bindings.setdefault(item.key, [])):
                entries.append(entry)
    keys = dict.fromkeys(bindings)
    for line in exposed:
        keys.update(dict.fromkeys(parse_exposed(line)))
    return bindings, {key: {} for key in keys}


# --- Back ---


def port_lines(bindings: Any) -> tuple[str, ...]:
    """PortBindings as -p values, runs of ports as ranges."""
    found = sorted(
        _bindings(mapping(bindings)),
        key=lambda b: (b.protocol, b.host, b.private, len(b.public), b.public),
    )
    runs: list[list[Binding]] = []
    for item in found:
        run = next((run for run in reversed(runs) if _continues(run[-1], item)), None)
        if run is None:
            runs.append([item])
        else:
            run.append(item)
    return tuple(_line(run[0], run[-1]) for run in runs)


def _bindings(bindings: Mapping[str, Any]) -> Iterator[Binding]:
    for key, entries in bindings.items():
        number, _, protocol = key.partition("/")
        private = whole(number)
        if not private:
            continue
        # A port in the map without a binding is published at a port of the engine's choice.
        for entry in records(entries) or [{}]:
            public = text(entry.get("HostPort"))
            yield Binding(
                private,
                protocol or "tcp",
                text(entry.get("HostIp")),
                "" if public == "0" else public,
            )


def _continues(last: Binding, item: Binding) -> bool:
    if (last.protocol, last.host) != (item.protocol, item.host) or item.private != last.private + 1:
        return False
    if not last.public and not item.public:
        return True
    return (
        last.public.isdecimal()
        and item.public.isdecimal()
        and int(item.public) == int(last.public) + 1
    )


def _line(first: Binding, last: Binding) -> str:
    private = _span(str(first.private), str(last.private))
    public = _span(first.public, last.public)
    host = f"[{first.host}]" if ":" in first.host else first.host
    if host:
        line = f"{host}:{public}:{private}"
    else:
        line = f"{public}:{private}" if public else private
    return line if first.protocol == "tcp" else f"{line}/{first.protocol}"


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"


def exposed_lines(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys of ExposedPorts as --expose values."""
    return tuple(sorted((key.removesuffix("/tcp") for key in keys), key=lambda k: (len(k), k)))
