"""Command line tools that DockDesk can make use of; none is needed for the everyday work with an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from dockdesk.doctor.checks import Check, Surroundings, output_of
from dockdesk.doctor.report import Finding, Status

SECTION = "Tools"


@dataclass(frozen=True, slots=True)
class Tool:
    """``use`` says what is missing without it; ``ask`` are the arguments that make it tell its version."""

    name: str
    use: str
    ask: Sequence[str] = ("--version",)


TOOLS = (
    Tool("docker", "running the commands that DockDesk shows"),
    Tool("podman", "containers without a daemon"),
    Tool("ssh", "engines on other computers, through contexts with ssh://", ("-V",)),
    Tool("hadolint", "more advice on Dockerfiles"),
    Tool("kubectl", "running the Kubernetes commands that DockDesk shows", ("version", "--client")),
    Tool("aws", "signing in to AWS with single sign-on, and to EKS clusters"),
)

_NUMBER = re.compile(r"\d+\.\d+[\w.+~-]*")


def checks(around: Surroundings, tools: Sequence[Tool] = TOOLS) -> list[Check]:
    return [Check(SECTION, tool.name, lambda tool=tool: [look(tool, around)]) for tool in tools]  # type: ignore[misc]


def look(tool: Tool, around: Surroundings) -> Finding:
    """Find a tool on the PATH and ask for its version."""
    path = shutil.which(tool.name, path=around.env.get("PATH"))
    if path is None:
        return Finding(
            SECTION, tool.name, Status.ABSENT, "not found", f"Only needed for {tool.use}."
        )
    try:
        code, output = output_of([path, *tool.ask], around.env)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(
            SECTION, tool.name, Status.PROBLEM, f"{path} does not run: {error}", "Install it anew."
        )
    first = output.partition("\n")[0]
    if code != 0:
        return Finding(
            SECTION,
            tool.name,
            Status.PROBLEM,
            f"{path} ends with code {code}: {first}",
            "Install it anew.",
        )
    number = _NUMBER.search(output)
    version = number.group() if number else first
    data = {"path": path, "version": version}
    return Finding(SECTION, tool.name, Status.OK, f"{version} ({path})", data=data)
