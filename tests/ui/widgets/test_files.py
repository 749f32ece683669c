"""Browsing files that are somewhere else: navigation, previews, differences, files in and out."""

from __future__ import annotations

import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import NotFoundError, UnreachableError
from dockdesk.core.resources.containers import FileChange, FileEntry
from dockdesk.core.work import Work
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.files import FileBrowser, FileSource
from dockdesk.ui.widgets.files.model import DIFFERS, MODE, MODIFIED, NAME, SIZE
from dockdesk.ui.widgets.files.source import (
    Differences,
    clean,
    hex_dump,
    link_target,
    make_preview,
    mode_text,
    parts_of,
    time_text,
)
from dockdesk.ui.widgets.labels import PlainLabel


class Tree:
    """Files in memory; counts what is asked of it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {
            "/etc/hosts": b"127.0.0.1 localhost\n",
            "/etc/nginx/nginx.conf": b"user nginx;\n",
            "/bin/busybox": b"\x7fELF\x00\x01" * 100,
            "/README": "näive text\n".encode(),
        }
        self.links = {"/conf": "etc/nginx", "/hosts": "/etc/hosts"}
        self.fault: Exception | None = None
        self.listed: list[str] = []

    def list(self, path: str) -> Sequence[FileEntry]:
        self.listed.append(path)
        if self.fault is not None:
            raise self.fault
        base = path.rstrip("/")
        names: dict[str, FileEntry] = {}
        for full, data in self.files.items():
            if full.startswith(base + "/"):
                name, _, rest = full[len(base) + 1 :].partition("/")
                kind = "folder" if rest else "file"
                names[name] = FileEntry(name, f"{base}/{name}", kind, 0 if rest else len(data))
        for full, target in self.links.items():
            if full.rpartition("/")[0] == base:
                name = full.rpartition("/")[2]
                names[name] = FileEntry(name, full, "link", link_target=target)
        if not names and base:
            raise NotFoundError("No such folder", f"{path} is not there")
        return list(names.values())

    def read(self, path: str, limit: int) -> tuple[bytes, bool]:
        if path not in self.files:
            raise NotFoundError("No such file", path)
        data = self.files[path]
        return data[:limit], len(data) > limit

    def download(self, path: str, target: Path, _work: Work) -> Path:
        made = target / Path(path).name
        made.write_bytes(self.files[path])
        return made

    def changes(self) -> Sequence[FileChange]:
        return [
            FileChange("/etc", "changed"),
            FileChange("/etc/hosts", "changed"),
            FileChange("/README", "added"),
            FileChange("/gone", "deleted"),
        ]

    def source(self, key: str = "c1") -> FileSource:
        return FileSource(key, self.list, self.read, self.download, self.changes)


@pytest.fixture
def tree() -> Tree:
    return Tree()


@pytest.fixture
def browser(qtbot: QtBot, theme: Theme, jobs: Jobs) -> FileBrowser:
    made = FileBrowser(theme, jobs)
    qtbot.addWidget(made)
    made.resize(1000, 500)
    made.show()
    return made


def names(browser: FileBrowser) -> list[str]:
    model = browser.model
    return [model.entry(row).name for row in range(model.rowCount())]


def at(qtbot: QtBot, browser: FileBrowser, path: str, *expected: str) -> None:
    qtbot.waitUntil(
        lambda: browser.path() == path and names(browser) == list(expected), timeout=10_000
    )


ROOT = ("bin", "etc", "conf", "hosts", "README")


def words_of(browser: FileBrowser) -> str:
    labels = browser.findChildren(PlainLabel)
    return "\n".join(label.text() for label in labels if label.isVisibleTo(browser))


def test_folders_are_entered_and_left(qtbot: QtBot, browser: FileBrowser, tree: Tree) -> None:
    told: list[str] = []
    browser.path_changed.connect(told.append)
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser.view.choose("/etc")
    qtbot.keyClick(browser.view, Qt.Key.Key_Return)
    at(qtbot, browser, "/etc", "nginx", "hosts")
    browser.go("/etc/../etc//nginx/")
    at(qtbot, browser, "/etc/nginx", "nginx.conf")
    assert browser.crumbs.parts() == ("/", "etc", "nginx")
    qtbot.keyClick(browser.view, Qt.Key.Key_Backspace)
    at(qtbot, browser, "/etc", "nginx", "hosts")
    assert browser.view.chosen()[0].name == "nginx", "where one came from is chosen"
    browser.crumbs.clicked.emit(0)
    at(qtbot, browser, "/", *ROOT)
    assert not browser.up_button.isEnabled()
    assert told == ["/", "/etc", "/etc/nginx", "/etc", "/"]


def test_links_lead_to_folders_and_to_files(qtbot: QtBot, browser: FileBrowser, tree: Tree) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser.view.choose("/conf")
    qtbot.keyClick(browser.view, Qt.Key.Key_Return)
    at(qtbot, browser, "/etc/nginx", "nginx.conf")
    browser.go("/")
    at(qtbot, browser, "/", *ROOT)
    browser.view.choose("/conf")
    qtbot.waitUntil(lambda: "A link to etc/nginx" in words_of(browser), timeout=10_000)
    browser.view.choose("/hosts")
    shown = browser.preview.text.toPlainText
    qtbot.waitUntil(lambda: "localhost" in shown(), timeout=10_000)
    qtbot.keyClick(browser.view, Qt.Key.Key_Return)
    at(qtbot, browser, "/etc", "nginx", "hosts")
    qtbot.waitUntil(lambda: browser.view.chosen()[0].path == "/etc/hosts", timeout=10_000)


def test_a_folder_that_cannot_be_listed_leaves_the_old_one(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser.go("/nowhere")
    qtbot.waitUntil(lambda: "/nowhere is not there" in words_of(browser), timeout=10_000)
    at(qtbot, browser, "/", *ROOT)
    browser.go("/etc")
    at(qtbot, browser, "/etc", "nginx", "hosts")
    assert "/nowhere is not there" not in words_of(browser)


def test_a_failure_at_first_can_be_tried_again(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    tree.fault = UnreachableError("The engine is away", hint="Start it.")
    browser.set_source(tree.source())
    qtbot.waitUntil(lambda: "Start it." in words_of(browser), timeout=10_000)
    tree.fault = None
    again = next(item for item in browser.findChildren(QPushButton) if item.text() == "Try again")
    again.click()
    at(qtbot, browser, "/", *ROOT)


def test_each_source_is_found_where_it_was_left(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source("one"))
    at(qtbot, browser, "/", *ROOT)
    browser.go("/etc")
    at(qtbot, browser, "/etc", "nginx", "hosts")
    browser.set_source(tree.source("two"))
    at(qtbot, browser, "/", *ROOT)
    browser.set_source(tree.source("one"))
    at(qtbot, browser, "/etc", "nginx", "hosts")
    asked = len(tree.listed)
    browser.set_source(tree.source("one"))
    assert len(tree.listed) == asked, "the same source again asks nothing"
    browser.set_source(None)
    assert names(browser) == []


def test_an_answer_for_another_source_is_dropped(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    go = threading.Event()

    def slow(_path: str) -> Sequence[FileEntry]:
        assert go.wait(30)
        return [FileEntry("wrong", "/wrong", "file")]

    browser.set_source(FileSource("slow", slow, tree.read))
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    go.set()
    qtbot.wait(50)
    assert names(browser) == list(ROOT)


def test_text_and_binary_files_are_previewed(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    text = browser.preview.text
    browser.view.choose("/README")
    qtbot.waitUntil(lambda: text.toPlainText() == "näive text\n", timeout=10_000)
    browser.go("/bin")
    at(qtbot, browser, "/bin", "busybox")
    browser.view.choose("/bin/busybox")
    qtbot.waitUntil(lambda: "|.ELF.." in text.toPlainText(), timeout=10_000)
    tree.files["/README"] = b""
    browser.go("/", "/README")
    qtbot.waitUntil(lambda: "The file has no content." in words_of(browser), timeout=10_000)
    del tree.files["/README"]
    tree.read = lambda path, limit: (_ for _ in ()).throw(NotFoundError("It is gone"))  # type: ignore[method-assign]
    browser.set_source(tree.source())
    browser.view.choose("/etc")
    browser.view.choose("/README")
    qtbot.waitUntil(lambda: "It is gone" in words_of(browser), timeout=10_000)


def test_more_of_a_long_file_is_shown_when_asked(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    tree.files["/long.log"] = b"line\n" * 100_000
    browser.set_source(tree.source())
    at(qtbot, browser, "/", "bin", "etc", "conf", "hosts", "long.log", "README")
    browser.view.choose("/long.log")
    more = next(item for item in browser.findChildren(QPushButton) if item.text() == "Show more")
    qtbot.waitUntil(lambda: more.isVisibleTo(browser), timeout=10_000)
    assert "the first 131 kB of 500 kB" in words_of(browser)
    more.click()
    whole = tree.files["/long.log"].decode()
    qtbot.waitUntil(lambda: browser.preview.text.toPlainText() == whole, timeout=10_000)
    assert not more.isVisibleTo(browser)


def test_what_differs_from_the_image_is_marked(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    assert browser.view.isColumnHidden(DIFFERS)
    browser.compare.click()
    at(qtbot, browser, "/", "bin", "etc", "conf", "gone", "hosts", "README")
    model = browser.model

    def mark(path: str) -> str:
        return str(model.index(model.row_of(path), DIFFERS).data())

    assert mark("/etc") == "changes inside"
    assert mark("/README") == "added"
    assert mark("/gone") == "deleted"
    assert mark("/bin") == ""
    browser.compare.click()
    at(qtbot, browser, "/", *ROOT)


def test_names_are_filtered_and_sorted(qtbot: QtBot, browser: FileBrowser, tree: Tree) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser.view.sortByColumn(SIZE, Qt.SortOrder.DescendingOrder)
    assert names(browser)[:3] == ["bin", "etc", "README"], "folders first, then by size"
    browser.filter.setText("HO")
    qtbot.waitUntil(lambda: names(browser) == ["hosts"], timeout=10_000)
    browser.filter.setText("none such")
    qtbot.waitUntil(lambda: "No name matches" in words_of(browser), timeout=10_000)
    browser.filter.clear()
    qtbot.waitUntil(lambda: len(names(browser)) == 5, timeout=10_000)


def test_a_huge_folder_is_arranged_elsewhere(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    many = [FileEntry(f"f{number:05}", f"/f{number:05}", "file") for number in range(20_000)]
    browser.set_source(FileSource("huge", lambda _path: many[::-1], tree.read))
    qtbot.waitUntil(lambda: browser.model.rowCount() == 20_000, timeout=10_000)
    assert names(browser)[0] == "f00000"
    browser.filter.setText("f1999")
    qtbot.waitUntil(lambda: browser.model.rowCount() == 10, timeout=10_000)


def test_an_empty_folder_says_so(qtbot: QtBot, browser: FileBrowser, tree: Tree) -> None:
    tree.files.clear()
    tree.links.clear()
    browser.set_source(tree.source())
    qtbot.waitUntil(lambda: "This folder is empty" in words_of(browser), timeout=10_000)


# --- In and out ---


def files_dropped(*paths: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def drop(mime: QMimeData, place: QPoint) -> QDropEvent:
    return QDropEvent(
        QPointF(place),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )


def test_files_are_dropped_on_folders_and_beside_them(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    asked: list[tuple[list[Path], str]] = []
    browser.upload_asked.connect(lambda files, folder: asked.append((files, folder)))
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    view, mime = browser.view, files_dropped("/tmp/a b.txt", "/tmp/c")
    on_etc = view.visualRect(browser.model.index(browser.model.row_of("/etc"), NAME)).center()
    view.dropEvent(drop(mime, on_etc))
    view.dropEvent(drop(mime, QPoint(10, view.viewport().height() - 5)))
    expected = [Path("/tmp/a b.txt"), Path("/tmp/c")]
    assert asked == [(expected, "/etc"), (expected, "/")]
    nothing = QMimeData()
    view.dropEvent(drop(nothing, on_etc))
    browser.set_may_upload(False, "The environment is read-only.")
    view.dropEvent(drop(mime, on_etc))
    assert len(asked) == 2
    assert not browser.upload.isEnabled()
    enter = QDragEnterEvent(
        on_etc,
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    browser.dragEnterEvent(enter)
    assert not asked[2:]


def test_files_dragged_out_are_fetched_first(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser.view.choose("/README")
    browser._drag._still_held = lambda: False  # type: ignore[method-assign]
    with qtbot.waitSignal(browser._drag.ready, timeout=10_000) as told:
        browser.view.startDrag(Qt.DropAction.CopyAction)
    assert [entry.path for entry in told.args[0]] == ["/README"]
    qtbot.waitUntil(lambda: "“README” is fetched" in words_of(browser), timeout=10_000)
    (fetched,) = browser._drag._fetched.values()
    assert fetched.name == "README"
    assert fetched.read_bytes() == tree.files["/README"]
    dragged: list[Sequence[Path]] = []
    browser._drag._drag = dragged.append  # type: ignore[method-assign]
    browser.view.startDrag(Qt.DropAction.CopyAction)
    assert dragged == [[fetched]], "the second drag waits for nothing"
    browser.go("/etc")
    at(qtbot, browser, "/etc", "nginx", "hosts")
    browser.view.choose("/etc/hosts")
    browser._drag._still_held = lambda: True  # type: ignore[method-assign]
    browser.view.startDrag(Qt.DropAction.CopyAction)
    qtbot.waitUntil(lambda: len(dragged) == 2, timeout=10_000)
    assert dragged[1][0].read_bytes() == tree.files["/etc/hosts"]


def test_a_failed_fetch_is_told_and_leaves_nothing(
    qtbot: QtBot, browser: FileBrowser, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def gone(path: str, _target: Path, _work: Work) -> Path:
        raise NotFoundError("The file is gone", path)

    browser.set_source(FileSource("x", tree.list, tree.read, gone))
    at(qtbot, browser, "/", *ROOT)
    browser.view.choose("/README")
    browser.view.startDrag(Qt.DropAction.CopyAction)
    qtbot.waitUntil(lambda: "The file is gone" in words_of(browser), timeout=10_000)
    assert list(tmp_path.iterdir()) == []


def test_without_download_nothing_is_offered(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(FileSource("bare", tree.list, tree.read))
    at(qtbot, browser, "/", *ROOT)
    assert not browser.download.isVisibleTo(browser)
    assert not browser.compare.isVisibleTo(browser)


def test_paths_can_be_typed(qtbot: QtBot, browser: FileBrowser, tree: Tree) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser._on_type_path()
    browser.path_field.setText("/etc/nginx")
    qtbot.keyClick(browser.path_field, Qt.Key.Key_Return)
    at(qtbot, browser, "/etc/nginx", "nginx.conf")
    assert browser.crumbs.isVisibleTo(browser)
    QApplication.processEvents()


def test_cells_show_what_ls_shows(qtbot: QtBot, browser: FileBrowser, tree: Tree) -> None:
    entry = FileEntry("su\u202exe", "/su", "file", 12_800, 0o4755, 1_000_000_000.0, "root:root")
    browser.set_source(FileSource("one", lambda _path: [entry], tree.read))
    qtbot.waitUntil(lambda: browser.model.rowCount() == 1, timeout=10_000)
    cell = lambda column: browser.model.index(0, column).data()  # noqa: E731
    assert cell(NAME) == "su\ufffdxe"
    assert cell(SIZE) == "12.8 kB"
    assert cell(MODE) == "-rwsr-xr-x"
    assert cell(MODIFIED).startswith("2001-09-")


# --- Without a window ---


@pytest.mark.parametrize(
    ("data", "cut", "kind", "text"),
    [
        (b"", False, "empty", ""),
        ("naïve\n".encode(), False, "text", "naïve\n"),
        ("abc€".encode()[:-1], True, "text", "abc"),
        (b"\xef\xbb\xbfwith a mark", False, "text", "with a mark"),
        ("wide".encode("utf-16"), False, "text", "wide"),
        (b"a\r\nb\x1b[31mred", False, "text", "a\nb\ufffd[31mred"),
        (b"mostly text, one bad byte \xff in it" * 3, False, "text", None),
        (b"PK\x03\x04\x00\x00", False, "hex", None),
        (bytes(range(1, 256)), False, "hex", None),
    ],
)
def test_what_is_text(data: bytes, cut: bool, kind: str, text: str | None) -> None:
    preview = make_preview("/x", data, cut)
    assert preview.kind == kind
    if text is not None:
        assert preview.text == text


@given(st.binary(max_size=5000), st.booleans())
def test_any_bytes_can_be_previewed(data: bytes, cut: bool) -> None:
    preview = make_preview("/x", data, cut)
    assert all(len(line) <= 2000 for line in preview.text.split("\n"))
    assert "\x00" not in preview.text


def test_hex_is_as_hexdump_shows_it() -> None:
    assert hex_dump(b"0123456789abcdef\x00") == (
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
        "00000010  00                                                |.|"
    )


@given(st.text())
def test_paths_come_out_clean(path: str) -> None:
    made = clean(path)
    assert made.startswith("/")
    assert not made.startswith("//")
    assert clean(made) == made
    assert ".." not in parts_of(made)
    assert clean("/".join(parts_of(made)[1:])) == made


def test_link_targets() -> None:
    def target(path: str, leads: str) -> str:
        return link_target(FileEntry(path.rpartition("/")[2], path, "link", link_target=leads))

    assert target("/lib", "usr/lib") == "/usr/lib"
    assert target("/a/b/c", "../x") == "/a/x"
    assert target("/a", "/etc/hosts") == "/etc/hosts"
    assert target("/a", "../../..") == "/"
    assert target("/a", "") == "/a"


def test_modes_and_times() -> None:
    assert mode_text(FileEntry("x", "/x", "folder", mode=0o1777)) == "drwxrwxrwt"
    assert mode_text(FileEntry("x", "/x", "link", mode=0o777)) == "lrwxrwxrwx"
    assert mode_text(FileEntry("x", "/x", "other", mode=stat.S_IFCHR | 0o600)) == "crw-------"
    assert time_text(0) == ""
    assert time_text(1e30) == ""


def test_differences_reach_up_to_the_root() -> None:
    found = Differences.of([FileChange("/a/b/c", "added"), FileChange("/gone", "deleted")])
    assert found.inside == {"/", "/a", "/a/b"}
    assert [entry.name for entry in found.ghosts("/")] == ["gone"]
    assert found.word(FileEntry("c", "/a/b/c", "file")) == "added"
    assert found.word(FileEntry("b", "/a/b", "folder")) == "inside"
    assert found.word(FileEntry("z", "/z", "folder")) == ""


def held(mime: QMimeData, place: QPoint) -> QDragMoveEvent:
    return QDragMoveEvent(*moved(mime, place))


def test_a_frame_shows_where_held_files_would_go(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    view, mime = browser.view, files_dropped("/tmp/a.txt")
    line = view.visualRect(browser.model.index(browser.model.row_of("/etc"), NAME))
    view.dragEnterEvent(QDragEnterEvent(*moved(mime, line.center())))
    view.dragMoveEvent(held(mime, line.center()))
    assert view.target is not None
    assert (view.target.top(), view.target.height()) == (line.top(), line.height())
    view.dragMoveEvent(held(mime, QPoint(10, view.viewport().height() - 5)))
    assert view.target == view.viewport().rect(), "the folder that is shown"
    view.dragLeaveEvent(QDragLeaveEvent())
    assert view.target is None
    view.dragMoveEvent(held(mime, line.center()))
    view.dropEvent(drop(mime, line.center()))
    assert view.target is None


def moved(mime: QMimeData, place: QPoint) -> tuple[Any, ...]:
    buttons = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    return place, Qt.DropAction.CopyAction, mime, *buttons


@pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")
def test_several_chosen_files_are_counted_and_meant_by_the_menu(
    qtbot: QtBot, browser: FileBrowser, tree: Tree
) -> None:
    browser.set_source(tree.source())
    at(qtbot, browser, "/", *ROOT)
    browser.view.selectAll()
    words = " ".join(label.text() for label in browser.preview.state.findChildren(PlainLabel))
    assert f"{len(ROOT)} are selected" in words
    assert "2 folders and 1 file of 12 B" in words
    browser._on_menu_asked(browser.view.visualRect(browser.model.index(0, NAME)).center())
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == [f"Download {len(ROOT)} items…", "Copy paths", "Reload"]
    menu.actions()[1].trigger()
    assert QApplication.clipboard().text().splitlines() == [f"/{name}" for name in names(browser)]
    menu.close()
