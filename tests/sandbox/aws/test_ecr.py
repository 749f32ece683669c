"""ECR's registry: what docker pushes is in the API and runs as a task; what the API tells of can be pulled."""

from __future__ import annotations

import base64
import gc
import http.client
import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import docker
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    sandbox = Sandbox(["--speed", "60"])
    yield dict(sandbox.variables(SilentWork()))
    sandbox.stop()


@pytest.fixture
def clients(variables: dict[str, str]) -> Iterator[Any]:
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    made: list[Any] = []

    def client(service: str) -> Any:
        settings = Config(read_timeout=60)
        made.append(
            session.client(service, endpoint_url=variables["AWS_ENDPOINT_URL"], config=settings)
        )
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """The docker SDK's generators leave their sockets to the garbage collector, which warns of each."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _login(ecr: Any) -> tuple[str, str, str]:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return user, password, data["proxyEndpoint"]


def _get(address: str, path: str, login: tuple[str, str] | None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(address, timeout=30)
    headers = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_what_is_pushed_is_what_a_task_runs(variables: dict[str, str], clients: Any) -> None:
    ecr, ecs = clients("ecr"), clients("ecs")
    repository = ecr.create_repository(repositoryName="mine/app")["repository"]
    user, password, endpoint = _login(ecr)
    assert endpoint == "http://" + repository["repositoryUri"].partition("/")[0]
    engine = docker.DockerClient(base_url=variables["DOCKER_HOST"], version="auto", timeout=60)
    try:
        engine.images.get("acme/api:2.14.1").tag(repository["repositoryUri"], "v1")
        lines = list(
            engine.api.push(
                repository["repositoryUri"],
                "v1",
                stream=True,
                decode=True,
                auth_config={"username": user, "password": password},
            )
        )
    finally:
        engine.close()
    assert not [line for line in lines if "error" in line], lines
    (image,) = ecr.describe_images(repositoryName="mine/app")["imageDetails"]
    assert image["imageTags"] == ["v1"]
    assert any(image["imageDigest"] in json.dumps(line) for line in lines)
    ecs.register_task_definition(
        family="mine",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": f"{repository['repositoryUri']}:v1"}],
    )
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    run = ecs.run_task(
        cluster="shop-prod",
        taskDefinition="mine",
        launchType="FARGATE",
        networkConfiguration=network,
    )
    arn = run["tasks"][0]["taskArn"]
    end = time.monotonic() + 60
    while True:
        (task,) = ecs.describe_tasks(cluster="shop-prod", tasks=[arn])["tasks"]
        if task["lastStatus"] in {"RUNNING", "STOPPED"}:
            break
        assert time.monotonic() < end, task
        time.sleep(0.05)
    assert task["containers"][0]["imageDigest"] == image["imageDigest"]
    ecr.batch_delete_image(repositoryName="mine/app", imageIds=[{"imageTag": "v1"}])
    assert ecr.describe_images(repositoryName="mine/app")["imageDetails"] == []
    assert (
        _get(
            repository["repositoryUri"].partition("/")[0],
            "/v2/mine/app/manifests/v1",
            (user, password),
        )[0]
        == 404
    )
    ecr.delete_repository(repositoryName="mine/app")


def test_what_the_api_tells_of_can_be_pulled(clients: Any) -> None:
    ecr = clients("ecr")
    user, password, endpoint = _login(ecr)
    address = endpoint.removeprefix("http://")
    (image,) = ecr.describe_images(repositoryName="shop/web", imageIds=[{"imageTag": "2.14.1"}])[
        "imageDetails"
    ]
    status, body = _get(address, "/v2/shop/web/manifests/2.14.1", (user, password))
    assert status == 200
    told = ecr.batch_get_image(repositoryName="shop/web", imageIds=[{"imageTag": "2.14.1"}])[
        "images"
    ][0]
    assert body.decode() == told["imageManifest"]
    assert told["imageId"]["imageDigest"] == image["imageDigest"]
    for part in (json.loads(body)["config"], *json.loads(body)["layers"]):
        status, blob = _get(address, f"/v2/shop/web/blobs/{part['digest']}", (user, password))
        assert (status, len(blob)) == (200, part["size"])
    (again,) = ecr.describe_images(repositoryName="shop/web", imageIds=[{"imageTag": "2.14.1"}])[
        "imageDetails"
    ]
    assert again["lastRecordedPullTime"] >= image["imagePushedAt"]


def test_a_manifest_can_be_tagged_again_through_the_api(clients: Any) -> None:
    ecr = clients("ecr")
    user, password, endpoint = _login(ecr)
    told = ecr.batch_get_image(repositoryName="shop/cart", imageIds=[{"imageTag": "2.14.1"}])[
        "images"
    ][0]
    ecr.put_image(
        repositoryName="shop/cart", imageManifest=told["imageManifest"], imageTag="stable"
    )
    status, body = _get(
        endpoint.removeprefix("http://"), "/v2/shop/cart/manifests/stable", (user, password)
    )
    assert (status, body.decode()) == (200, told["imageManifest"])
    with pytest.raises(ClientError) as caught:
        ecr.put_image(
            repositoryName="shop/cart", imageManifest=told["imageManifest"], imageTag="stable"
        )
    assert caught.value.response["Error"]["Code"] == "ImageAlreadyExistsException"
    other = told["imageManifest"].replace('"digest": "sha256:', '"digest": "sha256:0', 1)[:-1]
    with pytest.raises(ClientError):
        ecr.put_image(repositoryName="shop/cart", imageManifest=other, imageTag="broken")
    missing = json.loads(told["imageManifest"])
    missing["layers"][0]["digest"] = "sha256:" + "0" * 64
    with pytest.raises(ClientError) as caught:
        ecr.put_image(
            repositoryName="shop/cart", imageManifest=json.dumps(missing), imageTag="broken"
        )
    assert caught.value.response["Error"]["Code"] == "LayersNotFoundException"


def test_only_the_token_opens_it(clients: Any) -> None:
    user, password, endpoint = _login(clients("ecr"))
    address = endpoint.removeprefix("http://")
    assert _get(address, "/v2/", (user, password))[0] == 200
    assert _get(address, "/v2/", None)[0] == 401
    assert _get(address, "/v2/", (user, "guess"))[0] == 401
    assert _get(address, "/v2/", ("root", password))[0] == 401
    status, body = _get(address, "/v2/no/such/tags/list", (user, password))
    assert status == 404
    assert "does not exist in the registry with id" in body.decode()
