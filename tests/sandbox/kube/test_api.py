"""The API over plain HTTP: shapes of answers and of errors, lists, watches, patches and what only some may do."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dockdesk.sandbox.kube.server import TOKEN
from tests.sandbox.kube.conftest import Served, deployment

APPS = "/apis/apps/v1/namespaces/shop/deployments"
MAPS = "/api/v1/namespaces/shop/configmaps"
PODS = "/api/v1/namespaces/shop/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    f"application/{name}"
    for name in (
        "merge-patch+json",
        "strategic-merge-patch+json",
        "json-patch+json",
        "apply-patch+yaml",
    )
)


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while not (value := condition()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return value


def make_map(served: Served, name: str, **data: str) -> Any:
    status, value = served.request(
        "POST", MAPS, {"metadata": {"name": name, "labels": {"of": "test"}}, "data": data}
    )
    assert status == 201, value
    return value


@contextlib.contextmanager
def watching(
    served: Served, path: str, accept: str = "application/json"
) -> Iterator[Iterator[Any]]:
    """Events of a watch; the connection is closed at the end."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", "Accept": accept})
    response = connection.getresponse()
    assert response.status == 200
    try:
        yield (json.loads(line) for line in response)
    finally:
        response.close()
        connection.close()


def changed_spec(**changes: Any) -> Any:
    item = deployment("x")
    return {**item, "spec": {**item["spec"], **changes}}


