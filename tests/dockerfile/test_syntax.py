from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.dockerfile.problems import apply
from dockdesk.dockerfile.syntax import Document, Instruction, parse

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.Dockerfile"))


def only(text: str) -> Instruction:
    (found,) = parse(text).instructions
    return found


def words(instruction: Instruction) -> list[str]:
    return [word.text for word in instruction.arguments]


def codes(text: str) -> list[str]:
    return [problem.code for problem in parse(text).problems]


def marked(text: str, code: str) -> str:
    """The text the one problem of that code points at."""
    document = parse(text)
    (found,) = [problem for problem in document.problems if problem.code == code]
    assert found.line == found.end_line
    return document.lines[found.line][found.column : found.end_column]


class TestDirectives:
    def test_they_are_read_from_the_top(self) -> None:
        document = parse(
            "# syntax = docker/dockerfile:1 \n#ESCAPE=`\n#\tcheck=skip=all;error=true\nFROM a"
        )
        assert [(each.name, each.value) for each in document.directives] == [
            ("syntax", "docker/dockerfile:1"),
            ("escape", "`"),
            ("check", "skip=all;error=true"),
        ]
        assert document.escape == "`"
        place = document.directives[0].value_place
        assert document.lines[0][place.column : place.end_column] == "docker/dockerfile:1"

    @pytest.mark.parametrize("above", ["# a comment\n", "\n", "# unknown=1\n", "FROM a\n"])
    def test_anything_else_ends_them(self, above: str) -> None:
        document = parse(above + "# escape=`\nFROM b")
        assert document.directives == ()
        assert document.escape == "\\"
        assert [problem.code for problem in document.problems] == ["directive-misplaced"]

    def test_one_may_be_given_once(self) -> None:
        assert codes("# escape=`\n# escape=`\nFROM a") == ["directive-twice"]

    def test_the_escape_character_is_one_of_two(self) -> None:
        assert marked("# escape=^\nFROM a", "escape-unknown") == "^"
        assert parse("# escape=^\nFROM a").escape == "\\"

    def test_a_shebang_hides_the_escape_directive_alone(self) -> None:
        document = parse("#!/usr/bin/env buildme\n# syntax=x\n# escape=`\nFROM a")
        assert document.directive("syntax") is not None
        assert document.escape == "\\"

    def test_a_byte_order_mark_is_no_obstacle(self) -> None:
        document = parse("\ufeff# escape=`\nFROM a `\n AS b")
        assert document.escape == "`"
        assert document.stages[0].name == "b"


class TestLines:
    def test_continued_lines_are_joined_without_comments_and_blank_lines(self) -> None:
        found = only("RUN a \\\n# said\n\n  b\\\n\\\n   # said\nc")
        assert found.text == "RUN a   bc"
        assert found.skipped == (1, 2, 5)
        assert (found.first, found.last) == (0, 6)

    @pytest.mark.parametrize("ending", ["\\", "\\  ", "\\\t", " \\ \r"])
    def test_the_escape_character_continues_before_spaces(self, ending: str) -> None:
        assert len(parse(f"RUN a{ending}\nFROM b\n").instructions) == 1

    @pytest.mark.parametrize("ending", ["\\\\", "\\ x", "`", "\\\\\\"])
    def test_and_not_when_escaped_itself(self, ending: str) -> None:
        assert len(parse(f"RUN a{ending}\nFROM b\n").instructions) == 2

    def test_a_comment_does_not_continue(self) -> None:
        assert only("# a \\\nFROM b").keyword == "FROM"

    def test_a_continuation_may_end_the_file(self) -> None:
        assert only("RUN a \\").rest == "a"
        assert only("RUN a \\\n\n").rest == "a"

    def test_lines_may_be_indented_and_end_as_they_like(self) -> None:
        document = parse("  \tFROM\ta\r\n \r\n  RUN\fb \\\r\n c\r\n")
        assert [(each.keyword, each.rest) for each in document.instructions] == [
            ("FROM", "a"),
            ("RUN", "b  c"),
        ]

    def test_places_are_those_of_the_text(self) -> None:
        document = parse("FROM a\nCOPY --link \\\n  x \\\n  y /z\n")
        copy = document.instructions[1]
        for word, line in zip(copy.arguments, (2, 3, 3), strict=True):
            assert word.place.line == line
            assert document.lines[line][word.place.column : word.place.end_column] == word.text
        assert copy.source.offset(2, 3) == copy.text.index("x") + 1

    def test_comments_right_above_belong_to_an_instruction(self) -> None:
        found = parse("# far\n#\n# base of all\n\n# second\nFROM a\n").instructions[0]
        assert [comment.text for comment in found.comments] == ["base of all", "second"]

    def test_a_line_of_a_million_characters(self) -> None:
        found = only("RUN " + "x" * 1_000_000 + ' "y"')
        assert len(found.rest) == 1_000_004


