"""How a container's health is checked, and what the last checks said."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime

from dockdesk.core.columns import Tone
from dockdesk.core.resources.containers import ContainerDetail
from dockdesk.core.units import duration_text, took_text
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.panes.containers.details.summary import InspectedView
from dockdesk.ui.widgets.key_values import Fact

REFRESH_MS = 5000
_TONES: Mapping[str, Tone] = {"healthy": "good", "unhealthy": "bad", "starting": "warn"}
_TIMES = (
    ("Every", "Interval"),
    ("Given up after", "Timeout"),
    ("Time to start", "StartPeriod"),
)


def check_facts(detail: ContainerDetail) -> list[Fact]:
    """What the check is and what it says now. Source: Engine API, HealthConfig (times in nanoseconds)."""
    health = detail.container.health
    facts = [Fact("Health", health or "not known", tone=_TONES.get(health, "muted"))]
    if detail.failing_streak:
        times = "once" if detail.failing_streak == 1 else f"{detail.failing_streak} times in a row"
        facts.append(Fact("Failed", times, tone="bad"))
    config = detail.raw.get("Config")
    declared = config.get("Healthcheck") if isinstance(config, Mapping) else None
    if isinstance(declared, Mapping):
        facts.append(Fact("Command", _command_text(declared.get("Test")), mono=True))
        for label, key in _TIMES:
            nanoseconds = declared.get(key)
            if isinstance(nanoseconds, (int, float)) and nanoseconds > 0:
                facts.append(Fact(label, duration_text(nanoseconds / 1e9)))
        retries = declared.get("Retries")
        if isinstance(retries, int) and retries > 0:
            facts.append(Fact("Unhealthy after", f"{retries} failures in a row"))
    return facts


def _command_text(test: object) -> str:
    words = [str(word) for word in test] if isinstance(test, (list, tuple)) else []
    if words[:1] == ["CMD-SHELL"]:
        return " ".join(words[1:])
    return shlex.join(words[1:] if words[:1] == ["CMD"] else words)


def probe_facts(detail: ContainerDetail) -> list[Fact]:
    """The last runs of the check, the newest first."""
    facts = []
    for probe in reversed(detail.health_log):
        passed = probe.exit_code == 0
        when = f"{datetime.fromtimestamp(probe.start):%H:%M:%S}" if probe.start else "at some time"
        word = "passed" if passed else f"failed with code {probe.exit_code}"
        text = f"{word} in {took_text(probe.end - probe.start)}"
        output = probe.output.strip()
        facts.append(
            Fact(
                when,
                f"{text}\n{output}" if output else text,
                mono=True,
                tone="neutral" if passed else "bad",
            )
        )
    return facts


class HealthView(InspectedView):
    """The engine tells when health changes, but not of every check: read again while it is looked at."""

    refresh_ms = REFRESH_MS

    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        return (
            (("Health check", "None is declared."),),
            (("Last checks", "It has not been checked yet."),),
        )

    def present(self, row: ContainerRow, data: ContainerDetail) -> None:  # noqa: ARG002
        self.set_card("Health check", check_facts(data))
        self.set_card("Last checks", probe_facts(data))