def is_status(value: Any, code: int, reason: str) -> bool:
    return (
        value["kind"],
        value["apiVersion"],
        value["status"],
        value["code"],
        value["reason"],
    ) == ("Status", "v1", "Failure", code, reason)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "code", "reason"),
    [
        ("GET", "/api/v1/namespaces/shop/pods/nope", None, {}, 404, "NotFound"),
        ("GET", "/api/v1/nothings", None, {}, 404, "NotFound"),
        ("GET", "/apis/nope.example/v1/things", None, {}, 404, "NotFound"),
        ("GET", "/nope", None, {}, 404, "NotFound"),
        ("PUT", MAPS, {}, {}, 405, "MethodNotAllowed"),
        ("GET", MAPS, None, {"Accept": "application/vnd.kubernetes.protobuf"}, 406, "NotAcceptable"),
        ("POST", MAPS, b"k8s\0", {"Content_Type": "application/vnd.kubernetes.protobuf"}, 415, "UnsupportedMediaType"),
        ("POST", MAPS, b"a: b", {"Content_Type": "application/yaml"}, 415, "UnsupportedMediaType"),
        ("POST", MAPS, b"{nonsense", {}, 400, "BadRequest"),
        ("POST", MAPS, [], {}, 400, "BadRequest"),
        ("POST", MAPS, {"metadata": 3}, {}, 400, "BadRequest"),
        ("POST", MAPS, {"kind": "Secret", "metadata": {"name": "x"}}, {}, 400, "BadRequest"),
        ("POST", MAPS, {"metadata": {"name": "x", "namespace": "other"}}, {}, 400, "BadRequest"),
        ("POST", MAPS, {"metadata": {"name": "x", "resourceVersion": "1"}}, {}, 400, "BadRequest"),
        ("POST", MAPS, {"metadata": {}}, {}, 422, "Invalid"),
        ("POST", MAPS, {"metadata": {"name": "Big_Name"}}, {}, 422, "Invalid"),
        ("POST", MAPS, {"metadata": {"name": "x", "labels": {"a": "not valid!"}}}, {}, 422, "Invalid"),
        ("POST", MAPS, {"metadata": {"name": "x", "labels": {"a": 1}}}, {}, 400, "BadRequest"),
        ("POST", MAPS, {"metadata": {"name": "shop-config"}}, {}, 409, "AlreadyExists"),
        ("POST", "/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "x"}}, {}, 404, "NotFound"),
        ("POST", f"{MAPS}?dryRun=Some", {"metadata": {"name": "x"}}, {}, 422, "Invalid"),
        ("POST", APPS, {"metadata": {"name": "x"}}, {}, 422, "Invalid"),
        ("POST", APPS, deployment("x", replicas=-1), {}, 422, "Invalid"),
        ("POST", APPS, changed_spec(replicas="2"), {}, 400, "BadRequest"),
        ("POST", APPS, changed_spec(selector={"matchLabels": {"a": "b"}}), {}, 422, "Invalid"),
        ("POST", APPS, deployment("x", env=[{"name": "A", "value": True}]), {}, 400, "BadRequest"),
        ("POST", APPS, deployment("x", resources={"limits": {"memory": "1Quux"}}), {}, 400, "BadRequest"),
        ("GET", f"{PODS}?labelSelector=a%3D%3D%3D", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}?fieldSelector=spec.nope%3D1", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}?limit=x", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}?limit=2&continue=nonsense", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}?watch=1&resourceVersion=x", None, {}, 400, "BadRequest"),
        ("PATCH", f"{MAPS}/shop-config", {}, {"Content_Type": "application/json"}, 415, "UnsupportedMediaType"),
        ("PATCH", f"{MAPS}/shop-config", b"[", {"Content_Type": MERGE}, 400, "BadRequest"),
        ("PATCH", f"{MAPS}/shop-config", {"data": {}}, {"Content_Type": APPLY}, 422, "Invalid"),
        ("PUT", f"{MAPS}/shop-config", {"metadata": {"name": "other"}}, {}, 400, "BadRequest"),
        ("PUT", f"{MAPS}/shop-config", {"metadata": {"name": "shop-config", "uid": "1"}}, {}, 409, "Conflict"),
        ("DELETE", f"{MAPS}/shop-config", {"preconditions": {"uid": "other"}}, {}, 409, "Conflict"),
        ("DELETE", f"{MAPS}/shop-config", {"propagationPolicy": "Sideways"}, {}, 422, "Invalid"),
        ("GET", f"{APPS}/api-gateway/log", None, {}, 404, "NotFound"),
        ("POST", f"{APPS}/api-gateway/scale", {}, {}, 405, "MethodNotAllowed"),
        ("PATCH", f"{APPS}/api-gateway/scale", {"spec": {"replicas": -1}}, {"Content_Type": MERGE}, 422, "Invalid"),
        ("GET", f"{PODS}/postgres-0/portforward", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}/postgres-0/attach", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}/postgres-0/proxy", None, {}, 501, "NotImplemented"),
        ("GET", f"{PODS}/postgres-0/exec?command=ls", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}/postgres-0/log?container=nope", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}/postgres-0/log?tailLines=x", None, {}, 400, "BadRequest"),
        ("GET", f"{PODS}/postgres-0/log?previous=true", None, {}, 400, "BadRequest"),
    ],
)  # fmt: skip
def test_errors_are_statuses(
    served: Served,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    code: int,
    reason: str,
) -> None:
    status, value = served.request(method, path, body, **headers)
    assert status == code, value
    assert is_status(value, code, reason), value
    assert value["message"]


def test_without_a_token_nothing_is_told(served: Served) -> None:
    for token in ("", "wrong"):
        status, value = served.request("GET", PODS, token=token)
        assert status == 401
        assert is_status(value, 401, "Unauthorized")
    assert served.request("GET", "/healthz", token="") == (200, b"ok")


def test_a_viewer_reads_and_nothing_else(served: Served) -> None:
    assert served.request("GET", PODS, token="viewer")[0] == 200
    for method, path in (
        ("DELETE", f"{PODS}/postgres-0"),
        ("POST", MAPS),
        ("GET", "/api/v1/namespaces/shop/secrets"),
        ("PATCH", f"{APPS}/cart/scale"),
    ):
        status, value = served.request(
            method, path, {} if method != "GET" else None, token="viewer"
        )
        assert status == 403, path
        assert is_status(value, 403, "Forbidden")
    message = served.request("DELETE", f"{APPS}/cart", token="viewer")[1]["message"]
    assert message == (
        'deployments.apps "cart" is forbidden: User "viewer" cannot delete resource "deployments" '
        'in API group "apps" in the namespace "shop"'
    )
    assert served.request("GET", PODS, token="shop-developer")[0] == 200
    assert served.request("GET", "/api/v1/pods", token="shop-developer")[0] == 403
    assert served.request("GET", "/api/v1/namespaces", token="shop-developer")[0] == 403


