"""What pods offer beyond their objects: logs, exec, eviction, binding. Source: Kubernetes API reference, Pod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.streams import Line, log_lines, newest_lines
from dockdesk.sandbox.http import Request, Response, json_response
from dockdesk.sandbox.kube.bodies import read_object
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.containers import Containers, PodContainer
from dockdesk.sandbox.kube.deleting import delete, options_of
from dockdesk.sandbox.kube.kubelet import Kubelet, Life
from dockdesk.sandbox.kube.objects import Object, dig, name_of, namespace_of, seconds_of
from dockdesk.sandbox.kube.pods import is_ready
from dockdesk.sandbox.kube.services import Budgets
from dockdesk.sandbox.kube.sessions import Sessions, meant, named, still_runs
from dockdesk.sandbox.kube.status import KubeError, no_such_path
from dockdesk.sandbox.kube.watching import is_gone

_FOLLOW_SECONDS = 0.25


class PodsApi:
    def __init__(
        self, cluster: Cluster, kubelet: Kubelet, containers: Containers, budgets: Budgets
    ) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._kind = cluster.kind("Pod")
        self._kubelet = kubelet
        self._containers = containers
        self._budgets = budgets
        self._sessions = Sessions(cluster, kubelet, containers)

    async def answer(self, namespace: str, name: str, part: str, request: Request) -> Response:
        pod = self._store.get(self._kind, namespace, name).object
        if part == "log" and request.method == "GET":
            return self._log(pod, request)
        if part == "exec":
            return await self._sessions.exec(pod, request)
        if part == "portforward":
            return await self._sessions.forward(pod, request)
        if part == "attach":
            return await self._sessions.attach(pod, request)
        if part == "proxy":
            raise KubeError(
                501,
                f"the sandbox does not simulate {part}: there is no real process behind a pod to talk to",
            )
        if part == "eviction" and request.method == "POST":
            return await self._evict(pod, request)
        if part == "ephemeralcontainers":
            raise KubeError(501, "the sandbox does not simulate ephemeral containers")
        if part in {"log", "eviction"}:
            raise KubeError(405, "the server does not allow this method on the requested resource")
        raise no_such_path()

    # --- Logs ---

    def _log(self, pod: Object, request: Request) -> Response:
        life, name = meant(self._kubelet, pod, request)
        item = named(life, name)
        previous = request.flag("previous")
        runs = item.runs if item is not None else []
        if previous:
            ended = [run for run in runs if run.finished]
            past = ended if runs and not runs[-1].finished else ended[:-1]
            if item is not None and item.stage == "waiting" and ended:
                past = ended
            if not past:
                raise KubeError(
                    400, f'previous terminated container "{name}" in pod "{name_of(pod)}" not found'
                )
            run = past[-1]
        elif item is None or not runs:
            raise self._not_started(pod, name, item)
        else:
            run = runs[-1]
        assert item is not None
        assert life is not None
        container = self._containers.of_run(pod, life, item, run)
        return Response(
            body=_Log(self, pod, item, container, request).pieces(), content_type="text/plain"
        )

    @staticmethod
    def _not_started(pod: Object, name: str, item: Life | None) -> KubeError:
        reason = item.waiting[0] if item is not None else "ContainerCreating"
        if reason in {"ErrImagePull", "ImagePullBackOff"}:
            what = "is waiting to start: trying and failing to pull image"
        elif not dig(pod, "spec", "nodeName"):
            what = "does not have a host assigned"
            return KubeError(400, f"pod {name_of(pod)} {what}")
        else:
            what = f"is waiting to start: {reason or 'ContainerCreating'}"
        return KubeError(400, f'container "{name}" in pod "{name_of(pod)}" {what}')

    def runs(self, pod: Object, item: Life, container: PodContainer) -> bool:
        """Whether a container still runs as it did when its log was opened."""
        return still_runs(self._kubelet, pod, item, container, self._cluster.now())

    def now(self) -> float:
        return self._cluster.now()

    # --- Eviction ---

    async def _evict(self, pod: Object, request: Request) -> Response:
        options = options_of(request, (await read_object(request)).get("deleteOptions"))
        budgets = self._budgets.covering(pod) if is_ready(pod) else []
        if len(budgets) > 1:
            raise KubeError(
                500,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            )
        for budget in budgets:
            self._budgets.reconcile(namespace_of(budget), name_of(budget))
            status = self._store.get(
                self._budgets.kind, namespace_of(budget), name_of(budget)
            ).object["status"]
            if status["disruptionsAllowed"] < 1:
                cause = f"The disruption budget {name_of(budget)} needs {status['desiredHealthy']} healthy pods and has {status['currentHealthy']} currently"
                raise KubeError(
                    429,
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                    causes=[("DisruptionBudget", cause, "")],
                )
        left = delete(self._cluster, self._kind, pod, options)
        if left is not None and not options.dry_run:
            # Counts as gone at once, so that the next eviction sees it.
            for budget in budgets:
                self._budgets.reconcile(namespace_of(budget), name_of(budget))
        return json_response(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "code": 201,
            },
            201,
        )


class _Log:
    """One answer to a log request."""

    def __init__(
        self, api: PodsApi, pod: Object, item: Life, container: PodContainer, request: Request
    ) -> None:
        self._api = api
        self._pod = pod
        self._item = item
        self._container = container
        self._request = request
        self._stamps = request.flag("timestamps")
        self._follow = request.flag("follow")
        self._tail = _whole(request, "tailLines")
        self._limit = _whole(request, "limitBytes")
        self._since = self._beginning()

    def _beginning(self) -> float:
        if (seconds := _whole(self._request, "sinceSeconds")) is not None:
            return self._api.now() - seconds
        text = self._request.first("sinceTime")
        try:
            return seconds_of(text)
        except ValueError:
            raise KubeError(400, f'sinceTime: Invalid value: "{text[:40]}"') from None

    def _encode(self, lines: list[Line]) -> bytes:
        if not self._stamps:
            return b"".join(data for _, _, data in lines)
        return b"".join(stamp(at).encode() + b" " + data for at, _, data in lines)

    async def pieces(self) -> AsyncIterator[bytes]:
        container, now, sent = self._container, self._api.now(), 0
        self._api.runs(self._pod, self._item, container)
        if self._tail is not None:
            lines = newest_lines(container, self._since, now, self._tail)
        else:
            lines = log_lines(container, self._since, now)
        text = self._encode(lines)
        if self._limit is not None:
            text = text[: self._limit]
        yield text
        sent += len(text)
        while self._follow and (self._limit is None or sent < self._limit):
            ended = not self._api.runs(self._pod, self._item, container)
            last, now = now, self._api.now()
            if text := self._encode(log_lines(container, last, now)):
                if self._limit is not None:
                    text = text[: self._limit - sent]
                sent += len(text)
                yield text
            if ended or is_gone(self._request):
                return
            await asyncio.sleep(_FOLLOW_SECONDS)


def _whole(request: Request, name: str) -> int | None:
    text = request.first(name)
    if not text:
        return None
    if not text.isdigit():
        raise KubeError(400, f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
    return int(text)
