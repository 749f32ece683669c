"""What an action means for given rows, worked out without doing anything: refusals, values, calls, equivalents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dockdesk.core.actions import Action, Call, Equivalent, Values
from dockdesk.core.environments import Environment
from dockdesk.core.forms import Form

COPY_TITLES: Mapping[str, str] = {
    "cli": "CLI command",
    "sdk": "SDK call (Python)",
    "api": "API request",
}

CAPABILITY_TITLES: Mapping[str, str] = {
    "update": "changing limits of a container",
    "buildkit": "BuildKit",
    "checkpoint": "checkpoints",
    "disk_usage": "disk usage",
    "distribution": "looking up images in registries",
    "events_since": "past events",
}


def refusal(
    action: Action[Any],
    rows: Sequence[Any],
    environment: Environment | None,
    capabilities: frozenset[str],
) -> str | None:
    """Why ``action`` can't be done to ``rows`` here and now, in one sentence, or None.

    Actions without a plan may only open something, so they are possible without a connection unless they need one.
    """
    if action.plan is not None or action.needs:
        if environment is None:
            return "No engine is connected."
        if action.needs and action.needs not in capabilities:
            what = CAPABILITY_TITLES.get(action.needs, action.needs.replace("_", " "))
            return f"“{environment.name}” does not support {what}."
    if environment is not None and (reason := environment.refusal(action.danger)) is not None:
        return reason
    return action.refusal(rows)


def plain_title(action: Action[Any]) -> str:
    """The action's title without the dots that promise a dialog."""
    return action.title.rstrip("….").strip()


def job_title(action: Action[Any], call: Call) -> str:
    """What the activity drawer calls one call, such as "Restart web"."""
    return f"{plain_title(action)} {call.target.name or call.target.id[:12]}".strip()


def defaults(form: Form) -> dict[str, Any]:
    """The values a form starts with."""
    return {item.id: item.default for item in form.fields}


def calls(
    action: Action[Any], rows: Sequence[Any], values: Values, environment: Environment | None
) -> list[Call]:
    """The calls of ``action`` for those of ``rows`` it can be done to, their targets bound to ``environment``."""
    if action.plan is None:
        return []
    chosen = action.applicable(rows) if action.on_rows else list(rows)
    planned = action.plan(chosen, values)
    return list(planned) if environment is None else bound(planned, environment)


def bound(planned: Sequence[Call], environment: Environment) -> list[Call]:
    """``planned`` with targets in ``environment``, where they name none: plans know rows, not where they live."""
    return [
        call
        if call.target.environment
        else replace(call, target=replace(call.target, environment=environment.id))
        for call in planned
    ]


def equivalents(
    action: Action[Any], rows: Sequence[Any], values: Values | None = None
) -> list[Equivalent]:
    """What the same would be in the user's other tools, in the calls' order, each once.

    Without ``values`` those that the action's form starts with are taken.
    """
    if action.plan is None:
        return []
    if values is None:
        values = defaults(action.form(rows)) if action.form is not None else {}
    found: list[Equivalent] = []
    for call in calls(action, rows, values, None):
        if call.equivalent not in found:
            found.append(call.equivalent)
    return found


def copy_text(found: Sequence[Equivalent], kind: str) -> str:
    """One text of ``kind`` ("cli", "sdk" or "api") from ``found``, a line or block each; empty where there is none."""
    texts = [getattr(item, kind) for item in found]
    gap = "\n\n" if kind == "api" else "\n"
    return gap.join(text for text in texts if text)
