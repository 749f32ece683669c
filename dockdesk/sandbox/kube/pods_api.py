"""What pods offer beyond their objects: logs, exec, eviction, binding. Source: Kubernetes API reference, Pod."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator

from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.programs import PROGRAMS, Surroundings
from dockdesk.sandbox.engine.streams import Line, Terminal, log_lines, newest_lines
from dockdesk.sandbox.http import HIJACKED, Request, Response, json_response
from dockdesk.sandbox.kube import websocket
from dockdesk.sandbox.kube.bodies import read_object
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.containers import Containers, PodContainer, until_gone
from dockdesk.sandbox.kube.copying import tar
from dockdesk.sandbox.kube.deleting import delete, options_of
from dockdesk.sandbox.kube.kubelet import Kubelet, Life, PodLife
from dockdesk.sandbox.kube.objects import Object, dig, name_of, namespace_of, seconds_of, uid_of
from dockdesk.sandbox.kube.pod_status import host_address
from dockdesk.sandbox.kube.pods import is_ready
from dockdesk.sandbox.kube.services import Budgets
from dockdesk.sandbox.kube.status import KubeError, no_such_path
from dockdesk.sandbox.kube.watching import is_gone

_SHELLS = {"sh", "bash", "ash"}
_MORE = {"top", "sleep", "tar"}
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

    async def answer(self, namespace: str, name: str, part: str, request: Request) -> Response:
        pod = self._store.get(self._kind, namespace, name).object
        if part == "log" and request.method == "GET":
            return self._log(pod, request)
        if part == "exec":
            return await self._exec(pod, request)
        if part in {"attach", "portforward", "proxy"}:
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

    # --- Which container ---

    def _life(self, pod: Object, request: Request) -> tuple[PodLife | None, str]:
        """The pod's containers, and the name of the one that is meant. Raises KubeError 400."""
        specs = pod["spec"]
        names = [item["name"] for item in specs.get("containers") or ()]
        inits = [item["name"] for item in specs.get("initContainers") or ()]
        wanted = request.first("container")
        if not wanted:
            wanted = str(
                (pod["metadata"].get("annotations") or {}).get(
                    "kubectl.kubernetes.io/default-container", ""
                )
            )
            if not wanted and len(names) > 1:
                extra = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
                raise KubeError(
                    400,
                    f"a container name must be specified for pod {name_of(pod)}, choose one of: [{' '.join(names)}]{extra}",
                )
            wanted = wanted or names[0]
        if wanted not in [*names, *inits]:
            raise KubeError(400, f"container {wanted} is not valid for pod {name_of(pod)}")
        node = str(dig(pod, "spec", "nodeName") or "")
        if node in self._kubelet.down:
            raise KubeError(
                500,
                f'Get "https://{host_address(node)}:10250/": dial tcp {host_address(node)}:10250: i/o timeout',
            )
        return self._kubelet.lives.get(uid_of(pod)), wanted

    @staticmethod
    def _item(life: PodLife | None, name: str) -> Life | None:
        return next((item for item in life.containers if item.name == name), None) if life else None

    # --- Logs ---

    def _log(self, pod: Object, request: Request) -> Response:
        life, name = self._life(pod, request)
        item = self._item(life, name)
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

    def current(self, pod: Object, item: Life, container: PodContainer) -> bool:
        """Whether a container still runs as it did when its log was opened; it is told when it ended."""
        life = self._kubelet.lives.get(uid_of(pod))
        run = next((one for one in item.runs if one.started == container.started), None)
        if life is None or run is None or run.finished:
            end = run.finished if run is not None and run.finished else self._cluster.now()
            if container.status == "running":
                container.status = "exited"
                container.runs.append((container.started, end))
            return False
        return True

    def now(self) -> float:
        return self._cluster.now()

    # --- Exec ---

    async def _exec(self, pod: Object, request: Request) -> Response:
        command = request.query.get("command") or []
        if not command or not command[0]:
            raise KubeError(400, "you must specify at least 1 command for the container")
        phase = dig(pod, "status", "phase")
        if phase in {"Succeeded", "Failed"}:
            raise KubeError(
                400, f"cannot exec into a container in a completed pod; current phase is {phase}"
            )
        life, name = self._life(pod, request)
        item = self._item(life, name)
        if (
            life is None
            or item is None
            or not item.running
            or item.last is None
            or item.behaviour is None
        ):
            raise KubeError(500, f'unable to upgrade connection: container not found ("{name}")')
        tty = request.flag("tty")
        container = self._containers.of_run(pod, life, item, item.last)
        socket = await websocket.accept(request)
        around = self._surroundings(container, tty)

        def resized(columns: int, rows: int) -> None:
            around.columns, around.rows = columns, rows

        pipe = websocket.ExecPipe(socket, resized)
        program = command[0].rpartition("/")[2]
        shells = {path.rpartition("/")[2] for path in item.behaviour.recipe.shells}
        if not shells or not (program in PROGRAMS or program in _MORE or program in shells):
            await pipe.finish(
                1,
                f'error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "{command[0]}": executable file not found in $PATH: unknown',
            )
            return HIJACKED
        if program == "tar":
            await pipe.finish(await tar(command[1:], around, socket, pipe))
            return HIJACKED
        terminal = Terminal(pipe, around, tty)
        gone = asyncio.Event()
        watching = asyncio.create_task(self._set_when_gone(pod, gone))
        try:
            if program in _SHELLS and "-c" not in command:
                code = await terminal.interact(gone)
            else:
                code = await terminal.run(shlex.join(command))
            await pipe.finish(code)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        return HIJACKED

    async def _set_when_gone(self, pod: Object, gone: asyncio.Event) -> None:
        await until_gone(self._cluster, pod)
        gone.set()

    def _surroundings(self, container: PodContainer, tty: bool) -> Surroundings:
        config = container.config
        env = dict(str(item).partition("=")[::2] for item in config.get("Env") or ())
        user = str(config.get("User") or "root").partition(":")[0]
        env.setdefault("HOME", "/root" if user == "root" else "/app")
        if tty:
            env.setdefault("TERM", "xterm")
        return Surroundings(
            container, self._cluster.now, user, env, str(config.get("WorkingDir") or "/")
        )

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
        self._api.current(self._pod, self._item, container)
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
            ended = not self._api.current(self._pod, self._item, container)
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