@pytest.mark.parametrize(
    ("token", "attributes", "allowed"),
    [
        (TOKEN, {"verb": "delete", "resource": "pods", "namespace": "shop"}, True),
        ("viewer", {"verb": "list", "resource": "pods"}, True),
        (
            "viewer",
            {"verb": "create", "resource": "pods", "subresource": "exec", "namespace": "shop"},
            False,
        ),
        (
            "shop-developer",
            {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "shop"},
            True,
        ),
        ("shop-developer", {"verb": "get", "resource": "pods", "namespace": "monitoring"}, False),
    ],
)
def test_access_reviews_say_what_would_happen(
    served: Served, token: str, attributes: Any, allowed: bool
) -> None:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status, value = served.request(
        "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body, token=token
    )
    assert (status, value["status"]["allowed"]) == (201, allowed)


def test_discovery_names_what_is_served(served: Served) -> None:
    groups = {group["name"] for group in served.get("/apis")["groups"]}
    assert {
        "apps",
        "batch",
        "autoscaling",
        "metrics.k8s.io",
        "networking.k8s.io",
        "policy",
        "authorization.k8s.io",
        "apiextensions.k8s.io",
        "monitoring.coreos.com",
    } <= groups
    assert served.get("/api")["versions"] == ["v1"]
    for group in served.get("/apis")["groups"]:
        for version in group["versions"]:
            resources = served.get(f"/apis/{version['groupVersion']}")["resources"]
            assert resources
            for resource in resources:
                if "list" in resource["verbs"] and "/" not in resource["name"]:
                    found = served.get(f"/apis/{version['groupVersion']}/{resource['name']}")
                    assert found["kind"] == f"{resource['kind']}List"
    assert served.get("/version")["major"] == "1"
    assert served.get("/openapi/v3/apis/apps/v1")["paths"]
    assert served.request("GET", "/openapi/v2")[0] == 404


def test_objects_are_created_changed_and_deleted(served: Served) -> None:
    made = make_map(served, "one", a="1")
    meta = made["metadata"]
    assert made["kind"] == "ConfigMap"
    assert {"uid", "resourceVersion", "creationTimestamp", "managedFields"} <= set(meta)
    status, changed = served.request("PUT", f"{MAPS}/one", {**made, "data": {"a": "2"}})
    assert status == 200
    assert int(changed["metadata"]["resourceVersion"]) > int(meta["resourceVersion"])
    assert changed["metadata"]["uid"] == meta["uid"]
    assert served.request("PUT", f"{MAPS}/one", {**made, "data": {"a": "3"}})[0] == 409
    status, same = served.request("PATCH", f"{MAPS}/one", {"data": {"a": "2"}}, Content_Type=MERGE)
    assert (
        same["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]
    )  # nothing to do, nothing done
    status, value = served.request("DELETE", f"{MAPS}/one")
    assert (status, value["status"]) == (200, "Success")
    assert served.request("GET", f"{MAPS}/one")[0] == 404
    status, value = served.request("POST", MAPS, {"metadata": {"generateName": "many-"}})
    assert status == 201
    assert value["metadata"]["name"].startswith("many-")


def test_finalizers_hold_a_deletion(served: Served) -> None:
    body = {"metadata": {"name": "held", "finalizers": ["example.com/wait"]}}
    served.request("POST", MAPS, body)
    assert served.request("DELETE", f"{MAPS}/held")[1]["metadata"]["deletionTimestamp"]
    assert served.get(f"{MAPS}/held")["metadata"]["finalizers"] == ["example.com/wait"]
    served.request("PATCH", f"{MAPS}/held", {"metadata": {"finalizers": None}}, Content_Type=MERGE)
    assert served.request("GET", f"{MAPS}/held")[0] == 404


def test_dry_runs_change_nothing(served: Served) -> None:
    assert served.request("POST", f"{MAPS}?dryRun=All", {"metadata": {"name": "dry"}})[0] == 201
    assert served.request("GET", f"{MAPS}/dry")[0] == 404
    before = served.get(f"{MAPS}/shop-config")
    _, value = served.request(
        "PATCH", f"{MAPS}/shop-config?dryRun=All", {"data": {"CURRENCY": "USD"}}, Content_Type=MERGE
    )
    assert value["data"]["CURRENCY"] == "USD"
    served.request("DELETE", f"{MAPS}/shop-config?dryRun=All")
    assert served.get(f"{MAPS}/shop-config") == before


@pytest.mark.parametrize(
    ("media", "patch"),
    [
        (MERGE, {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}),
        (
            STRATEGIC,
            {
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [{"name": "media", "env": [{"name": "A", "value": "1"}]}]
                        }
                    }
                }
            },
        ),
        (JSON_PATCH, [{"op": "add", "path": "/spec/template/metadata/labels/x", "value": "y"}]),
    ],
)
def test_patches_make_a_new_generation(served: Served, media: str, patch: Any) -> None:
    before = served.get(f"{APPS}/media")
    status, after = served.request("PATCH", f"{APPS}/media", patch, Content_Type=media)
    assert status == 200, after
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert after["spec"]["template"] != before["spec"]["template"]
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "acme/media:0.7.1"


