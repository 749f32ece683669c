"""Who may do what, for how long, and how the registry says no. Sources: distribution, "Token Authentication"."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from dockdesk.sandbox.registry.access import BasicAccess
from dockdesk.sandbox.registry.accounts import (
    PASSWORD,
    READ_TOKEN,
    USER,
    WRITE_TOKEN,
    Login,
)
from dockdesk.sandbox.registry.api import DistributionApi
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.limits import PullLimits
from dockdesk.sandbox.registry.tokens import TokenError, Tokens, parse_scopes
from tests.certificates import Authority
from tests.engines import CannotStart, Registry, unavailable
from tests.sandbox.registry.conftest import Answer, Client, World

OCI = "application/vnd.oci.image.index.v1+json"


def ask_token(client: Client, scope: str, user: str = "", secret: str = "", **more: str) -> Answer:
    headers = {}
    if user:
        plain = base64.b64encode(f"{user}:{secret}".encode()).decode()
        headers["Authorization"] = f"Basic {plain}"
    query = urlencode({"service": "registry.dockdesk.sandbox", "scope": scope, **more})
    return client.raw("GET", f"/token?{query}", headers=headers)


def granted(answer: Answer) -> dict[str, list[str]]:
    payload = answer.json["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {entry["name"]: entry["actions"] for entry in claims["access"]}


def test_the_challenge_says_where_and_for_what(anybody: Client) -> None:
    answer = anybody.raw("GET", "/v2/")
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    challenge = answer.headers["www-authenticate"]
    parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    assert challenge.startswith("Bearer ")
    assert parts["realm"] == f"http://{anybody.address}/token"
    assert "scope" not in parts
    answer = anybody.raw("POST", "/v2/demo/x/blobs/uploads/?mount=sha256:0&from=acme/api")
    parts = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))
    assert parts["scope"] == "repository:demo/x:pull,push repository:acme/api:pull"
    assert "error" not in parts


class GuardedRegistry(Registry):
    """Debian's docker-registry, which sends its clients for tokens that the given authority signs."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._roots = authority.certificate

    def more_configuration(self) -> str:
        told = f"service: registry, issuer: tests, rootcertbundle: '{self._roots}'"
        return f"auth: {{token: {{realm: 'http://127.0.0.1:1/token', {told}}}}}\n"


@pytest.fixture(scope="module")
def guarded_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    made = GuardedRegistry(Authority(tmp_path_factory.mktemp("authority")))
    try:
        made.start()
    except CannotStart as error:
        made.remove()
        unavailable(str(error))
    yield made
    made.remove()


@pytest.fixture(params=["docker-registry", "sandbox"])
def guarded(request: pytest.FixtureRequest) -> Client:
    """The judge, and then the sandbox's; nobody is logged in to either."""
    if request.param == "sandbox":
        return Client(request.getfixturevalue("world").registry.address)
    return Client(request.getfixturevalue("guarded_registry").address)


NOWHERE = "sha256:" + "0" * 64


