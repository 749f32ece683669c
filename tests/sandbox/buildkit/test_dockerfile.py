"""How the sandbox reads Dockerfiles: instructions, variables, ignore files, and what it finds fault with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.buildkit import lint
from dockdesk.sandbox.buildkit.dockerfile import DockerfileError, parse
from dockdesk.sandbox.buildkit.expand import Expander
from dockdesk.sandbox.buildkit.ignoring import excludes, patterns_of
from dockdesk.sandbox.buildkit.running import mount_of
from dockdesk.sandbox.buildkit.states import nanoseconds


def test_instructions_over_several_lines() -> None:
    found = parse(
        "# escape=`\n\n# a comment\nfrom alpine AS x\n"
        "RUN --mount=type=cache,target=/c --network=none a && `\n  # between\n\n  b\n"
        'CMD ["a", "b c"]\n'
    )
    assert found.escape == "`"
    first, run, cmd = found.instructions
    assert (first.keyword, first.word, first.rest) == ("FROM", "from", "alpine AS x")
    assert run.flags == (("mount", "type=cache,target=/c"), ("network", "none"))
    assert (run.first, run.last) == (5, 8)
    assert run.rest.split() == ["a", "&&", "b"]
    assert cmd.words == ["a", "b c"]


def test_here_documents() -> None:
    (_, run, copy) = parse(
        'FROM x\nRUN <<EOF\necho $A\nEOF\nCOPY <<-"one.txt" <<two /d/\n\tfirst\n\tone.txt\nsecond\ntwo\n'
    ).instructions
    assert [(doc.content, doc.expands) for doc in run.heredocs] == [("echo $A\n", True)]
    assert [(d.name, d.content, d.expands) for d in copy.heredocs] == [
        ("one.txt", "first\n", False),
        ("two", "second\n", True),
    ]
    assert (run.first, run.last, copy.last) == (2, 4, 9)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("", "cannot be empty", 0),
        ("# only this\n", "cannot be empty", 0),
        ("FROM x\n\nCOPPY a b\n", "line 3: unknown instruction: COPPY (did you mean COPY?)", 3),
        ("FROM x\nRUN <<EOF\nnever\n", "unterminated heredoc", 2),
        ("FROM x\nRUN\n", "RUN requires at least one argument", 2),
        ("# escape=x\nFROM x\n", "invalid escape token", 1),
    ],
)
def test_errors_are_located(text: str, message: str, line: int) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.first == line


@given(st.text(alphabet="FROM RUN\n\\$`\"'{}<E=#x-", max_size=80))
def test_nothing_else_is_ever_raised(text: str) -> None:
    try:
        for instruction in parse(text).instructions:
            Expander({"x": "y"}).word(instruction.rest)
    except DockerfileError:
        pass


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$a-${a}", "foo.tar.gz-foo.tar.gz"),
        ("${no:-d$a}${e:-d}${e-d}", "dfoo.tar.gzd"),
        ("${a:+yes}${no:+no}${e+yes}", "yesyes"),
        ("${a%.*} ${a%%.*} ${a#*.} ${a##*.}", "foo.tar foo tar.gz gz"),
        ("${a/o/0} ${a//o/0}", "f0o.tar.gz f00.tar.gz"),
        ("'$a' \"$a\" \\$a", "$a foo.tar.gz $a"),
        ("$no", ""),
    ],
)
def test_variables(text: str, value: str) -> None:
    assert Expander({"a": "foo.tar.gz", "e": ""}).word(text) == value


def test_words_and_what_is_kept() -> None:
    assert Expander({"a": "x y"}).words("k=\"v w\" $a 'q r'") == ["k=v w", "x y", "q r"]
    kept = Expander({"a": "1"}, raw=True, keep=True)
    assert kept.word("echo \"$HOME\" ${a} '$a'") == "echo \"$HOME\" 1 '$a'"
    assert kept.unknown == {"HOME"}
    for text in ("${a", "${a:?why}", "'open", "${1a}"):
        with pytest.raises(DockerfileError):
            Expander({}).word(text)


def test_ignore_files() -> None:
    patterns = patterns_of(
        "# a\n\n /build \n*.log\n!keep.log\n**/node_modules\ndocs/**/*.md\n./x/../y\n"
    )
    assert patterns == ("build", "*.log", "!keep.log", "**/node_modules", "docs/**/*.md", "y")
    expected = {
        "build/a": True, "sub/build": False, "a.log": True, "keep.log": False, "sub/a.log": False,
        "a/b/node_modules/c": True, "docs/a.md": True, "docs/a/b.md": True, "docs/a.txt": False, "y": True,
    }  # fmt: skip
    assert {path: excludes(patterns, path) for path in expected} == expected


def test_mounts_and_durations() -> None:
    spec, source = mount_of("type=secret,id=t,target=s,required,mode=0440", "/w")
    assert (spec.id, spec.target, spec.required, spec.mode) == ("t", "/w/s", True, 0o440)
    spec, source = mount_of("from=build,source=/out,target=/in", "/")
    assert (spec.kind, spec.source, source) == ("bind", "/out", "build")
    assert nanoseconds("1m30s") == 90 * 10**9
    assert nanoseconds("1.5ms") == 1_500_000


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("FROM a as b\nCMD x\n", {"FromAsCasing", "JSONArgsRecommended"}),
        ("FROM a AS B\nfrom b\nRUN x\n", {"StageNameCasing", "ConsistentInstructionCasing"}),
        ("FROM a AS b\nFROM a AS b\n", {"DuplicateStageName"}),
        ("FROM a\nMAINTAINER x\nENV k v\n", {"MaintainerDeprecated", "LegacyKeyValueFormat"}),
        ("FROM a\nWORKDIR w\n", {"WorkdirRelativePath"}),
        ("FROM a\nARG API_KEY\nENV PASSWORD=x\n", {"SecretsUsedInArgOrEnv"}),
        ('FROM a\nCMD ["x"]\nCMD ["y"]\nEXPOSE 80/TCP\n', {"MultipleInstructionsDisallowed", "ExposeProtoCasing"}),
        ("FROM scratch\nARG known\nCOPY $known $unknown /\n", {"UndefinedVar"}),
        ("FROM a\nRUN b \\\n\n  c\n", {"NoEmptyContinuation"}),
        ("# check=skip=FromAsCasing\nFROM a as b\n", set()),
        ("# check=skip=all\nFROM a as b\nCMD x\n", set()),
        ('FROM a AS b\nSHELL ["/bin/bash", "-c"]\nCMD x\nENV A=b\nWORKDIR /w\nWORKDIR v\n', set()),
    ],
)  # fmt: skip
def test_checks(text: str, rules: set[str]) -> None:
    found = lint.check(text, parse(text), {})
    assert {one.rule for one in found} == rules
    assert all(one.lines[0][0] > 0 and one.description for one in found)


def test_addresses_of_checks() -> None:
    finding = lint.Finding("JSONArgsRecommended", "", ((1, 1),))
    assert finding.url == "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/"
    finding = lint.Finding("FromAsCasing", "", ((1, 1),))
    assert finding.url.endswith("/from-as-casing/")
