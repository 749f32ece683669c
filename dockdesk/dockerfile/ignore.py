"""What .dockerignore leaves out of the build context, file by file as the engine receives it.

The rules are those of moby/patternmatcher (`ignorefile.ReadAll`, `PatternMatcher.MatchesUsingParentResults`) in the way
in which tonistiigi/fsutil (BuildKit's FileSync) and the classic build's tar writer use them; the two differ in what a
walk skips. The language: https://docs.docker.com/build/concepts/context/#dockerignore-files.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.dockerfile.gopattern import WHITE, BadPatternError, Compiled, clean, compile_pattern

LINE_LIMIT = 64 * 1024  # bytes; bufio.Scanner's, beyond which an engine refuses the file

State: TypeAlias = tuple[bool, ...]
"""What a folder matched: one truth for each run of patterns of the same sign. () above the context's root."""


Picks: TypeAlias = tuple[int, ...]
"""As a State, with the number of the pattern in the place of True, and -1 in that of False."""


class IgnoreProblem(NamedTuple):
    """A line (from 0) that makes an engine refuse the build, or that can't ever match."""

    line: int
    pattern: str
    message: str


class Pattern(NamedTuple):
    """One usable pattern. ``text`` is cleaned and without its `!`; ``line`` counts from 0."""

    text: str
    exception: bool
    line: int
    compiled: Compiled


class _Run:
    """Neighbouring patterns of the same sign, matched as one: that is what makes 100,000 files quick.

    Within a run the first match decides, so that the order inside it has no effect.
    """

    def __init__(self, patterns: Sequence[Pattern], first: int = 0) -> None:
        self.exception = patterns[0].exception
        self._patterns = patterns
        self._first = first
        by_kind: dict[str, list[str]] = {"exact": [], "prefix": [], "suffix": [], "regexp": []}
        for pattern in patterns:
            by_kind[pattern.compiled.kind].append(pattern.compiled.text)
        suffixes = by_kind["suffix"]
        self._names = frozenset(by_kind["exact"]) | {
            suffix[1:] for suffix in suffixes if suffix.startswith("/")
        }
        self._prefixes = tuple(by_kind["prefix"])
        self._suffixes = tuple(suffixes)
        expressions = by_kind["regexp"]
        together = "|".join(f"(?:{expression})" for expression in expressions)
        self._search = re.compile(together, re.ASCII).search if expressions else None

    def matches(self, path: str) -> bool:
        return (
            path in self._names
            or path.startswith(self._prefixes)
            or path.endswith(self._suffixes)
            or (self._search is not None and self._search(path) is not None)
        )

    def pick(self, path: str) -> int:
        """The number, in the whole list, of the first pattern that matches; -1 where none does."""
        if not self.matches(path):
            return -1
        for number, pattern in enumerate(self._patterns, self._first):
            if pattern.compiled.matcher()(path):
                return number
        return self._first


class PatternList:
    """A list of patterns as moby/patternmatcher holds it; serves a FileSync request's include patterns too."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = tuple(patterns)
        runs: list[list[Pattern]] = []
        for pattern in self.patterns:
            if not runs or runs[-1][0].exception != pattern.exception:
                runs.append([])
            runs[-1].append(pattern)
        self._runs = []
        first = 0
        for run in runs:
            self._runs.append(_Run(run, first))
            first += len(run)
        self.has_exceptions = any(pattern.exception for pattern in self.patterns)

    @classmethod
    def of(cls, patterns: Iterable[str]) -> PatternList:
        """From patterns that were read already, such as those of a FileSync request.

        Raises InvalidInputError where the engine's own code would refuse them.
        """
        made = []
        for line, text in enumerate(patterns):
            try:
                pattern = _pattern(text, line)
            except BadPatternError as error:
                raise InvalidInputError(f"The pattern {text!r} is malformed", str(error)) from error
            if pattern is not None:
                made.append(pattern)
        return cls(made)

    def step(self, path: str, parent: State = ()) -> tuple[bool, State]:
        """Whether ``path`` matches, and what to hand to the entries of the folder that it is.

        ``path`` has slashes and is relative to the context; ``parent`` is its folder's state, or () where the folder
        is the context itself.
        """
        matched = False
        state = []
        for index, run in enumerate(self._runs):
            match = bool(parent) and parent[index]
            if not match and run.exception == matched:
                match = run.matches(path)
            state.append(match)
            if match:
                matched = not run.exception
        return matched, tuple(state)

    def pick(self, path: str, parent: Picks = ()) -> tuple[bool, Picks, int]:
        """As `step`, and with the number of the pattern that had the last word (-1: none had any)."""
        matched = False
        picks = []
        decided = -1
        for index, run in enumerate(self._runs):
            pick = parent[index] if parent else -1
            if pick < 0 and run.exception == matched:
                pick = run.pick(path)
            picks.append(pick)
            if pick >= 0 and run.exception == matched:
                matched = not run.exception
                decided = pick
        return matched, tuple(picks), decided

    def matches(self, path: str) -> bool:
        """Whether a walk that comes down to ``path`` from the context finds it matched."""
        parts = path.split("/")
        matched = False
        state: State = ()
        for count in range(1, len(parts) + 1):
            matched, state = self.step("/".join(parts[:count]), state)
        return matched

    def matches_at_once(self, path: str) -> bool:
        """`MatchesOrParentMatches`: what is asked of a lone path, such as the Dockerfile's. May differ from a walk."""
        parts = path.split("/")
        prefixes = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        matched = False
        for run in self._runs:
            if run.exception == matched and any(run.matches(prefix) for prefix in prefixes):
                matched = not run.exception
        return matched


