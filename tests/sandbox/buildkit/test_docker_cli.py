"""The docker CLI, which DockDesk did not write, builds on the sandbox as on a real engine: by /session and /build."""

from __future__ import annotations

import subprocess
import tarfile
import time
from pathlib import Path

from tests.sandbox.buildkit.conftest import Docker, Place

_PLAIN = ("build", "--progress=plain")


def _context(folder: Path, dockerfile: str, **files: str) -> str:
    for name, text in {"Dockerfile": dockerfile, **files}.items():
        place = folder / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return str(folder)


def test_an_image_is_built_run_and_found_again(docker: Docker, tmp_path: Path) -> None:
    text = (
        "FROM alpine:3.21 AS made\nARG WHO=nobody\nWORKDIR /app\nCOPY src ./src\n"
        "RUN echo hello $WHO > who && cat src/a.txt who && ls src | wc -l\n"
        'FROM alpine:3.21\nCOPY --from=made /app /app\nENV A=b\nEXPOSE 80\nCMD ["cat", "/app/who"]\n'
    )
    folder = _context(tmp_path / "c", text, src__a__txt="", src__b="b")
    (tmp_path / "c/src/a.txt").write_text("from the context\n")
    told = docker(*_PLAIN, "-t", "cli:1", "--build-arg", "WHO=Ann", folder)
    assert "from the context" in told
    assert "hello Ann" in told
    assert "naming to docker.io/library/cli:1" in told
    assert docker("run", "--rm", "cli:1", "cat", "/app/who") == "hello Ann\n"
    again = docker(*_PLAIN, "-t", "cli:1", "--build-arg", "WHO=Ann", folder)
    assert again.count("CACHED") == 6, again
    (tmp_path / "c/src/b").write_text("changed")
    changed = docker(*_PLAIN, "-t", "cli:2", "--build-arg", "WHO=Ann", folder)
    assert "hello Ann" in changed, "what comes after a changed file runs again"
    assert "WORKDIR /app\n" in changed
    lines = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", "cli:1").splitlines()
    assert lines[0] == 'CMD ["cat", "/app/who"]'
    assert "COPY --from=made /app /app # buildkit" in lines
    assert docker("image", "inspect", "-f", "{{.Config.Env}}", "cli:1").strip().endswith("A=b]")


def test_a_secret_is_asked_of_the_client(docker: Docker, tmp_path: Path) -> None:
    folder = _context(
        tmp_path / "c",
        "# syntax=docker/dockerfile:1\nFROM alpine:3.21\n"
        "RUN --mount=type=secret,id=token,required tr a-z A-Z < /run/secrets/token\n",
    )
    (tmp_path / "token").write_text("quiet\n")
    told = docker(*_PLAIN, "--secret", f"id=token,src={tmp_path / 'token'}", folder)
    assert "QUIET" in told
    told = docker(*_PLAIN, "--no-cache", folder, fails=True)
    assert "secret token: not found" in told


def test_results_come_back_as_a_folder_and_as_an_archive(docker: Docker, tmp_path: Path) -> None:
    folder = _context(
        tmp_path / "c",
        "FROM alpine:3.21 AS made\nRUN mkdir /o && echo built > /o/it && ln -s it /o/link && chmod 700 /o/it\n"
        "FROM scratch\nCOPY --from=made /o /\n",
    )
    docker(*_PLAIN, "-o", str(tmp_path / "out"), folder)
    assert (tmp_path / "out/it").read_text() == "built\n"
    assert (tmp_path / "out/it").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "out/link").readlink() == Path("it")
    docker(*_PLAIN, "-o", f"type=tar,dest={tmp_path / 'out.tar'}", folder)
    with tarfile.open(tmp_path / "out.tar") as archive:
        assert set(archive.getnames()) == {"it", "link"}


def test_a_context_from_standard_input(docker: Docker, tmp_path: Path) -> None:
    told = docker(*_PLAIN, "-", given=b"FROM alpine:3.21\nRUN echo from the pipe\n")
    assert "from the pipe" in told
    folder = _context(tmp_path / "c", "FROM scratch\nCOPY a /\n", a="a")
    packed = subprocess.run(["tar", "-C", folder, "-c", "."], capture_output=True, check=True)
    assert "COPY a /" in docker(*_PLAIN, "-", given=packed.stdout)
    told = docker(*_PLAIN, "-f", "-", folder, given=b"FROM alpine:3.21\nCOPY a /b\nRUN cat /b\n")
    assert "COPY a /b" in told


