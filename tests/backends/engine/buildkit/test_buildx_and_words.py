"""buildx by a stand-in for docker's command, and what failures are said to mean."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from pathlib import Path

import pytest

from dockdesk.backends.engine.buildkit.buildx import (
    BuildxBuild,
    builders_from_json,
    builders_from_table,
    list_builders,
)
from dockdesk.backends.engine.buildkit.classic_text import TextSteps
from dockdesk.backends.engine.buildkit.failures import Failures, located
from dockdesk.backends.engine.buildkit.lint import warnings_from
from dockdesk.backends.engine.buildkit.request import cache_entries, frontend_attrs, full_name
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.core.builds.command import build_command
from dockdesk.core.errors import BuildError, CancelledError, InvalidInputError, NotSupportedError
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildOutput,
    BuildSecret,
    BuildSpec,
    BuildStep,
)
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.syntax import parse
from dockdesk.wire.buildkit import Detail, RpcStatus
from dockdesk.wire.protobuf import encode
from tests.backends.engine.works import RecordingWork

ENGINE = endpoint("test", "unix:///run/nowhere.sock", "a test")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the place of docker; write what it does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder / "docker"


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def spec(tmp_path: Path, **options: object) -> BuildSpec:
    return BuildSpec(tmp_path, **{"text": "FROM x\nRUN y\n", "builder": "b", **options})  # type: ignore[arg-type]


def test_what_buildx_tells(command: Path, tmp_path: Path) -> None:
    line = json.dumps(
        {
            "vertexes": [
                {"digest": "sha256:1", "name": "[1/2] FROM x", "cached": True},
                {"digest": "sha256:2", "name": "[2/2] RUN y", "inputs": ["sha256:1"],
                 "started": "2024-05-01T12:00:00.5Z", "completed": "2024-05-01T12:00:01.75Z"},
            ],
            "logs": [{"vertex": "sha256:2", "stream": 2, "data": base64.b64encode(b"out\n").decode(),
                      "timestamp": "2024-05-01T12:00:01Z"}],
            "warnings": [{"vertex": "sha256:1", "level": 1, "short": base64.b64encode(b"Rule: x").decode(),
                          "range": [{"start": {"line": 3}, "end": {"line": 4}}]}],
        }
    )  # fmt: skip
    script(
        command,
        f'cat > {tmp_path}/stdin; echo "$@" > {tmp_path}/args; echo not json >&2\n'
        f"cat >&2 <<'END'\n{line}\nEND\n"
        "while [ $# -gt 0 ]; do [ $1 = --metadata-file ] && "
        'echo \'{"containerimage.digest": "sha256:m", "containerimage.config.digest": "sha256:c"}\' > $2; shift; done',
    )
    told: list[BuildItem] = []
    result = BuildxBuild(ENGINE, spec(tmp_path), told.extend, SilentWork()).run()
    assert (result.method, result.image, result.digest) == ("buildx", "sha256:c", "sha256:m")
    assert (tmp_path / "stdin").read_text() == "FROM x\nRUN y\n"
    assert "--progress=rawjson --builder b" in (tmp_path / "args").read_text()
    step = told[1]
    assert isinstance(step, BuildStep)
    assert step.inputs == ("sha256:1",)
    assert step.started is not None
    assert step.completed is not None
    assert step.completed - step.started == 1.25
    log = told[2]
    assert isinstance(log, BuildLog)
    assert (log.data, log.stream) == (b"out\n", 2)
    assert told[3].lines == ((3, 4),)  # type: ignore[union-attr]


def test_buildx_fails(command: Path, tmp_path: Path) -> None:
    vertex = {"digest": "sha256:2", "name": "[2/2] RUN y", "error": "process did not complete"}
    script(
        command,
        f"cat > /dev/null; echo '{json.dumps({'vertexes': [vertex]})}' >&2\n"
        "echo 'ERROR: failed to solve: process \"/bin/sh -c y\" did not complete: exit code: 7' >&2\nexit 1",
    )
    with pytest.raises(BuildError) as caught:
        BuildxBuild(ENGINE, spec(tmp_path), lambda _: None, SilentWork()).run()
    assert (caught.value.step, caught.value.line) == ("sha256:2", 2)
    assert "7" in caught.value.title
    assert not caught.value.detail.startswith("ERROR")
    script(command, "echo 'unknown flag: --metadata-file' >&2; exit 125")
    with pytest.raises(NotSupportedError, match="unknown flag"):
        BuildxBuild(ENGINE, spec(tmp_path), lambda _: None, SilentWork()).run()


def test_a_cancel_ends_buildx(command: Path, tmp_path: Path) -> None:
    script(command, "exec sleep 1000")
    work = RecordingWork()
    timer = threading.Timer(0.3, work.cancel)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(CancelledError):
        BuildxBuild(ENGINE, spec(tmp_path), lambda _: None, work).run()
    assert time.monotonic() - begun < 60
    timer.join()


def test_a_command_spells_no_secret_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    made = build_command(
        BuildSpec(
            tmp_path, dockerfile="web.docker", tags=("a:1", "b"), target="t", args=(("A", "x y"),),
            secrets=(BuildSecret("t", variable="TOKEN"), BuildSecret("f", "/etc/s"), BuildSecret("TOKEN")),
            ssh=("default",), platforms=("linux/amd64", "linux/arm64"), no_cache=True, pull=True,
            outputs=(BuildOutput("push"), BuildOutput("oci", "/tmp/x.tar"), BuildOutput("none")), shm_size=9,
        )
    )  # fmt: skip
    assert "hunter2" not in " ".join(made)
    pairs = set(itertools.pairwise(made))
    for pair in [
        ("--secret", "id=t,env=TOKEN"), ("--secret", "id=f,src=/etc/s"), ("--secret", "id=TOKEN,env=TOKEN"),
        ("--build-arg", "A=x y"), ("--tag", "a:1"), ("--tag", "b"), ("--platform", "linux/amd64,linux/arm64"),
        ("--file", str(tmp_path / "web.docker")), ("--output", "type=oci,dest=/tmp/x.tar"),
        ("--output", "type=cacheonly"), ("--shm-size", "9"), ("--ssh", "default"),
    ]:  # fmt: skip
        assert pair in pairs, pair
    assert {"--push", "--no-cache", "--pull"} <= set(made)
    assert made[-2:] == ["--", str(tmp_path)]


TABLE = """\
NAME/NODE     DRIVER/ENDPOINT             STATUS  BUILDKIT PLATFORMS
farm *        docker-container
  farm0       unix:///var/run/docker.sock running v0.12.0  linux/amd64*, linux/arm64
  farm1       ssh://far                   stopped
