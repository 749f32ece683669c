"""Layers put on top of each other, against a file system that is kept as a plain dictionary."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.dissection.build import RawLayer, dissected
from dockdesk.core.dissection.model import (
    ADDED,
    CHANGED,
    FILE,
    FOLDER,
    HARD_LINK,
    LINK,
    REMOVED,
    Dissection,
)
from dockdesk.core.dissection.replay import OPAQUE, WHITEOUT, Entry
from dockdesk.core.dissection.tree import FileTree, Query, standing, tree_of
from dockdesk.core.work import SilentWork

NAMES = st.sampled_from(["a", "b", "c", "ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@st.composite
def entries(draw: Any) -> Entry:
    kind = draw(st.sampled_from([FILE, FILE, FILE, FOLDER, WHITEOUT, OPAQUE]))
    size = draw(st.integers(0, 50)) if kind == FILE else 0
    mode = draw(st.sampled_from([0o644, 0o755, 0o4755]))
    return Entry(draw(PATHS), kind, mode, 0, 0, size, 0, "", size)


LAYERS = st.lists(st.lists(entries(), max_size=12), max_size=6)


def image_of(*layers: Any) -> Dissection:
    return dissected([RawLayer(list(layer)) for layer in layers])


def replayed_plainly(layers: list[list[Entry]]) -> list[dict[str, Entry]]:
    """The files after each layer: takes away first, then puts down, one path after the other."""
    files: dict[str, Entry] = {}
    after = []
    for layer in layers:
        for entry in layer:
            if entry.kind in (WHITEOUT, OPAQUE):
                for path in list(files):
                    inside = path.startswith(entry.path + "/")
                    if inside or (path == entry.path and entry.kind == WHITEOUT):
                        del files[path]
        for entry in layer:
            if entry.kind in (WHITEOUT, OPAQUE):
                continue
            parts = entry.path.split("/")
            for count in range(1, len(parts)):
                above = "/".join(parts[:count])
                if above not in files or files[above].kind != FOLDER:
                    files[above] = Entry(above, FOLDER, 0o755)
            if entry.kind != FOLDER:
                for path in [p for p in files if p.startswith(entry.path + "/")]:
                    del files[path]
            files[entry.path] = entry
        after.append(dict(files))
    return after


def shown(tree: FileTree) -> dict[str, int]:
    """Path → number of every line of a tree but the root."""
    return {tree.names.path(number): number for number in range(1, len(tree.names))}


@given(LAYERS)
def test_merging_layers_equals_replaying_them(layers: list[list[Entry]]) -> None:
    image = image_of(*layers)
    for number, expected in enumerate(replayed_plainly(layers)):
        found = {}
        for node, (layer, at) in standing(image, number).items():
            columns = image.layers[layer].entries
            found[image.names.path(node)] = (columns.kind[at], columns.size[at], columns.mode[at])
        found.pop("/", None)
        assert found == {
            "/" + path: (entry.kind, entry.size, entry.mode) for path, entry in expected.items()
        }


@given(LAYERS)
def test_changes_are_the_difference_between_states(layers: list[list[Entry]]) -> None:
    image = image_of(*layers)
    before: dict[str, Entry] = {}
    for number, after in enumerate(replayed_plainly(layers)):
        tree = tree_of(SilentWork(), image, Query(number))
        for path, line in shown(tree).items():
            change, plain = tree.change[line], path[1:]
            assert (change == ADDED) <= (plain not in before and plain in after)
            assert (change == REMOVED) <= (plain in before and plain not in after)
            assert (change == CHANGED) <= (plain in before and plain in after)
        told = {path[1:] for path in shown(tree)}
        assert set(before).symmetric_difference(after) <= told
        assert {path for path in after if after[path] is not before.get(path, after[path])
                and after[path].kind == FILE} <= told  # fmt: skip
        before = after


@given(LAYERS)
def test_every_stored_byte_is_shown_or_wasted(layers: list[list[Entry]]) -> None:
    image = image_of(*layers)
    stored = sum(entry.size for layer in layers for entry in layer if entry.kind == FILE)
    after = replayed_plainly(layers)
    final = sum(entry.size for entry in after[-1].values()) if after else 0
    report = image.report
    assert (report.stored, report.final) == (stored, final)
    assert sum(layer.wasted for layer in image.layers) == report.wasted == stored - final
    assert sum(item.size for item in report.waste) == report.wasted
    assert sum(layer.size for layer in image.layers) == stored
    assert 0.0 <= report.efficiency <= 1.0


@given(LAYERS, st.sampled_from(["a", "b/", "c", "ü", "x"]), st.booleans())
def test_trees_hold_what_matches_and_the_way_there(
    layers: list[list[Entry]], text: str, descending: bool
) -> None:
    image = image_of(*layers)
    for number in range(len(layers)):
        whole = tree_of(SilentWork(), image, Query(number, whole=True, order="size"))
        part = tree_of(
            SilentWork(), image, Query(number, True, text, order="size", descending=descending)
        )
        wanted = {path for path in shown(whole) if text in path}
        ways = {path[: path.index("/", at)] for path in wanted for at in range(1, len(path))
                if "/" in path[at:]}  # fmt: skip
        assert set(shown(part)) == wanted | ways
        assert part.shown == len(wanted)
        names = part.names
        for folder in range(len(names)):
            children = range(names.first[folder], names.first[folder] + names.count[folder])
            assert all(names.parent[child] == folder for child in children)
            sizes = [part.size[child] for child in children]
            assert sizes == sorted(sizes, reverse=descending)
            if names.count[folder]:
                assert part.size[folder] == sum(sizes)


def test_hard_links_keep_bytes_alive() -> None:
    image = image_of(
        [Entry("a", FILE, size=100), Entry("b", HARD_LINK, link="a")], [Entry("a", WHITEOUT)]
    )
    assert (image.report.stored, image.report.final) == (100, 100)
    gone = image_of(
        [Entry("a", FILE, size=100), Entry("b", HARD_LINK, link="a")],
        [Entry("a", WHITEOUT), Entry("b", WHITEOUT)],
    )
    assert gone.report.wasted == gone.layers[0].wasted == 100


def test_what_is_written_again_and_why() -> None:
    image = image_of(
        [Entry("big", FILE, 0o644, size=70, checksum=7), Entry("log", FILE, size=30)],
        [Entry("big", FILE, 0o755, size=70, checksum=7)],
        [Entry("log", WHITEOUT)],
    )
    big, log = image.report.waste
    assert (big.path, big.size, big.written, big.ended, big.same) == ("/big", 70, (1,), (2,), True)
    assert (log.path, log.size, log.written, log.ended, log.removed) == (
        "/log",
        30,
        (1,),
        (3,),
        True,
    )
    assert [(layer.size, layer.wasted) for layer in image.layers] == [(100, 100), (70, 0), (0, 0)]


def test_layers_write_through_links_to_folders() -> None:
    image = image_of(
        [Entry("usr/lib/a", FILE, size=1), Entry("lib", LINK, 0o777, link="usr/lib")],
        [Entry("lib/b", FILE, size=2)],
    )
    paths = {image.names.path(node) for node in standing(image)}
    assert {"/usr/lib/a", "/usr/lib/b", "/lib"} <= paths
    assert "/lib/b" not in paths


def test_links_in_circles_end() -> None:
    image = image_of(
        [Entry("a", LINK, link="b"), Entry("b", LINK, link="a")], [Entry("a/x", FILE, size=1)]
    )
    assert image.names.find("/a/x") > 0


def test_folders_that_are_only_repeated_are_no_change() -> None:
    image = image_of(
        [Entry("etc", FOLDER, 0o755), Entry("etc/a", FILE, size=1)],
        [Entry("etc", FOLDER, 0o755), Entry("etc/b", FILE, size=1)],
        [Entry("etc", FOLDER, 0o700)],
    )
    assert (image.layers[1].added, image.layers[1].changed) == (1, 0)
    assert (image.layers[2].added, image.layers[2].changed) == (0, 1)


def test_findings() -> None:
    image = image_of(
        [
            Entry("usr/bin/su", FILE, 0o4755, size=9),
            Entry("usr/bin/wall", FILE, 0o2755, size=8),
            Entry("tmp", FOLDER, 0o1777),
            Entry("data", FOLDER, 0o777),
            Entry("data/open", FILE, 0o666, size=1),
            Entry("home/me/.cache/pip/x", FILE, size=500),
            Entry("var/lib/apt/lists/y", FILE, size=600),
            Entry("home/me/.cache/other", FILE, size=3),
        ]
    )
    report = image.report
    assert [(f.path, f.note) for f in report.privileged] == [
        ("/usr/bin/su", "setuid"),
        ("/usr/bin/wall", "setgid"),
    ]
    assert [f.path for f in report.writable] == ["/data", "/data/open"]
    assert [(f.path, f.size) for f in report.caches] == [
        ("/var/lib/apt/lists", 600),
        ("/home/me/.cache", 503),
    ]
    assert report.biggest[0].path == "/var/lib/apt/lists/y"


def test_filters_by_change_and_rights() -> None:
    image = image_of(
        [Entry("a", FILE, 0o4755, size=1), Entry("b", FILE, size=2)],
        [Entry("a", WHITEOUT), Entry("b", FILE, size=3), Entry("c/d", FILE, 0o2755, size=4)],
    )

    def paths(**query: Any) -> set[str]:
        return set(shown(tree_of(SilentWork(), image, Query(1, **query))))

    assert paths() == {"/a", "/b", "/c", "/c/d"}
    assert paths(change=REMOVED) == {"/a"}
    assert paths(change=CHANGED) == {"/b"}
    assert paths(change=ADDED) == {"/c", "/c/d"}
    assert paths(privileged=True) == {"/a", "/c", "/c/d"}
    assert paths(whole=True, privileged=True) == {"/c", "/c/d"}
    assert paths(text="C/D") == {"/c", "/c/d"}


@pytest.mark.parametrize("order", ["name", "size", "change", "mode", "owner"])
def test_orders(order: str) -> None:
    image = image_of([Entry("b", FILE, 0o600, 3, size=1), Entry("a", FILE, 0o644, 2, size=5)])
    tree = tree_of(SilentWork(), image, Query(order=order))
    names = [tree.names.name(number) for number in (1, 2)]
    assert names == (["b", "a"] if order in ("size", "mode") else ["a", "b"])
