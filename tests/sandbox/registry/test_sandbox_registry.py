"""What docker-registry 2.8 does not have, by the specification 1.1; what the registry comes with; and bad input."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.engine.recipes import ARCHITECTURES, package
from dockdesk.sandbox.engine.releases import at, lines
from dockdesk.sandbox.registry.api_blobs import _range
from dockdesk.sandbox.registry.blobs import Blobs
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.manifests import KINDS, parse
from dockdesk.sandbox.registry.repositories import is_name
from dockdesk.sandbox.registry.server import SimulatedRegistry
from dockdesk.sandbox.registry.tokens import TokenError
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.scenarios import scenario
from tests.sandbox.registry.conftest import Client, World, digest_of, with_query
from tests.sandbox.registry.test_distribution import DOCKER, INDEX, LIST, OCI, OCTETS, image

ANY = f"{DOCKER}, {LIST}, {OCI}, {INDEX}"


def test_a_piece_out_of_order_is_refused_and_the_upload_resumed(demo: Client) -> None:
    location = demo.begin("demo/pieces")
    assert demo.ask("PATCH", location, b"abc", Content_Range="0-2").status == 202
    for wrong in ("0-2", "7-9", "nonsense"):
        answer = demo.ask("PATCH", location, b"xyz", Content_Range=wrong)
        assert (answer.status, answer.code) == (416, "RANGE_INVALID")
        assert answer.headers["range"] == "0-2"
    assert demo.ask("PATCH", location, b"def", Content_Range="3-5").headers["range"] == "0-5"
    digest = digest_of(b"abcdef")
    assert demo.ask("PUT", with_query(location, digest=digest)).status == 201


def test_an_upload_survives_a_broken_connection(world: World, demo: Client) -> None:
    """What arrived before the client went away is kept, and the rest is all that is sent again."""
    data = b"0123456789" * 10_000
    location = demo.begin("demo/broken")
    answer = demo.raw("PATCH", location)
    token = demo.token(answer.headers["www-authenticate"])
    connection = http.client.HTTPConnection(demo.address, timeout=30)
    connection.putrequest("PATCH", location)
    connection.putheader("Authorization", f"Bearer {token}")
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data[:50_000])
    # Once all of it was taken in the client may go.
    until = time.monotonic() + 30
    while world.call(lambda: _size(world, location)) < 50_000:
        assert time.monotonic() < until
        time.sleep(0.01)
    connection.close()
    while world.call(lambda: _busy(world, location)):
        assert time.monotonic() < until
        time.sleep(0.01)
    told = demo.ask("GET", location).headers["range"]
    assert told == "0-49999"
    answer = demo.ask("PATCH", location, data[50_000:], Content_Range="50000-99999")
    assert answer.status == 202
    assert demo.ask("PUT", with_query(location, digest=digest_of(data))).status == 201


def _size(world: World, location: str) -> int:
    return world.registry.repositories.blobs.upload(location.rpartition("/")[2], "demo/broken").size


def _busy(world: World, location: str) -> bool:
    return world.registry.repositories.blobs.upload(location.rpartition("/")[2], "demo/broken").busy


def test_tags_come_in_pages(anybody: Client) -> None:
    names: list[str] = []
    target, pages = "/v2/nginx/tags/list?n=40", 0
    while target:
        answer = anybody.ask("GET", target)
        names += answer.json["tags"]
        target = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
        pages += 1
    assert pages > 3
    assert names == sorted(set(names))
    assert len(names) > 100
    assert {"latest", "1.27-alpine", "1.27.3"} <= set(names)
    assert anybody.ask("GET", "/v2/nginx/tags/list").json["tags"] == names
    answer = anybody.ask("GET", "/v2/nginx/tags/list?n=x")
    assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")
    assert anybody.ask("GET", "/v2/nginx/tags/list?n=0").json["tags"] == []


def test_a_tag_is_deleted_alone(demo: Client) -> None:
    value = image(demo, "demo/untag")
    for tag in ("a", "b"):
        assert demo.push_manifest("demo/untag", tag, value).status == 201
    assert demo.ask("DELETE", "/v2/demo/untag/manifests/a").status == 202
    assert demo.ask("GET", "/v2/demo/untag/tags/list").json["tags"] == ["b"]
    assert demo.ask("GET", "/v2/demo/untag/manifests/b", Accept=DOCKER).status == 200
    answer = demo.ask("DELETE", "/v2/demo/untag/manifests/a")
    assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")


def test_referrers_are_found(demo: Client) -> None:
    subject = image(demo, "demo/signed", OCI)
    pushed = demo.push_manifest("demo/signed", "v1", subject)
    digest = pushed.headers["docker-content-digest"]
    empty = demo.push_blob("demo/signed", b"{}")
    for kind in ("application/vnd.example.signature", "application/vnd.example.sbom"):
        artifact = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "artifactType": kind,
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "size": 2,
                "digest": empty,
            },
            "layers": [],
            "annotations": {"about": kind},
            "subject": {"mediaType": OCI, "size": 1, "digest": digest},
        }
        data = json.dumps(artifact).encode()
        answer = demo.push_manifest("demo/signed", digest_of(data), artifact)
        assert (answer.status, answer.headers["oci-subject"]) == (201, digest)
    answer = demo.ask("GET", f"/v2/demo/signed/referrers/{digest}")
    assert (answer.status, answer.headers["content-type"]) == (200, INDEX)
    assert len(answer.json["manifests"]) == 2
    wanted = "application/vnd.example.sbom"
    answer = demo.ask("GET", f"/v2/demo/signed/referrers/{digest}?artifactType={wanted}")
    assert answer.headers["oci-filters-applied"] == "artifactType"
    (found,) = answer.json["manifests"]
    assert (found["artifactType"], found["annotations"]) == (wanted, {"about": wanted})
    nothing = demo.ask("GET", f"/v2/demo/signed/referrers/sha256:{'0' * 64}")
    assert (nothing.status, nothing.json["manifests"]) == (200, [])


@pytest.mark.parametrize(("name", "kind"), [("nginx", INDEX), ("prom/prometheus", LIST)])
def test_a_seeded_image_is_whole(anybody: Client, name: str, kind: str) -> None:
    """Every digest, size and diff id holds, on both platforms; the layers are real archives."""
    answer = anybody.ask("GET", f"/v2/{name}/manifests/latest", Accept=ANY)
    assert answer.headers["content-type"] == kind
    images = [
        entry
        for entry in answer.json["manifests"]
        if entry["platform"]["architecture"] != "unknown"
    ]
    assert [entry["platform"]["architecture"] for entry in images] == list(ARCHITECTURES)
    for entry in images:
        child = anybody.ask("GET", f"/v2/{name}/manifests/{entry['digest']}", Accept=ANY)
        assert len(child.body) == entry["size"]
        config = anybody.ask("GET", f"/v2/{name}/blobs/{child.json['config']['digest']}").json
        assert config["architecture"] == entry["platform"]["architecture"]
        layers = child.json["layers"]
        for layer, diff_id in zip(layers, config["rootfs"]["diff_ids"], strict=True):
            blob = anybody.ask("GET", f"/v2/{name}/blobs/{layer['digest']}").body
            assert (len(blob), digest_of(blob)) == (layer["size"], layer["digest"])
            data = gzip.decompress(blob)
            assert digest_of(data) == diff_id
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                assert archive.getnames()
        assert len([line for line in config["history"] if not line.get("empty_layer")]) == len(
            layers
        )


def test_official_images_have_attestations(anybody: Client) -> None:
    index = anybody.ask("GET", "/v2/redis/manifests/latest", Accept=ANY).json
    proofs = [
        entry
        for entry in index["manifests"]
        if entry.get("annotations", {}).get("vnd.docker.reference.type") == "attestation-manifest"
    ]
    assert len(proofs) == 2
    about = {entry["annotations"]["vnd.docker.reference.digest"] for entry in proofs}
    assert about < {entry["digest"] for entry in index["manifests"]}
    proof = anybody.ask("GET", f"/v2/redis/manifests/{proofs[0]['digest']}", Accept=ANY).json
    kinds = {}
    for layer in proof["layers"]:
        statement = anybody.ask("GET", f"/v2/redis/blobs/{layer['digest']}").json
        kinds[layer["annotations"]["in-toto.io/predicate-type"]] = statement["predicate"]
    packages = kinds["https://spdx.dev/Document"]["packages"]
    assert {"redis"} <= {item["name"] for item in packages}


def test_tags_of_one_image_are_one_digest(anybody: Client) -> None:
    digests = {
        anybody.ask("HEAD", f"/v2/nginx/manifests/{tag}", Accept=ANY).headers[
            "docker-content-digest"
        ]
        for tag in ("1.27.3-alpine", "1.27-alpine", "1-alpine", "alpine")
    }
    assert len(digests) == 1


def test_a_digest_is_found_before_its_tag_was_asked_for(world: World, anybody: Client) -> None:
    recipe = at("traefik", "v2.11.3")
    assert recipe is not None
    digest = package(recipe, world.engine.state.born).digest
    answer = anybody.ask("GET", f"/v2/traefik/manifests/{digest}", Accept=ANY)
    assert answer.status == 200
    assert digest_of(answer.body) == digest


def test_the_same_day_gives_the_same_images() -> None:
    recipe = at("postgres", "16")
    assert recipe is not None
    noon = 1_800_000_000 // 86_400 * 86_400 + 43_200
    assert package(recipe, noon) == package(recipe, noon + 3_600)
    assert at("nginx", "absent") is None
    assert lines("somebody/else") == ()


def test_ten_thousand_tags_cost_nothing_until_asked_for(tmp_path: Path) -> None:
    registry = SimulatedRegistry(Clock(), 1, tmp_path, tags=10_000)
    found = registry.repositories.get("acme/nightly")
    assert len(found.tag_names()) == 10_000
    assert not found.manifests
    manifest = registry.repositories.manifest(found, "build-09999")
    assert len(manifest.children) == 2
    assert len(found.tag_names()) == 10_000


def test_scenarios_reach_the_registry(tmp_path: Path) -> None:
    registry = SimulatedRegistry(Clock(), 1, tmp_path)
    before = registry.limits.anonymous
    token = registry.tokens.issue("demo", 60, {"kind": "access"})
    registry.play(scenario("throttled").conditions)
    assert registry.limits.anonymous < before
    assert registry.tokens.read(token, "access")
    registry.play(scenario("expired-credentials").conditions)
    assert registry.limits.anonymous == before
    with pytest.raises(TokenError):
        registry.tokens.read(token, "access")
    registry.play(scenario("huge").conditions)
    assert len(registry.repositories.get("acme/nightly").tag_names()) == 10_000


def test_content_goes_with_its_last_repository(tmp_path: Path) -> None:
    registry = SimulatedRegistry(Clock(), 1, tmp_path)
    store = registry.repositories
    first, second = store.open("demo/a"), store.open("demo/b")
    digest = store.blobs.put(b"shared")
    for repository in (first, second):
        store.add_blob(repository, digest)
    store.remove_blob(first, digest)
    assert store.blobs.path(digest).exists()
    store.remove("demo/b")
    assert not store.blobs.path(digest).exists()
    with pytest.raises(RegistryError):
        store.get("demo/b")


def test_forgotten_uploads_go_after_a_day(tmp_path: Path) -> None:
    now = [0.0]
    blobs = Blobs(tmp_path, lambda: now[0])
    old = blobs.begin("demo/a")
    old.write(b"part")
    now[0] = 25 * 3600.0
    new = blobs.begin("demo/a")
    assert not old.path.exists()
    assert new.path.exists()
    with pytest.raises(RegistryError):
        blobs.upload(old.id, "demo/a")


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v2/demo/x/blobs/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/v2/demo/x/blobs/sha256:..", 400),
        ("GET", "/v2/demo/x/blobs/uploads/..", 404),
        ("GET", "/v2/demo/x/manifests/sha512:00", 400),
        ("POST", "/v2/Demo/UPPER/blobs/uploads/", 400),
        ("PUT", "/v2/demo/x/manifests/.bad", 400),
        ("GET", "/v2/demo/x/nonsense", 404),
        ("PATCH", "/v2/demo/x/tags/list", 405),
        ("GET", "/elsewhere", 404),
    ],
)
def test_bad_requests_have_the_specifications_shape(
    demo: Client, method: str, target: str, status: int
) -> None:
    answer = demo.ask(method, target)
    assert answer.status == status
    error = answer.json["errors"][0]
    assert error["code"].isupper()
    assert error["message"]


def test_a_manifest_has_a_limit(demo: Client) -> None:
    answer = demo.ask("PUT", "/v2/demo/x/manifests/v1", b"x" * (5 << 20), Content_Type=DOCKER)
    assert (answer.status, answer.code) == (413, "MANIFEST_INVALID")


def test_an_unwanted_body_does_not_hide_the_answer(anybody: Client) -> None:
    answer = anybody.raw("PATCH", "/v2/demo/x/blobs/uploads/1", b"x" * (3 << 20))
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@given(
    st.text(max_size=10) | st.from_regex(r"\A[0-9]{0,3}-[0-9]{0,3}\Z") | st.just("9" * 5000 + "-"),
    st.integers(0, 100),
)
def test_any_range_is_a_part_or_refused(text: str, size: int) -> None:
    refused = 0
    try:
        start, end = _range(f"bytes={text}", size)
    except RegistryError as error:
        refused = error.status
    assert refused == 416 or 0 <= start < end <= size


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["schemaVersion", "mediaType", "config", "layers", "manifests", "digest", "size"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(sorted(KINDS)))
def test_any_manifest_is_taken_or_refused(value: object, kind: str) -> None:
    data = json.dumps(value).encode()
    refused = ""
    try:
        parse("sha256:" + hashlib.sha256(data).hexdigest(), kind, data)
    except RegistryError as error:
        refused = error.code
    assert refused in {"", "MANIFEST_INVALID"}


def test_names() -> None:
    for good in ("a", "a/b", "a-b_c.d/e__f", "a--b"):
        assert is_name(good)
    for bad in ("", "A", "a//b", "/a", "a/", "a/../b", "a" * 256, "a_-b"):
        assert not is_name(bad)


def test_octets_are_what_blobs_are(demo: Client) -> None:
    digest = demo.push_blob("demo/octets", b"x")
    assert demo.ask("GET", f"/v2/demo/octets/blobs/{digest}").headers["content-type"] == OCTETS
