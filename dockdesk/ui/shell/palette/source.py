"""Everything the palette offers, gathered when it opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

from dockdesk.bridge.engine_session import EngineSession
from dockdesk.core.actions import Action, Danger
from dockdesk.core.preferences import SHOWN
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.actions.bound import BoundActions
from dockdesk.ui.actions.planning import plain_title
from dockdesk.ui.actions.runner import ActionRunner
from dockdesk.ui.shell.environments import Environments
from dockdesk.ui.shell.menus import native
from dockdesk.ui.shell.navigation import Navigation
from dockdesk.ui.shell.palette.candidates import Candidate

ROWS = 20_000  # names beyond this many are left out: nobody finds them by typing a few letters


class PaletteSource:
    """Actions (the current pane's on its selection), panes, resources by name, environments and settings."""

    def __init__(
        self,
        shell: BoundActions,
        navigation: Navigation,
        session: EngineSession,
        environments: Environments,
        runner: ActionRunner,
    ) -> None:
        self._shell = shell
        self._navigation = navigation
        self._session = session
        self._environments = environments
        self._runner = runner

    def __call__(self) -> Iterator[Candidate]:
        """Those of now; the many resources are made when they are come to."""
        self._shell.refresh()
        few = [
            *self._pane_actions(),
            *self._panes(),
            *self._shell_actions(),
            *self._other_actions(),
            *self._switches(),
            *self._settings(),
        ]
        return chain(few, self._resources())

    def _pane_actions(self) -> Iterator[Candidate]:
        pane = self._navigation.current
        if pane is None or self._navigation.covered:
            return
        rows = list(pane.selected())
        names = next(reversed(pane.crumbs()), "") if rows else ""
        for action in pane.pane_actions:
            reason = self._runner.refusal(action, rows if action.on_rows else ())
            yield Candidate(
                f"{plain_title(action)} {names}".strip() if action.on_rows else action.title,
                pane.title,
                action.icon,
                partial(pane.trigger, action),
                action.help,
                native(action.shortcut),
                reason or "",
                weight=_weight(action) if reason is None else 0,
            )

    def _panes(self) -> Iterator[Candidate]:
        for number, entry in enumerate(self._navigation.entries, start=1):
            keys = native(f"Ctrl+{number}") if number <= 9 else ""
            run = partial(self._navigation.show_pane, entry.id)
            yield Candidate(entry.title, "Go to", entry.icon, run, shortcut=keys, weight=5)

    def _shell_actions(self) -> Iterator[Candidate]:
        for action in self._shell.actions:
            if action.id == "help.palette":
                continue
            made = self._shell[action.id]
            reason = self._shell.refusal(action)
            yield Candidate(
                action.title, "DockDesk", action.icon, made.trigger, action.help,
                native(action.shortcut), reason or "",
            )  # fmt: skip

    def _other_actions(self) -> Iterator[Candidate]:
        """What other panes can do without a chosen row: pull, create, prune."""
        for entry in self._navigation.entries:
            if entry.id == self._navigation.current_id:
                continue
            for action in self._navigation.actions(entry):
                if action.on_rows:
                    continue
                reason = self._runner.refusal(action, ())
                yield Candidate(
                    action.title,
                    entry.title,
                    action.icon,
                    partial(self._navigation.trigger_in, entry, action),
                    action.help,
                    native(action.shortcut),
                    reason or "",
                )

    def _switches(self) -> Iterator[Candidate]:
        present = self._session.environment
        for environment in self._environments.environments:
            here = present is not None and environment.id == present.id
            yield Candidate(
                f"Switch to {environment.name}",
                "Environment",
                "server",
                partial(self._environments.switch, environment),
                environment.address,
                reason="It is connected already." if here else "",
            )

    def _settings(self) -> Iterator[Candidate]:
        for setting in SHOWN:
            run = partial(self._navigation.show_settings, setting.key)
            yield Candidate(setting.title, "Setting", "settings", run, setting.help)

    def _resources(self) -> Iterator[Candidate]:
        session = self._session
        environment = session.environment.id if session.environment is not None else ""
        containers, images = list(session.containers.values()), list(session.images.values())
        volumes, networks = list(session.volumes.values()), list(session.networks.values())
        kinds: tuple[tuple[str, str, str, Iterable[tuple[str, str, str]]], ...] = (
            ("container", "Container", "box",
             ((c.id, c.name, f"{c.image} · {c.status}") for c in containers)),
            ("image", "Image", "stack-2", ((i.id, i.name, "") for i in images if i.tags)),
            ("volume", "Volume", "database", ((v.name, v.name, "") for v in volumes)),
            ("network", "Network", "network", ((n.id, n.name, n.driver) for n in networks)),
        )  # fmt: skip
        found = (
            Candidate(
                name,
                section,
                icon,
                partial(self._navigation.open, ResourceRef(kind, id, name, environment)),
                detail,
            )
            for kind, section, icon, rows in kinds
            for id, name, detail in rows
        )
        return islice(found, ROWS)


def _weight(action: Action[Any]) -> int:
    """What can be done here comes first, but what interrupts or destroys is never a mere Enter away."""
    return 6 if action.danger <= Danger.CHANGES else 3
