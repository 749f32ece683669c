"""One way to carry out an action: guard, form, confirmation, job, audit line, notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dockdesk.core.actions import MANY, Action, Call, Danger, Equivalent, Values
from dockdesk.core.environments import Confirmation, Guard
from dockdesk.core.errors import ConflictError, InvalidInputError
from dockdesk.core.forms import Field, Form
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.ui.actions import planning
from tests.ui.actions.conftest import Bench
from tests.ui.doubles import environment


def ref(row: Container) -> ResourceRef:
    return ResourceRef("container", row.id, row.name)


def plan_stop(rows: Sequence[Container], values: Values) -> list[Call]:
    return [
        Call(
            ref(row),
            lambda engine, work, id=row.id: engine.stop(id, None, work),
            Equivalent(f"docker stop {row.name}", f"client.containers.get('{row.name}').stop()"),
        )
        for row in rows
    ]


def plan_rename(rows: Sequence[Container], values: Values) -> list[Call]:
    if values["name"] == "boom":
        raise InvalidInputError("That name can't be used", field="name")
    return [
        Call(
            ref(rows[0]),
            lambda engine, work: engine.rename(rows[0].id, values["name"]),
            Equivalent(f"docker rename {rows[0].name} {values['name']}"),
        )
    ]


def plan_prune(rows: Sequence[Container], values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("container", "prune"),
            lambda engine, work: engine.prune_containers(),
            Equivalent("docker container prune --force"),
        )
    ]


STOP: Action[Container] = Action(
    "container.stop", "Stop", "player-stop", plan_stop, Danger.CHANGES,
    refuse=lambda row: None if row.running else f"{row.name} is not running.",
)  # fmt: skip
REMOVE: Action[Container] = replace(
    STOP, id="container.remove", title="Remove…", danger=Danger.DESTROYS,
    consequence=lambda rows: f"{len(rows)} go for ever.",
)  # fmt: skip
RENAME: Action[Container] = Action(
    "container.rename", "Rename…", "pencil", plan_rename, Danger.CHANGES, many=False,
    form=lambda rows: Form("Rename", [Field("name", "Name", default=rows[0].name)]),
)  # fmt: skip
PRUNE: Action[Container] = Action(
    "container.prune", "Prune…", "trash", plan_prune, Danger.CHANGES, on_rows=False
)


def named(bench: Bench, *names: str) -> list[Container]:
    rows = {row.name: row for row in bench.engine.containers()}
    bench.engine.calls.clear()
    return [rows[name] for name in names]


def test_runs_one_job_for_each_row_and_audits_it(bench: Bench) -> None:
    rows = named(bench, "redis", "worker-1")
    told: list[Any] = []
    bench.runner.finished.connect(lambda action, targets: told.append((action.id, targets)))
    bench.runner.trigger(STOP, rows)
    bench.wait()
    assert sorted(call[1] for call in bench.engine.calls) == sorted(row.id for row in rows)
    assert {entry.target for entry in bench.archive.entries} == {"redis", "worker-1"}
    entry = next(e for e in bench.audit.entries if e.target == "redis")
    assert (entry.outcome, entry.environment) == ("ok", "workshop")
    assert entry.equivalent.cli == "docker stop redis"
    assert entry.at > 0
    assert {job.title for job in bench.jobs.visible()} == {"Stop redis", "Stop worker-1"}
    [(action_id, targets)] = told
    assert action_id == "container.stop"
    assert {target.environment for target in targets} == {"docker:test"}


def test_interrupting_many_at_once_is_asked_about(bench: Bench) -> None:
    running = [row for row in bench.engine.containers() if row.running]
    assert len(running) > MANY
    bench.engine.calls.clear()
    bench.asker.agree = False
    stop = replace(STOP, interrupts=True)
    bench.runner.trigger(stop, running)
    [question] = bench.asker.questions
    assert len(question.targets) == len(running)
    bench.asker.questions.clear()
    bench.runner.trigger(stop, running[:MANY])
    bench.runner.trigger(STOP, running)
    assert not bench.asker.questions
    bench.wait()


def test_rows_that_refuse_are_left_out(bench: Bench) -> None:
    rows = named(bench, "migrate", "redis")
    bench.runner.trigger(STOP, rows)
    bench.wait()
    assert [call[1] for call in bench.engine.calls] == [rows[1].id]


def test_says_why_where_all_rows_refuse(bench: Bench) -> None:
    bench.runner.trigger(STOP, named(bench, "migrate"))
    assert bench.notices.shown[0].detail == "migrate is not running."
    assert not bench.jobs.visible()


def test_read_only_refuses_changes(bench: Bench) -> None:
    bench.session.environment = environment(Guard.READ_ONLY)
    rows = named(bench, "redis")
    assert "read-only" in (bench.runner.refusal(STOP, rows) or "")
    bench.runner.trigger(STOP, rows)
    assert not bench.engine.calls
    assert not bench.runner.run(STOP, plan_stop(rows, {}))


def test_guard_raised_while_a_call_waits_still_holds(bench: Bench) -> None:
    rows = named(bench, "redis")
    with bench.engine.pause_on("stop"):
        bench.runner.trigger(STOP, rows)
        bench.runner.trigger(STOP, rows)  # waits: writes to one resource run in order
        bench.session.environment = environment(Guard.READ_ONLY)
    bench.wait()
    assert [call[0] for call in bench.engine.calls].count("stop") <= 1
    assert bench.audit.entries[-1].outcome == "failed"


def test_protected_asks_for_every_change(bench: Bench) -> None:
    bench.session.environment = environment(Guard.PROTECTED)
    bench.asker.agree = False
    bench.runner.trigger(STOP, named(bench, "redis"))
    [question] = bench.asker.questions
    assert question.kind is Confirmation.ASK
    assert not bench.engine.calls


@pytest.mark.parametrize(
    ("names", "typed"), [(["redis"], "redis"), (["redis", "worker-1"], "workshop")]
)
def test_protected_has_a_name_typed_before_it_destroys(
    bench: Bench, names: list[str], typed: str
) -> None:
    bench.session.environment = environment(Guard.PROTECTED)
    bench.runner.trigger(REMOVE, named(bench, *names))
    [question] = bench.asker.questions
    assert question.typed == typed
    assert question.consequence == f"{len(names)} go for ever."
    bench.wait()


def test_confirmation_names_targets_and_counts_what_is_left_out(bench: Bench) -> None:
    bench.runner.trigger(REMOVE, named(bench, "redis", "migrate"))
    [question] = bench.asker.questions
    assert question.targets == ("redis",)
    assert question.skipped == 1
    assert question.equivalents[0].cli == "docker stop redis"
    assert question.typed == ""
    bench.wait()


def test_nothing_runs_where_the_environment_was_switched_meanwhile(bench: Bench) -> None:
    accept: list[Any] = []
    bench.asker.confirm = lambda question, accepted: accept.append(accepted)  # type: ignore[method-assign]
    bench.runner.trigger(REMOVE, named(bench, "redis"))
    bench.session.environment = replace(environment(), id="docker:other")
    accept[0]()
    assert not bench.engine.calls
    assert "no longer" in bench.notices.shown[0].detail


def test_form_values_reach_the_plan_and_its_preview(bench: Bench) -> None:
    bench.asker.values = {"name": "cache"}
    bench.runner.trigger(RENAME, named(bench, "redis"))
    bench.wait()
    assert bench.engine.calls[0][2] == "cache"
    assert bench.asker.filled[0].closed
    assert bench.asker.previews[0][0].cli == "docker rename redis cache"


def test_given_values_stand_for_the_form(bench: Bench) -> None:
    bench.runner.trigger(RENAME, named(bench, "redis"), {"name": "kv"})
    bench.wait()
    assert not bench.asker.forms
    assert bench.engine.calls[0][2] == "kv"


def test_plan_that_raises_is_shown(bench: Bench) -> None:
    bench.runner.trigger(RENAME, named(bench, "redis"), {"name": "boom"})
    assert bench.notices.shown[0].title == "That name can't be used"


def test_a_form_stays_open_where_its_values_cannot_be_used(bench: Bench) -> None:
    bench.asker.values = {"name": "boom"}
    bench.runner.trigger(RENAME, named(bench, "redis"))
    [filled] = bench.asker.filled
    assert not filled.closed
    assert filled.error is not None
    assert filled.error.title == "That name can't be used"
    assert not bench.notices.shown


def test_a_form_stays_open_where_its_action_is_not_confirmed(bench: Bench) -> None:
    bench.session.environment = environment(Guard.PROTECTED)
    bench.asker.values, bench.asker.agree = {"name": "cache"}, False
    bench.runner.trigger(RENAME, named(bench, "redis"))
    assert not bench.asker.filled[0].closed
    assert not bench.engine.calls


def test_what_was_typed_is_offered_again_after_a_failure(bench: Bench) -> None:
    bench.asker.values = {"name": "postgres"}
    bench.runner.trigger(RENAME, named(bench, "redis"))
    bench.wait()
    [notice] = bench.notices.shown
    assert notice.title == "The name is taken"
    bench.asker.values = {"name": "kv"}
    next(action for action in notice.actions if action.title == "Change…").run()
    assert bench.asker.forms[-1].values == {"name": "postgres"}
    bench.wait()
    assert any(row.name == "kv" for row in bench.engine.containers())


def test_failure_is_audited_shown_and_can_be_tried_again(bench: Bench) -> None:
    bench.engine.faults["stop"] = ConflictError("It will not stop", "busy", "Wait a little.")
    rows = named(bench, "redis")
    bench.runner.trigger(STOP, rows)
    bench.wait()
    [notice] = bench.notices.shown
    assert (notice.title, notice.hint) == ("It will not stop", "Wait a little.")
    assert bench.audit.entries[-1].outcome == "failed"
    assert "busy" in bench.audit.entries[-1].error
    del bench.engine.faults["stop"]
    notice.actions[0].run()
    bench.wait()
    assert bench.audit.entries[-1].outcome == "ok"
    assert len(bench.notices.shown) == 1


def test_several_failures_are_one_notice(bench: Bench) -> None:
    bench.engine.faults["stop"] = ConflictError("It will not stop", "busy")
    bench.runner.trigger(STOP, named(bench, "redis", "worker-1", "postgres"))
    bench.wait()
    [notice] = bench.notices.shown
    assert notice.title == "Stop: 3 of 3 failed"
    assert "redis: busy" in notice.detail


def test_success_of_many_is_told_once_and_results_are_handed_over(bench: Bench) -> None:
    results: list[Any] = []
    bench.runner.trigger(STOP, named(bench, "redis", "worker-1"), done=results.extend)
    bench.wait()
    assert [notice.title for notice in bench.notices.shown] == ["Stop: done"]
    assert results == [None, None]


def test_prune_tells_what_it_freed(bench: Bench) -> None:
    bench.runner.trigger(PRUNE)
    bench.wait()
    [notice] = bench.notices.shown
    assert notice.title == "Prune: done"
    assert "3 things" in notice.detail
    assert "MB" in notice.detail


def test_cancelling_a_waiting_call_leaves_no_audit_line(bench: Bench, qtbot: Any) -> None:
    rows = named(bench, "redis")
    with bench.engine.pause_on("stop"):
        bench.runner.trigger(STOP, rows)
        bench.runner.trigger(STOP, rows)
        newest = bench.jobs.visible()[0]
        newest.cancel()
    bench.wait()
    qtbot.waitUntil(lambda: not bench.runner._open, timeout=10_000)
    assert len(bench.audit.entries) == 1
    assert not bench.notices.shown


def test_retry_from_the_drawer_audits_again(bench: Bench) -> None:
    bench.engine.faults["stop"] = ConflictError("It will not stop")
    bench.runner.trigger(STOP, named(bench, "redis"))
    bench.wait()
    bench.engine.faults.clear()
    bench.jobs.retry(bench.jobs.visible()[0])
    bench.wait()
    assert [entry.outcome for entry in bench.audit.entries] == ["failed", "ok"]


def test_without_a_connection_nothing_is_done(bench: Bench) -> None:
    bench.session.environment = None
    assert bench.runner.refusal(PRUNE, []) == "No engine is connected."


def test_missing_capability_is_named(bench: Bench) -> None:
    bench.session.capabilities = frozenset()
    action = replace(STOP, needs="update")
    assert "does not support changing limits" in (
        bench.runner.refusal(action, named(bench, "redis")) or ""
    )


def test_action_without_plan_opens_its_handler_with_the_rows_it_suits(bench: Bench) -> None:
    opened: list[Any] = []
    action = replace(STOP, plan=None, danger=Danger.READS)
    rows = named(bench, "redis", "migrate")
    bench.runner.trigger(action, rows, handler=lambda chosen: opened.append(list(chosen)))
    assert opened == [[rows[0]]]
    with pytest.raises(LookupError):
        bench.runner.trigger(action, rows)


def test_equivalents_are_told_without_doing_anything(bench: Bench) -> None:
    rows = named(bench, "redis", "worker-1", "migrate")
    found = planning.equivalents(STOP, rows)
    assert planning.copy_text(found, "cli") == "docker stop redis\ndocker stop worker-1"
    assert planning.copy_text(found, "api") == ""
    assert planning.equivalents(RENAME, rows[:1])[0].cli == "docker rename redis redis"
    assert not bench.engine.calls
