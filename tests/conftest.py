"""What every test gets: a user of its own, a quiet program, and nothing left behind.

A test fails when DockDesk logs a warning nobody expected (``expect_log``), when Qt or Python warns, and when it leaves
a thread, a busy `Jobs`, an active timer or a visible window. Each of these has been the first sign of a real fault in a
desktop program, and each is cheap to see here and dear to find later.
"""

from __future__ import annotations

import gc
import itertools
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# The engine fixtures: dockerd, registry, podman_service.
if (Path(__file__).parent / "engines.py").exists():
    pytest_plugins = ["tests.engines"]

# A leak is reported only after this long: a thread that was told to end may take a while on a loaded machine.
GRACE_S = 10.0

_FOREIGN = re.compile(
    r"""^(DOCKER_|CONTAINER_HOST$|CONTAINERS_|PODMAN_|BUILDKIT_|COMPOSE_|AWS_|KUBE|XDG_|DBUS_|QT_SCALE|QT_SCREEN|QT_FONT
    |DISPLAY$|WAYLAND_DISPLAY$|REQUESTS_CA_BUNDLE$|CURL_CA_BUNDLE$|SSL_CERT_|SSH_AUTH_SOCK$|SSH_ASKPASS$|BROWSER$
    |(HTTPS?|ALL|NO)_PROXY$|DOCKDESK_)""",
    re.IGNORECASE | re.VERBOSE,
)


# --- A user of its own ---


