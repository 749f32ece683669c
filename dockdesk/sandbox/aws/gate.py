"""Who may ask, and how often: keys, signatures, expiry, and the rate that a scenario leaves."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from dockdesk.sandbox.aws import signing
from dockdesk.sandbox.aws.identity import ISSUED, secret_of
from dockdesk.sandbox.aws.values import ACCESS_KEY, ACCOUNT, SECRET_KEY, AwsError
from dockdesk.sandbox.world.scenarios import Conditions

_TOKEN = "k8s-aws-v1."
_TOKEN_SECONDS = 15 * 60.0


class Gate:
    """Raises what AWS answers to those it does not let in. Signatures are of real time, whatever the world's clock says."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self.conditions = Conditions()
        self._allowance = 0.0
        self._refilled = time.monotonic()

    def play(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self._allowance = 0.0
        self._refilled = time.monotonic()

    def admit(
        self, protocol: str, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> str:
        """The region that a request is signed for. Raises AwsError."""
        refused = 403 if protocol in {"query", "rest"} else 400
        signed = signing.read(target, headers)
        if signed is None:
            raise AwsError(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
                403,
                "MissingAuthenticationToken",
            )
        secret = _secret(signed.key)
        if secret is None:
            text = "The security token included in the request is invalid."
            code = "AuthFailure" if protocol == "ec2" else "InvalidClientTokenId"
            raise AwsError("UnrecognizedClientException", text, refused, code)
        if not signing.matches(signed, secret, method, target, headers, body):
            text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
            raise AwsError(
                "InvalidSignatureException",
                text,
                refused,
                "AuthFailure" if protocol == "ec2" else "SignatureDoesNotMatch",
            )
        if not signing.in_time(signed, self._real()):
            text = f"Signature expired: {signed.date} is not within 5 min. of this server's time"
            raise AwsError(
                "InvalidSignatureException",
                text,
                refused,
                "RequestExpired" if protocol == "ec2" else "SignatureDoesNotMatch",
            )
        if self.conditions.expired:
            text = "The security token included in the request is expired"
            raise AwsError(
                "ExpiredTokenException",
                text,
                refused,
                "RequestExpired" if protocol == "ec2" else "ExpiredToken",
            )
        if self.conditions.throttled and not self._within_rate():
            if protocol == "ec2":
                raise AwsError("RequestLimitExceeded", "Request limit exceeded.", 503)
            raise AwsError(
                "ThrottlingException",
                "Rate exceeded",
                429 if protocol == "rest" else 400,
                "Throttling",
            )
        return signed.region

    def _within_rate(self) -> bool:
        """A token bucket of real time, as APIs limit their callers."""
        now = time.monotonic()
        rate = self.conditions.throttled
        self._allowance = min(self._allowance + (now - self._refilled) * rate, rate)
        self._refilled = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def eks_user(self, token: str, cluster: str) -> str | None:
        """The ARN of who made an EKS bearer token for this cluster; None for a token that EKS would refuse.

        The token is an address of STS, presigned with the cluster's name in the header x-k8s-aws-id.
        Source: kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster"
        """
        if not token.startswith(_TOKEN) or self.conditions.expired:
            return None
        text = token.removeprefix(_TOKEN)
        try:
            url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            parts = urlsplit(url)
        except (binascii.Error, ValueError):
            return None
        target = f"{parts.path or '/'}?{parts.query}"
        signed = signing.read(target, {})
        if signed is None or signed.service != "sts" or "x-k8s-aws-id" not in signed.headers:
            return None
        secret, made = _secret(signed.key), signed.time
        headers = {"host": parts.netloc, "x-k8s-aws-id": cluster}
        if (
            secret is None
            or made is None
            or not -signing.SKEW_SECONDS <= self._real() - made <= _TOKEN_SECONDS
        ):
            return None
        if "Action=GetCallerIdentity" not in parts.query:
            return None
        return (
            f"arn:aws:iam::{ACCOUNT}:user/sandbox"
            if signing.matches(signed, secret, "GET", target, headers, b"")
            else None
        )


def _secret(key: str) -> str | None:
    if key == ACCESS_KEY:
        return SECRET_KEY
    return secret_of(key) if key.startswith(ISSUED) else None
