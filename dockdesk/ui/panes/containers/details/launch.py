"""What a terminal starts in a container: a shell, another program, or nothing but a look at the main process.

No Qt in it. Source: docker CLI (exec, attach), docker SDK and Engine API references.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from dockdesk.core.actions import Equivalent, Values
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.core.masking import masked_words
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import Container
from dockdesk.runspec import checks
from dockdesk.runspec.checks import optional


@dataclass(frozen=True, slots=True)
class Launch:
    """``command`` empty takes the shell of the settings, or the best there is; ``attach`` starts nothing."""

    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    attach: bool = False


SHELL = Launch()
ATTACH = Launch(attach=True)


def launch_form(container: Container) -> Form:
    """Which program, as whom, and where."""

    def shells(engine: Any) -> Sequence[Choice]:
        return [Choice(path, path) for path in engine.shells(container.id)]

    return Form(
        f"Open a terminal in {container.name}",
        [
            Field(
                "command",
                "Command",
                FieldKind.EDITABLE_CHOICE,
                placeholder="the best shell there is",
                choices_from=shells,
                check=optional(checks.words_problem),
                help="A shell, or any other program with its arguments.",
            ),
            Field("user", "User", placeholder="the container's own", help="name or uid[:gid]."),
            Field("workdir", "Working folder", placeholder="the container's own"),
        ],
        submit="Open",
    )


def launch_of(values: Values) -> Launch:
    text = {key: str(value or "").strip() for key, value in values.items()}
    return Launch(
        tuple(shlex.split(text.get("command", ""))), text.get("user", ""), text.get("workdir", "")
    )


def equivalent_of(container: Container, launch: Launch, command: Sequence[str] = ()) -> Equivalent:
    """The same in a shell and in a program; ``command`` is what was started where the launch leaves it open."""
    name = container.name
    if launch.attach:
        return Equivalent(
            f"docker attach {shlex.quote(name)}",
            f"client.containers.get({name!r}).attach_socket("
            "params={'stdin': 1, 'stdout': 1, 'stderr': 1, 'stream': 1})",
            f"POST /containers/{name}/attach?stream=true&stdin=true&stdout=true&stderr=true",
        )
    words = list(masked_words(command or launch.command or ("sh",)))
    flags = ["-it"]
    options = ""
    for flag, key, value in (("-u", "user", launch.user), ("-w", "workdir", launch.workdir)):
        if value:
            flags += [flag, value]
            options += f", {key}={value!r}"
    return Equivalent(
        shlex.join(["docker", "exec", *flags, name, *words]),
        f"client.containers.get({name!r}).exec_run("
        f"{words!r}, tty=True, stdin=True, socket=True{options})",
        f"POST /containers/{name}/exec",
    )
