"""Conversations with containers: exec, attach and port forwarding over WebSockets."""

from __future__ import annotations

import asyncio
import shlex

from dockdesk.sandbox.engine.programs import PROGRAMS, Surroundings
from dockdesk.sandbox.engine.streams import Terminal, log_lines
from dockdesk.sandbox.http import HIJACKED, Request, Response
from dockdesk.sandbox.kube import tunnel, websocket
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.containers import Containers, PodContainer, until_gone
from dockdesk.sandbox.kube.copying import tar
from dockdesk.sandbox.kube.forwarding import Service, forward, service_of
from dockdesk.sandbox.kube.kubelet import Kubelet, Life, PodLife, Run
from dockdesk.sandbox.kube.objects import Object, dig, name_of, uid_of
from dockdesk.sandbox.kube.pod_status import host_address
from dockdesk.sandbox.kube.status import KubeError
from dockdesk.sandbox.kube.watching import is_gone

_SHELLS = {"sh", "bash", "ash"}
_MORE = {"top", "sleep", "tar"}
_FOLLOW_SECONDS = 0.25
_HUNG_UP = 137


def meant(kubelet: Kubelet, pod: Object, request: Request) -> tuple[PodLife | None, str]:
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
    if node in kubelet.down:
        raise KubeError(
            500,
            f'Get "https://{host_address(node)}:10250/": dial tcp {host_address(node)}:10250: i/o timeout',
        )
    return kubelet.lives.get(uid_of(pod)), wanted


def named(life: PodLife | None, name: str) -> Life | None:
    return next((item for item in life.containers if item.name == name), None) if life else None


def still_runs(
    kubelet: Kubelet, pod: Object, item: Life, container: PodContainer, now: float
) -> bool:
    """Whether a container still runs as it did when its log was opened; it is told when it ended."""
    life = kubelet.lives.get(uid_of(pod))
    run = next((one for one in item.runs if one.started == container.started), None)
    if life is None or run is None or run.finished:
        end = run.finished if run is not None and run.finished else now
        if container.status == "running":
            container.status = "exited"
            container.runs.append((container.started, end))
        return False
    return True


class Sessions:
    """Answers exec, attach and portforward."""

    def __init__(self, cluster: Cluster, kubelet: Kubelet, containers: Containers) -> None:
        self._cluster = cluster
        self._kubelet = kubelet
        self._containers = containers

    def _running(self, pod: Object, request: Request) -> tuple[PodLife, Life, Run]:
        """The container that is meant, which has to run. Raises KubeError 400, 500."""
        phase = dig(pod, "status", "phase")
        if phase in {"Succeeded", "Failed"}:
            text = f"cannot exec or attach into a container in a completed pod; current phase is {phase}"
            raise KubeError(400, text)
        life, name = meant(self._kubelet, pod, request)
        item = named(life, name)
        if life is None or item is None or not item.running or item.last is None:
            raise KubeError(500, f'unable to upgrade connection: container not found ("{name}")')
        return life, item, item.last

    async def exec(self, pod: Object, request: Request) -> Response:
        command = request.query.get("command") or []
        if not command or not command[0]:
            raise KubeError(400, "you must specify at least 1 command for the container")
        life, item, run = self._running(pod, request)
        assert item.behaviour is not None
        tty = request.flag("tty")
        container = self._containers.of_run(pod, life, item, run)
        socket = await websocket.accept(request)
        around = self._surroundings(container, tty)

        def resized(columns: int, rows: int) -> None:
            around.columns, around.rows = columns, rows

        pipe = websocket.ExecPipe(socket, resized)
        program = command[0].rpartition("/")[2]
        shells = {path.rpartition("/")[2] for path in item.behaviour.shells}
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
            await asyncio.gather(watching, return_exceptions=True)
        return HIJACKED

    async def attach(self, pod: Object, request: Request) -> Response:
        """What the main process says from now on; talk to it where it is a shell that waits for that."""
        life, item, run = self._running(pod, request)
        assert item.behaviour is not None
        container = self._containers.of_run(pod, life, item, run)
        tty = bool(item.spec.get("tty"))
        socket = await websocket.accept(request)
        around = self._surroundings(container, tty)

        def resized(columns: int, rows: int) -> None:
            around.columns, around.rows = columns, rows

        pipe = websocket.ExecPipe(socket, resized)
        gone = asyncio.Event()
        watching = asyncio.create_task(self._set_when_gone(pod, gone))
        try:
            if item.behaviour.interactive and request.flag("stdin"):
                code = await Terminal(pipe, around, tty).interact(gone)
                if not gone.is_set() and code != _HUNG_UP:
                    self._kubelet.end(pod, item, code)
                await pipe.finish(0)
            else:
                await self._echo(pod, item, container, pipe, request)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        return HIJACKED

    async def _echo(
        self,
        pod: Object,
        item: Life,
        container: PodContainer,
        pipe: websocket.ExecPipe,
        request: Request,
    ) -> None:
        now = self._cluster.now()
        while not is_gone(request):
            running = still_runs(self._kubelet, pod, item, container, self._cluster.now())
            last, now = now, self._cluster.now()
            if data := b"".join(text for _, _, text in log_lines(container, last, now)):
                await pipe.write(data)
            if not running:
                await pipe.finish(0)
                return
            await asyncio.sleep(_FOLLOW_SECONDS)

    async def forward(self, pod: Object, request: Request) -> Response:
        ports = [
            int(text)
            for part in request.query.get("ports") or []
            for text in part.split(",")
            if text.isdigit()
        ]
        tunnels = tunnel.TUNNEL in websocket.offered_protocols(request)
        spdy = tunnels or tunnel.wants_spdy(request)
        if not spdy and (not ports or not all(0 < port < 1 << 16 for port in ports)):
            raise KubeError(400, 'query parameter "ports" is required: numbers from 1 to 65535')
        life = self._kubelet.lives.get(uid_of(pod))
        running = (
            [item for item in life.containers if item.running and not item.init] if life else []
        )
        if life is None or not running:
            raise KubeError(
                400,
                f"unable to forward port because pod is not running. Current status={dig(pod, 'status', 'phase')}",
            )
        made: dict[str, PodContainer] = {}
        open_ports: set[int] = set()
        for item in running:
            assert item.last is not None
            assert item.behaviour is not None
            made[item.name] = self._containers.of_run(pod, life, item, item.last)
            open_ports |= {int(port["containerPort"]) for port in item.spec.get("ports") or ()}
            open_ports |= {int(text.partition("/")[0]) for text in item.behaviour.recipe.ports}
        container = made[running[0].name]
        wire: tunnel.Wire | None = None
        if tunnels:
            wire = tunnel.SocketWire(await websocket.accept(request, (tunnel.TUNNEL,)))
        elif spdy:
            wire = await tunnel.accept(request)
        else:
            socket = await websocket.accept(request)
        gone = asyncio.Event()
        watching = asyncio.create_task(self._set_when_gone(pod, gone))

        def make() -> Service:
            return service_of(container)

        try:
            if wire is not None:
                await tunnel.Tunnel(wire, name_of(pod), open_ports, make).serve(gone)
            else:
                await forward(socket, ports, open_ports, make, gone)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
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
