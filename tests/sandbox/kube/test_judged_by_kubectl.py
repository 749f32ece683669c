"""kubectl, where it is installed, over TLS: it sends its token over nothing else."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.kube.conftest import Served, deployment

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="needs kubectl")


@pytest.fixture
def kubectl(served: Served, tmp_path: Path) -> Any:
    config = tmp_path / "config"
    config.write_text(served.kube.kubeconfig(served.tls_port))

    def run(*words: str, given: str = "", code: int = 0) -> str:
        assert KUBECTL is not None
        done = subprocess.run(
            [KUBECTL, *words], input=given, capture_output=True, text=True, timeout=60,
            env={**os.environ, "KUBECONFIG": str(config)},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def test_it_reads(kubectl: Any) -> None:
    assert "postgres-0" in kubectl("get", "pods")
    assert kubectl("get", "nodes", "--no-headers").count(" Ready ") == 4
    assert "cpu: " in kubectl("get", "hpa")
    assert "deployment.apps/api-gateway" in kubectl("get", "all")
    assert "Progressing" in kubectl("describe", "deployment", "api-gateway")
    assert "acme/api:2.14.1" in kubectl("rollout", "history", "deployment/api-gateway")
    assert 'Error from server (NotFound): pods "nope" not found' in kubectl(
        "get", "pod", "nope", code=1
    )


def test_it_rolls_out_and_back(kubectl: Any) -> None:
    item = {"apiVersion": "apps/v1", "kind": "Deployment", **deployment("kubectl")}
    assert "created" in kubectl("apply", "-f", "-", given=json.dumps(item))
    kubectl("rollout", "status", "deployment/kubectl", "--timeout=50s")
    kubectl("set", "image", "deployment/kubectl", "main=nginx:1.26-alpine")
    kubectl("scale", "deployment/kubectl", "--replicas=2")
    kubectl("rollout", "status", "deployment/kubectl", "--timeout=50s")
    kubectl("rollout", "undo", "deployment/kubectl")
    kubectl("rollout", "status", "deployment/kubectl", "--timeout=50s")
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deployment", "kubectl", "-o", image) == "nginx:1.27-alpine"
    assert "unchanged" not in kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(item)
    )
    kubectl("delete", "deployment", "kubectl")


def test_it_makes_things_of_its_own(kubectl: Any) -> None:
    """For these it sends protobuf."""
    kubectl(
        "create", "deployment", "made", "--image=nginx:1.27-alpine", "--replicas=2", "--port=80"
    )
    ports = "jsonpath={.spec.template.spec.containers[0].ports}"
    assert json.loads(kubectl("get", "deployment", "made", "-o", ports)) == [
        {"containerPort": 80, "protocol": "TCP"}
    ]
    kubectl("create", "job", "by-hand", "--from=cronjob/sales-report")
    kubectl("wait", "--for=condition=complete", "job/by-hand", "--timeout=50s")
    assert kubectl("auth", "can-i", "delete", "pods") == "yes\n"
    kubectl("delete", "deployment/made", "job/by-hand")


def test_it_looks_into_containers(kubectl: Any, tmp_path: Path) -> None:
    assert kubectl("exec", "redis-0", "--", "hostname") == "redis-0\n"
    assert kubectl("exec", "-i", "redis-0", "--", "sh", given="echo typed\n") == "typed\n"
    assert len(kubectl("logs", "--tail=3", "postgres-0").splitlines()) == 3
    source, back = tmp_path / "note.txt", tmp_path / "back.txt"
    source.write_text("by hand\n")
    kubectl("cp", str(source), "redis-0:/tmp/note.txt")
    kubectl("cp", "redis-0:/tmp/note.txt", str(back))
    assert back.read_text() == "by hand\n"


def test_it_scales_by_itself_and_explains(kubectl: Any) -> None:
    kubectl("autoscale", "deployment/media", "--min=2", "--max=5", "--cpu-percent=50")
    found = json.loads(kubectl("get", "hpa", "media", "-o", "json"))
    assert found["apiVersion"] == "autoscaling/v2"
    assert found["spec"]["maxReplicas"] == 5
    kubectl("delete", "hpa", "media")
    assert "containerPort" in kubectl("explain", "pod.spec.containers.ports")
    assert "ip-10-0-" in kubectl("top", "nodes")


def test_it_merges_lists_and_shows_differences(kubectl: Any) -> None:
    item = {"apiVersion": "apps/v1", "kind": "Deployment", **deployment("merged", replicas=1)}
    containers = item["spec"]["template"]["spec"]["containers"]
    containers[0]["env"] = [{"name": "A", "value": "1"}]
    kubectl("apply", "-f", "-", given=json.dumps(item))
    kubectl("set", "env", "deployment/merged", "B=2")
    containers[0]["env"] = [{"name": "C", "value": "3"}]
    for flags in ((), ("--server-side", "--force-conflicts")):
        kubectl("diff", *flags, "-f", "-", given=json.dumps(item), code=1)
    kubectl("apply", "-f", "-", given=json.dumps(item))
    names = "jsonpath={.spec.template.spec.containers[0].env[*].name}"
    assert set(kubectl("get", "deployment", "merged", "-o", names).split()) == {"B", "C"}
    kubectl("delete", "deployment", "merged")


def test_it_drains_a_node(kubectl: Any) -> None:
    node = kubectl(
        "get", "pod", "alertmanager-0", "-n", "monitoring", "-o", "jsonpath={.spec.nodeName}"
    )
    flags = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=50s")
    kubectl("drain", node, *flags, "--pod-selector=app=alertmanager")
    assert "SchedulingDisabled" in kubectl("get", "node", node)
    kubectl("uncordon", node)


@pytest.mark.parametrize("tunnelled", ["true", "false"])
def test_it_forwards_ports(served: Served, tmp_path: Path, tunnelled: str) -> None:
    """Over SPDY, in a WebSocket and without one."""
    config = tmp_path / "config"
    config.write_text(served.kube.kubeconfig(served.tls_port))
    assert KUBECTL is not None
    forwarding = subprocess.Popen(
        [KUBECTL, "port-forward", "deployment/cart", ":9000"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "KUBECONFIG": str(config), "KUBECTL_PORT_FORWARD_WEBSOCKETS": tunnelled},
    )  # fmt: skip
    try:
        assert forwarding.stdout is not None
        line = forwarding.stdout.readline()
        port = int(line.partition(" -> ")[0].rpartition(":")[2])
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/where")
            answer = json.loads(connection.getresponse().read())
            connection.close()
            assert (answer["service"], answer["path"]) == ("cart", "/where")
    finally:
        forwarding.terminate()
        forwarding.communicate(timeout=30)
