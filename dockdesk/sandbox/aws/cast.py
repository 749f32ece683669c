"""The services that the simulated AWS begins with, as data."""

from __future__ import annotations

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Spec:
    """One service. ``rate`` in requests a second, ``percent`` its CPU at that rate; ``scaled`` (min, max, target)."""

    cluster: str
    name: str
    count: int
    rate: float
    percent: float = 45.0
    cpu: int = 512
    memory: int = 1024
    launch: str = "FARGATE"
    image: str = ""
    tag: str = "2.14.1"
    style: str = "api"
    balanced: bool = False
    breaker: bool = True
    scaled: tuple[int, int, float] | None = None
    kind: str = "cpu"
    revisions: int = 6
    port: int = 8080
    env: tuple[tuple[str, str], ...] = (("LOG_LEVEL", "info"),)
    latency: float = 0.05
    check: bool = False
    swing: float = 0.5
    age_days: float = 40.0


SPECS = (
    Spec(
        "shop-prod",
        "web",
        6,
        420,
        cpu=512,
        balanced=True,
        scaled=(4, 24, 60),
        style="access",
        latency=0.03,
    ),
    Spec(
        "shop-prod",
        "api",
        8,
        380,
        cpu=1024,
        memory=2048,
        balanced=True,
        scaled=(4, 32, 55),
        revisions=14,
        latency=0.06,
    ),
    Spec(
        "shop-prod",
        "checkout",
        4,
        60,
        cpu=1024,
        memory=2048,
        balanced=True,
        scaled=(3, 16, 50),
        check=True,
        latency=0.12,
    ),
    Spec(
        "shop-prod", "catalog", 4, 210, balanced=True, scaled=(3, 12, 60), check=True, latency=0.04
    ),
    Spec(
        "shop-prod",
        "search",
        3,
        140,
        cpu=2048,
        memory=4096,
        balanced=True,
        scaled=(2, 10, 65),
        latency=0.09,
    ),
    Spec(
        "shop-prod",
        "recommendations",
        3,
        90,
        70,
        cpu=1024,
        memory=4096,
        launch="FARGATE_SPOT",
        scaled=(2, 8, 70),
        kind="step",
    ),
    Spec("shop-prod", "cart", 3, 110, balanced=True, scaled=(2, 9, 60), kind="requests"),
    Spec("shop-prod", "payments", 3, 35, 30, balanced=True, check=True, latency=0.2, swing=0.4),
    Spec(
        "shop-prod", "mailer", 2, 12, 25, cpu=256, memory=512, launch="FARGATE_SPOT", style="worker"
    ),
    Spec(
        "shop-prod",
        "image-resizer",
        2,
        40,
        60,
        cpu=1024,
        launch="FARGATE_SPOT",
        style="worker",
        scaled=(1, 10, 70),
        kind="scheduled",
    ),
    Spec("shop-prod", "inventory", 2, 75, 40, balanced=True, check=True),
    Spec("shop-prod", "reviews", 2, 48, 35, cpu=256, memory=512, balanced=True, revisions=9),
    Spec(
        "shop-staging",
        "web",
        1,
        6,
        20,
        cpu=256,
        memory=512,
        launch="FARGATE_SPOT",
        balanced=True,
        tag="2.15.0",
        style="access",
    ),
    Spec(
        "shop-staging",
        "api",
        1,
        5,
        20,
        cpu=512,
        launch="FARGATE_SPOT",
        balanced=True,
        tag="2.15.0",
        revisions=22,
    ),
    Spec(
        "shop-staging",
        "checkout",
        1,
        2,
        10,
        cpu=256,
        memory=512,
        launch="FARGATE_SPOT",
        tag="2.15.0",
        breaker=False,
    ),
    Spec(
        "shop-staging",
        "worker",
        1,
        4,
        30,
        cpu=256,
        memory=512,
        launch="FARGATE_SPOT",
        tag="2.15.0",
        style="worker",
    ),
    Spec(
        "platform",
        "gateway",
        4,
        260,
        40,
        cpu=512,
        memory=512,
        launch="EC2",
        balanced=True,
        scaled=(3, 10, 60),
        image="traefik:v3.2",
        style="access",
        port=80,
    ),
    Spec(
        "platform",
        "auth",
        3,
        120,
        40,
        cpu=512,
        memory=1024,
        launch="EC2",
        balanced=True,
        check=True,
    ),
    Spec(
        "platform",
        "orders-worker",
        4,
        80,
        55,
        cpu=512,
        memory=1024,
        launch="EC2",
        style="worker",
        scaled=(2, 12, 60),
    ),
    Spec("platform", "events", 3, 150, 50, cpu=512, memory=1024, launch="EC2", style="worker"),
    Spec("platform", "notifier", 2, 30, 30, cpu=256, memory=512, launch="EC2", style="worker"),
    Spec(
        "platform",
        "reports",
        1,
        3,
        35,
        cpu=1024,
        memory=3072,
        launch="EC2",
        style="batch",
        breaker=False,
    ),
    Spec(
        "platform",
        "log-router",
        4,
        60,
        15,
        cpu=128,
        memory=256,
        launch="DAEMON",
        image="public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.4",
        style="worker",
    ),
    Spec(
        "platform",
        "prometheus",
        1,
        5,
        30,
        cpu=1024,
        memory=2048,
        launch="EC2",
        image="prom/prometheus:v2.53.3",
        style="prometheus",
        port=9090,
    ),
)
