"""A tour of the whole program on the sandbox with two hundred containers: what opening, switching and resizing cost.

Each step is taken as a user takes it, once for the first time and twice after that. Told is the longest time that the
GUI thread was at work without coming back for events, in CPU time, which other programs don't add to; and the longest
stall by the clock. What is imported at the user's first touch is imported before, as it is in the program by then.

Limit: a frame, 16.7 ms of own work, for every step.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from harness import FRAME_MS, Report, main, spin, spin_until, stalls
from live import program
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.app import Program
from dockdesk.core.preferences import THEME
from dockdesk.ui.shell.loader import Loader

CONTAINERS = 200
LONG, USUAL = 2000, 60  # lines
_REST_S = 0.5
_AFTER = 2
_ONLY = os.environ.get("BENCH_STEPS", "")  # steps whose titles hold this


class Step(NamedTuple):
    title: str
    take: Callable[[], object]
    leave: Callable[[], object] | None = None  # so that it can be taken again; not measured


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of the sandbox's engine, in which there are as many containers as we want."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dockdesk.sandbox.main", "--json", "--parent", str(os.getpid())],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        host: str = json.loads(process.stdout.readline())["DOCKER_HOST"]
        fill(host.removeprefix("unix://"))
        yield host
    finally:
        process.terminate()
        process.wait()


def fill(path: str) -> None:
    engine = _Unix(path)

    def ask(method: str, target: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body)
        engine.request(method, target, data, {"Content-Type": "application/json"})
        answer = engine.getresponse().read()
        return json.loads(answer) if answer.strip() else None

    there = ask("GET", "/containers/json?all=1")
    assert isinstance(there, list)
    image = there[0]["Image"]
    for number in range(CONTAINERS - len(there)):
        made = ask("POST", f"/containers/create?name=tour-{number:03}", {"Image": image})
        assert isinstance(made, dict)
        ask("POST", f"/containers/{made['Id']}/start")
    engine.close()


def load_later() -> None:
    """Import what the program imports at the user's first touch."""
    loader = Loader()
    loader.start()
    loader.go_on()
    spin_until(lambda: not loader._thread.is_alive(), 120)
    loader.stop()


def steps(made: Program) -> Iterator[Step]:
    shell, window = made.shell, made.shell.window
    show = shell.navigation.show_pane
    containers = shell.navigation.pane("containers")
    for entry in shell.navigation.entries:
        if entry.id != "containers":
            yield Step(f"pane {entry.id}", lambda id=entry.id: show(id), lambda: show("containers"))
    yield Step("pane containers", lambda: show("containers"), lambda: show("images"))
    show("containers")
    spin(_REST_S)
    rows = list(containers.model.rows())
    running = [row for row in rows if row.container.running][:40]
    chosen = iter(running * 100)
    yield Step(
        "another container", lambda: containers.table.select_keys([next(chosen).container.id])
    )
    first = containers.description.tabs[0].id
    for tab in containers.description.tabs:
        yield Step(
            f"tab {tab.id}",
            lambda id=tab.id: click_tab(containers.detail, id),
            lambda: click_tab(containers.detail, first),
        )
    yield Step(
        "a filter", lambda: containers.set_filter("tour 1"), lambda: containers.set_filter("")
    )
    yield Step("sorting", lambda: containers.model.sort_by("name", False))
    sizes = iter([(1440 - 12 * at % 480, 900 - 8 * at % 240) for at in range(1000)])
    yield Step("resizing the window", lambda: window.resize(*next(sizes)))
    themes = iter(["dark", "light"] * 20)
    yield Step("another theme", lambda: made.settings.set(THEME, next(themes)))
    yield Step("palette", shell.show_palette, lambda: shell.palette.hide())
    yield Step("settings", shell.show_settings, lambda: close_dialogs(window))
    yield Step("shortcuts", shell.show_shortcuts, lambda: close_dialogs(window))
    yield Step("environments", shell.show_environments, lambda: shell.environment_menu.hide())
    yield Step("activity", shell.toggle_activity, shell.toggle_activity)
    yield Step(
        "run dialog",
        lambda: shell.navigation.trigger("container.run"),
        lambda: close_dialogs(window),
    )


def dockerfile(lines: int) -> str:
    block = """FROM debian:12.11-slim AS stage{n}
ARG VERSION=1.{n}
ENV PATH="/opt/app{n}/bin:$PATH" \\
    HOME=/home/app
WORKDIR /src
COPY --chown=app:app package{n}.json ./
RUN --mount=type=cache,target=/root/.cache \\
    echo "${{VERSION}}" && make -j4 "target {n}" \\
    && rm -rf /tmp/*
RUN <<EOF
set -e
echo "a heredoc of ${{VERSION}}"
EOF
USER app
CMD ["/opt/app/bin/run", "--port", "8080"]

"""
    made: list[str] = []
    number = 0
    while len(made) < lines:
        made += block.format(n=number).split("\n")[:-1]
        number += 1
    return "\n".join(made[:lines]) + "\n"


