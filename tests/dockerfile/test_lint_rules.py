"""The own rules: what each finds, what it lets pass, and that its fixes mend without breaking."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.context import scan
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.lint.catalog import RULES, canonical, codes, url_of
from dockdesk.dockerfile.lint.commands import commands
from dockdesk.dockerfile.lint.rules import check
from dockdesk.dockerfile.problems import Problem, apply
from dockdesk.dockerfile.syntax import parse

END = 'USER 10001\nCMD ["/app"]\n'


def found(text: str) -> list[Problem]:
    return check(parse(text))


def codes_of(text: str) -> list[str]:
    return [each.code for each in found(text)]


def staged(*lines: str, base: str = "debian:12") -> str:
    return "\n".join((f"FROM {base}", *lines, END))


BAD: dict[str, list[str]] = {
    "StageNameCasing": ["FROM debian:12 AS Build\n" + END],
    "FromAsCasing": ["FROM debian:12 as build\n" + END, "from debian:12 AS b\nuser 5\ncmd [\"x\"]\n"],
    "NoEmptyContinuation": [staged("RUN a \\", "", "  b"), staged("RUN a \\", "", "", "  # c", "  b")],
    "ConsistentInstructionCasing": [staged("run x"), staged("Run x"), "from a:1\nrun x\nUSER 1\ncmd [\"x\"]\n"],
    "DuplicateStageName": [],
    "ReservedStageName": ["FROM debian:12 AS scratch\n" + END],
    "JSONArgsRecommended": [
        "FROM debian:12\nUSER 1\nCMD python app.py\n",
        "FROM debian:12\nUSER 1\nCMD echo $HOME && exec x \"a b\"\n",
        "FROM debian:12\nUSER 1\nENTRYPOINT /bin/x \\\n  --flag 'a b'\n",
        "FROM debian:12\nUSER 1\nCMD exec x\n",
    ],
    "MaintainerDeprecated": [staged("MAINTAINER Ann <ann@example.org>"), staged('MAINTAINER "A \\"B\\" C"')],
    "UndefinedArgInFrom": ["FROM debian:$VERSION\n" + END, "ARG VERSION=12\nFROM debian:${VERSON}\n" + END],
    "WorkdirRelativePath": [staged("WORKDIR app"), staged("WORKDIR ./app/x")],
    "UndefinedVar": [
        "ARG V=1\n" + staged("ENV A=$V"),
        staged("ARG VERSION=1", "LABEL v=$VERSIN"),
        "FROM scratch\nCOPY x /$NONE\n" + END,
        staged("ENV A=${TARGETARCH}"),
    ],
    "MultipleInstructionsDisallowed": [
        staged('CMD ["a"]'),
        staged('ENTRYPOINT ["a"]', 'ENTRYPOINT ["b"]', "HEALTHCHECK NONE", "HEALTHCHECK CMD x"),
    ],
    "LegacyKeyValueFormat": [staged("ENV A b c"), staged('LABEL a b "c" \\d'), staged('ENV A "b"')],
    "RedundantTargetPlatform": ["FROM --platform=$TARGETPLATFORM debian:12\n" + END],
    "SecretsUsedInArgOrEnv": [staged("ARG API_KEY"), staged("ENV db_password=x")],
    "InvalidDefaultArgInFrom": ["ARG V\nFROM debian:$V\n" + END],
    "FromPlatformFlagConstDisallowed": ["FROM --platform=linux/amd64 debian:12\n" + END],
    "ExposeProtoCasing": [staged("EXPOSE 80/TCP")],
    "ExposeInvalidFormat": [staged("EXPOSE 127.0.0.1:80:8080/tcp"), staged("EXPOSE 80:80")],
    "DD001": ["FROM python\n" + END, "FROM registry.example.org:5000/python\n" + END],
    "DD002": ["FROM node:latest AS b\n" + END],
    "DD003": ['FROM debian:12\nCMD ["x"]', "FROM debian:12\n# why\nENTRYPOINT [\"x\"]\n", "FROM debian:12\nRUN x"],
    "DD004": [staged("ADD a /b"), staged("ADD --chown=1 a b /c/")],
    "DD005": [
        staged("RUN apt-get update && apt-get install -y --no-install-recommends curl=1"),
        staged("RUN apt-get update \\", "  && apt-get install -y --no-install-recommends \\", "     curl=1"),
        staged("RUN <<EOF", "apt-get update", "apt-get install -y --no-install-recommends x", "EOF"),
    ],
    "DD006": [staged("RUN apt-get install -y curl"), staged("RUN apt-get \\", "  install \\", " -y curl")],
    "DD007": [staged("RUN apt-get install --no-install-recommends curl")],
    "DD008": [staged("RUN apt-get update")],
    "DD009": [staged("RUN apt install -y --no-install-recommends x")],
    "DD010": [staged("RUN sudo make"), staged("RUN a && sudo -u x make"), staged("RUN a && sudo \\", "  make")],
    "DD011": [staged("RUN apk add x", base="alpine:3"), staged("RUN apk --update add x")],
    "DD012": [staged("RUN pip install x==1"), staged("RUN python3 -m pip install --upgrade x")],
    "DD013": [staged("RUN cd /src && make"), staged("RUN cd src; make")],
    "DD014": [staged("RUN set -o pipefail; curl -fsS https://example.org/x.sh | bash -s -- -y")],
    "DD015": [staged("RUN a | b"), staged("RUN a | b", base="alpine:3"), staged("RUN x && a \\", " | b")],
    "DD016": [
        staged("WORKDIR /app", "COPY . .", "RUN npm ci"),
        staged("WORKDIR /app", "COPY --chown=5 . /app", "RUN x && pip install --no-cache-dir -r requirements.txt"),
        staged("COPY . /src", "WORKDIR /src", "RUN go mod download", "RUN go build"),
    ],
    "DD017": [staged("EXPOSE 70000"), staged("EXPOSE 0"), staged("EXPOSE 90-80"), staged("EXPOSE http")],
    "DD019": [staged("COPY a b /c"), staged('COPY ["a", "b", "/c"]')],
    "DD020": ["FROM debian:12 AS left\nRUN x\nFROM debian:12\n" + END],
    "DD021": [staged("RUN dnf install -y x"), staged("RUN yum -y install x")],
    "DD022": ['FROM debian:12\nUSER 5\nUSER root\nCMD ["x"]\n', 'FROM debian:12\nUSER 0:0\nCMD ["x"]\n'],
}  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_what_a_rule_is_for_is_found_and_its_fixes_mend_it(code: str) -> None:
    for text in BAD[code]:
        assert code in codes_of(text), text
        for problem in found(text):
            assert problem.message
            assert problem.source == "parser" or (
                problem.why and problem.url.startswith("https://")
            )
            mended(text, problem)


def mended(text: str, problem: Problem) -> None:
    """Each fix takes at least this finding away, and leaves a file that reads as before."""
    before = Counter(codes_of(text))
    for fix in problem.fixes:
        after_text = apply(text, fix.edits)
        after = Counter(codes_of(after_text))
        where = f"{problem.code}: {fix.title}\n{text}\n---\n{after_text}"
        assert after[problem.code] < before[problem.code], where
        document = parse(after_text)
        bad = [each for each in document.problems if each.tone == "bad"]
        assert len(bad) <= len([each for each in parse(text).problems if each.tone == "bad"]), where
        assert str(document) == after_text


def test_every_rule_is_tested() -> None:
    elsewhere = {"CopyIgnoredFile", "DD018"}
    assert set(BAD) | elsewhere == set(RULES)


CLEAN = [
    "FROM debian:12\n" + END,
    "FROM debian@sha256:" + "a" * 64 + "\n" + END,
    "FROM scratch\nCOPY x /x\n" + END,
    'FROM gcr.io/distroless/static:nonroot\nCMD ["/x"]\n',
    'FROM debian:12 AS base\nUSER 5\nFROM base\nCMD ["/x"]\n',
    "ARG V=12\nFROM debian:${V}\nARG V\nENV A=$V\n" + END,
    "FROM --platform=$BUILDPLATFORM debian:12 AS b\nFROM debian:12\nCOPY --from=b /x /x\n" + END,
    "FROM --platform=linux/arm64 debian:12 AS arm64\nRUN x\nFROM arm64\n" + END,
    staged("ADD https://example.org/x.tar.gz /x", "ADD x.tar.gz /", "ADD git@github.com:a/b.git /b"),
    staged("RUN apt-get update && apt-get install -qq --no-install-recommends a && rm -rf /var/lib/apt/lists/*"),
    staged(
        "RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt "
        "apt-get update && apt-get install -y --no-install-recommends a"
    ),
    staged("RUN --mount=type=cache,target=/root/.cache/pip pip install x==1"),
    staged("ENV PIP_NO_CACHE_DIR=1", "RUN pip install x==1"),
    staged("RUN apk add --no-cache x", "RUN apk --no-cache add y"),
    staged('SHELL ["/bin/bash", "-o", "pipefail", "-c"]', "RUN a | b"),
    staged("RUN set -euo pipefail && a | b"),
    staged("RUN echo 'sudo apt install x | sh' \"a|b\" # sudo"),
    staged("RUN a || b"),
    staged("COPY package.json package-lock.json ./", "RUN npm ci", "COPY . ."),
    staged("COPY a b /c/", "COPY a b .", "COPY a b $X"),
    staged("ENV TOKEN_FILE=/run/x PUBLIC_KEY=x AUTHOR=x MONKEY=x", "ARG KEYBOARD"),
    staged("WORKDIR /a", "WORKDIR b", "WORKDIR $HOME"),
    staged("EXPOSE 80 443/udp 8000-8010 $PORT"),
    staged("ENV PATH=/x:$PATH JAVA=$JAVA_HOME V=${NOT:-x}"),
    staged("# comment", "RUN a \\", "  # why", "  && b"),
    'FROM debian:12\nSHELL ["/bin/bash", "-c"]\nUSER 5\nCMD x y\n',
    "from debian:12 as build\nuser 5\ncmd [\"x\"]\n",
    "FROM debian:12\nUSER 5\nCMD [ 'x' ]\n",
]  # fmt: skip


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_fine_is_let_pass(text: str) -> None:
    told = [each for each in found(text) if each.source == "dockdesk"]
    assert not told, text


@given(st.lists(st.sampled_from([line for texts in BAD.values() for text in texts for line in text.split("\n")]),
                max_size=9))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_mixture_of_lines_confuses_the_rules_and_fixes_always_mend(lines: list[str]) -> None:
    text = "\n".join(["FROM debian:12", *lines])
    document = parse(text)
    for problem in check(document):
        assert 0 <= problem.line < len(document.lines)
        assert problem.column <= len(document.lines[problem.line])
        assert (problem.line, problem.column) <= (problem.end_line, problem.end_column)
        if problem.source == "dockdesk":
            mended_somehow(text, problem)


def mended_somehow(text: str, problem: Problem) -> None:
    before = codes_of(text).count(problem.code)
    for fix in problem.fixes:
        after = apply(text, fix.edits)
        assert codes_of(after).count(problem.code) < before, f"{fix}\n{text}\n---\n{after}"


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_checked(text: str) -> None:
    check(parse(text))


def test_positions_are_exact() -> None:
    text = staged("RUN true && \\", "    apt-get install \\", "    -y curl")
    (problem,) = [each for each in found(text) if each.code == "DD006"]
    assert (problem.line, problem.column, problem.end_line, problem.end_column) == (2, 12, 2, 19)


def test_known_tags_are_offered_to_pin_to() -> None:
    problems = check(
        parse("FROM example.org/tool\n" + END), tags=lambda image: ["latest", "2.1", "2.0"]
    )
    (problem,) = [each for each in problems if each.code == "DD001"]
    assert [fix.title for fix in problem.fixes[:2]] == [
        "Pin to example.org/tool:2.1",
        "Pin to example.org/tool:2.0",
    ]


def test_sources_are_looked_for_in_the_context(tmp_path: Path) -> None:
    for name in ("src/a.py", "secret/b", "node_modules/c/d", "README.md", "é x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    rules = IgnoreRules.parse("secret\nnode_modules\n*.md\n")
    context = scan(tmp_path, rules, SilentWork())
    text = "\n".join(
        [
            "FROM debian:12",
            "COPY src /src",
            "COPY ./src/*.py /src/",
            "COPY /src/a.py .",
            "COPY . .",
            'COPY ["é x.txt", "/"]',
            "COPY --from=other nothing /x",
            "COPY $VARIABLE /x",
            "COPY <<EOF /x",
            "EOF",
            "COPY src/b.py /",
            "COPY secret/b /",
            "COPY node_modules/c /",
            "COPY README.md /",
            "COPY *.zip /",
            "ADD nothing.tar.gz /",
            END,
        ]
    )
    told = [
        (each.line + 1, each.code)
        for each in check(parse(text), context)
        if each.code in ("DD018", "CopyIgnoredFile")
    ]
    assert told == [
        (11, "DD018"),
        (12, "CopyIgnoredFile"),
        (13, "CopyIgnoredFile"),
        (14, "CopyIgnoredFile"),
        (15, "DD018"),
        (16, "DD018"),
    ]


def test_a_finding_has_one_name_and_a_page() -> None:
    assert canonical("DL3025") == "JSONArgsRecommended"
    assert canonical("SC2086") == "SC2086"
    assert codes("DD001") == {"DD001", "DL3006"}
    assert url_of("JSONArgsRecommended").endswith("/build-checks/json-args-recommended/")
    assert url_of("SC2086") == "https://www.shellcheck.net/wiki/SC2086"
    named = [code for rule in RULES.values() for code in rule.same]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a && b || c; d | e & f", ["a", "b", "c", "d", "e", "f"]),
        ("FOO=1 /usr/bin/env -i X=2 make all", ["make"]),
        ("if true; then curl x | sh; fi", ["true", "curl", "sh", "fi"]),
        ("echo \"a && b\" 'c | d' e\\;f # g && h", ["echo"]),
        ("echo $(a | b) 2>&1 && c &> d", ["echo", "c"]),
        ("", []),
        ("'unclosed", ["unclosed"]),
    ],
)
def test_the_commands_of_a_shell_line(text: str, names: list[str]) -> None:
    assert [each.name for each in commands(text)] == names
