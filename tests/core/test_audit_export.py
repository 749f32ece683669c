"""Exports of the command log: what a shell and a Markdown reader make of them, whatever the names hold."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dockdesk.core.actions import AuditEntry, Equivalent
from dockdesk.core.audit_export import to_markdown, to_shell
from dockdesk.core.masking import MASK


def entry(
    cli: str,
    *,
    at: float = 1_800_000_000.0,
    title: str = "Restart web",
    outcome: str = "ok",
    error: str = "",
    environment: str = "default",
    sdk: str = "",
    api: str = "POST /containers/web/restart",
    id: int = 0,
) -> AuditEntry:
    return AuditEntry(
        at=at,
        environment=environment,
        action="container.restart",
        title=title,
        target="web",
        equivalent=Equivalent(cli, sdk, api),
        outcome=outcome,
        error=error,
        duration=2.4,
        id=id,
    )


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ``docker`` that notes its arguments instead of doing anything."""
    folder = tmp_path_factory.mktemp("bin")
    docker = folder / "docker"
    docker.write_text(
        f"#!{sys.executable} -S\n"
        "import json, sys\n"
        "with open(sys.argv[0] + '.calls', 'a') as calls:\n"
        "    calls.write(json.dumps(sys.argv[1:]) + '\\n')\n"
    )
    docker.chmod(0o755)
    return folder


def calls_of(script: str, tools: Path) -> list[list[str]]:
    """Run a script with sh and return what ``docker`` was called with."""
    calls = tools / "docker.calls"
    calls.write_text("")
    done = subprocess.run(
        ["sh", "-s"],
        input=script.encode("utf-8", "surrogateescape"),
        env={"PATH": f"{tools}:/usr/bin:/bin"},
        cwd=tools,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == b""
    return [json.loads(line) for line in calls.read_text().splitlines()]


def test_commands_run_in_the_order_they_happened(tools: Path) -> None:
    script = to_shell(
        [
            entry("docker stop web", at=20.0),
            entry("docker run -d -e 'A=1 2' nginx", at=10.0),
            entry("docker rm web", at=20.0, id=1),
        ]
    )
    assert calls_of(script, tools) == [
        ["run", "-d", "-e", "A=1 2", "nginx"],
        ["stop", "web"],
        ["rm", "web"],
    ]


def test_it_says_where_and_when_each_ran() -> None:
    script = to_shell(
        [
            entry("docker ps", environment="laptop", at=0.0),
            entry("docker ps", environment="production", at=1.0),
            entry("docker ps", environment="laptop", at=2.0),
        ]
    )
    headings = [line for line in script.splitlines() if "Environment:" in line]
    assert headings == [
        "# --- Environment: laptop ---",
        "# --- Environment: production ---",
        "# --- Environment: laptop ---",
    ]
    assert "# 1970-01-01 00:00:01 UTC  Restart web" in script


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (
            entry("docker stop web", outcome="failed", error="No such container\nweb"),
            "It failed: No such container web",
        ),
        (entry("docker stop web", outcome="cancelled"), "It was cancelled."),
        (entry(f"docker run -e PASSWORD={MASK} db"), "It holds a secret"),
        (entry(""), "There is no command for this: POST /containers/web/restart"),
        (entry("docker rm web; rm -r x"), "Left out: it holds an unquoted ;"),
        (entry("docker rm web && rm x"), "Left out: it holds an unquoted &"),
        (entry("docker save web > x"), "Left out: it holds an unquoted >"),
        (entry("docker rm $(id)"), "Left out: the shell would put something else in its place"),
        (entry('docker rm "`id`"'), "Left out: the shell would put something else in its place"),
        (entry("docker rm *"), "Left out: it holds an unquoted *"),
        (entry("docker rm 'web"), "Left out: a quotation mark is not closed"),
        (entry("docker rm web\\"), "Left out: it ends in a backslash"),
        (entry("docker rm a\ndocker rm b"), "Left out: it holds an unquoted line feed"),
        (entry("docker rm 'a\x1b[2Jb'"), "Left out: it holds characters that cannot be seen"),
        (entry("docker rm 'a\u202egpj'"), "Left out: it holds characters that cannot be seen"),
    ],
)
def test_what_must_not_run_is_a_comment(tools: Path, kept: AuditEntry, reason: str) -> None:
    script = to_shell([kept])
    assert reason in script
    assert calls_of(script, tools) == []
    assert "\x1b" not in script
    assert "\u202e" not in script


