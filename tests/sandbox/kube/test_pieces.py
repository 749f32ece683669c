"""Selectors, schedules, quantities, patches and field ownership, by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.kube import managed, protobuf
from dockdesk.sandbox.kube.cron import Schedule
from dockdesk.sandbox.kube.images import behaviour_of
from dockdesk.sandbox.kube.kinds import Kinds
from dockdesk.sandbox.kube.objects import quantity, share, template_hash
from dockdesk.sandbox.kube.patching import json_patch, merge_patch, strategic_patch
from dockdesk.sandbox.kube.selectors import of_object, parse_fields, parse_labels, written
from dockdesk.sandbox.kube.status import KubeError
from dockdesk.sandbox.kube.stores import Stores
from dockdesk.sandbox.kube.tables import age_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", 0.25),
        ("2", 2),
        ("1Gi", 2**30),
        ("1.5k", 1500),
        ("1e3", 1000),
        ("12345n", 1.2345e-5),
        ("0.1", 0.1),
    ],
)
def test_quantities(text: str, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "1X", "Gi", "1 Gi", "--1"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ("a=1,b!=2", {"a": "1"}, True),
        ("a==1", {"a": "2"}, False),
        ("a in (1, 2),c", {"a": "2", "c": ""}, True),
        ("a notin (1,2)", {"a": "2"}, False),
        ("a notin (1,2)", {}, True),
        ("!a", {"a": ""}, False),
        ("app.kubernetes.io/name=x", {"app.kubernetes.io/name": "x"}, True),
        ("", {}, True),
    ],
)
def test_label_selectors(text: str, labels: dict[str, str], fits: bool) -> None:
    assert parse_labels(text)(labels) is fits


@pytest.mark.parametrize("text", ["a=b=c", "a in 1", "in (1)x", "a>3 4", "@"])
def test_bad_label_selectors_are_refused(text: str) -> None:
    with pytest.raises(KubeError):
        parse_labels(text)


def test_selectors_in_objects_and_as_text_mean_the_same() -> None:
    selector = {
        "matchLabels": {"a": "1"},
        "matchExpressions": [
            {"key": "b", "operator": "In", "values": ["x", "y"]},
            {"key": "c", "operator": "DoesNotExist"},
        ],
    }
    for labels in ({"a": "1", "b": "x"}, {"a": "1", "b": "z"}, {"a": "1", "b": "y", "c": ""}, {}):
        assert of_object(selector)(labels) is parse_labels(written(selector))(labels)


def test_field_selectors() -> None:
    pods = Kinds().of("", "Pod")
    pod = {"metadata": {"name": "x"}, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}}
    assert parse_fields(pods, "spec.nodeName=n,status.phase!=Failed")(pod)
    assert not parse_fields(pods, "metadata.name=y")(pod)
    with pytest.raises(KubeError, match="field label not supported"):
        parse_fields(pods, "spec.containers=1")


@pytest.mark.parametrize(
    ("schedule", "since", "fires"),
    [
        ("*/15 * * * *", "2026-01-07 12:01", "2026-01-07 12:15"),
        ("15 2 * * *", "2026-01-07 12:01", "2026-01-08 02:15"),
        ("0 4 * * sun", "2026-01-07 12:01", "2026-01-11 04:00"),
        ("0 0 29 2 *", "2026-01-07 12:01", "2028-02-29 00:00"),
        ("0 0 1,15 * 5", "2026-01-07 12:01", "2026-01-09 00:00"),
        ("30 9-17/4 * jan-mar 1-5", "2026-01-07 13:31", "2026-01-07 17:30"),
        ("@hourly", "2026-01-07 12:00", "2026-01-07 13:00"),
        ("0 0 * * 7", "2026-01-07 12:00", "2026-01-11 00:00"),
    ],
)
def test_schedules(schedule: str, since: str, fires: str) -> None:
    def seconds(text: str) -> float:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()

    assert Schedule(schedule).after(seconds(since)) == seconds(fires)
    # The last firing up to a moment is the one that follows nothing later.
    last = Schedule(schedule).latest(0.0, seconds(fires) + 1)
    assert last == seconds(fires)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "61 * * * *", "*/0 * * * *", "a * * * *", "5-1 * * * *"]
)
def test_bad_schedules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Schedule(text)


def test_shares_round_as_rollouts_need() -> None:
    assert (share("25%", 3, True), share("25%", 3, False), share(2, 3, True)) == (1, 0, 2)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "5s"),
        (119, "119s"),
        (125, "2m5s"),
        (3600, "60m"),
        (7 * 3600 + 60, "7h1m"),
        (86400, "24h"),
        (3 * 86400 + 7200, "3d2h"),
        (90 * 86400, "90d"),
    ],
)
def test_ages_are_written_as_kubectl_does(seconds: int, text: str) -> None:
    assert age_of("2026-01-01T00:00:00Z", 1767225600.0 + seconds) == text


def test_strategic_merges_lists_by_identity() -> None:
    old = {
        "containers": [
            {"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]},
            {"name": "b"},
        ],
        "args": ["x"],
        "finalizers": ["k"],
    }
    patch = {
        "containers": [
            {"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]},
            {"name": "b", "$patch": "delete"},
        ],
        "args": ["y"],
        "finalizers": ["m"],
    }
    assert strategic_patch(old, patch) == {
        "containers": [
            {
                "name": "a",
                "image": "2",
                "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
            }
        ],
        "args": ["y"],
        "finalizers": ["k", "m"],
    }
    assert strategic_patch({"a": {"b": 1, "c": 2}}, {"a": {"$patch": "replace", "d": 3}}) == {
        "a": {"d": 3}
    }
    assert strategic_patch(
        {"s": {"type": "A", "a": 1}}, {"s": {"$retainKeys": ["type"], "type": "B"}}
    ) == {"s": {"type": "B"}}
    assert strategic_patch(
        {"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}
    ) == {"finalizers": ["b"]}
    assert strategic_patch({"a": 1, "b": 2}, {"a": None}) == {"b": 2}


def test_json_patches() -> None:
    old = {"a": [1, 2], "b": {"x/y": 1}}
    patch = [
        {"op": "test", "path": "/a/0", "value": 1},
        {"op": "add", "path": "/a/-", "value": 3},
        {"op": "replace", "path": "/b/x~1y", "value": 2},
        {"op": "copy", "from": "/a/0", "path": "/c"},
        {"op": "move", "from": "/b", "path": "/d"},
        {"op": "remove", "path": "/a/1"},
    ]
    assert json_patch(old, patch) == {"a": [1, 3], "c": 1, "d": {"x/y": 2}}
    assert old == {"a": [1, 2], "b": {"x/y": 1}}
    for bad in (
        [{"op": "remove", "path": "/nope"}],
        [{"op": "test", "path": "/a/0", "value": 9}],
        [{"op": "add", "path": "a"}],
    ):
        with pytest.raises(KubeError) as raised:
            json_patch(old, bad)
        assert raised.value.status == 422
    with pytest.raises(KubeError) as raised:
        json_patch(old, {"op": "add"})
    assert raised.value.status == 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(_JSON, _JSON)
def test_a_merge_patch_gives_what_it_says(target: Any, patch: Any) -> None:
    result = merge_patch(target, patch)
    assert merge_patch(result, patch) == result
    if isinstance(patch, dict):
        for name, value in patch.items():
            assert (name not in result) if value is None else (name in result)


def _config(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}


def test_appliers_conflict_over_values_not_over_agreement() -> None:
    one = managed.applied(None, _config(replicas=2, paused=False), "one", False, 0.0)
    agreed = managed.applied(one, _config(replicas=2), "two", False, 1.0)
    assert [entry["manager"] for entry in agreed["metadata"]["managedFields"]] == ["one", "two"]
    with pytest.raises(KubeError) as raised:
        managed.applied(one, _config(replicas=3), "two", False, 1.0)
    assert raised.value.status == 409
    assert raised.value.details["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": ".spec.replicas",
        }
    ]
    forced = managed.applied(one, _config(replicas=3), "two", True, 1.0)
    assert forced["spec"]["replicas"] == 3
    assert managed.applied(forced, _config(replicas=4), "two", False, 2.0)["spec"]["replicas"] == 4


def test_what_an_applier_gives_up_goes_unless_others_own_it() -> None:
    ports = [{"containerPort": 80, "protocol": "TCP", "name": "http"}]
    one = managed.applied(
        None,
        _config(
            containers=[{"name": "a", "image": "1", "ports": ports}, {"name": "b", "image": "2"}],
            replicas=2,
        ),
        "one",
        False,
        0.0,
    )
    both = managed.applied(one, _config(replicas=2), "two", False, 0.0)
    after = managed.applied(
        both, _config(containers=[{"name": "a", "image": "1"}]), "one", False, 1.0
    )
    assert after["spec"] == {"containers": [{"name": "a", "image": "1"}], "replicas": 2}


def test_an_update_takes_fields_over() -> None:
    one = managed.applied(None, _config(replicas=2, paused=False), "one", False, 0.0)
    scaled = managed.updated(
        one, {**one, "spec": {"replicas": 5, "paused": False}}, "kubectl", 1.0, "scale"
    )
    with pytest.raises(
        KubeError,
        match=r'conflict with "kubectl" with subresource "scale" using v1: \.spec\.replicas',
    ):
        managed.applied(scaled, _config(replicas=2, paused=False), "one", False, 2.0)
    assert managed.applied(scaled, _config(paused=False), "one", False, 2.0)["spec"] == {
        "replicas": 5,
        "paused": False,
    }


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=2),
        st.integers()
        | st.lists(
            st.fixed_dictionaries({"name": st.text("xyz", min_size=1)}),
            unique_by=lambda item: item["name"],
            max_size=3,
        ),
        max_size=4,
    )
)
def test_owned_fields_survive_being_written(spec: dict[str, Any]) -> None:
    paths = set(managed.leaves(_config(**spec)))
    assert set(managed.read(managed.written(paths))) >= {path for path in paths if path[-1] != "."}


def test_template_hashes_depend_on_the_template_alone() -> None:
    assert (
        template_hash({"a": 1, "b": 2})
        == template_hash({"b": 2, "a": 1})
        != template_hash({"a": 1, "b": 3})
    )


@pytest.mark.parametrize(
    ("container", "runs_for", "code"),
    [
        ({"image": "alpine:3.21", "command": ["sh", "-c", "echo hi; sleep 3; exit 4"]}, 3.1, 4),
        ({"image": "alpine:3.21", "command": ["sleep", "infinity"]}, 0, 0),
        (
            {
                "image": "alpine:3.21",
                "command": ["sh", "-c", "while true; do echo x; sleep 1; done"],
            },
            0,
            0,
        ),
        ({"image": "alpine:3.21", "args": ["false"]}, 0.1, 1),
        ({"image": "nginx:1.27-alpine"}, 0, 0),
        ({"image": "nginx:1.27-crash"}, 2.0, 1),
    ],
)
def test_commands_do_what_they_say(container: dict[str, Any], runs_for: float, code: int) -> None:
    found = behaviour_of(container, Stores())
    assert found is not None
    assert (found.program.runs_for, found.program.exit_code) == (pytest.approx(runs_for), code)


def test_images_that_no_registry_has() -> None:
    assert behaviour_of({"image": "my/own:1"}, Stores()) is None
    assert behaviour_of({"image": "nginx:missing"}, Stores()) is None
    assert behaviour_of({"image": "registry.example.com:5000/nginx:1.27"}, Stores()) is not None


def _field(number: int, value: bytes | str | int) -> bytes:
    """One field of a protobuf message, as another implementation would write it."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def test_protobuf_bodies_are_read() -> None:
    label = _field(11, _field(1, "app") + _field(2, "x"))
    meta = (
        _field(1, "web") + _field(2, "") + label + _field(8, b"")
    )  # an empty text and a zero time: not set
    port = _field(1, "http") + _field(2, 0) + _field(3, 80)
    container = _field(1, "main") + _field(2, "nginx:1") + _field(6, port)
    template = _field(2, _field(2, container))
    spec = _field(1, 0) + _field(3, template) + _field(5, 0) + _field(7, 0)
    body = (
        _field(1, _field(1, "apps/v1") + _field(2, "Deployment"))
        + b"\x12"
        + bytes([len(_field(1, meta) + _field(2, spec))])
        + _field(1, meta)
        + _field(2, spec)
    )
    assert protobuf.decoded(b"k8s\0" + body) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "x"}},
        "spec": {
            "replicas": 0,
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "main",
                            "image": "nginx:1",
                            "ports": [{"name": "http", "containerPort": 80}],
                        }
                    ]
                }
            },
        },
    }


def test_protobuf_of_special_types() -> None:
    named = _field(1, _field(1, "policy/v1") + _field(2, "PodDisruptionBudget"))
    spec = _field(1, _field(1, 1) + _field(3, "50%"))
    assert protobuf.decoded(b"k8s\0" + named + _field(2, _field(2, spec)))["spec"] == {
        "minAvailable": "50%"
    }
    named = _field(1, _field(1, "v1") + _field(2, "Secret"))
    assert protobuf.decoded(
        b"k8s\0" + named + _field(2, _field(2, _field(1, "k") + _field(2, "q")))
    )["data"] == {"k": "cQ=="}


@given(st.binary(max_size=60))
def test_broken_protobuf_is_refused_and_nothing_more(data: bytes) -> None:
    named = _field(1, _field(1, "apps/v1") + _field(2, "Deployment"))
    for body in (
        data,
        b"k8s\0" + data,
        b"k8s\0" + named + _field(2, data),
        b"k8s\0" + named + _field(2, _field(1, data)),
    ):
        try:
            assert isinstance(protobuf.decoded(body), dict)
        except KubeError as error:
            assert error.status in {400, 415}  # noqa: PT017
