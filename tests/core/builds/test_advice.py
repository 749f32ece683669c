"""Common failures are told apart by what builders and programs say."""

from __future__ import annotations

import pytest

from dockdesk.core.builds.advice import advise

EXIT = 'process "/bin/sh -c x" did not complete successfully: exit code: 1'


@pytest.mark.parametrize(
    ("message", "log", "code", "words"),
    [
        (EXIT, "E: Unable to locate package curll\n", "package", "curll"),
        (EXIT, "ERROR: unable to select packages:\n  curll (no such package):\n", "package", "curll"),
        (EXIT, "ERROR: No matching distribution found for flaskk==9\n", "package", "flaskk==9"),
        (EXIT, "npm error code E404\nnpm error 404 Not Found - GET https://r/x\n", "package", "npm"),
        (EXIT, "/bin/sh: write error: No space left on device\n", "disk", "disk"),
        ("write /x: no space left on device", "", "disk", "disk"),
        (EXIT, "/bin/sh: ./run.sh: Permission denied\n", "permission", "allowed"),
        ("dockerfile parse error on line 3: unknown instruction: RUM", "", "instruction", "RUM"),
        ("docker.io/library/nope:latest: not found: manifest unknown", "", "base", "base image"),
        ("failed to resolve source metadata for docker.io/a:b: a:b: not found", "", "base", "base image"),
        ("pull access denied for a/b, repository does not exist or may require 'docker login'", "", "login", "login"),
        ("server message: insufficient_scope: authorization failed", "", "login", "login"),
        (EXIT, "curl: (6) Could not resolve host: example.org\n", "network", "network"),
        ("dial tcp: lookup registry-1.docker.io: no such host", "", "network", "network"),
        (EXIT, "/bin/sh: 1: gcc: not found\n", "command", "gcc"),
        ("process did not complete successfully: exit code: 127", "a.sh: line 2: jq: not found", "command", "jq"),
        ("process did not complete successfully: exit code: 127", "", "command", "not there"),
        ('process did not complete successfully: exit code: 137', "", "memory", "memory"),
        ("secret npmrc: not found", "", "secret", "npmrc"),
        ("toomanyrequests: You have reached your pull rate limit", "", "rate", "requests"),
        ('target stage "prod" could not be found', "", "stage", "prod"),
        ("exec /bin/sh: exec format error", "", "platform", "platform"),
    ],
)  # fmt: skip
def test_known_failures(message: str, log: str, code: str, words: str) -> None:
    advice = advise(message, log)
    assert advice is not None
    assert advice.code == code
    assert words in advice.title
    assert advice.text


@pytest.mark.parametrize(
    "message",
    [
        'failed to compute cache key: failed to calculate checksum of ref a::b: "/src/app.py": not found',
        "COPY failed: file not found in build context or excluded by .dockerignore: stat src/app.py: "
        "file does not exist",
        "COPY failed: stat /var/lib/docker/tmp/docker-builder123/src/app.py: no such file or directory",
    ],
)
def test_a_missing_file_names_the_rule_that_leaves_it_out(message: str) -> None:
    asked: list[str] = []

    def excluded(path: str) -> str:
        asked.append(path)
        return "Line 3 of .dockerignore (*.py)"

    advice = advise(message, excluded=excluded)
    assert advice is not None
    assert (advice.code, advice.path, asked) == ("ignored", "src/app.py", ["src/app.py"])
    assert "Line 3 of .dockerignore" in advice.text
    assert "!src/app.py" in advice.text


def test_a_missing_file_that_no_rule_leaves_out() -> None:
    message = (
        'failed to compute cache key: failed to calculate checksum of ref a::b: "/x": not found'
    )
    advice = advise(message)
    assert advice is not None
    assert (advice.code, advice.path) == ("missing", "x")
    of_a_stage = advise(message, text="COPY --from=build /x /y")
    assert of_a_stage is not None
    assert of_a_stage.code == "stage-file"


def test_what_is_not_known_gets_no_advice() -> None:
    assert advise(EXIT, "assertion failed: 1 == 2\n") is None
    assert advise("") is None


def test_a_log_without_line_ends_is_read_quickly() -> None:
    assert advise("", "a" * 1_000_000) is None
    assert advise("", "failed to compute cache key " * 40_000) is None
