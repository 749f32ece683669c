from __future__ import annotations

import pytest

from dockdesk.dockerfile.expand import (
    ExpansionError,
    expand,
    expand_at,
    global_scope,
    references,
    scope_at,
    variable_at,
)
from dockdesk.dockerfile.syntax import parse

SET = {"HOME": "/root", "SH": "ash", "WIDE": "日本", "EMPTY": ""}

# What BuildKit's own table says of these, with other names: word, result.
PLAIN = [
    ("a", "a"),
    ("a'b'c", "abc"),
    (r"a\'b", "a'b"),
    (r"a\tb", "atb"),
    (r'"a\tb"', r"a\tb"),
    (r'"a\\tb"', r"a\tb"),
    (r"'a\tb'", r"a\tb"),
    ("a\\", "a"),
    (r"a\\", "a\\"),
    ('"a\'b"', "a'b"),
    ("'a\\'", "a\\"),
    ("\"''\"", "''"),
    ("$.", "$."),
    ("a$1b", "ab"),
    ("a$home.", "a."),
    ("a$HOME", "a/root"),
    (r"a\$HOME", "a$HOME"),
    (r"a\\$HOME", "a\\/root"),
    (r'"a\$HOME"', "a$HOME"),
    (r"\${}", "${}"),
    ("a${none}b", "ab"),
    ("a${HOME}b", "a/rootb"),
    ("${none:-0}", "0"),
    ("${HOME:-0}", "/root"),
    ("${none:-$HOME}", "/root"),
    ("${none:-${other:-deep}}", "deep"),
    ("${HOME?}", "/root"),
    ("${EMPTY?}", ""),
    ("${none:+x}", ""),
    ("${HOME:+x${SH}}", "xash"),
    ("${EMPTY-x}", ""),
    ("${EMPTY:-x}", "x"),
    ("${EMPTY+x}", "x"),
    ("${EMPTY:+x}", ""),
    ("'${HOME}'", "${HOME}"),
    ("\"'$HOME'\"", "'/root'"),
    ("${HOME:+${HOME}:}x", "/root:x"),
    (r"${none:-\$HOME:}", "$HOME:"),
    (r"${none:-\${HOME}z}x", "${HOMEz}x"),
    ("$WIDE語", ""),  # letters of any script go into a name
    ("${WIDE}語", "日本語"),
    ("${a}}", "}"),
    ("${a:-b {c}", "b {c"),
    ("$999a", "a"),
    ("$@@", "@"),
    ("${@:-x}", "x"),
    ("${#:+x}", ""),
    ("$$", ""),
    ("<<  a", "<<  a"),
]


@pytest.mark.parametrize(("word", "text"), PLAIN)
def test_words_are_expanded_as_buildkit_does(word: str, text: str) -> None:
    assert expand(word, SET.get).text == text


BROKEN = [
    *(
        "a'b",
        r"a\\'b",
        '"a',
        r'"a\"',
        "${}",
        "a${}",
        "${.}",
        "${a:b}",
        "${none?}",
        "${none:?}",
        "${EMPTY:?}",
    ),
    *(
        "${HOME",
        "${HOME:=x}",
        "${HOME=x}",
        "${{a}",
        "${a:-b",
        "${a:-b ${c}",
        "${:}",
        "${:-b}",
        "${",
        "${HOME:#x}",
    ),
    *("${HOME:%%x}", "${HOME//x}", "${HOME//}", "${HOME#\\x}", "${HOME/x"),
]


@pytest.mark.parametrize("word", BROKEN)
def test_what_ends_the_build_is_an_error(word: str) -> None:
    with pytest.raises(ExpansionError):
        expand(word, SET.get)


def test_the_message_after_a_question_mark_is_the_error() -> None:
    with pytest.raises(ExpansionError, match="VERSION: pass --build-arg for ash"):
        expand("${VERSION:?pass --build-arg for $SH}", SET.get)


PATTERNS = [
    ("${v#*x*y}", "xxyy", "y"),
    ("${v#*}", "xxyy", "xxyy"),
    ("${v##*x}", "xxyy", "yy"),
    ("${v#}", "xxyy", "xxyy"),
    (r"${v#?\?}", "???y", "?y"),
    (r"${v%%\**}", "xx**", "xx"),
    (r"${v%%\**\*}", "a***yy*", "a"),
    ("${v%b*}", "foobarbaz", "foobar"),
    ("${v%%b*}", "foobarbaz", "foo"),
    ("${v%}", "xxyy", "xxyy"),
    (r"${v#()[]{\}^$.\*\?|\\}", "()[]{}^$.*?|\\x", "x"),
    ("${v/ba/fo}", "foobarbaz", "fooforbaz"),
    ("${v//ba/fo}", "foobarbaz", "fooforfoz"),
    ("${v//?/.}", "abc", "..."),
    (r"${v//\//\/}", "/a/b", r"\/a\/b"),
    ("${v///}", "xxyy", "xxyy"),
    ("${v/.a/b}", "xa.a", "xab"),
]


@pytest.mark.parametrize(("word", "value", "text"), PATTERNS)
def test_patterns_cut_and_replace(word: str, value: str, text: str) -> None:
    assert expand(word, {"v": value}.get).text == text