def test_server_side_apply(served: Served) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "applied"},
        "data": {"a": "1", "b": "2"},
    }
    path = f"{MAPS}/applied?fieldManager=one"
    assert served.request("PATCH", path, config, Content_Type=APPLY)[0] == 201
    config["data"] = {"a": "1"}
    status, value = served.request("PATCH", path, config, Content_Type=APPLY)
    assert (status, value["data"]) == (200, {"a": "1"})
    other = {**config, "data": {"a": "9"}}
    status, value = served.request(
        "PATCH", f"{MAPS}/applied?fieldManager=two", other, Content_Type=APPLY
    )
    assert status == 409
    assert value["details"]["causes"][0]["field"] == ".data.a"
    status, value = served.request(
        "PATCH", f"{MAPS}/applied?fieldManager=two&force=true", other, Content_Type=APPLY
    )
    assert value["data"] == {"a": "9"}
    assert {entry["manager"] for entry in value["metadata"]["managedFields"]} == {"two"}


def test_scale_and_status_are_their_own_parts(served: Served) -> None:
    scale = served.get(f"{APPS}/catalog/scale")
    assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["selector"]) == (
        "Scale",
        2,
        "app=catalog",
    )
    status, value = served.request(
        "PATCH", f"{APPS}/catalog/scale", {"spec": {"replicas": 4}}, Content_Type=MERGE
    )
    assert (status, value["spec"]["replicas"]) == (200, 4)
    until(lambda: served.get(f"{APPS}/catalog")["status"].get("readyReplicas") == 4)
    scale = served.get(f"{APPS}/catalog/scale")
    scale["spec"]["replicas"] = 2
    assert served.request("PUT", f"{APPS}/catalog/scale", scale)[0] == 200
    claim = {
        "metadata": {"name": "disk"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Lost"},
    }
    path = "/api/v1/namespaces/shop/persistentvolumeclaims"
    assert (
        served.request("POST", path, claim)[1]["status"]["phase"] == "Pending"
    )  # not for the client to say
    until(lambda: served.get(f"{path}/disk")["status"]["phase"] == "Bound")
    _, value = served.request(
        "PATCH",
        f"{path}/disk/status",
        {"status": {"phase": "Lost"}, "metadata": {"labels": {"a": "b"}}},
        Content_Type=MERGE,
    )
    assert value["status"]["phase"] == "Lost"
    assert "labels" not in value["metadata"]


def test_tables_are_what_kubectl_prints(served: Served) -> None:
    table = served.get(PODS, Accept=TABLE)
    assert table["kind"] == "Table"
    assert [column["name"] for column in table["columnDefinitions"]][:5] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
    ]
    rows = {row["cells"][0]: row for row in table["rows"]}
    assert rows["postgres-0"]["cells"][1:4] == ["1/1", "Running", "0"]
    assert rows["postgres-0"]["object"]["kind"] == "PartialObjectMetadata"
    assert (
        served.get(f"{PODS}/postgres-0?includeObject=None", Accept=TABLE)["rows"][0]["object"]
        is None
    )
    assert served.get(f"{PODS}?includeObject=Object", Accept=TABLE)["rows"][0]["object"]["spec"]
    for kind in served.call(lambda: list(served.kube.cluster.kinds)):
        base = f"/apis/{kind.group}/{kind.version}" if kind.group else "/api/v1"
        table = served.get(f"{base}/{kind.plural}", Accept=TABLE)
        width = len(table["columnDefinitions"])
        assert all(len(row["cells"]) == width for row in table["rows"]), kind.plural
    partial = served.get(
        PODS, Accept="application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    )
    assert "spec" not in partial["items"][0]


def test_lists_are_selected(served: Served) -> None:
    names = [
        item["metadata"]["name"]
        for item in served.get(f"{PODS}?labelSelector=app%20in%20(postgres,redis)")["items"]
    ]
    assert names == ["postgres-0", "redis-0"]
    node = served.get(f"{PODS}/postgres-0")["spec"]["nodeName"]
    there = served.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}")["items"]
    assert {item["spec"]["nodeName"] for item in there} == {node}
    assert len({item["metadata"]["namespace"] for item in there}) > 1


