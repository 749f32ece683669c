"""Builds by the engine's own BuildKit. What each leaves is asked of the engine, or compared with what went in."""

from __future__ import annotations

import os
import re
import socket
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.core.errors import (
    BuildError,
    CancelledError,
    InvalidInputError,
    LocalError,
    NotFoundError,
    NotSupportedError,
    UnreachableError,
)
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.reactor import Reactor
from dockdesk.core.resources.builds import (
    BuildOutput,
    BuildSecret,
    BuildSpec,
    BuildStatus,
    BuildStep,
    BuildWarning,
)
from dockdesk.core.work import SilentWork
from tests.contract.building import Building, Told, build, listing, received, write
from tests.contract.conftest import Rig
from tests.engines import BUSYBOX, Dockerd, connected, wait_for


def content(rig: Rig, image: str, path: str) -> bytes:
    """A file of an image."""
    name = rig.name()
    rig.backend.create_container(
        ContainerSpec(image, name=name, command=("x",), pull="never"), SilentWork()
    )
    data, _ = rig.backend.read_file(name, path)
    return data


def test_stages_arguments_target_labels_and_tags(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "from the context\n"})
    text = (
        f"ARG BASE={BUSYBOX}\n"
        "FROM $BASE AS made\n"
        "ARG WHO=nobody\n"
        "COPY a.txt /a.txt\n"
        "RUN echo made by $WHO > /who && cat /a.txt\n"
        "FROM scratch AS slim\n"
        "COPY --from=made /who /who\n"
        "FROM made AS unwanted\n"
        "RUN exit 9\n"
    )
    tags = (f"{docker.name()}:1", f"team/{docker.name()}:2")
    result, told = build(
        docker,
        tmp_path,
        text=text,
        tags=tags,
        target="slim",
        args=(("WHO", "Ann"),),
        labels=(("org.example.kind", "a test, with = and ,"),),
    )
    assert result.method == "buildkit"
    assert (result.files, result.sent) == (1, len("from the context\n"))
    detail = docker.backend.image(tags[0])
    assert detail.image.id == result.image
    assert docker.backend.image(tags[1]).image.id == result.image
    assert dict(detail.image.labels)["org.example.kind"] == "a test, with = and ,"
    assert content(docker, tags[0], "/who") == b"made by Ann\n"
    assert "from the context" in told.log
    run = told.step("RUN echo made by")
    assert run.completed is not None
    assert run.started is not None
    assert run.completed >= run.started
    assert not run.cached
    assert told.step("COPY a.txt").digest in run.inputs
    assert not [step for step in told.steps.values() if "exit 9" in step.name]
    sent = [item for item in told.of(BuildStatus) if item.id.startswith("transferring context")]
    assert sent[-1].current > 0
    assert told.step("[internal] load build context").digest == sent[-1].step


def test_the_cache_is_hit_and_missed(docker: Rig, tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.txt": "1", "Dockerfile": f"FROM {BUSYBOX}\nCOPY a.txt /\nRUN date +%N > /now\n"},
    )
    tag = docker.name()
    first, told = build(docker, tmp_path, tags=(tag,))
    assert not told.step("RUN date").cached
    again, told = build(docker, tmp_path, tags=(tag,))
    assert told.step("RUN date").cached
    assert again.image == first.image
    assert (again.files, again.sent) == (0, 0), "an unchanged context is not sent again"
    fresh, told = build(docker, tmp_path, tags=(tag,), no_cache=True)
    assert not told.step("RUN date").cached
    assert fresh.image != first.image
    write(tmp_path, {"a.txt": "2"})
    changed, told = build(docker, tmp_path, tags=(tag,))
    assert not told.step("RUN date").cached
    assert (changed.files, changed.sent) == (1, 1)


def test_a_file_that_kept_its_size_is_sent_again(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"same": "one", "other": "x", "Dockerfile": "FROM scratch\nCOPY . /\n"})
    tag = docker.name()
    build(docker, tmp_path, tags=(tag,))
    (tmp_path / "same").write_text("two")
    result, _ = build(docker, tmp_path, tags=(tag,))
    assert result.files == 1
    assert content(docker, tag, "/same") == b"two"


