"""Rules of architecture that import-linter cannot see: the standard library only, parts of Qt, and what runs at start.

The contracts between packages stand in pyproject.toml, each with its reason.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dockdesk"

# What each layer may import of the outside, beyond the standard library and DockDesk itself.
MAY_IMPORT = {
    "core": set[str](),
    "wire": {"h2"},
    "runspec": {"yaml"},
    "dockerfile": {"yaml"},
    "bridge": {"shiboken6", "PySide6.QtCore", "watchfiles"},
    "models": {"shiboken6", "PySide6.QtCore", "PySide6.QtGui"},
}

# Layers that helper processes and the command line use, where Qt may not even be installed.
WITHOUT_QT = ("core", "wire", "runspec", "dockerfile", "backends", "doctor")

# Each costs from 80 to 290 ms of the first paint.
HEAVY = (
    "docker",
    "requests",
    "boto3",
    "pyqtgraph",
    "numpy",
    "keyring",
    "yaml",
    "dockdesk.backends",
)


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Modules that a file imports anywhere, functions too, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "PySide6":
                yield from ((f"PySide6.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def modules_of(*layers: str) -> list[str]:
    found = []
    for layer in layers:
        files = sources(PACKAGE / layer) + [
            path for path in [PACKAGE / f"{layer}.py"] if path.exists()
        ]
        for path in files:
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_it_may(layer: str) -> None:
    assert sources(PACKAGE / layer)
    strangers = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(PACKAGE / layer)
        for module, line in imported(path)
        if (top := module.partition(".")[0]) not in sys.stdlib_module_names
        and top != "dockdesk"
        and not {module, top} & MAY_IMPORT[layer]
    ]
    assert not strangers, "\n".join(strangers)


def test_pieces_of_panes_that_are_data_need_no_qt() -> None:
    """Columns and actions of a pane are tested, and listed in the palette, without making a widget."""
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(PACKAGE / "ui" / "panes")
        if path.name in {"columns.py", "actions.py"}
        for module, line in imported(path)
        if module.startswith(("PySide6", "shiboken6"))
    ]
    assert not found, "\n".join(found)


def test_only_the_start_imports_the_composition_root() -> None:
    importers = [
        str(path.relative_to(ROOT))
        for path in sources(PACKAGE)
        for module, _ in imported(path)
        if module == "dockdesk.app" or module.startswith("dockdesk.app.")
        if path.name not in {"start.py", "app.py"}
    ]
    assert not importers


def test_layers_without_qt_import_where_qt_is_absent() -> None:
    modules = modules_of(*WITHOUT_QT)
    assert "dockdesk.core.ports" in modules
    assert "dockdesk.backends" in modules
    done = python(
        "import importlib, sys\n"
        "for name in ('PySide6', 'shiboken6', 'pyqtgraph'): sys.modules[name] = None\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print('all imported')\n"
    )
    assert done.returncode == 0, done.stderr
    assert "all imported" in done.stdout


def test_the_window_imports_nothing_heavy() -> None:
    """First paint waits for what the shell imports; SDKs and chart libraries come after it, off the GUI thread."""
    modules = modules_of("ui/shell")
    assert modules
    done = python(
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    assert done.returncode == 0, done.stderr
    assert "heavy: []" in done.stdout


def test_void_calls_of_qt_keep_none_alive() -> None:
    """Some builds of PySide6 lose a reference to None with each call and abort after some thousand of them."""
    done = python(
        "import os\n"
        "os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from PySide6.QtCore import QObject, Signal\n"
        "from PySide6.QtWidgets import QApplication, QLabel\n"
        "class Bell(QObject):\n"
        "    rang = Signal()\n"
        "app = QApplication([])\n"
        "label, bell = QLabel(), Bell()\n"
        "for count in range(20_000):\n"
        "    label.setText('some text'); label.update(); bell.rang.emit()\n"
        "print('alive')\n"
    )
    assert done.returncode == 0, done.stderr
    assert "alive" in done.stdout


def test_files_stay_readable() -> None:
    """About 400 lines is the guide; past 600 a file has two subjects and is split."""
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(PACKAGE)
    }
    long = {str(path): lines for path, lines in lengths.items() if lines > 450}
    if long:
        print("over 450 lines:", long)
    assert not {path: lines for path, lines in long.items() if lines > 600}
