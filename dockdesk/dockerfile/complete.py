"""What could stand at the cursor.

It answers at once: what the outside knows (files, images, tags) comes from `Sources`, which give what they have cached.
"""

from __future__ import annotations

from collections.abc import Iterable

from dockdesk.core.records import dataclass
from dockdesk.dockerfile import commonplace, reference
from dockdesk.dockerfile.expand import scope_at
from dockdesk.dockerfile.proposals import (
    Choice,
    Item,
    ItemKind,
    NoSources,
    Sources,
    arg_names,
    described,
    files_like,
    from_snippet,
    images_like,
    mount_ids,
    plain,
    stages_above,
    tags_of,
    users_known,
)
from dockdesk.dockerfile.spot import Spot, find_spot
from dockdesk.dockerfile.tree import Document, Place
from dockdesk.dockerfile.vocabulary import (
    DIRECTIVES,
    FLAGS,
    INSTRUCTIONS,
    MOUNT_KEYS,
    MOUNT_TYPES,
    PROXY_ARGS,
    SHARING,
    flag_rule,
)

__all__ = ["Completions", "Item", "ItemKind", "NoSources", "Sources", "complete"]


@dataclass(frozen=True, slots=True)
class Completions:
    """What could stand in ``place``, the range to be replaced, the likeliest first."""

    items: tuple[Item, ...]
    place: Place


def complete(
    document: Document, line: int, column: int, sources: Sources | None = None
) -> Completions:
    """What could stand at a place. What has been typed of it filters, without regard to case."""
    known = sources or NoSources()
    choice = _choose(document, line, column, known)
    wanted = choice.typed.lower()
    first: list[Item] = []
    rest: list[Item] = []
    for item in choice.items:
        label = item.label.lower()
        if label.startswith(wanted):
            first.append(item)
        elif len(wanted) > 1 and wanted in label:
            rest.append(item)
    place = Place(line, max(column - len(choice.typed), 0), line, column)
    return Completions(tuple(_unique(first + rest)), place)


def _unique(items: Iterable[Item]) -> list[Item]:
    return list({(item.label, item.kind): item for item in items}.values())


def _choose(document: Document, line: int, column: int, sources: Sources) -> Choice:
    directive = _directives(document, line, column)
    if directive is not None:
        return directive
    spot = find_spot(document, line, column)
    if spot is None:
        return Choice([], "")
    if spot.variable is not None:
        return Choice(_variables(document, line, spot), spot.variable)
    if spot.in_heredoc:
        return Choice([], "")
    if not spot.keyword:
        return Choice(_instructions(document, spot), spot.token)
    if spot.token.startswith("-") and not spot.words:
        return _flags(document, spot, sources)
    return _arguments(document, spot, sources)


def _directives(document: Document, line: int, column: int) -> Choice | None:
    """Names and values of directives, on a comment at the top."""
    if line >= len(document.lines) or not document.lines[line].startswith("#"):
        return None
    others = {directive.name for directive in document.directives if directive.line != line}
    if sum(directive.line < line for directive in document.directives) < line:
        return Choice([], "")
    head = document.lines[line][1:column]
    name, equals, value = head.partition("=")
    if not equals:
        items = [
            Item(each, f"{each}=", "directive", "parser directive", reference.DIRECTIVES[each].text)
            for each in DIRECTIVES
            if each not in others
        ]
        return Choice(items, name.lstrip())
    values = {"syntax": commonplace.SYNTAXES, "escape": ("`", "\\"), "check": commonplace.CHECKS}
    known = values.get(name.strip().lower(), ())
    return Choice([Item(each, each, "value") for each in known], value.lstrip())