def test_pages_show_one_moment(served: Served) -> None:
    for number in range(5):
        make_map(served, f"page-{number}")
    whole = [item["metadata"]["name"] for item in served.get(MAPS)["items"]]
    page = served.get(f"{MAPS}?limit=3")
    version, seen = (
        page["metadata"]["resourceVersion"],
        [item["metadata"]["name"] for item in page["items"]],
    )
    assert page["metadata"]["remainingItemCount"] == len(whole) - 3
    make_map(served, "page-9")  # comes after the snapshot
    while token := page["metadata"].get("continue"):
        page = served.get(f"{MAPS}?limit=3&continue={token}")
        assert page["metadata"]["resourceVersion"] == version
        seen += [item["metadata"]["name"] for item in page["items"]]
    assert seen == whole
    old = served.get(f"{MAPS}?limit=1")["metadata"]["continue"]
    for _ in range(40):
        served.get(f"{MAPS}?limit=1")
    status, value = served.request("GET", f"{MAPS}?limit=1&continue={old}")
    assert status == 410
    assert is_status(value, 410, "Expired")


def test_a_watch_tells_of_changes_and_resumes(served: Served) -> None:
    version = served.get(MAPS)["metadata"]["resourceVersion"]
    with watching(
        served, f"{MAPS}?watch=1&resourceVersion={version}&fieldSelector=metadata.name%3Dwatched"
    ) as events:
        make_map(served, "watched", a="1")
        served.request("PATCH", f"{MAPS}/watched", {"data": {"a": "2"}}, Content_Type=MERGE)
        served.request("DELETE", f"{MAPS}/watched")
        seen = [next(events) for _ in range(3)]
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)
    with watching(
        served,
        f"{MAPS}?watch=1&resourceVersion={versions[0]}&fieldSelector=metadata.name%3Dwatched",
    ) as events:
        assert [next(events)["type"] for _ in range(2)] == ["MODIFIED", "DELETED"]


def test_a_watch_from_nothing_starts_with_what_is_there(served: Served) -> None:
    with watching(served, f"{PODS}?watch=1&labelSelector=app%3Dpostgres") as events:
        event = next(events)
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "postgres-0")
    initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    path = f"{PODS}?watch=1&{initial}&labelSelector=app%3Dpostgres"
    with watching(served, path) as events:
        assert [next(events)["type"] for _ in range(2)] == ["ADDED", "BOOKMARK"]


def test_objects_come_into_and_leave_a_watched_selection(served: Served) -> None:
    make_map(served, "moves")
    version = served.get(MAPS)["metadata"]["resourceVersion"]
    with watching(
        served, f"{MAPS}?watch=1&resourceVersion={version}&labelSelector=in%3Dyes"
    ) as events:
        served.request(
            "PATCH", f"{MAPS}/moves", {"metadata": {"labels": {"in": "yes"}}}, Content_Type=MERGE
        )
        assert next(events)["type"] == "ADDED"
        served.request(
            "PATCH", f"{MAPS}/moves", {"metadata": {"labels": {"in": "no"}}}, Content_Type=MERGE
        )
        assert next(events)["type"] == "DELETED"


