"""The drawer shows what runs and what ran, lets it be stopped, read and tried again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from dockdesk.bridge.jobs import JobState
from dockdesk.core.errors import ConflictError
from dockdesk.ui.shell.activity.drawer import ActivityDrawer
from dockdesk.ui.shell.activity.model import job_line
from dockdesk.ui.shell.activity.running import RunningJobs


@pytest.fixture
def drawer(qtbot: Any, theme: Any, jobs: Any) -> ActivityDrawer:
    made = ActivityDrawer(theme, jobs)
    made.resize(380, 600)
    qtbot.addWidget(made)
    made.show()
    return made


def rows(drawer: ActivityDrawer) -> list[str]:
    model = drawer._model
    return [model.job(row).title for row in range(model.rowCount())]


def settle(qtbot: Any, jobs: Any, drawer: ActivityDrawer) -> None:
    qtbot.waitUntil(lambda: not jobs.busy() and drawer._model.running() == 0, timeout=10_000)


def test_lists_jobs_with_a_title_newest_first(
    qtbot: Any, jobs: Any, drawer: ActivityDrawer
) -> None:
    assert drawer._empty.isVisible()
    jobs.submit(None, lambda work: None)
    jobs.submit(None, lambda work: None, title="Pull nginx")
    jobs.submit(None, lambda work: None, title="Pull redis")
    qtbot.waitUntil(lambda: len(rows(drawer)) == 2, timeout=10_000)
    settle(qtbot, jobs, drawer)
    assert rows(drawer) == ["Pull redis", "Pull nginx"]
    assert not drawer._empty.isVisible()


def test_a_running_job_shows_its_parts_and_can_be_cancelled(
    qtbot: Any, jobs: Any, drawer: ActivityDrawer
) -> None:
    released = threading.Event()

    def pull(work: Any) -> None:
        work.part("a1b2", 0.5, "Downloading")
        work.log("resolved")
        with work.on_cancel(released.set):
            released.wait(30)
        work.check()

    job = jobs.submit(None, pull, title="Pull nginx", long=True, failure=lambda error: None)
    qtbot.waitUntil(lambda: "a1b2" in job.parts_now() and rows(drawer) == ["Pull nginx"],
                    timeout=10_000)  # fmt: skip
    running = RunningJobs(jobs)
    counts: list[int] = []
    running.changed.connect(counts.append)
    assert running.count == 1
    drawer.focus()
    qtbot.waitUntil(lambda: drawer._detail._log.toPlainText() == "resolved", timeout=10_000)
    assert drawer._detail._parts._parts == [("a1b2", 0.5, "Downloading")]
    drawer._detail._cancel.click()
    settle(qtbot, jobs, drawer)
    assert job.state is JobState.CANCELLED
    qtbot.waitUntil(lambda: counts == [0], timeout=10_000)
    qtbot.waitUntil(lambda: not drawer._detail._cancel.isVisible(), timeout=10_000)


def test_a_failed_job_says_why_and_is_tried_again(
    qtbot: Any, jobs: Any, drawer: ActivityDrawer
) -> None:
    fail = [True]

    def work(work: Any) -> None:
        if fail[0]:
            raise ConflictError("It is in use", "by web", "Stop web.")

    jobs.submit(None, work, None, lambda error: None, title="Remove redis", retryable=True)
    qtbot.waitUntil(lambda: rows(drawer) == ["Remove redis"], timeout=10_000)
    settle(qtbot, jobs, drawer)
    drawer.focus()
    assert "It is in use" in job_line(drawer._model.job(0))
    assert drawer._detail._problem.text() == "It is in use\nby web\nStop web."
    fail[0] = False
    drawer._detail._retry.click()
    settle(qtbot, jobs, drawer)
    assert rows(drawer) == ["Remove redis", "Remove redis"]
    assert drawer._model.job(0).state is JobState.DONE


def test_a_long_log_is_added_to_and_copied_whole(
    qtbot: Any, jobs: Any, drawer: ActivityDrawer
) -> None:
    steps = [threading.Event() for _ in range(2)]

    def work(work: Any) -> None:
        for line in range(3000):
            work.log(f"line {line}")
        steps[0].wait(30)
        work.log("same")
        work.log("same")
        steps[1].wait(30)

    jobs.submit(None, work, title="Build", long=True)
    qtbot.waitUntil(lambda: rows(drawer) == ["Build"], timeout=10_000)
    drawer.focus()
    log = drawer._detail._log
    qtbot.waitUntil(lambda: log.toPlainText().endswith("line 2999"), timeout=10_000)
    steps[0].set()
    qtbot.waitUntil(lambda: log.toPlainText().endswith("line 2999\nsame\nsame"), timeout=10_000)
    steps[1].set()
    settle(qtbot, jobs, drawer)
    drawer._detail._copy.click()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[-1] == "same"
    assert len(copied) == 2000


def test_clearing_takes_what_ended_off(qtbot: Any, jobs: Any, drawer: ActivityDrawer) -> None:
    jobs.submit(None, lambda work: None, title="Pull nginx")
    qtbot.waitUntil(lambda: rows(drawer) == ["Pull nginx"], timeout=10_000)
    settle(qtbot, jobs, drawer)
    assert drawer._clear.isEnabled()
    drawer._clear.click()
    assert rows(drawer) == []
    assert drawer._empty.isVisible()


def test_escape_closes_it(qtbot: Any, drawer: ActivityDrawer) -> None:
    with qtbot.waitSignal(drawer.closed, timeout=10_000):
        qtbot.keyClick(drawer, Qt.Key.Key_Escape)


def test_why_a_silent_job_failed_stands_below_its_name(
    qtbot: Any, jobs: Any, drawer: ActivityDrawer
) -> None:
    """Without a log there is room to spare, which is no reason to spread the words over it."""

    def fail(work: Any) -> None:
        raise ConflictError("The connection broke", "The engine closed it.", "Try again.")

    drawer.resize(380, 1600)
    jobs.submit(None, fail, title="Pull nginx", failure=lambda error: None, retryable=True)
    qtbot.waitUntil(lambda: rows(drawer) == ["Pull nginx"], timeout=10_000)
    settle(qtbot, jobs, drawer)
    drawer.focus()
    detail = drawer._detail
    qtbot.waitUntil(
        lambda: detail._problem.isVisible() and detail._retry.isVisible(), timeout=10_000
    )
    assert not detail._log.isVisible()

    def laid_out() -> bool:
        return detail.height() > 400 and 0 < detail._problem.y() < detail._retry.y()

    qtbot.waitUntil(laid_out, timeout=10_000)
    assert detail._problem.y() < 60
    assert detail._retry.y() < 200
