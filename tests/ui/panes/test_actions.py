"""Every declared action plans calls that fit the ports, with equivalents, on names as nasty as they come."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dockdesk.core import ports
from dockdesk.core.actions import Action, Danger
from dockdesk.core.forms import FieldKind
from dockdesk.core.resources.containers import Container, Port
from dockdesk.core.resources.engine import Network, NetworkMember, Volume
from dockdesk.core.resources.images import Image
from dockdesk.core.work import SilentWork
from dockdesk.ui.panes.containers import actions as containers
from dockdesk.ui.panes.containers import plans as container_plans
from dockdesk.ui.panes.containers.columns import ContainerRow, ports_text
from dockdesk.ui.panes.containers.plans import update_spec
from dockdesk.ui.panes.images import actions as images
from dockdesk.ui.panes.images import plans as image_plans
from dockdesk.ui.panes.networks import actions as networks
from dockdesk.ui.panes.volumes import actions as volumes
from tests.ui.rig import Rig


class Recorder:
    """Stands for an engine; each call must fit the signature that the port declares."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(ports.Engine, name)

        def record(*args: Any, **kwargs: Any) -> None:
            bound = inspect.signature(method).bind(self, *args, **kwargs)
            self.calls.append((name, dict(bound.arguments)))

        return record


CONTAINER = Container(
    id="c" * 64,
    name="web",
    image="nginx",
    image_id="sha256:1",
    state="running",
    status="Up 3 hours (healthy)",
    created=1.0,
    ports=(Port(80, "tcp", 8080, "0.0.0.0"), Port(80, "tcp", 8080, "::"), Port(53, "udp")),
)
NETWORK = Network("n" * 64, "back end", "bridge", members=(NetworkMember("c" * 64, "web"),))
IMAGE = Image("sha256:" + "a" * 64, ("team/app:1", "app:2"), ("team/app@sha256:ff",), 1.0, 10)

VALUES: dict[str, dict[str, Any]] = {
    "container.kill": {"signal": "SIGHUP"},
    "container.rename": {"name": "new"},
    "container.remove": {"force": True, "volumes": True},
    "container.commit": {
        "reference": "r/app:{x}",
        "message": "it's",
        "author": "me",
        "pause": False,
    },
    "container.export": {"path": "/tmp/a {name}.tar"},
    "container.update": {"memory": "512m", "cpus": "1.5", "restart": "always", "pids_limit": "-1"},
    "image.pull": {"reference": "localhost:5000/app", "platform": "linux/arm64"},
    "image.push": {"reference": "team/app:1"},
    "image.tag": {"reference": "other:2"},
    "image.save": {"path": "/tmp/x.tar"},
    "image.load": {"path": "/tmp/x.tar"},
    "image.import": {"path": "/tmp/x.tar", "reference": "y:1"},
    "image.remove": {"force": False},
    "image.prune": {"scope": "unused"},
    "volume.create": {"name": "v", "driver": "local", "options": "type=nfs", "labels": "a=b"},
    "volume.prune": {"scope": "all"},
    "network.create": {
        "name": "n",
        "driver": "bridge",
        "subnet": "10.1.0.0/24",
        "gateway": "10.1.0.1",
    },
    "network.connect": {"container": "web", "ip": "10.1.0.9", "aliases": "a, b"},
    "network.disconnect": {"container": "web", "force": True},
}
ROWS: dict[str, Any] = {
    "container": ContainerRow(CONTAINER),
    "image": IMAGE,
    "volume": Volume("data", "local"),
    "network": NETWORK,
}
ALL: Sequence[Action[Any]] = [
    *containers.ACTIONS,
    *images.ACTIONS,
    *volumes.ACTIONS,
    *networks.ACTIONS,
]
PLANNED = [action for action in ALL if action.plan is not None]


@pytest.mark.parametrize("action", PLANNED, ids=lambda action: action.id)
def test_plans_fit_the_ports_and_show_their_equivalents(action: Action[Any]) -> None:
    assert action.plan is not None
    rows = [ROWS[action.id.partition(".")[0]]] if action.on_rows else []
    calls = action.plan(rows, VALUES.get(action.id, {}))
    assert calls
    recorder = Recorder()
    for call in calls:
        call.run(recorder, SilentWork())
        assert shlex.split(call.equivalent.cli)[0] == "docker"
        assert call.equivalent.api.split()[0] in {"GET", "POST", "DELETE", "PUT"}
        assert call.target.kind == action.id.partition(".")[0]
    assert len(recorder.calls) == len(calls)


