"""What the thing under the cursor is: what it does, what it costs, and where that is written."""

from __future__ import annotations

import re

from dockdesk.core.records import dataclass
from dockdesk.dockerfile import reference
from dockdesk.dockerfile.expand import Reference, references, scope_at
from dockdesk.dockerfile.mounts import mount_type
from dockdesk.dockerfile.reference import URL, Entry
from dockdesk.dockerfile.shell import SPACES, ExpansionError, expand
from dockdesk.dockerfile.stages import needed
from dockdesk.dockerfile.tree import Document, Flag, Instruction, Place, Stage
from dockdesk.dockerfile.vocabulary import EXPANDING

_IMAGE = re.compile(
    r"(?:(?P<registry>[^/@]*[.:][^/@]*|localhost)/)?(?P<path>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?\Z"
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Plain text for a popup, empty where it does not apply; ``place`` is what it is about."""

    title: str
    syntax: str
    text: str
    cache: str
    size: str
    section: str
    url: str
    place: Place


def explain(document: Document, line: int, column: int) -> Explanation | None:
    """What stands at a place, or None where nothing can be said."""
    for directive in document.directives:
        if directive.line == line and directive.place.holds(line, column):
            title = f"# {directive.name}={directive.value}"
            return _entry(title, reference.DIRECTIVES[directive.name], directive.place)
    instruction = document.instruction_at(line)
    if instruction is None or line in instruction.skipped:
        return None
    return _variable(document, instruction, line, column) or _part(
        document, instruction, line, column
    )


def _entry(title: str, entry: Entry, place: Place, more: str = "") -> Explanation:
    syntax, text, cache, size, section, anchor = entry
    return Explanation(title, syntax, text + more, cache, size, section, f"{URL}#{anchor}", place)


def _part(
    document: Document, instruction: Instruction, line: int, column: int
) -> Explanation | None:
    keyword = instruction.keyword
    if instruction.place.holds(line, column):
        entry = reference.INSTRUCTIONS.get(keyword)
        return _entry(keyword, entry, instruction.place) if entry else None
    for flag in instruction.flags:
        if flag.place.holds(line, column):
            return _flag(document, instruction, flag, line, column)
    for heredoc in instruction.heredocs:
        if heredoc.place.holds(line, column):
            return _heredoc(heredoc.name, heredoc.expand, instruction.keyword, heredoc.place)
    if instruction.inner:
        return _part(document, instruction.inner, line, column)
    if keyword == "FROM":
        return _from(document, instruction, line, column)
    for pair in instruction.pairs:
        if keyword in ("ARG", "ENV") and pair.name_place.holds(line, column):
            return _name(document, _after(instruction), pair.name, pair.name_place)
    return None


def _after(instruction: Instruction) -> int:
    return instruction.last + 1


def _flag(
    document: Document, instruction: Instruction, flag: Flag, line: int, column: int
) -> Explanation | None:
    keyword = instruction.keyword
    entry = reference.FLAGS.get((keyword, flag.name))
    if entry is None:
        return None
    name_end = flag.place.column + 2 + len(flag.name)
    on_name = line == flag.place.line and column <= name_end
    if flag.name == "from" and flag.value and not on_name:
        return _source(document, flag.value, flag.place, numbers=True) or _entry(
            "--from", entry, flag.place
        )
    if flag.name == "mount" and not on_name:
        for option in flag.options:
            if option.place.holds(line, column):
                if option.key == "from" and option.value:
                    found = _source(document, option.value, option.place, numbers=False)
                    if found:
                        return found
                return _option(flag, option.key, option.place)
    return _entry(f"{keyword} --{flag.name}", entry, flag.place)


def _option(flag: Flag, key: str, place: Place) -> Explanation | None:
    kind = mount_type(flag)
    entry = reference.MOUNTS.get(kind, reference.FLAGS["RUN", "mount"])
    if key == "type":
        return _entry(f"{kind or 'some'} mount", entry, place)
    name = reference.OPTION_ALIASES.get(key, key)
    text = reference.OPTIONS.get(name)
    if text is None:
        return None
    title = f"{key} of a {kind} mount" if kind else f"{key} of a mount"
    url = f"{URL}#{entry.anchor}"
    return Explanation(title, f"{key}=…", text, "", "", entry.section, url, place)


def _heredoc(name: str, expands: bool, keyword: str, place: Place) -> Explanation:
    if not expands:
        who = "The name is quoted: variables in it stay as they are."
    elif keyword == "RUN":
        who = "Variables in it are the shell's, when the command runs."
    else:
        who = f"Variables in it are filled in by the builder; quote the name (<<'{name}') to keep them."
    text = f"The lines up to {name} are given to the instruction as a file. {who} After <<- leading tabs do not count."
    return Explanation(
        f"Heredoc {name}",
        f"<<{name}",
        text,
        "Its text counts as the instruction's does.",
        "",
        "Here-Documents",
        f"{URL}#here-documents",
        place,
    )


def _from(
    document: Document, instruction: Instruction, line: int, column: int
) -> Explanation | None:
    words = instruction.arguments
    if words and words[0].place.holds(line, column):
        stage = document.stages[instruction.stage] if instruction.stage >= 0 else None
        if stage and stage.base_stage is not None:
            return _stage(document, document.stages[stage.base_stage], words[0].place)
        return _image(document, words[0].text, line, words[0].place)
    if len(words) >= 3 and words[2].place.holds(line, column) and instruction.stage >= 0:
        return _stage(document, document.stages[instruction.stage], words[2].place)
    if len(words) >= 2 and words[1].place.holds(line, column):
        return _entry("AS", reference.INSTRUCTIONS["FROM"], words[1].place)
    return None


def _source(document: Document, name: str, place: Place, *, numbers: bool) -> Explanation | None:
    stage: Stage | None = document.stage_named(name)
    if numbers and name.isascii() and name.isdecimal():
        index = int(name[:9])
        stage = document.stages[index] if index < len(document.stages) else None
    if stage:
        return _stage(document, stage, place)
    return None if "$" in name else _image(document, name, place.line, place)


def _stage(document: Document, stage: Stage, place: Place) -> Explanation:
    steps = sum(each.keyword in ("RUN", "COPY", "ADD", "WORKDIR") for each in stage.instructions)
    base = stage.base or "nothing yet"
    text = f"Lines {stage.line + 1} to {stage.last + 1}, built on {base}, {steps} steps."
    others = [
        document.stages[index].name or str(index) for index in needed(document, stage.index)[:-1]
    ]
    if others:
        text += f" It needs {', '.join(others)}."
    users = [
        each.name
        or ("the last stage" if each.index == len(document.stages) - 1 else f"stage {each.index}")
        for each in document.stages
        if any(source.stage == stage.index for source in each.inputs)
    ]
    last = stage.index == len(document.stages) - 1
    if users:
        text += f" Used by {', '.join(users)}."
    elif last:
        text += " The last stage: what a build makes unless another target is asked for."
    else:
        text += " Nothing uses it: it is built only as a target."
    comments = " ".join(comment.text for comment in stage.instruction.comments)
    return Explanation(
        f"Stage {stage.name or stage.index}",
        f"FROM {stage.base}" + (f" AS {stage.name}" if stage.name else ""),
        f"{comments}\n{text}" if comments else text,
        "Run only where the target needs it; its steps are cached one by one.",
        "Its layers are the image's own."
        if last
        else "Left behind, but for what is copied from it or built on it.",
        "FROM",
        f"{URL}#from",
        place,
    )


def _image(document: Document, written: str, line: int, place: Place) -> Explanation | None:
    try:
        name = expand(written, scope_at(document, line).lookup, document.escape).text
    except ExpansionError as error:
        return Explanation(
            written, "", f"The build stops here: {error}.", "", "", "FROM", f"{URL}#from", place
        )
    if name == "scratch":
        text = "Nothing at all: the stage begins empty, without a shell, for a program that needs no other files."
        return Explanation(
            "scratch", "FROM scratch", text, "", "It adds no bytes.", "FROM", f"{URL}#from", place
        )
    found = _IMAGE.match(name)
    if not found:
        return None
    registry = found["registry"] or "docker.io"
    path = found["path"]
    if registry == "docker.io" and "/" not in path:
        path = f"library/{path}"
    text = f"The image {path} of the registry {registry}"
    if found["digest"]:
        text += f", pinned to {found['digest'][:19]}…."
        cache = "Pinned by digest: the same bytes at every build."
    else:
        text += f", tag {found['tag'] or 'latest (none is named)'}."
        cache = "A tag may move: with a newer image everything in this stage runs again. A digest pins it."
    if name != written:
        text += f" Written {written}, with default values."
    return Explanation(name, "", text, cache, "", "FROM", f"{URL}#from", place)


def _variable(
    document: Document, instruction: Instruction, line: int, column: int
) -> Explanation | None:
    """The variable under the cursor; for the shell's own forms too, as far as ARG and ENV set it."""
    for heredoc in instruction.heredocs:
        if heredoc.first <= line < heredoc.last and heredoc.expand:
            text = document.lines[line]
            for found in references(text, quotes=False):
                if found.start <= column <= found.end:
                    place = Place(line, found.start, line, found.end)
                    return _reference(document, instruction, found, place)
            return None
    offset = instruction.source.offset(line, column)
    if offset is None:
        return None
    # Of those around the cursor the innermost: ${a:-$b}.
    escape = "\\" if instruction.keyword == "RUN" else document.escape
    around = [
        each for each in references(instruction.text, escape) if each.start <= offset <= each.end
    ]
    if not around:
        return None
    found = around[-1]
    place = instruction.source.place(found.start, found.end)
    return _reference(document, instruction, found, place)


def _reference(
    document: Document, instruction: Instruction, found: Reference, place: Place
) -> Explanation:
    holder = instruction.inner or instruction
    made = _name(document, instruction.first, found.name, place)
    in_flags = bool(holder.flags) and place[2:] <= holder.flags[-1].place[2:]
    if holder.keyword in EXPANDING or in_flags:
        return made
    note = "The shell fills it in when the command runs, so the command may have set it too."
    if holder.form == "json":
        note = "No shell reads an exec form: it stays as it is, unless the program expands it."
    return Explanation(
        made.title,
        made.syntax,
        f"{made.text} {note}",
        made.cache,
        made.size,
        made.section,
        made.url,
        place,
    )


def _name(document: Document, line: int, name: str, place: Place) -> Explanation:
    variable = scope_at(document, line).variable(name)
    if name in reference.AUTOMATIC and variable.kind in ("automatic", "global"):
        text = f"{name} is {reference.AUTOMATIC[name]}. {variable.why}"
    elif variable.unset:
        text = f"Unset. {variable.why}"
    elif variable.value is None:
        text = f"Known only at the build. {variable.why}"
    else:
        text = f"{variable.value or '(empty)'}\n{variable.why}"
    kind = {"arg": "ARG", "global": "Global ARG", "env": "ENV"}.get(variable.kind, "Variable")
    entry = reference.INSTRUCTIONS["ENV" if variable.kind == "env" else "ARG"]
    section, anchor = entry.section, entry.anchor
    if variable.kind == "automatic":
        section = "Automatic platform ARGs in the global scope"
        anchor = "automatic-platform-args-in-the-global-scope"
    elif variable.kind == "predefined":
        section, anchor = "Predefined ARGs", "predefined-args"
    elif variable.kind in ("base", "unknown"):
        section, anchor = "Environment replacement", "environment-replacement"
    return Explanation(
        f"{kind} {name}",
        f"${{{name.strip(SPACES)}}}",
        text,
        entry.cache if variable.kind in ("arg", "global", "env") else "",
        "",
        section,
        f"{URL}#{anchor}",
        place,
    )
