"""Images taken apart and compared, as a user does it."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest

from dockdesk.core.dissection.build import RawLayer, dissected
from dockdesk.core.dissection.compare import Setting
from dockdesk.core.dissection.model import ADDED, CHANGED, FILE, REMOVED
from dockdesk.core.dissection.replay import Entry
from dockdesk.core.dissection.tree import Query, tree_of
from dockdesk.core.errors import RemoteError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.work import SilentWork
from dockdesk.ui.panes.images.compare_columns import value_text
from dockdesk.ui.panes.images.compare_dialog import CompareDialog, pair_of
from dockdesk.ui.panes.images.dissect_view import DissectView
from dockdesk.ui.panes.images.dissections import APART, AUTOMATIC
from dockdesk.ui.panes.images.file_columns import LAYER_COLUMNS
from dockdesk.ui.panes.images.file_dialog import LayerFileDialog
from dockdesk.ui.panes.images.file_tree import FileTreeModel, FileTreeView
from dockdesk.ui.panes.images.pane import ImagesPane
from tests.image_archives import docker_archive, shop_layers
from tests.ui.doubles import environment
from tests.ui.panes.hands import CTRL, LEFT, NONE, Hands, dialog, pick, popup
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

API, WORKER = "acme/api:2.14.1", "acme/worker:2.14.1"


def resize_image(rig: Rig, name: str, size: int) -> None:
    image = next(i for i in rig.engine._images.values() if i.name == name)
    rig.engine._images[image.id] = replace(image, size=size)


@pytest.fixture
def images(rig: Rig) -> Hands:
    """The images pane; all images are small."""
    for image in list(rig.engine._images.values()):
        resize_image(rig, image.name, 400_000)
    rig.engine.image_versions[WORKER] = 2
    return Hands.on(rig, ImagesPane)


def opened(images: Hands, name: str = API) -> DissectView:
    images.choose(name)
    view = images.tab("Dissect")
    assert isinstance(view, DissectView)
    images.rig.until(lambda: view.pages.currentWidget() is view.content and view.files.tree.shown)
    return view


def lines(view: FileTreeView) -> list[str]:
    """What is unfolded, top to bottom: path, and the sign of its change."""
    found = []
    index = view.files.index(0, 0)
    while index.isValid():
        number = view.files.number(index)
        sign = view.files.index(index.row(), 1, index.parent()).data() or ""
        found.append(f"{sign[:1]}{view.files.tree.names.path(number)}")
        index = view.indexBelow(index)
    return found


def spot(view: FileTreeView, path: str) -> Any:
    assert view.choose(path)
    return view.visualRect(view.currentIndex()).center()


def click_layer(view: DissectView, number: int) -> None:
    table = view.files.layers
    line = table.rows.line_of(str(number))
    index = table.rows.index(line, 1)
    table.scrollTo(index)
    QTest.mouseClick(table.viewport(), LEFT, NONE, table.visualRect(index).center())


def shows(rig: Rig, view: DissectView, layer: int, **query: Any) -> None:
    """Wait until the tree is that of a query."""
    image = view._shown
    assert image is not None
    wanted = tree_of(SilentWork(), image, replace(view.files.query, layer=layer - 1, **query))
    rig.until(lambda: view.files.tree == wanted)


def test_the_top_layer_comes_first_and_its_changes_are_told_in_words(
    images: Hands, rig: Rig
) -> None:
    view = opened(images)
    assert [row.number for row in view.files.layers.selected_rows()] == [4]
    assert lines(view.files.files) == [
        "/srv", "~/srv/shop", "/srv/shop/static", "~/srv/shop/static/logo.bin",
        "+/srv/shop/current", "/tmp", "−/tmp/install.log",
    ]  # fmt: skip
    model = view.files.files.files
    removed = model.index_of(model.tree.names.find("/tmp/install.log"))
    assert removed.siblingAtColumn(1).data() == "− removed"
    assert removed.data(Qt.ItemDataRole.FontRole).strikeOut()
    assert view.efficiency.text() == "87.2 % efficient"
    assert "28.5 kB wasted" in view.summary.text()


def test_layers_by_instruction_with_what_they_waste(images: Hands, rig: Rig) -> None:
    view = opened(images)
    rows = view.files.layers.rows.shown_rows()
    assert [(row.number, row.instruction, row.wasted) for row in rows] == [
        (1, "ADD file:3fa2 in /", 0),
        (2, "RUN apt-get update && apt-get install -y curl", 8_000),
        (3, "COPY . /srv/shop", 20_480),
        (4, "RUN chown -R shop /srv/shop && rm /tmp/install.log", 0),
    ]
    click_layer(view, 2)
    shows(rig, view, 2)
    assert "+/usr/bin/curl" in lines(view.files.files)


def test_all_files_up_to_a_layer_and_filters(images: Hands, rig: Rig) -> None:
    view = opened(images)
    QTest.mouseClick(view.files.mode.button("whole"), LEFT)
    shows(rig, view, 4, whole=True)
    assert "/bin/busybox" in lines(view.files.files)
    assert "/tmp/install.log" not in lines(view.files.files)
    QTest.keyClicks(view.files.search, "PASSWD")
    shows(rig, view, 4, whole=True, text="PASSWD")
    assert lines(view.files.files) == ["/usr", "/usr/bin", "/usr/bin/passwd"]
    view.files.search.clear()
    view.files.filter.setFocus()
    QTest.keyClick(view.files.filter, Qt.Key.Key_End)
    shows(rig, view, 4, whole=True, text="", privileged=True)
    assert view.files.count.text() == "1"
    mode = view.files.tree.mode[view.files.tree.names.find("/usr/bin/passwd")]
    assert mode & stat.S_ISUID


def test_a_filter_that_lets_nothing_through_can_be_cleared(images: Hands, rig: Rig) -> None:
    view = opened(images)
    QTest.keyClicks(view.files.search, "nowhere")
    rig.until(lambda: view.files.pages.currentWidget() is view.files.state)
    QTest.mouseClick(view.files.state.buttons()[0], LEFT)
    rig.until(lambda: view.files.pages.currentWidget() is view.files.files)
    assert view.files.search.text() == ""


def test_sorting_by_a_click_on_the_header(images: Hands, rig: Rig) -> None:
    view = opened(images)
    click_layer(view, 1)
    shows(rig, view, 1)
    header = view.files.files.header()
    x = header.sectionViewportPosition(2) + 20
    QTest.mouseClick(
        header.viewport(), LEFT, NONE, header.viewport().rect().center().__class__(x, 8)
    )
    rig.until(lambda: view.files.query.order == "size")
    shows(rig, view, 1, order="size")
    sizes = [view.files.tree.size[n] for n in range(1, 1 + view.files.tree.names.count[0])]
    assert sizes == sorted(sizes, reverse=view.files.query.descending)


def test_what_was_unfolded_stays_so(images: Hands, rig: Rig) -> None:
    view = opened(images)
    QTest.mouseClick(view.files.mode.button("whole"), LEFT)
    shows(rig, view, 4, whole=True)
    tree = view.files.files
    tree.collapseAll()
    view.files.files._unfolded.clear()
    tree.setCurrentIndex(tree.files.index_of(tree.files.tree.names.find("/usr")))
    QTest.keyClick(tree, Qt.Key.Key_Right)
    assert "/usr/bin" in lines(tree)
    click_layer(view, 3)
    shows(rig, view, 3, whole=True)
    assert "/usr/bin" in lines(tree)
    assert "/bin/busybox" not in lines(tree)
    assert tree.current_path() == "/usr"


def test_findings_lead_to_the_file(images: Hands, rig: Rig) -> None:
    view = opened(images)
    QTest.mouseClick(view.parts.button("findings"), LEFT)
    table = view.findings.table
    assert table is not None
    rig.until(lambda: table.rows.rowCount() > 10)
    titles = [
        e.title
        for n in range(table.rows.rowCount())
        if hasattr(e := table.rows.entry_at(n), "title")
    ]
    assert titles == ["Wasted space", "Caches left behind", "A smaller base", "Setuid and setgid",
                      "Anyone may write", "Biggest files"]  # fmt: skip
    notes = {row.path: row.note for row in reversed(table.rows.shown_rows())}
    assert notes["/tmp/install.log"] == "Removed in layer 4: remove it in the RUN that makes it."
    assert "same content" in notes["/srv/shop/static/logo.bin"]
    assert "rm -rf /var/lib/apt/lists" in notes["/var/lib/apt/lists"]
    assert "No base of it is here" in notes["base layers"]
    line = next(n for n in range(table.rows.rowCount())
                if getattr(table.rows.entry_at(n), "path", "") == "/tmp/install.log")  # fmt: skip
    index = table.rows.index(line, 0)
    table.scrollTo(index)
    place = table.visualRect(index).center()
    QTest.mouseClick(table.viewport(), LEFT, NONE, place)
    QTest.mouseDClick(table.viewport(), LEFT, NONE, place)
    rig.until(lambda: view.files.files.current_path() == "/tmp/install.log")
    assert [row.number for row in view.files.layers.selected_rows()] == [2]
    assert view.parts.current() == "files"


def test_a_file_is_looked_at_and_saved(images: Hands, rig: Rig, tmp_path: Path) -> None:
    view = opened(images)
    click_layer(view, 3)
    shows(rig, view, 3)
    tree = view.files.files
    place = spot(tree, "/srv/shop/app.py")
    QTest.mouseClick(tree.viewport(), LEFT, NONE, place)
    QTest.mouseDClick(tree.viewport(), LEFT, NONE, place)
    shown = dialog(rig, LayerFileDialog)
    rig.until(lambda: shown.pages.currentWidget() is shown.text)
    assert shown.text.text().startswith("print('shop')")
    assert "layer 3" in shown.note.text()
    file = shown._file
    assert view._shown is not None
    assert images.calls("read_image_file") == [
        (images.row(API).id, view._shown.layers[2].place, "/srv/shop/app.py")
    ]
    shown.reject()
    target = tmp_path / "app.py"
    view.save_to(file, target)
    rig.until(lambda: "Saved" in images.titles())
    assert target.read_bytes() == b"print('shop')\n"
    assert images.logged()[-1].startswith(f"docker save {API} | tar -xO ")


def test_a_hard_link_is_read_where_its_bytes_are(images: Hands, rig: Rig) -> None:
    view = opened(images)
    click_layer(view, 1)
    shows(rig, view, 1)
    tree = view.files.files
    tree.setFocus()
    assert tree.choose("/bin/sh")
    QTest.keyClick(tree, Qt.Key.Key_Return)
    shown = dialog(rig, LayerFileDialog)
    rig.until(lambda: images.calls("read_image_file"))
    assert images.calls("read_image_file")[0][2] == "/bin/busybox"
    rig.until(lambda: shown.pages.currentWidget() is shown.text)
    shown.reject()


def test_a_path_is_copied(images: Hands, rig: Rig) -> None:
    view = opened(images)
    tree = view.files.files
    place = spot(tree, "/srv/shop/current")
    tree.customContextMenuRequested.emit(place)
    pick(popup(rig), "Copy path")
    assert QGuiApplication.clipboard().text() == "/srv/shop/current"


def test_large_images_wait_to_be_asked(rig: Rig, tmp_path: Path) -> None:
    resize_image(rig, API, AUTOMATIC + 1)
    rig.engine.image_file = tmp_path / "large.tar"
    rig.engine.image_file.write_bytes(docker_archive(shop_layers(), [API]))
    images = Hands.on(rig, ImagesPane)
    images.choose(API)
    view = images.tab("Dissect")
    assert isinstance(view, DissectView)
    rig.settle()
    assert view.pages.currentWidget() is view.message
    assert not images.calls("dissecting")
    QTest.mouseClick(view.message.buttons()[0], LEFT)
    assert view.pages.currentWidget() is view.progress
    # In a process of its own, which takes a while to start.
    rig.qtbot.waitUntil(lambda: view.pages.currentWidget() is view.content, timeout=60_000)
    assert view.efficiency.text() == "87.2 % efficient"
    assert AUTOMATIC > APART


def test_it_is_seen_and_can_be_stopped(images: Hands, rig: Rig) -> None:
    with rig.engine.pause_on("dissect"):
        images.choose(API)
        view = images.tab("Dissect")
        assert isinstance(view, DissectView)
        rig.until(lambda: view.pages.currentWidget() is view.progress)
        assert view.progress.title.text() == f"Dissecting {API}"
        QTest.mouseClick(view.progress.cancel, LEFT)
        rig.until(lambda: view.pages.currentWidget() is view.message)
    rig.settle()
    assert view.pages.currentWidget() is view.message
    QTest.mouseClick(view.message.buttons()[0], LEFT)
    rig.until(lambda: view.pages.currentWidget() is view.content)


def test_a_failure_is_told_and_tried_again(images: Hands, rig: Rig) -> None:
    rig.engine.faults["dissect"] = RemoteError(
        "The image could not be dissected", "layer 2 is broken"
    )
    images.choose(API)
    view = images.tab("Dissect")
    assert isinstance(view, DissectView)
    rig.until(lambda: view.pages.currentWidget() is view.message and view.message.buttons())
    del rig.engine.faults["dissect"]
    QTest.mouseClick(view.message.buttons()[0], LEFT)
    rig.until(lambda: view.pages.currentWidget() is view.content)


def test_it_is_done_once_for_an_image(images: Hands, rig: Rig) -> None:
    opened(images)
    opened(images, WORKER)
    opened(images)
    assert len(images.calls("dissect")) == 2


def test_another_engine_is_asked_anew(images: Hands, rig: Rig) -> None:
    opened(images)
    rig.connect(replace(environment(), id="docker:other"))
    rig.until(lambda: images.pane.model.rowCount() and images.has(API))
    opened(images)
    rig.until(lambda: len(images.calls("dissect")) == 2)
    rig.settle()


def test_other_panes_can_ask_for_it(images: Hands, rig: Rig) -> None:
    handler = images.pane.handlers()["image.dissect"]
    handler([images.row("node:20")])
    rig.until(lambda: images.chosen() == ["node:20"])
    view = images.pane.detail.view()
    assert isinstance(view, DissectView)
    rig.until(lambda: view.pages.currentWidget() is view.content)
    assert rig.navigator.went[0] == ("pane", "images")
    assert images.pane.place() == ResourceRef("image", images.row("node:20").id, "node:20",
                                              images.pane._environment_id())  # fmt: skip


def comparing(images: Hands, *names: str) -> CompareDialog:
    images.choose(*names)
    images.do(names[0], "Compare…")
    made = dialog(images.rig, CompareDialog)
    images.rig.until(lambda: made.comparison is not None)
    return made


def test_two_images_are_compared(images: Hands, rig: Rig) -> None:
    rig.engine._images = {
        id: replace(i, created=2.0 if i.name == WORKER else 1.0)
        for id, i in rig.engine._images.items()
    }
    images.pane.context.session.refresh("images")
    rig.until(lambda: images.row(WORKER).created == 2.0)
    made = comparing(images, WORKER, API)
    assert [image.name for image in made.pair] == [API, WORKER]
    assert lines(made.files) == [
        "/srv", "/srv/shop", "+/srv/shop/templates", "+/srv/shop/templates/cart.html",
        "~/srv/shop/app.py",
    ]  # fmt: skip
    tree = made.files.files.tree
    folder = tree.names.find("/srv/shop")
    assert tree.size[folder] - tree.before[folder] == 2_800 + 700
    assert "1 changed" in made.summary.text()
    QTest.mouseClick(made.parts.button("settings"), LEFT)
    assert made.inner.currentWidget() is made.settings
    rig.until(lambda: made.settings.rows.rowCount() == 2)
    QTest.mouseClick(made.parts.button("layers"), LEFT)
    rig.until(lambda: made.layers.rows.rowCount() == 4)
    assert [row.shared for row in made.layers.rows.shown_rows()] == [True, True, False, False]
    first = made.comparison
    QTest.mouseClick(made.swap, LEFT)
    rig.until(lambda: made.comparison is not None and made.comparison is not first)
    assert made.comparison is not None
    assert (made.comparison.added, made.comparison.removed) == (0, 1)
    made.reject()


def test_differences_are_filtered(images: Hands, rig: Rig) -> None:
    made = comparing(images, API, WORKER)
    QTest.keyClicks(made.search, "cart")
    rig.until(lambda: made.comparison is not None and made.comparison.files.shown == 1)
    made.search.clear()
    made.filter.setFocus()
    QTest.keyClick(made.filter, Qt.Key.Key_Down, CTRL)
    QTest.keyClick(made.filter, Qt.Key.Key_End)
    rig.until(lambda: made._query.text == "" and made._query.change == REMOVED)
    made.reject()


def test_the_same_image_twice_is_no_comparison(images: Hands, rig: Rig) -> None:
    made = comparing(images, API)
    made.after.setCurrentIndex(made.before.currentIndex())
    assert made.pages.currentWidget() is made.message
    made.reject()


def test_closing_ends_the_work(images: Hands, rig: Rig) -> None:
    with rig.engine.pause_on("dissect"):
        images.choose(API, WORKER)
        images.do(API, "Compare…")
        made = dialog(rig, CompareDialog)
        rig.until(lambda: made.pages.currentWidget() is made.progress)
        made.reject()
        assert images.pane.dissections.job(images.row(API).id) is None
    rig.settle()


def test_which_two_are_offered(images: Hands) -> None:
    one, other, third = (
        replace(images.row(API), id=str(n), tags=(tag,), created=float(n))
        for n, tag in enumerate(("a:1", "b:1", "a:2"))
    )
    assert pair_of([one, other, third], [third]) == (0, 2)
    assert pair_of([one, other, third], [other, one]) == (0, 1)
    assert pair_of([one], [one]) == (0, 0)


def test_secrets_of_settings_are_not_shown() -> None:
    setting = Setting("Environment", "DB_PASSWORD", "one", "two")
    assert setting.change == CHANGED
    assert "one" not in value_text(setting, setting.before)
    assert Setting("Label", "x", None, "1").change == ADDED


def test_the_model_keeps_qts_rules(rig: Rig) -> None:
    entries = [Entry(f"d{n % 3}/f{n}", FILE, size=n) for n in range(1500)]
    image = dissected([RawLayer(entries)])
    model = FileTreeModel(rig.theme, LAYER_COLUMNS)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setUseFetchMore(False)  # it would do so in the middle of a reset
    model.show_tree(tree_of(SilentWork(), image, Query()))
    model.fetchMore(QModelIndex())
    folder = model.index(0, 0)
    assert model.hasChildren(folder)
    model.fetchMore(folder)
    assert model.rowCount(folder) == 200
    assert model.canFetchMore(folder)
    last = model.index_of(model.tree.names.find("/d0/f999"))
    assert model.number(last.parent()) == model.number(folder)
    assert tester.model() is model
    model.show_tree(tree_of(SilentWork(), image, Query(text="f1499")))
    model.fetchMore(QModelIndex())
    assert model.rowCount() == 1
    model.deleteLater()


def test_long_folders_come_as_far_as_one_looks(rig: Rig) -> None:
    image = dissected([RawLayer([Entry(f"d/f{n:05}", FILE, size=n) for n in range(2000)])])
    view = FileTreeView(rig.theme, LAYER_COLUMNS)
    rig.qtbot.addWidget(view)
    view.resize(500, 300)
    view.show()
    view.show_tree(tree_of(SilentWork(), image, Query()))
    folder = view.files.index(0, 0)
    view.expand(folder)
    bar = view.verticalScrollBar()

    def scrolled() -> bool:
        bar.setValue(bar.maximum())
        return view.files.rowCount(view.files.index(0, 0)) == 2000

    rig.until(scrolled)