def test_only_a_stage_without_cache(docker: Rig, tmp_path: Path) -> None:
    text = (
        f"FROM {BUSYBOX} AS one\nRUN date +%N > /one\nFROM {BUSYBOX} AS two\nRUN date +%N > /two\n"
        "FROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n"
    )
    build(docker, tmp_path, text=text)
    _, told = build(docker, tmp_path, text=text, no_cache_stages=("two",))
    assert told.step("date +%N > /one").cached
    assert not told.step("date +%N > /two").cached


def test_what_stands_in_the_editor_is_built(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": "FROM scratch\nCOPY wrong /\n", "right": "!"})
    tag = docker.name()
    build(docker, tmp_path, text="FROM scratch\nCOPY right /it\n", tags=(tag,))
    assert content(docker, tag, "/it") == b"!"
    # Of the same length, so that only its time tells that it is another.
    build(docker, tmp_path, text="FROM scratch\nCOPY right /xx\n", tags=(tag,))
    assert content(docker, tag, "/xx") == b"!"


def test_a_dockerfile_elsewhere_with_an_ignore_file_of_its_own(docker: Rig, tmp_path: Path) -> None:
    context = write(tmp_path / "context", {"a": "a", "b": "b", ".dockerignore": "a"})
    write(
        tmp_path / "files",
        {"web.docker": "FROM scratch\nCOPY . /\n", "web.docker.dockerignore": "b\n.dockerignore"},
    )
    found = received(
        docker, context, tmp_path / "out", text=None, dockerfile=str(tmp_path / "files/web.docker")
    )
    assert set(found) == {"a"}


def test_secrets_from_files_and_variables(
    docker: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDT_TOKEN", "of the environment")
    secret = tmp_path / "secret"
    secret.write_bytes(b"of a file \xff")
    text = (
        f"FROM {BUSYBOX}\n"
        "RUN --mount=type=secret,id=file wc -c < /run/secrets/file > /file\n"
        "RUN --mount=type=secret,id=env,target=/s cat /s > /env\n"
        "RUN --mount=type=secret,id=none test ! -e /run/secrets/none\n"
    )
    tag = docker.name()
    secrets = (BuildSecret("file", str(secret)), BuildSecret("env", variable="DDT_TOKEN"))
    build(docker, tmp_path, text=text, tags=(tag,), secrets=secrets, no_cache=True)
    assert content(docker, tag, "/file") == b"11\n"
    assert content(docker, tag, "/env") == b"of the environment"


def test_a_secret_that_is_wanted_and_not_given(docker: Rig, tmp_path: Path) -> None:
    text = f"FROM {BUSYBOX}\n\nRUN --mount=type=secret,id=token,required cat /run/secrets/token\n"
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=text)
    assert "token" in caught.value.detail
    assert "secret" in caught.value.hint


def test_secrets_that_cannot_be_read_fail_before_the_build(docker: Rig, tmp_path: Path) -> None:
    text = "FROM scratch\n"
    with pytest.raises(LocalError, match="token"):
        build(docker, tmp_path, text=text, secrets=(BuildSecret("token", str(tmp_path / "no")),))
    with pytest.raises(InvalidInputError, match="DDT_NOWHERE"):
        build(docker, tmp_path, text=text, secrets=(BuildSecret("t", variable="DDT_NOWHERE"),))


def test_an_ssh_agent_is_passed_on(docker: Rig, tmp_path: Path) -> None:
    """Nothing in busybox speaks over a socket of this kind; what is said there is tested with the session."""
    path = tmp_path / "agent"
    text = f"FROM {BUSYBOX}\nRUN --mount=type=ssh,id=mine,required test -S $SSH_AUTH_SOCK\n"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        build(docker, tmp_path, text=text, ssh=(f"mine={path}",), no_cache=True)
        with pytest.raises(BuildError, match="ssh"):
            build(docker, tmp_path, text=text, ssh=(f"other={path}",), no_cache=True)


def test_a_key_file_is_refused_with_the_way_out(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"key": "-----BEGIN"})
    with pytest.raises(NotSupportedError) as caught:
        build(docker, tmp_path, text="FROM scratch\n", ssh=(f"default={tmp_path / 'key'}",))
    assert "ssh-add" in caught.value.hint