_WILD = re.compile(r"[*\[\]?^\\]")


class IgnoreRules:
    """The rules of one .dockerignore file. Immutable, and safe to use from several threads.

    ``source`` is the file they were read from, None where there is none. ``problems`` holds the lines that an engine
    would refuse the whole build for; they are left out here, so that the rest can be shown at work.
    """

    def __init__(
        self,
        patterns: Iterable[Pattern] = (),
        source: Path | None = None,
        problems: Iterable[IgnoreProblem] = (),
        text: str = "",
        classic: bool = False,
    ) -> None:
        self.list = PatternList(patterns)
        self.source = source
        self.problems = tuple(problems)
        self.text = text
        self.classic = classic
        exceptions = [pattern.text for pattern in self.list.patterns if pattern.exception]
        stems = exceptions if classic else [_without_last_glob(text) for text in exceptions]
        # BuildKit skips nothing where an exception has a wildcard; the classic build skips, and so loses files.
        self._may_skip = classic or not any(_WILD.search(stem) for stem in stems)
        self._stems = tuple(f"{stem}/" for stem in stems)

    @classmethod
    def parse(cls, text: str, source: Path | None = None, classic: bool = False) -> IgnoreRules:
        """From the file's text; never raises. ``classic`` walks as a build without BuildKit does."""
        patterns: list[Pattern] = []
        problems: list[IgnoreProblem] = []
        for line, written in enumerate(text.removeprefix("\ufeff").split("\n")):
            if len(written.encode(errors="surrogateescape")) >= LINE_LIMIT:
                problems.append(IgnoreProblem(line, written[:80] + "…", "the line is too long"))
                continue
            read = _read_line(written.removesuffix("\r"))
            if read is None:
                continue
            try:
                pattern = _pattern(read, line)
            except BadPatternError as error:
                problems.append(IgnoreProblem(line, read, str(error)))
                continue
            if pattern is not None:
                patterns.append(pattern)
        return cls(patterns, source, problems, text, classic)

    @classmethod
    def of(cls, patterns: Iterable[str]) -> IgnoreRules:
        """From the `exclude-patterns` of a FileSync request; raises InvalidInputError for a malformed one."""
        return cls(PatternList.of(patterns).patterns)

    @property
    def patterns(self) -> tuple[str, ...]:
        """As the engine sends them in a FileSync request: cleaned, exceptions with their `!`."""
        return tuple(f"{'!' * item.exception}{item.text}" for item in self.list.patterns)

    def excludes(self, path: str, is_folder: bool = False) -> bool:
        """Whether ``path`` stays behind: for a folder, whether it does with everything below it.

        A folder that is excluded while an exception may let something below it in is not: it has to be walked.
        ``path`` is relative to the context, with slashes. A walk is quicker with `step` and `skips`.
        """
        if path in ("", "."):
            return False
        parts = path.split("/")
        state: State = ()
        excluded = False
        for count in range(1, len(parts) + 1):
            part = "/".join(parts[:count])
            excluded, state = self.list.step(part, state)
            inner = count < len(parts) or is_folder
            if excluded and inner and self.skips(part):
                return True
        return excluded and not is_folder

    def step(self, path: str, parent: State = ()) -> tuple[bool, State]:
        """`PatternList.step`: whether this entry itself is excluded, and the state for the entries below it."""
        return self.list.step(path, parent)

    def skips(self, folder: str) -> bool:
        """Whether a walk may leave out everything below a folder that `step` called excluded."""
        return self._may_skip and not any(stem.startswith(f"{folder}/") for stem in self._stems)

    def deciding(self, path: str) -> Pattern | None:
        """The pattern that had the last word on ``path``, to be shown beside it; None where none matched."""
        parts = path.split("/")
        matched: dict[int, bool] = {}
        last: Pattern | None = None
        for count in range(1, len(parts) + 1):
            part, excluded, last = "/".join(parts[:count]), False, None
            for index, pattern in enumerate(self.list.patterns):
                if not matched.get(index) and pattern.exception == excluded:
                    matched[index] = pattern.compiled.matcher()(part)
                if matched.get(index):
                    if pattern.exception == excluded:
                        last = pattern
                    excluded = not pattern.exception
        return last

    def for_classic_build(self, dockerfile: str = "Dockerfile") -> IgnoreRules:
        """The rules with which a classic build sends: the Dockerfile and .dockerignore always go along.

        The engine needs them to read, and removes them again where they were excluded.
        """
        patterns = list(self.list.patterns)
        for name in (".dockerignore", clean(dockerfile)):
            # The first one's exception is in force when the second is asked, as in the docker CLI.
            if _matches_in_old_way(patterns, name):
                patterns.append(Pattern(name, True, -1, compile_pattern(name)))
        return IgnoreRules(patterns, self.source, self.problems, self.text, classic=True)


