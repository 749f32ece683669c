"""Cycles are collected, and on the GUI thread only: elsewhere Qt crashes."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from dockdesk.bridge.collector import ROUNDS, YOUNG, Collector


class Node:
    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector(qapp: object) -> Iterator[Collector]:
    gc.collect()
    made = Collector()
    yield made
    made.close()
    # The suite itself keeps what importing made out of its collections.
    gc.freeze()


def litter(count: int = YOUNG + 100) -> None:
    for _ in range(count):
        Node()


def test_nothing_is_done_while_little_was_made(collector: Collector) -> None:
    assert collector.collect() == -1


def test_it_hardly_wakes_while_nobody_looks(collector: Collector) -> None:
    awake = collector._timer.interval()
    collector.rest(True)
    assert collector._timer.interval() >= 30 * awake
    assert collector._timer.isActive()
    collector.rest(False)
    assert collector._timer.interval() == awake
    collector.close()
    collector.rest(True)
    assert not collector._timer.isActive()


def test_the_young_are_collected_often_and_the_old_seldom(collector: Collector) -> None:
    rounds = []
    for _ in range((ROUNDS + 1) ** 2):
        litter()
        rounds.append(collector.collect())
    assert rounds[:ROUNDS] == [0] * ROUNDS
    assert rounds[ROUNDS] == 1
    assert rounds.count(1) == ROUNDS
    assert rounds[-1] == 2
    assert rounds.count(2) == 1


def test_cycles_die_on_the_gui_thread(qtbot: object, collector: Collector) -> None:
    died: list[str] = []
    ready = threading.Event()

    def make() -> None:
        node = Node()
        weakref.finalize(node, lambda: died.append(threading.current_thread().name))
        del node
        litter(10 * YOUNG)
        ready.set()

    worker = threading.Thread(target=make, name="worker")
    worker.start()
    assert ready.wait(60)
    worker.join()
    assert died == []
    qtbot.waitUntil(lambda: died == ["MainThread"], timeout=20_000)  # type: ignore[attr-defined]


def test_closing_hands_collecting_back(qapp: object) -> None:
    before = gc.isenabled()
    gc.enable()
    try:
        made = Collector()
        assert not gc.isenabled()
        made.close()
        assert gc.isenabled()
    finally:
        if not before:
            gc.disable()
        gc.freeze()


def test_timers_in_cycles_survive_busy_workers() -> None:
    """The crash that this is there to prevent, in a process of its own."""
    code = """
import os, sys, threading
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QTimer, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from dockdesk.bridge.collector import Collector
sys.setswitchinterval(0.0005)
told = []
qInstallMessageHandler(lambda kind, context, message: told.append(message))
app = QApplication([])
collector = Collector()
over = threading.Event()
def work():
    kept = []
    while not over.is_set():
        kept = [[index] for index in range(2000)]
        kept.append(kept)
workers = [threading.Thread(target=work) for _ in range(2)]
for worker in workers: worker.start()
for _ in range(60):
    timer = QTimer()
    timer.cycle = timer
    timer.start(1000)
    del timer
    app.processEvents()
    collector.collect()
over.set()
for worker in workers: worker.join()
collector.collect()
collector.close()
print("told:", told)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "told: []" in done.stdout


def test_what_is_kept_is_looked_at_no_more() -> None:
    code = """
import gc
from PySide6.QtCore import QCoreApplication
from dockdesk.bridge.collector import Collector
app = QCoreApplication([])
collector = Collector()
made = [[number] for number in range(5000)]
looked_at = len(gc.get_objects())
collector.keep()
print("told:", looked_at > 5000, len(gc.get_objects()) < 1000)
collector.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "told: True True" in done.stdout