class TestForms:
    def test_shell_form_is_one_argument(self) -> None:
        found = only("RUN  a   'b  c' ")
        assert (found.form, words(found)) == ("shell", ["a   'b  c'"])

    def test_exec_form_is_decoded_and_placed(self) -> None:
        document = parse('CMD [ "a b", "\\u00e9\\"\\\\" ,\\\n "c"]')
        found = document.instructions[0]
        assert (found.form, words(found)) == ("json", ["a b", 'é"\\', "c"])
        assert found.arguments[2].place[:2] == (1, 1)

    @pytest.mark.parametrize(
        "rest",
        [
            "['a', 'b']",
            '["a", "b"',
            '["a" "b"]',
            '["c:\\windows"]',
            '["a",]',
            '["a", NaN]',
            '["a"] x',
        ],
    )
    def test_what_is_no_json_is_for_the_shell(self, rest: str) -> None:
        found = only(f"CMD {rest}")
        assert (found.form, words(found)) == ("shell", [rest])

    def test_and_said_where_it_was_surely_meant(self) -> None:
        assert "json-form-broken" in codes("FROM a\nCMD ['a', 'b']")
        assert codes('FROM a\nRUN [ -f x ] && y\nRUN [ "$a" = "b" ]\nRUN [ "a" ] || z') == []
        document = parse("FROM a\nCMD ['a', 'b']")
        fix = document.problems[0].fixes[0]
        assert apply(document.text, fix.edits) == 'FROM a\nCMD ["a", "b"]'

    @pytest.mark.parametrize(
        "rest", ["[1]", '["a", null]', '["a", ["b"]]', '["a", {}]', "[" * 30_000 + "]" * 30_000]
    )
    def test_an_array_of_other_things_ends_the_build(self, rest: str) -> None:
        assert "json-not-strings" in codes(f"FROM a\nRUN {rest}")

    def test_names_and_values_keep_their_quotes(self) -> None:
        found = only('ENV a=1 b="x y" c=\'it"s\' d=x\\ y e=')
        assert [(pair.name, pair.value) for pair in found.pairs] == [
            ("a", "1"),
            ("b", '"x y"'),
            ("c", "'it\"s'"),
            ("d", "x\\ y"),
            ("e", ""),
        ]

    def test_the_old_form_has_one_value(self) -> None:
        (pair,) = only("ENV ONE TWO= THREE=world").pairs
        assert (pair.name, pair.value, pair.separator) == ("ONE", "TWO= THREE=world", "")

    def test_args_may_have_no_value(self) -> None:
        pairs = only('ARG a b= c="x y"').pairs
        assert [(pair.name, pair.value) for pair in pairs] == [
            ("a", None),
            ("b", ""),
            ("c", '"x y"'),
        ]

    def test_onbuild_holds_an_instruction(self) -> None:
        found = only("onbuild  copy --from=x  a /b")
        assert found.inner is not None
        assert found.inner.keyword == "COPY"
        assert found.inner.flags[0].value == "x"
        assert words(found.inner) == ["a", "/b"]

    def test_healthcheck_has_its_kind_first(self) -> None:
        assert words(only("HEALTHCHECK --retries=3  CMD  a  b")) == ["CMD", "a  b"]
        assert words(only('HEALTHCHECK CMD ["a", "b"]')) == ["CMD", "a", "b"]


