"""The shell that RUN instructions run in, on files that are in memory only."""

from __future__ import annotations

import asyncio

import pytest

from dockdesk.sandbox.buildkit.flow import Streams
from dockdesk.sandbox.buildkit.script import ScriptError, parse
from dockdesk.sandbox.buildkit.shell import BuildShell
from dockdesk.sandbox.buildkit.tools import ImageTools
from dockdesk.sandbox.engine.base_images import recipe
from dockdesk.sandbox.engine.catalogue import Program, base_tree
from dockdesk.sandbox.engine.filesystem import FileSystem
from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.engine.state import SimContainer, SimImage
from dockdesk.sandbox.world.traffic import Traffic


class Run:
    """One script; what it said, and what it left."""

    def __init__(self, script: str, image: str = "debian", tag: str = "bookworm") -> None:
        base = recipe(image, tag)
        assert base is not None
        self.files = FileSystem(base_tree(base, 0.0))
        self.out = self.err = ""
        self.slept = 0.0
        stub = SimImage("", [], [], 0.0, {}, [], {}, Program())
        container = SimContainer(
            "1" * 64, "run", stub, "", {}, {}, self.files, Program(), 0.0, Traffic(1, "x", 0.0)
        )
        env = dict(item.partition("=")[::2] for item in base.env)
        around = Surroundings(container, lambda: 1e9, "root", {**env, "HOME": "/root"})
        self.tools = ImageTools()
        self.code = asyncio.run(self._run(BuildShell(around, self.tools, self._sleep), script))

    async def _run(self, shell: BuildShell, script: str) -> int:
        async def out(text: str) -> None:
            self.out += text

        async def err(text: str) -> None:
            self.err += text

        return await shell.run(script, Streams("", out, err))

    async def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo a; echo b && echo c || echo d", "a\nb\nc\n"),
        ("false && echo no; true || echo no; ! false && echo yes", "yes\n"),
        ("x='a  b'; echo $x; echo \"$x\"; echo '$x'", "a b\na  b\n$x\n"),
        ("for n in 1 2 3; do [ $n = 2 ] && continue; echo n$n; done", "n1\nn3\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i", "3\n"),
        ("until [ -f /tmp/x ]; do touch /tmp/x; done; echo there", "there\n"),
        ("if [ -d /nowhere ]; then echo 1; elif [ -d /etc ]; then echo 2; else echo 3; fi", "2\n"),
        ('case "a.tar.gz" in *.zip) echo zip;; *.tar.*|*.tgz) echo tar;; *) echo ?;; esac', "tar\n"),
        ("f() { echo got $1 of $#; return 4; }; f x y || echo code $?", "got x of 2\ncode 4\n"),
        ("echo one two | tr ' ' '\\n' | sort -r | head -n 1", "two\n"),
        ("(cd /etc; pwd); pwd", "/etc\n/\n"),
        ("cat <<EOF | grep -c o\none\n$HOME\nno\nEOF", "3\n"),
        ("cat <<'EOF'\n$HOME\nEOF", "$HOME\n"),
        ("echo $(echo inner $(echo most)) `echo old`", "inner most old\n"),
        ("v=1.2.3; echo ${v%.*} ${v##*.} ${u:-none} ${v:+set} ${#v}", "1.2 3 none set 5\n"),
        ("mkdir -p /d/e; touch /d/a.txt /d/b.txt /d/e/c; echo /d/*.txt", "/d/a.txt /d/b.txt\n"),
        ("mkdir -p /d/e; touch /d/a.txt /d/.b; cd /d; echo *; echo *.no", "a.txt e\n*.no\n"),
        ("echo a > /f; echo b >> /f; wc -l < /f; { echo c; echo d; } > /g; cat /f /g", "2\na\nb\nc\nd\n"),
        ("printf '%s\\n' b a | while read x; do echo got $x; done", "got b\ngot a\n"),
        ("export A=1; sh -c 'echo $A $0'", "1 /bin/sh\n"),
        ("A=2 env | grep ^A=; echo ${A:-gone}", "A=2\ngone\n"),
        ("set -- x y; echo $2; for a; do echo $a; done", "y\nx\ny\n"),
        ("echo to err >&2; echo out 2>/dev/null", "out\n"),
        ("cat /missing 2>/dev/null || echo handled", "handled\n"),
        ("command -v cat >/dev/null && echo has; command -v nothing || echo lacks", "has\nlacks\n"),
        ("echo 'echo from a file $1' > /s.sh; sh /s.sh x; chmod +x /s.sh", "from a file x\n"),
        ("eval 'echo evaluated'; exec echo last; echo never", "evaluated\nlast\n"),
        ("find /etc -name 'os-*' -type f", "/etc/os-release\n"),
        ("echo a/b/c.txt | sed 's#/#-#g'; basename /x/y.z .z; dirname /x/y", "a-b-c.txt\ny\n/x\n"),
    ],
)  # fmt: skip
def test_scripts_say_what_a_shell_says(script: str, said: str) -> None:
    run = Run(script)
    assert run.out == said, run.err


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 3", 3),
        ("set -e; false; echo never", 1),
        ("set -e; if false; then :; fi; false || true; echo x", 0),
        ("false | true", 0),
        ("set -o pipefail; false | true", 1),
        ("frobnicate", 127),
        ("set -u; echo $NOTHING", 2),
        ("echo 'unclosed", 2),
        ("if true; then echo x", 2),
        ("f() { f; }; f", 2),
        ("(exit 5)", 5),
        ("cat /etc", 1),
    ],
)
def test_scripts_end_with_the_code_of_a_shell(script: str, code: int) -> None:
    assert Run(script).code == code