def test_patterns_may_come_from_variables() -> None:
    names = {"f": "/foo*/*/*.txt", "needle": "\\*/", "new": "."}
    assert (
        expand("${f/$needle/$new} ${f//$needle/$new}", names.get).text == "/foo.*/*.txt /foo..*.txt"
    )


def test_words_are_split_after_expansion_outside_of_quotes() -> None:
    names = {"ports": "80  443 ", "lead": " a b"}
    assert expand("x$ports", names.get).words == ("x80", "443")
    assert expand('x"$ports"y z', names.get).words == ("x80  443 y", "z")
    assert expand("x$lead", names.get).words == ("x", "a", "b")
    assert expand(r"a\ b", names.get).words == ("a b",)


def test_the_names_used_and_missing_are_told() -> None:
    found = expand("${A-1} ${B:-$C}", {"A": "x"}.get)
    assert found.used == {"A"}
    assert found.missing == {"B", "C"}


def test_the_backtick_escapes_where_the_directive_says_so() -> None:
    assert expand(r"c:\$HOME`$x", SET.get, "`").text == r"c:\/root$x"


DOCUMENT = parse(
    """\
ARG VERSION=1.2
ARG IMAGE=base:${VERSION}
ARG BARE
FROM ${IMAGE} AS one
ARG VERSION
ARG TARGETARCH
ARG BARE
ARG OWN=x SECOND=$OWN-y
ENV A=1 B=$A
ENV B=$A C=${TARGETARCH} D=$OWN PATH=/opt:$PATH
RUN echo
FROM scratch AS two
ENV VERSION=${VERSION:-none}
RUN echo
FROM one
ENV OWN=fixed
RUN echo $B
"""
)


def test_from_sees_global_args_alone() -> None:
    assert expand_at(DOCUMENT, 3, "$IMAGE").text == "base:1.2"
    assert variable_at(DOCUMENT, 3, "OWN").unset


def test_build_args_win_over_defaults_and_reach_what_depends_on_them() -> None:
    assert global_scope(DOCUMENT, {"VERSION": "9"}).lookup("IMAGE") == "base:9"
    assert variable_at(DOCUMENT, 10, "OWN", {"OWN": "z"}).value == "z"
    assert variable_at(DOCUMENT, 10, "SECOND", {"OWN": "z"}).value == "z-y"


def test_a_bare_arg_takes_the_global_value() -> None:
    found = variable_at(DOCUMENT, 10, "VERSION")
    assert (found.value, found.line, found.kind) == ("1.2", 4, "arg")
    assert "line 1" in found.why


def test_an_arg_without_default_is_unset_and_says_how_to_give_it() -> None:
    found = variable_at(DOCUMENT, 10, "BARE")
    assert found.unset
    assert "--build-arg BARE=" in found.why


def test_an_instruction_sees_the_values_from_before_it() -> None:
    before = variable_at(DOCUMENT, 9, "B")
    assert before.value is None
    assert "$A" in before.why
    assert variable_at(DOCUMENT, 10, "B").value == "1"


def test_names_of_one_arg_see_each_other() -> None:
    assert variable_at(DOCUMENT, 10, "SECOND").value == "x-y"


def test_what_the_build_decides_is_unknown_and_says_why() -> None:
    assert variable_at(DOCUMENT, 10, "TARGETARCH").value is None
    found = variable_at(DOCUMENT, 10, "C")
    assert found.value is None
    assert not found.unset
    assert "TARGETARCH" in found.why
    path = variable_at(DOCUMENT, 10, "PATH")
    assert path.value is None
    assert "base:1.2" in path.why


def test_a_stage_begins_without_the_names_of_others() -> None:
    assert variable_at(DOCUMENT, 13, "VERSION").value == "none"
    assert variable_at(DOCUMENT, 13, "A").unset


def test_a_stage_built_on_another_inherits_its_names() -> None:
    assert variable_at(DOCUMENT, 16, "B").value == "1"
    assert variable_at(DOCUMENT, 16, "OWN").value == "fixed"
    assert variable_at(DOCUMENT, 15, "OWN").value == "x"


def test_certainty_follows_the_args_a_value_is_made_of() -> None:
    scope = scope_at(DOCUMENT, 10)
    assert not scope.variable("D").certain
    assert scope.variable("A").certain


def test_platform_names_need_an_arg_within_a_stage() -> None:
    assert variable_at(DOCUMENT, 13, "TARGETOS").unset
    assert not variable_at(DOCUMENT, 3, "TARGETOS").unset


def test_proxies_are_known_to_run_alone() -> None:
    assert variable_at(DOCUMENT, 13, "https_proxy").kind == "predefined"


def test_references_are_found_within_defaults_but_not_in_single_quotes() -> None:
    found = references(r"""$a '$b' "'$c'" \$d ${e:-${f}x} $1""")
    assert [each.name for each in found] == ["a", "c", "e", "f"]
    assert found[2].modifier == ":-${f}x"
    assert [each.name for each in references("'$a'", quotes=False)] == ["a"]
