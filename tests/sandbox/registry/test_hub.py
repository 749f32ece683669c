"""Docker Hub's own API, checked against its published description: login, search, repositories, tags."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from dockdesk.sandbox.registry.accounts import PASSWORD, READ_TOKEN, USER, WRITE_TOKEN
from tests.sandbox.registry.conftest import Answer, Client, World
from tests.sandbox.registry.test_distribution import image

INDEX = "application/vnd.oci.image.index.v1+json"
_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

# Schemas "tag" and "image" of the description: name → type, and whether it may be null.
TAG = {
    "id": (int, False),
    "images": (list, False),
    "creator": (int, False),
    "last_updated": (str, True),
    "last_updater": (int, False),
    "last_updater_username": (str, False),
    "name": (str, False),
    "repository": (int, False),
    "full_size": (int, False),
    "tag_last_pulled": (str, True),
    "tag_last_pushed": (str, True),
    "digest": (str, False),
    "media_type": (str, False),
}
IMAGE = {
    "architecture": (str, False),
    "features": (str, False),
    "variant": (str, True),
    "digest": (str, True),
    "os": (str, False),
    "os_features": (str, False),
    "os_version": (str, True),
    "size": (int, False),
    "status": (str, False),
    "last_pulled": (str, True),
    "last_pushed": (str, True),
}


def fits(value: dict[str, Any], schema: dict[str, tuple[type, bool]]) -> None:
    for name, (kind, nullable) in schema.items():
        assert name in value
        assert isinstance(value[name], kind) or (nullable and value[name] is None), name


@pytest.fixture
def hub(world: World) -> Client:
    return Client(urlsplit(world.registry.hub_url).netloc)


def ask(client: Client, method: str, target: str, body: Any = None, token: str = "") -> Answer:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return client.raw(method, target, None if body is None else json.dumps(body).encode(), headers)


def token(client: Client, secret: str = PASSWORD) -> str:
    body = {"identifier": USER, "secret": secret}
    return str(ask(client, "POST", "/v2/auth/token", body).json["access_token"])


def test_both_ways_to_log_in(hub: Client) -> None:
    old = ask(hub, "POST", "/v2/users/login/", {"username": USER, "password": WRITE_TOKEN})
    assert old.status == 200
    assert ask(hub, "GET", "/v2/user/", token=old.json["token"]).json["username"] == USER
    assert ask(hub, "GET", "/v2/user", token=token(hub)).json["username"] == USER
    wrong = ask(hub, "POST", "/v2/users/login", {"username": USER, "password": "no"})
    assert (wrong.status, wrong.json) == (401, {"detail": "Incorrect authentication credentials"})
    assert ask(hub, "POST", "/v2/auth/token", {"identifier": USER}).status == 400
    assert ask(hub, "POST", "/v2/auth/token", [1]).status == 400
    assert ask(hub, "GET", "/v2/user", token="nonsense").status == 401
    assert ask(hub, "GET", "/v2/user").status == 401
    orgs = ask(hub, "GET", "/v2/user/orgs", token=token(hub)).json["results"]
    assert [item["orgname"] for item in orgs] == ["acme"]


def test_a_token_of_the_registry_is_none_of_the_hub(hub: Client, anybody: Client) -> None:
    answer = anybody.raw("GET", "/token?service=x&scope=repository:nginx:pull")
    assert ask(hub, "GET", "/v2/user", token=answer.json["token"]).status == 401
    headers = {"Authorization": f"Bearer {token(hub)}"}
    assert anybody.raw("GET", "/v2/", headers=headers).status == 401


def test_the_search_finds(hub: Client) -> None:
    found = ask(hub, "GET", "/v2/search/repositories/?query=prom").json
    assert found["count"] == len(found["results"]) == 1
    hit = found["results"][0]
    assert (hit["repo_name"], hit["is_official"]) == ("prom/prometheus", False)
    assert hit["star_count"] >= 0
    assert hit["pull_count"] > 1_000_000
    assert hit["short_description"]
    official = ask(hub, "GET", "/v2/search/repositories?query=nginx").json["results"][0]
    assert (official["repo_name"], official["is_official"]) == ("nginx", True)
    everything = ask(hub, "GET", "/v2/search/repositories?query=&page_size=100").json
    assert "acme/batch" not in {item["repo_name"] for item in everything["results"]}
    assert ask(hub, "GET", "/v2/search/repositories?query=zzz").json["count"] == 0


def test_a_namespace_lists_what_one_may_see(hub: Client) -> None:
    def names(secret: str = "") -> set[str]:
        answer = ask(hub, "GET", "/v2/repositories/acme/", token=secret)
        return {item["name"] for item in answer.json["results"]}

    assert names() == {"api", "worker"}
    assert names(token(hub)) == {"api", "worker", "batch"}
    library = ask(hub, "GET", "/v2/namespaces/library/repositories?ordering=name").json["results"]
    assert [item["name"] for item in library] == sorted(item["name"] for item in library)
    assert all(item["namespace"] == "library" for item in library)


def test_a_repository_describes_itself(hub: Client) -> None:
    for target in ("/v2/repositories/library/nginx/", "/v2/namespaces/library/repositories/nginx"):
        found = ask(hub, "GET", target).json
        assert (found["namespace"], found["name"]) == ("library", "nginx")
        assert found["full_description"].startswith("# nginx")
        assert found["permissions"] == {"read": True, "write": False, "admin": False}
        assert _WHEN.fullmatch(found["last_updated"])
    own = ask(hub, "GET", "/v2/repositories/acme/batch/", token=token(hub)).json
    assert (own["is_private"], own["permissions"]["admin"]) == (True, True)
    for target in ("/v2/repositories/acme/batch/", "/v2/repositories/no/such/"):
        answer = ask(hub, "GET", target)
        assert (answer.status, answer.json["message"]) == (404, "object not found")


def test_tags_come_in_pages(hub: Client) -> None:
    target: str | None = "/v2/repositories/library/nginx/tags/?page_size=100"
    names: list[str] = []
    count = pages = 0
    while target:
        page = ask(hub, "GET", target).json
        count = page["count"]
        names += [item["name"] for item in page["results"]]
        for item in page["results"]:
            fits(item, TAG)
            for entry in item["images"]:
                fits(entry, IMAGE)
        target = page["next"]
        pages += 1
        assert (page["previous"] is None) == (pages == 1)
    assert pages == 2
    assert count == len(names) == len(set(names)) > 100
    assert ask(hub, "GET", "/v2/repositories/library/nginx/tags?page=99").status == 404
    assert ask(hub, "GET", "/v2/repositories/library/nginx/tags?page=x").status == 400
    assert len(ask(hub, "GET", "/v2/repositories/library/nginx/tags").json["results"]) == 10


def test_the_newest_tags_come_first_and_names_filter(hub: Client) -> None:
    root = "/v2/namespaces/acme/repositories/api/tags"
    found = ask(hub, "GET", f"{root}?page_size=50").json["results"]
    times = [item["tag_last_pushed"] for item in found]
    assert times == sorted(times, reverse=True)
    named = ask(hub, "GET", f"{root}?name=2.14&ordering=name").json["results"]
    assert [item["name"] for item in named] == ["2.14", "2.14.0", "2.14.1"]


def test_a_tag_is_what_the_registry_has(hub: Client, anybody: Client) -> None:
    found = ask(hub, "GET", "/v2/repositories/library/alpine/tags/3.21/").json
    fits(found, TAG)
    answer = anybody.ask("GET", "/v2/alpine/manifests/3.21", Accept=INDEX)
    assert found["digest"] == answer.headers["docker-content-digest"]
    assert found["media_type"] == answer.headers["content-type"]
    images = {entry["architecture"]: entry for entry in found["images"]}
    for entry in answer.json["manifests"]:
        assert entry["digest"] in {item["digest"] for item in found["images"]}
    assert {"amd64", "arm64"} <= set(images)
    assert images["amd64"]["size"] == found["full_size"] > 0
    again = ask(hub, "GET", "/v2/repositories/library/alpine/tags/3.21").json
    assert _WHEN.fullmatch(again["tag_last_pulled"])
    assert ask(hub, "GET", "/v2/repositories/library/alpine/tags/absent").status == 404


def test_what_is_pushed_shows_and_can_be_deleted(hub: Client, demo: Client) -> None:
    for tag in ("v1", "v2"):
        assert (
            demo.push_manifest("demo/shown", tag, image(demo, "demo/shown", text=tag)).status == 201
        )
    root = "/v2/repositories/demo/shown"
    found = ask(hub, "GET", f"{root}/tags/v1").json
    assert (found["last_updater_username"], found["tag_status"]) == (USER, "active")
    assert [entry["architecture"] for entry in found["images"]] == ["amd64"]
    assert ask(hub, "DELETE", f"{root}/tags/v1/").status == 401
    assert ask(hub, "DELETE", f"{root}/tags/v1/", token=token(hub, READ_TOKEN)).status == 403
    assert ask(hub, "DELETE", f"{root}/tags/v1/", token=token(hub)).status == 204
    assert ask(hub, "DELETE", f"{root}/tags/v1/", token=token(hub)).status == 404
    assert demo.ask("GET", "/v2/demo/shown/tags/list").json["tags"] == ["v2"]
    changed = {"description": "short", "full_description": "# long"}
    assert ask(hub, "PATCH", f"{root}/", changed, token(hub)).json["full_description"] == "# long"
    assert ask(hub, "DELETE", f"{root}/", token=token(hub)).status == 202
    assert ask(hub, "GET", f"{root}/").status == 404
    answer = ask(hub, "DELETE", "/v2/repositories/library/nginx/tags/latest", token=token(hub))
    assert answer.status == 403


def test_every_answer_tells_the_limit(hub: Client) -> None:
    answer = ask(hub, "GET", "/v2/search/repositories?query=redis")
    assert (
        int(answer.headers["x-ratelimit-limit"]) > int(answer.headers["x-ratelimit-remaining"]) > 0
    )
    assert int(answer.headers["x-ratelimit-reset"]) > 0