def test_a_step_that_fails_names_its_line(docker: Rig, tmp_path: Path) -> None:
    text = (
        f"FROM {BUSYBOX}\n\n# a comment\nRUN echo before && \\\n    echo the reason >&2 && exit 3\n"
    )
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=text, told=(told := Told()))
    error = caught.value
    assert error.line == 4
    assert "3" in error.title
    failed = told.steps[error.step]
    assert "the reason" in failed.name
    assert failed.error
    assert "before\n" in told.log
    assert "the reason\n" in told.log


def test_a_command_that_is_not_there_has_a_hint(docker: Rig, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=f"FROM {BUSYBOX}\nRUN frobnicate\n")
    assert "127" in caught.value.title
    assert "not found" in caught.value.hint
    assert caught.value.line == 2


def test_a_dockerfile_with_an_error_names_its_line(docker: Rig, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text="FROM scratch\n\nCOPPY a b\n")
    assert caught.value.line == 3
    assert "COPPY" in caught.value.detail


def test_a_heredoc_is_built_or_refused_in_words(docker: Rig, tmp_path: Path) -> None:
    text = f"FROM {BUSYBOX}\nRUN <<EOF\necho one > /one\nEOF\n"
    tag = docker.name()
    if docker.backend.client.speaks("1.42"):
        build(docker, tmp_path, text=text, tags=(tag,))
        assert content(docker, tag, "/one") == b"one\n"
        return
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=text, tags=(tag,))
    assert "here-documents" in caught.value.hint
    assert caught.value.line == 3


def test_what_is_not_in_the_context(docker: Rig, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text="FROM scratch\nCOPY there /\n")
    assert ".dockerignore" in caught.value.hint
    assert caught.value.line == 2
    with pytest.raises(NotFoundError, match="Dockerfile"):
        build(docker, tmp_path)
    with pytest.raises(NotFoundError, match="no folder"):
        build(docker, tmp_path / "nowhere", text="FROM scratch\n")


def test_hosts_shm_and_network(docker: Rig, tmp_path: Path) -> None:
    text = (
        f"FROM {BUSYBOX}\n"
        "RUN grep -q '192.0.2.7.*here' /etc/hosts && grep -q '2001:db8::1.*six' /etc/hosts\n"
        "RUN df -k /dev/shm | tee /shm\n"
        "RUN ip addr show 2>/dev/null | grep -c 'inet ' > /n; test $(cat /n) -le 1\n"
    )
    _, told = build(
        docker,
        tmp_path,
        text=text,
        add_hosts=("here:192.0.2.7", "six:2001:db8::1"),
        shm_size=32 << 20,
        network="none",
        no_cache=True,
    )
    if docker.backend.client.speaks("1.42"):
        assert " 32768 " in told.log
    else:
        assert any("/dev/shm" in warning.short for warning in told.of(BuildWarning))
    with pytest.raises(NotSupportedError, match="mine"):
        build(docker, tmp_path, text="FROM scratch\n", network="mine")


# --- What is sent ---


def test_the_engine_receives_what_the_folder_holds(docker: Rig, tmp_path: Path) -> None:
    context = write(
        tmp_path / "context",
        {
            "plain": "text",
            "empty": "",
            "script.sh": "#!/bin/sh\n",
            "Ünï/ç⁄ödé 名前": "unicode",
            "case/a": "a",
            "case/A": "A",
            "deep/er/and/deeper/file": bytes(300_000),
            "deep.txt": "sorts between a folder and what is in it",
            "deep-er/x": "x",
            "nothing/inside": None,
            "with\nnewline": "n",
        },
    )
    (context / "script.sh").chmod(0o755)
    (context / "plain").chmod(0o640)
    (context / "deep").chmod(0o700)
    (context / "setuid").write_bytes(b"s")
    (context / "setuid").chmod(0o4755)
    (context / "link").symlink_to("plain")
    (context / "broken").symlink_to("/nowhere/at all")
    (context / "case/up").symlink_to("../plain")
    (context / "loop").symlink_to("loop")
    os.link(context / "deep/er/and/deeper/file", context / "hard")
    os.utime(context / "empty", (0, 1_000_000_000))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(context / "socket"))
        found = received(docker, context, tmp_path / "out")
    expected = listing(context)
    del expected["socket"]
    assert found == expected
    assert (tmp_path / "out/hard").stat().st_nlink == 2