def test_failures_are_told_as_buildkit_tells_them(docker: Docker, tmp_path: Path) -> None:
    cases = {
        "FROM alpine:3.21\nRUN echo so far && exit 3\n": "did not complete successfully: exit code: 3",
        "FROM alpine:3.21\nRUN frobnicate\n": "frobnicate: not found",
        "FROM alpine:3.21\nCOPY nothing /\n": '"/nothing": not found',
        "FROM alpine:3.21\nCOPPY a b\n": "dockerfile parse error on line 2: unknown instruction: COPPY",
        "FROM no/such\n": "pull access denied",
        "FROM nginx:does-not-exist\n": "not found",
        "RUN true\n": "no build stage in current context",
    }
    for number, (text, message) in enumerate(cases.items()):
        told = docker(*_PLAIN, _context(tmp_path / str(number), text), fails=True)
        assert message in told, (text, told)


def test_an_ignored_file_is_not_sent(docker: Docker, tmp_path: Path) -> None:
    folder = _context(
        tmp_path / "c", "FROM alpine:3.21\nCOPY . /c\nRUN ls -a /c\n", keep="k", skip__log="s"
    )
    (tmp_path / "c/.dockerignore").write_text("skip\nDockerfile\n")
    told = docker(*_PLAIN, folder)
    listed = [line.split(maxsplit=2)[-1] for line in told.splitlines() if " keep" in line]
    assert listed
    assert "skip" not in "".join(listed)


def test_ctrl_c_stops_the_build(docker: Docker, place: Place, tmp_path: Path) -> None:
    folder = _context(tmp_path / "c", "FROM alpine:3.21\nRUN echo begun && sleep 99999\n")
    command = [docker.program, *_PLAIN, folder]
    environment = {"DOCKER_HOST": docker.host, "DOCKER_BUILDKIT": "1", "HOME": str(tmp_path)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    for line in process.stderr:
        if line.rstrip().endswith("begun"):
            break
    process.kill()
    process.wait(30)
    process.stderr.close()
    until = time.monotonic() + 30
    while _running(place):
        assert time.monotonic() < until, "the build goes on without its client"
        time.sleep(0.05)


def _running(place: Place) -> bool:
    from dockdesk.wire.buildkit import CONTROL, STARTED, BuildHistoryEvent, BuildHistoryRequest
    from dockdesk.wire.protobuf import decode, encode

    client = place.control()
    try:
        request = encode(BuildHistoryRequest(active_only=True, early_exit=True))
        found = [
            decode(BuildHistoryEvent, message)
            for message in client.begin(f"{CONTROL}ListenBuildHistory", request)
        ]
        return any(event.type == STARTED for event in found)
    finally:
        client.close()


def test_the_builder_without_buildkit(docker: Docker, tmp_path: Path) -> None:
    folder = _context(
        tmp_path / "c", "FROM alpine:3.21\nCOPY a /\nRUN cat /a && exit 4\n", a="read\n"
    )
    told = docker("build", folder, fails=True, modern=False)
    assert "Step 3/3 : RUN cat /a" in told
    assert "\nread\n" in told
    assert "returned a non-zero code: 4" in told


def test_plain_names_are_pushed_to_the_hub_and_pulled_again(docker: Docker) -> None:
    docker("tag", "alpine:3.21", "demo/cli:1")
    assert "denied" in docker("push", "demo/cli:1", fails=True)
    assert "incorrect username or password" in docker(
        "login", "-u", "demo", "--password-stdin", given=b"wrong", fails=True
    )
    docker("login", "-u", "demo", "--password-stdin", given=b"demo")
    assert "digest: sha256:" in docker("push", "demo/cli:1")
    docker("rmi", "demo/cli:1")
    assert "Downloaded newer image" in docker("pull", "demo/cli:1")
    assert "denied" in docker("tag", "alpine:3.21", "redis:mine") + docker(
        "push", "redis:mine", fails=True
    )


def test_a_throttled_hub_refuses_pulls_and_builds(docker: Docker, place: Place) -> None:
    place.sandbox.play("throttled")
    try:
        # How many are left depends on what was pulled before; it is at most three.
        told = [docker("pull", "nginx:1.25", fails=None) for _ in range(4)]
        assert "You have reached your unauthenticated pull rate limit" in told[-1]
        told = docker(*_PLAIN, "-", given=b"FROM traefik:v3.1\n", fails=True)
        assert "toomanyrequests" in told
    finally:
        place.sandbox.play("calm")
