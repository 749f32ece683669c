"""One world: what docker builds and pushes is what a deployment then runs."""

from __future__ import annotations

import base64
import http.client
import io
import json
import ssl
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import docker
import pytest

from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox
from tests.sandbox.kube.conftest import deployment


class World:
    """A sandbox, whose time runs fast, with a client for its engine and one for its cluster."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(["--speed", "60"])
        self.variables = self.sandbox.variables(SilentWork())
        config = json.loads(Path(self.variables["KUBECONFIG"]).read_text())
        cluster = config["clusters"][0]["cluster"]
        self.host = urlsplit(cluster["server"]).netloc
        self.token = config["users"][0]["user"]["token"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=authority)
        self.docker: Any = docker.DockerClient(
            base_url=self.variables["DOCKER_HOST"], version="auto", timeout=60
        )
        self.registry = self.variables["DOCKDESK_SANDBOX_REGISTRY"]

    def close(self) -> None:
        self.docker.close()
        self.sandbox.stop()

    def kube(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPSConnection(self.host, timeout=60, context=self.tls)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            text = connection.getresponse().read()
        finally:
            connection.close()
        try:
            return json.loads(text)
        except ValueError:
            return text.decode()

    def deploy(self, name: str, image: str, **container: Any) -> None:
        item = deployment(name, image, 1, **container)
        made = self.kube("POST", "/apis/apps/v1/namespaces/shop/deployments", item)
        assert made["kind"] == "Deployment", made

    def status(self, app: str) -> dict[str, Any]:
        """The status of the container of the pod of an app."""
        found = self.kube("GET", f"/api/v1/namespaces/shop/pods?labelSelector=app%3D{app}")
        for pod in found["items"]:
            status = (pod["status"].get("containerStatuses") or [{}])[0]
            return {**status, "pod": pod["metadata"]["name"]}
        return {}

    def until(self, app: str, test: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        end = time.monotonic() + 60
        while not test(found := self.status(app)):
            assert time.monotonic() < end, found
            time.sleep(0.1)
        return found

    def build(self, name: str, dockerfile: str, **files: str) -> Any:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, text in {"Dockerfile": dockerfile, **files}.items():
                info = tarfile.TarInfo(path)
                info.size, info.mode = len(text.encode()), 0o755
                archive.addfile(info, io.BytesIO(text.encode()))
        buffer.seek(0)
        image, _ = self.docker.images.build(
            fileobj=buffer, custom_context=True, tag=f"{self.registry}/{name}"
        )
        return image

    def push(self, name: str) -> str:
        """Push to the sandbox's registry; returns the digest."""
        login = {"username": "demo", "password": "demo"}
        repository, _, tag = f"{self.registry}/{name}".rpartition(":")
        for line in self.docker.images.push(
            repository, tag=tag, auth_config=login, stream=True, decode=True
        ):
            assert "error" not in line, line
            if digest := (line.get("aux") or {}).get("Digest"):
                return str(digest)
        raise AssertionError("nothing was pushed")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()
    with warnings.catch_warnings():
        # The SDK leaves the sockets of its streams to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)


def _reason(status: dict[str, Any]) -> str:
    return str(((status.get("state") or {}).get("waiting") or {}).get("reason", ""))


_GOOD = """FROM alpine:3.21
ENV GREETING=hello
EXPOSE 7000
WORKDIR /srv
COPY note.txt /srv/note.txt
CMD ["sh", "-c", "echo started by its own command; sleep 100000"]
"""


def test_a_deployment_runs_what_was_pushed(world: World) -> None:
    world.build("team/good:1", _GOOD, **{"note.txt": "from the build\n"})
    digest = world.push("team/good:1")
    # The node pulls it: what the engine has of it does not matter.
    world.docker.images.remove(f"{world.registry}/team/good:1", force=True)
    world.deploy("good", f"{world.registry}/team/good:1", imagePullPolicy="Always")
    status = world.until("good", lambda status: status.get("ready"))
    assert status["imageID"] == f"{world.registry}/team/good@{digest}"
    log = world.kube("GET", f"/api/v1/namespaces/shop/pods/{status['pod']}/log")
    assert log.splitlines()[0] == "started by its own command"


