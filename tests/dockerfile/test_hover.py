from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.dockerfile import reference
from dockdesk.dockerfile.hover import Explanation, explain
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.vocabulary import (
    DIRECTIVES,
    FLAGS,
    INSTRUCTIONS,
    MOUNT_KEY_NAMES,
    MOUNT_TYPES,
    PLATFORM_ARGS,
)

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.Dockerfile"))

TEXT = """\
# syntax=docker/dockerfile:1
ARG VERSION=1.2
FROM alpine:${VERSION} AS tools
ARG VERSION
ARG TARGETARCH
ENV HOME_DIR=/srv/$VERSION
# what is shipped
FROM ghcr.io/acme/base@sha256:0123456789abcdef AS last
RUN --mount=type=cache,id=x,dst=/c --mount=from=tools,target=/t echo "$PATH" \\
    # why
    && echo $OTHER
COPY --from=tools --chmod=0755 /a /b
COPY <<EOF /c
  $HOME_DIR
EOF
HEALTHCHECK --interval=3s CMD x
ONBUILD RUN y
FROM scratch
ARG TARGETARCH
ARG FEATURE
CMD ["$FEATURE"]
WORKDIR /$TARGETARCH/${FEATURE:-$MISSING}
"""


def over(word: str, line: int, nth: int = 0) -> Explanation:
    """What is said over the nth place of ``word`` on a line."""
    document = parse(TEXT)
    at = -1
    for _ in range(nth + 1):
        at = document.lines[line].index(word, at + 1)
    found = explain(document, line, at + len(word) // 2)
    assert found is not None
    assert found.place.line == line
    return found


def test_instructions_say_what_they_cost() -> None:
    found = over("RUN", 8)
    assert found.title == "RUN"
    assert found.section == "RUN"
    assert found.url.endswith("#run")
    assert found.syntax.startswith("RUN ")
    assert "layer" in found.size
    assert "mounts" in found.cache
    assert over("RUN", 16).title == "RUN"
    assert over("ONBUILD", 16).title == "ONBUILD"


def test_flags_mounts_and_their_options() -> None:
    assert over("--chmod", 11).section == "COPY --chmod"
    assert over("--interval", 15).text.startswith("The time between")
    assert over("--mount", 8).section == "RUN --mount"
    assert over("type", 8).title == "cache mount"
    assert over("dst", 8).title == "dst of a cache mount"
    assert "WORKDIR" in over("dst", 8).text
    assert over("target=/t", 8).section == "RUN --mount=type=bind"


def test_stages_say_who_uses_them() -> None:
    for found in (over("from=tools", 8), over("=tools", 11), over("tools", 2)):
        assert found.title == "Stage tools"
        assert "Used by last." in found.text
    last = over("last", 7)
    assert last.text.startswith("what is shipped\n")
    assert "It needs tools." in last.text
    assert "Nothing uses it" in last.text


def test_images_are_taken_apart() -> None:
    found = over("alpine", 2)
    assert found.title == "alpine:1.2"
    assert "library/alpine of the registry docker.io, tag 1.2" in found.text
    assert "A tag may move" in found.cache
    pinned = over("ghcr.io", 7)
    assert "acme/base of the registry ghcr.io, pinned" in pinned.text
    assert "the same bytes" in pinned.cache
    assert over("scratch", 17).size == "It adds no bytes."


def test_variables_have_a_value_or_a_reason() -> None:
    assert over("VERSION", 2).text.startswith("1.2\nThe default on line 2")
    assert over("VERSION", 2).title == "Global ARG VERSION"
    assert over("$VERSION", 5).text.startswith("1.2\nThe global ARG on line 2")
    assert over("HOME_DIR", 5).text.startswith("/srv/1.2\nENV on line 6")
    assert over("$TARGETARCH", 21).text.startswith("TARGETARCH is its architecture")
    assert over("FEATURE", 19).text.startswith("Unset. ARG on line 20 has no default")
    assert "The shell fills it in" in over("$OTHER", 10).text
    assert "ghcr.io/acme/base" in over("$OTHER", 10).text
    assert "No shell reads an exec form" in over("$FEATURE", 20).text
    assert over("HOME_DIR", 13).title == "Variable HOME_DIR"
    assert over("$MISSING", 21).title == "Variable MISSING"
    assert over("{FEATURE", 21).title == "ARG FEATURE"


def test_directives_and_heredocs() -> None:
    assert over("syntax", 0).section == "syntax"
    found = over("<<EOF", 12)
    assert "the builder" in found.text
    assert found.section == "Here-Documents"


@pytest.mark.parametrize(("line", "column"), [(9, 6), (11, 33), (6, 3), (99, 0), (14, 1)])
def test_nothing_is_said_of_comments_paths_and_places_outside(line: int, column: int) -> None:
    assert explain(parse(TEXT), line, column) is None


def test_the_reference_covers_the_language() -> None:
    assert set(reference.INSTRUCTIONS) == set(INSTRUCTIONS)
    assert set(reference.FLAGS) == {
        (keyword, rule.name) for keyword, rules in FLAGS.items() for rule in rules
    }
    assert set(reference.MOUNTS) == set(MOUNT_TYPES)
    assert {*reference.OPTIONS, *reference.OPTION_ALIASES} == set(MOUNT_KEY_NAMES)
    assert set(reference.DIRECTIVES) == set(DIRECTIVES)
    assert set(reference.AUTOMATIC) == set(PLATFORM_ARGS)


@settings(deadline=None)
@given(st.text(alphabet="FROMRUNENV \\\n$a{}:-<E'\"=#"), st.integers(-1, 6), st.integers(-1, 20))
def test_any_place_of_any_text_may_be_asked(text: str, line: int, column: int) -> None:
    explain(parse(text), line, column)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_instruction_of_the_samples_is_explained(path: Path) -> None:
    document = parse(path.read_text("utf-8"))
    for instruction in document.instructions:
        found = explain(document, instruction.place.line, instruction.place.column)
        assert found is not None
        assert found.title == instruction.keyword
    for line, text in enumerate(document.lines):
        for column in range(len(text) + 1):
            explain(document, line, column)
