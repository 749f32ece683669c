"""What a real engine receives from the docker CLI, file by file, beside what the rules say."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.core.resources.builds import BuildOutput, BuildSpec
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.ignore import IgnoreRules, State, rules_for
from tests.engines import Dockerd, unavailable

pytestmark = pytest.mark.engine

FILES = """
Dockerfile README.md keep.me .env .git/config .git/objects/ab/cd src/main.py src/main.pyc src/deep/er/f.pyc
src/deep/er/keep.me src/node_modules/z/index.js node_modules/m/i.js node_modules/m/keep.me docs/a.md docs/b/c.md
[odd]/x a*b a?b Foo/bar foo/bar é/ü.txt x.y.z dir/.hidden dir/..x dir/a^b #c !n aa ab/ac aab bb bbb build/out/lib.so
build/keep.me tmp/1/2/3/4
""".split()
SETS = [
    "node_modules\n.git\n**/*.pyc\n",
    "*\n!src\n!docs/b\n",
    "*\n!src/deep/er/f.pyc\n!node_modules/m/keep.me\nsrc/main.py\n",
    "**/keep.me\n!build/keep.me\n/foo/\n./dir/../docs/a.md\n",
    "*\n!**/keep.me\n",
    "build\n!build/out\nbuild/out/*.so\n*/*.md\n",
    "\ufeff[[]odd]\r\na\\*b\r\n#c\r\n \\!n \r\n\\#c\r\n[é]/*\r\n",
    "docs/b\n!docs\nfoo\n!foo/bar\nfoo\n",
    "Dockerfile\n.dockerignore\n*.z\n",
    "a|x*\nb{2}*\n\\bdir/*\n?a*\n",
]
PIECES = [
    *("*", "**", "src", "docs", "deep", "*.pyc", "keep.me", "?oo", "[a-f]*", "node_modules", "m", "er"),
    *("*.md", "b", "build", "out", "[^s]*", "tmp", "1", "dir", ".*", "a*", "é", "!n", "\\.git"),
]  # fmt: skip


def generated(seed: int) -> str:
    chance = random.Random(seed)
    lines = []
    for _ in range(chance.randint(2, 6)):
        pieces = (chance.choice(PIECES) for _ in range(chance.choice([1, 1, 2, 3])))
        lines.append("!" * (chance.random() < 0.4) + "/".join(pieces))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (folder / "empty" / "inner").mkdir(parents=True)
    (folder / "link").symlink_to("src")
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY . /ctx/\nCMD ["x"]\n')
    return folder


@pytest.fixture(scope="module")
def received(dockerd: Dockerd, tree: Path) -> Iterator[Callable[[str], set[str]]]:
    """Builds with the given rules and returns the names of the context that arrived."""
    docker = shutil.which("docker")
    if docker is None:
        unavailable("the docker CLI is not installed")
    numbers = itertools.count()
    tags: list[str] = []

    def build(text: str) -> set[str]:
        (tree / ".dockerignore").write_bytes(text.encode())
        tags.append(f"dockdesk/ignore:{next(numbers)}")
        env = {**os.environ, "DOCKER_HOST": dockerd.host, "DOCKER_BUILDKIT": "0"}
        command = [docker, "build", "-q", "--no-cache", "-t", tags[-1], str(tree)]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=100)
        assert done.returncode == 0, done.stderr
        return _context_of(dockerd, tags[-1])

    yield build
    for tag in tags:
        dockerd.request("DELETE", f"/images/{tag}?force=1")


def _context_of(dockerd: Dockerd, image: str) -> set[str]:
    body = json.dumps({"Image": image, "NetworkDisabled": True}).encode()
    answer = dockerd.request("POST", "/containers/create", body, "application/json")
    container = json.loads(answer)["Id"]
    try:
        data = dockerd.request("GET", f"/containers/{container}/archive?path=/ctx")
    finally:
        dockerd.request("DELETE", f"/containers/{container}?force=1")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = {member.name.rstrip("/") for member in tar}
    return {name.removeprefix("ctx/") for name in names if name != "ctx"}


def expected(tree: Path) -> set[str]:
    """What a classic build sends, less what the engine then removes: the files it was sent to be read."""
    written = rules_for(tree, classic=True)
    return sent_by(tree, written.for_classic_build()) - {
        name for name in (".dockerignore", "Dockerfile") if written.list.matches_at_once(name)
    }


def sent_by(tree: Path, rules: IgnoreRules) -> set[str]:
    """What a walk by the rules sends."""
    sent: set[str] = set()

    def walk(folder: Path, state: State) -> None:
        for entry in sorted(folder.iterdir()):
            path = entry.relative_to(tree).as_posix()
            excluded, inner = rules.step(path, state)
            if not excluded:
                sent.add(path)
            if entry.is_dir() and not entry.is_symlink() and not (excluded and rules.skips(path)):
                walk(entry, inner)

    walk(tree, ())
    # A parent of what was sent is made, even where it was not sent itself.
    sent |= {parent.as_posix() for name in sent for parent in Path(name).parents} - {"."}
    return sent


@pytest.mark.parametrize("text", SETS)
def test_exactly_what_the_rules_leave_in_arrives(
    tree: Path, received: Callable[[str], set[str]], text: str
) -> None:
    arrived = received(text)
    assert arrived == expected(tree)


@pytest.mark.parametrize("seed", range(6))
def test_generated_rules_too(tree: Path, received: Callable[[str], set[str]], seed: int) -> None:
    text = generated(seed)
    assert not IgnoreRules.parse(text).problems
    arrived = received(text)
    assert arrived == expected(tree), text


@pytest.mark.parametrize("text", [*SETS, *map(generated, range(20, 26))])
def test_buildkit_gets_what_its_walk_leaves_in(
    tree: Path, docker_engine: EngineBackend, tmp_path: Path, text: str
) -> None:
    (tree / ".dockerignore").write_bytes(text.encode())
    spec = BuildSpec(tree, no_cache=True, outputs=(BuildOutput("local", str(tmp_path / "out")),))
    docker_engine.build(spec, lambda items: None, SilentWork())
    out = tmp_path / "out" / "ctx"
    arrived = {each.relative_to(out).as_posix() for each in out.rglob("*")}
    assert arrived == sent_by(tree, rules_for(tree)), text
