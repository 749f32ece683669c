"""Images, volumes and networks as a user works them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from dockdesk.bridge.jobs import JobState
from dockdesk.core.errors import ConflictError, NotFoundError, RemoteError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import DiskItem, DiskUsage, Network, Volume
from dockdesk.ui.panes.images.details import InspectView as ImageInspectView
from dockdesk.ui.panes.images.details import LayersView
from dockdesk.ui.panes.images.details import SummaryView as ImageSummaryView
from dockdesk.ui.panes.images.pane import ImagesPane
from dockdesk.ui.panes.networks import actions as network_actions
from dockdesk.ui.panes.networks.pane import InspectView as NetworkInspectView
from dockdesk.ui.panes.networks.pane import MembersView, NetworksPane
from dockdesk.ui.panes.volumes import actions as volume_actions
from dockdesk.ui.panes.volumes.details import FilesView
from dockdesk.ui.panes.volumes.details import InspectView as VolumeInspectView
from dockdesk.ui.panes.volumes.details import SummaryView as VolumeSummaryView
from dockdesk.ui.panes.volumes.pane import Sizes, VolumesPane
from tests.ui.panes.hands import Hands, drop, texts
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")


@pytest.fixture
def images(rig: Rig) -> Hands:
    return Hands.on(rig, ImagesPane)


@pytest.fixture
def volumes(rig: Rig) -> Hands:
    return Hands.on(rig, VolumesPane)


@pytest.fixture
def networks(rig: Rig) -> Hands:
    return Hands.on(rig, NetworksPane)


def cell(hands: Hands, name: str, column_id: str) -> str:
    column = next(c for c in hands.pane.description.columns if c.id == column_id)
    return column.text(hands.row(name))


# Images.


def test_images_with_their_use_and_size(images: Hands, rig: Rig) -> None:
    assert len(images.names()) == 13
    assert cell(images, "postgres:16", "use") == "postgres"
    assert cell(images, "acme/worker:2.14.1", "use") == "2 containers"
    assert cell(images, "node:20", "use") == "unused"
    assert cell(images, "node:20", "size") == "1.1 GB"
    assert images.names()[-1] == images.row(images.names()[-1]).short_id  # dangling ones last


def test_images_follow_events_and_containers(images: Hands, rig: Rig) -> None:
    rig.engine.remove_image("node:20")
    rig.until(lambda: not images.has("node:20"))
    redis = next(c for c in rig.engine._containers.values() if c.name == "redis")
    rig.engine.remove(redis.id, force=True)
    rig.until(lambda: cell(images, "redis:7-alpine", "use") == "unused")


def test_layers_say_where_the_size_comes_from(images: Hands, rig: Rig) -> None:
    images.choose("node:20")
    view = images.tab("Layers")
    assert isinstance(view, LayersView)
    rig.until(lambda: view.ready and view._table.rows.rowCount() == 3)
    instructions = [row.instruction for row in view._table.rows.shown_rows()]
    assert instructions == ["ADD file:…", "COPY . /app", 'CMD ["/app/start"]']
    shares = [row.share for row in view._table.rows.shown_rows()]
    assert sum(shares) == pytest.approx(1.0)
    header = view._table.horizontalHeader()
    assert header.sectionSize(1) > 420


def test_an_image_leads_to_its_containers_and_shows_all_it_is(images: Hands, rig: Rig) -> None:
    images.choose("postgres:16")
    view = images.tab("Summary")
    assert isinstance(view, ImageSummaryView)
    rig.until(lambda: view.ready)
    grid = view.grid("In use by")
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Return)
    assert rig.navigator.went == [("open", ResourceRef("container", "", "postgres"))]
    raw = images.tab("Inspect")
    assert isinstance(raw, ImageInspectView)
    rig.until(lambda: raw.inspect.model.rowCount() == 2)


@pytest.mark.parametrize(
    ("name", "entry", "values", "call", "command"),
    [
        ("postgres:16", "Push…", {"reference": "postgres:16"}, ("push", "postgres:16"),
         "docker push postgres:16"),
        ("node:20", "Tag…", {"reference": "me/node:1"}, ("tag", "me/node:1"),
         "docker tag node:20 me/node:1"),
        ("node:20", "Remove…", {"force": True}, ("remove_image", True),
         "docker rmi --force node:20"),
    ],
)  # fmt: skip
def test_images_are_pushed_tagged_and_removed(
    images: Hands,
    rig: Rig,
    name: str,
    entry: str,
    values: dict[str, Any],
    call: tuple[Any, ...],
    command: str,
) -> None:
    rig.asker.values = values
    images.do(name, entry)
    rig.until(lambda: images.calls(call[0]))
    rig.settle()
    assert images.calls(call[0])[0][-1] == call[-1]
    if entry != "Remove…":
        assert images.logged() == [command]


def test_pulling_shows_its_layers_as_progress(images: Hands, rig: Rig) -> None:
    rig.asker.values = {"reference": "alpine:3.20", "platform": "linux/arm64"}
    pull = next(action for action in images.pane.pane_actions if action.id == "image.pull")
    images.pane.trigger(pull)
    rig.until(lambda: images.has("alpine:3.20"))
    job = rig.jobs.visible()[0]
    assert (job.title, job.state) == ("Pull alpine:3.20", JobState.DONE)
    assert set(job.parts) == {"a1b2c3d4e5f6", "0f1e2d3c4b5a"}
    assert images.logged() == ["docker pull --platform linux/arm64 alpine:3.20"]


def test_forms_offer_the_tags_there_are(images: Hands, rig: Rig) -> None:
    for id in ("image.pull", "image.tag", "image.import"):
        action = next(item for item in images.pane.pane_actions if item.id == id)
        assert action.form is not None
        form = action.form([images.row("node:20")])
        look_up = next(f.choices_from for f in form.fields if f.id == "reference")
        assert look_up is not None
        assert "node:20" in [choice.value for choice in look_up(rig.engine)]


def test_a_pull_that_fails_can_be_changed(images: Hands, rig: Rig) -> None:
    rig.engine.faults["pull"] = NotFoundError("No such image", "nginxx:1")
    rig.asker.values = {"reference": "nginxx:1"}
    pull = next(action for action in images.pane.pane_actions if action.id == "image.pull")
    images.pane.trigger(pull)
    rig.until(lambda: "No such image" in images.titles())
    change = next(a for a in rig.notices.shown[-1].actions if a.title == "Change…")
    rig.asker.values = None
    change.run()
    assert rig.asker.forms[-1].values == {"reference": "nginxx:1"}


def test_saving_loading_and_importing(images: Hands, rig: Rig, tmp_path: Path) -> None:
    rig.asker.values = {"path": str(tmp_path / "two.tar")}
    images.choose("node:20", "postgres:16")
    images.do("node:20", "Save to a file…")
    rig.until(lambda: images.calls("save_images"))
    assert set(images.calls("save_images")[0][0]) == {"node:20", "postgres:16"}
    archive = tmp_path / "app.tar"
    archive.write_bytes(b"tar")
    assert drop(images.pane, archive)
    rig.until(lambda: images.has("app:latest"))
    assert not drop(images.pane, tmp_path / "notes.txt")


def test_run_leads_to_the_run_form(images: Hands, rig: Rig) -> None:
    images.double_click("node:20")
    row = images.row("node:20")
    assert rig.navigator.went == [("trigger", "container.run", [row])]


def test_an_image_in_use_is_refused_with_what_uses_it(images: Hands, rig: Rig) -> None:
    rig.asker.values = {"force": False}
    images.do("postgres:16", "Remove…")
    rig.until(lambda: "The image is in use" in images.titles())
    assert "In use by postgres" in rig.asker.questions[0].consequence
    dangling = next(name for name in images.names() if ":" not in name)
    menu = images.menu(dangling)
    push = next(action for action in menu.actions() if action.text() == "Push…")
    assert not push.isEnabled()
    assert "needs a tag" in push.toolTip()
    menu.close()


def test_pruning_images_says_what_was_freed(images: Hands, rig: Rig) -> None:
    rig.asker.values = {"scope": "unused"}
    prune = next(action for action in images.pane.pane_actions if action.id == "image.prune")
    images.pane.trigger(prune)
    rig.until(lambda: not images.has("node:20"))
    rig.until(lambda: "Prune: done" in images.titles())
    assert "GB" in rig.notices.shown[-1].detail
    assert images.logged() == ["docker image prune --all --force"]


def test_names_and_digests_are_copied(images: Hands, rig: Rig) -> None:
    images.do("node:20", "Copy name")
    assert QGuiApplication.clipboard().text() == "node:20"
    images.do("node:20", "Copy digest")
    assert QGuiApplication.clipboard().text().startswith("node@sha256:")


# Volumes.


def unmeasured(rig: Rig) -> None:
    """As engines list them: without sizes."""
    rig.engine._volumes = {
        name: replace(volume, size=-1) for name, volume in rig.engine._volumes.items()
    }


def usage(**sizes: int) -> Callable[[], DiskUsage]:
    items = tuple(DiskItem("volumes", name, name, size, True) for name, size in sizes.items())
    return lambda: DiskUsage((), items)


def test_sizes_follow_the_list_without_holding_it_up(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmeasured(rig)
    measure = usage(shop_db=1_840_000_000, old_uploads=3_100_000_000)
    calls: list[int] = []

    def disk_usage() -> DiskUsage:
        rig.engine._enter("disk_usage")
        calls.append(1)
        return measure()

    monkeypatch.setattr(rig.engine, "disk_usage", disk_usage)
    with rig.engine.pause_on("disk_usage"):
        hands = Hands.on(rig, VolumesPane)
        assert len(hands.names()) == 5
        assert cell(hands, "shop_db", "size") == ""
    rig.until(lambda: cell(hands, "shop_db", "size") == "1.84 GB")
    assert cell(hands, "metrics", "size") == ""
    rig.until(lambda: "size" in hands.pane.cards._cards)
    assert "3.1 GB in unused ones" in hands.pane.cards._cards["size"].accessibleName()
    rig.settle()
    assert len(calls) == 1
    measure = usage(fresh=42)
    hands.pane._settle_sizes.setInterval(1)  # type: ignore[attr-defined]
    rig.engine._volumes["fresh"] = Volume("fresh", "local")
    rig.engine.emit("volume", "create", "fresh", "fresh")
    rig.until(lambda: hands.has("fresh") and cell(hands, "fresh", "size") == "42 B")
    hands.pane.hide()
    before = len(calls)
    rig.engine.emit("volume", "create", "other", "other")
    rig.settle()
    assert len(calls) == before


def test_rows_stay_the_same_objects_while_nothing_changes() -> None:
    sizes = Sizes()
    listed = [Volume("a", "local"), Volume("b", "local", size=5)]
    sizes.take(usage(a=7)())
    first = sizes.of(listed)
    assert [volume.size for volume in first] == [7, 5]
    assert all(one is two for one, two in zip(first, sizes.of(listed), strict=True))
    assert first[1] is listed[1]
    sizes.clear()
    assert sizes.of(listed)[0] is listed[0]


def test_an_engine_that_can_not_measure_still_lists(rig: Rig) -> None:
    unmeasured(rig)
    rig.engine.faults["disk_usage"] = RemoteError("Not measured", "500")
    hands = Hands.on(rig, VolumesPane)
    rig.settle()
    assert len(hands.names()) == 5
    assert hands.titles() == []


def test_volumes_are_created_removed_and_pruned(volumes: Hands, rig: Rig) -> None:
    rig.asker.values = {"name": "new_one", "driver": "local", "labels": "team=web"}
    by_id = {action.id: action for action in volumes.pane.pane_actions}
    volumes.pane.trigger(by_id["volume.create"])
    rig.until(lambda: volumes.has("new_one"))
    menu = volumes.menu("shop_db")
    remove = next(action for action in menu.actions() if action.text() == "Remove…")
    assert not remove.isEnabled()
    assert "in use by postgres" in remove.toolTip()
    menu.close()
    volumes.do("new_one", "Remove…")
    rig.until(lambda: not volumes.has("new_one"))
    rig.asker.values = {"scope": "all"}
    volumes.pane.trigger(by_id["volume.prune"])
    rig.until(lambda: not volumes.has("old_uploads"))
    assert volumes.logged() == [
        "docker volume create --driver local --label team=web new_one",
        "docker volume rm new_one",
        "docker volume prune --all --force",
    ]


def test_volume_files_come_and_go(volumes: Hands, rig: Rig, tmp_path: Path) -> None:
    volumes.choose("shop_db")
    view = volumes.tab("Files")
    assert isinstance(view, FilesView)
    rig.until(lambda: view.browser.model.total() == 5)
    (tmp_path / "dump.sql").write_text("x")
    assert drop(view.browser, tmp_path / "dump.sql")
    rig.until(lambda: volumes.calls("upload_to_volume"))
    assert volumes.calls("upload_to_volume") == [("shop_db", (tmp_path / "dump.sql",), "/")]
    view.browser.view.choose("/start.sh")
    view.browser.download_asked.emit(view.browser.view.chosen(), tmp_path)
    rig.until((tmp_path / "start.sh").exists)
    rig.until(lambda: len(volumes.logged()) == 2)
    assert all(command.startswith("docker run --rm -v shop_db:") for command in volumes.logged())


def test_a_volume_tells_who_uses_it(volumes: Hands, rig: Rig) -> None:
    volumes.choose("shop_db")
    view = volumes.tab("Summary")
    assert isinstance(view, VolumeSummaryView)
    rig.until(lambda: view.ready)
    view.grid("In use by").setFocus()
    QTest.keyClick(view.grid("In use by"), Qt.Key.Key_Return)
    assert rig.navigator.went == [("open", ResourceRef("container", "", "postgres"))]
    raw = replace(volumes.row("shop_db"), raw={"Name": "shop_db", "Options": {"password": "x"}})
    rig.engine._volumes["shop_db"] = raw
    volumes.pane.reload()
    inspect = volumes.tab("Inspect")
    assert isinstance(inspect, VolumeInspectView)
    rig.until(lambda: inspect.inspect.model.rowCount() == 2)
    assert inspect.inspect.model.value["Options"]["password"] != "x"


# Networks.


def test_networks_with_their_members(networks: Hands, rig: Rig) -> None:
    networks.choose("shop_default")
    view = networks.tab("Containers")
    assert isinstance(view, MembersView)
    rig.until(lambda: view.table.rows.rowCount() == 6)
    assert view.table.horizontalHeader().sectionSize(0) > 240
    QTest.mouseClick(view.table.viewport(), Qt.MouseButton.LeftButton,
                     pos=view.table.visualRect(view.table.rows.index(0, 0)).center())  # fmt: skip
    QTest.keyClick(view.table, Qt.Key.Key_Return)
    rig.until(lambda: rig.navigator.went)
    ref = rig.navigator.went[0][1]
    assert (ref.kind, ref.name) == ("container", "api-gateway")
    inspect = networks.tab("Inspect")
    assert isinstance(inspect, NetworkInspectView)
    rig.until(lambda: inspect.ready)


def test_containers_are_connected_and_disconnected(networks: Hands, rig: Rig) -> None:
    rig.asker.values = {"container": "redis", "ip": "172.20.0.9", "aliases": "cache, kv"}
    networks.do("edge_default", "Connect a container…")
    rig.until(lambda: len(networks.row("edge_default").members) == 2)
    assert networks.logged() == [
        "docker network connect --ip 172.20.0.9 --alias cache --alias kv edge_default redis"
    ]
    connect = next(a for a in networks.pane.pane_actions if a.id == "network.connect")
    assert connect.form is not None
    form = connect.form([networks.row("edge_default")])
    look_up = form.fields[0].choices_from
    assert look_up is not None
    offered = [choice.value for choice in look_up(rig.engine)]
    assert "redis" not in offered
    assert "postgres" in offered
    rig.asker.values = {"container": "redis"}
    networks.do("edge_default", "Disconnect a container…")
    rig.until(lambda: len(networks.row("edge_default").members) == 1)
    assert "break" in rig.asker.questions[-1].consequence


def test_networks_are_created_and_removed(networks: Hands, rig: Rig) -> None:
    rig.asker.values = {"name": "lab", "driver": "bridge", "internal": True}
    create = next(action for action in networks.pane.pane_actions if action.id == "network.create")
    networks.pane.trigger(create)
    rig.until(lambda: networks.has("lab"))
    networks.do("lab", "Remove…")
    rig.until(lambda: not networks.has("lab"))
    assert networks.logged()[-1] == "docker network rm lab"
    for name, why in (("bridge", "belongs to the engine"), ("shop_default", "disconnect it first")):
        menu = networks.menu(name)
        remove = next(action for action in menu.actions() if action.text() == "Remove…")
        assert not remove.isEnabled()
        assert why in remove.toolTip()
        menu.close()


def test_a_network_that_is_refused_by_the_engine_stays(networks: Hands, rig: Rig) -> None:
    rig.engine._networks["9" * 64] = Network("9" * 64, "<i>lab</i>", "bridge")
    rig.engine.emit("network", "create", "9" * 64, "lab")
    rig.until(lambda: networks.has("<i>lab</i>"))
    rig.engine.faults["remove_network"] = ConflictError("The network is in use", "by someone")
    networks.do("<i>lab</i>", "Remove…")
    rig.until(lambda: "The network is in use" in networks.titles())
    assert networks.has("<i>lab</i>")
    menu = networks.menu("<i>lab</i>")
    assert "Copy id" in texts(menu)
    menu.close()


# All of them.


@pytest.mark.parametrize(
    ("make", "fault"),
    [(ImagesPane, "images"), (VolumesPane, "volumes"), (NetworksPane, "networks")],
)
def test_a_list_that_fails_says_why_and_tries_again(rig: Rig, make: Any, fault: str) -> None:
    rig.engine.faults[fault] = RemoteError("Listing failed", "500")
    pane = make(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect()
    rig.until(lambda: pane.body.message is not None)
    del rig.engine.faults[fault]
    QTest.mouseClick(pane.body.message.buttons()[0], Qt.MouseButton.LeftButton)
    rig.until(lambda: pane.model.shown > 0 and pane.body.message is None)


@pytest.mark.parametrize("make", [ImagesPane, VolumesPane, NetworksPane])
def test_an_empty_list_can_be_reloaded(rig: Rig, make: Any) -> None:
    rig.engine._images, rig.engine._volumes, rig.engine._networks = {}, {}, {}
    pane = make(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect()
    rig.until(lambda: pane.body.message is not None)
    pane.reload()
    rig.settle()
    assert not pane.body.loading
    assert pane.body.message is not None


def test_passwords_of_a_mount_stay_out_of_the_command_log() -> None:
    create = next(action for action in volume_actions.ACTIONS if action.id == "volume.create")
    assert create.plan is not None
    values = {
        "name": "share",
        "driver": "local",
        "options": "type=cifs\no=addr=10.0.0.1,username=me,password=hunter2",
        "labels": "auth.token=hunter3",
    }
    (call,) = create.plan((), values)
    shown = f"{call.equivalent.cli} {call.equivalent.sdk} {call.equivalent.api}"
    assert "hunter" not in shown
    assert "username=me" in shown
    connect = next(action for action in network_actions.ACTIONS if action.id == "network.create")
    assert connect.plan is not None
    (call,) = connect.plan((), {"name": "n", "driver": "x", "options": "password=hunter2"})
    assert "hunter" not in call.equivalent.cli
