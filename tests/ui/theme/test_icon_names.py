"""Every icon that the code names is shipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dockdesk
from dockdesk.ui.theme.data import shipped

PACKAGE = Path(dockdesk.__file__).parent


def shipped_icons() -> set[str]:
    return {
        Path(item.name).stem for item in shipped("icons").iterdir() if item.name.endswith(".svg")
    }


def strings(node: ast.expr) -> Iterator[str]:
    for found in ast.walk(node):
        if isinstance(found, ast.Constant) and isinstance(found.value, str):
            yield found.value


def named_icons(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names given to `icon(…)`, `pixmap(…)`, to an ``icon`` argument, or assigned to something called ``icon``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if called in {"icon", "pixmap"} and node.args:
                yield from ((name, node.lineno) for name in strings(node.args[0]))
            name_of = getattr(node.func, "id", "")
            # Action(id, title, icon, …) and the helpers that make actions of the window.
            if name_of in {"Action", "_opens"} and len(node.args) > 2:
                yield from ((name, node.lineno) for name in strings(node.args[2]))
            for keyword in node.keywords:
                if keyword.arg == "icon":
                    yield from ((name, node.lineno) for name in strings(keyword.value))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(target, "id", "").lower().endswith("icon") for target in targets):
                yield from ((name, node.lineno) for name in strings(node.value))


def test_named_icons_are_shipped() -> None:
    there = shipped_icons()
    missing = []
    count = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, line in named_icons(ast.parse(path.read_text("utf-8"))):
            count += 1
            if name and name not in there:
                missing.append(f"{path.relative_to(PACKAGE)}:{line}: {name}")
    assert count
    assert not missing, "\n".join(missing)


def test_icons_of_actions_and_panes_are_shipped() -> None:
    from dockdesk.ui.panes.registry import PANES
    from dockdesk.ui.shell.shell_actions import MENUS

    used = {action.icon: action.id for _title, actions in MENUS for action in actions}
    for entry in PANES:
        used |= {entry.icon: entry.id} | {action.icon: action.id for action in entry.actions()}
    missing = {icon: id for icon, id in used.items() if icon and icon not in shipped_icons()}
    assert used
    assert not missing