def _instructions(document: Document, spot: Spot) -> list[Item]:
    """Instructions where they may stand, and snippets at the beginning of a line."""
    if spot.onbuild:
        names = [name for name in INSTRUCTIONS if name not in ("FROM", "ONBUILD", "MAINTAINER")]
    elif spot.before_from:
        names = ["FROM", "ARG"]
    else:
        names = [name for name in INSTRUCTIONS if name != "MAINTAINER"]
    items = []
    for name in names:
        entry = reference.INSTRUCTIONS[name]
        items.append(Item(name, f"{name} ", "instruction", entry.syntax, entry.text))
    if not spot.onbuild:
        items += [
            from_snippet(snippet, document.escape)
            for snippet in commonplace.SNIPPETS
            if not spot.before_from or snippet.label == "stage"
        ]
    return items


def _variables(document: Document, line: int, spot: Spot) -> list[Item]:
    scope = scope_at(document, line)
    items = []
    close = "}" if spot.braced and not spot.closed else ""
    for name, variable in reversed(scope.known.items()):
        if (
            variable.kind == "automatic"
            and spot.keyword not in ("FROM", "")
            and variable.line is None
        ):
            continue
        value = "known at the build" if variable.value is None else variable.value
        items.append(Item(name, name + close, "variable", value, variable.why))
    if spot.keyword == "RUN":
        items += [
            Item(each, each + close, "variable", "where a proxy is given") for each in PROXY_ARGS
        ]
    return items


def _flags(document: Document, spot: Spot, sources: Sources) -> Choice:
    name, equals, value = spot.token.partition("=")
    name = name.lstrip("-")
    if not equals:
        return Choice(_flag_names(spot), spot.token)
    if name == "mount" and spot.keyword == "RUN":
        return _mount(document, spot, value, sources)
    typed, items = value, _flag_values(document, spot, name, sources, value)
    if name == "from" and (tags := tags_of(value, sources)):
        return tags
    return Choice(items, typed)


def _flag_names(spot: Spot) -> list[Item]:
    items = []
    for rule in FLAGS.get(spot.keyword, ()):
        if rule.name in spot.flags and rule.kind != "list":
            continue
        entry = reference.FLAGS[spot.keyword, rule.name]
        insert = f"--{rule.name}" + ("" if rule.kind == "bool" else "=")
        since = f"Dockerfile {rule.since}" if rule.since else entry.syntax
        items.append(Item(f"--{rule.name}", insert, "flag", since, entry.text))
    return items


def _flag_values(
    document: Document, spot: Spot, name: str, sources: Sources, value: str
) -> list[Item]:
    rule = flag_rule(spot.keyword, name)
    if rule is None:
        return []
    if rule.kind == "bool":
        return plain(("true", "false"))
    if rule.values:
        return plain(rule.values)
    if name == "platform":
        return plain(commonplace.PLATFORMS)
    if name == "from":
        return stages_above(document, spot, numbers=True) + images_like(value, sources)
    if name == "chown":
        return users_known(document, spot)
    if name == "chmod":
        return plain(commonplace.MODES)
    if name == "exclude":
        return files_like(value, sources) + plain(("*.md", "**/*_test.*"))
    if name == "retries":
        return plain(("3", "5"))
    if spot.keyword == "HEALTHCHECK":
        return plain(commonplace.DURATIONS)
    return plain(("sha256:",)) if name == "checksum" else []


def _mount(document: Document, spot: Spot, value: str, sources: Sources) -> Choice:
    """Options of a mount by its type, and their values."""
    *before, field = value.split(",")
    given = [each.partition("=") for each in before]
    keys = {key.lower() for key, *_ in given}
    kind = next((content.lower() for key, _, content in given if key.lower() == "type"), "bind")
    key, equals, content = field.partition("=")
    if equals:
        return _mount_value(document, spot, kind, key.lower(), content, sources)
    names = [each for each in MOUNT_KEYS.get(kind, ()) if each not in reference.OPTION_ALIASES]
    if "type" not in keys:
        names.insert(0, "type")
    items = []
    for name in names:
        if name in keys:
            continue
        bare = name in ("readonly", "readwrite", "required")
        insert = name if bare else f"{name}="
        items.append(Item(name, insert, "option", f"{kind} mount", reference.OPTIONS[name]))
    return Choice(items, field)