def test_what_is_written_is_there_afterwards() -> None:
    run = Run("mkdir -p /app && echo 'x = 1' > /app/a.py && cp -r /app /copy && rm /app/a.py")
    assert run.files.get("/app/a.py") is None
    assert run.files.find("/copy/a.py")[1].data == b"x = 1\n"


def test_tracing_and_waiting() -> None:
    run = Run("set -x; echo a; sleep 2.5")
    assert run.err == "+ echo a\n+ sleep 2.5\n"
    assert run.slept == 2.5


@pytest.mark.parametrize(
    "text", ["'", "a && ", "for x in", "case a in", "${", "$(", "a | | b", ")", "{ a"]
)
def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(ScriptError):
        parse(text)


# --- What an image has ---


def test_packages_of_debian() -> None:
    run = Run("apt-get update && apt-get install -y --no-install-recommends curl gcc && which curl")
    assert run.code == 0, run.err
    assert "Setting up curl" in run.out
    assert run.files.get("/usr/bin/gcc") is not None
    assert run.slept > 2
    assert run.tools.growth.bytes > 1_000_000
    assert Run("apt-get install -y curl").code == 100, "nothing was updated before"
    assert Run("apk add curl").code == 127
    assert "Abort" in Run("apt-get update; apt-get install curl").err


def test_packages_of_alpine() -> None:
    run = Run("apk add --no-cache --virtual .build gcc=13-r0 && gcc x", "python", "3.12-alpine")
    assert run.code == 0, run.err
    assert "Installing gcc" in run.out
    assert Run("apt-get update", "python", "3.12-alpine").code == 127
    assert Run("apk add does-not-exist", "python", "3.12-alpine").code == 1


def test_users() -> None:
    run = Run(
        "groupadd -g 2000 team && useradd -m -u 2001 -g team ann && id -un && grep ann /etc/passwd"
    )
    assert run.code == 0, run.err
    assert "ann:x:2001:" in run.out
    assert run.files.find("/home/ann")[1].uid == 2001
    assert Run("useradd ann; useradd ann").code == 9


def test_python() -> None:
    run = Run(
        "printf 'flask==3.1.0\\nnumpy\\n' > r.txt; pip install --no-cache-dir -r r.txt; python --version",
        "python", "3.12-slim",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "Successfully installed flask-3.1.0 numpy-" in run.out
    assert "Python 3.12" in run.out
    assert run.files.get("/usr/local/lib/python3.12/site-packages/flask/__init__.py") is not None
    assert Run("pip install -r missing.txt", "python").code == 1
    assert Run("pip install flask").code == 127, "a plain Debian has none"


def test_node_and_go() -> None:
    manifest = '{"dependencies": {"express": "4"}, "scripts": {"build": "vite build"}}'
    script = f"echo '{manifest}' > package.json; npm ci"
    assert Run(script, "node", "22").code == 1, "there is no lock file"
    run = Run(
        f"{script}; touch package-lock.json; npm ci && npm run build && ls dist", "node", "22"
    )
    assert run.code == 0, run.err
    assert "index.html" in run.out
    assert Run(f"{script}; npm run nothing", "node", "22").code == 1
    run = Run("go build -o /out/app ./... && test -x /out/app", "golang", "1.23")
    assert run.code == 0, run.err
    assert run.slept > 4


def test_scripts_of_the_image_itself() -> None:
    script = "printf '#!/bin/sh\\necho mine $1\\n' > /usr/local/bin/own; "
    assert Run(script + "own").code == 126, "it may not be executed"
    run = Run(script + "chmod +x /usr/local/bin/own && own now")
    assert (run.code, run.out) == (0, "mine now\n")
