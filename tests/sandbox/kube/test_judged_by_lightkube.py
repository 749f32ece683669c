"""lightkube, which knows nothing of DockDesk, uses the cluster as it would a real one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lightkube import ApiError, Client, KubeConfig
from lightkube.config.kubeconfig import SingleConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment, StatefulSet
from lightkube.resources.autoscaling_v2 import HorizontalPodAutoscaler
from lightkube.resources.core_v1 import ConfigMap, Event, Namespace, Node, Pod, Service
from lightkube.types import CascadeType, PatchType

from tests.sandbox.kube.conftest import Served


def _config(served: Served, token: str = "") -> SingleConfig:
    import json

    config = KubeConfig.from_dict(
        json.loads(served.kube.kubeconfig(f"http://127.0.0.1:{served.port}", token))
    )
    found = config.get()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[Any]:
    made = Client(config=_config(served), field_manager="tests", trust_env=False)
    yield made
    made.close()


def _deployment(name: str, image: str = "nginx:1.27-alpine", replicas: int = 2) -> Deployment:
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels={"app": name}),
        spec=PodSpec(containers=[Container(name="web", image=image)]),
    )
    spec = DeploymentSpec(LabelSelector(matchLabels={"app": name}), template, replicas=replicas)
    return Deployment(metadata=ObjectMeta(name=name, namespace="shop"), spec=spec)


def test_what_is_there_is_read(client: Any) -> None:
    assert len(list(client.list(Node))) == 4
    assert {"shop", "monitoring", "kube-system"} <= {
        item.metadata.name for item in client.list(Namespace)
    }
    pods = list(client.list(Pod, namespace="*", chunk_size=10))
    assert len(pods) >= 40
    assert len({pod.metadata.uid for pod in pods}) == len(pods)
    postgres = client.get(StatefulSet, "postgres", namespace="shop")
    assert postgres.status.readyReplicas == 1
    assert [
        pod.metadata.name for pod in client.list(Pod, namespace="shop", labels={"app": "postgres"})
    ] == ["postgres-0"]
    assert (
        client.get(HorizontalPodAutoscaler, "api-gateway", namespace="shop").spec.maxReplicas == 10
    )
    assert client.get(Service, "web-frontend", namespace="shop").spec.clusterIP
    assert list(client.list(Event, namespace="shop"))
    monitors = create_namespaced_resource(
        "monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"
    )
    assert len(list(client.list(monitors, namespace="shop"))) == 2


def test_a_deployment_lives(client: Any) -> None:
    client.create(_deployment("lives"))
    client.wait(Deployment, "lives", for_conditions=["Available"], namespace="shop")
    patch = {
        "spec": {
            "template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.26-alpine"}]}}
        }
    }
    changed = client.patch(
        Deployment, "lives", patch, namespace="shop", patch_type=PatchType.STRATEGIC
    )
    assert changed.metadata.generation == 2
    scale = client.get(Deployment.Scale, "lives", namespace="shop")
    scale.spec.replicas = 3
    assert client.replace(scale, "lives").spec.replicas == 3
    for _, found in client.watch(
        Deployment, namespace="shop", fields={"metadata.name": "lives"}, server_timeout=60
    ):
        status = found.status
        if (
            status.observedGeneration == 3
            and status.updatedReplicas == status.availableReplicas == status.replicas == 3
        ):
            break
    images = {
        pod.spec.containers[0].image
        for pod in client.list(Pod, namespace="shop", labels={"app": "lives"})
        if not pod.metadata.deletionTimestamp
    }
    assert images == {"nginx:1.26-alpine"}
    client.delete(Deployment, "lives", namespace="shop", cascade=CascadeType.FOREGROUND)
    for word, _ in client.watch(
        Deployment, namespace="shop", fields={"metadata.name": "lives"}, server_timeout=60
    ):
        if word == "DELETED":
            break
    assert list(client.list(Pod, namespace="shop", labels={"app": "lives"})) == []


def test_server_side_apply_tells_of_conflicts(client: Any) -> None:
    client.apply(
        ConfigMap(
            metadata=ObjectMeta(name="ours", namespace="shop"),
            data={"a": "1"},
            apiVersion="v1",
            kind="ConfigMap",
        )
    )
    other = ConfigMap(
        metadata=ObjectMeta(name="ours", namespace="shop"),
        data={"a": "2"},
        apiVersion="v1",
        kind="ConfigMap",
    )
    with pytest.raises(ApiError) as raised:
        client.apply(other, field_manager="others")
    assert raised.value.status.code == 409
    assert raised.value.status.details is not None
    assert client.apply(other, field_manager="others", force=True).data == {"a": "2"}


def test_logs_and_programs(client: Any) -> None:
    lines = list(client.log("postgres-0", namespace="shop", tail_lines=5))
    assert len(lines) == 5
    followed = client.log("postgres-0", namespace="shop", follow=True, tail_lines=1)
    assert next(iter(followed))
    followed.close()
    result = client.exec("postgres-0", namespace="shop", command=["echo", "hello"], stdout=True)
    assert result.stdout.strip() == "hello"


def test_a_viewer_is_told_what_is_forbidden(served: Served) -> None:
    viewer = Client(config=_config(served, "viewer"), trust_env=False)
    assert list(viewer.list(Pod, namespace="shop"))
    with pytest.raises(ApiError) as raised:
        viewer.delete(Pod, "postgres-0", namespace="shop")
    assert raised.value.status.code == 403
    viewer.close()