IGNORE = """\
# a comment
*.log
!keep.log
/build
**/node_modules
deep/*/secret?.txt
docs/**/*.md
!docs/README.md
!docs/a/b/c.md
vendor
!vendor/kept
[a-c]x
.git
"""


def test_dockerignore_is_applied_as_the_engine_means_it(docker: Rig, tmp_path: Path) -> None:
    names = [
        ".git/HEAD", "a.log", "keep.log", "sub/a.log", "build/x", "sub/build/x", "node_modules/m/i.js",
        "sub/node_modules/m/i.js", "deep/1/secret1.txt", "deep/1/2/secret1.txt", "deep/secret1.txt",
        "docs/README.md", "docs/a.md", "docs/a/b/c.md", "docs/a/b/d.md", "docs/a/b/d.txt", "vendor/kept/x",
        "vendor/kept/y/z", "vendor/other", "ax", "dx", "sub/ax", "# a comment", ".dockerignore",
    ]  # fmt: skip
    context = write(tmp_path / "context", dict.fromkeys(names, "x"))
    (context / ".dockerignore").write_text(IGNORE)
    found = received(docker, context, tmp_path / "out")
    files = {name for name in found if (context / name).is_file()}
    assert files == {
        "keep.log", "sub/a.log", "sub/build/x", "deep/1/2/secret1.txt", "deep/secret1.txt", "docs/README.md",
        "docs/a/b/c.md", "docs/a/b/d.txt", "vendor/kept/x", "vendor/kept/y/z", "dx", "sub/ax", "# a comment",
        ".dockerignore",
    }  # fmt: skip
    expected = listing(context)
    assert found == {name: expected[name] for name in found}


def test_only_what_is_copied_is_sent(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"a/one": "1", "a/two": "22", "b/three": "333", "c1.txt": "4", "c2.txt": "5"})
    (tmp_path / "via").symlink_to("b")
    tag = docker.name()
    text = "FROM scratch\nCOPY a/one /\nCOPY via/three /\nCOPY c*.txt /\n"
    result, _ = build(docker, tmp_path, text=text, tags=(tag,))
    assert result.files == 4
    assert content(docker, tag, "/three") == b"333"
    assert content(docker, tag, "/c2.txt") == b"5"


def test_a_sparse_file_of_4_gb_stays_out_of_the_way(docker: Rig, tmp_path: Path) -> None:
    context = write(tmp_path / "context", {"small": "s", ".dockerignore": "*.img\n.dockerignore"})
    with open(context / "disk.img", "wb") as file:
        file.truncate(4 << 30)
    assert set(received(docker, context, tmp_path / "out")) == {"small"}


