from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.dockerfile.formatting import format_document
from dockdesk.dockerfile.syntax import Instruction, parse

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.Dockerfile"))


def test_everything_at_once() -> None:
    text = """\
# syntax=docker/dockerfile:1
from   golang:1.22   as build
run   apt-get update && \\
  apt-get install -y \\
     curl \\
# why

     git   \\
  && echo "a \\
     b"\t
FROM scratch


# the result
copy --from=build   \\
  --chown=1:1 \\
\ta   /b
   healthcheck  --interval=3s   cmd x
env A  b \\
    c
onbuild   run   x
run <<eof
   keep  \x20
eof


"""
    assert (
        format_document(text)
        == """\
# syntax=docker/dockerfile:1
FROM golang:1.22 AS build
RUN apt-get update && \\
    apt-get install -y \\
       curl \\
    # why
       git \\
    && echo "a \\
     b"

FROM scratch

# the result
COPY --from=build \\
    --chown=1:1 \\
      a   /b
HEALTHCHECK --interval=3s   CMD x
ENV A  b \\
    c
ONBUILD RUN x
RUN <<eof
   keep  \x20
eof
"""
    )


@pytest.mark.parametrize(
    "text",
    [
        "# only a comment",
        "",
        'FROM a\nRUN echo "x \\\n        y"\n',  # within a string
        "FROM a\nRUN x\\\n    y\n",  # one word
        "FROM a\nENV A b \\\n        c\n",  # a value
        "FROM a\nWORKDIR /a \\\n        b\n",
        "FROM a\nRUN echo $'it\\'s' 'a \\\n        b'\n",
        'FROM a\nRUN echo "$(echo "x \\\n        y")"\n',
        "FROM a\nCOPY <<E /b\n\n\n  x  \nE\n",
        "FROM a\nRUN <<E\n  never closed  \n\n\n",
        "# escape=`\nFROM a\nRUN x 'a `\n        b'\n",
        "FROM a\nUſER b\n",  # capitals would make it an instruction
    ],
)
def test_what_may_count_is_left_alone(text: str) -> None:
    assert format_document(text) == text


def test_line_endings_and_the_byte_order_mark_are_kept() -> None:
    assert format_document("\ufefffrom a\r\nrun x \\\r\n y  \r\nfrom b") == (
        "\ufeffFROM a\r\nRUN x \\\r\n    y\r\n\r\nFROM b\r\n"
    )


def test_a_blank_line_above_keeps_comments_from_becoming_directives() -> None:
    assert format_document("\n\n# escape=`\nFROM a\n") == "\n# escape=`\nFROM a\n"


def meaning(instruction: Instruction | None) -> object:
    """What the build sees; white space outside of quotes of shell commands counts once."""
    if instruction is None:
        return None
    words = [] if instruction.inner else [word.text for word in instruction.arguments]
    if instruction.form == "shell":
        words = [_squeezed(word) for word in words]
    return (
        instruction.keyword,
        [(flag.name, flag.value) for flag in instruction.flags],
        instruction.form,
        [word.upper() if _is_keyword(instruction, at) else word for at, word in enumerate(words)],
        [(pair.name, pair.value, pair.separator) for pair in instruction.pairs],
        [(each.name, each.content, each.terminated, each.expand) for each in instruction.heredocs],
        [comment.text for comment in instruction.comments],
        meaning(instruction.inner),
    )


def _is_keyword(instruction: Instruction, at: int) -> bool:
    return (instruction.keyword, at) in (("FROM", 1), ("HEALTHCHECK", 0))


def _squeezed(text: str) -> str:
    """White space made one space each, but for what stands in quotes that do close.

    Within ``"$(…)"`` quotes begin anew, which a regular expression cannot follow: there all of it is squeezed.
    """
    if "$(" in text:
        return re.sub(r"[ \t]+", " ", text)
    parts = re.split(r"""('[^']*'|"(?:[^"\\\\]|\\\\.)*")""", text)
    return "".join(
        part if at % 2 else re.sub(r"[ \t]+", " ", part) for at, part in enumerate(parts)
    )


def same(text: str) -> None:
    before = parse(text)
    formatted = format_document(text)
    after = parse(formatted)
    assert [meaning(each) for each in after.instructions] == [
        meaning(each) for each in before.instructions
    ]
    assert [(each.name, each.value) for each in after.directives] == [
        (each.name, each.value) for each in before.directives
    ]
    assert after.escape == before.escape
    assert format_document(formatted) == formatted


PIECES = st.sampled_from(
    [
        *(
            "from a",
            " as b\n",
            "run x",
            "COPY a  b",
            "env A=b",
            "ENV A  b",
            "onbuild ",
            "healthcheck  cmd",
            "ARG x\n",
        ),
        *(
            "CMD [",
            '"a", "b"]\n',
            "\\\n",
            " \\\n",
            "  \\ \n",
            "\n",
            "\n\n",
            "# c\n",
            "  # c\n",
            "\t",
            " ",
            "   ",
            "user x",
        ),
        *(
            "# escape=`\n",
            "`\n",
            " `\n",
            "<<E",
            "\nE\n",
            "<<-F /d\n",
            "\tF\n",
            "'",
            '"',
            "$a",
            "$(",
            ")",
            "${b:-",
            "}",
        ),
        *(
            "--mount=type=x ",
            "--x='1 2' ",
            "\r\n",
            "&& y",
            "\\",
            "label a=1",
            "é",
            "from ",
            "shell ",
        ),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_formatting_never_changes_the_meaning_and_is_done_once(text: str) -> None:
    same(text)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_keep_their_meaning(path: Path) -> None:
    same(path.read_text("utf-8"))
