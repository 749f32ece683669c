"""The kubelets: containers are pulled, started, probed, killed and restarted, and pods say so in their status.

Source: Kubernetes documentation, "Pod Lifecycle" and "Images".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.images import Behaviour, behaviour_of, pull_seconds
from dockdesk.sandbox.kube.load import Load
from dockdesk.sandbox.kube.objects import Object, dig, name_of, namespace_of, uid_of
from dockdesk.sandbox.kube.pod_status import status_of
from dockdesk.sandbox.kube.store import Change
from dockdesk.sandbox.kube.stores import Stores
from dockdesk.sandbox.world.traffic import unit

_SETUP_SECONDS = 0.6
_STOP_SECONDS = 1.5
_BACKOFF, _LONGEST_BACKOFF, _FORGIVEN = 10.0, 300.0, 600.0
_MOST_STEPS = 2000
_KEPT_RUNS = 20
_NEVER = float("inf")


@dataclass(slots=True)
class Run:
    """One life of a container; ``finished`` 0 while it runs. Times in seconds since 1970."""

    started: float
    finished: float = 0.0
    exit_code: int = 0
    reason: str = ""


@dataclass(slots=True)
class Life:
    """A container of a pod as its kubelet knows it. ``due``: when something happens to it next."""

    spec: Mapping[str, Any]
    init: bool
    stage: str = "new"  # new, creating, pulling, pull-failed, waiting, running, ended
    due: float = 0.0
    behaviour: Behaviour | None = None
    waiting: tuple[str, str] = ("ContainerCreating", "")
    runs: list[Run] = field(default_factory=list)
    restarts: int = 0
    crashes: int = 0  # in a row, for the back-off
    pulls: int = 0  # that failed, in a row
    ready: bool = False
    ready_at: float = _NEVER
    probe_at: float = _NEVER
    asked: int | None = None  # the exit code of a program that was told to end

    @property
    def name(self) -> str:
        return str(self.spec.get("name", ""))

    @property
    def running(self) -> bool:
        return self.stage == "running"

    @property
    def last(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    @property
    def succeeded(self) -> bool:
        last = self.last
        return self.stage == "ended" and last is not None and last.exit_code == 0


@dataclass(slots=True)
class PodLife:
    uid: str
    containers: list[Life]
    accepted: float
    address: str
    initialized: float = 0.0
    stopping: float = 0.0
    timer: float = _NEVER
    files: dict[str, Any] = field(default_factory=dict)  # container → what exec changed in it


class Kubelet(Controller):
    """All nodes' kubelets."""

    name = "Pod"

    def __init__(self, cluster: Cluster, load: Load, stores: Stores) -> None:
        super().__init__(cluster)
        self.load = load
        self._stores = stores
        self.lives: dict[str, PodLife] = {}
        self.instant = False
        self.down: set[str] = set()  # nodes whose kubelet does not answer
        self._images: set[tuple[str, str]] = set()
        self._behaviours: dict[str, Behaviour | None] = {}  # of those that were adopted
        self._addresses = 0

    def notice(self, change: Change) -> None:
        if change.kind.key == self.kind.key:
            if change.word == "DELETED":
                self.lives.pop(uid_of(change.object), None)
            elif change.word == "ADDED" and uid_of(change.object) in self.lives:
                return  # adopted: nothing is left to do for it
            elif dig(change.object, "spec", "nodeName"):
                self.enqueue(change.object)

    def reconcile(self, namespace: str, name: str) -> None:
        pod = self.store.find(self.kind, namespace, name)
        if pod is None or not (node := dig(pod, "spec", "nodeName")) or node in self.down:
            return
        life = self.lives.get(uid_of(pod)) or self._accept(pod)
        if pod["metadata"].get("deletionTimestamp"):
            self._stop(pod, life)
            return
        if dig(pod, "status", "phase") in {"Succeeded", "Failed"}:
            return
        self._adopt_images(pod, life)
        for _ in range(_MOST_STEPS):
            if not self._advance(pod, life):
                break
        self._tell_status(pod, life)
        self._set_timer(pod, life)

    def _address(self) -> str:
        self._addresses += 1
        number = self._addresses
        return f"10.{244 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"

    def adopt(self, uid: str, spec: Mapping[str, Any]) -> PodLife:
        """A pod that runs already when it is heard of: all its containers are started and ready."""
        now = self.cluster.now()
        containers = [Life(item, False) for item in spec["containers"]]
        for life in containers:
            image = str(life.spec.get("image"))
            if image not in self._behaviours:
                self._behaviours[image] = behaviour_of(life.spec, self._stores)
            life.behaviour = self._behaviours[image]
            life.stage, life.ready, life.due = "running", True, _NEVER
            life.runs.append(Run(now))
            self._images.add((str(spec["nodeName"]), image))
        made = PodLife(uid, containers, now, self._address())
        self.lives[uid] = made
        return made

    def _accept(self, pod: Object) -> PodLife:
        spec = pod["spec"]
        containers = [Life(item, True) for item in spec.get("initContainers") or ()]
        containers += [Life(item, False) for item in spec.get("containers") or ()]
        if spec.get("initContainers"):
            for life in containers:
                life.waiting = ("PodInitializing", "")
        now = self.cluster.now()
        due = now + (
            0.0 if self.instant else _SETUP_SECONDS + unit(self.cluster.seed, uid_of(pod)) * 0.4
        )
        for life in containers:
            life.due = due
        made = PodLife(uid_of(pod), containers, now, self._address())
        self.lives[uid_of(pod)] = made
        return made

    def _adopt_images(self, pod: Object, life: PodLife) -> None:
        """An image that was changed in place restarts its container."""
        specs = [*(pod["spec"].get("initContainers") or ()), *(pod["spec"].get("containers") or ())]
        for known, spec in zip(life.containers, specs, strict=False):
            if known.spec.get("image") == spec.get("image"):
                known.spec = spec
                continue
            known.spec = spec
            now = self.cluster.now()
            if known.running:
                self._end(known, now, 143, "Error")
            known.stage, known.due, known.pulls = "creating", now, 0

    # --- What happens next ---

    def _advance(self, pod: Object, life: PodLife) -> bool:
        """Let one thing that is due happen, the earliest first; whether something did."""
        now = self.cluster.now()
        active = self._active(life)
        due = [item for item in active if item.due <= now or item.ready_at <= now]
        if not due:
            return False
        item = min(due, key=lambda one: min(one.due, one.ready_at))
        if item.ready_at <= item.due:
            item.ready, item.ready_at = True, _NEVER
            return True
        at = item.due
        if item.stage in {"new", "creating", "waiting"}:
            self._create(pod, item, at)
        elif item.stage == "pulling":
            self._pulled(pod, item, at)
        elif item.stage == "pull-failed":
            delay = min(_BACKOFF * 2 ** (item.pulls - 1), _LONGEST_BACKOFF)
            image = item.spec.get("image")
            self._event(pod, item, "BackOff", f'Back-off pulling image "{image}"', True)
            item.waiting = (
                "ImagePullBackOff",
                f'Back-off pulling image "{image}": ErrImagePull: {_not_there(str(image))}',
            )
            item.stage, item.due = "waiting", at + delay
        elif item.stage == "running":
            self._on_end(pod, life, item, at)
        else:
            item.due = _NEVER
        return True

    @staticmethod
    def _active(life: PodLife) -> list[Life]:
        """Init containers one after the other, then all of the others."""
        for item in life.containers:
            if item.init and not item.succeeded:
                return [item]
        return [item for item in life.containers if not item.init]

    def _create(self, pod: Object, item: Life, at: float) -> None:
        if missing := self._missing_reference(pod, item.spec):
            item.waiting = ("CreateContainerConfigError", missing)
            item.stage, item.due = "waiting", at + 10.0
            self._event(pod, item, "Failed", f"Error: {missing}", True)
            return
        item.behaviour = behaviour_of(item.spec, self._stores)
        image, node = str(item.spec.get("image")), str(pod["spec"]["nodeName"])
        present = (node, image) in self._images
        if item.spec.get("imagePullPolicy") == "Never":
            present = item.behaviour is not None
            if not present:
                self._never(pod, item, image, at)
                return
        if self.instant and item.behaviour is not None:
            self._images.add((node, image))
            self._start(pod, item, at)
        elif (
            item.behaviour is not None and present and item.spec.get("imagePullPolicy") != "Always"
        ):
            self._event(
                pod, item, "Pulled", f'Container image "{image}" already present on machine'
            )
            self._start(pod, item, at)
        else:
            self._event(pod, item, "Pulling", f'Pulling image "{image}"')
            seconds = (
                0.9 if item.behaviour is None or present else pull_seconds(item.behaviour.recipe)
            )
            item.stage, item.due = "pulling", at + seconds

    def _never(self, pod: Object, item: Life, image: str, at: float) -> None:
        text = f'Container image "{image}" is not present with pull policy of Never'
        self._event(pod, item, "ErrImageNeverPull", text, True)
        self._event(pod, item, "Failed", "Error: ErrImageNeverPull", True)
        item.waiting = ("ErrImageNeverPull", text)
        item.stage, item.due = "waiting", at + _BACKOFF

    def _missing_reference(self, pod: Object, spec: Mapping[str, Any]) -> str:
        """What a container's environment needs and the namespace does not have."""
        wanted: list[tuple[str, str, bool]] = []
        for entry in spec.get("env") or ():
            for field_name, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if found := dig(entry, "valueFrom", field_name):
                    wanted.append((kind, str(found.get("name")), bool(found.get("optional"))))
        for entry in spec.get("envFrom") or ():
            for field_name, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if found := entry.get(field_name):
                    wanted.append((kind, str(found.get("name")), bool(found.get("optional"))))
        for kind, name, optional in wanted:
            if (
                not optional
                and self.store.find(self.cluster.kind(kind), namespace_of(pod), name) is None
            ):
                return f'{kind.lower()} "{name}" not found'
        return ""

    def _pulled(self, pod: Object, item: Life, at: float) -> None:
        image = str(item.spec.get("image"))
        if item.behaviour is None:
            item.pulls += 1
            text = _not_there(image)
            self._event(pod, item, "Failed", f'Failed to pull image "{image}": {text}', True)
            self._event(pod, item, "Failed", "Error: ErrImagePull", True)
            item.waiting = ("ErrImagePull", text)
            item.stage, item.due = "pull-failed", at + 2.0
            return
        size = item.behaviour.size
        took = pull_seconds(item.behaviour.recipe)
        self._event(
            pod,
            item,
            "Pulled",
            f'Successfully pulled image "{image}" in {took:.3f}s ({took:.3f}s including waiting). Image size: {size} bytes.',
        )
        item.pulls = 0
        self._images.add((str(pod["spec"]["nodeName"]), image))
        self._start(pod, item, at)

    def _start(self, pod: Object, item: Life, at: float) -> None:
        assert item.behaviour is not None
        self._event(pod, item, "Created", f"Created container: {item.name}")
        if item.runs:
            item.restarts += 1
        item.runs.append(Run(at))
        del item.runs[:-_KEPT_RUNS]
        item.stage, item.ready, item.asked = "running", False, None
        if item.behaviour.lacks:
            text = f'Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "{item.behaviour.lacks}": stat {item.behaviour.lacks}: no such file or directory: unknown'
            self._event(pod, item, "Failed", text, True)
            item.due = at
            return
        self._event(pod, item, "Started", f"Started container {item.name}")
        program = item.behaviour.program
        readiness = item.spec.get("readinessProbe")
        if item.init:
            item.ready_at = _NEVER
        elif not readiness:
            item.ready_at = at
        elif program.fails_health:
            item.ready_at = _NEVER
        else:
            wait = float(readiness.get("initialDelaySeconds") or 0) + (0.0 if self.instant else 1.5)
            item.ready_at = at + wait
        item.due = self._ends_at(pod, item, at)

    def _ends_at(self, pod: Object, item: Life, started: float) -> float:
        """When a run ends, or its probe has to be reported; infinity where it just goes on."""
        assert item.behaviour is not None
        program = item.behaviour.program
        if item.init and not program.runs_for:
            return started + 1.0  # init containers are there to end
        moments = [started + program.runs_for if program.runs_for else _NEVER]
        moments.append(self.load.full_at(pod, item.spec, program, started))
        if program.fails_health:
            probe = item.spec.get("livenessProbe")
            if probe:
                delay = float(probe.get("initialDelaySeconds") or 0)
                item.probe_at = started + delay + probe["periodSeconds"] * probe["failureThreshold"]
                moments.append(item.probe_at)
            elif item.spec.get("readinessProbe"):
                item.probe_at = started + 2.0
                moments.append(item.probe_at)
        return min(moments)

    def _on_end(self, pod: Object, life: PodLife, item: Life, at: float) -> None:
        assert item.behaviour is not None
        assert item.last is not None
        program, started = item.behaviour.program, item.last.started
        if item.behaviour.lacks:
            code, reason = 128, "StartError"
        elif item.asked is not None:
            code, reason = item.asked, "Error" if item.asked else "Completed"
        elif at >= self.load.full_at(pod, item.spec, program, started):
            code, reason = 137, "OOMKilled"
        elif at >= item.probe_at:
            word = "Liveness" if item.spec.get("livenessProbe") else "Readiness"
            self._event(
                pod,
                item,
                "Unhealthy",
                f"{word} probe failed: HTTP probe failed with statuscode: 503",
                True,
            )
            if word == "Readiness":
                # Nothing kills it: it runs on, and fails its probe again.
                item.probe_at = at + 30.0
                ends = started + program.runs_for if program.runs_for else _NEVER
                item.due = min(item.probe_at, ends)
                return
            self._event(
                pod,
                item,
                "Killing",
                f"Container {item.name} failed liveness probe, will be restarted",
            )
            code, reason = 137, "Error"
        else:
            code = 0 if item.init and not program.runs_for else program.exit_code
            reason = "Completed" if code == 0 else "Error"
        self._end(item, at, code, reason)
        policy = pod["spec"].get("restartPolicy", "Always")
        again = policy == "Always" and not item.init
        again = again or (policy in {"OnFailure", "Always"} and code != 0)
        if not again:
            item.stage, item.due = "ended", _NEVER
            for other in life.containers:
                if other.stage == "new":  # which waited for this one
                    other.due = max(other.due, at + 0.2)
            return
        item.crashes = 0 if at - started >= _FORGIVEN else item.crashes
        delay = min(_BACKOFF * 2 ** (item.crashes - 1), _LONGEST_BACKOFF) if item.crashes else 1.0
        item.crashes += 1
        if delay > 1.0:
            text = f"back-off {int(delay)}s restarting failed container={item.name} pod={name_of(pod)}_{namespace_of(pod)}({life.uid})"
            item.waiting = ("CrashLoopBackOff", text)
            self._event(
                pod,
                item,
                "BackOff",
                f"Back-off restarting failed container {item.name} in pod {name_of(pod)}_{namespace_of(pod)}({life.uid})",
                True,
            )
        else:
            item.waiting = ("", "")
        item.stage, item.due = "waiting", at + delay

    def _end(self, item: Life, at: float, code: int, reason: str) -> None:
        last = item.last
        if last is not None and not last.finished:
            last.finished, last.exit_code, last.reason = at, code, reason
        item.ready, item.ready_at, item.probe_at = False, _NEVER, _NEVER

    # --- The end of a pod ---

    def _stop(self, pod: Object, life: PodLife) -> None:
        now = self.cluster.now()
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        if not life.stopping:
            life.stopping = now
            for item in life.containers:
                if item.running:
                    self._event(pod, item, "Killing", f"Stopping container {item.name}")
        wait = min(_STOP_SECONDS, grace)
        if now - life.stopping < wait:
            self.look_later(life.stopping + wait - now + 0.01, namespace_of(pod), name_of(pod))
            return
        for item in life.containers:
            if item.running:
                self._end(item, now, 0, "Completed")
                item.stage = "ended"
        if pod["metadata"].get("finalizers"):
            self._tell_status(pod, life)
            return
        self.store.drop(self.kind, namespace_of(pod), name_of(pod))

    # --- Telling ---

    def _event(
        self, pod: Object, item: Life, reason: str, message: str, warning: bool = False
    ) -> None:
        if self.instant:
            return
        field_name = "initContainers" if item.init else "containers"
        path = f"spec.{field_name}{{{item.name}}}"
        node = str(pod["spec"]["nodeName"])
        self.cluster.tell(pod, reason, message, "kubelet", warning, node, path)

    def _tell_status(self, pod: Object, life: PodLife) -> None:
        self.store.set_status(self.kind, pod, status_of(pod, life, self.cluster.now()))

    def _set_timer(self, pod: Object, life: PodLife) -> None:
        due = min((min(item.due, item.ready_at) for item in self._active(life)), default=_NEVER)
        now = self.cluster.now()
        if due == _NEVER or now < life.timer <= due:
            return
        life.timer = due
        self.look_later(max(due - now, 0.0), namespace_of(pod), name_of(pod))

    def end(self, pod: Object, item: Life, code: int) -> None:
        """A container's program ends by itself, with this exit code."""
        if item.running:
            item.asked, item.due = code, self.cluster.now()
            self.enqueue(pod)

    def reconsider(self, pod: Object) -> None:
        """Something outside changed how a pod's containers fare."""
        life = self.lives.get(uid_of(pod))
        for item in life.containers if life else ():
            if item.running and item.last is not None:
                item.due = max(self._ends_at(pod, item, item.last.started), self.cluster.now())
        self.enqueue(pod)


def _not_there(image: str) -> str:
    return f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
