"""The programs of the sandbox's shell: each gets its words and standard input, and returns its output and exit code."""

from __future__ import annotations

import posixpath
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dockdesk.sandbox.engine.filesystem import FileSystem, Node, clean, file_node, folder_node
from dockdesk.sandbox.engine.state import CPUS, MEMORY, SimContainer
from dockdesk.sandbox.http import HttpError

MIB = 1 << 20
_SHM = 64 * MIB


@dataclass(slots=True)
class Surroundings:
    """What a program can see: its container, the time, its variables and where it stands."""

    container: SimContainer
    now: Callable[[], float]
    user: str
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    columns: int = 80
    rows: int = 24

    @property
    def files(self) -> FileSystem:
        return self.container.view

    def path(self, text: str) -> str:
        if text == "~" or text.startswith("~/"):
            text = self.env.get("HOME", "/root") + text[1:]
        return clean(posixpath.join(self.folder, text))


Result = tuple[str, int]
Program = Callable[[Surroundings, Sequence[str], str], Result]


def letters_of(words: Sequence[str]) -> tuple[set[str], list[str]]:
    """Letters of the short options, and the other words."""
    letters = {
        letter for word in words if word.startswith("-") and len(word) > 1 for letter in word[1:]
    }
    return letters, [word for word in words if not (word.startswith("-") and len(word) > 1)]


def each_file(
    around: Surroundings, name: str, paths: Sequence[str]
) -> tuple[list[tuple[str, Node]], str]:
    """Nodes of readable files, and the complaints about the others."""
    found, complaints = [], ""
    for path in paths:
        try:
            _, node = around.files.find(around.path(path))
        except HttpError:
            complaints += f"{name}: {path}: No such file or directory\n"
            continue
        if node.is_folder:
            complaints += f"{name}: {path}: Is a directory\n"
        else:
            found.append((path, node))
    return found, complaints


def _cat(around: Surroundings, words: Sequence[str], given: str) -> Result:
    if not words:
        return given, 0
    found, complaints = each_file(around, "cat", words)
    return "".join(
        node.data.decode("utf-8", "surrogateescape") for _, node in found
    ) + complaints, int(bool(complaints))


def _lines_of(
    around: Surroundings, name: str, words: Sequence[str], given: str
) -> tuple[list[str], int, list[str]]:
    count, paths = 10, []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-n" and rest:
            count = int(rest.pop(0).lstrip("+-") or 10)
        elif word.startswith("-") and word[1:].isdigit():
            count = int(word[1:])
        elif not word.startswith("-"):
            paths.append(word)
    if not paths:
        return given.splitlines(keepends=True), count, []
    found, complaints = each_file(around, name, paths)
    text = "".join(node.data.decode("utf-8", "surrogateescape") for _, node in found)
    return text.splitlines(keepends=True), count, [complaints] if complaints else []


def _bytes_of(
    around: Surroundings, words: Sequence[str], given: str
) -> tuple[bytes, int, bool] | None:
    """For -c: all that would be read, the number after it, and whether that has a plus sign; None without -c."""
    rest = list(words)
    if "-c" not in rest[:-1]:
        return None
    at = rest.index("-c")
    number = rest[at + 1]
    text = _cat(around, [*rest[:at], *rest[at + 2 :]], given)[0]
    count = int(number.lstrip("+-")) if number.lstrip("+-").isdigit() else 0
    return text.encode("utf-8", "surrogateescape"), count, number.startswith("+")


def _head(around: Surroundings, words: Sequence[str], given: str) -> Result:
    if (found := _bytes_of(around, words, given)) is not None:
        return found[0][: found[1]].decode("utf-8", "surrogateescape"), 0
    lines, count, complaints = _lines_of(around, "head", words, given)
    return "".join([*lines[:count], *complaints]), int(bool(complaints))


def _tail(around: Surroundings, words: Sequence[str], given: str) -> Result:
    if (found := _bytes_of(around, words, given)) is not None:
        data, count, from_begin = found
        kept = data[max(count - 1, 0) :] if from_begin else data[max(len(data) - count, 0) :]
        return kept.decode("utf-8", "surrogateescape"), 0
    lines, count, complaints = _lines_of(around, "tail", words, given)
    return "".join([*lines[-count:], *complaints]), int(bool(complaints))


def _wc(around: Surroundings, words: Sequence[str], given: str) -> Result:
    letters, paths = letters_of(words)
    text = _cat(around, paths, given)[0]
    counts = [
        ("l", text.count("\n")),
        ("w", len(text.split())),
        ("c", len(text.encode("utf-8", "surrogateescape"))),
    ]
    shown = [str(count) for letter, count in counts if not letters or letter in letters]
    return " ".join(shown) + "\n", 0