def _home(folder: Path) -> dict[str, str]:
    """The environment of a new user who lives in ``folder``; kept short, since socket paths end at 107 bytes."""
    runtime = folder / "run"
    runtime.mkdir(parents=True)
    runtime.chmod(0o700)  # Qt warns of a runtime folder that others can enter
    return {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_RUNTIME_DIR": str(runtime),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


_root: Path | None = None
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Take the user's own settings out of the process before anything, session fixtures too, can read them."""
    global _root
    _root = Path(tempfile.mkdtemp(prefix="ddt-"))
    for name in [name for name in os.environ if _FOREIGN.match(name)]:
        del os.environ[name]
    os.environ.update(_home(_root / "0"))
    config.addinivalue_line("markers", "leaks(reason): leaves something behind on purpose; say why")
    _set_up_hypothesis()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of real engines get two more tries: their races are not DockDesk's, and each try is told in the summary."""
    for item in items:
        if item.get_closest_marker("engine") or item.get_closest_marker("podman"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


def pytest_unconfigure() -> None:
    if _root is not None:
        shutil.rmtree(_root, ignore_errors=True)


def _set_up_hypothesis() -> None:
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "dockdesk",
        deadline=None,
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("dockdesk")


@pytest.fixture(autouse=True)
def isolated_user(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own empty home; HOME, XDG_* and the rest point into it."""
    assert _root is not None
    home = _root / str(next(_numbers))
    for name in [name for name in os.environ if _FOREIGN.match(name)]:
        monkeypatch.delenv(name)
    for name, value in _home(home).items():
        monkeypatch.setenv(name, value)
    return home


# --- A quiet program ---


class _Records(logging.Handler):
    """Collects what DockDesk logs at WARNING or above, from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[logging.LogRecord] = []
        self.expected: list[re.Pattern[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record)

    def take_unexpected(self) -> list[str]:
        seen, self.seen = self.seen, []
        formatter = logging.Formatter("%(levelname)s %(name)s: %(message)s")
        return [
            formatter.format(record)
            for record in seen
            if not any(pattern.search(record.getMessage()) for pattern in self.expected)
        ]


_records = pytest.StashKey[_Records]()


@pytest.fixture
def expect_log(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """``expect_log(regex)``: warnings and errors in DockDesk's log whose message matches are part of this test."""

    def expect(pattern: str) -> None:
        request.node.stash[_records].expected.append(re.compile(pattern))

    return expect


def _fail_on_log(item: pytest.Item) -> None:
    if unexpected := item.stash[_records].take_unexpected():
        lines = "\n".join(unexpected)
        pytest.fail(f"DockDesk logged what this test does not expect:\n{lines}", pytrace=False)


# --- Nothing left behind ---

_shared_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_shared_objects: list[Any] = []  # timers and windows of fixtures that outlive a test
_threads_before = pytest.StashKey[set[threading.Thread]]()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
    """What a module's or the session's fixture starts is not the leak of the test that asked for it first."""
    if fixturedef.scope == "function":
        return (yield)
    threads = set(threading.enumerate())
    objects = {id(item) for item in _live_qt_objects()}
    result = yield
    _shared_threads.update(set(threading.enumerate()) - threads)
    _shared_objects.extend(item for item in _live_qt_objects() if id(item) not in objects)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    handler = _Records()
    item.stash[_records] = handler
    item.stash[_threads_before] = set(threading.enumerate())
    logging.getLogger("dockdesk").addHandler(handler)
    # Collected between tests instead, on the main thread: a cycle that holds a QObject must not die on a worker.
    gc.disable()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    result = yield
    _fail_on_log(item)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        result = yield
        if item.get_closest_marker("leaks") is None:
            _fail_on_leaks(item)
        _fail_on_log(item)
        return result
    finally:
        logging.getLogger("dockdesk").removeHandler(item.stash[_records])
        gc.enable()


def pytest_collection_finish() -> None:
    """Leave what importing made out of every later collection: one then costs a millisecond."""
    gc.collect()
    gc.freeze()


def _fail_on_leaks(item: pytest.Item) -> None:
    until = time.monotonic() + GRACE_S
    while leaks := _leaks(item):
        if time.monotonic() > until:
            lines = "\n  ".join(_described(leak) for leak in leaks)
            # Told once: it is not the fault of the tests that follow.
            _shared_objects.extend(leaks)
            pytest.fail(f"left behind:\n  {lines}", pytrace=False)
        time.sleep(0.02)


def _leaks(item: pytest.Item) -> list[Any]:
    _let_qt_delete()
    gc.collect()
    known = item.stash[_threads_before]
    found: list[Any] = [
        thread
        for thread in threading.enumerate()
        if thread not in known
        and thread not in _shared_threads
        and not thread.name.startswith(("fixture", "pytest_timeout"))
        # Threads that Qt made; CPython 3.11 lists them long after they ended.
        and not isinstance(thread, threading._DummyThread)
    ]
    shared = {id(shared) for shared in _shared_objects}
    return found + [leak for leak in _live_qt_objects() if id(leak) not in shared]


def _let_qt_delete() -> None:
    if (core := sys.modules.get("PySide6.QtCore")) and (app := core.QCoreApplication.instance()):
        app.processEvents()
        app.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)


def _live_qt_objects() -> list[Any]:
    """Active timers and busy Jobs that Python still holds, and visible windows."""
    core = sys.modules.get("PySide6.QtCore")
    if core is None or core.QCoreApplication.instance() is None:
        return []
    import shiboken6

    bridge = sys.modules.get("dockdesk.bridge.jobs")
    kinds = (core.QTimer,) if bridge is None else (core.QTimer, bridge.Jobs)
    live = [
        item
        for item in gc.get_objects()
        if issubclass(type(item), kinds)  # isinstance would ask proxies, and dead ones raise
        and shiboken6.isValid(item)
        and (item.isActive() if isinstance(item, core.QTimer) else item.busy())
    ]
    if widgets := sys.modules.get("PySide6.QtWidgets"):
        live += [
            item
            for item in widgets.QApplication.topLevelWidgets()
            # A tooltip goes by itself, some seconds after its widget.
            if item.isVisible() and item.metaObject().className() != "QTipLabel"
        ]
    return live


def _described(item: Any) -> str:
    if isinstance(item, threading.Thread):
        return f"thread {item.name!r}{' (daemon)' if item.daemon else ''}"
    parent = item.parent() if callable(getattr(item, "parent", None)) else None
    owner = f" of {type(parent).__name__}" if parent is not None else ""
    name = f" {item.objectName()!r}" if item.objectName() else ""
    interval = f" every {item.interval()} ms" if hasattr(item, "interval") else ""
    return f"{type(item).__name__}{name}{interval}{owner}"


# --- Parts most tests of widgets need ---


@pytest.fixture
def theme(qapp: Any) -> Any:
    """The light theme."""
    from dockdesk.ui.theme import LIGHT, Theme

    return Theme(LIGHT)


@pytest.fixture
def dark_theme(qapp: Any) -> Any:
    from dockdesk.ui.theme import DARK, Theme

    return Theme(DARK)


@pytest.fixture
def jobs(qapp: Any) -> Iterator[Any]:
    """Jobs that must have ended, or end when cancelled, by the end of the test."""
    from dockdesk.bridge.jobs import Jobs

    made = Jobs()
    yield made
    assert made.close(10_000), "a job did not end when it was cancelled"


@pytest.fixture
def pulse(qapp: Any) -> Iterator[Any]:
    from dockdesk.bridge.streams import Pulse

    made = Pulse()
    yield made
    made.close()