def dockerfile_steps(made: Program, folder: Path) -> Iterator[Step]:
    """Opening a long and a usual Dockerfile, typing, looking at the views, the form of a build and a build."""
    navigation = made.shell.navigation
    pane = navigation.pane("dockerfiles")
    long, usual = folder / "long" / "Dockerfile", folder / "usual" / "Dockerfile"
    for path, lines in ((long, LONG), (usual, USUAL)):
        path.parent.mkdir()
        path.write_text(dockerfile(lines), "utf-8")

    def close() -> None:
        if (document := pane.document) is not None:
            pane.workspace.discard(document)

    navigation.show_pane("dockerfiles")
    yield Step(f"Dockerfile of {LONG:,} lines", lambda: pane.workspace.open(long), close)
    yield Step("Dockerfile", lambda: pane.workspace.open(usual), close)
    pane.workspace.open(long)
    spin_until(lambda: pane.document is not None)
    spin(2.0)
    editor = pane.document.editor
    editor.go_to(LONG - 3)
    editor.setFocus()
    keys = (
        ("a letter", Qt.Key.Key_X),
        ("what completes", Qt.Key.Key_R),
        ("a line", Qt.Key.Key_Return),
    )
    for title, key in keys:
        yield Step(f"typing {title}", lambda key=key: QTest.keyClick(editor, key), editor.undo)
    yield Step("scrolling the text", lambda: editor.go_to(9), lambda: editor.go_to(LONG - 3))
    for area in (pane.beside, pane.below):
        first = area._offered[0].id
        for entry in area._offered:
            yield Step(
                f"view {entry.id}",
                lambda area=area, id=entry.id: click_tab(area, id),
                lambda area=area, first=first: click_tab(area, first),
            )
    close()
    pane.workspace.open(usual)
    spin_until(lambda: pane.document is not None)
    spin(1.0)
    yield Step(
        "build form",
        lambda: navigation.trigger("build.run"),
        lambda: close_dialogs(made.shell.window),
    )
    click_tab(pane.below, "build")
    spin(_REST_S)
    yield Step("a build", lambda: pane.builds.build_again(pane.document), lambda: spin(2.0))
    if "builds" not in navigation.panes:
        return
    builds = navigation.pane("builds")
    navigation.show_pane("builds")
    spin(1.0)
    for tab in getattr(builds, "detail", None)._offered if hasattr(builds, "detail") else ():
        yield Step(
            f"builds: tab {tab.id}",
            lambda id=tab.id: click_tab(builds.detail, id),
            lambda: click_tab(builds.detail, builds.description.tabs[0].id),
        )


def click_tab(detail: Any, id: str) -> None:
    """As a click on it would; a tab that is not offered for what is chosen is passed over."""
    at = next((n for n, tab in enumerate(detail._offered) if tab.id == id), -1)
    if at >= 0:
        detail._bar.setCurrentIndex(at)


def close_dialogs(window: object) -> None:
    from PySide6.QtWidgets import QApplication, QDialog

    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QDialog) and widget.isVisible():
            widget.close()


def measured(step: Step) -> tuple[float, float]:
    """The longest stretch of own work and the longest stall, in ms, until it is all over."""
    with stalls(1) as meter:
        step.take()
        spin(_REST_S)
    if step.leave is not None:
        step.leave()
        spin(_REST_S)
    return meter.busy, meter.longest


def run(report: Report) -> None:
    sys.setswitchinterval(0.0005)  # as the program sets it
    with (
        TemporaryDirectory() as folder,
        sandbox() as host,
        program(None, host=host) as made,  # type: ignore[arg-type]
    ):
        shell = made.shell
        spin_until(lambda: made.session.loaded("images"))
        load_later()
        shell.prime()
        spin_until(lambda: shell._primer is not None and shell._primer.over)
        spin(2.0)
        with stalls(1) as floor:
            spin(2.0)
        report.add(
            "nothing: own work at a stretch", floor.busy, "ms", note=f"stall {floor.longest:.1f} ms"
        )
        for step in chain(steps(made), dockerfile_steps(made, Path(folder))):
            if _ONLY not in step.title:
                continue
            first = measured(step)
            later = min(measured(step) for _ in range(_AFTER))
            for title, (busy, longest) in (("first time", first), ("again", later)):
                note = f"stall {longest:.1f} ms by the clock"
                report.add(f"{step.title}, {title}", busy, "ms", limit=FRAME_MS, note=note)
        assert shell.window.isVisible()


if __name__ == "__main__":
    main("tour", run)
