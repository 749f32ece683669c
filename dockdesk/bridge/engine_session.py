"""The engine in use: connected, kept current, and found again by itself when it was away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from dockdesk.bridge.backoff import Backoff
from dockdesk.bridge.engine_lists import EngineLists
from dockdesk.bridge.jobs import Job, Jobs
from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.environments import Environment
from dockdesk.core.errors import (
    CancelledError,
    DockDeskError,
    PermissionDeniedError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.ports import Engine
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.core.resources.engine import EngineEvent, EngineInfo, Network, Volume
from dockdesk.core.resources.images import Image
from dockdesk.core.work import Work

_log = logging.getLogger(__name__)

Opener = Callable[[Work], Engine]

_HEARTBEAT_MS = 30_000
# A connection that held so long was a good one: the next loss begins with short waits.
_STABLE_S = 5.0
_DENIALS = 3
# Podman tells who joins a network, not that one was made or removed.
_UNTOLD = {"Podman": frozenset({"networks"})}


class SessionState(Enum):
    """How the connection is. LOST tries again by itself (see ``retry_at``), FAILED waits for the user."""

    IDLE = "idle"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    FAILED = "failed"


class _Attempt:
    """One connection from its opening to its end. Whoever comes too late with an engine closes it at once."""

    def __init__(self, opener: Opener, sink: BatchedSink[EngineEvent]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._abandoned = False
        self.sink = sink
        self.job: Job | None = None
        self.engine: Engine | None = None
        self.connected = 0.0  # monotonic seconds

    def open(self, work: Work) -> Engine:
        """Open the engine; on a worker."""
        engine = self._opener(work)
        with self._lock:
            late = self._abandoned
            if not late:
                self.engine = engine
        if late:
            engine.close()
            raise CancelledError
        return engine

    def abandon(self) -> Engine | None:
        """Hear nothing more of it; returns the engine, where there is one already, for the caller to close."""
        with self._lock:
            self._abandoned = True
            engine, self.engine = self.engine, None
        self.sink.close()
        if self.job is not None:
            self.job.cancel()
        return engine


class EngineSession(QObject):
    """The one engine that the program shows. All attributes are for the GUI thread and to be read only.

    While LOST, the rows are those that were seen last; they are compared with the new ones once it is back.
    """

    state_changed = Signal(object)  # SessionState; also if ``retry_at`` or ``environment`` changes
    info_changed = Signal()
    containers_changed = Signal(object, object)  # ids that changed or are new; ids that are gone
    images_changed = Signal()
    volumes_changed = Signal()
    networks_changed = Signal()
    list_failed = Signal(str, object)  # kind, DockDeskError
    event_arrived = Signal(object)  # EngineEvent

    def __init__(
        self,
        jobs: Jobs,
        pulse: Pulse,
        parent: QObject | None = None,
        *,
        first_retry: float = 0.5,
        longest_retry: float = 15.0,
        debounce_ms: int = 100,
    ) -> None:
        """Retries wait between ``first_retry`` and ``longest_retry`` seconds."""
        super().__init__(parent)
        self._jobs = jobs
        self._pulse = pulse
        self._backoff = Backoff(first_retry, longest_retry)
        self._opener: Opener | None = None
        self._attempt: _Attempt | None = None
        self._denials = 0
        self._was_connected = False
        self.state = SessionState.IDLE
        self.environment: Environment | None = None
        self.engine: Engine | None = None
        self.info: EngineInfo | None = None
        self.error: DockDeskError | None = None
        self.retry_at: float | None = None
        self._lists = EngineLists(jobs, self, debounce_ms)
        self._lists.ready.connect(self._on_ready)
        self._lists.lost.connect(self._lose)
        self._lists.failed.connect(self.list_failed)
        self._lists.containers_changed.connect(self.containers_changed)
        self._lists.changed.connect(self._on_list_changed)
        self._retry_timer = QTimer(self)
        self._retry_timer.setSingleShot(True)
        self._retry_timer.timeout.connect(self._open)
        self._heartbeat = QTimer(self)
        self._heartbeat.setInterval(_HEARTBEAT_MS)
        self._heartbeat.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._heartbeat.timeout.connect(self._on_heartbeat)

    @property
    def backend(self) -> Engine | None:
        """The engine under the name that every kind of session has for what it calls."""
        return self.engine

    @property
    def capabilities(self) -> frozenset[str]:
        """What the engine can do beyond the common ground; empty while there is none."""
        return self.engine.capabilities if self.engine is not None else frozenset()

    @property
    def containers(self) -> Mapping[str, Container]:
        return self._lists.containers

    @property
    def images(self) -> Mapping[str, Image]:
        return self._lists.images

    @property
    def volumes(self) -> Mapping[str, Volume]:
        """By name."""
        return self._lists.volumes

    @property
    def networks(self) -> Mapping[str, Network]:
        return self._lists.networks

    def loaded(self, kind: str) -> bool:
        """Whether a kind of list has been read: an empty mapping may also mean that it hasn't."""
        return self._lists.loaded(kind)

    def connect_to(self, environment: Environment, opener: Opener) -> None:
        """Leave the present engine and use another. ``opener`` runs on a worker, once for every try."""
        other = self.environment is None or self.environment.id != environment.id
        self._let_go()
        self._opener = opener
        self.environment = environment
        self._was_connected = False
        self.state = SessionState.CONNECTING  # told in _begin: first the old rows go
        if other:
            self.info = None
            self._lists.clear()
        self._begin()

    def remark(self, environment: Environment) -> None:
        """Take over a new colour or guard of the present environment, without connecting anew."""
        if self.environment is not None and self.environment.id == environment.id:
            self.environment = environment
            self.state_changed.emit(self.state)

    def reconnect(self) -> None:
        """Try now, whatever the state; does nothing where there is no environment."""
        if self.environment is not None:
            self._let_go()
            self._begin()

    def disconnect(self) -> None:  # type: ignore[override]
        """Leave the engine and forget what it listed."""
        self._let_go()
        self._opener = None
        self.environment = self.info = self.error = None
        self.state = SessionState.IDLE
        self._lists.clear()
        self._enter(SessionState.IDLE)

    def close(self) -> None:
        """End for good, before `Jobs.close`, which waits until the engine has released what it holds."""
        self._let_go()
        self._opener = None
        self.state = SessionState.IDLE

    def want(self, kind: str) -> None:
        """Load "images", "volumes" or "networks", now or once connected, and keep them current from then on.

        Call it whenever such a list is shown: what the engine's events don't tell of is read anew then.
        """
        self._lists.want(kind)

    def read_back(self, targets: Iterable[ResourceRef]) -> None:
        """Read again, soon, what an action has changed."""
        self._lists.read_back(targets)

    def refresh(self, kind: str) -> None:
        """Read a list anew: "containers", "images", "volumes" or "networks"."""
        self._lists.refresh(kind)

    # Connecting.

    def _begin(self) -> None:
        self._backoff.reset()
        self._denials = 0
        self.error = None
        self._enter(SessionState.CONNECTING)
        self._open()

    def _open(self) -> None:
        environment, opener = self.environment, self._opener
        if environment is None or opener is None:
            return
        if self.retry_at is not None:
            self.retry_at = None
            self.state_changed.emit(self.state)
        sink: BatchedSink[EngineEvent] = BatchedSink(
            self._pulse, self, self._on_events, self._on_events_ended, bound=20_000
        )
        attempt = self._attempt = _Attempt(opener, sink)
        attempt.job = self._jobs.submit(
            self,
            attempt.open,
            partial(self._on_opened, attempt),
            partial(self._on_open_failed, attempt),
            lane=environment.id,
            long=True,
        )

    def _on_opened(self, attempt: _Attempt, engine: Engine) -> None:
        if attempt is not self._attempt or self.environment is None:
            return
        lane = self.environment.id
        self._jobs.submit(
            self,
            lambda _work: engine.info(),
            partial(self._on_info, attempt),
            partial(self._on_info_failed, attempt),
            lane=lane,
        )
        self._lists.attach(engine, lane, lambda: attempt.sink.hold(engine.events(attempt.sink)))

    def _on_open_failed(self, attempt: _Attempt, error: DockDeskError) -> None:
        if attempt is self._attempt:
            self._lose(error)

    def _on_ready(self) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        attempt.connected = time.monotonic()
        self.engine = attempt.engine
        self.error = None
        self._was_connected = True
        if self.environment is not None and not self.environment.address.startswith("unix:"):
            # A local socket tells when the other side dies; a network may swallow that.
            self._heartbeat.start()
        self._enter(SessionState.CONNECTED)

    def _on_info(self, attempt: _Attempt, info: EngineInfo) -> None:
        if attempt is self._attempt:
            self.info = info
            self._lists.untold = _UNTOLD.get(info.product, frozenset())
            self.info_changed.emit()

    def _on_info_failed(self, attempt: _Attempt, error: DockDeskError) -> None:
        if attempt is not self._attempt:
            return
        if isinstance(error, UnreachableError):
            self._lose(error)
        else:
            _log.info("the engine does not say who it is: %s", error)

    # Staying connected, or not.

    def _on_events(self, events: Sequence[EngineEvent], skipped: int) -> None:
        self._lists.note(events)
        if skipped:
            self._lists.note_gap()
        for event in events:
            self.event_arrived.emit(event)

    def _on_events_ended(self, error: DockDeskError | None) -> None:
        self._lose(
            error
            or UnreachableError(
                "The engine ended the connection",
                "Its stream of events is over.",
                "It may be restarting; DockDesk tries to reach it again.",
            )
        )

    def _on_heartbeat(self) -> None:
        engine, attempt = self.engine, self._attempt
        if engine is None or attempt is None or self.environment is None:
            return
        self._jobs.submit(
            self,
            lambda _work: engine.ping(),
            None,
            partial(self._on_open_failed, attempt),
            lane=self.environment.id,
            question="heartbeat",
        )

    def _on_list_changed(self, kind: str) -> None:
        signals = {
            "images": self.images_changed,
            "volumes": self.volumes_changed,
            "networks": self.networks_changed,
        }
        signals[kind].emit()

    def _lose(self, error: DockDeskError) -> None:
        """The connection failed: try again later where that may help, else leave it to the user."""
        attempt = self._attempt
        if attempt is None:
            return
        if attempt.connected and time.monotonic() - attempt.connected > _STABLE_S:
            self._backoff.reset()
            self._denials = 0
        self._let_go()
        self.error = error
        if self._may_heal(error):
            delay = self._backoff.next()
            self.retry_at = time.time() + delay
            self._retry_timer.start(round(delay * 1000))
            self._enter(SessionState.LOST)
        else:
            self._enter(SessionState.FAILED)

    def _may_heal(self, error: DockDeskError) -> bool:
        if isinstance(error, PermissionDeniedError) and self._was_connected:
            # A daemon that starts makes its socket first and opens it to its group a moment later.
            self._denials += 1
            return self._denials < _DENIALS
        return isinstance(error, (UnreachableError, RemoteError))

    def _let_go(self) -> None:
        """End the present connection or try. Its engine is closed on a worker, which `Jobs.close` waits for."""
        self._retry_timer.stop()
        self._heartbeat.stop()
        self.retry_at = None
        self._lists.detach()
        self.engine = None
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        engine = attempt.abandon()
        if engine is not None:
            self._jobs.submit(
                None,
                lambda _work: engine.close(),
                None,
                lambda error: _log.info("an engine was not closed cleanly: %s", error),
                long=True,
                vital=True,
            )

    def _enter(self, state: SessionState) -> None:
        self.state = state
        self.state_changed.emit(state)
