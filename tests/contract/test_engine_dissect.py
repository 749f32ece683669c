"""Images taken apart on real engines, compared with what was put into them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.engine.apart import dissect_at
from dockdesk.bridge.call import Call
from dockdesk.bridge.helper_process import Helpers
from dockdesk.core.dissection.compare import CompareQuery, compared
from dockdesk.core.dissection.model import ADDED, CHANGED, REMOVED, Dissection
from dockdesk.core.dissection.tree import Query, tree_of
from dockdesk.core.errors import CancelledError, NotFoundError
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork
from tests.contract.conftest import Rig
from tests.image_archives import LayerTar, docker_archive, shop_layers


@pytest.fixture
def shop(rig: Rig, tmp_path: Path) -> Iterator[str]:
    """The shop's image, loaded; removed in the end."""
    name = f"{rig.name()}:1"
    yield from loaded(rig, tmp_path, name, shop_layers())


def loaded(rig: Rig, tmp_path: Path, name: str, layers: list[LayerTar]) -> Iterator[str]:
    path = tmp_path / f"{name.partition(':')[0]}.tar"
    path.write_bytes(docker_archive(layers, [name]))
    rig.backend.load_images(path, SilentWork())
    yield name
    rig.backend.remove_image(name, force=True)


def changes(image: Dissection, layer: int) -> dict[str, int]:
    tree = tree_of(SilentWork(), image, Query(layer))
    return {
        tree.names.path(line): tree.change[line]
        for line in range(1, len(tree.names))
        if tree.change[line]
    }


def test_layers_files_and_what_is_wasted(rig: Rig, shop: str) -> None:
    image = rig.backend.dissect(shop, SilentWork())
    assert [layer.instruction for layer in image.layers] == [
        "ADD file:3fa2 in /",
        "RUN apt-get update && apt-get install -y curl",
        "COPY . /srv/shop",
        "RUN chown -R shop /srv/shop && rm /tmp/install.log",
    ]
    assert [layer.size for layer in image.layers] == [96_010, 83_000, 23_295, 20_480]
    assert changes(image, 3) == {
        "/srv/shop": CHANGED,
        "/srv/shop/static/logo.bin": CHANGED,
        "/srv/shop/current": ADDED,
        "/tmp/install.log": REMOVED,
    }
    assert image.report.wasted == 28_480
    assert [found.path for found in image.report.caches][:1] == ["/var/lib/apt/lists"]
    assert [found.note for found in image.report.privileged] == ["setuid"]
    assert image.config["Cmd"] == ["/app"]


def test_files_of_layers_are_read_and_saved(rig: Rig, shop: str, tmp_path: Path) -> None:
    backend, work = rig.backend, SilentWork()
    image = backend.dissect(shop, work)
    place = image.layers[2].place
    assert backend.read_image_file(shop, place, "/srv/shop/app.py", work, 5) == (b"print", True)
    data, cut = backend.read_image_file(shop, place, "/srv/shop/uploads/readme.txt", work)
    assert (data, cut) == (b"put files here\n", False)
    # What a later layer removed is still there.
    target = tmp_path / "log"
    log = (image.layers[1].place, "/tmp/install.log")
    assert backend.save_image_file(shop, *log, target, work) == 8_000
    assert target.read_bytes() == b"l" * 8_000
    with pytest.raises(NotFoundError):
        backend.read_image_file(shop, place, "/srv/shop/missing", work)


def test_in_a_process_of_its_own(rig: Rig, shop: str) -> None:
    function, arguments = rig.backend.dissecting(shop)
    assert function is dissect_at
    helpers = Helpers()
    try:
        image = helpers.call(Call(function, arguments), SilentWork())
    finally:
        helpers.close()
    assert image == rig.backend.dissect(shop, SilentWork())