def _mount_value(
    document: Document, spot: Spot, kind: str, key: str, content: str, sources: Sources
) -> Choice:
    key = reference.OPTION_ALIASES.get(key, key)
    items: list[Item] = []
    if key == "type":
        items = [Item(each, each, "value", "", reference.MOUNTS[each].text) for each in MOUNT_TYPES]
    elif key == "sharing":
        items = plain(SHARING)
    elif key == "from":
        tags = tags_of(content, sources)
        if tags:
            return tags
        items = stages_above(document, spot, numbers=False) + images_like(content, sources)
    elif key in ("readonly", "readwrite", "required"):
        items = plain(("true", "false"))
    elif key == "source" and kind == "bind":
        items = files_like(content, sources)
    elif key == "target" and kind == "cache":
        items = described(commonplace.CACHES)
    elif key == "target" and kind == "bind":
        items = plain(".")
    elif key in ("uid", "gid"):
        items = plain(("0", "1000"))
    elif key == "mode":
        items = plain(("0755", "0700", "0400"))
    elif key == "size":
        items = plain(("64m", "1g"))
    elif key == "id":
        items = plain(mount_ids(document, kind))
    return Choice(items, content)


def _arguments(document: Document, spot: Spot, sources: Sources) -> Choice:
    keyword, token = spot.keyword, spot.token
    number = len(spot.words)
    items: list[Item] = []
    if keyword == "FROM":
        return _from(document, spot, sources)
    if keyword in ("COPY", "ADD"):
        if "from" not in spot.flags:
            items = files_like(token, sources)
        if number:
            items += plain(("./", *(f"{folder}/" for folder in commonplace.FOLDERS)))
    elif keyword == "HEALTHCHECK" and not number:
        items = [Item("CMD", "CMD ", "keyword"), Item("NONE", "NONE", "keyword")]
    elif keyword == "ARG":
        items = arg_names(document)
    elif keyword == "STOPSIGNAL":
        items = described(commonplace.SIGNALS)
    elif keyword == "USER" and not number:
        items = users_known(document, spot)
    else:
        items = _plain_arguments(keyword, number)
    if not number and not token:
        items = items + _flag_names(spot)
    return Choice(items, token)


def _plain_arguments(keyword: str, number: int) -> list[Item]:
    """What an instruction commonly says, whatever the file."""
    if keyword == "EXPOSE":
        return described(commonplace.PORTS)
    if keyword == "ENV":
        return described(commonplace.ENVIRONMENT)
    if keyword == "LABEL":
        return [
            Item(key, f'{key}=""', "value", detail, stops=((len(key) + 2, len(key) + 2),))
            for key, detail in commonplace.LABELS.items()
        ]
    if number:
        return []
    if keyword == "SHELL":
        return described(commonplace.SHELLS)
    if keyword == "WORKDIR":
        return plain(commonplace.FOLDERS)
    if keyword in ("CMD", "ENTRYPOINT"):
        detail = "exec form: no shell, signals arrive"
        return [Item('["…"]', '["", ""]', "snippet", detail, stops=((2, 2), (6, 6)))]
    if keyword == "VOLUME":
        return [Item('["/data"]', '["/data"]', "value", stops=((2, 7),))]
    return []


def _from(document: Document, spot: Spot, sources: Sources) -> Choice:
    number, token = len(spot.words), spot.token
    if number == 0:
        tags = tags_of(token, sources)
        if tags:
            return tags
        items = stages_above(document, spot, numbers=False) + images_like(token, sources)
        items.append(Item("scratch", "scratch", "image", "nothing at all"))
        return Choice(items + ([] if token else _flag_names(spot)), token)
    if number == 1:
        return Choice([Item("AS", "AS ", "keyword", "names the stage")], token)
    return Choice(plain(("base", "build", "test", "final")) if number == 2 else [], token)