@pytest.mark.parametrize(
    "action", [action for action in ALL if action.form is not None], ids=lambda a: a.id
)
def test_forms_hold_what_their_plans_read_and_start_sensibly(action: Action[Any]) -> None:
    assert action.form is not None
    form = action.form([ROWS[action.id.partition(".")[0]]] if action.on_rows else [])
    assert set(VALUES[action.id]) <= {field.id for field in form.fields}
    assert form.submit != "OK"
    for field in form.fields:
        # The words of check boxes are not wrapped; what needs more of them has them in its help.
        assert field.kind is not FieldKind.CHECK or len(field.title) <= 45, field.title


def test_ids_and_shortcuts_are_unique_within_a_pane() -> None:
    ids = [action.id for action in ALL]
    assert len(ids) == len(set(ids))
    for actions in (containers.ACTIONS, images.ACTIONS, volumes.ACTIONS, networks.ACTIONS):
        shortcuts = [action.shortcut for action in actions if action.shortcut]
        assert len(shortcuts) == len(set(shortcuts))


def test_whatever_destroys_says_what_is_lost() -> None:
    for action in ALL:
        if action.danger is Danger.DESTROYS:
            assert action.consequence is not None
            row = ROWS[action.id.partition(".")[0]]
            assert action.consequence([row]).endswith(".")


def test_names_with_spaces_and_braces_stay_one_word() -> None:
    row = ContainerRow(replace(CONTAINER, name="a b;{name} $(x)"))
    for action in containers.ACTIONS:
        if action.plan is None or not action.on_rows:
            continue
        call = action.plan([row], VALUES.get(action.id, {}))[0]
        assert row.container.name in shlex.split(call.equivalent.cli)


@pytest.mark.parametrize(
    ("action_id", "state", "possible"),
    [
        ("container.start", "exited", True),
        ("container.start", "running", False),
        ("container.stop", "running", True),
        ("container.stop", "exited", False),
        ("container.unpause", "paused", True),
        ("container.pause", "paused", False),
        ("container.terminal", "exited", False),
    ],
)
def test_actions_are_refused_by_state_with_a_reason(
    action_id: str, state: str, possible: bool
) -> None:
    action = next(item for item in containers.ACTIONS if item.id == action_id)
    reason = action.refusal([ContainerRow(replace(CONTAINER, state=state))])
    assert (reason is None) is possible
    assert possible or (reason or "").endswith(".")


def test_a_mixed_choice_does_what_can_be_done() -> None:
    start = next(item for item in containers.ACTIONS if item.id == "container.start")
    stopped = ContainerRow(replace(CONTAINER, id="2", state="exited"))
    rows = [ContainerRow(CONTAINER), stopped]
    assert start.refusal(rows) is None
    assert start.applicable(rows) == [stopped]


def test_update_leaves_what_is_empty_and_refuses_nothing_at_all() -> None:
    spec = update_spec({"memory": "1g", "cpus": "", "restart": ""})
    assert (spec.memory, spec.cpus, spec.restart) == (1 << 30, None, None)
    form = next(item for item in containers.ACTIONS if item.id == "container.update").form
    assert form is not None
    assert "memory" in form([]).problems({})


def test_ports_are_said_once_and_link_to_the_browser() -> None:
    row = ContainerRow(CONTAINER, host="docker.example.com")
    assert ports_text(CONTAINER.ports) == "8080→80, 53/udp"
    assert [link.url for link in row.links] == ["http://docker.example.com:8080"]
    v6 = ContainerRow(replace(CONTAINER, ports=(Port(443, "tcp", 9, "::1"),)))
    assert v6.links[0].url == "https://[::1]:9"


def test_a_gateway_must_lie_in_its_subnet() -> None:
    form = next(item for item in networks.ACTIONS if item.id == "network.create").form
    assert form is not None
    values = {"name": "net", "driver": "bridge", "subnet": "10.1.0.0/24", "gateway": "10.2.0.1"}
    assert "gateway" in form([]).problems(values)
    assert form([]).problems({**values, "gateway": "10.1.0.1"}) == {}


def test_forms_speak_of_one_and_of_several(rig: Rig) -> None:
    rows = [ContainerRow(item) for item in rig.engine.containers()[:2]]
    one, two = (container_plans.remove_form(rows[:n]).fields for n in (1, 2))
    assert [field.title for field in one] == [
        "Kill it if it runs",
        "Remove its anonymous volumes too",
    ]
    assert [field.title for field in two] == [
        "Kill those that run",
        "Remove their anonymous volumes too",
    ]
    both = rig.engine.images()[:2]
    assert image_plans.remove_form(both[:1]).fields[0].title == "Remove it all the same"
    assert image_plans.remove_form(both).fields[0].title == "Remove them all the same"
