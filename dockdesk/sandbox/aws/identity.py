"""STS, and the little of IAM that says who one is. Source: https://docs.aws.amazon.com/STS/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.values import (
    ACCOUNT,
    ACCOUNT_ALIAS,
    Api,
    AwsError,
    BadInputError,
    Params,
    hex_id,
    when,
)

ISSUED = "ASIADOCKDESK"
_USER = "AIDADOCKDESKSANDBOX00"


def secret_of(key_id: str) -> str:
    """The secret of a key that was issued here."""
    return hex_id(40, key_id, "secret")


class StsApi(Api):
    """Keys that are issued begin with `ISSUED`."""

    invalid = "ValidationError"

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.operations = {
            "GetCallerIdentity": self._identity,
            "AssumeRole": self._assume,
            "GetSessionToken": lambda params: {"Credentials": self._credentials(params, "session")},
            "GetAccessKeyInfo": lambda _: {"Account": ACCOUNT},
        }

    @staticmethod
    def _identity(_params: Params) -> Mapping[str, Any]:
        return {
            "UserId": _USER,
            "Account": ACCOUNT,
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/sandbox",
        }

    def _credentials(self, params: Params, key: str) -> dict[str, Any]:
        seconds = params.whole("DurationSeconds", 3600, 900, 129_600)
        now = self._now()
        key_id = ISSUED + hex_id(8, key, now).upper()
        return {
            "AccessKeyId": key_id,
            "SecretAccessKey": secret_of(key_id),
            "SessionToken": hex_id(64, key_id, "token"),
            "Expiration": when(now + seconds),
        }

    def _assume(self, params: Params) -> Mapping[str, Any]:
        role, session = params.need("RoleArn"), params.need("RoleSessionName")
        parts = role.split(":")
        if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
            raise BadInputError(f"{role} is invalid")
        if parts[4] != ACCOUNT:
            raise AwsError(
                "AccessDenied",
                f"User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: sts:AssumeRole on resource: {role}",
                403,
            )
        name = parts[5].rpartition("/")[2]
        return {
            "Credentials": self._credentials(params, f"{role}/{session}"),
            "AssumedRoleUser": {
                "AssumedRoleId": f"AROADOCKDESKSANDBOX00:{session}",
                "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
            },
            "PackedPolicySize": 0,
        }


class IamApi(Api):
    invalid = "ValidationError"

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.operations = {
            "ListAccountAliases": lambda _: {
                "AccountAliases": [ACCOUNT_ALIAS],
                "IsTruncated": False,
            },
            "GetUser": self._user,
        }

    def _user(self, _params: Params) -> Mapping[str, Any]:
        return {
            "User": {
                "Path": "/",
                "UserName": "sandbox",
                "UserId": _USER,
                "Arn": f"arn:aws:iam::{ACCOUNT}:user/sandbox",
                "CreateDate": when(self._now() - 400 * 86_400),
            }
        }
