"""Log lines as each kind of program writes them: a pure function of style, seed and time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from dockdesk.sandbox.world.traffic import unit

STDOUT, STDERR = 1, 2
LONGEST_STEPS = 200_000

_PATHS = (
    "/",
    "/api/v1/items",
    "/api/v1/items/42",
    "/api/v1/orders",
    "/login",
    "/static/app.js",
    "/healthz",
    "/api/v1/search?q=shoes",
)
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64)",
    "curl/8.5.0",
    "kube-probe/1.31",
    "Mozilla/5.0 (Macintosh)",
)
_LEVELS = {"INFO": "32", "DEBUG": "36", "WARN": "33", "ERROR": "31"}


def _pick(options: tuple[str, ...], *key: object) -> str:
    return options[int(unit(*key) * len(options)) % len(options)]


def _level(*key: object) -> str:
    value = unit("level", *key)
    return (
        "ERROR" if value > 0.97 else "WARN" if value > 0.92 else "DEBUG" if value > 0.75 else "INFO"
    )


def _stamp(time: float, pattern: str) -> str:
    return datetime.fromtimestamp(time, UTC).strftime(pattern)


def _access(seed: str, time: float) -> tuple[int, str]:
    path = _pick(_PATHS, seed, "path", time)
    status = 500 if unit(seed, "s", time) > 0.985 else 404 if unit(seed, "s", time) > 0.96 else 200
    size = int(unit(seed, "size", time) * 9000) + 120
    address = f"10.0.{int(unit(seed, 'a', time) * 8)}.{int(unit(seed, 'b', time) * 250) + 2}"
    agent = _pick(_AGENTS, seed, "agent", time)
    return (
        STDOUT,
        f'{address} - - [{_stamp(time, "%d/%b/%Y:%H:%M:%S +0000")}] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}"',
    )


def _api(seed: str, time: float) -> tuple[int, str]:
    level = _level(seed, time)
    path, millis = _pick(_PATHS, seed, "path", time), int(unit(seed, "ms", time) ** 3 * 900) + 2
    if level == "ERROR":
        text = f"GET {path} 502 upstream timed out after {millis + 2000}ms"
    elif level == "WARN":
        text = f"GET {path} 200 {millis + 700}ms slow query"
    else:
        text = f"GET {path} 200 {millis}ms"
    return (
        STDERR if level == "ERROR" else STDOUT
    ), f"{_stamp(time, '%H:%M:%S')} \x1b[{_LEVELS[level]}m{level:<5}\x1b[0m {text}"


def _worker(seed: str, time: float) -> tuple[int, str]:
    job = int(unit(seed, "job", time) * 1e6)
    body = {
        "ts": _stamp(time, "%Y-%m-%dT%H:%M:%SZ"),
        "level": _level(seed, time).lower(),
        "msg": "job done",
        "job": job,
        "took_ms": int(unit(seed, "took", time) * 4000),
    }
    return STDOUT, json.dumps(body)


def _postgres(seed: str, time: float) -> tuple[int, str]:
    stamp = _stamp(time, "%Y-%m-%d %H:%M:%S UTC")
    if unit(seed, "kind", time) > 0.8:
        return (
            STDERR,
            f"{stamp} [27] LOG:  checkpoint complete: wrote {int(unit(seed, 'w', time) * 400)} buffers",
        )
    return (
        STDERR,
        f"{stamp} [{int(unit(seed, 'pid', time) * 90) + 30}] LOG:  duration: {unit(seed, 'd', time) * 30:.3f} ms  statement: SELECT * FROM items WHERE id = {int(unit(seed, 'id', time) * 999)}",
    )


def _redis(seed: str, time: float) -> tuple[int, str]:
    return (
        STDOUT,
        f"1:M {_stamp(time, '%d %b %Y %H:%M:%S')}.{int(time * 1000) % 1000:03d} * {_pick(('DB saved on disk', 'Background saving started by pid 34', '1 changes in 3600 seconds. Saving...'), seed, time)}",
    )


def _batch(seed: str, time: float) -> tuple[int, str]:
    if unit(seed, time) > 0.95:
        return (
            STDERR,
            "Traceback (most recent call last): ConnectionError: warehouse did not answer",
        )
    return STDOUT, f"batch: exported chunk {int(time) % 1000} of 1000"


def _prometheus(seed: str, time: float) -> tuple[int, str]:
    return (
        STDERR,
        f'ts={_stamp(time, "%Y-%m-%dT%H:%M:%S.000Z")} caller=compact.go:576 level=info component=tsdb msg="write block" duration={unit(seed, time) * 2:.3f}s',
    )


def _mailhog(seed: str, time: float) -> tuple[int, str]:
    return STDOUT, f"[SMTP 172.18.0.{int(unit(seed, time) * 20) + 2}:41234] Starting session"


def _grafana(seed: str, time: float) -> tuple[int, str]:
    return (
        STDOUT,
        f'logger=context t={_stamp(time, "%Y-%m-%dT%H:%M:%S.000000000Z")} level=info msg="Request Completed" method=GET path=/api/live/ws status=0 duration={int(unit(seed, time) * 90)}ms',
    )


# Style → (average seconds between lines, the line at a time).
STYLES: dict[str, tuple[float, Callable[[str, float], tuple[int, str]]]] = {
    "access": (1.3, _access),
    "api": (0.8, _api),
    "worker": (2.0, _worker),
    "postgres": (6.0, _postgres),
    "redis": (60.0, _redis),
    "batch": (1.0, _batch),
    "prometheus": (120.0, _prometheus),
    "mailhog": (90.0, _mailhog),
    "grafana": (15.0, _grafana),
}

_HELLO = """
Hello from Docker!
This message shows that your installation appears to be working correctly.
(It is the DockDesk sandbox that says so: nothing was really run.)
"""


def first_lines(style: str, time: float) -> list[tuple[float, int, str]]:
    """What a program says when it starts: (time, stream, line)."""
    texts = {
        "access": ("/docker-entrypoint.sh: Configuration complete; ready for start up",),
        "api": ("listening on 0.0.0.0:9000",),
        "postgres": (
            "PostgreSQL init process complete; ready for start up.",
            "database system is ready to accept connections",
        ),
        "redis": ("1:M * Ready to accept connections tcp",),
        "hello": tuple(_HELLO.strip("\n").split("\n")),
        "batch": ("batch: starting nightly export",),
    }.get(style, ())
    return [(time + 0.001 * position, STDOUT, text) for position, text in enumerate(texts)]


def lines_between(
    style: str, seed: str, since: float, until: float
) -> Iterator[tuple[float, int, str]]:
    """The lines a program writes in [since, until): (time, stream, line), in order."""
    if style not in STYLES:
        return
    gap, make = STYLES[style]
    index = int(since // gap)
    for _ in range(LONGEST_STEPS):
        moment = (index + unit(seed, "at", index)) * gap
        if index * gap >= until:
            return
        if since <= moment < until:
            stream, text = make(seed, round(moment, 3))
            yield moment, stream, text
        index += 1
