"""The checks that every test gets, checked themselves: each must catch its fault and leave a clean test alone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

CLEAN = """
    import logging, os, threading
    from pathlib import Path

    import pytest
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QLabel, QMainWindow

    log = logging.getLogger("dockdesk.some.module")

    def test_home_is_empty(tmp_path):
        assert list(Path.home().iterdir()) == [Path.home() / "run"]
        assert "DOCKER_HOST" not in os.environ and "AWS_PROFILE" not in os.environ

    def test_expected_log(expect_log):
        expect_log("disk is [a-z]+")
        log.warning("the disk is full")

    def test_a_short_thread(qtbot):
        threading.Timer(0.3, lambda: None).start()

    def test_a_window_that_is_closed(qtbot):
        window = QMainWindow()
        qtbot.addWidget(window)
        QTimer(window).start(50)
        window.show()

    def test_a_cycle_with_a_timer(qtbot):
        timer = QTimer()
        timer.setObjectName('tick')
        timer.cycle = timer
        timer.start(10)

    def test_jobs(qtbot, jobs, pulse):
        seen = []
        jobs.submit(None, lambda work: 42, seen.append, title="Count")
        qtbot.waitUntil(lambda: seen == [42], timeout=10_000)

    @pytest.fixture(scope="module")
    def helper():
        over = threading.Event()
        thread = threading.Thread(target=over.wait, daemon=True)
        thread.start()
        yield
        over.set()

    def test_a_thread_of_the_module(helper): ...
    def test_and_again(helper): ...
"""

FAULTY = {
    "a thread": (
        "import threading\n"
        "def test_it():\n"
        "    threading.Thread(target=threading.Event().wait, daemon=True, name='reader').start()\n",
        "thread 'reader' (daemon)",
    ),
    "a timer": (
        "from PySide6.QtCore import QTimer\n"
        "kept = []\n"
        "def test_it(qtbot):\n"
        "    kept.append(QTimer()); kept[0].start(1000)\n",
        "QTimer every 1000 ms",
    ),
    "a window": (
        "from PySide6.QtWidgets import QMainWindow\n"
        "kept = []\n"
        "def test_it(qtbot):\n"
        "    kept.append(QMainWindow()); kept[0].show()\n",
        "QMainWindow",
    ),
    "a job": (
        "import time\n"
        "from dockdesk.bridge.jobs import Jobs\n"
        "kept = []\n"
        "def test_it(qtbot):\n"
        "    kept.append(Jobs()); kept[0].submit(None, lambda work: time.sleep(2.5))\n",
        "Jobs",
    ),
    "a warning in the log": (
        "import logging\n"
        "def test_it():\n"
        "    logging.getLogger('dockdesk.x').warning('out of %s', 'luck')\n",
        "WARNING dockdesk.x: out of luck",
    ),
    "a warning of Qt": (
        "from PySide6.QtCore import QObject, QThread, qWarning\n"
        "def test_it(qtbot):\n"
        "    qWarning('Qt is not amused')\n",
        "Qt is not amused",
    ),
    "a warning of Python": (
        "import warnings\ndef test_it():\n    warnings.warn('old ways')\n",
        "UserWarning: old ways",
    ),
    "a failing slot": (
        "from PySide6.QtCore import QTimer\n"
        "def test_it(qtbot):\n"
        "    seen = []\n"
        "    QTimer.singleShot(0, lambda: (seen.append(1), 1 / 0))\n"
        "    qtbot.waitUntil(lambda: seen)\n",
        "ZeroDivisionError",
    ),
    "an open file": (
        "import tempfile\ndef test_it():\n    file = open(tempfile.__file__); file = None\n",
        "ResourceWarning",
    ),
}


def run(folder: Path, files: dict[str, str], grace: float) -> subprocess.CompletedProcess[str]:
    """Run test files under a copy of the real conftest, in a process of its own."""
    tests = folder / "tests"
    tests.mkdir()
    source = (TESTS / "conftest.py").read_text()
    assert "GRACE_S = 10.0" in source
    (tests / "conftest.py").write_text(source.replace("GRACE_S = 10.0", f"GRACE_S = {grace}"))
    for name, text in files.items():
        (tests / name).write_text(text)
    options = ["-c", TESTS.parent / "pyproject.toml", "--rootdir", folder, "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, tests],
        # Under CI the summary at the end repeats whole messages.
        env={name: value for name, value in os.environ.items() if name != "CI"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_clean_tests_pass(tmp_path: Path) -> None:
    done = run(tmp_path, {"test_it.py": textwrap.dedent(CLEAN)}, grace=30)
    assert "8 passed" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def faulty_run(tmp_path_factory: pytest.TempPathFactory) -> str:
    files = {f"test_{number}.py": text for number, (text, _) in enumerate(FAULTY.values())}
    done = run(tmp_path_factory.mktemp("faulty"), files, grace=0.2)
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_fails_its_test(faulty_run: str, fault: str) -> None:
    name = f"test_{list(FAULTY).index(fault)}.py::test_it"
    blamed = [line for line in faulty_run.splitlines() if line.startswith(("FAILED", "ERROR"))]
    assert [line for line in blamed if name in line], faulty_run
    assert FAULTY[fault][1] in faulty_run


def test_a_leak_is_told_once(faulty_run: str) -> None:
    assert faulty_run.count("QTimer every 1000 ms") == 1