def test_bookmarks_and_the_end_of_a_watch(served: Served) -> None:
    version = served.get(MAPS)["metadata"]["resourceVersion"]
    with watching(
        served,
        f"{MAPS}?watch=1&resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=1&labelSelector=nobody%3Dhas",
    ) as events:
        seen = list(events)
    assert seen
    assert {event["type"] for event in seen} == {"BOOKMARK"}
    assert set(seen[-1]["object"]["metadata"]) >= {"resourceVersion"}
    with watching(
        served,
        f"{MAPS}?watch=1&resourceVersion={seen[-1]['object']['metadata']['resourceVersion']}&timeoutSeconds=1&labelSelector=nobody%3Dhas",
    ) as events:
        assert list(events) == []


def test_what_is_forgotten_is_gone(served: Served) -> None:
    version = served.get(MAPS)["metadata"]["resourceVersion"]
    make_map(served, "later")
    served.call(served.kube.cluster.store.compact)
    with watching(served, f"{MAPS}?watch=1&resourceVersion={version}") as events:
        event = next(events)
        assert event["type"] == "ERROR"
        assert is_status(event["object"], 410, "Expired")
        assert next(events, None) is None


def test_tables_can_be_watched(served: Served) -> None:
    with watching(served, f"{PODS}?watch=1&labelSelector=app%3Dpostgres", TABLE) as events:
        event = next(events)
    assert event["object"]["kind"] == "Table"
    assert event["object"]["rows"][0]["cells"][0] == "postgres-0"


def test_a_client_that_disappears_is_let_go(served: Served) -> None:
    kind = served.kube.cluster.kind("ConfigMap")
    with watching(served, f"{MAPS}?watch=1"):
        until(
            lambda: served.call(lambda: len(served.kube.cluster.store.shelf(kind).listeners)) >= 1
        )
    until(lambda: served.call(lambda: len(served.kube.cluster.store.shelf(kind).listeners)) == 0)


def test_collections_are_deleted_by_selector(served: Served) -> None:
    for number in range(3):
        served.request(
            "POST", MAPS, {"metadata": {"name": f"gone-{number}", "labels": {"gone": "yes"}}}
        )
    status, value = served.request("DELETE", f"{MAPS}?labelSelector=gone%3Dyes")
    assert (status, len(value["items"])) == (200, 3)
    assert served.get(f"{MAPS}?labelSelector=gone%3Dyes")["items"] == []


def test_evictions_respect_budgets(served: Served) -> None:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "postgres-0", "namespace": "shop"},
    }
    status, value = served.request("POST", f"{PODS}/postgres-0/eviction", body)
    assert status == 429
    assert is_status(value, 429, "TooManyRequests")
    assert value["details"]["causes"][0]["reason"] == "DisruptionBudget"
    name = served.get(f"{PODS}?labelSelector=app%3Dmail-dev")["items"][0]["metadata"]["name"]
    assert (
        served.request("POST", f"{PODS}/{name}/eviction", {**body, "metadata": {"name": name}})[0]
        == 201
    )
    until(lambda: served.request("GET", f"{PODS}/{name}")[0] == 404)


def test_metrics_are_those_of_the_load(served: Served) -> None:
    base = "/apis/metrics.k8s.io/v1beta1"
    until(lambda: len(served.get(f"{base}/namespaces/shop/pods")["items"]) > 15)
    nodes = served.get(f"{base}/nodes")["items"]
    assert len(nodes) == 4
    pod = until(
        lambda: next(
            iter(
                served.get(f"{base}/namespaces/shop/pods?labelSelector=app%3Dapi-gateway")["items"]
            ),
            None,
        )
    )
    usage = pod["containers"][0]["usage"]
    assert usage["cpu"].endswith("n")
    assert int(usage["cpu"][:-1]) > 10_000_000
    assert usage["memory"].endswith("Ki")
    assert served.request("GET", f"{base}/namespaces/shop/pods/nope")[0] == 404
    assert served.request("GET", f"{base}/nodes", token="shop-developer")[0] == 403


