"""What a scan says would be sent, beside what lies in the folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dockdesk.core.errors import CancelledError, NotFoundError
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.context import ContextFile, ContextFolder, ContextTree, scan
from dockdesk.dockerfile.ignore import IgnoreRules, rules_for


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def scanned(folder: Path, rules: str = "") -> ContextTree:
    return scan(folder, IgnoreRules.parse(rules), SilentWork())


def sent(folder: ContextFolder) -> set[str]:
    prefix = f"{folder.path}/" if folder.path else ""
    own = {prefix + entry.name for entry in folder.entries if not entry.excluded}
    return own.union(*(sent(inner) for inner in folder.folders))


def test_sizes_are_by_folder_and_what_stays_behind_is_counted_apart(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"a": "12", "src/b": "123", "src/in/c": "1234", "out/d": "12345", "src/x.pyc": "1"},
    )
    tree = scanned(tmp_path, "out\n**/*.pyc\n")
    assert (tree.files, tree.size) == (3, 9)
    assert (tree.root.left_files, tree.root.left_size) == (2, 6)
    src = tree.find("src")
    assert isinstance(src, ContextFolder)
    assert (src.files, src.size, src.left_files, src.left_size) == (2, 7, 1, 1)
    out = tree.find("out")
    assert isinstance(out, ContextFolder)
    assert out.excluded
    assert out.left_size == 5
    assert tree.find("src/x.pyc") == ContextFile("x.pyc", 1, excluded=True)
    assert tree.find("src/none") is None
    assert tree.find("out/d") is None
    assert tree.biggest == ((4, "src/in/c"), (3, "src/b"), (2, "a"))


def test_what_an_exception_brings_back_is_sent(tmp_path: Path) -> None:
    put(tmp_path, {"a": "1", "src/b": "1", "src/keep": "1", "doc/keep": "1", "doc/x": "1"})
    assert sent(scanned(tmp_path, "*\n!**/keep\n").root) == {"src/keep", "doc/keep"}
    assert sent(scanned(tmp_path, "*\n!src/keep\n").root) == {"src/keep"}


SECRETS = {
    ".env": "A=b",
    "app/.env.local": "A=b",
    "deploy/id_rsa": "x",
    "certs/server.key": "-----BEGIN PRIVATE KEY-----",
    "certs/server.pem": "-----BEGIN RSA PRIVATE KEY-----",
    ".aws/credentials": "[default]",
    ".kube/config": "users:",
    ".docker/config.json": '{"auths": {"x": {"auth": "eHg="}}}',
    ".npmrc": "//registry.npmjs.org/:_authToken=abc",
    ".pypirc": "[pypi]\npassword = x",
    ".netrc": "machine x",
    "infra/terraform.tfstate": "{}",
    "infra/terraform.tfstate.backup": "{}",
    "gcp-service-account.json": '{"private_key": "-----BEGIN PRIVATE KEY-----"}',
    "keys/app.p12": "x",
    "config/master.key": "0123456789abcdef0123456789abcdef\n",
    "{odd}|[name].kubeconfig": "x",
}
HARMLESS = {
    ".env.example": "A=",
    "certs/ca.pem": "-----BEGIN CERTIFICATE-----",
    ".config/config.json": '{"auth": "x"}',
    "web/.npmrc": "save-exact=true",
    "deploy/id_rsa.pub": "ssh-rsa",
    "data.json": '{"private_key": "-----BEGIN PRIVATE KEY-----"}',
    "slides.key": "a presentation",
    "environment.py": "",
    "package.json": "{}",
}


def test_secrets_are_found_and_the_lines_suggested_keep_them_back(tmp_path: Path) -> None:
    put(tmp_path, SECRETS | HARMLESS)
    put(tmp_path, {".git/config": "[core]", ".git/objects/ab/cd": "x" * 50, ".git/id_rsa": "x"})
    tree = scanned(tmp_path)
    assert {secret.path for secret in tree.secrets} == set(SECRETS) | {".git"}
    git = next(each for each in tree.suggestions if each.line == ".git")
    assert (git.files, git.size) == (3, 57)
    again = scanned(tmp_path, "\n".join(each.line for each in tree.suggestions))
    assert again.secrets == ()
    assert set(HARMLESS) <= sent(again.root)


def test_secrets_that_stay_behind_are_no_matter(tmp_path: Path) -> None:
    put(tmp_path, {".env": "A=b", ".git/config": "x"})
    assert scanned(tmp_path, ".env\n.git\n").secrets == ()
    assert scanned(tmp_path, ".env\n.git\n!**/keep\n").secrets == ()


def test_what_no_build_needs_is_suggested_the_biggest_first(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "web/package.json": "{}",
            "web/node_modules/x/package.json": "{}",
            "web/node_modules/x/dist/y.js": "x" * 100,
            "web/node_modules/x/test.key": "-----BEGIN PRIVATE KEY-----",
            "web/dist/app.js": "x" * 10,
            "lib/target/a": "x" * 500,
            "rs/Cargo.toml": "",
            "rs/target/b": "x" * 5,
            "__pycache__/c.pyc": "x",
        },
    )
    tree = scanned(tmp_path)
    assert [(each.line, each.files, each.size) for each in tree.suggestions] == [
        ("**/node_modules", 3, 129),
        ("**/dist", 1, 10),
        ("**/target", 1, 5),
        ("**/__pycache__", 1, 1),
    ]


def test_special_files_and_links_that_leave_the_context_are_named(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    os.mkfifo(context / "pipe")
    (context / "up").symlink_to("../elsewhere")
    (context / "root").symlink_to("/etc/passwd")
    (context / "fine").symlink_to("pipe")
    (context / "loop").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as sock:
        before = os.getcwd()
        os.chdir(context)  # a socket's path is short
        sock.bind("sock")
        os.chdir(before)
    tree = scanned(context)
    assert {(note.path, note.kind) for note in tree.notes} == {
        ("pipe", "special"),
        ("sock", "special"),
        ("up", "outside"),
        ("root", "outside"),
    }
    assert tree.size == 0
    assert all(note.text for note in tree.notes)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    put(tmp_path, {"a": "x", "b/c": "x"})
    (tmp_path / "a").chmod(0)
    (tmp_path / "b").chmod(0)
    try:
        tree = scanned(tmp_path)
    finally:
        (tmp_path / "b").chmod(0o700)
    assert {note.path for note in tree.notes if note.kind == "unreadable"} == {"a", "b"}


def test_names_that_are_not_text_are_scanned(tmp_path: Path) -> None:
    (tmp_path / "é").write_text("x")
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9", os.O_CREAT | os.O_WRONLY))
    assert scanned(tmp_path).files == 2


def test_a_deep_tree_needs_no_deep_stack(tmp_path: Path) -> None:
    before = os.getcwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1_500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)
    try:
        assert scanned(tmp_path).files == 0
    finally:
        os.system(f"rm -rf {tmp_path}/d")


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        scanned(tmp_path / "none")


def test_a_scan_can_be_stopped_and_tells_how_far_it_is(tmp_path: Path) -> None:
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        for inner in range(60):
            (folder / str(inner)).touch()

    class Stopping(SilentWork):
        def __init__(self) -> None:
            self.told: list[str] = []

        def check(self) -> None:
            if self.told:
                raise CancelledError

        def progress(self, fraction: float | None, text: str = "") -> None:
            self.told.append(text)

    work = Stopping()
    with pytest.raises(CancelledError):
        scan(tmp_path, IgnoreRules(), work)
    assert len(work.told) == 1


def test_the_rules_that_count_are_those_of_the_dockerfile(tmp_path: Path) -> None:
    put(tmp_path, {".dockerignore": "a\n", "a": "1", "b": "1", "App.dockerignore": "b\n"})
    assert "a" in sent(scan(tmp_path, rules_for(tmp_path, "App"), SilentWork()).root)
    assert "a" not in sent(scan(tmp_path, rules_for(tmp_path), SilentWork()).root)
