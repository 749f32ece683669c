"""A pod's status as its kubelet reports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockdesk.sandbox.engine.state import digest_of
from dockdesk.sandbox.kube.objects import Object, rfc3339, with_condition

if TYPE_CHECKING:
    from dockdesk.sandbox.kube.kubelet import Life, PodLife, Run


def status_of(pod: Object, life: PodLife, now: float) -> dict[str, Any]:
    """The status; everything it has of times comes from what happened, so the same life gives the same status."""
    old = pod.get("status") or {}
    mains = [item for item in life.containers if not item.init]
    inits = [item for item in life.containers if item.init]
    phase = _phase(pod, mains, inits)
    initialized = all(item.succeeded for item in inits)
    ready = bool(mains) and all(item.ready for item in mains)
    done = phase in {"Succeeded", "Failed"}
    reason, message = "", ""
    if not ready:
        unready = [item.name for item in mains if not item.ready]
        reason = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
        message = (
            "" if phase == "Succeeded" else f"containers with unready status: [{' '.join(unready)}]"
        )
    conditions: list[Object] = list(old.get("conditions") or ())
    moment = _moment(mains, now)
    begun = any(item.runs for item in life.containers)
    for kind, state, why, text in (
        ("PodReadyToStartContainers", begun and not done, "", ""),
        ("Initialized", initialized, "" if initialized else "ContainersNotInitialized", ""),
        ("Ready", ready, reason, message),
        ("ContainersReady", ready, reason, message),
    ):
        conditions = with_condition(conditions, kind, state, why, text, moment)
    status: dict[str, Any] = {
        "phase": phase,
        "conditions": conditions,
        "hostIP": host_address(str(pod["spec"]["nodeName"])),
        "hostIPs": [{"ip": host_address(str(pod["spec"]["nodeName"]))}],
        "startTime": rfc3339(life.accepted),
        "containerStatuses": [_container(life, item) for item in mains],
        "qosClass": old.get("qosClass", "BestEffort"),
    }
    if begun:
        status["podIP"] = life.address
        status["podIPs"] = [{"ip": life.address}]
    if inits:
        status["initContainerStatuses"] = [_container(life, item) for item in inits]
    return status


def addressed(status: Mapping[str, Any], life: PodLife, node: str) -> dict[str, Any]:
    """The status of a pod whose containers fare as those of another of its template, at its own place."""
    host = host_address(node)
    mains = [item for item in life.containers if not item.init]
    statuses = [
        {**known, "containerID": container_id(life, item, item.last)}
        for known, item in zip(status["containerStatuses"], mains, strict=True)
        if item.last is not None
    ]
    return {
        **status,
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": life.address,
        "podIPs": [{"ip": life.address}],
        "containerStatuses": statuses,
    }


def _moment(mains: Sequence[Life], now: float) -> float:
    """When the last thing happened to a container, for conditions that change because of it."""
    moments = [run.finished or run.started for item in mains for run in item.runs[-1:]]
    return max(moments, default=now) if moments and max(moments) < now - 5 else now


def _phase(pod: Object, mains: Sequence[Life], inits: Sequence[Life]) -> str:
    never = pod["spec"].get("restartPolicy") == "Never"
    if never and any(item.stage == "ended" and not item.succeeded for item in inits):
        return "Failed"
    if mains and all(item.stage == "ended" for item in mains):
        return "Succeeded" if all(item.succeeded for item in mains) else "Failed"
    return "Running" if any(item.runs for item in mains) else "Pending"


def host_address(node: str) -> str:
    """A node's address: part of its name, as EC2 names hosts."""
    parts = node.partition(".")[0].split("-")
    return ".".join(parts[1:5]) if len(parts) >= 5 and parts[0] == "ip" else "10.0.0.10"


def container_id(life: PodLife, item: Life, run: Run) -> str:
    return "containerd://" + digest_of(life.uid, item.name, run.started).removeprefix("sha256:")


def _has_host(image: str) -> bool:
    host, slash, _ = image.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")


def _terminated(life: PodLife, item: Life, run: Run) -> dict[str, Any]:
    return {
        "exitCode": run.exit_code,
        "reason": run.reason,
        "startedAt": rfc3339(run.started),
        "finishedAt": rfc3339(run.finished),
        "containerID": container_id(life, item, run),
    }


def _container(life: PodLife, item: Life) -> dict[str, Any]:
    last = item.last
    state: dict[str, Any]
    previous = None
    if item.running and last is not None:
        state = {"running": {"startedAt": rfc3339(last.started)}}
        previous = item.runs[-2] if len(item.runs) > 1 else None
    elif last is not None and (item.stage == "ended" or not item.waiting[0]):
        state = {"terminated": _terminated(life, item, last)}
        previous = item.runs[-2] if len(item.runs) > 1 else None
    else:
        reason, message = item.waiting
        state = {
            "waiting": {
                "reason": reason or "ContainerCreating",
                **({"message": message} if message else {}),
            }
        }
        previous = last
    image = str(item.spec.get("image", ""))
    status: dict[str, Any] = {
        "name": item.name,
        "state": state,
        "lastState": {"terminated": _terminated(life, item, previous)}
        if previous and previous.finished
        else {},
        "ready": item.ready or (item.init and item.succeeded),
        "restartCount": item.restarts,
        "image": image
        if _has_host(image)
        else f"docker.io/{image if '/' in image else f'library/{image}'}",
        "imageID": "",
        "started": item.running,
    }
    if last is not None:
        repository = status["image"].rpartition(":")[0] or status["image"]
        held = item.behaviour.held if item.behaviour is not None else None
        digest = held.digest if held is not None else digest_of("manifest", image)
        status["imageID"] = f"{repository.partition('@')[0]}@{digest}"
        status["containerID"] = container_id(life, item, last)
    return status