def test_what_the_engine_built_needs_no_push(world: World) -> None:
    image = world.build("team/local:1", _GOOD, **{"note.txt": "local\n"})
    world.deploy("local", f"{world.registry}/team/local:1", imagePullPolicy="IfNotPresent")
    status = world.until("local", lambda status: status.get("ready"))
    assert status["imageID"].endswith(image.id)
    world.deploy("pulled", f"{world.registry}/team/local:1", imagePullPolicy="Always")
    world.until("pulled", lambda status: _reason(status) == "ImagePullBackOff")


def test_an_image_that_is_nowhere_is_not_pulled(world: World) -> None:
    world.deploy("nowhere", f"{world.registry}/team/nowhere:1")
    world.until("nowhere", lambda status: _reason(status) in {"ErrImagePull", "ImagePullBackOff"})
    world.until("nowhere", lambda status: _reason(status) == "ImagePullBackOff")
    world.deploy("never", f"{world.registry}/team/nowhere:1", imagePullPolicy="Never")
    world.until("never", lambda status: _reason(status) == "ErrImageNeverPull")


@pytest.mark.parametrize(
    ("name", "dockerfile", "code"),
    [
        ("ends", 'FROM alpine:3.21\nCMD ["sh", "-c", "echo no; exit 3"]\n', 3),
        ("fated", "FROM nginx:1.27-alpine\nLABEL dockdesk.sandbox.fate=crashes\n", 1),
        ("empty", 'FROM scratch\nCOPY Dockerfile /\nCMD ["/app"]\n', 128),
    ],
)
def test_a_bad_image_crashes_again_and_again(
    world: World, name: str, dockerfile: str, code: int
) -> None:
    world.build(f"team/{name}:1", dockerfile)
    world.push(f"team/{name}:1")
    world.deploy(name, f"{world.registry}/team/{name}:1")
    status = world.until(name, lambda status: _reason(status) == "CrashLoopBackOff")
    assert status["lastState"]["terminated"]["exitCode"] == code
    assert status["restartCount"] >= 1


def test_an_unhealthy_image_is_never_ready(world: World) -> None:
    world.build("team/sick:1", "FROM nginx:1.27-alpine\nHEALTHCHECK CMD exit 1\n")
    world.push("team/sick:1")
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2}
    world.deploy("sick", f"{world.registry}/team/sick:1", livenessProbe=probe, readinessProbe=probe)
    status = world.until("sick", lambda status: status.get("restartCount"))
    assert not status["ready"]


def test_an_immutable_tag_of_ecr_stays_where_it_is(world: World) -> None:
    session = boto3.Session(
        aws_access_key_id=world.variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=world.variables["AWS_SECRET_ACCESS_KEY"],
        region_name=world.variables["AWS_REGION"],
    )
    ecr: Any = session.client("ecr", endpoint_url=world.variables["AWS_ENDPOINT_URL"])
    try:
        made = ecr.create_repository(repositoryName="fixed", imageTagMutability="IMMUTABLE")
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    finally:
        ecr.close()
    user, _, password = base64.b64decode(token).decode().partition(":")
    name = made["repository"]["repositoryUri"]
    for number in (1, 2):
        world.build("team/fixed:1", f"FROM alpine:3.21\nLABEL number={number}\n").tag(name, "1")
        lines = world.docker.images.push(
            name, tag="1", auth_config={"username": user, "password": password},
            stream=True, decode=True,
        )  # fmt: skip
        errors = [line["error"] for line in lines if "error" in line]
        assert bool(errors) == (number == 2), errors
        assert all("immutable" in text for text in errors)
    world.deploy("fixed", f"{name}:1", command=["sh", "-c", "sleep 1000"])
    world.until("fixed", lambda status: status.get("ready"))
