"""Two builds of one project beside each other: what got slower, what lost its cache, and why.

The reason is found, not guessed: BuildKit runs a step again where its instruction, its arguments, the files it copies
or anything before it changed, and the record has all of these. Where none of them did, it says so.
Source: https://docs.docker.com/build/cache/invalidation/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from fnmatch import fnmatchcase

from dockdesk.core.builds.progress import parse_step_name
from dockdesk.core.builds.records import BuildRecord, FileMark, StepRecord
from dockdesk.core.records import dataclass

NAMED = 3  # files named in a reason; the rest are counted


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Paths of the context that differ, sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        return (*self.changed, *self.added, *self.removed)


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step in both builds; None where a build has it not. ``cache``: kept, gained, lost, ran or new.

    ``reason`` says why it ran although it had run before; ``root`` that it is where the loss began.
    """

    name: str
    before: StepRecord | None
    after: StepRecord | None
    cache: str
    reason: str = ""
    root: bool = False

    @property
    def slower(self) -> float:
        """Seconds that it took longer than before; negative where it was faster."""
        return (self.after.seconds if self.after else 0.0) - (
            self.before.seconds if self.before else 0.0
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs. ``args`` and ``bases`` are (name, before, after), with "" for: not there."""

    before: BuildRecord
    after: BuildRecord
    steps: tuple[StepChange, ...]
    files: FileChanges | None = None
    args: tuple[tuple[str, str, str], ...] = ()
    bases: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())


def changed_files(before: Mapping[str, FileMark], after: Mapping[str, FileMark]) -> FileChanges:
    """What differs between two listings of the context."""
    return FileChanges(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(path for path in before.keys() & after.keys() if before[path] != after[path])),
    )


def compare(
    before: BuildRecord, after: BuildRecord, files: FileChanges | None = None
) -> Comparison:
    """``files`` is None where one of the listings was not kept."""
    return _Comparing(before, after, files).result()


class _Comparing:
    def __init__(self, before: BuildRecord, after: BuildRecord, files: FileChanges | None) -> None:
        self.before, self.after, self.files = before, after, files
        self.args = _differing(dict(before.spec.args), dict(after.spec.args))
        self.bases = _differing(dict(before.bases), dict(after.bases))
        self.earlier = _Matches(before.steps)
        self.reran: dict[str, str] = {}  # stage → the first of its steps that ran

    def result(self) -> Comparison:
        steps: list[StepChange] = []
        matched: set[str] = set()
        for step in self.after.steps:
            old = self.earlier.of(step)
            if old:
                matched.add(old.name)
            steps.append(self._change(old, step))
        gone = [step for step in self.before.steps if step.name not in matched]
        steps += [StepChange(step.name, step, None, "gone") for step in gone]
        return Comparison(
            self.before, self.after, tuple(steps), self.files, self.args, self.bases, self._notes()
        )

    def _change(self, old: StepRecord | None, step: StepRecord) -> StepChange:
        if step.line < 0:
            return StepChange(step.name, old, step, "ran")
        if step.cached:
            gained = old is not None and not old.cached
            return StepChange(step.name, old, step, "gained" if gained else "kept")
        reason, root = self._reason(old, step)
        if step.keyword != "FROM":
            self.reran.setdefault(step.stage, step.name)
        if old is None:
            return StepChange(step.name, None, step, "new", reason, root)
        return StepChange(step.name, old, step, "lost" if old.cached else "ran", reason, root)

    def _reason(self, old: StepRecord | None, step: StepRecord) -> tuple[str, bool]:
        """Why a step ran, and whether the loss began here."""
        spec = self.after.spec
        if spec.no_cache or step.stage in spec.no_cache_stages:
            return "It was built without the cache, as asked.", True
        if step.keyword == "FROM":
            return self._base_reason(step)
        if first := self.reran.get(step.stage):
            return f"An earlier step ran again: {first}", False
        for other in (step.below, step.taken_from):
            if taken := self.reran.get(other):
                return f"Stage {other} changed: {taken}", False
        if old is None or _text(old.name) != _text(step.name):
            return "The instruction is new or has another text.", True
        if (base := self._stage_base(step)) is not None:
            return base, True
        if given := [item for item in self.args if item[0] in step.args]:
            name, was, now = given[0]
            return f"Build argument {name} changed from {_shown(was)} to {_shown(now)}.", True
        if copied := self._copied(step):
            named = ", ".join(copied[:NAMED])
            more = f" and {len(copied) - NAMED} more" if len(copied) > NAMED else ""
            return f"Changed in the build context: {named}{more}.", True
        if old.digest and step.digest and old.digest != step.digest:
            return "Something it builds on has another definition.", True
        return (
            "Nothing recorded changed: the cache was pruned, or another builder was used.",
            True,
        )

    def _base_reason(self, step: StepRecord) -> tuple[str, bool]:
        changed = [
            item for item in self.bases if item[0] == step.taken_from or item[0] in step.name
        ]
        if changed:
            return f"The base image is another one now: {changed[0][2] or 'unknown'}.", True
        return "The base image was fetched.", False

    def _stage_base(self, step: StepRecord) -> str | None:
        """That the image below the step's stage changed."""
        opening = [
            other
            for other in self.after.steps
            if other.stage == step.stage and other.keyword == "FROM"
        ]
        for name, _was, now in self.bases:
            if any(name == other.taken_from or name in other.name for other in opening):
                return f"The base image {name} is another one now: {now or 'unknown'}."
        return None

    def _copied(self, step: StepRecord) -> list[str]:
        if self.files is None:
            return []
        return [path for path in self.files.all() if takes(step.sources, path)]

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self.files is None and any(step.sources for step in self.after.steps):
            notes.append("The files of one of the contexts were not kept, so they aren't compared.")
        if self.before.method != self.after.method or (
            self.before.spec.builder != self.after.spec.builder
        ):
            notes.append("They were built by different builders, which share no cache.")
        return tuple(notes)


class _Matches:
    """Finds a step of the build before: by its text, else by its place, each at most once."""

    def __init__(self, steps: Iterable[StepRecord]) -> None:
        self._left = list(steps)

    def of(self, step: StepRecord) -> StepRecord | None:
        same = [old for old in self._left if _text(old.name) == _text(step.name)]
        found = next((old for old in same if old.stage == step.stage), None) or next(
            iter(same), None
        )
        if found is None and (place := _place(step)) is not None:
            found = next((old for old in self._left if _place(old) == place), None)
        if found is not None:
            self._left.remove(found)
        return found


def takes(sources: Iterable[str], path: str) -> bool:
    """Whether COPY of ``sources`` (paths or patterns in the context) takes the file at ``path``."""
    parts = path.split("/")
    for source in sources:
        cleaned = [part for part in source.split("/") if part not in ("", ".")]
        if not cleaned or (
            len(cleaned) <= len(parts)
            and all(
                fnmatchcase(part, pattern) for part, pattern in zip(parts, cleaned, strict=False)
            )
        ):
            return True
    return False


def _text(name: str) -> str:
    parsed = parse_step_name(name)
    return parsed.text if parsed else name


def _place(step: StepRecord) -> tuple[str, str, int] | None:
    parsed = parse_step_name(step.name)
    return (parsed.stage, step.keyword, parsed.number) if parsed else None


def _shown(value: str) -> str:
    return f"“{value}”" if value else "nothing"


def _differing(
    before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (name, before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, "") != after.get(name, "")
    )
