"""Two images side by side, and what is told of a base."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.dissection.base import (
    BASE_LABEL,
    LocalImage,
    base_of,
    base_text,
    saving_text,
    smaller_than,
)
from dockdesk.core.dissection.build import RawLayer, dissected
from dockdesk.core.dissection.compare import (
    CompareQuery,
    compared,
    layer_pairs,
    settings,
)
from dockdesk.core.dissection.model import (
    ADDED,
    CHANGED,
    FILE,
    FOLDER,
    HARD_LINK,
    LINK,
    REMOVED,
    UNCHANGED,
    Base,
    Dissection,
    Layer,
    Smaller,
)
from dockdesk.core.dissection.replay import Entry
from dockdesk.core.work import SilentWork

DAY = 86_400.0
FILES = st.dictionaries(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join),
    st.integers(0, 9),
    max_size=8,
)


def image_of(*layers: Any, **config: Any) -> Dissection:
    made = [RawLayer(list(entries), f"{n}", f"sha256:{n}") for n, entries in enumerate(layers)]
    return dissected(made, config=config)


def files_of(files: dict[str, int]) -> list[Entry]:
    return [
        Entry("f/" + path.replace("/", "-"), FILE, size=n, checksum=n) for path, n in files.items()
    ]


def told(one: Dissection, other: Dissection, **query: Any) -> dict[str, tuple[int, int, int]]:
    """Path → change, size before, size after."""
    tree = compared(SilentWork(), one, other, CompareQuery(**query)).files
    return {
        tree.names.path(n): (tree.change[n], tree.before[n], tree.size[n])
        for n in range(1, len(tree.names))
    }


@given(FILES, FILES)
def test_every_difference_is_told_and_nothing_else(
    before: dict[str, int], after: dict[str, int]
) -> None:
    found = told(image_of(files_of(before)), image_of(files_of(after)))
    found.pop("/f", None)
    expected = {}
    for path in {*before, *after}:
        name = "/f/" + path.replace("/", "-")
        if path not in before:
            expected[name] = (ADDED, 0, after[path])
        elif path not in after:
            expected[name] = (REMOVED, before[path], 0)
        elif before[path] != after[path]:
            expected[name] = (CHANGED, before[path], after[path])
    assert found == expected


@given(FILES, FILES)
def test_folders_sum_up_what_changed(before: dict[str, int], after: dict[str, int]) -> None:
    found = told(image_of(files_of(before)), image_of(files_of(after)))
    if "/f" in found and found["/f"][0] == UNCHANGED:
        below = [values for path, values in found.items() if path != "/f"]
        assert found["/f"][1:] == (sum(b for _, b, _ in below), sum(a for _, _, a in below))


def test_what_counts_as_a_change() -> None:
    one = image_of([
        Entry("same", FILE, size=1, checksum=1, modified=1), Entry("mode", FILE, 0o644, size=1),
        Entry("owner", FILE, uid=1), Entry("link", LINK, link="a"), Entry("folder", FOLDER, 0o755),
        Entry("kind", FILE, size=1), Entry("twin", HARD_LINK, link="same"),
    ])  # fmt: skip
    other = image_of([
        Entry("same", FILE, size=1, checksum=1, modified=9), Entry("mode", FILE, 0o755, size=1),
        Entry("owner", FILE, uid=2), Entry("link", LINK, link="b"), Entry("folder", FOLDER, 0o700),
        Entry("kind", FOLDER, 0o755), Entry("twin", FILE, size=1, checksum=1),
    ])  # fmt: skip
    assert {path for path, values in told(one, other).items() if values[0]} == {
        "/mode", "/owner", "/link", "/folder", "/kind",
    }  # fmt: skip


def test_layers_and_counts() -> None:
    one = image_of([Entry("a", FILE, size=5)], [Entry("b", FILE, size=7)])
    other = dissected([
        RawLayer([Entry("a", FILE, size=5)], "0", "sha256:0"),
        RawLayer([Entry("c", FILE, size=9)], "x", "sha256:x"),
        RawLayer([], "y", "sha256:y"),
    ])  # fmt: skip
    found = compared(SilentWork(), one, other, CompareQuery(order="delta", descending=True))
    assert (found.added, found.removed, found.changed) == (1, 1, 0)
    assert (found.before, found.after) == (12, 14)
    assert [found.files.names.name(n) for n in (1, 2)] == ["c", "b"]
    pairs = layer_pairs(one, other)
    assert [pair.shared for pair in pairs] == [True, False, False]
    assert (pairs[2].before, pairs[2].after) == ("", "(no instruction)")


def test_settings() -> None:
    one = {
        "Env": ["A=1", "B=2"],
        "Cmd": ["x"],
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"v": "1"},
    }
    other = {"Env": ["A=1", "C=3=4"], "Cmd": ["x", "y"], "User": "app", "Labels": {"v": "2"}}
    found = {(s.what, s.name): (s.change, s.before, s.after) for s in settings(one, other)}
    assert found == {
        ("User", ""): (ADDED, None, "app"),
        ("Command", ""): (CHANGED, '["x"]', '["x", "y"]'),
        ("Environment", "A"): (UNCHANGED, "1", "1"),
        ("Environment", "B"): (REMOVED, "2", None),
        ("Environment", "C"): (ADDED, None, "3=4"),
        ("Label", "v"): (CHANGED, "1", "2"),
        ("Port", "80/tcp"): (REMOVED, "yes", None),
    }


def layers_of(*sizes: int, ages: tuple[float, ...] = ()) -> list[Layer]:
    image = image_of(*[[Entry(f"f{n}", FILE, size=size)] for n, size in enumerate(sizes)])
    return [
        Layer(x.place, x.digest, "", x.size, 0, ages[n] if ages else 0.0, x.entries)
        for n, x in enumerate(image.layers)
    ]


PYTHON = LocalImage("p", ("python:3.12",), 900, ("sha256:0", "sha256:1"))
DEBIAN = LocalImage("d", ("debian:12",), 120, ("sha256:0",))
SLIM = LocalImage("s", ("python:3.12-slim",), 130, ("sha256:7",))


def test_the_nearest_local_image_below_is_the_base() -> None:
    base = base_of("me", layers_of(100, 700, 50), {}, [DEBIAN, PYTHON, SLIM])
    assert base is not None
    assert (base.name, base.how, base.layers, base.size) == ("python:3.12", "layers", 2, 800)
    assert base.smaller == (Smaller("python:3.12-slim", 130), Smaller("python:3.12-alpine"))
    assert base_text(base, 850) == "Built on python:3.12: 800 B, 94 % of the image."
    assert "about 670 B less" in saving_text(base, base.smaller[0])
    assert saving_text(base, base.smaller[1]) == "Not here: pull it to see its size."


def test_an_image_is_not_its_own_base() -> None:
    me = LocalImage("me", ("me:1",), 9, ("sha256:0",))
    other = LocalImage("other", (), 9, ("sha256:0",))
    assert base_of("me", layers_of(5), {}, [me]) is None
    found = base_of("me", layers_of(5, 6), {}, [me, other])
    assert found is not None
    assert found.how == "first"  # the other has no tag: it may be a step of this very build


@pytest.mark.parametrize(("labels", "ages", "how", "count"), [
    ({BASE_LABEL: "docker.io/library/node:20"}, (1.0, DAY * 9, DAY * 9), "label", 1),
    ({BASE_LABEL: "node:20"}, (DAY, DAY, DAY), "label", 0),
    ({}, (DAY, DAY * 40, DAY * 40), "times", 1),
    ({}, (DAY, DAY * 3, DAY * 40), "times", 2),
    ({}, (DAY, DAY, DAY), "first", 1),
    ({}, (), "first", 1),
])  # fmt: skip
def test_without_a_local_base_it_is_a_guess_and_said_so(
    labels: dict[str, str], ages: tuple[float, ...], how: str, count: int
) -> None:
    base = base_of("me", layers_of(100, 10, 10, ages=ages), labels, [])
    assert base is not None
    assert (base.how, base.layers) == (how, count)
    assert base.name == ("node:20" if labels else "")
    if labels:
        assert base.smaller == (Smaller("node:20-slim"), Smaller("node:20-alpine"))
    assert base_text(base, 120)


def test_small_forms_of_small_forms_are_not_offered() -> None:
    assert smaller_than("python:3.12-slim", 130, []) == ()
    assert smaller_than("registry.example.com/team/app:1", 10, []) == ()
    assert smaller_than("debian:latest", 10, []) == (Smaller("debian:slim"),)
    assert base_text(Base("", "first", 1, 10), 0).startswith("No base of it is here.")