def test_its_base_is_found_among_the_local_images(rig: Rig, tmp_path: Path) -> None:
    name = rig.name()
    bases = loaded(rig, tmp_path, f"{name}base:1", shop_layers()[:2])
    slim = loaded(rig, tmp_path, f"{name}base:1-slim", shop_layers()[:1])
    whole = loaded(rig, tmp_path, f"{name}:1", shop_layers())
    for made in (bases, slim, whole):
        next(made)
    image = rig.backend.dissect(f"{name}:1", SilentWork())
    for made in (bases, slim, whole):
        next(made, None)
    assert image.base is not None
    assert (image.base.how, image.base.layers, image.base.size) == ("layers", 2, 179_010)
    assert image.base.name.endswith(f"{name}base:1")
    smaller = image.base.smaller[0]
    assert smaller.name.endswith(f"{name}base:1-slim")
    assert 0 < smaller.size < 179_010 + 20_000


def test_two_images_are_compared(rig: Rig, shop: str, tmp_path: Path) -> None:
    layers = shop_layers()
    layers[2].file("srv/shop/new.txt", b"n" * 77)
    other = loaded(rig, tmp_path, f"{rig.name()}:2", layers[:3])
    name = next(other)
    one = rig.backend.dissect(shop, SilentWork())
    two = rig.backend.dissect(name, SilentWork())
    next(other, None)
    found = compared(SilentWork(), one, two, CompareQuery())
    assert [pair.shared for pair in found.layers] == [True, True, False, False]
    tree = found.files
    told = {tree.names.path(n): tree.change[n] for n in range(len(tree.names)) if tree.change[n]}
    assert told == {
        "/srv/shop": CHANGED,  # its owner
        "/srv/shop/static/logo.bin": CHANGED,
        "/srv/shop/current": REMOVED,
        "/srv/shop/new.txt": ADDED,
        "/tmp/install.log": ADDED,
    }


def test_busybox_as_it_was_built(rig: Rig) -> None:
    image = rig.backend.dissect(rig.image, SilentWork())
    assert image.names.find("/bin/busybox") > 0
    assert image.report.efficiency == 1.0


def test_what_an_engine_writes_of_changes(rig: Rig) -> None:
    """Overwritten, removed, given other rights, linked, and a folder replaced: in the engine's own form."""
    rig.must_be_real("its containers change files in memory")
    first = rig.do(
        "mkdir -p /d/deep/er /keep; echo one > /d/a; echo two > /d/deep/er/b; echo k > /keep/k;"
        "dd if=/dev/zero of=/big bs=1000 count=50 2>/dev/null; ln /big /twin; ln -s /big /way"
    )
    name = rig.name()
    rig.backend.commit(first, name, "1")
    second = rig.do(
        "rm -r /d; mkdir /d; echo three > /d/c; chmod 4755 /big; rm /keep/k; echo more > /new",
        image=f"{name}:1",
    )
    rig.backend.commit(second, name, "2")
    image = rig.backend.dissect(f"{name}:2", SilentWork())
    rig.backend.remove(second, force=True)
    below, top = len(image.layers) - 2, len(image.layers) - 1
    assert {"/d/deep/er/b", "/big", "/twin", "/way"} <= set(changes(image, below))
    found = changes(image, top)
    wanted = {
        "/d/a": REMOVED, "/d/deep": REMOVED, "/d/deep/er": REMOVED, "/d/deep/er/b": REMOVED,
        "/d/c": ADDED, "/big": CHANGED, "/keep/k": REMOVED, "/new": ADDED,
    }  # fmt: skip
    assert {path: found.get(path) for path in wanted} == wanted
    assert "/keep" not in found
    assert [f.path for f in image.report.privileged] in (["/big", "/twin"], ["/big"])
    assert image.report.wasted >= 2 * 4
    rewritten = {item.path: item.same for item in image.report.waste}
    assert rewritten.get("/big", True)


def test_an_image_that_is_not_there(rig: Rig) -> None:
    with pytest.raises(NotFoundError):
        rig.backend.dissect("no/such:image", SilentWork())


def test_it_can_be_cancelled(rig: Rig, shop: str) -> None:
    for checks in (0, 3):
        with pytest.raises(CancelledError):
            rig.backend.dissect(shop, RecordingWork(cancel_after=checks))
