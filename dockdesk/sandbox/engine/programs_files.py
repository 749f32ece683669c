"""Programs of the sandbox's shell that change files, and `test`."""

from __future__ import annotations

import ast
import operator
import posixpath
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace

from dockdesk.sandbox.engine.filesystem import Node, file_node, link_node
from dockdesk.sandbox.engine.programs import Program, Result, Surroundings
from dockdesk.sandbox.engine.programs_text import TEXT_PROGRAMS

_MOST_BYTES = 64 << 20
_MOST_LINES = 200_000
_ESCAPES = {"033": "\033", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_SUMS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNITS = {"k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "c": 1, "b": 512}


def _words(words: Sequence[str]) -> tuple[str, list[str]]:
    """The letters of all options, and the other words."""
    letters = "".join(word[1:] for word in words if word.startswith("-") and len(word) > 1)
    return letters, [word for word in words if not word.startswith("-") or word == "-"]


def _into(around: Surroundings, source: str, target: str) -> str:
    """Where a copy of ``source`` goes: into a folder under its own name, else to the name itself."""
    path = around.path(target)
    node = around.files.get(around.files.resolve(path))
    if node is not None and node.is_folder:
        return posixpath.join(path, posixpath.basename(around.path(source)))
    return path


def _ln(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, names = _words(words)
    if len(names) != 2:
        return "ln: a target and a name are needed\n", 1
    path = _into(around, names[0], names[1])
    if around.files.get(path) is not None and "f" not in letters:
        return f"ln: {names[1]}: File exists\n", 1
    if "s" in letters:
        around.files.put(path, link_node(names[0], around.now()))
    else:
        _, node = around.files.find(around.path(names[0]))
        around.files.put(path, node)
    return "", 0


def _nodes(around: Surroundings, paths: Sequence[str], below: bool) -> list[tuple[str, Node]]:
    """The nodes at paths, and all below them where asked for. Raises HttpError 404."""
    found: list[tuple[str, Node]] = []
    for path in paths:
        resolved, node = around.files.find(around.path(path))
        found += around.files.walk(resolved) if below else [(resolved, node)]
    return found


def _chmod(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, names = _words(words)
    if len(names) < 2:
        return "chmod: a mode and a file are needed\n", 1
    try:
        mode = int(names[0], 8)
    except ValueError:
        if names[0] not in {"+x", "a+x", "u+x"}:
            return f"chmod: invalid mode '{names[0]}'\n", 1
        mode = -1
    for path, node in _nodes(around, names[1:], "R" in letters):
        bits = stat.S_IMODE(node.mode) | 0o111 if mode < 0 else mode
        around.files.put(path, replace(node, mode=stat.S_IFMT(node.mode) | bits))
    return "", 0


def _chown(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, names = _words(words)
    user, _, group = (names or [""])[0].partition(":")
    if len(names) < 2 or not user.isdigit() or (group and not group.isdigit()):
        return f"chown: unknown user {user}\n", 1
    for path, node in _nodes(around, names[1:], "R" in letters):
        gid = int(group) if group else node.gid
        around.files.put(path, replace(node, uid=int(user), gid=gid))
    return "", 0


def _mkfifo(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    for name in _words(words)[1]:
        if around.files.get(around.path(name)) is not None:
            return f"mkfifo: {name}: File exists\n", 1
        around.files.put(around.path(name), Node(stat.S_IFIFO | 0o644, modified=around.now()))
    return "", 0


def _cp(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    letters, names = _words(words)
    if len(names) < 2:
        return "cp: a source and a target are needed\n", 1
    for name in names[:-1]:
        source, node = around.files.find(around.path(name))
        if node.is_folder and not set(letters) & {"r", "R", "a"}:
            return f"cp: omitting directory '{name}'\n", 1
        target = _into(around, name, names[-1])
        for path, below in list(around.files.walk(source)):
            around.files.put(target + path[len(source) :], replace(below, modified=around.now()))
    return "", 0


def _mv(around: Surroundings, words: Sequence[str], given: str) -> Result:
    names = _words(words)[1]
    told, code = _cp(around, ["-a", *names], given)
    if not code:
        for name in names[:-1]:
            around.files.remove(around.files.resolve(around.path(name)))
    return told.replace("cp:", "mv:"), code


def _dd(around: Surroundings, words: Sequence[str], given: str) -> Result:
    """Zeros, or what it is given, in so many blocks."""
    options = dict(word.partition("=")[::2] for word in words)
    size = _bytes(options.get("bs", "512"))
    count = _bytes(options.get("count", "1"))
    if size < 0 or count < 0 or size * count > _MOST_BYTES:
        return "dd: invalid number\n", 1
    data = given.encode("utf-8", "surrogateescape") if "if" not in options else bytes(size * count)
    if options.get("if", "/dev/zero") != "/dev/zero":
        data = around.files.find(around.path(options["if"]))[1].data[: size * count]
    if "of" not in options:
        return data.decode("utf-8", "surrogateescape"), 0
    around.files.put(around.path(options["of"]), file_node(data, modified=around.now()))
    return "", 0


def _bytes(text: str) -> int:
    number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    return int(number) * unit if number.isdigit() else -1


def _test(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    words = [word for word in words if word != "]"]
    negated = words[:1] == ["!"]
    words = words[1:] if negated else words
    return "", int(_holds(around, list(words)) == negated)


def _holds(around: Surroundings, words: list[str]) -> bool:
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 3 and words[1] in {"=", "==", "!="}:
        return (words[0] == words[2]) == (words[1] != "!=")
    if len(words) == 3 and all(word.lstrip("-").isdigit() for word in (words[0], words[2])):
        left, right = int(words[0]), int(words[2])
        known = {"-eq": left == right, "-ne": left != right, "-lt": left < right}
        known |= {"-gt": left > right, "-le": left <= right, "-ge": left >= right}
        return known.get(words[1], False)
    if len(words) != 2:
        return False
    kind, text = words
    if kind in {"-z", "-n"}:
        return bool(text) == (kind == "-n")
    path = around.path(text)
    if kind in {"-h", "-L"}:
        node = around.files.get(path)
        return node is not None and node.is_link
    node = around.files.get(around.files.resolve(path))
    if node is None:
        return False
    kinds = {"-d": node.is_folder, "-f": stat.S_ISREG(node.mode), "-p": stat.S_ISFIFO(node.mode)}
    kinds["-S"] = stat.S_ISSOCK(node.mode)
    kinds |= {"-e": True, "-r": True, "-w": True, "-s": bool(node.data)}
    return kinds.get(kind, bool(node.mode & 0o111))


def _seq(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    numbers = [int(word) for word in words if word.lstrip("-").isdigit()]
    if not 1 <= len(numbers) <= 2 or len(numbers) != len(words):
        return "seq: one or two whole numbers are needed\n", 1
    first, last = (1, numbers[0]) if len(numbers) == 1 else numbers
    if last - first > _MOST_LINES:
        return "seq: too many numbers for a simulation\n", 1
    return "".join(f"{number}\n" for number in range(first, last + 1)), 0


def _printf(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    if not words:
        return "printf: a format is needed\n", 1
    values, text = list(words[1:]), ""

    def filled(match: re.Match[str]) -> str:
        value = values.pop(0) if values else ""
        return value if match[1] == "s" else str(int(value) if value.lstrip("-").isdigit() else 0)

    while True:  # once, and again for as long as there are values for it
        left = len(values)
        text += re.sub(r"%([sd])", filled, words[0])
        if not values or len(values) == left:
            break
    return re.sub(r"\\(033|n|t|r|\\)", lambda match: _ESCAPES[match[1]], text), 0


def _stty(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    return (f"{around.rows} {around.columns}\n", 0) if "size" in words else ("", 0)


def reckoned(text: str) -> int:
    """What ``$((...))`` comes to; 0 where it can't be understood."""
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return 0


def _value(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _SUMS:
        return _SUMS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not simple arithmetic")


FILE_PROGRAMS: dict[str, Program] = {
    **TEXT_PROGRAMS,
    "[": _test,
    "chmod": _chmod,
    "chown": _chown,
    "cp": _cp,
    "dd": _dd,
    "ln": _ln,
    "mkfifo": _mkfifo,
    "mv": _mv,
    "printf": _printf,
    "seq": _seq,
    "stty": _stty,
    "test": _test,
}
