"""The main flows of the distribution specification, the same on a real registry and on the sandbox's.

Source: OCI distribution specification 1.1; where it leaves a choice, docker-registry 2.8 decides.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.sandbox.registry.conftest import Client, digest_of, with_query

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
OCTETS = "application/octet-stream"
NOWHERE = "sha256:" + "0" * 64

_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    """A repository nobody used yet."""
    return f"demo/contract-{next(_numbers)}"


def image(client: Client, name: str, kind: str = DOCKER, text: str = "") -> dict[str, Any]:
    """A manifest whose blobs are in the repository."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": []},
            "text": text,
        }
    ).encode()
    layer = f"layer of {name} {text}".encode()
    client.push_blob(name, config)
    client.push_blob(name, layer)
    config_kind, layer_kind = (
        (
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        )
        if kind == DOCKER
        else (
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        )
    )
    return {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {"mediaType": config_kind, "size": len(config), "digest": digest_of(config)},
        "layers": [{"mediaType": layer_kind, "size": len(layer), "digest": digest_of(layer)}],
    }


def index(kind: str, child_kind: str, child: bytes, architecture: str = "amd64") -> dict[str, Any]:
    entry = {
        "mediaType": child_kind,
        "size": len(child),
        "digest": digest_of(child),
        "platform": {"architecture": architecture, "os": "linux"},
    }
    return {"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}


def test_says_that_it_is_a_registry(either: Client) -> None:
    answer = either.ask("GET", "/v2/")
    assert (answer.status, answer.json) == (200, {})
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_blob_goes_up_whole_and_comes_down(either: Client, name: str) -> None:
    data = bytes(range(256)) * 500
    digest = either.push_blob(name, data)
    url = f"/v2/{name}/blobs/{digest}"
    answer = either.ask("GET", url)
    assert (answer.status, answer.body) == (200, data)
    head = either.ask("HEAD", url)
    assert (head.status, head.body) == (200, b"")
    for found in (answer, head):
        assert found.headers["content-length"] == str(len(data))
        assert found.headers["docker-content-digest"] == digest
        assert found.headers["content-type"] == OCTETS
    assert either.ask("GET", url, If_None_Match=head.headers["etag"]).status == 304


def test_a_blob_goes_up_in_pieces(either: Client, name: str) -> None:
    pieces = [b"first ", b"second ", b"third"]
    location, sent = either.begin(name), 0
    for piece in pieces:
        answer = either.ask(
            "PATCH",
            location,
            piece,
            Content_Type=OCTETS,
            Content_Range=f"{sent}-{sent + len(piece) - 1}",
        )
        assert answer.status == 202
        assert answer.headers["docker-upload-uuid"]
        sent += len(piece)
        assert answer.headers["range"] == f"0-{sent - 1}"
        location = answer.headers["location"]
    progress = either.ask("GET", location)
    assert (progress.status, progress.headers["range"]) == (204, f"0-{sent - 1}")
    data = b"".join(pieces)
    done = either.ask("PUT", with_query(progress.headers["location"], digest=digest_of(data)))
    assert done.status == 201
    assert done.headers["location"].endswith(f"/v2/{name}/blobs/{digest_of(data)}")
    assert either.ask("GET", f"/v2/{name}/blobs/{digest_of(data)}").body == data


def test_a_blob_is_finished_with_its_last_piece(either: Client, name: str) -> None:
    location = either.ask("PATCH", either.begin(name), b"one ", Content_Type=OCTETS)
    url = with_query(location.headers["location"], digest=digest_of(b"one two"))
    assert either.ask("PUT", url, b"two", Content_Type=OCTETS).status == 201


def test_a_blob_in_one_request_or_in_two(either: Client, name: str) -> None:
    """The specification lets a registry answer 202: then it goes on as with any upload."""
    data = b"at once"
    answer = either.ask(
        "POST", f"/v2/{name}/blobs/uploads/?digest={digest_of(data)}", data, Content_Type=OCTETS
    )
    assert answer.status in {201, 202}
    if answer.status == 202:
        url = with_query(answer.headers["location"], digest=digest_of(data))
        assert either.ask("PUT", url, data, Content_Type=OCTETS).status == 201
    assert either.ask("GET", f"/v2/{name}/blobs/{digest_of(data)}").body == data


def test_a_wrong_digest_is_refused(either: Client, name: str) -> None:
    answer = either.ask("PUT", with_query(either.begin(name), digest=NOWHERE), b"something")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert either.ask("HEAD", f"/v2/{name}/blobs/{NOWHERE}").status == 404
    missing = either.ask("PUT", either.begin(name), b"something")
    assert (missing.status, missing.code) == (400, "DIGEST_INVALID")


def test_an_upload_is_given_up(either: Client, name: str) -> None:
    location = either.begin(name)
    assert either.ask("DELETE", location).status == 204
    for method in ("GET", "DELETE"):
        answer = either.ask(method, location)
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize(
    ("wanted", "status", "part", "told"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
    ],
)
def test_part_of_a_blob(
    either: Client, name: str, wanted: str, status: int, part: bytes | None, told: str
) -> None:
    digest = either.push_blob(name, b"0123456789")
    answer = either.ask("GET", f"/v2/{name}/blobs/{digest}", Range=wanted)
    assert answer.status == status
    assert answer.headers["content-range"] == told
    if part is not None:
        assert answer.body == part


def test_a_blob_is_mounted(either: Client, name: str) -> None:
    digest = either.push_blob(name, b"shared")
    other = f"{name}-other"
    query = f"mount={digest}&from={name}"
    answer = either.ask("POST", f"/v2/{other}/blobs/uploads/?{query}")
    assert (answer.status, answer.headers["docker-content-digest"]) == (201, digest)
    assert either.ask("GET", f"/v2/{other}/blobs/{digest}").body == b"shared"
    answer = either.ask("POST", f"/v2/{other}/blobs/uploads/?mount={NOWHERE}&from={name}")
    assert answer.status == 202
    assert answer.headers["location"]


def test_a_blob_is_deleted(either: Client, name: str) -> None:
    digest = either.push_blob(name, b"short-lived")
    url = f"/v2/{name}/blobs/{digest}"
    assert either.ask("DELETE", url).status == 202
    assert either.ask("HEAD", url).status == 404
    again = either.ask("DELETE", url)
    assert (again.status, again.code) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize("kind", [DOCKER, OCI])
def test_an_image_goes_up_and_comes_down(either: Client, name: str, kind: str) -> None:
    value = image(either, name, kind)
    data = json.dumps(value).encode()
    pushed = either.push_manifest(name, "v1", value)
    assert pushed.status == 201
    assert pushed.headers["docker-content-digest"] == digest_of(data)
    assert pushed.headers["location"].endswith(f"/v2/{name}/manifests/{digest_of(data)}")
    for reference in ("v1", digest_of(data)):
        url = f"/v2/{name}/manifests/{reference}"
        answer, head = (either.ask(method, url, Accept=kind) for method in ("GET", "HEAD"))
        assert (answer.status, answer.body) == (200, data)
        for found in (answer, head):
            assert found.status == 200
            assert found.headers["content-type"] == kind
            assert found.headers["content-length"] == str(len(data))
            assert found.headers["docker-content-digest"] == digest_of(data)
        tag = head.headers["etag"]
        assert either.ask("GET", url, Accept=kind, If_None_Match=tag).status == 304


def test_a_list_gives_its_image_to_who_knows_no_lists(either: Client, name: str) -> None:
    child = image(either, name)
    child_data = json.dumps(child).encode()
    assert either.push_manifest(name, digest_of(child_data), child).status == 201
    assert either.push_manifest(name, "many", index(LIST, DOCKER, child_data)).status == 201
    url = f"/v2/{name}/manifests/many"
    assert either.ask("GET", url, Accept=f"{LIST}, {DOCKER}").headers["content-type"] == LIST
    answer = either.ask("GET", url, Accept=DOCKER)
    assert (answer.headers["content-type"], answer.body) == (DOCKER, child_data)


def test_oci_is_given_to_who_reads_it(either: Client, name: str) -> None:
    child = image(either, name, OCI)
    child_data = json.dumps(child).encode()
    assert either.push_manifest(name, "one", child).status == 201
    assert either.push_manifest(name, "many", index(INDEX, OCI, child_data)).status == 201
    assert either.ask("GET", f"/v2/{name}/manifests/many", Accept=INDEX).status == 200
    for reference in ("one", "many"):
        answer = either.ask("GET", f"/v2/{name}/manifests/{reference}", Accept=DOCKER)
        assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")


def test_manifests_that_are_refused(either: Client, name: str) -> None:
    value = image(either, name)
    layer = {**value["layers"][0], "digest": NOWHERE}
    answer = either.push_manifest(name, "v1", {**value, "layers": [layer]})
    assert (answer.status, answer.code) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert answer.json["errors"][0]["detail"] == NOWHERE
    answer = either.push_manifest(name, "v1", index(LIST, DOCKER, b"not here"))
    assert (answer.status, answer.code) == (400, "MANIFEST_BLOB_UNKNOWN")
    answer = either.push_manifest(name, NOWHERE, value)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    url, data = f"/v2/{name}/manifests/v1", json.dumps(value).encode()
    for body, kind in ((b"{nope", DOCKER), (data, "text/plain"), (data, OCI)):
        answer = either.ask("PUT", url, body, Content_Type=kind)
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
    assert either.ask("HEAD", url, Accept=DOCKER).status == 404


def test_tags_are_listed(either: Client, name: str) -> None:
    value = image(either, name)
    for tag in ("v2", "v1", "latest"):
        assert either.push_manifest(name, tag, value).status == 201
    answer = either.ask("GET", f"/v2/{name}/tags/list").json
    assert answer["name"] == name
    assert sorted(answer["tags"]) == ["latest", "v1", "v2"]


def test_a_tag_moves(either: Client, name: str) -> None:
    first, second = image(either, name, text="a"), image(either, name, text="b")
    for value in (first, second):
        assert either.push_manifest(name, "v1", value).status == 201
    answer = either.ask("GET", f"/v2/{name}/manifests/v1", Accept=DOCKER)
    assert answer.json == second
    old = digest_of(json.dumps(first).encode())
    assert either.ask("GET", f"/v2/{name}/manifests/{old}", Accept=DOCKER).json == first


def test_a_manifest_is_deleted_with_its_tags(either: Client, name: str) -> None:
    value, kept = image(either, name), image(either, name, text="kept")
    for tag in ("v1", "v2"):
        assert either.push_manifest(name, tag, value).status == 201
    assert either.push_manifest(name, "v3", kept).status == 201
    url = f"/v2/{name}/manifests/{digest_of(json.dumps(value).encode())}"
    assert either.ask("DELETE", url).status == 202
    assert either.ask("GET", f"/v2/{name}/tags/list").json["tags"] == ["v3"]
    again = either.ask("DELETE", url)
    assert (again.status, again.code) == (404, "MANIFEST_UNKNOWN")


def test_the_catalogue_comes_in_pages(either: Client, name: str) -> None:
    for number in range(3):
        either.push_manifest(f"{name}-{number}", "v1", image(either, f"{name}-{number}"))
    names: list[str] = []
    target, pages = "/v2/_catalog?n=2", 0
    while target:
        answer = either.ask("GET", target)
        page = answer.json["repositories"]
        assert 0 < len(page) <= 2
        names += page
        link = answer.headers.get("link", "")
        target = link.partition("<")[2].partition(">")[0]
        assert not link or link.endswith('>; rel="next"')
        pages += 1
    assert pages > 1
    assert names == sorted(set(names))
    assert {f"{name}-{number}" for number in range(3)} <= set(names)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v2/demo/absent/tags/list", "NAME_UNKNOWN"),
        (f"/v2/demo/absent/blobs/{NOWHERE}", None),
        ("/v2/demo/there/manifests/absent", "MANIFEST_UNKNOWN"),
        (f"/v2/demo/there/manifests/{NOWHERE}", "MANIFEST_UNKNOWN"),
        (f"/v2/demo/there/blobs/{NOWHERE}", "BLOB_UNKNOWN"),
    ],
)
def test_what_is_not_there(either: Client, target: str, code: str | None) -> None:
    either.push_blob("demo/there", b"x")
    answer = either.ask("GET", target, Accept=DOCKER)
    assert answer.status == 404
    error = answer.json["errors"][0]
    assert error["message"]
    assert code is None or error["code"] == code
