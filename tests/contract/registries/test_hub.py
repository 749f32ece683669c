"""Docker Hub: its search, repositories, tags and limits, on the sandbox, which follows the published description."""

from __future__ import annotations

from typing import Any

import pytest

from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.core.errors import LoginNeededError, NotFoundError, PermissionDeniedError
from dockdesk.core.resources.registries import (
    INDEX,
    SEARCH,
    TAG_TIMES,
    Credential,
    Registry,
    RepositoryQuery,
    TagQuery,
)
from dockdesk.core.work import SilentWork
from dockdesk.sandbox.registry.accounts import PASSWORD, READ_TOKEN, USER, WRITE_TOKEN
from dockdesk.sandbox.registry.seed import NIGHTLY, add_many
from tests.contract.registries.conftest import Rig
from tests.registries import Logins, push_image, push_index, put
from tests.sandbox.registry.conftest import World


def test_logging_in(hub: Rig, work: SilentWork) -> None:
    assert hub.connection.ping(work) == USER
    assert hub.afresh(Logins()).ping(work) == ""
    for secret in (PASSWORD, WRITE_TOKEN, READ_TOKEN):
        assert hub.backend.verify(hub.registry, Credential(USER, secret), work) == USER
    with pytest.raises(LoginNeededError):
        hub.backend.verify(hub.registry, Credential(USER, "wrong"), work)


def test_searching(hub: Rig, work: SilentWork) -> None:
    nobody = hub.afresh(Logins())
    assert {SEARCH, TAG_TIMES} <= nobody.capabilities
    page = nobody.search("nginx", work)
    assert page.total == len(page.items) >= 1
    hit = page.items[0]
    assert (hit.name, hit.official) == ("library/nginx", True)
    assert hit.stars >= 0
    assert hit.pulls > 1_000_000
    assert hit.description
    everything = nobody.search("", work)
    assert "acme/batch" not in {item.name for item in everything.items}


def test_own_namespaces_and_their_repositories(hub: Rig, work: SilentWork) -> None:
    assert hub.connection.namespaces(work) == [USER, "acme"]
    page = hub.connection.repositories(RepositoryQuery("acme"), work)
    assert {"acme/api", "acme/batch"} <= {item.name for item in page.items}
    named = hub.connection.repositories(RepositoryQuery("acme", "BAT"), work)
    assert [item.name for item in named.items] == ["acme/batch"]
    assert named.items[0].private is True
    nobody = hub.afresh(Logins())
    assert nobody.namespaces(work) == []
    with pytest.raises(LoginNeededError):
        nobody.repositories(RepositoryQuery(), work)
    seen = nobody.repositories(RepositoryQuery("acme"), work)
    assert "acme/batch" not in {item.name for item in seen.items}


def test_a_repository_with_its_readme(hub: Rig, work: SilentWork) -> None:
    for name in ("nginx", "library/nginx"):
        found = hub.connection.repository(name, work)
        assert (found.name, found.official) == ("library/nginx", True)
        assert found.readme.startswith("# nginx")
        assert found.updated > found.created > 0
        assert found.may_write is False
    assert hub.connection.repository("acme/batch", work).may_delete is True
    with pytest.raises(NotFoundError):
        hub.connection.repository("acme/never", work)


def test_tags_by_time_in_pages(hub: Rig, work: SilentWork) -> None:
    first = hub.connection.tags("nginx", TagQuery(page_size=50), work)
    assert first.total > 100
    assert len(first.items) == 50
    assert first.next == "2"
    times = [tag.pushed for tag in first.items]
    assert times == sorted(times, reverse=True)
    second = hub.connection.tags("nginx", TagQuery(page_size=50), work, first.next)
    assert not {tag.name for tag in first.items} & {tag.name for tag in second.items}
    some = hub.connection.tags("acme/api", TagQuery("2.14", "name"), work)
    assert [tag.name for tag in some.items] == ["2.14", "2.14.0", "2.14.1"]
    tag = hub.connection.tag("alpine", "3.21", work)
    assert {"linux/amd64", "linux/arm64"} <= {item[:11] for item in tag.platforms}
    assert tag.digest == hub.connection.resolve("alpine", "3.21", work).digest
    assert tag.size > 0


def test_images_of_official_repositories(hub: Rig, work: SilentWork) -> None:
    image = hub.afresh(Logins()).image("alpine", "3.21", work)
    assert image.top.kind == INDEX
    assert all(item.config is not None for item in image.images if item.platform.known)


def test_tags_are_deleted(hub: Rig, work: SilentWork) -> None:
    name = hub.name()
    push_image(hub.connection, name, "v1")
    hub.connection.retag(name, "v1", "v2", work)
    push_index(hub.connection, name, "multi", "amd64", "arm64")
    plan = hub.connection.deletion(name, "v1", work)
    assert set(plan.tags) == {"v1", "v2"}
    assert plan.complete
    reading = hub.afresh(Logins(Credential(USER, READ_TOKEN)))
    with pytest.raises(PermissionDeniedError):
        reading.delete_tag(name, "v1", work)
    with pytest.raises(LoginNeededError):
        hub.afresh(Logins()).delete_tag(name, "v1", work)
    hub.connection.delete_tag(name, "v1", work)
    assert {tag.name for tag in hub.connection.tags(name, TagQuery(), work).items} == {
        "v2",
        "multi",
    }
    with pytest.raises(NotFoundError):
        hub.connection.delete_tag(name, "v1", work)


def test_pulls_left_are_told_without_using_one(hub: Rig, work: SilentWork, world: World) -> None:
    first = hub.connection.rate_limit(work)
    again = hub.connection.rate_limit(work)
    assert first is not None
    assert first == again
    assert 0 < first.remaining <= first.limit
    assert first.window == 21_600
    nobody = hub.afresh(Logins()).rate_limit(work)
    assert nobody is not None
    assert nobody.limit < first.limit


def test_a_token_that_ended_is_renewed(hub: Rig, work: SilentWork, world: World) -> None:
    connection = hub.afresh()
    assert connection.namespaces(work)
    connection.resolve("nginx", "latest", work)
    world.call(world.registry.tokens.forget)
    assert connection.namespaces(work)
    assert connection.resolve("nginx", "latest", work).digest
    name = hub.name()
    pushed = push_image(connection, name, "1")
    world.call(world.registry.tokens.forget)
    put(connection, name, "2", pushed.media_type, pushed.manifest)


def test_ten_thousand_tags_show_their_first_page_in_one_request(
    hub: Rig, work: SilentWork, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.registry.repositories.find(NIGHTLY) is None:
        now = world.call(world.registry.repositories.now)
        world.call(lambda: add_many(world.registry.repositories, now, 10_000))
    plain = DistributionRegistry(Registry(hub.registry.host), hub.logins, DigestCache())
    for connection in (hub.connection, plain):
        connection.tags(NIGHTLY, TagQuery(page_size=1), work)  # whatever logging in takes
        sent: list[str] = []
        once = connection.client.http.send

        def counted(method: str, url: str, *arguments: Any, **named: Any) -> Any:
            sent.append(url)  # noqa: B023 - called before the next one is made
            return once(method, url, *arguments, **named)  # noqa: B023

        monkeypatch.setattr(connection.client.http, "send", counted)
        page = connection.tags(NIGHTLY, TagQuery(page_size=100), work)
        assert (len(page.items), len(sent)) == (100, 1)
        assert page.next
    plain.close()
