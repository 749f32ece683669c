"""What all simulated AWS services share: parameters that check themselves, errors, times, names."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

ACCOUNT = "123456789012"
ACCOUNT_ALIAS = "dockdesk-sandbox"
REGION = "eu-central-1"
ACCESS_KEY = "AKIADOCKDESKSANDBOX0"
SECRET_KEY = "a-simulation-has-no-secrets/nothing-here-is-real"
ZONE_LETTERS = "abc"


class AwsError(Exception):
    """An error as a service's documentation names it; each protocol writes it in its own shape.

    ``fields`` are further members of the error's shape. ``query_code`` is its name in the query protocols, where it
    differs (``ExpiredTokenException`` is ``ExpiredToken`` there).
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        query_code: str = "",
        **fields: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.query_code = query_code or code
        self.fields = fields


class BadInputError(Exception):
    """A parameter is missing or out of bounds; the service in front of it chooses the error's name."""


class When(float):
    """A timestamp, seconds since 1970: protocols write it as a number, a CBOR tag, or ISO 8601."""

    __slots__ = ()

    def iso(self) -> str:
        text = datetime.fromtimestamp(self, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{int(self % 1 * 1000):03d}Z"


def when(time: float) -> When:
    """Rounded to milliseconds, as AWS tells times."""
    return When(round(time, 3))


class Params:
    """The input of one call. Getters raise SerializationException for a wrong type, BadInputError for what is missing.

    The query protocols bring text only: numbers, booleans and times are read from text, too.
    """

    def __init__(self, values: Any, headers: Mapping[str, str] | None = None) -> None:
        if values is None:
            values = {}
        if not isinstance(values, Mapping):
            raise _wrong("the input", "a structure")
        self.values: Mapping[str, Any] = values
        self.headers = headers or {}

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise _wrong(name, "a string")
        return value

    def need(self, name: str) -> str:
        """Text that must be there and not empty."""
        value = self.text(name)
        if not value:
            raise BadInputError(f"{name} can not be blank.")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise BadInputError(f"{name} is required.")
            return default
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise _wrong(name, "a number") from None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise _wrong(name, "a number")
        return float(value)

    def whole(
        self, name: str, default: int | None = None, low: int = -(2**31), high: int = 2**53
    ) -> int:
        """A whole number between bounds, both included."""
        value = self.number(name, default)
        if value != int(value):
            raise _wrong(name, "an integer")
        if not low <= value <= high:
            raise BadInputError(f"{name} must be between {low} and {high}.")
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise _wrong(name, "a boolean")
        return value

    def time(self, name: str, default: float | None = None) -> float:
        """Seconds since 1970, from a number or from ISO 8601."""
        value = self.values.get(name)
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                return self.number(name, default)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return self.number(name, default)

    def items(self, name: str) -> list[Any]:
        """A list; empty where it is absent."""
        value = self.values.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            raise _wrong(name, "a list")
        return value

    def texts(self, name: str) -> list[str]:
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise _wrong(name, "a list of strings")
        return values

    def inner(self, name: str) -> Params:
        """A structure inside; empty where it is absent."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise _wrong(name, "a structure")
        return Params(value)

    def inners(self, name: str) -> list[Params]:
        """A list of structures."""
        return [Params(value) for value in self.items(name)]

    def given(self, *names: str) -> dict[str, Any]:
        """Those of the names that are there, as they came."""
        return {name: self.values[name] for name in names if name in self}


def _wrong(name: str, kind: str) -> AwsError:
    return AwsError("SerializationException", f"{name} must be {kind}")


# Answers with a mapping, an `EventStream`, or something to await for one.
Operation = Callable[[Params], Any]


class Api:
    """One service: its operations by name, and the name of its validation error."""

    invalid = "ValidationException"
    operations: Mapping[str, Operation]


def page(
    items: Sequence[Any], params: Params, most: int, size_name: str, token_name: str
) -> tuple[list[Any], str]:
    """One page of ``items`` and the token of the next, empty at the end.

    The token is opaque to clients, as it is in AWS. Raises BadInputError for a token nobody issued.
    """
    size = params.whole(size_name, most, 1, most)
    token = params.text(token_name)
    start = 0
    if token:
        number, _, check = token.partition(".")
        if not number.isdigit() or check != _check(number):
            raise BadInputError("Invalid token")
        start = int(number)
    end = start + size
    following = f"{end}.{_check(str(end))}" if end < len(items) else ""
    return list(items[start:end]), following


def _check(number: str) -> str:
    return hashlib.blake2b(number.encode(), digest_size=9, key=b"page").hexdigest()


def listing(
    name: str, shown: Sequence[Any], token: str, token_name: str = "nextToken"
) -> dict[str, Any]:
    """The usual answer of a list call: the token only where there is more."""
    return {name: list(shown), token_name: token} if token else {name: list(shown)}


def hex_id(length: int, *key: object) -> str:
    """A hexadecimal name that depends on ``key`` alone."""
    return hashlib.blake2b(repr(key).encode(), digest_size=32).hexdigest()[:length]


def uuid_of(*key: object) -> str:
    text = hex_id(32, *key)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def arn(service: str, region: str, resource: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def tags_of(
    params: Params, name: str = "tags", key: str = "key", value: str = "value"
) -> dict[str, str]:
    """A list of tags as a mapping."""
    return {item.need(key): item.text(value) for item in params.inners(name)}


def tag_list(
    tags: Mapping[str, str], key: str = "key", value: str = "value"
) -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tags.items()]
