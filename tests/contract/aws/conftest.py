"""The sandbox's AWS and its judges behind one face, so that one test holds for each.

Where a judge is known to be wrong, or has not got what a test is about, the test says so by ``lacks``: it must fail
there, so that no such remark outlives its reason. The sandbox lacks nothing: where it differs, it is wrong.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from dockdesk.sandbox.aws.values import ACCOUNT, REGION
from tests.judges import Judge, ministack, moto
from tests.sandbox.aws.conftest import World

__all__ = ["ministack", "moto"]

_numbers = itertools.count(1)
_WAIT_SECONDS = 30.0
_IN_VAIN_SECONDS = 0.3


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lacks(moto, ministack): why the test fails on that judge")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kind = getattr(item, "callspec", None) and item.callspec.params.get("cloud")  # type: ignore[attr-defined]
        for mark in item.iter_markers("lacks"):
            if kind in mark.kwargs:
                item.add_marker(pytest.mark.xfail(reason=mark.kwargs[kind], strict=True))


def lacks(**reasons: str) -> pytest.MarkDecorator:
    """``lacks(moto="why", ministack="why")``: the test fails there, and the fault is the judge's."""
    return pytest.mark.lacks(**reasons)


def moment(seconds: float) -> datetime:
    """As clients take times."""
    return datetime.fromtimestamp(seconds, UTC)


class Cloud:
    """One simulation of AWS. Clients are kept, since each costs a tenth of a second to make."""

    def __init__(self, kind: str, world: World | None, url: str) -> None:
        self.kind = kind
        self._world = world
        self._url = url
        self.patience = _WAIT_SECONDS
        self._clients: dict[str, Any] = {}
        # Both judges take a key for an account of its own where it is twelve digits, or for any other.
        self._session = boto3.Session(
            aws_access_key_id=ACCOUNT, aws_secret_access_key="x", region_name=REGION
        )

    def client(self, service: str) -> Any:
        if service not in self._clients:
            if self._world is not None:
                made = self._world.client(service)
            else:
                settings = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
                made = self._session.client(service, endpoint_url=self._url, config=settings)
            self._clients[service] = made
            # Its many models are left out of the collection after each test, which they would make slow.
            gc.collect()
            gc.freeze()
        return self._clients[service]

    @property
    def now(self) -> float:
        return self._world.now if self._world is not None else time.time()

    def time(self, back: float = 0.0) -> datetime:
        """So many seconds ago."""
        return moment(self.now - back)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """What ``condition`` returns once it is true. In the sandbox it is time that passes, not the test's."""
        if self._world is not None:
            return self._world.until(condition, 90)
        end = time.monotonic() + self.patience
        while not (found := condition()):
            assert time.monotonic() < end, f"not in time: {what}"
            time.sleep(0.05)
        return found

    def name(self, prefix: str = "ddc") -> str:
        """A name that nothing has yet."""
        return f"{prefix}-{next(_numbers)}"

    def close(self) -> None:
        for made in self._clients.values():
            made.close()


@contextlib.contextmanager
def refused(*codes: str) -> Iterator[None]:
    """What is done inside is answered with an error of one of these codes."""
    with pytest.raises(ClientError) as caught:
        yield
    assert caught.value.response["Error"]["Code"] in codes, caught.value


def _of(judge: Judge) -> Iterator[Cloud]:
    made = Cloud(judge.kind, None, judge.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def _on_sandbox() -> Iterator[Cloud]:
    world = World()
    yield Cloud("sandbox", world, world.url)
    world.close()


@pytest.fixture(scope="session")
def _on_moto(moto: Judge) -> Iterator[Cloud]:
    yield from _of(moto)


@pytest.fixture(scope="session")
def _on_ministack(ministack: Judge) -> Iterator[Cloud]:
    yield from _of(ministack)


@pytest.fixture(params=["sandbox", "moto", "ministack"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    made: Cloud = request.getfixturevalue(f"_on_{request.param}")
    expected = request.node.get_closest_marker("xfail") is not None
    made.patience = _IN_VAIN_SECONDS if expected else _WAIT_SECONDS
    return made


@pytest.fixture
def ecs(cloud: Cloud) -> Any:
    return cloud.client("ecs")


@pytest.fixture
def ecr(cloud: Cloud) -> Any:
    return cloud.client("ecr")


@pytest.fixture
def cloudwatch(cloud: Cloud) -> Any:
    return cloud.client("cloudwatch")


@pytest.fixture
def logs(cloud: Cloud) -> Any:
    return cloud.client("logs")


@pytest.fixture
def eks(cloud: Cloud) -> Any:
    return cloud.client("eks")


@pytest.fixture
def scaling(cloud: Cloud) -> Any:
    return cloud.client("application-autoscaling")


@pytest.fixture
def cluster(cloud: Cloud, ecs: Any) -> str:
    """A new, empty cluster."""
    name = cloud.name("cluster")
    ecs.create_cluster(clusterName=name)
    return name


@pytest.fixture
def family(cloud: Cloud, ecs: Any) -> str:
    """A task definition for EC2 or Fargate, at its first revision."""
    name = cloud.name("family")
    ecs.register_task_definition(**fargate(name))
    return name


def fargate(family: str, **more: Any) -> dict[str, Any]:
    """What registers a task definition that Fargate takes."""
    container = {
        "name": "web",
        "image": "nginx:1.27-alpine",
        "essential": True,
        "memory": 512,
        "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
    }
    return {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [container],
        **more,
    }


@pytest.fixture
def network(cloud: Cloud) -> dict[str, Any]:
    """A network configuration of subnets and a security group that are there."""
    ec2 = cloud.client("ec2")
    subnets = ec2.describe_subnets()["Subnets"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]
    return {
        "awsvpcConfiguration": {
            "subnets": [item["SubnetId"] for item in subnets[:2]],
            "securityGroups": [group["GroupId"]],
            "assignPublicIp": "DISABLED",
        }
    }


@pytest.fixture
def service(cloud: Cloud, ecs: Any, cluster: str, family: str, network: dict[str, Any]) -> str:
    """A service of two tasks on Fargate, in ``cluster``."""
    name = cloud.name("service")
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=family,
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    return name