def _scopes(text: str) -> list[list[str]]:
    return sorted(sorted(scope.replace(":", ",").split(",")) for scope in text.split())


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", ""),
        ("GET", "/v2/demo/x/manifests/1", "repository:demo/x:pull"),
        ("HEAD", f"/v2/demo/x/blobs/{NOWHERE}", "repository:demo/x:pull"),
        ("GET", "/v2/demo/x/tags/list", "repository:demo/x:pull"),
        ("PUT", "/v2/demo/x/manifests/1", "repository:demo/x:pull,push"),
        ("POST", "/v2/demo/x/blobs/uploads/", "repository:demo/x:pull,push"),
        (
            "POST",
            f"/v2/demo/x/blobs/uploads/?mount={NOWHERE}&from=demo/y",
            "repository:demo/x:pull,push repository:demo/y:pull",
        ),
        ("DELETE", f"/v2/demo/x/manifests/{NOWHERE}", "repository:demo/x:delete"),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
    ],
)
def test_what_a_request_takes_is_in_its_challenge(
    guarded: Client, method: str, path: str, scope: str
) -> None:
    answer = guarded.raw(method, path)
    assert answer.status == 401
    challenge = answer.headers["www-authenticate"]
    parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    assert challenge.startswith("Bearer ")
    assert parts["realm"].startswith("http://127.0.0.1:")
    assert parts["service"]
    # The real one lists the actions in any order.
    assert _scopes(parts.get("scope", "")) == _scopes(scope)
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    if method != "HEAD":
        assert answer.code == "UNAUTHORIZED"


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "e30.e30.e30"])
def test_a_token_that_is_none(guarded: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    answer = guarded.raw("GET", "/v2/demo/x/tags/list", headers=headers)
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_the_realm_is_never_elsewhere(anybody: Client) -> None:
    answer = anybody.raw("GET", "/v2/", headers={"Host": "evil.example.com"})
    assert f'realm="http://{anybody.address}/token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("user", "secret", "scope", "actions"),
    [
        ("", "", "repository:nginx:pull,push", {"nginx": ["pull"]}),
        ("", "", "repository:acme/batch:pull", {}),
        ("", "", "repository:demo/absent:pull", {}),
        (USER, PASSWORD, "repository:demo/x:pull,push", {"demo/x": ["pull", "push"]}),
        (USER, PASSWORD, "repository:acme/batch:*", {"acme/batch": ["delete", "pull", "push"]}),
        (USER, PASSWORD, "repository:nginx:pull,push", {"nginx": ["pull"]}),
        (USER, PASSWORD, "repository:prom/mine:push", {}),
        (USER, WRITE_TOKEN, "repository:acme/api:push", {"acme/api": ["push"]}),
        (USER, READ_TOKEN, "repository:acme/batch:pull,push", {"acme/batch": ["pull"]}),
    ],
)
def test_what_is_granted(
    anybody: Client, user: str, secret: str, scope: str, actions: dict[str, list[str]]
) -> None:
    answer = ask_token(anybody, scope, user, secret)
    assert answer.status == 200
    assert answer.json["token"] == answer.json["access_token"]
    assert answer.json["expires_in"] >= 60
    assert answer.json["issued_at"]
    assert granted(answer) == actions


def test_a_wrong_password_is_refused(anybody: Client) -> None:
    for user, secret in ((USER, "wrong"), ("nobody", PASSWORD), (USER, "")):
        answer = ask_token(anybody, "repository:nginx:pull", user, secret)
        assert (answer.status, answer.json) == (401, {"details": "incorrect username or password"})


