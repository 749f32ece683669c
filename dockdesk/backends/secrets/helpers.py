"""Runs credential helpers. Source: docker/docker-credential-helpers, its protocol."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
from dataclasses import field
from typing import TYPE_CHECKING

from dockdesk.core.records import dataclass

if TYPE_CHECKING:
    import subprocess

TIMEOUT = 30.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_UNKNOWN = ("credentials not found", "no credentials", "not found in native keychain")
# A helper that stores a token instead of a password answers with this user name.
TOKEN_USER = "<token>"


class HelperError(Exception):
    """Why a helper gave no login, in one sentence without secrets."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a helper answers."""

    username: str
    secret: str = field(repr=False)


def ask_helper(name: str, server: str, timeout: float = TIMEOUT) -> Stored | None:
    """The login that `docker-credential-NAME` has for a server; None if it has none. Blocking.

    A helper may ask the user to unlock a keyring, so it gets ``timeout`` seconds; then it is ended with all it started.
    Raise HelperError.
    """
    if not _NAME.fullmatch(name):
        raise HelperError(f"“{name}” is not the name of a credential helper.")
    program = f"docker-credential-{name}"
    path = shutil.which(program)
    if path is None:
        raise HelperError(f"The credential helper {program} is not installed.")
    code, output = _run(path, program, server, timeout)
    if code != 0:
        said = output.decode("utf-8", "replace").strip().partition("\n")[0][:200]
        if any(word in said.casefold() for word in _UNKNOWN):
            return None
        raise HelperError(f"{program} failed: {said or f'exit code {code}'}.")
    return _parsed(program, output)


def _run(path: str, program: str, server: str, timeout: float) -> tuple[int, bytes]:
    import subprocess  # most registries need no helper

    try:
        process = subprocess.Popen(
            [path, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise HelperError(f"{program} can't be run: {error.strerror}.") from error
    with process:
        try:
            output, _ = process.communicate(server.encode(), timeout)
        except subprocess.TimeoutExpired:
            # What the helper started holds its output open too.
            _end(process)
            raise HelperError(f"{program} gave no answer within {timeout:.0f} s.") from None
        except BaseException:
            _end(process)
            raise
    return process.returncode, output


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _parsed(program: str, output: bytes) -> Stored | None:
    try:
        answer = json.loads(output)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError):
        # Without the cause: its text quotes the answer.
        raise HelperError(f"{program} gave an answer that is not understood.") from None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise HelperError(f"{program} gave an answer that is not understood.")
    return Stored(username, secret) if username or secret else None
