"""A container made anew: the new one proves itself, or the old one is back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockdesk.core.errors import ConflictError, DockDeskError, RemoteError
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.core.work import SilentWork
from dockdesk.runspec.renewal import prove, renew, run_and_prove, tail
from tests.engines import BUSYBOX
from tests.fakes import FakeEngine

WORK = SilentWork()


def build(engine: Any, folder: Path, tag: str, script: str) -> None:
    """An image whose program is a line of shell."""
    text = f'FROM {BUSYBOX}\nENTRYPOINT ["sh", "-c", "{script}"]\n'
    engine.build(BuildSpec(folder, text=text, tags=(tag,)), lambda _items: None, WORK)


def by_name(engine: Any, name: str) -> Any:
    return next((c for c in engine.containers() if c.name == name), None)


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    made.run_container(ContainerSpec("shop:latest", name="shop", command=("serve",)), WORK)
    return made


def test_the_old_one_goes_once_the_new_one_runs(engine: FakeEngine) -> None:
    before = by_name(engine, "shop")
    made = renew(engine, before.id, "shop:2", WORK, settle=0)
    after = by_name(engine, "shop")
    assert (made.id, made.name, made.warning) == (after.id, "shop", "")
    assert after.image == "shop:2"
    assert after.running
    assert all(container.id != before.id for container in engine.containers())
    spec = next(call[1] for call in engine.calls if call[0] == "create_container")
    assert (spec.name, spec.command, spec.pull) == ("shop", ("serve",), "never")


def fails(engine: FakeEngine, method: str, error: DockDeskError) -> Callable[[], None]:
    """Let a method of the engine fail once."""
    own = getattr(engine, method)

    def failing(*arguments: Any, **named: Any) -> Any:
        setattr(engine, method, own)
        raise error

    setattr(engine, method, failing)
    return lambda: setattr(engine, method, own)


@pytest.mark.parametrize("step", ["create_container", "stop", "start"])
def test_whatever_fails_the_old_one_is_back(engine: FakeEngine, step: str) -> None:
    before = by_name(engine, "shop")
    fails(engine, step, ConflictError("Port is taken", "8000"))
    with pytest.raises(ConflictError) as raised:
        renew(engine, before.id, "shop:2", WORK, settle=0)
    assert "runs again" in raised.value.hint
    after = by_name(engine, "shop")
    assert after.id == before.id
    assert after.running
    assert [c.name for c in engine.containers() if c.name.startswith("shop")] == ["shop"]


def test_one_that_had_ended_is_put_back_as_it_was(engine: FakeEngine) -> None:
    before = by_name(engine, "shop")
    engine.stop(before.id)
    fails(engine, "start", RemoteError("No"))
    with pytest.raises(RemoteError) as raised:
        renew(engine, before.id, "shop:2", WORK, settle=0)
    assert "was put back" in raised.value.hint
    assert not by_name(engine, "shop").running


def test_an_old_one_that_stays_is_said(engine: FakeEngine) -> None:
    before = by_name(engine, "shop")
    fails(engine, "remove", RemoteError("Busy"))
    made = renew(engine, before.id, "shop:2", WORK, settle=0)
    assert "stays as shop-before-" in made.warning
    assert by_name(engine, "shop").id == made.id


def test_what_can_not_be_put_back_is_said(engine: FakeEngine) -> None:
    before = by_name(engine, "shop")
    fails(engine, "create_container", RemoteError("First"))
    own = engine.rename

    def rename(id: str, name: str) -> None:
        if name == "shop":
            raise RemoteError("Second")
        own(id, name)

    engine.rename = rename  # type: ignore[method-assign]
    with pytest.raises(RemoteError, match="First") as raised:
        renew(engine, before.id, "shop:2", WORK, settle=0)
    assert "could not be put back (Second)" in raised.value.hint


@pytest.mark.engine
def test_on_a_real_engine(docker_engine: Any, busybox_image: str) -> None:
    engine = docker_engine
    spec = ContainerSpec(
        BUSYBOX, name="renewed", command=("sleep", "300"), env=(("A", "1"),), init=True
    )
    first = run_and_prove(engine, spec, WORK, settle=0.2)
    engine.tag(BUSYBOX, "renewed:2")
    second = renew(engine, first.id, "renewed:2", WORK, settle=0.2)
    assert second.name == "renewed"
    after = by_name(engine, "renewed")
    assert (after.id, after.image, after.running) == (second.id, "renewed:2", True)
    assert engine.spec_of(after.id).env == (("A", "1"),)
    assert not engine.containers([first.id])
    engine.remove(after.id, force=True)


@pytest.mark.engine
def test_on_a_real_engine_one_that_ends_at_its_start_is_taken_back(
    docker_engine: Any, busybox_image: str, tmp_path: Path
) -> None:
    engine = docker_engine
    good = ContainerSpec(BUSYBOX, name="taken-back", command=("sleep", "300"), init=True)
    first = run_and_prove(engine, good, WORK, settle=0.2)
    build(engine, tmp_path, "taken-back:2", "echo no way; exit 3")
    with pytest.raises(RemoteError) as raised:
        renew(engine, first.id, "taken-back:2", WORK, settle=10)
    assert "Exit code 3" in raised.value.detail
    assert "no way" in raised.value.detail
    assert "runs again" in raised.value.hint
    after = by_name(engine, "taken-back")
    assert (after.id, after.running) == (first.id, True)
    engine.remove(first.id, force=True)


@pytest.mark.engine
def test_on_a_real_engine_one_that_removes_itself_is_made_again(
    docker_engine: Any, busybox_image: str, tmp_path: Path
) -> None:
    engine = docker_engine
    spec = ContainerSpec(
        BUSYBOX, name="itself", command=("sleep", "300"), auto_remove=True, init=True
    )
    first = run_and_prove(engine, spec, WORK, settle=0.2)
    build(engine, tmp_path, "itself:2", "exit 3")
    with pytest.raises(DockDeskError) as raised:
        renew(engine, first.id, "itself:2", WORK, settle=10)
    assert "runs again" in raised.value.hint
    after = by_name(engine, "itself")
    assert after.running
    assert after.id != first.id
    engine.remove(after.id, force=True)


@pytest.mark.engine
def test_on_a_real_engine_a_first_start_that_fails_says_why(
    docker_engine: Any, busybox_image: str
) -> None:
    engine = docker_engine
    spec = ContainerSpec(BUSYBOX, name="first-fails", command=("sh", "-c", "echo broken; exit 9"))
    with pytest.raises(RemoteError, match="Exit code 9") as raised:
        run_and_prove(engine, spec, WORK, settle=10)
    assert "broken" in raised.value.detail
    found = by_name(engine, "first-fails")
    assert "broken" in tail(engine, found.id)
    with pytest.raises(RemoteError):
        prove(engine, found.id, WORK, settle=0)
    engine.remove(found.id, force=True)