def test_a_large_file_arrives(docker: Rig, tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(96 << 20)
        file.seek(96 << 20)
        file.write(b"the end")
    tag = docker.name()
    text = f"FROM {BUSYBOX}\nCOPY large /\nRUN tail -c 7 /large > /end; wc -c < /large > /size; rm /large\n"
    result, _ = build(docker, tmp_path, text=text, tags=(tag,))
    assert result.sent == (96 << 20) + 7
    assert content(docker, tag, "/end") == b"the end"
    assert content(docker, tag, "/size") == b"%d\n" % result.sent


def test_a_file_that_vanishes_meanwhile_is_named(
    docker: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there when the folder is listed, and gone when the engine asks for it. Root can read what others can't."""
    from dockdesk.backends.engine.buildkit import filesync

    write(tmp_path, {"fleeting": "x"})
    read = filesync.DiskFolder.pieces

    def pieces(self: filesync.DiskFolder, handle: bytes) -> Iterator[bytes]:
        os.unlink(handle)
        return read(self, handle)

    monkeypatch.setattr(filesync.DiskFolder, "pieces", pieces)
    with pytest.raises(LocalError) as caught:
        build(docker, tmp_path, text="FROM scratch\nCOPY . /\n")
    assert "fleeting" in caught.value.detail
    assert "Try again" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_file_is_named(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"private": "x"})
    (tmp_path / "private").chmod(0)
    with pytest.raises(LocalError, match="private"):
        build(docker, tmp_path, text="FROM scratch\nCOPY . /\n")


# --- What comes back ---


def test_outputs_as_files(docker: Rig, tmp_path: Path) -> None:
    context = write(tmp_path / "context", {"a": "a"})
    text = "FROM scratch\nCOPY a /it\n"
    tag = docker.name()
    target = tmp_path / "out.tar"
    result, _ = build(docker, context, text=text, outputs=(BuildOutput("tar", str(target)),))
    assert result.image == ""
    with tarfile.open(target) as tar:
        assert tar.extractfile("it").read() == b"a"  # type: ignore[union-attr]
    build(docker, context, text=text, tags=(tag,), outputs=(BuildOutput("docker", str(target)),))
    with tarfile.open(target) as tar:
        assert "manifest.json" in tar.getnames()
    assert tag in " ".join(docker.backend.load_images(target, SilentWork()))
    build(docker, context, text=text, outputs=(BuildOutput("none"),))
    assert {path.name for path in tmp_path.iterdir()} == {"context", "out.tar"}


def test_a_folder_is_filled_and_links_in_it_are_not_followed(docker: Rig, tmp_path: Path) -> None:
    context = write(tmp_path / "context", {"data/new": "new", "data/same": "2", "top": "t"})
    outside = write(tmp_path / "outside", {"safe": "safe"})
    target = write(tmp_path / "target", {"old": "old", "same": "1"})
    (target / "data").symlink_to(outside)
    received(docker, context, target)
    assert (target / "old").read_text() == "old"
    assert (target / "data/new").read_text() == "new"
    assert not (target / "data").is_symlink()
    assert set(os.listdir(outside)) == {"safe"}


def test_an_output_that_finds_the_disk_full_leaves_nothing(
    docker: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from dockdesk.core import wholefile

    text = f"FROM {BUSYBOX}\nRUN head -c 3000000 /dev/zero > /zeros\n"
    real = wholefile.PartFile.write

    def write_some(self: wholefile.PartFile, data: bytes) -> None:
        if self.written > 1_000_000:
            raise wholefile.local_error("x", "y", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        real(self, data)

    monkeypatch.setattr(wholefile.PartFile, "write", write_some)
    target = tmp_path / "out.tar"
    target.write_bytes(b"older")
    with pytest.raises(LocalError) as caught:
        build(docker, tmp_path, text=text, outputs=(BuildOutput("tar", str(target)),))
    assert "full" in caught.value.hint
    assert target.read_bytes() == b"older"
    assert os.listdir(tmp_path) == ["out.tar"]


def test_outputs_that_make_no_sense(docker: Rig, tmp_path: Path) -> None:
    for output in (BuildOutput("tar"), BuildOutput("magic"), BuildOutput("push")):
        with pytest.raises(InvalidInputError):
            build(docker, tmp_path, text="FROM scratch\n", outputs=(output,))
    output = BuildOutput("tar", str(tmp_path / "no/such/folder.tar"))
    with pytest.raises(LocalError):
        build(docker, tmp_path, text="FROM scratch\n", outputs=(output,))
    with pytest.raises(NotSupportedError, match="local"):
        build(docker, tmp_path, text="FROM scratch\n", cache_to=("type=local,dest=/tmp/x",))


# --- Ends ---


def sleeping(tmp_path: Path, mark: str) -> BuildSpec:
    text = f"FROM {BUSYBOX}\nRUN echo begun && sleep {mark}\n"
    return BuildSpec(tmp_path, text=text, no_cache=True)


def runs(mark: str) -> bool:
    """Whether a process sleeps for just this many seconds."""
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = cmdline.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", mark.encode()]:
            return True
    return False


def test_a_cancelled_build_ends_in_the_engine_too(docker: Rig, tmp_path: Path) -> None:
    mark = "7654.25"
    building = Building(docker, sleeping(tmp_path, mark))
    wait_for(lambda: "begun" in building.told.log, 60, "the step runs")
    assert docker.sandbox or runs(mark), "a simulation's processes are none of this machine's"
    building.work.cancel()
    building.join()
    assert isinstance(building.failure, CancelledError), building.failure
    wait_for(lambda: not runs(mark), 30, "the step is stopped")


def test_cancelled_before_it_began(docker: Rig, tmp_path: Path) -> None:
    from tests.backends.engine.works import RecordingWork

    work = RecordingWork()
    work.cancel()
    with pytest.raises(CancelledError):
        build(docker, tmp_path, work, text="FROM scratch\n")


def test_the_engine_dies(own_dockerd: Dockerd, reactor: Reactor, tmp_path: Path) -> None:
    backend = connected(own_dockerd, reactor)
    try:
        building = Building(Rig(backend, own_dockerd, BUSYBOX), sleeping(tmp_path, "4567.5"))
        wait_for(lambda: "begun" in building.told.log, 60, "the step runs")
        own_dockerd.kill()
        building.join()
        assert isinstance(building.failure, UnreachableError), building.failure
        assert building.failure.hint
    finally:
        backend.close()


def test_progress_is_told(docker: Rig, tmp_path: Path) -> None:
    from tests.backends.engine.works import RecordingWork

    work = RecordingWork()
    build(docker, tmp_path, work, text=f"FROM {BUSYBOX}\nRUN true\n")
    fractions = [fraction for fraction in work.fractions if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_the_clipped_log_says_so(docker: Rig, tmp_path: Path) -> None:
    text = f"FROM {BUSYBOX}\nRUN yes 0123456789012345678901234567890123456789 | head -c 4000000\n"
    _, told = build(docker, tmp_path, text=text, no_cache=True)
    if len(told.log) < 4_000_000:
        assert re.search(r"\[output clipped", told.log)


def test_many_steps_told_in_bursts(docker: Rig, tmp_path: Path) -> None:
    text = f"FROM {BUSYBOX}\n" + "".join(f"ENV N{n}={n}\nRUN true {n}\n" for n in range(12))
    begun = time.time()
    _, told = build(docker, tmp_path, text=text, no_cache=True)
    done = [step for step in told.of(BuildStep) if step.completed]
    assert len({step.digest for step in done if "RUN true" in step.name}) == 12
    assert all(step.started and step.started > begun - 60 for step in done if "RUN" in step.name)


# --- Checks and history ---


def test_checks_where_the_engine_has_them(docker: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": f"FROM {BUSYBOX} as lower\nCMD echo hi\n"})
    found = docker.backend.check(BuildSpec(tmp_path), SilentWork())
    if not docker.backend.client.speaks("1.46"):
        assert found is None
        return
    assert found is not None
    rules = {warning.short.partition(":")[0]: warning for warning in found}
    assert rules["FromAsCasing"].lines == ((1, 1),)
    assert rules["JSONArgsRecommended"].lines == ((2, 2),)
    assert rules["JSONArgsRecommended"].url.startswith("https://docs.docker.com/")
    broken = docker.backend.check(BuildSpec(tmp_path, text="FROM scratch\nCOPPY\n"), SilentWork())
    assert broken is not None


def test_the_engines_own_history(docker: Rig, tmp_path: Path) -> None:
    tag = docker.name()
    build(
        docker, tmp_path, text=f"FROM {BUSYBOX}\nRUN echo remembered\n", tags=(tag,), no_cache=True
    )
    found = docker.backend.past_builds()
    if not docker.backend.client.speaks("1.43"):
        assert found == []
        return
    newest = found[0]
    assert tag in newest.name
    assert newest.started is not None
    assert newest.completed is not None
    assert newest.error == ""
    assert newest.steps > 0

    told = Told()
    docker.backend.past_build(newest.ref, told, SilentWork())
    assert "remembered\n" in told.log
    assert told.step("RUN echo remembered").completed
