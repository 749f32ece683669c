"""Checks while it is typed: own rules first, hadolint next, the engine's checks once the typing rests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from dockdesk.bridge.call import Call
from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.builds import BuildSpec, BuildWarning
from dockdesk.core.work import Work
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.lint.engine_checks import from_warnings
from dockdesk.dockerfile.problems import Problem
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.document import Analysis, OpenDocument
from dockdesk.ui.panes.dockerfiles.reading import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from dockdesk.dockerfile.lint.ignores import Ignores

_OWN_MS = 100
_ENGINE_MS = 1500
_LANE = "lint"
_LONG_LINES = 400
_LONG_YAML = 50_000  # characters
_YAML = frozenset({kinds.COMPOSE, kinds.YAML})
_RULES = "dockdesk.dockerfile.lint.checked"


class Checker(QObject):
    """Checks one document. A check of an older text is ended as soon as there is a newer one."""

    def __init__(self, context: UiContext, document: OpenDocument, reader: Reader) -> None:
        super().__init__(document)
        self._context = context
        self._document = document
        self._reader = reader
        self._own: Sequence[Problem] = ()
        self._hadolint: tuple[str, Sequence[Problem]] = ("", ())  # of which text
        self._warnings: tuple[str, Sequence[BuildWarning]] = ("", ())
        self._silenced: Ignores | None = None
        self._read: str | None = None  # the text that the own rules have read
        self._own_timer = self._timer(_OWN_MS, self.check)
        self._engine_timer = self._timer(_ENGINE_MS, self._check_with_engine)
        document.changed.connect(self._on_changed)
        document.moved.connect(self._on_changed)
        document.built_changed.connect(self._show)
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
        if kind != kinds.DOCKERFILE:
            jobs.submit(
                self,
                _other_call(text, kind),
                lambda found: document.set_analysis(Analysis(text, None, tuple(found))),
                question="own",
                lane=_LANE,
                process=len(text) > _LONG_YAML and kind in _YAML,
            )
            return
        # A long file's rules would take frames from the window; a short one's are done before a process is asked.
        apart = text.count("\n") > _LONG_LINES and _RULES in sys.modules
        jobs.submit(
            self,
            _call(text, folder) if apart else lambda work: _call(text, folder)(work),
            partial(self._on_own, text),
            question="own",
            lane=_LANE,
            process=apart,
        )
        jobs.submit(
            self,
            lambda work: _hadolint(text, folder, work, self._reader),
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

    def _on_own(self, text: str, found: tuple[Sequence[Problem], Ignores]) -> None:
        self._own, self._silenced = found
        self._read = text
        self._show()

    def _on_hadolint(self, text: str, problems: Sequence[Problem]) -> None:
        self._hadolint = (text, problems)
        self._show()

    def _on_engine(self, text: str, warnings: Sequence[BuildWarning] | None) -> None:
        self._warnings = (text, tuple(warnings or ()))
        self._show()

    def _show(self) -> None:
        """Put together what all have found, for the text that the own rules have read."""
        if self._read is None:
            return
        text, own, silenced = self._read, self._own, self._silenced
        hadolint, warnings, reader = self._hadolint, self._warnings, self._reader
        built = self._document.built

        def work(_work: Work) -> Analysis:
            from dockdesk.dockerfile.lint.merge import merge

            document = reader.read(text)
            others = [carried(hadolint[1], hadolint[0], text)]
            if warnings[1]:
                theirs = from_warnings(reader.read(warnings[0]), warnings[1])
                others.append(carried(theirs, warnings[0], text))
            if built.problems or built.warnings:
                said = from_warnings(reader.read(built.text), built.warnings)
                others.append(carried([*built.problems, *said], built.text, text))
            return Analysis(text, document, tuple(merge(document, own, *others, ignores=silenced)))

        self._context.jobs.submit(
            self, work, self._document.set_analysis, question="merge", lane=_LANE
        )


def _call(text: str, folder: Path | None) -> Call:
    """Imports the rules, which takes more than a frame: the first time on a worker."""
    from dockdesk.dockerfile.lint.checked import check_text

    return Call(check_text, (text, folder))


def _hadolint(text: str, folder: Path | None, work: Work, reader: Reader) -> list[Problem]:
    from dockdesk.dockerfile.lint import hadolint

    return hadolint.run(text, folder, work, reader.read)


def _other_call(text: str, kind: str) -> Callable[[Work], Sequence[Problem]]:
    if kind not in _YAML:
        return lambda _work: _other_problems(text, kind)
    from dockdesk.dockerfile.yaml_text import check_yaml  # what it reads with, it imports there

    return Call(check_yaml, (text,))


def _other_problems(text: str, kind: str) -> tuple[Problem, ...]:
    return ignore_problems(text) if kind == kinds.IGNORE else ()


def ignore_problems(text: str) -> tuple[Problem, ...]:
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
