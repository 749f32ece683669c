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
    program, path = _found(name)
    code, output = _run(path, program, "get", server.encode(), timeout)
    if code != 0:
        if _knows_none(output):
            return None
        raise _failed(program, code, output)
    return _parsed(program, output)


def store_with_helper(
    name: str, server: str, username: str, secret: str, timeout: float = TIMEOUT
) -> None:
    """Have `docker-credential-NAME` keep a login. The secret goes through a pipe. Blocking; raise HelperError."""
    program, path = _found(name)
    value = {"ServerURL": server, "Username": username, "Secret": secret}
    code, output = _run(path, program, "store", json.dumps(value).encode(), timeout)
    if code != 0:
        # A helper that quotes what it was given must not have it told.
        raise _failed(program, code, output.replace(secret.encode(), b"..."))


def erase_with_helper(name: str, server: str, timeout: float = TIMEOUT) -> None:
    """Have the helper forget a login, if it has one. Blocking; raise HelperError."""
    program, path = _found(name)
    code, output = _run(path, program, "erase", server.encode(), timeout)
    if code != 0 and not _knows_none(output):
        raise _failed(program, code, output)


def list_of_helper(name: str, timeout: float = TIMEOUT) -> dict[str, str]:
    """The servers a helper has logins for, and their users. Blocking; raise HelperError."""
    program, path = _found(name)
    code, output = _run(path, program, "list", b"", timeout)
    if code != 0:
        raise _failed(program, code, output)
    try:
        answer = json.loads(output or b"{}")
    except ValueError:
        answer = None
    if answer is not None and not isinstance(answer, dict):
        raise HelperError(f"{program} gave an answer that is not understood.")
    return {server: user for server, user in (answer or {}).items() if isinstance(user, str)}


def _found(name: str) -> tuple[str, str]:
    """The program's name and where it is."""
    if not _NAME.fullmatch(name):
        raise HelperError(f"“{name}” is not the name of a credential helper.")
    program = f"docker-credential-{name}"
    path = shutil.which(program)
    if path is None:
        raise HelperError(f"The credential helper {program} is not installed.")
    return program, path


def _knows_none(output: bytes) -> bool:
    said = _said(output).casefold()
    return any(word in said for word in _UNKNOWN)


def _said(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip().partition("\n")[0][:200]


def _failed(program: str, code: int, output: bytes) -> HelperError:
    return HelperError(f"{program} failed: {_said(output) or f'exit code {code}'}.")


def _run(path: str, program: str, action: str, content: bytes, timeout: float) -> tuple[int, bytes]:
    import subprocess  # most registries need no helper

    try:
        process = subprocess.Popen(
            [path, action],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise HelperError(f"{program} can't be run: {error.strerror}.") from error
    with process:
        try:
            output, _ = process.communicate(content, timeout)
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
