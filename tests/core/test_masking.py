from __future__ import annotations

import time

import pytest

from dockdesk.core.masking import (
    MASK,
    holds_secret,
    looks_secret,
    masked_text,
    masked_urls,
    masked_value,
    masked_words,
)


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "githubToken",
        "AWS_SECRET_ACCESS_KEY",
        "api-key",
        "PRIVATE_KEY",
        "MYSQL_PWD",
        "Authorization",
        "PGPASSWORD",
        "SECRETKEY",
    ],
)
def test_secret_names(name: str) -> None:
    assert looks_secret(name)
    assert masked_value(name, "x") == MASK


@pytest.mark.parametrize(
    "name", ["PATH", "MONKEY", "KEYBOARD", "KEY", "HOME", "COMPASS", "AUTHOR", ""]
)
def test_other_names(name: str) -> None:
    assert not looks_secret(name)


def test_passwords_in_urls_are_masked() -> None:
    assert masked_urls("redis://user:hunter2@host:6379/0") == f"redis://user:{MASK}@host:6379/0"
    assert masked_urls("http://host/a:b@c") == "http://host/a:b@c"
    assert holds_secret("URL", "amqp://:hunter2@host")
    assert not holds_secret("URL", "https://example.com")
    assert not holds_secret("PASSWORD", "")


def test_secrets_among_the_words_of_a_command_are_masked() -> None:
    words = ["--port=1", "--requirepass", "hunter2", "--password=hunter2", "--pass", "-v", "x"]
    assert list(masked_words(words)) == [
        "--port=1",
        "--requirepass",
        MASK,
        f"--password={MASK}",
        "--pass",
        "-v",
        "x",
    ]
    script = "export PGPASSWORD='a b'; A=1 psql postgres://u:hunter2@db"
    assert masked_text(script) == f"export PGPASSWORD={MASK}; A=1 psql postgres://u:{MASK}@db"


def test_masking_takes_linear_time() -> None:
    """Ten times the text must not take a hundred times as long; the bound is generous for slow machines."""

    def spent(size: int) -> float:
        start = time.process_time()
        masked_urls("://" * size + "a" * size)
        masked_text("a" * size + "='" * size)
        looks_secret("aA_" * size)
        return time.process_time() - start

    spent(1000)
    assert spent(100_000) < 5


def test_passwords_among_options_are_masked() -> None:
    """As a mount of a network drive has them, or a program's own options in one variable."""
    options = "addr=10.0.0.1,username=me,password=hunter2,vers=3.0"
    assert masked_value("o", options) == f"addr=10.0.0.1,username=me,password={MASK},vers=3.0"
    assert holds_secret("JAVA_OPTS", "-Xmx1g -Ddb.password=hunter2")
    assert masked_value("JAVA_OPTS", "-Xmx1g -Da=b") == "-Xmx1g -Da=b"
    assert masked_value("ARGS", "a=1,url=http://u:hunter2@h/") == f"a=1,url=http://u:{MASK}@h/"
