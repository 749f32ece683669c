"""What is in a registry, read and changed: the same on docker-registry, however locked, and in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockdesk.core.errors import (
    LoginNeededError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    UnreachableError,
)
from dockdesk.core.resources.registries import (
    ARTIFACT,
    IMAGE,
    INDEX,
    PROVENANCE,
    SBOM,
    SIGNATURE,
    Credential,
    Registry,
    RepositoryQuery,
    TagQuery,
)
from dockdesk.core.work import SilentWork
from tests.contract.registries.conftest import Rig
from tests.registries import (
    OCI_INDEX,
    OCI_MANIFEST,
    USER,
    Content,
    Logins,
    digest_of,
    push_blob,
    push_image,
    push_index,
    put,
)


def test_the_registry_answers(rig: Rig, work: SilentWork) -> None:
    name = rig.connection.ping(work)
    assert name == (rig.logins.given.username if rig.logins.given else "")
    if rig.logins.given is not None:
        assert rig.backend.verify(rig.registry, rig.logins.given, work) == name
        with pytest.raises(LoginNeededError):
            rig.backend.verify(rig.registry, Credential(name, "wrong"), work)


def test_a_wrong_password_is_told_once(rig: Rig, work: SilentWork) -> None:
    if rig.kind == "docker-registry":
        return  # it asks nobody
    wrong = Logins(Credential(USER, "planted-secret"))
    with pytest.raises(LoginNeededError) as caught:
        rig.afresh(wrong).ping(work)
    assert caught.value.registry == rig.registry.host
    assert "Log in again" in caught.value.hint
    assert "planted" not in f"{caught.value!r}{caught.value.detail}{caught.value.hint}"


def test_nobody_is_asked_to_log_in(rig: Rig, work: SilentWork) -> None:
    nobody = rig.afresh(Logins())
    if rig.kind in {"htpasswd", "tls"}:
        with pytest.raises(LoginNeededError):
            nobody.ping(work)
        with pytest.raises(LoginNeededError):
            nobody.tags(rig.name(), TagQuery(), work)
    else:
        assert nobody.ping(work) == ""
        if rig.kind != "docker-registry":
            with pytest.raises(PermissionDeniedError):
                push_image(nobody, rig.name(), "1")


def test_an_image_is_read(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    pushed = push_image(rig.connection, name, "1.0", settings={"User": "app"})
    image = rig.connection.image(name, "1.0", work)
    assert image.digest == pushed.digest
    assert image.top.kind == IMAGE
    assert image.top.data == pushed.manifest
    (only,) = image.images
    assert str(only.platform) == "linux/amd64"
    assert only.config is not None
    assert only.config.env == (("PATH", "/bin"), ("MODE", "test"))
    assert only.config.user == "app"
    assert only.config.created == pytest.approx(1772600767.123456)
    assert [step.created_by for step in only.config.history] == [
        "ENV MODE=test",
        "COPY 0",
        "COPY 1",
    ]
    assert only.config.history[0].layer is None
    assert only.config.history[2].layer == image.top.layers[1]
    assert image.top.layers_size == sum(len(layer.data) for layer in pushed.layers)
    told = rig.connection.resolve(name, "1.0", work)
    assert (told.digest, told.size) == (pushed.digest, len(pushed.manifest))


def test_dockers_own_kinds(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    digest, images = push_index(rig.connection, name, "1", "amd64", "arm64", docker=True)
    image = rig.connection.image(name, "1", work)
    assert image.digest == digest
    assert {str(item.platform): item.manifest.digest for item in image.images} == {
        "linux/amd64": images[0].digest,
        "linux/arm64": images[1].digest,
    }


def test_an_index_with_attestations(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    digest, images = push_index(rig.connection, name, "2", "amd64", "arm64", attest=True)
    image = rig.afresh().image(name, "2", work)
    assert (image.digest, image.top.kind) == (digest, INDEX)
    assert [item.manifest.digest for item in image.images] == [item.digest for item in images]
    for item in image.images:
        assert [found.kind for found in item.attachments] == [PROVENANCE, SBOM]
        sbom = item.attachments[1]
        content = rig.connection.read_blob(name, sbom.content, work)
        assert json.loads(content)["predicateType"] == "https://spdx.dev/Document"
    tag = rig.connection.tag(name, "2", work)
    assert tag.platforms == ("linux/amd64", "linux/arm64")
    assert tag.size == sum(len(layer.data) for layer in images[0].layers)
    assert tag.created > 0


def test_referrers_or_the_tag_that_stands_in_for_them(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    pushed = push_image(rig.connection, name, "1")
    empty = Content(b"{}", "application/vnd.oci.empty.v1+json")
    signature = Content(b"signature", "application/vnd.dev.cosign.simplesigning.v1+json")
    for content in (empty, signature):
        push_blob(rig.connection, name, content)
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.sbom.v1",
        "config": empty.entry,
        "layers": [signature.entry],
        "subject": pushed.entry,
    }
    data = put(rig.connection, name, "", OCI_MANIFEST, value)
    if rig.kind != "sandbox":  # docker-registry 2.8 knows no referrers: clients keep an index
        entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(data), "size": len(data)}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
        put(rig.connection, name, pushed.digest.replace(":", "-"), OCI_INDEX, index)
    # Cosign's way: a tag of the digest.
    old = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": empty.entry,
        "layers": [signature.entry],
    }
    put(rig.connection, name, f"{pushed.digest.replace(':', '-')}.sig", OCI_MANIFEST, old)
    found = rig.connection.attachments(name, pushed.digest, work)
    assert [item.kind for item in found] == [SBOM, SIGNATURE]
    assert all(item.subject == pushed.digest for item in found)
    assert rig.connection.manifest(name, digest_of(data), work).kind == ARTIFACT


def test_tags_in_pages(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    pushed = push_image(rig.connection, name, "v00")
    for number in range(1, 25):
        put(rig.connection, name, f"v{number:02}", pushed.media_type, pushed.manifest)
    found: list[str] = []
    cursor, more = "", True
    while more:
        page = rig.connection.tags(name, TagQuery(page_size=10), work, cursor)
        found += [tag.name for tag in page.items]
        cursor, more = page.next, bool(page.next)
    assert sorted(found) == [f"v{number:02}" for number in range(25)]
    assert len(found) == 25
    some = rig.connection.tags(name, TagQuery("2"), work)
    assert sorted(tag.name for tag in some.items) == ["v02", "v12", *(f"v2{n}" for n in range(5))]


def test_repositories_in_pages(rig: Rig, work: SilentWork) -> None:
    names = {rig.name() for _ in range(4)}
    for name in names:
        push_image(rig.connection, name, "1")
    found: set[str] = set()
    cursor, more = "", True
    while more:
        page = rig.connection.repositories(RepositoryQuery(page_size=3), work, cursor)
        found.update(item.name for item in page.items)
        cursor, more = page.next, bool(page.next)
    assert names <= found
    one = sorted(names)[0]
    query = RepositoryQuery(namespace="demo", text=one.upper())
    assert one in {item.name for item in rig.connection.repositories(query, work).items}
    assert rig.connection.repository(one, work).name == one


def test_what_is_not_there(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    push_image(rig.connection, name, "1")
    with pytest.raises(NotFoundError):
        rig.connection.image(name, "absent", work)
    with pytest.raises(NotFoundError):
        rig.connection.manifest(name, "sha256:" + "0" * 64, work)
    with pytest.raises((NotFoundError, PermissionDeniedError)):
        rig.connection.tags("demo/never-pushed", TagQuery(), work)


def test_a_tag_is_set_and_moved(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    one = push_image(rig.connection, name, "1", layers=(b"one",))
    two = push_image(rig.connection, name, "2", layers=(b"two",))
    first = rig.connection.retag(name, "1", "stable", work)
    assert (first.digest, first.previous) == (one.digest, "")
    moved = rig.connection.retag(name, "2", "stable", work)
    assert (moved.digest, moved.previous) == (two.digest, one.digest)
    assert rig.connection.resolve(name, "stable", work).digest == two.digest


def test_deleting_tells_before_what_goes(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    digest, images = push_index(rig.connection, name, "both", "amd64", "arm64", attest=True)
    rig.connection.retag(name, "both", "also", work)
    put(rig.connection, name, "single", images[0].media_type, images[0].manifest)
    plan = rig.connection.deletion(name, "both", work)
    assert plan.digest == digest
    assert set(plan.tags) == {"both", "also"}
    assert [item.digest for item in plan.orphans] == [images[1].digest]
    assert plan.broken == ()
    assert plan.complete
    single = rig.connection.deletion(name, "single", work)
    assert single.tags == ("single",)
    assert set(single.broken) == {"both", "also"}
    rig.connection.delete_manifest(name, digest, work)
    for tag in ("both", "also"):
        with pytest.raises(NotFoundError):
            rig.connection.resolve(name, tag, work)
    with pytest.raises(NotFoundError):
        rig.connection.manifest(name, digest, work)
    assert rig.connection.resolve(name, "single", work).digest == images[0].digest


def test_a_tag_goes_alone_or_not_at_all(rig: Rig, work: SilentWork) -> None:
    name = rig.name()
    pushed = push_image(rig.connection, name, "1")
    rig.connection.retag(name, "1", "2", work)
    if rig.kind == "sandbox":
        rig.connection.delete_tag(name, "1", work)
        assert rig.connection.resolve(name, "2", work).digest == pushed.digest
        with pytest.raises(NotFoundError):
            rig.connection.resolve(name, "1", work)
    else:
        with pytest.raises(NotSupportedError) as caught:
            rig.connection.delete_tag(name, "1", work)
        assert "manifest" in caught.value.hint
        assert rig.connection.resolve(name, "1", work).digest == pushed.digest
    with pytest.raises((NotFoundError, NotSupportedError)):
        rig.connection.delete_tag(name, "absent", work)


def test_blobs_are_saved_whole(rig: Rig, work: SilentWork, tmp_path: Path) -> None:
    name = rig.name()
    large = bytes(range(256)) * (5 << 12)  # above what goes in one piece
    pushed = push_image(rig.connection, name, "1", layers=(large, b"small"))
    target = tmp_path / "layer.tar.gz"
    size = rig.connection.download_blob(name, pushed.layers[0].descriptor, target, work)
    assert size == len(large)
    assert target.read_bytes() == large
    with pytest.raises(NotSupportedError):
        rig.connection.read_blob(name, pushed.layers[0].descriptor, work, limit=1000)
    assert rig.connection.read_blob(name, pushed.layers[1].descriptor, work) == b"small"


def test_an_own_authority_must_be_known(rig: Rig, work: SilentWork) -> None:
    if rig.kind != "tls":
        return
    stranger = Registry(rig.registry.host)
    with pytest.raises(UnreachableError) as caught:
        rig.backend.connection(stranger).ping(work)
    assert "not trusted" in caught.value.detail
    assert f"/etc/docker/certs.d/{rig.registry.host}/ca.crt" in caught.value.hint
