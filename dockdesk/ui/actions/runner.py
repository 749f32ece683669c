"""Carries out an action the same way wherever it was asked for: button, menu, shortcut or palette."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.jobs import Job, Jobs, JobState
from dockdesk.core.actions import Action, AuditEntry, Call, Danger, Values
from dockdesk.core.environments import Confirmation, Environment
from dockdesk.core.errors import CancelledError, DockDeskError, InvalidInputError
from dockdesk.core.work import Work
from dockdesk.ui.actions import planning
from dockdesk.ui.actions.planning import job_title, plain_title
from dockdesk.ui.actions.questions import Asker, Question
from dockdesk.ui.actions.results import Summary, summary_of
from dockdesk.ui.context import NoticeAction

if TYPE_CHECKING:
    from dockdesk.ui.actions.audit import AuditLog
    from dockdesk.ui.context import Notices

_log = logging.getLogger(__name__)

Done = Callable[[Sequence[Any]], None]


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


class _Batch:
    """The calls of one trigger."""

    def __init__(
        self,
        action: Action[Any],
        environment: Environment,
        backend: Any,
        runs: Sequence[_Run],
        done: Done | None,
    ) -> None:
        self.action = action
        self.environment = environment
        self.backend = backend
        self.runs = runs
        self.done = done
        self.told = False

    @property
    def over(self) -> bool:
        return all(run.state.over for run in self.runs)


class ActionRunner(QObject):
    """Guard → form → confirmation → one job a call → audit line → notice.

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
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
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
    ) -> None:
        """Do ``action`` to ``rows``.

        ``values`` stand for a form that is filled in already; ``handler`` is what an action without a plan opens;
        ``done`` gets the calls' results, in order, if all of them succeeded.
        """
        if (reason := self.refusal(action, rows)) is not None:
            self._notices.show(f"{plain_title(action)}: not possible", reason, tone="warn")
            return
        if action.plan is None:
            self._open_handler(action, rows, handler)
            return
        if action.form is None or values is not None:
            self._plan(action, rows, values or {}, done)
            return
        self._asker.form(
            action.form(action.applicable(rows) if action.on_rows else rows),
            self._session.backend,
            lambda typed: planning.equivalents(action, rows, typed),
            lambda typed: self._plan(action, rows, typed, done),
        )

    def run(
        self, action: Action[Any], calls: Sequence[Call], done: Done | None = None
    ) -> list[Job]:
        """Run calls that are planned and confirmed already (by a dialog of its own, or dropped files) as ``action``.

        The guard still holds; returns the jobs, none where it refuses.
        """
        environment = self._session.environment
        if environment is None:
            self._notices.show(f"{plain_title(action)}: not possible", "No engine is connected.")
            return []
        if (reason := environment.refusal(action.danger)) is not None:
            self._notices.show(f"{plain_title(action)}: not possible", reason, tone="warn")
            return []
        bound = planning.bound(calls, environment)
        runs = [_Run(call, job_title(action, call)) for call in bound]
        batch = _Batch(action, environment, self._session.backend, runs, done)
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

    def _plan(
        self, action: Action[Any], rows: Sequence[Any], values: Values, done: Done | None
    ) -> None:
        environment = self._session.environment
        if environment is None:
            self._notices.show(f"{plain_title(action)}: not possible", "No engine is connected.")
            return
        try:
            calls = planning.calls(action, rows, values, environment)
        except DockDeskError as error:
            self._notices.failure(error)
            return
        kind = environment.confirmation(action.danger)
        if kind is Confirmation.NONE or not calls:
            self.run(action, calls, done)
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
        self._asker.confirm(question, lambda: self._run_if_same(action, calls, environment, done))

    def _run_if_same(
        self, action: Action[Any], calls: Sequence[Call], asked: Environment, done: Done | None
    ) -> None:
        current = self._session.environment
        if current is None or current.id != asked.id:
            self._notices.show(
                f"{plain_title(action)}: not done",
                f"“{asked.name}” is no longer the connected environment.",
                tone="warn",
            )
            return
        self.run(action, calls, done)

    def _submit(self, batch: _Batch, run: _Run) -> Job:
        danger = batch.action.danger

        def work(work: Work) -> Any:
            run.at = time.time()
            start = time.monotonic()
            try:
                self._guard(batch.environment).check(danger)
                return run.call.run(batch.backend, work)
            except DockDeskError:
                if work.cancelled:
                    raise CancelledError from None
                raise
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
            run.state = JobState.CANCELLED
            self._tell(batch)

    def _settle(
        self,
        batch: _Batch,
        run: _Run,
        state: JobState,
        result: Any = None,
        error: DockDeskError | None = None,
    ) -> None:
        run.state, run.result, run.error = state, result, error
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
        again = NoticeAction("Try again", lambda: self._retry(batch, failed))
        error = failed[0].error
        if len(batch.runs) == 1 and error is not None:
            self._notices.failure(error, [] if isinstance(error, InvalidInputError) else [again])
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
            actions=[again],
        )

    def _retry(self, batch: _Batch, failed: Sequence[_Run]) -> None:
        self.run(batch.action, [run.call for run in failed], batch.done)

    def _show(self, summary: Summary) -> None:
        self._notices.show(summary.title, summary.detail, tone=summary.tone)