class TestFlags:
    def test_quotes_and_escapes_are_taken_off(self) -> None:
        found = only("RUN --a=\"x y\" --b='x\\'y' --c --d=x\\ y -- --e")
        assert [(flag.name, flag.value) for flag in found.flags] == [
            ("a", "x y"),
            ("b", "x'y"),
            ("c", None),
            ("d", "x y"),
        ]
        assert found.rest == "--e"

    def test_mounts_are_split_into_options(self) -> None:
        document = parse("RUN --mount='type=cache,target=/a,\"id=x,y\",ro' \\\n --mount=source=b b")
        first, second = document.instructions[0].flags
        assert [(option.key, option.value) for option in first.options] == [
            ("type", "cache"),
            ("target", "/a"),
            ("id", "x,y"),
            ("ro", None),
        ]
        place = second.options[0].place
        assert document.lines[1][place.column : place.end_column] == "source=b"

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("COPY --form=x a b", "unknown-flag"),
            ("ENV --x a=b", "unknown-flag"),
            ("COPY --link=maybe a b", "flag-value"),
            ("COPY --chown a b", "flag-value"),
            ("COPY --chown=a --chown=b a b", "flag-twice"),
            ("RUN --network=wlan a", "flag-value"),
            ("RUN --mount=type=disk,target=/a b", "mount-option"),
            ("RUN --mount=type=cache,target=/a,sharing=no b", "mount-option"),
            ("RUN --mount=type=bind,target=/a,size=3 b", "mount-option"),
            ("RUN --mount=type=tmpfs,target=/a,uid=3 b", "mount-option"),
            ("RUN --mount=type=cache,targett=/a b", "mount-option"),
            ("RUN --mount=type=secret b", "mount-option"),
            ("RUN --mount=type=cache,target=/a,mode=999 b", "mount-option"),
            ("RUN --mount=type=cache,target b", "mount-option"),
            ("HEALTHCHECK --interval=soon CMD a", "flag-value"),
            ("HEALTHCHECK --retries=-1 CMD a", "flag-value"),
            ("STOPSIGNAL --x 9", "flag-ignored"),
        ],
    )
    def test_wrong_ones_are_found(self, line: str, code: str) -> None:
        assert codes(f"FROM a\n{line}") == [code]

    @pytest.mark.parametrize(
        "line",
        [
            "RUN --mount=type=$KIND,target=/a,size=1 b",
            "RUN --mount=type=cache,target=/a,sharing=locked,ro,uid=1000,mode=0755 b",
            "RUN --mount=type=secret,id=a,env=TOKEN,required b",
            "RUN --mount=type=tmpfs,target=/a,size=1g --network=none b",
            "RUN --mount=type=ssh b",
            "RUN --mount=target=. b",
            "COPY --link --exclude=*.a --exclude=*.b --parents=false a b",
            "ADD --checksum=sha256:00 --unpack=true --keep-git-dir https://example.org/a /",
            "HEALTHCHECK --interval=1m30s --timeout=1.5s --start-interval=0 --retries=0 CMD a",
            "FROM --platform=linux/amd64 b",
        ],
    )
    def test_right_ones_pass(self, line: str) -> None:
        assert codes(f"FROM a\n{line}") == []

    def test_a_slip_is_mended(self) -> None:
        document = parse("FROM a\nCOPY --form=b c d\n")
        fixed = apply(document.text, document.problems[0].fixes[0].edits)
        assert fixed == "FROM a\nCOPY --from=b c d\n"


