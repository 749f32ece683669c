"""The messages that pull, push, load and import stream: progress a layer, and failures inside a successful answer.

Source: Engine API, CreateImageInfo and PushImageInfo; moby's pkg/jsonmessage for how the CLI reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dockdesk.backends.engine.values import mapping, text, whole
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RemoteError,
)
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work

# How far a layer is when a message of this status begins and ends; bytes move it between the two.
_STAGES: Mapping[str, tuple[float, float]] = {
    "Pulling fs layer": (0.0, 0.0),
    "Waiting": (0.0, 0.0),
    "Preparing": (0.0, 0.0),
    "Downloading": (0.0, 0.7),
    "Verifying Checksum": (0.7, 0.7),
    "Download complete": (0.7, 0.7),
    "Extracting": (0.7, 1.0),
    "Pushing": (0.0, 1.0),
    "Pull complete": (1.0, 1.0),
    "Already exists": (1.0, 1.0),
    "Pushed": (1.0, 1.0),
    "Layer already exists": (1.0, 1.0),
    "Loading layer": (0.0, 1.0),
}
_DONE = 1.0
_NOTHING_TO_DO = {"Already exists", "Layer already exists"}
_FULL = "The engine's disk is full: see Disk for what can go."
_REFUSALS = (
    "unauthorized",
    "authentication required",
    "no basic auth",
    "access denied",
    "denied:",
    "access to the resource is denied",
    "incorrect username or password",
    "403 forbidden",
)
_ABSENT = ("manifest unknown", "not found", "name unknown", "does not exist", "no such image")
_OUT_OF_REACH = (
    "connection refused",
    "no such host",
    "i/o timeout",
    "timeout exceeded",
    "deadline exceeded",
    "network is unreachable",
    "no route to host",
    "name resolution",
    "server misbehaving",
)


class LayerProgress:
    """Turns messages into the parts and the fraction of a work, which weighs layers by their size where known."""

    def __init__(self, work: Work, title: str, begin: float = 0.0) -> None:
        self._work = work
        self._begin = begin  # the fraction that was done before the first message
        self.title = title
        self._fractions: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._idle: set[str] = set()  # layers that need no work: they say nothing of how far it is
        self._shown = 0.0
        self.digest = ""
        self.last_id = ""
        self.lines: list[str] = []  # what the stream said besides layers' progress

    def follow(self, messages: Iterable[Any]) -> None:
        """Read to the end. Raise the failure that the stream tells of."""
        for message in messages:
            self._work.check()
            self.take(mapping(message))

    def take(self, message: Mapping[str, Any]) -> None:
        detail = mapping(message.get("errorDetail"))
        if failure := text(detail.get("message")) or text(message.get("error")):
            raise registry_error(self.title, failure)
        if digest := text(mapping(message.get("aux")).get("Digest")):
            self.digest = digest
        status, id = text(message.get("status")), text(message.get("id"))
        if len(id) >= 64:  # Podman's last word is the image's id
            self.last_id = id
        elif id and status in _STAGES:
            self._layer(id, status, mapping(message.get("progressDetail")))
        elif id and status.startswith("Mounted from"):
            self._layer(id, "Pushed", {})
        else:
            self._note(status, text(message.get("stream")))

    def _note(self, status: str, stream: str) -> None:
        # “latest: digest: sha256:… size: 736” is how a push ends where no aux message follows.
        _, found, rest = status.partition("digest: ")
        if found and rest.startswith("sha256:"):
            self.digest = rest.split()[0]
        for line in f"{status}\n{stream}".splitlines():
            if line.strip():
                self.lines.append(line.strip())
                self._work.log(line.strip())

    def _layer(self, id: str, status: str, detail: Mapping[str, Any]) -> None:
        low, high = _STAGES[status]
        current, total = whole(detail.get("current")), whole(detail.get("total"))
        words = status
        fraction: float | None = low
        if high > low and total > 0:
            fraction = low + (high - low) * min(1.0, current / total)
            words = f"{status} {bytes_text(min(current, total))} of {bytes_text(total)}"
            self._sizes[id] = max(total, self._sizes.get(id, 0))
        elif high > low and current > 0:
            # Some stores tell seconds instead of bytes.
            unit = text(detail.get("units"))
            words = f"{status} {current} {unit}" if unit else f"{status} {bytes_text(current)}"
            fraction = None
        known = low if fraction is None else fraction
        # A download that the engine starts again goes back, but the bar of the whole must not.
        self._fractions[id] = max(known, self._fractions.get(id, 0.0))
        if status in _NOTHING_TO_DO:
            self._idle.add(id)
        self._work.part(id, fraction, words)
        self._work.progress(self._overall(), self._summary())

    def _overall(self) -> float:
        known = [size for size in self._sizes.values() if size]
        usual = sum(known) / len(known) if known else 1.0
        done = everything = 0.0
        for id, fraction in self._fractions.items():
            if id not in self._idle:
                weight = self._sizes.get(id) or usual
                done += fraction * weight
                everything += weight
        share = done / everything if everything else 0.0
        self._shown = max(self._shown, min(0.99, self._begin + (1.0 - self._begin) * share))
        return self._shown

    def _summary(self) -> str:
        done = sum(fraction >= _DONE for fraction in self._fractions.values())
        return f"{done} of {len(self._fractions)} layers"


def registry_error(title: str, message: str, problem: str = "") -> DockDeskError:
    """The failure behind what an engine says of a registry, or of its own store, while it moves an image.

    ``problem`` is why no login was found, where that is known.
    """
    lowered = message.casefold()
    if any(word in lowered for word in ("toomanyrequests", "rate limit", "429 too many")):
        hint = "The registry's limit is reached. Log in with docker login, or wait."
        return RemoteError(title, message, hint)
    if any(word in lowered for word in _REFUSALS):
        hint = "Check the name. If the repository is private, log in with docker login first."
        return PermissionDeniedError(title, message, f"{problem} {hint}".strip())
    if "no matching manifest" in lowered or "does not match the specified platform" in lowered:
        hint = "The image is not made for this platform. Choose another tag or platform."
        return NotFoundError(title, message, hint)
    if "no space left on device" in lowered:
        return RemoteError(title, message, _FULL)
    if "server gave http response to https client" in lowered:
        hint = (
            "The registry speaks no TLS. Add it to the engine's insecure registries "
            "(insecure-registries in daemon.json, or registries.conf for Podman)."
        )
        return RemoteError(title, message, hint)
    if "x509" in lowered or "certificate" in lowered:
        hint = (
            "The engine does not trust the registry's certificate. Give it the CA "
            "(/etc/docker/certs.d/<registry>/ca.crt)."
        )
        return RemoteError(title, message, hint)
    if any(word in lowered for word in _OUT_OF_REACH):
        hint = "The engine can't reach the registry. Check its network, proxy and the name."
        return RemoteError(title, message, hint)
    if any(word in lowered for word in _ABSENT):
        return NotFoundError(title, message, "Check the repository's name and the tag.")
    return RemoteError(title, message)


def translated(error: DockDeskError, title: str, problem: str = "") -> DockDeskError:
    """An error answer to pull or push as what it says of the registry; engines send most of them with status 500."""
    kinds = (RemoteError, NotFoundError, PermissionDeniedError, InvalidInputError, ConflictError)
    if isinstance(error, NotSupportedError) or not isinstance(error, kinds):
        return error
    found = registry_error(title, error.detail, problem)
    if type(found) is RemoteError and not found.hint:
        return error
    return found
