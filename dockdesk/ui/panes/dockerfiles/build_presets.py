"""How a project was built last, and settings kept under a name, never with the values of secrets. No Qt in it.

Both are DockDesk's own by default, in a file of the user's data folder for each project, so that nothing appears in a
project unasked. A preset can be kept in the project instead, in ``.dockdesk/builds.json`` beside the Dockerfile, to be
shared with it; its paths are relative there.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from dockdesk.core.builds.records import spec_from_json, spec_to_json
from dockdesk.core.errors import LocalError
from dockdesk.core.masking import holds_secret, looks_secret
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.core.wholefile import write_whole

SHARED = Path(".dockdesk", "builds.json")
_TITLE = "The build settings"


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings under a name; ``shared`` where they lie in the project."""

    name: str
    spec: BuildSpec
    shared: bool = False


@dataclass(frozen=True, slots=True)
class KeptBuilds:
    """What is kept of a project. ``last`` are the settings of its last build, None before the first."""

    last: BuildSpec | None = None
    presets: Mapping[str, Preset] = field(default_factory=dict)


class BuildPresets:
    """Kept in ``data``; without it, only what lies in projects. All methods use the disk: call them on a worker."""

    def __init__(self, data: Path | None) -> None:
        self._data = data / "builds" if data is not None else None
        self._lock = threading.Lock()

    @property
    def keeps(self) -> bool:
        """Whether settings can be kept outside of projects."""
        return self._data is not None

    def load(self, dockerfile: Path) -> KeptBuilds:
        """What is kept for a Dockerfile and its folder. Raises LocalError where it can't be read."""
        with self._lock:
            own, shared = self._own(dockerfile.parent), self._shared(dockerfile.parent)
        presets = _presets(own, dockerfile, False) | _presets(shared, dockerfile, True)
        last = _mapping(own.get("last")).get(dockerfile.name)
        return KeptBuilds(_spec(last, dockerfile), presets)

    def remember(self, dockerfile: Path, spec: BuildSpec) -> None:
        """Keep how it was built last."""
        if self._data is None:
            return
        with self._lock:
            own = self._own(dockerfile.parent)
            own["last"] = {**_mapping(own.get("last")), dockerfile.name: _json(spec, dockerfile)}
            self._write(self._own_path(dockerfile.parent), own, dockerfile.parent)

    def save(self, dockerfile: Path, name: str, spec: BuildSpec, shared: bool) -> list[str]:
        """Keep settings under a name; returns the names whose values were left out as secrets."""
        folder = dockerfile.parent
        with self._lock:
            # One name, one place: an earlier preset of it in the other one would hide or be hidden.
            self._drop(folder, name, not shared)
            kept = self._shared(folder) if shared else self._own(folder)
            kept["presets"] = {**_mapping(kept.get("presets")), name: _json(spec, dockerfile)}
            self._write(self._path(folder, shared), kept, folder)
        pairs = (*spec.args, *spec.labels)
        return [key for key, value in pairs if value and looks_secret(key)]

    def remove(self, dockerfile: Path, name: str) -> None:
        with self._lock:
            for shared in (False, True):
                self._drop(dockerfile.parent, name, shared)

    def _drop(self, folder: Path, name: str, shared: bool) -> None:
        kept = self._shared(folder) if shared else self._own(folder)
        presets = dict(_mapping(kept.get("presets")))
        if presets.pop(name, None) is not None:
            kept["presets"] = presets
            self._write(self._path(folder, shared), kept, folder)

    def _path(self, folder: Path, shared: bool) -> Path | None:
        return folder / SHARED if shared else self._own_path(folder)

    def _own_path(self, folder: Path) -> Path | None:
        if self._data is None:
            return None
        name = hashlib.sha256(os.fsencode(os.path.abspath(folder))).hexdigest()[:32]
        return self._data / f"{name}.json"

    def _own(self, folder: Path) -> dict[str, Any]:
        return _read(self._own_path(folder))

    def _shared(self, folder: Path) -> dict[str, Any]:
        return _read(folder / SHARED)

    def _write(self, path: Path | None, kept: dict[str, Any], folder: Path) -> None:
        if path is None:
            raise LocalError(
                f"{_TITLE} could not be kept",
                "There is no folder for them.",
                "Keep them in the project.",
            )
        if path.name != SHARED.name:
            kept["folder"] = str(folder)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            raise LocalError(f"{_TITLE} could not be kept", f"{path}: {error}") from error


def without_secrets(spec: BuildSpec) -> BuildSpec:
    """The settings as they may be written down."""
    return replace(
        spec,
        text=None,
        args=tuple(pair for pair in spec.args if not holds_secret(*pair)),
        labels=tuple(pair for pair in spec.labels if not holds_secret(*pair)),
        cache_from=tuple(item for item in spec.cache_from if not holds_secret("", item)),
        cache_to=tuple(item for item in spec.cache_to if not holds_secret("", item)),
    )


def _json(spec: BuildSpec, dockerfile: Path) -> dict[str, Any]:
    kept = spec_to_json(without_secrets(spec))
    kept["context"] = os.path.relpath(spec.context, dockerfile.parent)
    kept.pop("dockerfile", None)
    return kept


def _presets(kept: Mapping[str, Any], dockerfile: Path, shared: bool) -> dict[str, Preset]:
    found = {}
    for name, body in _mapping(kept.get("presets")).items():
        if (spec := _spec(body, dockerfile)) is not None:
            found[name] = Preset(name, spec, shared)
    return found


def _spec(body: Any, dockerfile: Path) -> BuildSpec | None:
    """The settings; None for what is none, such as a hand's slip in a shared file."""
    try:
        spec = spec_from_json(_mapping(body))
    except (ValueError, TypeError):
        return None
    context = Path(os.path.normpath(dockerfile.parent / spec.context))
    return replace(spec, context=context, dockerfile=str(dockerfile))


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        kept = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(
            f"{_TITLE} can't be read", f"{path}: {error}", "Mend the file or move it away."
        ) from error
    return kept if isinstance(kept, dict) else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
