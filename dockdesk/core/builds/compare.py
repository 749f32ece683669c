"""Two builds of one project beside each other: what got slower, what lost its cache, and why.

The reason is found, not guessed: BuildKit runs a step again where its instruction, its arguments, the files it copies
or anything before it changed, and the record has all of these. Where none of them did, it says so.
Source: https://docs.docker.com/build/cache/invalidation/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase

from dockdesk.core.builds.reasons import Change, Reasons
from dockdesk.core.builds.records import BuildRecord, FileMark, StepRecord
from dockdesk.core.builds.steps import Pairing
from dockdesk.core.masking import MASK
from dockdesk.core.records import dataclass

NOTICEABLE = 0.5  # seconds that a step must take longer to count as slower


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Paths of the context that differ, sorted. ``touched`` are those where nothing but the time does."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """What surely differs first."""
        return (*self.changed, *self.added, *self.removed, *self.touched)


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step in both builds; None where a build has it not.

    ``cache`` is kept, gained, lost, ran (as before), new, gone or unreached. ``reason`` says why it ran, ``root`` that
    it is where running again began; ``cause`` is the digest of the step where it did, its own for a root.
    """

    name: str
    before: StepRecord | None
    after: StepRecord | None
    cache: str
    reason: str = ""
    root: bool = False
    cause: str = ""

    @property
    def slower(self) -> float:
        """Seconds that it took longer than before; negative where it was faster."""
        return (self.after.seconds if self.after else 0.0) - (
            self.before.seconds if self.before else 0.0
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs. ``args``, ``bases`` and ``options`` are (name, before, after), with "" for: not there."""

    before: BuildRecord
    after: BuildRecord
    steps: tuple[StepChange, ...]
    files: FileChanges | None = None
    args: tuple[tuple[str, str, str], ...] = ()
    bases: tuple[tuple[str, str, str], ...] = ()
    options: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())

    def roots(self) -> tuple[StepChange, ...]:
        """Where running again began, in the order of the build."""
        return tuple(change for change in self.steps if change.root)

    def led_to(self, root: StepChange) -> tuple[StepChange, ...]:
        """The steps that ran again because of ``root``, without itself."""
        digest = root.after.digest if root.after else ""
        return tuple(
            change for change in self.steps if change.cause == digest and change is not root
        )

    def slower(self) -> tuple[StepChange, ...]:
        """Steps that took noticeably longer, the worst first."""
        found = [change for change in self.steps if change.after and change.slower >= NOTICEABLE]
        return tuple(sorted(found, key=lambda change: -change.slower))


def changed_files(before: Mapping[str, FileMark], after: Mapping[str, FileMark]) -> FileChanges:
    """What differs between two listings of the context."""
    both = [
        (path, mark, after[path])
        for path, mark in before.items()
        if path in after and mark != after[path]
    ]
    changed = [path for path, was, now in both if (was.size, was.mode) != (now.size, now.mode)]
    touched = [path for path, was, now in both if (was.size, was.mode) == (now.size, now.mode)]
    return FileChanges(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(changed)),
        tuple(sorted(touched)),
    )


def compare(
    before: BuildRecord, after: BuildRecord, files: FileChanges | None = None
) -> Comparison:
    """``files`` is None where one of the listings was not kept."""
    if files is not None:
        files = _comparable(files, before, after)
    args = differing(dict(before.spec.args), dict(after.spec.args))
    bases = _changed_bases(before, after)
    pairing = Pairing(before, after)
    reasons = Reasons(before, after, args, bases, _Copied(files))
    steps = [_change(reasons, pairing.before(step), step) for step in after.steps]
    steps += [StepChange(step.name, step, None, "gone") for step in pairing.left()]
    options = differing(_options(before), _options(after))
    return Comparison(
        before, after, tuple(steps), files, args, bases, options, _notes(before, after, files)
    )


def _change(reasons: Reasons, old: StepRecord | None, step: StepRecord) -> StepChange:
    if step.line < 0:
        return StepChange(step.name, old, step, "ran")
    if not step.reached:
        return StepChange(step.name, old, step, "unreached", "The build ended before it.")
    if step.cached:
        gained = old is not None and not old.cached
        return StepChange(step.name, old, step, "gained" if gained else "kept")
    why: Change = reasons.why(old, step)
    cache = "new" if old is None else "lost" if old.cached else "ran"
    return StepChange(step.name, old, step, cache, why.reason, why.root, why.cause)


class _Copied:
    """The changed files that a step takes; the paths are gone through once a step."""

    def __init__(self, files: FileChanges | None) -> None:
        self._paths = files.all() if files is not None else ()

    def __call__(self, sources: Sequence[str]) -> list[str]:
        return [path for path in self._paths if takes(sources, path)] if sources else []


def _comparable(files: FileChanges, before: BuildRecord, after: BuildRecord) -> FileChanges:
    """Without what only one of the builds asked for: BuildKit is told of those files alone that something takes."""
    if before.method != "buildkit" or after.method != "buildkit":
        return files
    was = [source for step in before.steps for source in step.sources]
    now = [source for step in after.steps for source in step.sources]
    if sorted(set(was)) == sorted(set(now)):
        return files
    return FileChanges(
        tuple(path for path in files.added if takes(was, path)),
        tuple(path for path in files.removed if takes(now, path)),
        files.changed,
        files.touched,
    )


def _changed_bases(before: BuildRecord, after: BuildRecord) -> tuple[tuple[str, str, str], ...]:
    """Images that are others now. Where a digest isn't known nothing can be said, but of what is new or gone."""
    was, now = dict(before.bases), dict(after.bases)
    return tuple(
        (name, was.get(name, ""), now.get(name, ""))
        for name in sorted(was.keys() | now.keys())
        if name not in was
        or name not in now
        or (was[name] and now[name] and was[name] != now[name])
    )


def _options(record: BuildRecord) -> dict[str, str]:
    spec = record.spec
    return {
        "target": spec.target,
        "platforms": ", ".join(spec.platforms),
        "builder": spec.builder,
        "method": record.method,
        "environment": record.environment,
        "network": spec.network,
        "without cache": "yes" if spec.no_cache else ", ".join(spec.no_cache_stages),
        "pull": "yes" if spec.pull else "",
    }


def _notes(before: BuildRecord, after: BuildRecord, files: FileChanges | None) -> tuple[str, ...]:
    notes = []
    if files is None and any(step.sources for step in after.steps):
        notes.append("The files of one of the contexts were not kept, so they aren't compared.")
    if before.method != after.method or before.spec.builder != after.spec.builder:
        notes.append("They were built by different builders, which share no cache.")
    elif before.environment != after.environment:
        notes.append("They were built by different engines, which share no cache.")
    if any(value == MASK for _name, value in (*before.spec.args, *after.spec.args)):
        notes.append("Values of arguments that look like secrets are not kept or compared.")
    return tuple(notes)


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


def differing(
    before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    """(name, before, after) of what differs, by name."""
    return tuple(
        (name, before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, "") != after.get(name, "")
    )