def test_a_terminating_namespace_takes_nothing_new(served: Served) -> None:
    served.request("POST", "/api/v1/namespaces", {"metadata": {"name": "short"}})
    until(
        lambda: served.request("GET", "/api/v1/namespaces/short/serviceaccounts/default")[0] == 200
    )
    pinned = {"metadata": {"name": "pinned", "finalizers": ["example.com/wait"]}}
    served.request("POST", "/api/v1/namespaces/short/configmaps", pinned)
    assert served.request("DELETE", "/api/v1/namespaces/short")[0] == 200
    status, value = served.request(
        "POST", "/api/v1/namespaces/short/configmaps", {"metadata": {"name": "x"}}
    )
    assert status == 403
    assert "being terminated" in value["message"]
    served.request(
        "PATCH",
        "/api/v1/namespaces/short/configmaps/pinned",
        {"metadata": {"finalizers": None}},
        Content_Type=MERGE,
    )
    until(lambda: served.request("GET", "/api/v1/namespaces/short")[0] == 404)


def test_unknown_fields_are_named_dropped_or_refused(served: Served) -> None:
    item = deployment("unknown", replicas=0)
    item["spec"]["replica"] = 3
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("POST", APPS, json.dumps(item), {"Authorization": f"Bearer {TOKEN}"})
    response = connection.getresponse()
    assert response.headers["Warning"] == '299 - "unknown field \\"spec.replica\\""'
    assert "replica" not in json.loads(response.read())["spec"]
    connection.close()
    status, value = served.request("PUT", f"{APPS}/unknown?fieldValidation=Strict", item)
    assert status == 400
    assert 'strict decoding error: unknown field "spec.replica"' in value["message"]
    assert served.request("PUT", f"{APPS}/unknown?fieldValidation=Ignore", item)[0] == 200
    assert served.request("PUT", f"{APPS}/unknown?fieldValidation=Perhaps", item)[0] == 422
    served.request("DELETE", f"{APPS}/unknown")


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata":{"name":"x"},"data":{"a":"\\ud800"}}',
        b'{"metadata":{"name":"x"},"data":{"a":NaN}}',
        b"[" * 5000,
        b'{"metadata":' * 900,
    ],
)
def test_json_that_cannot_be_told_again_is_refused(served: Served, body: bytes) -> None:
    status, value = served.request("POST", MAPS, body)
    assert status == 400
    assert is_status(value, 400, "BadRequest")


_JUNK = (
    None,
    True,
    -1,
    0,
    2**40,
    1.5,
    "",
    "junk",
    "\x00",
    [],
    [None],
    ["a"],
    {},
    {"a": {}},
    {"name": 1},
)
_MADE = (
    ("/apis/apps/v1/namespaces/shop", "deployments"),
    ("/apis/apps/v1/namespaces/shop", "statefulsets"),
    ("/apis/apps/v1/namespaces/monitoring", "daemonsets"),
    ("/apis/batch/v1/namespaces/shop", "jobs"),
    ("/apis/batch/v1/namespaces/shop", "cronjobs"),
    ("/apis/autoscaling/v2/namespaces/shop", "horizontalpodautoscalers"),
    ("/apis/policy/v1/namespaces/shop", "poddisruptionbudgets"),
    ("/apis/networking.k8s.io/v1/namespaces/shop", "ingresses"),
    ("/api/v1/namespaces/shop", "pods"),
    ("/api/v1/namespaces/shop", "services"),
    ("/api/v1/namespaces/shop", "secrets"),
    ("/api/v1/namespaces/shop", "persistentvolumeclaims"),
    ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
)


def _spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in items:
        inner += [(*path, key), *_spots(part, (*path, key))]
    return inner


