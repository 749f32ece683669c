"""The whole command, and engines that answer, refuse or do not exist."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.doctor import command, engines, main
from dockdesk.doctor.checks import Surroundings, run_checks
from dockdesk.doctor.report import Finding, Status

VERSION = {
    "Platform": {"Name": "Docker Engine - Community"},
    "Version": "28.2.2",
    "ApiVersion": "1.45",
    "MinAPIVersion": "1.24",
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """A socket that answers every request as GET /version; returns its DOCKER_HOST."""
    path = f"/tmp/ddt-{os.getpid()}-{threading.get_ident() % 9999}.sock"
    body = json.dumps(VERSION).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                while peer.recv(65536):
                    peer.sendall(head.encode() + body)

    thread = threading.Thread(target=serve, name="fixture-engine")
    thread.start()
    yield f"unix://{path}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(10)
    Path(path).unlink()


def around(home: Path, **env: str) -> Surroundings:
    return Surroundings({"PATH": str(home), "XDG_RUNTIME_DIR": str(home), **env}, home)


def found(where: Surroundings) -> dict[str, Finding]:
    return {finding.name: finding for finding in run_checks(engines.checks(where))}


def context(home: Path, name: str, host: str) -> None:
    folder = home / ".docker" / "contexts" / "meta" / name
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(meta))


def test_an_engine_tells_its_version(engine: str, tmp_path: Path) -> None:
    default = found(around(tmp_path, DOCKER_HOST=engine))["default"]
    assert default.status is Status.OK
    assert "28.2.2, API 1.45" in default.detail
    assert default.data["address"] == engine
    assert default.data["current"] is True


def test_contexts_are_asked_each_on_its_own(engine: str, tmp_path: Path) -> None:
    context(tmp_path, "good", engine)
    context(tmp_path, "gone", f"unix://{tmp_path}/gone.sock")
    context(tmp_path, "odd", "gopher://x")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "good"}')
    report = found(around(tmp_path))
    assert next(iter(report)) == "good"
    assert report["good"].status is Status.OK
    assert report["gone"].status is Status.PROBLEM
    assert report["gone"].hint
    assert report["odd"].status is Status.PROBLEM
    assert "gopher" in report["odd"].detail


def test_a_context_that_cannot_be_read_is_told(engine: str, tmp_path: Path) -> None:
    context(tmp_path, "broken", engine)
    file = tmp_path / ".docker" / "contexts" / "meta" / "broken" / "meta.json"
    file.write_text("{")
    report = found(around(tmp_path, DOCKER_HOST=engine))
    assert report["default"].status is Status.OK
    assert report["contexts"].status is Status.PROBLEM
    assert str(file) in report["contexts"].detail


def test_passwords_in_addresses_are_not_shown(tmp_path: Path) -> None:
    host = "ssh://me:hunter2@127.0.0.1:1"
    report = found(around(tmp_path, DOCKER_HOST=host))
    assert report["default"].status is Status.PROBLEM
    assert "hunter2" not in repr(report)


def test_the_command_reports_and_succeeds(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine)
    assert main(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["reachable"] is True
    sections = {finding["section"] for finding in told["findings"]}
    assert sections == {
        "Engines",
        "Tools",
        "Credentials",
        "AWS",
        "Kubernetes",
        "System",
        "Display",
    }
    broken = [item for item in told["findings"] if "check itself failed" in item["detail"]]
    assert not broken


def test_without_an_engine_it_says_so_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Only this machine's own engines could answer, and they are none of this test's business.
    nothing = around(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/gone.sock")
    monkeypatch.setattr(command, "Surroundings", lambda: nothing)
    monkeypatch.setattr(engines, "discover", lambda *args: _only_current(*args))
    assert main([]) == 1
    text = capsys.readouterr().out
    assert text.startswith("DockDesk ")
    assert text.rstrip().endswith("No container engine can be reached.")


def _only_current(*args: object) -> list[engines.Endpoint]:
    from dockdesk.backends.engine.contexts import discover

    return [endpoint for endpoint in discover(*args) if endpoint.current]  # type: ignore[arg-type]


def test_arguments_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--yaml"])
    assert ended.value.code == 2
    assert "usage: dockdesk doctor" in capsys.readouterr().err


@pytest.mark.engine
def test_a_real_engine_answers(dockerd: object, tmp_path: Path) -> None:
    default = found(around(tmp_path, DOCKER_HOST=dockerd.host))["default"]  # type: ignore[attr-defined]
    assert default.status is Status.OK
    assert default.data["product"]
    assert str(default.data["version"])[0].isdigit()


@pytest.mark.podman
def test_podman_answers(podman_service: object, tmp_path: Path) -> None:
    default = found(around(tmp_path, DOCKER_HOST=podman_service.host))["default"]  # type: ignore[attr-defined]
    assert default.status is Status.OK
    assert "odman" in str(default.data["product"])
