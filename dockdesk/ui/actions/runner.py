"""Carries out an action the same way wherever it was asked for: button, menu, shortcut or palette."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.jobs import Job, Jobs, JobState
from dockdesk.core.actions import Action, AuditEntry, Call, Danger, Equivalent, Values
from dockdesk.core.environments import Confirmation, Environment
from dockdesk.core.errors import CancelledError, DockDeskError, InvalidInputError
from dockdesk.core.work import Work
from dockdesk.ui.actions import planning
from dockdesk.ui.actions.planning import job_title, plain_title
from dockdesk.ui.actions.questions import Asker, FilledForm, FormRequest, Question
from dockdesk.ui.actions.results import Summary, summary_of
from dockdesk.ui.context import NoticeAction

if TYPE_CHECKING:
    from dockdesk.ui.actions.audit import AuditLog
    from dockdesk.ui.context import Notices


Done = Callable[[Sequence[Any]], None]
Shown = Callable[[DockDeskError], bool]
"""Whether a failure is shown where it happened, so that no notice has to tell of it."""


class Connected(Protocol):
    """What the runner asks of a session: where it is connected, and the backend that calls are made on."""

    @property
    def environment(self) -> Environment | None: ...

    @property
    def backend(self) -> Any: ...

    @property
    def capabilities(self) -> frozenset[str]: ...


class _Run:
    """One call under way, or over: its outcome and, measured on the worker's thread, how long it took."""

    def __init__(self, call: Call, title: str) -> None:
        self.call = call
        self.title = title
        self.state = JobState.QUEUED
        self.at = 0.0
        self.duration = 0.0
        self.result: Any = None
        self.error: DockDeskError | None = None
        self.job: Job | None = None


class _Trigger:
    """What was asked for."""

    def __init__(
        self,
        action: Action[Any],
        rows: Sequence[Any],
        done: Done | None,
        edit: Callable[[], None] | None = None,
        shown: Shown | None = None,
    ) -> None:
        self.action = action
        self.rows = rows
        self.done = done
        self.edit = edit
        self.shown = shown


class _Batch:
    """The calls of one trigger. ``edit`` opens the form again with what was typed, where there was one."""

    def __init__(
        self,
        action: Action[Any],
        environment: Environment,
        backend: Any,
        runs: Sequence[_Run],
        done: Done | None,
        edit: Callable[[], None] | None,
        shown: Shown | None = None,
    ) -> None:
        self.action = action
        self.shown = shown
        self.environment = environment
        self.backend = backend
        self.runs = runs
        self.done = done
        self.edit = edit
        self.told = False
        self._left = len(runs)

    @property
    def over(self) -> bool:
        return not self._left

    def end(self, run: _Run, state: JobState) -> None:
        """Note how a call ended; one that was tried again ends again."""
        if not run.state.over:
            self._left -= 1
        run.state = state


