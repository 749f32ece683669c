"""Run settings kept under a name, in one JSON file of the user's alone, without the values of secrets."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from dockdesk.core.errors import LocalError
from dockdesk.core.masking import holds_secret
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.wholefile import write_whole

_FIELDS = {field.name for field in fields(ContainerSpec)}


class Presets:
    """The presets in ``path``. All methods read or write the file: call them on a worker thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def load(self) -> dict[str, ContainerSpec]:
        """Name → spec, in the order of saving. Raises LocalError if the file can't be read."""
        with self._lock:
            return self._read()

    def save(self, name: str, spec: ContainerSpec) -> list[str]:
        """Keep ``spec``; returns the names of variables and the like whose values were left out as secrets."""
        pairs = (*spec.env, *spec.labels, *spec.log_options)
        left_out = [key for key, value in pairs if holds_secret(key, value)]
        with self._lock:
            presets = self._read()
            presets[name] = replace(
                spec,
                env=_without_secrets(spec.env),
                labels=_without_secrets(spec.labels),
                log_options=_without_secrets(spec.log_options),
            )
            self._write(presets)
        return left_out

    def remove(self, name: str) -> None:
        with self._lock:
            presets = self._read()
            presets.pop(name, None)
            self._write(presets)

    def _read(self) -> dict[str, ContainerSpec]:
        try:
            data = json.loads(self._path.read_text("utf-8"))
            return {str(name): _spec(body) for name, body in data.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise LocalError(
                "The run presets can't be read",
                f"{self._path}: {error}",
                "Mend the file or move it away.",
            ) from error

    def _write(self, presets: dict[str, ContainerSpec]) -> None:
        text = json.dumps(
            {name: asdict(spec) for name, spec in presets.items()}, indent=2, ensure_ascii=False
        )
        try:
            write_whole(self._path, text)
        except OSError as error:
            raise LocalError("The run preset could not be kept", str(error)) from error


def _without_secrets(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((key, "" if holds_secret(key, value) else value) for key, value in pairs)


def _spec(body: dict[str, Any]) -> ContainerSpec:
    return ContainerSpec(**{key: _tuples(value) for key, value in body.items() if key in _FIELDS})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
