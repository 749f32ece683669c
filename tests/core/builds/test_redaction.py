"""Values of secret build arguments stay out of what is told of a build, however it is cut."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.builds.redaction import Redaction
from dockdesk.core.errors import BuildError
from dockdesk.core.masking import MASK
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildSpec,
    BuildStatus,
    BuildStep,
    BuildWarning,
)

SECRET = "tok-abcab-9"
SPEC = BuildSpec(
    Path("/p"), args=(("API_TOKEN", SECRET), ("VERSION", "2.5"), ("DB_PASSWORD", "abc"))
)


def test_names_errors_and_checks_are_masked() -> None:
    items: list[BuildItem] = [
        BuildStep("r", f"[2/2] RUN fetch {SECRET} 2.5 abc", error=f"{SECRET}: no"),
        BuildStatus("s", "r", f"sending {SECRET}"),
        BuildWarning("r", f"bad {SECRET}", detail=(SECRET,)),
    ]
    told = Redaction(SPEC).items(items)
    assert SECRET not in repr(told)
    assert isinstance(told[0], BuildStep)
    assert told[0].name == f"[2/2] RUN fetch {MASK} 2.5 abc"


def test_an_error_is_masked_for_all_who_have_it() -> None:
    error = BuildError("A step failed", f"curl {SECRET}", f"try {SECRET}")
    Redaction(SPEC).error(error)
    assert SECRET not in f"{error} {error.detail} {error.hint} {error!r}"


def test_without_secrets_nothing_is_touched() -> None:
    items = [BuildLog("r", b"abc")]
    assert Redaction(BuildSpec(Path("/p"), args=(("VERSION", "1.2.3"),))).items(items) is items


@given(
    st.lists(st.sampled_from([SECRET, "tok-", "tok-abc", "x", "\n", "-9"]), max_size=8),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_logs_are_masked_wherever_they_are_cut(words: list[str], cuts: list[int]) -> None:
    whole = "".join(words).encode()
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    redaction = Redaction(SPEC)
    told: list[BuildItem] = []
    for start, end in itertools.pairwise(places):
        told += redaction.items([BuildLog("r", whole[start:end])])
    told += redaction.items([BuildStep("r", "[2/2] RUN x", completed=1.0)])
    data = b"".join(item.data for item in told if isinstance(item, BuildLog))
    assert data == whole.replace(SECRET.encode(), MASK.encode())
    assert isinstance(told[-1], BuildStep)
    assert list(redaction.rest()) == []


def test_what_still_waits_at_the_end_is_told() -> None:
    redaction = Redaction(SPEC)
    assert list(redaction.items([BuildLog("r", b"tok")])) == []
    assert redaction.rest() == [BuildLog("r", b"tok")]
