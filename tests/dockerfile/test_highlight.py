from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.dockerfile.highlight import START, State, scan_line
from dockdesk.dockerfile.syntax import parse


def kinds(text: str) -> list[list[tuple[str, str]]]:
    state = START
    lines: list[list[tuple[str, str]]] = []
    for line in text.split("\n"):
        spans, state = scan_line(line, state)
        lines.append([(line[start:end], kind) for start, end, kind in spans])
    return lines


def test_directives_end_at_the_first_other_line() -> None:
    found = kinds("# syntax=docker/dockerfile:1\n# escape=`\n# said\n# check=skip=all\nRUN a `\n b")
    assert found[0] == [("# syntax", "directive"), ("docker/dockerfile:1", "string")]
    assert found[2] == [("# said", "comment")]
    assert found[3] == [("# check=skip=all", "comment")]
    assert found[4][-1] == ("`", "operator")


def test_a_stage_its_flag_and_its_name() -> None:
    (found,) = kinds("FROM --platform=$BUILDPLATFORM golang:${V} AS build")
    assert found == [
        ("FROM", "keyword"),
        ("--platform", "flag"),
        ("$BUILDPLATFORM", "variable"),
        ("${V}", "variable"),
        ("AS", "keyword"),
        ("build", "stage"),
    ]


def test_an_unknown_instruction_is_an_error_and_a_continued_word_is_not() -> None:
    assert kinds("FORM x") == [[("FORM", "error")]]
    assert kinds("RUN a \\\n  FORM x")[1] == []


def test_strings_go_on_over_continued_lines() -> None:
    found = kinds('ENV A="x $B \\\n  y" C=3')
    assert found[0][1:] == [
        ("A", "variable"),
        ("=", "operator"),
        ('"x ', "string"),
        ("$B", "variable"),
        (" ", "string"),
        ("\\", "operator"),
    ]
    assert found[1] == [
        ('  y"', "string"),
        ("C", "variable"),
        ("=", "operator"),
        ("3", "number"),
    ]


def test_names_of_variables_and_labels_stand_out() -> None:
    (found,) = kinds('ENV APP=/srv B="x C=1" D=e\\ F=g')
    assert [text for text, kind in found if kind == "variable"] == ["APP", "B", "D"]
    assert kinds("ENV APP some value")[0] == [("ENV", "keyword"), ("APP", "variable")]
    (found,) = kinds('LABEL org.example/title-1="a b=c" maintainer=me "quoted"=x')
    assert [text for text, kind in found if kind == "flag"] == [
        "org.example/title-1",
        "maintainer",
    ]
    assert kinds("ENV A=1 \\\n  B_2=$A")[1] == [
        ("B_2", "variable"),
        ("=", "operator"),
        ("$A", "variable"),
    ]
    assert kinds("RUN A=b c")[0] == [("RUN", "keyword"), ("=", "operator")]


def test_heredocs_follow_one_another_and_expand_unless_quoted() -> None:
    found = kinds("COPY <<-'A' <<B /d\n\t$x\n\tA\n$y \\$z\nB\nRUN c")
    assert found[1] == [("\t$x", "heredoc")]
    assert found[2] == [("A", "operator")]
    assert found[3] == [("$y", "variable"), (" \\$z", "heredoc")]
    assert found[4] == [("B", "operator")]
    assert found[5] == [("RUN", "keyword")]


def test_comments_and_blank_lines_do_not_end_an_instruction() -> None:
    found = kinds("RUN a && \\\n# c\n\n  b | c\nCMD x")
    assert found[1] == [("# c", "comment")]
    assert found[3] == [("|", "operator")]
    assert found[4] == [("CMD", "keyword")]


PIECES = st.sampled_from(
    [
        *(
            "FROM a\n",
            "RUN x",
            "COPY ",
            "ENV A=b",
            "ONBUILD ",
            "HEALTHCHECK ",
            "ARG x",
            "CMD [",
            "\\\n",
            "\n",
        ),
        *(
            "`\n",
            "# c\n",
            "# escape=`\n",
            "<<E ",
            "E\n",
            "<<-F",
            "\tF\n",
            "'",
            '"',
            "$a",
            "${b:-c}",
            "--x=1 ",
        ),
        *("\t", " ", "\r\n", "\ufeff", "\\", "[", "]", ",", "&&", "8080/tcp", "é", "\0"),
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_text_is_coloured_in_order_and_within_its_lines(text: str) -> None:
    state = START
    for line in text.split("\n"):
        spans, state = scan_line(line, state)
        assert isinstance(hash(state), int)
        at = 0
        for start, end, _kind in spans:
            assert at <= start < end <= len(line)
            at = end


LINES = st.sampled_from(
    [
        *(
            "FROM a AS b",
            "RUN x \\",
            "  y",
            "RUN cat <<E",
            "COPY <<'E' <<-F /d",
            "E",
            "\tF",
            "F",
            "",
            "# c",
            "CMD x",
        ),
        *(
            'RUN echo "<<E"',
            "COPY a b",
            'ENV A="b \\',
            '  c"',
            "RUN x <<E \\",
            "ONBUILD RUN <<E",
            "USER <<E",
        ),
    ]
)


@settings(deadline=None)
@given(st.lists(LINES))
def test_colours_and_the_parser_agree_on_where_things_begin(lines: list[str]) -> None:
    """Seeing one line at a time must not lose track of what the parser sees whole."""
    document = parse("".join(line + "\n" for line in lines))
    state: State = START
    within = []
    begins = []
    for line in lines:
        within.append(state.within)
        begins.append(not state.keyword and bool(line.strip()) and line[0] != "#")
        state = scan_line(line, state)[1]
    bodies = [False] * len(lines)
    for instruction in document.instructions:
        for heredoc in instruction.heredocs:
            for number in range(heredoc.first, heredoc.last + heredoc.terminated):
                bodies[number] = True
    assert within == bodies
    firsts = {instruction.first for instruction in document.instructions}
    assert {number for number, begin in enumerate(begins) if begin and not bodies[number]} == firsts