@pytest.mark.parametrize(
    "cli",
    [
        "docker rm 'a;b' 'c|d' 'e>f' '$HOME' '*'",
        'docker rm "a;b" \\; a#b a~b',
        "docker run -e 'TEXT=two\nlines' web",
        "docker inspect --format '{{json .}}' web",
    ],
)
def test_quoted_words_stay_as_they_are(tools: Path, cli: str) -> None:
    assert calls_of(to_shell([entry(cli)]), tools) == [shlex.split(cli)[1:]]


@settings(max_examples=40)
@given(
    words=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4),
    title=st.text(max_size=60),
    environment=st.text(max_size=20),
    error=st.text(max_size=40),
    outcome=st.sampled_from(["ok", "failed"]),
)
def test_no_name_escapes_its_quotes(
    tools: Path, words: list[str], title: str, environment: str, error: str, outcome: str
) -> None:
    """Each command runs with exactly its words, or not at all; comments never run."""
    made = entry(
        shlex.join(["docker", *words]),
        title=title,
        environment=environment,
        outcome=outcome,
        error=error,
    )
    script = to_shell([made, entry("docker version", at=2e9)])
    calls = calls_of(script.encode("utf-8", "replace").decode(), tools)
    expected = [[word.encode("utf-8", "replace").decode() for word in words]]
    assert calls in ([*expected, ["version"]], [["version"]])
    if outcome == "failed":
        assert calls == [["version"]]


def test_markdown_tells_the_steps() -> None:
    text = to_markdown(
        [
            entry(
                "docker pull nginx", title="Pull nginx", at=0.0, sdk="client.images.pull('nginx')"
            ),
            entry(
                "docker stop web", title="Stop web", at=60.0, outcome="failed", error="it is gone"
            ),
        ],
        title="Workshop",
        sdk=True,
    )
    assert text == (
        "# Workshop\n\n"
        "2 steps, 1970\\-01\\-01 00:00:00 UTC to 1970\\-01\\-01 00:01:00 UTC.\n\n"
        "## In default\n\n"
        "### 1. Pull nginx\n\n"
        "1970\\-01\\-01 00:00:00 UTC, took 2 s\n\n"
        "```sh\ndocker pull nginx\n```\n\n"
        "```python\nclient.images.pull('nginx')\n```\n\n"
        "### 2. Stop web\n\n"
        "1970\\-01\\-01 00:01:00 UTC: **failed**: it is gone\n\n"
        "```sh\ndocker stop web\n```\n"
    )


def test_markdown_of_nothing() -> None:
    assert to_markdown([]) == "# What was done\n\nNothing was done.\n"


@example(title="", cli="\r", error="")
@given(
    title=st.text(max_size=60),
    cli=st.text(max_size=80),
    error=st.text(max_size=60),
)
def test_names_stay_text_in_markdown(title: str, cli: str, error: str) -> None:
    text = to_markdown(
        [entry(cli, title=title, outcome="failed", error=error), entry("docker ps", at=2e9)]
    )
    tokens = MarkdownIt("commonmark").parse(text)
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    assert headings == ["h1", "h2", "h3", "h3"]
    assert not [
        token
        for token in tokens
        if token.type in {"html_block", "list_item_open", "blockquote_open"}
    ]
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "strong_open", "strong_close", "text_special"}
    fences = [token for token in tokens if token.type == "fence"]
    assert fences[-1].content == "docker ps\n"
    assert len(fences) == 2


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "[x](javascript:y)", "**b** `c`", "# h", "&lt;", "www.a.b"],
)
def test_markup_in_names_is_shown(name: str) -> None:
    html = MarkdownIt("commonmark").render(to_markdown([entry("docker ps", title=name)]))
    heading = html.split("<h3>")[1].split("</h3>")[0]
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert heading == f"1. {escaped}"
