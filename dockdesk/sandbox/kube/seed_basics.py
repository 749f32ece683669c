"""What every cluster has, and what the shop's administrators set up in this one."""

from __future__ import annotations

import base64
from collections.abc import Callable

from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.objects import Object, number_of, rfc3339, uuid_of

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
_VERSION = "v1.32.4-eks-5f5e8a2"

# make(kind, group, item): prepare an object and store it.
Make = Callable[[str, str, Object], Object]


def basics(cluster: Cluster, make: Make, nodes: int) -> None:
    """Namespaces, nodes, storage classes, configuration and a custom resource."""
    for name in (
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "shop",
        "monitoring",
    ):
        labels = {"team": "shop"} if name == "shop" else {}
        make("Namespace", "", {"metadata": {"name": name, "labels": labels}})
    for number in range(nodes):
        make_node(cluster, number)
    for name, default in (("gp3", True), ("gp2", False)):
        make("StorageClass", "storage.k8s.io", {
            "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": str(default).lower()}},
            "provisioner": "ebs.csi.aws.com", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True, "parameters": {"type": name},
        })  # fmt: skip
    make(
        "IngressClass",
        "networking.k8s.io",
        {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}},
    )
    service = {
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}],
        "clusterIP": "10.100.0.1",
    }
    make(
        "Service",
        "",
        {"metadata": {"name": "kubernetes", "namespace": "default"}, "spec": service},
    )
    for name, data in (
        ("postgres-credentials", {"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "s3cret"}),
        ("api-token", {"API_TOKEN": "abc123"}),
    ):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        make(
            "Secret",
            "",
            {
                "metadata": {"name": name, "namespace": "shop"},
                "type": "Opaque",
                "data": encoded,
            },
        )
    config = {
        "DATABASE_HOST": "postgres.shop.svc",
        "CACHE_URL": "redis://redis/1",
        "CURRENCY": "EUR",
        "features.json": '{"recommendations": true, "express_checkout": false}\n',
    }
    make(
        "ConfigMap",
        "",
        {"metadata": {"name": "shop-config", "namespace": "shop"}, "data": config},
    )
    rules = {
        "alerts.yml": "groups:\n  - name: shop\n    rules:\n      - alert: HighLatency\n        expr: latency_p95 > 0.5\n"
    }
    make(
        "ConfigMap",
        "",
        {"metadata": {"name": "prometheus-rules", "namespace": "monitoring"}, "data": rules},
    )
    _custom(make)


def make_node(cluster: Cluster, number: int) -> None:
    """A worker; its name, zone and address follow from its number."""
    zone = ZONES[number % 3]
    draw = number_of(cluster.seed, "node", number)
    name = (
        f"ip-10-0-{number % 3 + 1}-{10 + number // 3 * 4 + draw % 4}.eu-central-1.compute.internal"
    )
    room = {
        "cpu": "3920m",
        "memory": "15076Mi",
        "pods": "110",
        "ephemeral-storage": "76224326324",
    }
    conditions = [
        {"type": kind, "status": "True" if kind == "Ready" else "False", "reason": reason, "message": text,
         "lastHeartbeatTime": rfc3339(cluster.now()), "lastTransitionTime": rfc3339(cluster.now())}
        for kind, reason, text in (
            ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "KubeletReady", "kubelet is posting ready status"),
        )
    ]  # fmt: skip
    node: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
                "node.kubernetes.io/instance-type": "m6i.xlarge", "topology.kubernetes.io/region": ZONES[0][:-1],
                "topology.kubernetes.io/zone": zone, "eks.amazonaws.com/nodegroup": "shop-workers",
                "eks.amazonaws.com/capacityType": "SPOT" if number == 3 else "ON_DEMAND",
            },
        },
        "spec": {"providerID": f"aws:///{zone}/i-{draw:016x}0"},
        "status": {
            "capacity": {**room, "cpu": "4", "memory": "15896Mi"},
            "allocatable": room,
            "conditions": conditions,
            "addresses": [
                {"type": "InternalIP", "address": name.partition(".")[0].removeprefix("ip-").replace("-", ".")},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": f"{draw:032x}", "systemUUID": uuid_of("node", draw), "bootID": uuid_of("boot", draw),
                "kernelVersion": "6.6.0-sandbox", "osImage": "Amazon Linux 2023 (simulated)", "architecture": "amd64",
                "containerRuntimeVersion": "containerd://1.7.27", "kubeletVersion": _VERSION,
                "kubeProxyVersion": _VERSION, "operatingSystem": "linux",
            },
        },
    }  # fmt: skip
    cluster.store.add(cluster.kind("Node"), node)


def _custom(make: Make) -> None:
    """A custom resource, as an operator brings it."""
    columns = [
        {"name": "Interval", "type": "string", "jsonPath": ".spec.interval"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": schema,
        "additionalPrinterColumns": columns,
    }
    names = {
        "kind": "ServiceMonitor",
        "plural": "servicemonitors",
        "singular": "servicemonitor",
        "shortNames": ["smon"],
    }
    spec = {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": names,
        "versions": [version],
    }
    make(
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        {"metadata": {"name": "servicemonitors.monitoring.coreos.com"}, "spec": spec},
    )
    for name in ("api-gateway", "web-frontend"):
        monitor = {
            "interval": "30s",
            "selector": {"matchLabels": {"app": name}},
            "endpoints": [{"port": "http"}],
        }
        make(
            "ServiceMonitor",
            "monitoring.coreos.com",
            {"metadata": {"name": name, "namespace": "shop"}, "spec": monitor},
        )


def policies(cluster: Cluster, make: Make) -> None:
    """Autoscalers, disruption budgets and the way in."""
    for name, least, most, target in (
        ("api-gateway", 2, 10, 60),
        ("web-frontend", 3, 12, 60),
        ("worker", 2, 8, 80),
    ):
        metric = {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": target},
            },
        }
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        spec = {
            "scaleTargetRef": reference,
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [metric],
        }
        make(
            "HorizontalPodAutoscaler",
            "autoscaling",
            {"metadata": {"name": name, "namespace": "shop"}, "spec": spec},
        )
    for name, rule in (
        ("api-gateway", {"minAvailable": 2}),
        ("postgres", {"maxUnavailable": 0}),
        ("web-frontend", {"maxUnavailable": "25%"}),
    ):
        make(
            "PodDisruptionBudget",
            "policy",
            {
                "metadata": {"name": name, "namespace": "shop"},
                "spec": {"selector": {"matchLabels": {"app": name}}, **rule},
            },
        )
    paths = [
        (path, name, port)
        for path, name, port in (("/api", "api-gateway", 9000), ("/", "web-frontend", 80))
    ]
    backends = [
        {
            "path": path,
            "pathType": "Prefix",
            "backend": {"service": {"name": name, "port": {"number": port}}},
        }
        for path, name, port in paths
    ]
    ingress = make(
        "Ingress",
        "networking.k8s.io",
        {
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {
                "ingressClassName": "nginx",
                "rules": [{"host": "shop.example.com", "http": {"paths": backends}}],
                "tls": [{"hosts": ["shop.example.com"], "secretName": "shop-tls"}],
            },
        },
    )
    entry = {"hostname": "k8s-shop-0f3a.elb.eu-central-1.amazonaws.example"}
    cluster.store.set_status(
        cluster.kind("Ingress", "networking.k8s.io"),
        ingress,
        {"loadBalancer": {"ingress": [entry]}},
    )
