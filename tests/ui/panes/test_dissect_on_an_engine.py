"""Images taken apart and compared on a real engine, in a process of its own, as a user does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.core.work import SilentWork
from dockdesk.ui.panes.images.compare_dialog import CompareDialog
from dockdesk.ui.panes.images.dissect_view import DissectView
from dockdesk.ui.panes.images.dissections import APART
from dockdesk.ui.panes.images.file_dialog import LayerFileDialog
from dockdesk.ui.panes.images.pane import ImagesPane
from tests.image_archives import docker_archive, shop_layers
from tests.ui.panes.hands import Hands, dialog
from tests.ui.rig import Rig

pytestmark = [pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)"), pytest.mark.engine]

ONE, TWO = "ddshop:1", "ddshop:2"


@pytest.fixture
def hands(
    theme: Any, jobs: Any, pulse: Any, qtbot: Any, docker_engine: EngineBackend, tmp_path: Path
) -> Iterator[Hands]:
    """The pane on the session's dockerd, which has two versions of the shop's image."""
    for number, name in enumerate((ONE, TWO), 1):
        layers = shop_layers(number)
        layers[2].file("srv/shop/video.bin", bytes(APART))
        path = tmp_path / f"{number}.tar"
        path.write_bytes(docker_archive(layers, [name]))
        docker_engine.load_images(path, SilentWork())
    engine: Any = docker_engine
    rig = Rig(theme, jobs, pulse, qtbot, engine=engine)
    pane = ImagesPane(rig.context)
    qtbot.addWidget(pane)
    pane.resize(1200, 860)
    pane.show()
    rig.connect()
    made = Hands(rig, pane)
    rig.until(lambda: made.has(ONE) and made.has(TWO))
    yield made
    for name in (ONE, TWO):
        docker_engine.remove_image(name, force=True)
    rig.close()


def test_from_the_list_to_a_file_and_a_comparison(hands: Hands) -> None:
    rig = hands.rig
    assert hands.row(ONE).size >= APART
    hands.choose(ONE)
    view = hands.tab("Dissect")
    assert isinstance(view, DissectView)
    rig.qtbot.waitUntil(lambda: view.pages.currentWidget() is view.content, timeout=60_000)
    assert "28.5 kB wasted" in view.summary.text()
    view.files.go("/srv/shop/app.py", 3)
    rig.until(lambda: view.files.files.current_path() == "/srv/shop/app.py")
    QTest.keyClick(view.files.files, Qt.Key.Key_Return)
    shown = dialog(rig, LayerFileDialog)
    rig.qtbot.waitUntil(lambda: shown.pages.currentWidget() is shown.text, timeout=60_000)
    assert shown.text.text() == "print('shop')\n" * 200
    shown.reject()

    hands.choose(ONE, TWO)
    hands.do(ONE, "Compare…")
    made = dialog(rig, CompareDialog)
    rig.qtbot.waitUntil(lambda: made.comparison is not None, timeout=60_000)
    assert made.comparison is not None
    assert made.comparison.added + made.comparison.removed == 1
    assert [pair.shared for pair in made.comparison.layers] == [True, True, False, False]
    made.reject()