class ActionRunner(QObject):
    """Guard → form → confirmation → one job a call → audit line → notice.

    ``confirmation`` says how a danger is asked about; an environment's own rule by default.
    ``finished(action, targets)`` tells which resources (ResourceRefs) an action has changed, also where a part failed:
    what shows them reads them back.
    """

    finished = Signal(object, object)

    def __init__(
        self,
        jobs: Jobs,
        session: Connected,
        audit: AuditLog,
        notices: Notices,
        asker: Asker,
        confirmation: Callable[[Environment, Danger], Confirmation] = Environment.confirmation,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._confirmation = confirmation
        self._jobs = jobs
        self._session = session
        self._audit = audit
        self._notices = notices
        self._asker = asker
        self._open: dict[int, tuple[_Batch, _Run]] = {}
        jobs.job_changed.connect(self._on_job_changed)

    def refusal(self, action: Action[Any], rows: Sequence[Any]) -> str | None:
        """Why the action can't be done now, in one sentence for a tooltip, or None where it can."""
        session = self._session
        return planning.refusal(action, rows, session.environment, session.capabilities)

    def trigger(
        self,
        action: Action[Any],
        rows: Sequence[Any] = (),
        values: Values | None = None,
        *,
        handler: Callable[[Sequence[Any]], None] | None = None,
        done: Done | None = None,
        edit: Callable[[], None] | None = None,
        filled: FilledForm | None = None,
        shown: Shown | None = None,
    ) -> None:
        """Do ``action`` to ``rows``.

        ``values`` stand for a form that is filled in already: ``filled`` is that form, which stays until the action
        begins, and ``edit`` opens it again if the action fails. ``handler`` is what an action without a plan opens;
        ``done`` gets the calls' results, in order, if all of them succeeded. ``shown`` is asked whether the failure of
        a single call is shown already.
        """
        if (reason := self.refusal(action, rows)) is not None:
            self._refuse(action, reason, filled)
            return
        if action.plan is None:
            self._open_handler(action, rows, handler)
            return
        if action.form is None or values is not None:
            self._plan(_Trigger(action, rows, done, edit, shown), values or {}, filled)
        else:
            self._fill_in(_Trigger(action, rows, done, shown=shown), {})

    def run(
        self, action: Action[Any], calls: Sequence[Call], done: Done | None = None
    ) -> list[Job]:
        """Run calls that are planned and confirmed already (by a dialog of its own, or dropped files) as ``action``.

        The guard still holds; returns the jobs, none where it refuses.
        """
        environment = self._session.environment
        if environment is None:
            self._refuse(action, "No engine is connected.")
            return []
        if (reason := environment.refusal(action.danger)) is not None:
            self._refuse(action, reason)
            return []
        return self._start(action, environment, calls, done, None)

    def _start(
        self,
        action: Action[Any],
        environment: Environment,
        calls: Sequence[Call],
        done: Done | None,
        edit: Callable[[], None] | None,
        shown: Shown | None = None,
    ) -> list[Job]:
        bound = planning.bound(calls, environment)
        runs = [_Run(call, job_title(action, call)) for call in bound]
        batch = _Batch(action, environment, self._session.backend, runs, done, edit, shown)
        return [self._submit(batch, run) for run in runs]

    def _open_handler(
        self,
        action: Action[Any],
        rows: Sequence[Any],
        handler: Callable[[Sequence[Any]], None] | None,
    ) -> None:
        if handler is None:
            raise LookupError(f"{action.id} has neither a plan nor a handler")
        handler(action.applicable(rows) if action.on_rows else rows)

    def _fill_in(self, trigger: _Trigger, values: Values) -> None:
        """Ask for the action's form, with ``values`` in it."""
        action, rows = trigger.action, trigger.rows
        if action.form is None:
            return
        request = FormRequest(
            action,
            action.form(action.applicable(rows) if action.on_rows else rows),
            self._session.backend,
            lambda typed: _preview(action, rows, typed),
            values,
        )
        self._asker.form(request, lambda filled: self._plan(trigger, filled.values, filled))

    def _plan(self, trigger: _Trigger, values: Values, filled: FilledForm | None) -> None:
        """Work out the calls, have them confirmed where that is due, and run them."""
        action, rows = trigger.action, trigger.rows
        environment = self._session.environment
        if environment is None:
            self._refuse(action, "No engine is connected.", filled)
            return
        try:
            calls = planning.calls(action, rows, values, environment)
        except DockDeskError as error:
            if filled is not None:
                filled.failed(error)
            else:
                self._notices.failure(error)
            return

        def begin() -> None:
            self._begin(trigger, environment, calls, values, filled)

        kind = self._confirmation(environment, action.danger_to(len(calls)))
        if kind is Confirmation.NONE or not calls:
            begin()
            return
        chosen = action.applicable(rows) if action.on_rows else list(rows)
        question = Question(
            action,
            tuple(dict.fromkeys(call.target.name or call.target.id for call in calls)),
            len(rows) - len(chosen),
            action.consequence(chosen) if action.consequence is not None else "",
            environment,
            kind,
            tuple(dict.fromkeys(call.equivalent for call in calls)),
        )
        self._asker.confirm(question, begin)

    def _begin(
        self,
        trigger: _Trigger,
        asked: Environment,
        calls: Sequence[Call],
        values: Values,
        filled: FilledForm | None,
    ) -> None:
        action = trigger.action
        current = self._session.environment
        if current is None or current.id != asked.id:
            self._refuse(action, f"“{asked.name}” is no longer the connected environment.", filled)
            return
        if (reason := current.refusal(action.danger)) is not None:
            self._refuse(action, reason, filled)
            return
        if filled is not None:
            filled.done()
        edit = trigger.edit
        if edit is None and filled is not None:
            edit = partial(self._fill_in, trigger, values)
        self._start(action, current, calls, trigger.done, edit, trigger.shown)

    def _refuse(self, action: Action[Any], reason: str, filled: FilledForm | None = None) -> None:
        title = f"{plain_title(action)}: not possible"
        if filled is not None:
            filled.failed(DockDeskError(title, reason))
        else:
            self._notices.show(title, reason, tone="warn")

    def _submit(self, batch: _Batch, run: _Run) -> Job:
        danger = batch.action.danger

        def work(work: Work) -> Any:
            run.at = time.time()
            start = time.monotonic()
            try:
                self._guard(batch.environment).check(danger)
                return run.call.run(batch.backend, work)
            finally:
                run.duration = time.monotonic() - start

        job = self._jobs.submit(
            self,
            work,
            lambda result: self._settle(batch, run, JobState.DONE, result=result),
            lambda error: self._on_failed(batch, run, error),
            lane=batch.environment.id,
            order=run.call.target.key if danger is not Danger.READS else "",
            title=run.title,
            long=True,
            retryable=True,
        )
        run.job = job
        self._open[job.number] = (batch, run)
        return job

    def _guard(self, asked: Environment) -> Environment:
        """The environment as it is marked now: its guard may have changed while the call waited. Any thread."""
        current = self._session.environment
        return current if current is not None and current.id == asked.id else asked

    def _on_failed(self, batch: _Batch, run: _Run, error: DockDeskError) -> None:
        cancelled = isinstance(error, CancelledError)
        state = JobState.CANCELLED if cancelled else JobState.FAILED
        self._settle(batch, run, state, error=None if cancelled else error)

    def _on_job_changed(self, job: Job) -> None:
        """A job cancelled before it began has no callback: it ran nothing, so it leaves no audit line either."""
        if job.state is not JobState.CANCELLED or job.number not in self._open:
            return
        batch, run = self._open.pop(job.number)
        if not run.state.over:
            batch.end(run, JobState.CANCELLED)
            self._tell(batch)

    def _settle(
        self,
        batch: _Batch,
        run: _Run,
        state: JobState,
        result: Any = None,
        error: DockDeskError | None = None,
    ) -> None:
        batch.end(run, state)
        run.result, run.error = result, error
        if run.job is not None:
            self._open.pop(run.job.number, None)
        outcome = {JobState.DONE: "ok", JobState.FAILED: "failed"}.get(state, "cancelled")
        self._audit.record(
            AuditEntry(
                at=run.at,
                environment=batch.environment.name,
                action=batch.action.id,
                title=run.title,
                target=run.call.target.name or run.call.target.id,
                equivalent=run.call.equivalent,
                outcome=outcome,
                error=str(error) if error is not None else "",
                duration=run.duration,
            )
        )
        self._tell(batch)

    def _tell(self, batch: _Batch) -> None:
        """Once all calls are over: read back what changed, and say what the user must know."""
        if not batch.over:
            return
        first, batch.told = not batch.told, True
        self.finished.emit(batch.action, tuple(run.call.target for run in batch.runs))
        failed = [run for run in batch.runs if run.error is not None]
        if failed:
            self._tell_failures(batch, failed)
        elif all(run.state is JobState.DONE for run in batch.runs):
            results = [run.result for run in batch.runs]
            if (summary := summary_of(plain_title(batch.action), results)) is not None:
                self._show(summary)
            if batch.done is not None and first:
                batch.done(results)

    def _tell_failures(self, batch: _Batch, failed: Sequence[_Run]) -> None:
        error = failed[0].error
        alone = error if len(batch.runs) == 1 else None
        if alone is not None and batch.shown is not None and batch.shown(alone):
            return
        actions = []
        if not isinstance(error, InvalidInputError):
            actions.append(NoticeAction("Try again", lambda: self._retry(batch, failed)))
        if batch.edit is not None:
            actions.append(NoticeAction("Change…", batch.edit))
        if len(batch.runs) == 1 and error is not None:
            self._notices.failure(error, actions)
            return
        lines = [
            f"{run.call.target.name or run.call.target.id}: {run.error.detail or run.error.title}"
            for run in failed
            if run.error is not None
        ]
        shown = lines[:5] + ([f"… and {len(lines) - 5} more"] if len(lines) > 5 else [])
        self._notices.show(
            f"{plain_title(batch.action)}: {len(failed)} of {len(batch.runs)} failed",
            "\n".join(shown),
            error.hint if error is not None else "",
            tone="bad",
            actions=actions,
        )

    def _retry(self, batch: _Batch, failed: Sequence[_Run]) -> None:
        current = self._session.environment
        calls = [run.call for run in failed]
        if current is None or current.id != batch.environment.id:
            name = batch.environment.name
            self._refuse(batch.action, f"“{name}” is no longer the connected environment.")
        elif (reason := current.refusal(batch.action.danger)) is not None:
            self._refuse(batch.action, reason)
        else:
            self._start(batch.action, current, calls, batch.done, batch.edit, batch.shown)

    def _show(self, summary: Summary) -> None:
        self._notices.show(summary.title, summary.detail, tone=summary.tone)


def _preview(action: Action[Any], rows: Sequence[Any], values: Values) -> Sequence[Equivalent]:
    """The equivalents of what is typed so far; none while that can't be used."""
    try:
        return planning.equivalents(action, rows, values)
    except DockDeskError:
        return ()