class TestHeredocs:
    def heredocs(self, text: str) -> list[tuple[str, str, bool, bool]]:
        return [
            (each.name, each.content, each.expand, each.chomp)
            for instruction in parse(text).instructions
            for each in instruction.heredocs
        ]

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("RUN <<E\na\nE", ("E", "a\n", True, False)),
            ("RUN 3<<E\nE", ("E", "", True, False)),
            ("RUN <<-E\n\ta\n\tE", ("E", "\ta\n", True, True)),
            ("RUN <<-'E'\n$a\nE", ("E", "$a\n", False, True)),
            ("RUN <<o'n'e\n1\none", ("one", "1\n", False, False)),
            ("RUN <<o\\'n\n1\no'n", ("o'n", "1\n", True, False)),
            ("RUN <<'a b'\n1\na b", ("a b", "1\n", False, False)),
            ("RUN <<$E\n$E", ("$E", "", True, False)),
            ("RUN <<  E  > f\nE", ("E", "", True, False)),
            ("RUN x <<E \\\n y\n1\nE", ("E", "1\n", True, False)),
            ("COPY <<f.txt /a\n# no comment\nf.txt", ("f.txt", "# no comment\n", True, False)),
            ("ONBUILD RUN <<E\n1\nE", ("E", "1\n", True, False)),
            ("RUN <<E\n1\r\nE\r", ("E", "1\r\n", True, False)),
        ],
    )
    def test_they_are_read(self, line: str, expected: tuple[str, str, bool, bool]) -> None:
        text = line + "\nUSER x\n"
        found = self.heredocs(text)
        if "\r" in line:
            found = [
                (name, content.replace("1\n", "1\r\n"), *rest) for name, content, *rest in found
            ]  # type: ignore[misc]
        assert found == [expected]
        assert parse(text).instructions[-1].keyword == "USER"

    @pytest.mark.parametrize(
        "line",
        [
            'RUN "<<E"',
            "RUN a<<E",
            "RUN <<<E",
            "USER <<E",
            'RUN ["<<E"]',
            "RUN it's <<E",
            "RUN \\<<E",
            "CMD <<E",
            "ONBUILD USER <<E",
            "RUN <<''",
        ],
    )
    def test_these_are_none(self, line: str) -> None:
        assert self.heredocs(f"{line}\nE\n") == []

    def test_several_follow_one_another(self) -> None:
        found = self.heredocs("COPY <<X <<Y /d\nY\nX\nX\nY\n")
        assert [(name, content) for name, content, *_ in found] == [("X", "Y\n"), ("Y", "X\n")]

    def test_an_open_one_takes_the_rest_and_is_said_where_it_begins(self) -> None:
        text = "FROM a\nRUN cat <<E\nFROM b\n E\n"
        assert marked(text, "heredoc-unterminated") == "<<E"
        document = parse(text)
        assert len(document.instructions) == 2
        assert document.instructions[1].heredocs[0].content == "FROM b\n E\n"
        assert document.instructions[1].last == 3

    def test_lines_are_found_by_number(self) -> None:
        document = parse("FROM a\n\nRUN <<E\nx\nE\n# c\n")
        run = document.instructions[1]
        assert document.instruction_at(1) is None
        assert [document.instruction_at(line) for line in (2, 3, 4)] == [run] * 3
        assert document.instruction_at(5) is None
        assert (run.first, run.code_last, run.last) == (2, 2, 4)


class TestProblems:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "no-instructions"),
            ("# only\n", "no-instructions"),
            ("ARG a\n", "no-from"),
            ("RUN a\nFROM b\n", "before-from"),
            ("FROM\n", "arguments-missing"),
            ("FROM a b\n", "from-arguments"),
            ("FROM a AS 1b\n", "stage-name"),
            ("FROM a AS b c\n", "from-arguments"),
            ("FROM a\nCOPY b\n", "arguments-missing"),
            ("FROM a\nCOPY b <<E\nE\n", "heredoc-destination"),
            ("FROM a\nENV\n", "arguments-missing"),
            ("FROM a\nENV b\n", "value-missing"),
            ("FROM a\nENV b=c d\n", "pair-without-equals"),
            ("FROM a\nLABEL =x\n", "name-missing"),
            ("FROM a\nEXPOSE\n", "arguments-missing"),
            ("FROM a\nWORKDIR\n", "arguments-missing"),
            ("FROM a\nHEALTHCHECK\n", "arguments-missing"),
            ("FROM a\nHEALTHCHECK CMD\n", "arguments-missing"),
            ("FROM a\nHEALTHCHECK NONE x\n", "healthcheck-none"),
            ("FROM a\nHEALTHCHECK curl x\n", "healthcheck-type"),
            ("FROM a\nSHELL bash -c\n", "shell-form"),
            ("FROM a\nONBUILD FROM b\n", "onbuild-trigger"),
            ("FROM a\nONBUILD ONBUILD RUN b\n", "onbuild-trigger"),
            ('FROM a\nVOLUME [""]\n', "volume-empty"),
            ("FROM a AS b\nFROM c AS B\n", "duplicate-stage"),
            ("FROM a AS build\nFROM b\nCOPY --from=biuld x y\n", "unknown-stage"),
            ("FROM a\nCOPY --from=other x y\n", "source-is-image"),
            ("FROM a\nCOPY --from=3 x y\n", "stage-number"),
            ("FROM a\nCOPY --from=0 x y\n", "from-later-stage"),
            ("FROM a\nCOPY --from=b x y\nFROM c AS b\n", "from-later-stage"),
            ("FROM a\nCOPY --from=$b x y\n", "from-variable"),
            ("FROM a\nRUN --mount=from=$b,target=/c d\n", "from-variable"),
            ("\\\n", "empty-instruction"),
        ],
    )
    def test_each_is_found_and_nothing_else(self, text: str, code: str) -> None:
        assert code in codes(text)
        assert set(codes(text)) <= {code, "no-from"}

    def test_an_unknown_instruction_suggests_the_right_one(self) -> None:
        document = parse("FROM a\n  CPOY b c\n")
        (found,) = document.problems
        assert found.column == 2
        assert "Did you mean COPY?" in found.message
        assert apply(document.text, found.fixes[0].edits) == "FROM a\n  COPY b c\n"

    def test_images_are_no_unknown_stages(self) -> None:
        assert codes("FROM a\nCOPY --from=nginx:1 x y\nCOPY --from=ghcr.io/a/b x y\n") == []

    def test_every_fault_says_something_and_bad_ones_point_somewhere(self) -> None:
        document = parse("FROM a\nRUNN b\nCOPY --x c\nEXPOSE\nENV d\n")
        assert len(document.problems) == 5
        for problem in document.problems:
            assert problem.message.endswith((".", "?", "…"))
            assert (problem.line, problem.column) < (problem.end_line, problem.end_column)
            assert problem.source == "parser"


