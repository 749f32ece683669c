"""How each change to containers is planned: its form, its calls and their equivalents.

Source: Engine API, docker CLI and docker SDK references.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.actions import Call, Equivalent, Values
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.core.ports import UpdateSpec
from dockdesk.core.references import reference_parts
from dockdesk.core.refs import ResourceRef
from dockdesk.core.units import parse_bytes
from dockdesk.core.work import Work
from dockdesk.runspec import checks
from dockdesk.runspec.checks import optional
from dockdesk.ui.panes.containers.columns import ContainerRow

Rows = Sequence[ContainerRow]

RESTART_POLICIES = ("no", "always", "unless-stopped", "on-failure:3")
SIGNALS = (
    "SIGKILL",
    "SIGTERM",
    "SIGINT",
    "SIGHUP",
    "SIGQUIT",
    "SIGUSR1",
    "SIGUSR2",
    "SIGSTOP",
    "SIGCONT",
)


def ref_of(row: ContainerRow) -> ResourceRef:
    return ResourceRef("container", row.container.id, row.container.name)


def _call(
    row: ContainerRow, cli: str, sdk: str, api: str, run: Callable[[Any, str, Work], Any]
) -> Call:
    """One request on one container; {name} in ``cli`` and ``api`` is its name.

    ``sdk`` is what follows the SDK's object.
    """
    container_id, name = row.container.id, row.container.name or row.container.short_id
    return Call(
        ref_of(row),
        lambda engine, work: run(engine, container_id, work),
        Equivalent(
            cli.replace("{name}", shlex.quote(name)),
            f"client.containers.get({name!r}).{sdk}" if sdk else "",
            api.replace("{name}", name),
        ),
    )


def simple(verb: str, run: Callable[[Any, str, Work], Any]) -> Callable[[Rows, Values], list[Call]]:
    """The plan of `docker VERB NAME`, whose SDK method and API path have the same name."""

    def plan(rows: Rows, _values: Values) -> list[Call]:
        return [
            _call(
                row,
                f"docker {verb} {{name}}",
                f"{verb}()",
                f"POST /containers/{{name}}/{verb}",
                run,
            )
            for row in rows
        ]

    return plan


def when(*states: str, say: str) -> Callable[[ContainerRow], str | None]:
    return lambda row: None if row.container.state in states else f"{row.container.name} {say}."


def names_of(rows: Rows) -> str:
    return rows[0].container.name if len(rows) == 1 else f"{len(rows)} containers"


def kill_form(_rows: Rows) -> Form:
    return Form(
        "Send a signal",
        [
            Field(
                "signal",
                "Signal",
                FieldKind.EDITABLE_CHOICE,
                default="SIGKILL",
                required=True,
                choices=tuple(Choice(name, name) for name in SIGNALS),
                check=lambda text: (
                    None if str(text).strip().isalnum() else "Write a name such as SIGHUP."
                ),
            )
        ],
        submit="Send",
    )


def kill(rows: Rows, values: Values) -> list[Call]:
    signal = str(values["signal"]).strip()
    return [
        _call(
            row,
            f"docker kill --signal {signal} {{name}}",
            f"kill(signal={signal!r})",
            f"POST /containers/{{name}}/kill?signal={signal}",
            lambda engine, id, _work: engine.kill(id, signal),
        )
        for row in rows
    ]


def rename_form(rows: Rows) -> Form:
    name = rows[0].container.name if rows else ""
    return Form(
        "Rename container",
        [
            Field(
                "name", "New name", default=name, required=True, check=optional(checks.name_problem)
            )
        ],
        submit="Rename",
    )


def rename(rows: Rows, values: Values) -> list[Call]:
    name = str(values["name"]).strip()
    return [
        _call(
            row,
            f"docker rename {{name}} {shlex.quote(name)}",
            f"rename({name!r})",
            f"POST /containers/{{name}}/rename?name={name}",
            lambda engine, id, _work: engine.rename(id, name),
        )
        for row in rows
    ]


def remove_form(rows: Rows) -> Form:
    running = any(row.container.running for row in rows)
    several = len(rows) > 1
    return Form(
        f"Remove {names_of(rows)}",
        [
            Field(
                "force",
                "Kill those that run" if several else "Kill it if it runs",
                FieldKind.CHECK,
                default=running,
                help="Without this, the engine refuses to remove a running container.",
            ),
            Field(
                "volumes",
                f"Remove {'their' if several else 'its'} anonymous volumes too",
                FieldKind.CHECK,
                default=False,
                help="Named volumes are always kept.",
            ),
        ],
        submit="Remove",
    )


def remove(rows: Rows, values: Values) -> list[Call]:
    force, volumes = bool(values.get("force")), bool(values.get("volumes"))
    flags = "".join(
        f" {flag}" for flag, chosen in (("--force", force), ("--volumes", volumes)) if chosen
    )
    query = "&".join(
        part for part, chosen in (("force=true", force), ("v=true", volumes)) if chosen
    )
    return [
        _call(
            row,
            f"docker rm{flags} {{name}}",
            f"remove(force={force}, v={volumes})",
            f"DELETE /containers/{{name}}{'?' if query else ''}{query}",
            lambda engine, id, _work: engine.remove(id, force, volumes),
        )
        for row in rows
    ]


def removal(rows: Rows) -> str:
    running = sum(row.container.running for row in rows)
    text = "Everything written inside and not in a volume is lost."
    return f"{running} of them still run. {text}" if running and len(rows) > 1 else text


def commit_form(rows: Rows) -> Form:
    name = rows[0].container.name if rows else ""
    return Form(
        "Make an image of the container",
        [
            Field(
                "reference",
                "Image",
                required=True,
                placeholder=f"{name}:snapshot",
                check=optional(checks.image_problem),
            ),
            Field("message", "Message"),
            Field("author", "Author"),
            Field("pause", "Pause it meanwhile", FieldKind.CHECK, default=True),
        ],
        submit="Commit",
    )


def commit(rows: Rows, values: Values) -> list[Call]:
    reference = str(values["reference"]).strip()
    repository, tag = reference_parts(reference)
    message, author, pause = (
        str(values.get("message") or ""),
        str(values.get("author") or ""),
        bool(values.get("pause", True)),
    )
    flags = "".join(
        f" {flag}"
        for flag, chosen in (
            (f"--message {shlex.quote(message)}", message),
            (f"--author {shlex.quote(author)}", author),
            ("--pause=false", not pause),
        )
        if chosen
    )
    return [
        _call(
            row,
            f"docker commit{flags} {{name}} {shlex.quote(reference)}",
            f"commit({repository!r}, {tag!r})",
            f"POST /commit?container={{name}}&repo={repository}&tag={tag}",
            lambda engine, id, _work: engine.commit(id, repository, tag, message, author, pause),
        )
        for row in rows
    ]


def export_form(rows: Rows) -> Form:
    name = rows[0].container.name if rows else "container"
    return Form(
        "Export the file system",
        [Field("path", "Tar file", FieldKind.SAVE_FILE, default=f"{name}.tar", required=True)],
        submit="Export",
    )


def export(rows: Rows, values: Values) -> list[Call]:
    path = Path(str(values["path"])).expanduser()
    return [
        _call(
            row,
            f"docker export -o {shlex.quote(str(path))} {{name}}",
            "export()",
            "GET /containers/{name}/export",
            lambda engine, id, work: engine.export(id, path, work),
        )
        for row in rows
    ]


def update_form(_rows: Rows) -> Form:
    return Form(
        "Limits and restart policy",
        [
            Field(
                "memory",
                "Memory",
                placeholder="unchanged; 512m",
                check=_MEMORY,
            ),
            Field(
                "memory_swap",
                "Memory and swap",
                placeholder="unchanged; -1: no limit",
                check=_SWAP,
            ),
            Field("cpus", "CPUs", placeholder="unchanged; 1.5", check=optional(_number_problem)),
            Field(
                "cpu_shares",
                "CPU shares",
                placeholder="unchanged; 512",
                check=_COUNT,
            ),
            Field(
                "pids_limit",
                "Processes at most",
                placeholder="unchanged; 100, -1: no limit",
                check=_COUNT,
            ),
            Field(
                "restart",
                "Restart",
                FieldKind.EDITABLE_CHOICE,
                placeholder="unchanged",
                choices=(
                    Choice("", "unchanged"),
                    *(Choice(word, word) for word in RESTART_POLICIES),
                ),
                check=optional(checks.restart_problem),
            ),
        ],
        submit="Update",
        intro="Empty fields leave what is set; the container keeps running.",
        check=_changes_something,
    )


def _changes_something(values: Values) -> dict[str, str]:
    changed = any(str(value or "").strip() for value in values.values())
    return {} if changed else {"memory": "Change at least one value."}


def _number_problem(text: str) -> str | None:
    try:
        return None if 0 <= float(text) <= 1024 else "Write a number of cores from 0 to 1024."
    except ValueError:
        return "Write a number such as 1.5."


def _count_problem(text: str) -> str | None:
    try:
        return None if int(text) >= -1 else "Write a whole number from -1."
    except ValueError:
        return "Write a whole number."


_MEMORY, _SWAP, _COUNT = map(optional, (checks.memory_problem, checks.swap_problem, _count_problem))


def update_spec(values: Values) -> UpdateSpec:
    """The limits that a filled-in update form asks for."""
    text = {key: str(value or "").strip() for key, value in values.items()}

    def size(key: str) -> int | None:
        return None if not text.get(key) else -1 if text[key] == "-1" else parse_bytes(text[key])

    return UpdateSpec(
        memory=size("memory"),
        memory_swap=size("memory_swap"),
        cpus=float(text["cpus"]) if text.get("cpus") else None,
        cpu_shares=int(text["cpu_shares"]) if text.get("cpu_shares") else None,
        pids_limit=int(text["pids_limit"]) if text.get("pids_limit") else None,
        restart=text.get("restart") or None,
    )


def update(rows: Rows, values: Values) -> list[Call]:
    spec = update_spec(values)
    names = ("memory", "memory_swap", "cpus", "cpu_shares", "pids_limit", "restart")
    flags = " ".join(
        f"--{name.replace('_', '-')} {shlex.quote(str(values[name]).strip())}"
        for name in names
        if str(values.get(name) or "").strip()
    )
    arguments = ", ".join(
        f"{_SDK_UPDATE[name]}={getattr(spec, name)!r}"
        for name in names
        if name in _SDK_UPDATE and getattr(spec, name) is not None
    )
    return [
        _call(
            row,
            f"docker update {flags} {{name}}",
            f"update({arguments})",
            "POST /containers/{name}/update",
            lambda engine, id, _work: engine.update(id, spec),
        )
        for row in rows
    ]


_SDK_UPDATE = {"memory": "mem_limit", "memory_swap": "memswap_limit", "cpu_shares": "cpu_shares"}


def prune(_rows: Rows, _values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("container", "*", "stopped containers"),
            lambda engine, _work: engine.prune_containers(),
            Equivalent(
                "docker container prune --force",
                "client.containers.prune()",
                "POST /containers/prune",
            ),
        )
    ]