def _ls(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, paths = letters_of(words)
    output, code = [], 0
    for position, path in enumerate(paths or ["."]):
        target = around.path(path)
        try:
            resolved, node = around.files.find(target)
        except HttpError:
            output.append(f"ls: {path}: No such file or directory\n")
            code = 1
            continue
        entries = (
            around.files.children(resolved)
            if node.is_folder and "d" not in letters
            else [(path, node)]
        )
        if "a" not in letters:
            entries = [
                (name, item) for name, item in entries if not name.startswith(".") or name == path
            ]
        if len(paths) > 1 and node.is_folder:
            output.append(("\n" if position else "") + f"{path}:\n")
        output.append(_listing(entries, "l" in letters, "1" in letters, around.columns))
    return "".join(output), code


def _listing(entries: Sequence[tuple[str, Node]], long: bool, single: bool, columns: int) -> str:
    if not entries:
        return ""
    if long:
        lines = []
        for name, node in entries:
            day = datetime.fromtimestamp(node.modified, UTC).strftime("%b %e %H:%M")
            owner = {0: "root", 1000: "app"}.get(node.uid, str(node.uid))
            arrow = f" -> {node.link}" if node.is_link else ""
            lines.append(
                f"{stat.filemode(node.mode)}    1 {owner:<8} {owner:<8} {len(node.data):>9} {day} {name}{arrow}\n"
            )
        return "".join(lines)
    if single:
        return "".join(f"{name}\n" for name, _ in entries)
    width = max(len(name) for name, _ in entries) + 2
    across = max(1, columns // width)
    names = [name for name, _ in entries]
    rows = [names[start : start + across] for start in range(0, len(names), across)]
    return "".join("".join(f"{name:<{width}}" for name in row).rstrip() + "\n" for row in rows)


def process_lines(
    container: SimContainer, now: float, shell: str = ""
) -> list[tuple[int, str, float, int, str]]:
    """The processes of a container: (pid inside, user, CPU percent, memory in bytes, command)."""
    command = " ".join(
        [*(container.config.get("Entrypoint") or ()), *(container.config.get("Cmd") or ())]
    )
    user = str(container.config.get("User") or "root")
    cpu, memory = container.cpu_percent(now), container.memory(now)
    lines = [(1, user, cpu * 0.6, int(memory * 0.6), command)]
    if container.program.logs in {"access", "postgres", "api"}:
        lines += [
            (
                20 + number,
                user,
                cpu * 0.2,
                int(memory * 0.2),
                f"{command.split()[0]}: worker process",
            )
            for number in range(2)
        ]
    if shell:
        lines.append((48, "root", 0.0, MIB, shell))
    return lines


def _ps(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    lines = ["PID   USER     TIME  COMMAND\n"]
    processes = process_lines(around.container, around.now(), "sh")
    lines += [
        f"{pid:>5} {user:<8} {int(cpu) // 60:>2}:{int(cpu) % 60:02d} {command}\n"
        for pid, user, cpu, _, command in processes
    ]
    return "".join([*lines, "   49 root      0:00 ps\n"]), 0


def top_screen(around: Surroundings) -> str:
    """One picture of `top`, as busybox draws it."""
    now = around.now()
    used = around.container.memory(now) // 1024
    lines = [
        f"Mem: {used}K used, {MEMORY // 1024 - used}K free, 0K shrd, 0K buff, 0K cached",
        f"CPU: {around.container.cpu_percent(now) / CPUS:4.0f}% usr   0% sys   0% nic  {100 - around.container.cpu_percent(now) / CPUS:3.0f}% idle",
        "Load average: 0.21 0.18 0.12 2/81 49",
        "\x1b[7m  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\x1b[0m",
    ]
    for pid, user, cpu, memory, command in process_lines(around.container, now, "sh"):
        lines.append(
            f"{pid:>5}     0 {user:<8} S    {memory // 1024:>5} {memory * 100 // MEMORY:>3}%   0 {cpu:>4.1f}% {command}"
        )
    lines = [line[: around.columns + 8] for line in lines[: max(around.rows - 1, 1)]]
    return "\x1b[H\x1b[J" + "\r\n".join(lines)


def _env(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    return "".join(f"{name}={value}\n" for name, value in around.env.items()), 0


def _echo(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    if words[:1] == ["-n"]:
        return " ".join(words[1:]), 0
    return " ".join(words) + "\n", 0


def _date(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    now = around.now()
    moment = datetime.fromtimestamp(now, UTC)
    if wanted := next((word[1:] for word in words if word.startswith("+")), ""):
        wanted = wanted.replace("%N", f"{int(now % 1 * 1e9):09d}").replace("%s", str(int(now)))
        return moment.strftime(wanted) + "\n", 0
    return moment.strftime("%a %b %e %H:%M:%S UTC %Y") + "\n", 0


def _df(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    if "/dev/shm" in words:
        size = int(around.container.host.get("ShmSize") or _SHM) // 1024
        head = "Filesystem           1K-blocks      Used Available Use% Mounted on\n"
        return f"{head}shm                  {size:>9}         0 {size:>9}   0% /dev/shm\n", 0
    used = (around.container.image.size + around.files.size()) // 1024
    return (
        f"Filesystem           1K-blocks      Used Available Use% Mounted on\noverlay              263112772 {used:>9} 249112772   {1 + used * 100 // 263112772}% /\n",
        0,
    )


def _free(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    used = around.container.memory(around.now()) // 1024
    return (
        f"              total        used        free\nMem:       {MEMORY // 1024:>8}    {used:>8}    {MEMORY // 1024 - used:>8}\n",
        0,
    )


def _uptime(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    minutes = int(around.now() - around.container.started) // 60
    clock = datetime.fromtimestamp(around.now(), UTC).strftime("%H:%M:%S")
    return (
        f" {clock} up {minutes // 60}:{minutes % 60:02d},  0 users,  load average: 0.21, 0.18, 0.12\n",
        0,
    )


def _uname(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    if words[:1] == ["-a"]:
        return (
            f"Linux {around.container.config.get('Hostname')} 6.6.0-sandbox #1 SMP x86_64 GNU/Linux\n",
            0,
        )
    return ("x86_64\n" if words[:1] == ["-m"] else "Linux\n"), 0


def _which(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    found = [
        path
        for word in words
        for path in (f"/bin/{word}", f"/usr/bin/{word}")
        if around.files.get(path)
    ]
    return "".join(f"{path}\n" for path in found), 0 if found else 1


def _mkdir(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, paths = letters_of(words)
    for path in paths:
        target = around.path(path)
        if around.files.get(target) is not None and "p" not in letters:
            return f"mkdir: can't create directory '{path}': File exists\n", 1
        if around.files.get(target) is None:
            around.files.put(target, folder_node(modified=around.now()))
    return "", 0


def _touch(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    for path in words:
        if around.files.get(around.path(path)) is None:
            around.files.put(around.path(path), file_node(b"", modified=around.now()))
    return "", 0


def _rm(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, paths = letters_of(words)
    for path in paths:
        target = around.path(path)
        node = around.files.get(target)
        if node is None:
            if "f" not in letters:
                return f"rm: can't remove '{path}': No such file or directory\n", 1
        elif node.is_folder and "r" not in letters:
            return f"rm: '{path}' is a directory\n", 1
        elif target == "/":
            return "rm: refusing to remove '/'\n", 1
        else:
            around.files.remove(target)
    return "", 0


def _wget(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    address = next((word for word in reversed(words) if not word.startswith("-")), "")
    host = re.sub(r"^https?://", "", address).split("/")[0].split(":")[0]
    if host in {"localhost", "127.0.0.1"}:
        return "ok\n", 0
    return f"wget: bad address '{host}': the sandbox reaches no network\n", 1


def _whoami(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    return f"{around.user}\n", 0


def _id(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    if "-un" in words:
        return f"{around.user}\n", 0
    number = {"root": 0, "app": 1000}.get(around.user, 1000)
    return f"uid={number}({around.user}) gid={number}({around.user})\n", 0


def _hostname(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    return f"{around.container.config.get('Hostname')}\n", 0


def _pwd(around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    return f"{around.folder}\n", 0


def _clear(_around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    return "\x1b[H\x1b[2J\x1b[3J", 0


def _exit_code(code: int) -> Program:
    return lambda _around, _words, _given: ("", code)


PROGRAMS: dict[str, Program] = {
    "cat": _cat,
    "clear": _clear,
    "curl": _wget,
    "date": _date,
    "df": _df,
    "echo": _echo,
    "env": _env,
    "false": _exit_code(1),
    "free": _free,
    "head": _head,
    "hostname": _hostname,
    "id": _id,
    "ls": _ls,
    "mkdir": _mkdir,
    "printenv": _env,
    "ps": _ps,
    "pwd": _pwd,
    "rm": _rm,
    "tail": _tail,
    "touch": _touch,
    "true": _exit_code(0),
    "uname": _uname,
    "uptime": _uptime,
    "wc": _wc,
    "wget": _wget,
    "which": _which,
    "whoami": _whoami,
}
