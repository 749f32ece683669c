"""The command `dockdesk`: reads its arguments, and imports no more than they ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dockdesk
from dockdesk.options import Options

if TYPE_CHECKING:
    import argparse

COMMANDS = frozenset(("doctor", "sandbox", "pictures"))
VNC_PORT = 5900
SIZE = Options.size
NO_DISPLAY = (
    "There is no display. Start with --vnc to see DockDesk in a VNC viewer (on this computer only), "
    "or draw it with: dockdesk pictures --out FOLDER"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run DockDesk; return the process's exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["doctor"]:
        from dockdesk.doctor import main as doctor

        return doctor(arguments[1:])
    if arguments[:1] == ["sandbox"]:
        from dockdesk.sandbox.main import main as sandbox

        return sandbox(arguments[1:])
    if arguments[:1] == ["helper"]:  # how a packaged program calls itself
        from dockdesk.bridge.helper_main import main as helper

        helper(arguments[1:])
    options = Options()
    if arguments:
        make_parser(COMMANDS.isdisjoint(arguments)).parse_args(arguments, options)
        options.paths = [os.path.abspath(path) for path in options.paths]
    if options.command == "pictures":
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from dockdesk.start import draw

        return draw(options)
    if options.vnc is not None:
        os.environ["QT_QPA_PLATFORM"] = f"vnc:size={options.size}:port=0"
    elif not has_display():
        print(NO_DISPLAY, file=sys.stderr)
        return 2
    from dockdesk.start import run

    return run(options)


def has_display() -> bool:
    """Whether a window can be shown, or the user has said how."""
    if sys.platform in ("win32", "darwin"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)


def make_parser(paths: bool = False) -> argparse.ArgumentParser:
    """For a command, or with ``paths`` for files and folders in its place: argparse can't have both."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="dockdesk",
        usage="dockdesk [OPTION …] [PATH …]\n       dockdesk [OPTION …] COMMAND …",
        description="A fast desktop application for containers. "
        "Dockerfiles and folders given as PATH are opened for editing; "
        f"one that is called as a command is given as ./{min(COMMANDS)}.",
        epilog="dockdesk doctor [--json] says what can be reached, and what to do about what can't.",
    )
    parser.add_argument("--version", action="version", version=f"dockdesk {dockdesk.__version__}")
    parser.add_argument("--demo", action="store_true", help="use the built-in sandbox")
    parser.add_argument(
        "--vnc",
        nargs="?",
        type=_port,
        const=VNC_PORT,
        metavar="PORT",
        help=f"show the window to a VNC viewer on this computer (port {VNC_PORT} by default)",
    )
    parser.add_argument("--size", type=_size, help="of the VNC screen, such as 1440x900")
    if paths:
        parser.add_argument("paths", nargs="*", metavar="PATH", help="open this file or folder")
        parser.add_argument_group(
            "commands", "doctor, sandbox, pictures: COMMAND --help tells more"
        )
        return parser
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog="dockdesk")
    commands.add_parser("doctor", help="say what can be reached, and what to do about the rest")
    commands.add_parser("sandbox", help="serve the simulated engine alone, for docker and any SDK")
    pictures = commands.add_parser(
        "pictures", help="draw the panes to PNG files, without a display"
    )
    pictures.add_argument("--out", required=True, metavar="FOLDER", help="where the files go")
    pictures.add_argument(
        "--pane", action="append", metavar="ID", help="this pane only (repeatable)"
    )
    pictures.add_argument(
        "--theme", choices=("light", "dark", "both"), default="both", help="both by default"
    )
    pictures.add_argument(
        "--size", type=_size, default=SIZE, help="of the window, such as 1440x900"
    )
    pictures.add_argument(
        "--wait", type=float, default=4.0, metavar="SECONDS", help="for live figures to arrive"
    )
    pictures.add_argument(
        "--open",
        type=os.path.abspath,
        metavar="PATH",
        help="show this file or folder among the Dockerfiles",
    )
    pictures.add_argument(
        "--build",
        action="store_true",
        help="build and run what is opened, before anything is drawn",
    )
    return parser


def _size(text: str) -> str:
    import argparse

    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) >= 640 and int(height) >= 480):
        raise argparse.ArgumentTypeError(f"{text} is no size; give one such as {SIZE}")
    return text


def _port(text: str) -> int:
    import argparse

    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port (1 to 65535)")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