def test_too_small_a_token_is_told_so(anybody: Client) -> None:
    token = ask_token(anybody, "repository:nginx:pull").json["token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": OCI}
    assert anybody.raw("GET", "/v2/nginx/manifests/latest", headers=headers).status == 200
    for method, target in (
        ("POST", "/v2/nginx/blobs/uploads/"),
        ("DELETE", "/v2/nginx/manifests/latest"),
        ("GET", "/v2/redis/tags/list"),
    ):
        answer = anybody.raw(method, target, headers=headers)
        assert answer.status == 401
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_a_token_ends(world: World, anybody: Client) -> None:
    """Expired, forged and revoked ones are all invalid: the client gets a new one and goes on."""
    world.call(lambda: setattr(world.registry.tokens, "seconds", -1))
    try:
        old = ask_token(anybody, "repository:nginx:pull").json["token"]
    finally:
        world.call(lambda: setattr(world.registry.tokens, "seconds", 300))
    good = ask_token(anybody, "repository:nginx:pull").json["token"]
    head, _, signature = good.rpartition(".")
    for token in (old, f"{head}.{signature[::-1]}", "nonsense", ""):
        answer = anybody.raw(
            "GET", "/v2/nginx/tags/list", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status == 401, token
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    world.call(world.registry.tokens.forget)
    answer = anybody.raw("GET", "/v2/nginx/tags/list", headers={"Authorization": f"Bearer {good}"})
    assert answer.status == 401


def test_a_refresh_token_replaces_the_password(anybody: Client) -> None:
    answer = ask_token(anybody, "", USER, PASSWORD, offline_token="true")
    refresh = answer.json["refresh_token"]
    form = {
        "grant_type": "refresh_token",
        "service": "registry.dockdesk.sandbox",
        "client_id": "test",
        "refresh_token": refresh,
        "scope": "repository:demo/x:push",
    }

    def post(values: dict[str, str]) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return anybody.raw("POST", "/token", urlencode(values).encode(), kind)

    assert granted(post(form)) == {"demo/x": ["push"]}
    assert post({**form, "refresh_token": answer.json["token"]}).status == 401
    password = {**form, "grant_type": "password", "username": USER, "password": PASSWORD}
    assert granted(post(password)) == {"demo/x": ["push"]}
    assert post({"grant_type": "magic"}).status == 400
    # It is for the token service alone.
    answer = anybody.raw("GET", "/v2/", headers={"Authorization": f"Bearer {refresh}"})
    assert answer.status == 401


def test_scopes_are_read_as_written() -> None:
    found = parse_scopes(
        ["repository:a/b:push,pull registry:catalog:*", "repository(plugin):c:pull", "x"]
    )
    assert [str(scope) for scope in found] == [
        "repository:a/b:pull,push",
        "registry:catalog:*",
        "repository:c:pull",
    ]


def test_a_token_for_another_service_counts_for_nothing() -> None:
    theirs, ours = Tokens("theirs"), Tokens("ours")
    with pytest.raises(TokenError):
        ours.read(theirs.issue("x", 60, {"kind": "access"}), "access")


def test_pulls_are_counted(world: World, anybody: Client, demo: Client) -> None:
    def left(client: Client, method: str) -> int:
        answer = client.ask(method, "/v2/alpine/manifests/latest", Accept=OCI)
        assert answer.status == 200
        text = answer.headers["ratelimit-remaining"]
        assert text.endswith(";w=21600")
        return int(text.partition(";")[0])

    before = left(anybody, "HEAD")
    assert left(anybody, "GET") == before - 1
    assert left(anybody, "HEAD") == before - 1
    answer = demo.ask("HEAD", "/v2/alpine/manifests/latest", Accept=OCI)
    assert answer.headers["ratelimit-limit"] == "200;w=21600"
    assert answer.headers["docker-ratelimit-source"] == USER
    world.call(lambda: setattr(world.registry.limits, "anonymous", 1))
    try:
        refused = anybody.ask("GET", "/v2/alpine/manifests/latest", Accept=OCI)
        assert (refused.status, refused.code) == (429, "TOOMANYREQUESTS")
        assert 0 < int(refused.headers["retry-after"]) <= 21_600
        assert anybody.ask("HEAD", "/v2/alpine/manifests/latest", Accept=OCI).status == 200
        assert demo.ask("GET", "/v2/alpine/manifests/latest", Accept=OCI).status == 200
    finally:
        world.call(lambda: setattr(world.registry.limits, "anonymous", 100))


def test_a_window_passes() -> None:
    now = [0.0]
    limits = PullLimits(lambda: now[0])
    limits.anonymous = 1
    limits.take("", "here", pull=True)
    with pytest.raises(RegistryError) as caught:
        limits.take("", "here", pull=True)
    assert caught.value.headers["Retry-After"] == "21600"
    now[0] = 21_600.0
    assert limits.take("", "here", pull=True)["RateLimit-Remaining"] == "0;w=21600"


def test_a_registry_with_basic_login(world: World) -> None:
    """As ECR asks: the same content behind another door."""

    def verify(user: str, secret: str) -> Login | None:
        return Login("ops", True) if (user, secret) == ("AWS", "secret") else None

    def allowed(login: Login, repository: str) -> set[str]:
        return {"pull"} if repository == "alpine" else set()

    api = DistributionApi(world.registry.repositories, BasicAccess("here", verify, allowed))
    port = world.run(api.server.listen_loopback())
    client = Client(f"127.0.0.1:{port}")

    def get(target: str, secret: str = "secret") -> Answer:
        plain = base64.b64encode(f"AWS:{secret}".encode()).decode()
        return client.raw("GET", target, headers={"Authorization": f"Basic {plain}", "Accept": OCI})

    try:
        answer = client.raw("GET", "/v2/")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="here"')
        assert get("/v2/", "wrong").status == 401
        assert get("/v2/").status == 200
        answer = get("/v2/alpine/manifests/latest")
        assert answer.status == 200
        assert "ratelimit-limit" not in answer.headers
        answer = get("/v2/nginx/manifests/latest")
        assert (answer.status, answer.code) == (403, "DENIED")
        assert get("/v2/_catalog").json == {"repositories": []}
    finally:
        world.run(api.server.close())


def test_a_client_that_tries_tls_first_is_answered_at_once(anybody: Client) -> None:
    host, _, port = anybody.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        try:
            answer: Any = sock.recv(100)
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