default       docker
  default     default                     running 20.10.24 linux/amd64
"""


def test_builders(command: Path) -> None:
    (farm,) = builders_from_table(TABLE)
    assert (farm.name, farm.driver, farm.status, farm.current) == (
        "farm", "docker-container", "running", True,
    )  # fmt: skip
    assert farm.platforms == ("linux/amd64", "linux/arm64")
    line = json.dumps(
        {"Name": "k", "Driver": "kubernetes", "Current": False,
         "Nodes": [{"Status": "inactive", "Platforms": ["linux/s390x"]}, {"Err": "no such pod"}]}
    )  # fmt: skip
    (kube,) = builders_from_json(f"{line}\n{line}\n")
    assert (kube.driver, kube.status, kube.error) == ("kubernetes", "inactive", "no such pod")
    script(command, "echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1")
    assert list_builders(ENGINE) == []
    script(
        command,
        f"case \"$*\" in *format*) echo 'unknown flag: --format' >&2; exit 125;; esac\ncat <<'END'\n{TABLE}END",
    )
    assert [builder.name for builder in list_builders(ENGINE)] == ["farm"]


# --- Words ---


def test_an_error_is_located_by_its_details() -> None:
    source = {
        "info": {"filename": "Dockerfile"},
        "ranges": [{"start": {"line": 7}, "end": {"line": 8}}],
    }
    kind = "github.com/moby/buildkit/errdefs."
    status = RpcStatus(2, "x", (
        Detail("github.com/moby/buildkit/stack.Stack+json", b"{}"),
        Detail(f"{kind}Vertex+json", b'{"digest":"sha256:9"}'),
        Detail(f"{kind}Source+json", json.dumps(source).encode()),
    ))  # fmt: skip
    assert located(encode(status)) == ("sha256:9", 7)
    assert located(b"") == ("", 0)
    assert located(b"\xff\xff") == ("", 0)
    broken = RpcStatus(
        2, "x", (Detail(f"{kind}Source+json", b"[1]"), Detail(f"{kind}Vertex", b"\0"))
    )
    assert located(encode(broken)) == ("", 0)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (
            'failed to solve: failed to compute cache key: "/x" not found: not found',
            ".dockerignore",
        ),
        ("write /x: no space left on device", "disk is full"),
        ("pull access denied, repository does not exist", "docker login"),
        ("dial tcp: lookup r.example: no such host", "network"),
        ("secret t: not found", "secret"),
        ("process did not complete successfully: exit code: 137", "memory"),
    ],
)
def test_hints(message: str, hint: str) -> None:
    assert hint in Failures().explained(message, "FROM x\n").hint


def test_a_cancelled_step_is_not_the_one_at_fault() -> None:
    failures = Failures()
    failures.take([
        BuildStep("a", "[1/2] RUN a", error="context canceled"),
        BuildStep("b", "[2/2] RUN  b", error="exit code: 1"),
    ])  # fmt: skip
    error = failures.explained("exit code: 1", "FROM x\nRUN a\nRUN b\n")
    assert (error.step, error.line) == ("b", 3)


def test_the_attributes_of_a_frontend(tmp_path: Path) -> None:
    made = BuildSpec(
        tmp_path, target="t", args=(("A", "1"),), labels=(("l", "v"),), platforms=("linux/a", "linux/b"),
        no_cache_stages=("x", "y"), pull=True, add_hosts=("h:1.2.3.4", "six=[::1]"),
        cache_from=("r.example/c:1", "type=gha,scope=main"), network="host",
    )  # fmt: skip
    attrs = frontend_attrs(made, "web")
    assert json.loads(attrs.pop("cache-imports")) == [
        {"Type": "registry", "Attrs": {"ref": "r.example/c:1"}}, {"Type": "gha", "Attrs": {"scope": "main"}},
    ]  # fmt: skip
    assert attrs == {
        "filename": "web", "target": "t", "build-arg:A": "1", "label:l": "v", "platform": "linux/a,linux/b",
        "no-cache": "x,y", "image-resolve-mode": "pull", "force-network-mode": "host",
        "add-hosts": "h=1.2.3.4,six=::1", "cache-from": "r.example/c:1",
    }  # fmt: skip
    for wrong in ("ref=x", "type=registry"):
        with pytest.raises(InvalidInputError):
            cache_entries([wrong])
    assert full_name("web") == "docker.io/library/web:latest"
    assert full_name("127.0.0.1:5000/a/b:2") == "127.0.0.1:5000/a/b:2"


def test_what_checks_say() -> None:
    found = warnings_from(json.dumps({
        "warnings": [
            {"ruleName": "B", "detail": "later", "location": {"ranges": [{"start": {"line": 9}, "end": {"line": 9}}]}},
            {"ruleName": "A", "description": "why", "detail": "here", "url": "https://x",
             "location": {"sourceIndex": 0, "ranges": [{"start": {"line": 2}, "end": {"line": 3}}]}},
        ],
        "sources": [{"filename": "Dockerfile"}],
        "buildError": {"message": "broken", "location": {"sourceIndex": -1}},
    }).encode())  # fmt: skip
    assert [item.short for item in found] == ["broken", "A: here", "B: later"]
    assert found[1].lines == ((2, 3),)
    assert (found[1].detail, found[1].url, found[1].file) == (("why",), "https://x", "Dockerfile")


@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_classic_text_cut_anywhere(cut: int) -> None:
    text = (
        "Step 1/3 : FROM busybox\n ---> 0123456789ab\nStep 2/3 : RUN echo - hi\n ---> Running in aabbccddeeff\n"
        "Step by step\n - hi\nRemoving intermediate container aabbccddeeff\n ---> ffeeddccbbaa\n"
        "Step 3/3 : CMD x\n ---> Using cache\n ---> 112233445566\nSuccessfully built 112233445566\n"
    )
    steps = TextSteps(parse("FROM busybox\n\nRUN echo - hi\nCMD x\n"))
    items: list[BuildItem] = []
    for start in range(0, len(text), cut):
        items += steps.take({"stream": text[start : start + cut]})
    items += steps.end()
    last = {item.digest: item for item in items if isinstance(item, BuildStep)}
    assert [(step.name, step.cached) for step in last.values()] == [
        ("[1/3] FROM busybox", False), ("[2/3] RUN echo - hi", False), ("[3/3] CMD x", True),
    ]  # fmt: skip
    logs = b"".join(item.data for item in items if isinstance(item, BuildLog))
    assert logs == b"Step by step\n - hi\n"
    assert steps.image == "112233445566"
    assert [steps.line(digest) for digest in last] == [1, 3, 4]