@pytest.mark.parametrize(("base", "plural"), _MADE, ids=[plural for _, plural in _MADE])
def test_junk_in_any_field_harms_nothing(served: Served, base: str, plural: str) -> None:
    """Whatever is let in, the controllers have to live with: what they log fails this test."""
    chance = random.Random(plural)
    item = served.get(f"{base}/{plural}")["items"][0]
    item = {
        "apiVersion": served.get(f"{base}/{plural}")["apiVersion"],
        "kind": item.get("kind"),
        **item,
    }
    item["metadata"] = {"name": "x", "labels": item["metadata"].get("labels") or {}}
    item.pop("status", None)
    spots = _spots(item)
    for number in range(25):
        bad = json.loads(json.dumps(item))
        bad["metadata"]["name"] = f"junk-{plural[:4]}-{number}"
        *path, last = chance.choice(spots)
        at = bad
        for step in path:
            at = at[step]
        at[last] = chance.choice(_JUNK)
        status, value = served.request("POST", f"{base}/{plural}", bad)
        assert status < 500, (path, last, value)
        if status == 201:
            name = value["metadata"]["name"]
            served.call(served.kube.cluster.tick)
            assert served.request("GET", f"{base}/{plural}/{quote(name)}", Accept=TABLE)[0] == 200
            assert served.request("DELETE", f"{base}/{plural}/{quote(name)}")[0] == 200
    until(lambda: not served.call(lambda: served.kube.cluster.is_busy))


_OLD_SCALERS = "/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers"
_NEW_SCALERS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"


def test_autoscalers_have_two_versions(served: Served) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "media"}
    body = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "old"},
        "spec": {
            "scaleTargetRef": reference,
            "maxReplicas": 4,
            "targetCPUUtilizationPercentage": 70,
        },
    }
    status, made = served.request("POST", _OLD_SCALERS, body)
    assert (status, made["apiVersion"]) == (201, "autoscaling/v1")
    assert made["spec"]["targetCPUUtilizationPercentage"] == 70
    kept = served.get(f"{_NEW_SCALERS}/old")
    assert kept["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}
    kept["spec"]["metrics"].append({"type": "Resource", "resource": memory})
    kept["spec"]["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": 5}}
    assert served.request("PUT", f"{_NEW_SCALERS}/old", kept)[0] == 200
    # What the older version has no fields for comes back as it was.
    old = served.get(f"{_OLD_SCALERS}/old")
    assert "metrics" not in old["spec"]
    old["spec"]["maxReplicas"] = 5
    assert served.request("PUT", f"{_OLD_SCALERS}/old", old)[0] == 200
    patch = {"spec": {"targetCPUUtilizationPercentage": 55}}
    kind = "application/merge-patch+json"
    status, _ = served.request("PATCH", f"{_OLD_SCALERS}/old", patch, Content_Type=kind)
    assert status == 200
    kept = served.get(f"{_NEW_SCALERS}/old")["spec"]
    assert kept["maxReplicas"] == 5
    assert [metric["resource"]["name"] for metric in kept["metrics"]] == ["cpu", "memory"]
    assert kept["metrics"][0]["resource"]["target"]["averageUtilization"] == 55
    assert kept["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 5
    found = served.get(_OLD_SCALERS)
    assert found["apiVersion"] == "autoscaling/v1"
    assert {item["apiVersion"] for item in found["items"]} == {"autoscaling/v1"}
    assert served.request("DELETE", f"{_OLD_SCALERS}/old")[0] == 200
    status, refused = served.request("POST", _OLD_SCALERS, {**body, "spec": "x"})
    assert (status, refused["kind"]) == (422, "Status")


def test_fields_are_told_as_openapi(served: Served) -> None:
    document = served.get("/openapi/v3/apis/apps/v1")
    schemas = document["components"]["schemas"]
    pod = schemas["core.PodSpec"]["properties"]
    assert pod["containers"]["x-kubernetes-patch-merge-key"] == "name"
    named = [
        schema["x-kubernetes-group-version-kind"][0]["kind"]
        for schema in schemas.values()
        if "x-kubernetes-group-version-kind" in schema
    ]
    assert {"Deployment", "StatefulSet", "DaemonSet"} <= set(named)
    text = json.dumps(document)
    for name in set(re.findall(r"#/components/schemas/([\w.]+)", text)):
        assert name in schemas


def test_a_client_that_stays_does_not_hold_up_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TLS waits for a goodbye, but not for long."""
    served = Served(tmp_path)
    tls = ssl.create_default_context(cadata=served.kube.certificate)
    with socket.create_connection(("127.0.0.1", served.tls_port), timeout=30) as raw:
        client = tls.wrap_socket(raw, server_hostname="127.0.0.1", do_handshake_on_connect=True)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1 << 10).startswith(b"HTTP/1.1 200")
        served.close()
        client.close()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
