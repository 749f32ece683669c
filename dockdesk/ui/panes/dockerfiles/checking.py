"""Checks while it is typed: own rules first, hadolint next, the engine's checks once the typing rests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.builds import BuildSpec, BuildWarning
from dockdesk.core.work import Work
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.lint.engine_checks import from_warnings
from dockdesk.dockerfile.problems import Problem
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.document import Analysis, OpenDocument

if TYPE_CHECKING:
    from pathlib import Path

    from dockdesk.dockerfile.lint.ignores import Ignores

_OWN_MS = 150
_ENGINE_MS = 1500
_LANE = "lint"


class Checker(QObject):
    """Checks one document. A check of an older text is ended as soon as there is a newer one."""

    def __init__(self, context: UiContext, document: OpenDocument) -> None:
        super().__init__(document)
        self._context = context
        self._document = document
        self._own: tuple[Problem, ...] = ()
        self._others: dict[
            str, tuple[str, Sequence[Problem]]
        ] = {}  # source → its text and findings
        self._silenced: Ignores | None = None
        self._read = Analysis("")  # the newest reading
        self._own_timer = self._timer(_OWN_MS, self.check)
        self._engine_timer = self._timer(_ENGINE_MS, self._check_with_engine)
        document.changed.connect(self._on_changed)
        document.moved.connect(self._on_changed)
        context.session.state_changed.connect(self._on_state_changed)

    def _timer(self, interval: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def stop(self) -> None:
        """Check no more."""
        self._own_timer.stop()
        self._engine_timer.stop()
        self._context.session.state_changed.disconnect(self._on_state_changed)

    def check(self) -> None:
        """Check now."""
        self._own_timer.stop()
        document = self._document
        text, kind = document.text(), document.kind
        folder = document.path.parent if document.path is not None else document.project
        jobs = self._context.jobs
        jobs.submit(
            self,
            lambda _work: _read(text, kind, folder),
            self._on_own,
            question="own",
            lane=_LANE,
        )
        if kind == kinds.DOCKERFILE:
            jobs.submit(
                self,
                lambda work: _hadolint(text, folder, work),
                partial(self._on_hadolint, text),
                _quietly,
                question="hadolint",
                lane="hadolint",
            )
            self._engine_timer.start()

    def _check_with_engine(self) -> None:
        session, document = self._context.session, self._document
        engine, folder = session.engine, document.context_folder
        path = document.path
        if engine is None or "buildkit" not in session.capabilities or path is None or not folder:
            return
        if not document.editor.isVisible() or not document.text().strip():
            return
        text = document.text()
        spec = BuildSpec(folder, str(path), text)

        def work(work: Work) -> list[BuildWarning] | None:
            return engine.check(spec, work)

        self._context.jobs.submit(
            self,
            work,
            partial(self._on_engine, text),
            _quietly,
            question="engine",
            lane=_LANE,
            long=True,
        )

    def _on_changed(self) -> None:
        self._own_timer.start()
        self._engine_timer.stop()

    def _on_state_changed(self, _state: object) -> None:
        if self._document.kind == kinds.DOCKERFILE:
            self._engine_timer.start()

    def _on_own(self, found: tuple[Analysis, Ignores | None]) -> None:
        self._read, self._silenced = found
        self._own = self._read.problems
        self._show()

    def _on_hadolint(self, text: str, problems: Sequence[Problem]) -> None:
        self._others["hadolint"] = (text, problems)
        self._show()

    def _on_engine(self, text: str, warnings: Sequence[BuildWarning] | None) -> None:
        if self._read.text == text and self._read.document is not None:
            found = from_warnings(self._read.document, warnings or ())
            self._others["engine"] = (text, found)
            self._show()

    def _show(self) -> None:
        analysis, own, silenced = self._read, self._own, self._silenced
        read = analysis.document
        if read is None:
            self._document.set_analysis(Analysis(analysis.text, None, own))
            return
        others = list(self._others.values())

        def work(_work: Work) -> list[Problem]:
            from dockdesk.dockerfile.lint.merge import merge

            moved = [carried(problems, text, analysis.text) for text, problems in others]
            return merge(read, own, *moved, ignores=silenced)

        def done(found: Sequence[Problem]) -> None:
            self._document.set_analysis(Analysis(analysis.text, read, tuple(found)))

        self._context.jobs.submit(self, work, done, question="merge", lane=_LANE)


def _read(text: str, kind: str, folder: Path | None) -> tuple[Analysis, Ignores | None]:
    if kind == kinds.IGNORE:
        return Analysis(text, None, _ignore_problems(text)), None
    if kind != kinds.DOCKERFILE:
        return Analysis(text), None
    from dockdesk.dockerfile.lint import rules
    from dockdesk.dockerfile.lint.ignores import load
    from dockdesk.dockerfile.syntax import parse

    document = parse(text)
    silenced = load(folder) if folder is not None else None
    return Analysis(text, document, tuple(rules.check(document, ignores=silenced))), silenced


def _hadolint(text: str, folder: Path | None, work: Work) -> list[Problem]:
    from dockdesk.dockerfile.lint import hadolint

    return hadolint.run(text, folder, work)


def _ignore_problems(text: str) -> tuple[Problem, ...]:
    """What an engine would refuse the whole build for."""
    lines = text.split("\n")
    return tuple(
        Problem(
            found.line,
            0,
            found.line,
            len(lines[found.line]),
            "ignore-pattern",
            "bad",
            f"“{found.pattern}” is no pattern: {found.message}",
            "The engine refuses to build with it.",
        )
        for found in IgnoreRules.parse(text).problems
    )


def carried(problems: Sequence[Problem], before: str, after: str) -> tuple[Problem, ...]:
    """Problems of an older text where they would be in a newer one: those in lines that changed are left out."""
    if before == after:
        return tuple(problems)
    old, new = before.split("\n"), after.split("\n")
    least = min(len(old), len(new))
    head = 0
    while head < least and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < least - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    by = len(new) - len(old)
    kept = []
    for problem in problems:
        if problem.end_line < head:
            kept.append(problem)
        elif problem.line >= len(old) - tail:
            kept.append(_moved(problem, by))
    return tuple(kept)


def _moved(problem: Problem, by: int) -> Problem:
    from dataclasses import replace

    fixes = tuple(
        replace(
            fix,
            edits=tuple(
                replace(edit, line=edit.line + by, end_line=edit.end_line + by)
                for edit in fix.edits
            ),
        )
        for fix in problem.fixes
    )
    return replace(problem, line=problem.line + by, end_line=problem.end_line + by, fixes=fixes)


def _quietly(_error: DockDeskError) -> None:
    """A file that can't be checked now is checked at its next change; a build says why it fails."""
