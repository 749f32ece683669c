"""Who asks, and what they may: bearer tokens, a few roles, and the reviews by which clients ask beforehand.

Source: Kubernetes API reference, authentication.k8s.io and authorization.k8s.io.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.http import Request, Response, Router, json_response
from dockdesk.sandbox.kube.bodies import read_object
from dockdesk.sandbox.kube.objects import uuid_of
from dockdesk.sandbox.kube.status import KubeError, qualified

READS = frozenset({"get", "list", "watch"})
VIEWER_TOKEN = "viewer"
NAMESPACE_TOKEN = "shop-developer"
_NAMESPACE = "shop"
_ASKS = frozenset({"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"})


@dataclass(frozen=True, slots=True)
class User:
    """``role`` is admin (everything), view (read all but secrets) or edit (all in one namespace)."""

    name: str
    role: str
    groups: tuple[str, ...] = ("system:authenticated",)
    namespace: str = ""

    def may(
        self, verb: str, group: str, resource: str, namespace: str, subresource: str = ""
    ) -> bool:
        if self.role == "admin" or resource in _ASKS:
            return True
        if self.role == "view":
            allowed = verb in READS and subresource not in {
                "exec",
                "attach",
                "portforward",
                "proxy",
            }
            return allowed and resource not in {"secrets", "*"} and verb != "*"
        rbac = group in {"rbac.authorization.k8s.io", "*"}
        return namespace == self.namespace and resource != "nodes" and not rbac


class Access:
    """Tokens and their users. ``more`` is asked about tokens that are not known here (an EKS token, say)."""

    def __init__(self, token: str, more: Callable[[str], User | None] | None = None) -> None:
        admin = User("sandbox-admin", "admin", ("system:masters", "system:authenticated"))
        self._more = more
        self.users = {
            token: admin,
            VIEWER_TOKEN: User("viewer", "view"),
            NAMESPACE_TOKEN: User("shop-developer", "edit", namespace=_NAMESPACE),
        }

    def user_of(self, request: Request) -> User:
        """Raises KubeError 401 without a token that is known."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if not token:  # browsers, and some clients, carry it in the subprotocol of a WebSocket
            token = _token_of_protocols(request.headers.get("sec-websocket-protocol", ""))
            scheme = "bearer" if token else scheme
        user = self.users.get(token) if scheme.lower() == "bearer" else None
        if user is None and token and self._more is not None:
            user = self._more(token)
        if user is None:
            raise KubeError(401, "Unauthorized")
        return user

    def add_to(self, router: Router) -> None:
        base = "/apis/authorization.k8s.io/v1"
        router.add("POST", f"{base}/selfsubjectaccessreviews", self._access_review)
        router.add("POST", f"{base}/selfsubjectrulesreviews", self._rules_review)
        router.add("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", self._who_am_i)

    async def _access_review(self, request: Request) -> Response:
        body = await read_object(request)
        spec = body.get("spec")
        if not isinstance(spec, dict):
            raise KubeError(400, "spec is required")
        user = self.user_of(request)
        if isinstance(asked := spec.get("resourceAttributes"), dict):
            verb, group, resource = (
                str(asked.get(name) or "") for name in ("verb", "group", "resource")
            )
            namespace, subresource = (
                str(asked.get(name) or "") for name in ("namespace", "subresource")
            )
            resource, _, part = resource.partition("/")
            allowed = user.may(verb, group, resource, namespace, subresource or part)
        elif isinstance(asked := spec.get("nonResourceAttributes"), dict):
            allowed = user.role == "admin" or asked.get("verb") == "get"
        else:
            raise KubeError(
                422,
                "spec.resourceAttributes: Required value: exactly one of nonResourceAttributes or resourceAttributes must be specified",
            )
        reason = f'RBAC: allowed by role "{user.role}" of "{user.name}"' if allowed else ""
        status = {"allowed": allowed, **({"reason": reason} if reason else {})}
        return json_response({**body, "status": status}, 201)

    async def _rules_review(self, request: Request) -> Response:
        body = await read_object(request)
        user, namespace = (
            self.user_of(request),
            str((body.get("spec") or {}).get("namespace") or ""),
        )
        rules: list[dict[str, Any]] = []
        if user.role == "admin" or (user.role == "edit" and namespace == user.namespace):
            rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        elif user.role == "view":
            rules.append({"verbs": sorted(READS), "apiGroups": ["*"], "resources": ["*"]})
        status = {
            "resourceRules": rules,
            "nonResourceRules": [
                {"verbs": ["get"], "nonResourceURLs": ["/api", "/apis", "/healthz", "/version"]}
            ],
            "incomplete": user.role == "view",
        }
        return json_response({**body, "status": status}, 201)

    async def _who_am_i(self, request: Request) -> Response:
        body = await read_object(request)
        user = self.user_of(request)
        info = {
            "username": user.name,
            "uid": uuid_of("user", user.name),
            "groups": list(user.groups),
        }
        return json_response({**body, "status": {"userInfo": info}}, 201)


def forbidden(
    user: User, verb: str, group: str, resource: str, namespace: str, name: str
) -> KubeError:
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    plural = resource.partition("/")[0]
    named = f' "{name}"' if name else ""
    text = (
        f'{qualified(plural, group)}{named} is forbidden: User "{user.name}" cannot {verb} resource "{resource}" '
        f'in API group "{group}"{where}'
    )
    details = {
        "kind": plural,
        **({"name": name} if name else {}),
        **({"group": group} if group else {}),
    }
    return KubeError(403, text, details=details)


def _token_of_protocols(header: str) -> str:
    prefix = "base64url.bearer.authorization.k8s.io."
    for part in header.split(","):
        if part.strip().startswith(prefix):
            text = part.strip()[len(prefix) :]
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""