class TestStages:
    def test_they_run_from_one_from_to_the_next(self) -> None:
        document = parse("ARG x\nFROM a as One\nRUN b\n\n# two\nFROM --platform=$P one\nRUN c\n")
        first, second = document.stages
        assert (first.name, first.base, first.line, first.last) == ("one", "a", 1, 2)
        assert (second.name, second.base_stage, second.platform) == ("", 0, "$P")
        assert [each.stage for each in document.instructions] == [-1, 0, 0, 1, 1]
        assert document.stage_at(0) is None
        assert document.stage_at(4) is first
        assert document.stage_named("ONE") is first
        assert document.stage_named("one", before=0) is None

    def test_names_of_bases_keep_their_case(self) -> None:
        assert parse("FROM a AS one\nFROM One\n").stages[1].base_stage is None


def check_whole(text: str) -> Document:
    """What holds for any text whatever."""
    document = parse(text)
    assert str(document) == text
    assert "\n".join(document.lines) == text
    last = -1
    for instruction in document.instructions:
        assert (
            last
            < instruction.first
            <= instruction.code_last
            <= instruction.last
            < len(document.lines)
        )
        last = instruction.last
    for problem in document.problems:
        assert 0 <= problem.line <= problem.end_line < len(document.lines)
        assert 0 <= problem.column <= len(document.lines[problem.line])
        assert problem.end_column <= len(document.lines[problem.end_line])
        for fix in problem.fixes:
            apply(text, fix.edits)
    return document


PIECES = st.sampled_from(
    [
        *(
            "FROM ",
            "RUN ",
            "COPY ",
            "ENV ",
            "ARG ",
            "ONBUILD ",
            "HEALTHCHECK ",
            "CMD ",
            "SHELL ",
            "ADD ",
            "VOLUME ",
        ),
        *(
            "# escape=`\n",
            "# syntax=x\n",
            "\\\n",
            "`\n",
            "\n",
            "\r\n",
            "<<EOF",
            "EOF\n",
            "<<-'E'",
            "\tE\n",
            "[",
            "]",
        ),
        *(
            '["a"',
            ",",
            "'",
            '"',
            "$",
            "{",
            "}",
            "${a:-",
            "--mount=",
            "type=cache,",
            "--from=",
            "=",
            "a",
            "\t",
            " ",
        ),
        *(
            "\ufeff",
            "\0",
            "é",
            "😀",
            "\\",
            "`",
            "#",
            "--",
            " AS ",
            "\x85",
            "\u2028",
            "CMD\n",
            "from=0",
            "1",
            "NONE ",
        ),
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_text_is_read_whole_and_without_an_exception(text: str) -> None:
    check_whole(text)


@settings(deadline=None)
@given(st.binary())
def test_bytes_that_are_no_text_are_read_too(data: bytes) -> None:
    check_whole(data.decode("utf-8", "surrogateescape"))


@settings(deadline=None)
@given(st.data())
def test_cut_off_samples_are_read(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SAMPLES)).read_text("utf-8")
    start = data.draw(st.integers(0, len(text)))
    check_whole(text[start : data.draw(st.integers(start, len(text)))])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_sound(path: Path) -> None:
    document = check_whole(path.read_text("utf-8"))
    assert document.stages
    allowed = ["json-form-broken"] if path.name.startswith("legacy") else []
    assert [problem.code for problem in document.problems] == allowed
