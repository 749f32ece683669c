"""The program from its command line to its end, without a screen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dockdesk
from dockdesk.__main__ import NO_DISPLAY, has_display, main, make_parser
from dockdesk.options import Options


def start(*arguments: str, **more: str) -> subprocess.Popen[str]:
    env = {**os.environ, **more}
    return subprocess.Popen(
        [sys.executable, "-m", "dockdesk", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"dockdesk {dockdesk.__version__}\n"


@pytest.mark.parametrize("wrong", [["--size", "big"], ["--size", "1x1"], ["--vnc", "0"], ["x"]])
def test_wrong_arguments_are_told(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(wrong)
    assert ended.value.code == 2
    assert "usage: dockdesk" in capsys.readouterr().err


def test_paths_are_opened_and_commands_stay_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[Options] = []

    def run(options: Options) -> int:
        ran.append(options)
        return 0

    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setattr("dockdesk.start.run", run)
    monkeypatch.setattr("dockdesk.start.draw", run)
    monkeypatch.chdir(tmp_path)
    assert main(["--demo", "Dockerfile", "/x/y", "./pictures"]) == 0
    assert ran[0].demo
    assert ran[0].paths == [str(tmp_path / "Dockerfile"), "/x/y", str(tmp_path / "pictures")]
    assert main([]) == 0
    assert list(ran[1].paths) == []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")  # as drawing sets it
    assert main(["--demo", "pictures", "--out", "p", "--open", "web", "--build"]) == 0
    assert (ran[2].command, ran[2].out, list(ran[2].paths)) == ("pictures", "p", [])
    assert (ran[2].open, ran[2].build) == (str(tmp_path / "web"), True)


def test_without_a_display_it_says_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_display()
    assert main([]) == 2
    assert capsys.readouterr().err.strip() == NO_DISPLAY
    assert "\n" not in NO_DISPLAY


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    code = """
import sys
from dockdesk import start
app = start.make_application()
made = start.Start(app, start.user_places())
seen = []
made._load = lambda: (seen.extend(sys.modules), app.exit(0))
made.run()
heavy = {"docker", "requests", "pyqtgraph", "numpy", "keyring", "sqlite3", "yaml", "msgspec", "ssl",
         "dockdesk.app", "dockdesk.core.ports", "dockdesk.ui.theme.theme"}
print(sorted(heavy & set(seen)), bool(seen))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "[] True"


def test_what_can_t_be_started_ends_and_says_why() -> None:
    code = """
import sys
from dockdesk import start
sys.modules["dockdesk.app"] = None
app = start.make_application()
sys.exit(start.Start(app, start.user_places()).run())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1
    assert "dockdesk.app" in done.stderr


def test_ends_in_order_when_told_to_and_remembers(isolated_user: Path) -> None:
    process = start()
    settings = isolated_user / "config" / "dockdesk" / "settings.json"
    archive = isolated_user / "data" / "dockdesk" / "archive.sqlite"
    try:
        wait_until(lambda: archive.exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in out + err
    state = json.loads(settings.read_text())["window_state"]
    assert set(state) >= {"geometry", "folded", "ground"}


def test_the_window_follows_the_theme_though_it_began_in_a_colour_of_its_own(
    isolated_user: Path,
) -> None:
    settings = isolated_user / "config" / "dockdesk" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"window_state": {"ground": "#ff0000"}}))
    code = """
from dockdesk import start
app = start.make_application()
def begun(program):
    colours = []
    for mode in ("light", "dark"):
        program.theme.set_mode(mode)
        program.theme.settle()
        window = program.shell.window.palette().window().color().name()
        colours.append(window == program.theme.colour("window").name())
    print(ground, colours)
    app.exit(0)
made = start.Start(app, start.user_places(), begun)
ground = made.window.palette().window().color().name()
made.run()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "#ff0000 [True, True]"


def test_pictures_of_a_pane_are_drawn_without_a_display(isolated_user: Path) -> None:
    out = isolated_user / "pictures"
    process = start("pictures", "--out", str(out), "--pane", "command_log", "--theme", "dark",
                    "--size", "1024x700", "--wait", "0.1", QT_QPA_PLATFORM="")  # fmt: skip
    try:
        _out, err = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 0, err
    picture = (out / "command_log-dark.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == 1024


def test_pictures_of_an_unknown_pane_are_refused(isolated_user: Path) -> None:
    process = start("pictures", "--out", str(isolated_user / "p"), "--pane", "nonsense")
    try:
        _out, err = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 2
    assert "There is no pane nonsense" in err


def wait_until(condition: Any, seconds: float = 60.0) -> None:
    import time

    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