def rules_for(
    context: Path, dockerfile: Path | str = "Dockerfile", classic: bool = False
) -> IgnoreRules:
    """The rules of a build: those of <Dockerfile>.dockerignore beside it, else of the context's .dockerignore.

    ``dockerfile`` is absolute or relative to the context. A classic build knows .dockerignore alone. Reads the disk;
    raises LocalError where there is such a file that can't be read.
    """
    own = context / dockerfile
    candidates = [context / ".dockerignore"]
    if not classic:
        candidates.insert(0, own.with_name(f"{own.name}.dockerignore"))
    for file in candidates:
        try:
            data = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise LocalError(
                f"{file.name} can't be read",
                error.strerror or str(error),
                "A build would fail as well.",
            ) from error
        return IgnoreRules.parse(decode(data), file, classic)
    return IgnoreRules(classic=classic)


def decode(data: bytes) -> str:
    """The text of an ignore file. Bytes that are not UTF-8 are kept, and match the same bytes in a file's name."""
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def _read_line(line: str) -> str | None:
    """`ignorefile.ReadAll` for one line: None for a comment or an empty line."""
    if line.startswith("#"):
        return None
    pattern = line.strip(WHITE)
    if not pattern:
        return None
    inverted = pattern.startswith("!")
    if inverted:
        pattern = pattern[1:].strip(WHITE)
    if pattern:
        pattern = clean(pattern)
        if len(pattern) > 1 and pattern.startswith("/"):
            pattern = pattern[1:]
    return f"{'!' * inverted}{pattern}"


def _pattern(text: str, line: int) -> Pattern | None:
    """`patternmatcher.New` for one pattern."""
    text = text.strip(WHITE)
    if not text:
        return None
    text = clean(text)
    exception = text.startswith("!")
    if exception:
        text = text[1:]
        if not text:
            raise BadPatternError("an exception needs a pattern after its “!”")
    return Pattern(text, exception, line, compile_pattern(text))


def _without_last_glob(text: str) -> str:
    return text.removesuffix("/**").removesuffix("/*")


def _matches_in_old_way(patterns: Sequence[Pattern], path: str) -> bool:
    """`patternmatcher.Matches`, deprecated but what the docker CLI asks: of the parents it tries one for a pattern."""
    folders = path.split("/")[:-1]
    matched = False
    for pattern in patterns:
        if pattern.exception != matched:
            continue
        match = pattern.compiled.matcher()
        depth = pattern.text.count("/") + 1
        if match(path) or (0 < depth <= len(folders) and match("/".join(folders[:depth]))):
            matched = not pattern.exception
    return matched
