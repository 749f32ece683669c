"""The workloads that the simulated cluster starts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class App:
    """A workload of the beginning. ``images`` are its revisions with their age in days, the oldest first."""

    name: str
    images: tuple[tuple[str, float], ...]
    replicas: int = 1
    kind: str = "Deployment"
    namespace: str = "shop"
    cpu: str = "100m"
    memory: str = "128Mi"
    limit: str = "256Mi"
    cpu_limit: str = ""
    port: int = 0
    rate: float = 0.0
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[str, ...] = ()
    storage: str = ""
    probe: str = ""
    tier: str = "backend"


APPS: tuple[App, ...] = (
    App("coredns", (("registry.k8s.io/coredns/coredns:v1.11.3", 90),), 2, namespace="kube-system", port=53, limit="170Mi", memory="70Mi"),
    App("kube-proxy", (("registry.k8s.io/kube-proxy:v1.32.4", 90),), kind="DaemonSet", namespace="kube-system", memory="64Mi"),
    App("ebs-csi-node", (("amazon/aws-ebs-csi-driver:v1.41.0", 60),), kind="DaemonSet", namespace="kube-system", cpu="10m", memory="40Mi"),
    App("metrics-server", (("registry.k8s.io/metrics-server/metrics-server:v0.7.2", 60),), namespace="kube-system", port=443, memory="200Mi", limit="400Mi"),
    App("ingress-nginx-controller", (("registry.k8s.io/ingress-nginx/controller:v1.12.1", 45),), 2, namespace="kube-system", port=80, rate=400, memory="90Mi", limit="512Mi"),
    App("prometheus", (("prom/prometheus:v2.53.3", 40),), kind="StatefulSet", namespace="monitoring", port=9090, cpu="250m", memory="400Mi", limit="2Gi", storage="50Gi"),
    App("alertmanager", (("quay.io/prometheus/alertmanager:v0.28.1", 40),), kind="StatefulSet", namespace="monitoring", port=9093, cpu="20m", memory="64Mi", storage="2Gi"),
    App("grafana", (("grafana/grafana:11.3.1", 40), ("grafana/grafana:11.4.0", 9)), namespace="monitoring", port=3000, memory="200Mi", limit="512Mi"),
    App("kube-state-metrics", (("registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0", 40),), namespace="monitoring", port=8080, cpu="20m"),
    App("node-exporter", (("quay.io/prometheus/node-exporter:v1.9.0", 40),), kind="DaemonSet", namespace="monitoring", port=9100, cpu="20m", memory="32Mi", limit="64Mi"),
    App("postgres", (("postgres:16", 70),), kind="StatefulSet", port=5432, cpu="500m", memory="512Mi", limit="2Gi", storage="100Gi", rate=60, env_from=("postgres-credentials",), tier="data"),
    App("redis", (("redis:7-alpine", 70),), kind="StatefulSet", port=6379, memory="64Mi", storage="8Gi", rate=200, tier="data"),
    App("web-frontend", (("nginx:1.26-alpine", 50), ("nginx:1.27-alpine", 12)), 4, port=80, cpu="50m", memory="64Mi", limit="128Mi", rate=400, probe="/", tier="frontend"),
    App(
        "api-gateway", (("acme/api:2.13.0", 20), ("acme/api:2.14.0", 6), ("acme/api:2.14.1", 1.1)), 3, port=9000,
        cpu="200m", memory="192Mi", limit="512Mi", cpu_limit="1", rate=75, probe="/healthz", env={"LOG_LEVEL": "info"},
        env_from=("shop-config", "api-token"),
    ),
    App("cart", (("acme/cart:1.8.2", 15),), 2, port=9000, memory="160Mi", rate=25, probe="/healthz", env_from=("shop-config",)),
    App("catalog", (("acme/catalog:3.2.0", 30), ("acme/catalog:3.3.0", 4)), 2, port=9000, memory="160Mi", rate=40, probe="/healthz", env_from=("shop-config",)),
    App("checkout", (("acme/checkout:2.1.5", 8),), 2, port=9000, memory="200Mi", limit="384Mi", rate=9, probe="/healthz", env_from=("shop-config",)),
    App("worker", (("acme/worker:2.14.0", 6), ("acme/worker:2.14.1", 1.1)), 3, cpu="500m", memory="300Mi", limit="512Mi", rate=50, env={"QUEUE": "redis://redis/0"}),
    App("mail-dev", (("mailhog/mailhog:v1.0.1", 33),), port=8025, cpu="10m", memory="32Mi", limit="64Mi"),
    App("media", (("acme/media:0.7.1", 25),), 2, port=9000, memory="256Mi", limit="512Mi", rate=12, probe="/healthz"),
    App("recommender", (("acme/recommender:1.4.0", 18), ("acme/recommender:missing-1.5.0", 0.02)), 2, port=9000, memory="384Mi", limit="768Mi", rate=10, probe="/healthz"),
)  # fmt: skip


def pod_of(app: App, image: str) -> dict[str, Any]:
    resources: dict[str, Any] = {
        "requests": {"cpu": app.cpu, "memory": app.memory},
        "limits": {"memory": app.limit},
    }
    if app.cpu_limit:
        resources["limits"]["cpu"] = app.cpu_limit
    container: dict[str, Any] = {"name": app.name, "image": image, "resources": resources}
    if app.port:
        container["ports"] = [{"name": "http", "containerPort": app.port}]
    if app.env:
        container["env"] = [{"name": key, "value": value} for key, value in app.env.items()]
    if app.env_from:
        container["envFrom"] = [
            {"configMapRef" if name.endswith("-config") else "secretRef": {"name": name}}
            for name in app.env_from
        ]
    if app.probe:
        check = {
            "httpGet": {"path": app.probe, "port": app.port, "scheme": "HTTP"},
            "periodSeconds": 10,
        }
        container["readinessProbe"] = {**check, "initialDelaySeconds": 2}
        container["livenessProbe"] = {**check, "initialDelaySeconds": 10}
    pod: dict[str, Any] = {"containers": [container]}
    if app.kind == "DaemonSet":
        pod["tolerations"] = [{"operator": "Exists"}]
        pod["hostNetwork"] = True
    if app.storage:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return pod
