"""The simulated Kubernetes as a server."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dockdesk.sandbox.http import HttpError, Request, Response, Router, Server
from dockdesk.sandbox.kube import certificate
from dockdesk.sandbox.kube.access import Access, User
from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.autoscaler import Autoscaler
from dockdesk.sandbox.kube.batch import CronJobs, Jobs
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.containers import Containers
from dockdesk.sandbox.kube.crowd import Crowd
from dockdesk.sandbox.kube.deployments import Deployments, ReplicaSets
from dockdesk.sandbox.kube.discovery import Discovery
from dockdesk.sandbox.kube.housekeeping import CustomResources, Garbage, Namespaces
from dockdesk.sandbox.kube.kubelet import Kubelet
from dockdesk.sandbox.kube.listing import Lister
from dockdesk.sandbox.kube.load import Load
from dockdesk.sandbox.kube.metrics import Metrics, MetricsApi
from dockdesk.sandbox.kube.nodes import Claims, Nodes, heartbeat
from dockdesk.sandbox.kube.pods import PodMaker
from dockdesk.sandbox.kube.pods_api import PodsApi
from dockdesk.sandbox.kube.resources import ResourcesApi
from dockdesk.sandbox.kube.scenario import Story
from dockdesk.sandbox.kube.scheduler import Scheduler
from dockdesk.sandbox.kube.seed import Parts, Seed
from dockdesk.sandbox.kube.services import Budgets, Services
from dockdesk.sandbox.kube.stateful import DaemonSets, StatefulSets
from dockdesk.sandbox.kube.status import KubeError, no_such_path, status_response
from dockdesk.sandbox.kube.stores import Stores
from dockdesk.sandbox.kube.watching import BOOKMARK_SECONDS, Watcher
from dockdesk.sandbox.kube.writing import Writer
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.rate import Allowance
from dockdesk.sandbox.world.scenarios import Conditions

_log = logging.getLogger(__name__)

TOKEN = "dockdesk-sandbox"
PODS_IF_HUGE = 5000
_TICK_SECONDS = 0.2
_GROW_SECONDS = 0.01
_DONE = object()
_OPEN = {"/healthz", "/livez", "/readyz", "/version"}


class SimulatedKubernetes:
    """One cluster behind its API. ``pods`` more of them in the huge scenario.

    ``token`` is the administrator's; ``authenticate`` is asked about tokens that are not known here, and says whose
    they are (an EKS token, say). ``stores`` has the images that pods can run beyond the catalogue.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int,
        pods: int = 0,
        token: str = TOKEN,
        authenticate: Callable[[str], User | None] | None = None,
        bookmark_seconds: float = BOOKMARK_SECONDS,
        stores: Stores | None = None,
    ) -> None:
        self.cluster = cluster = Cluster(clock.now, seed)
        self.load = Load(cluster)
        self.access = Access(token, authenticate)
        self.token = token
        self.certificate = ""  # PEM
        self._task: asyncio.Task[None] | None = None
        self.stores = stores or Stores()
        self._make_controllers(pods)
        self._router = self._routes(bookmark_seconds)
        self.server = Server(self._handle, "kubernetes")
        self._expired = False
        self._allowance = Allowance()

    def _make_controllers(self, pods: int) -> None:
        cluster = self.cluster
        admission = self._admission = Admission(cluster)
        sets = ReplicaSets(cluster, admission)
        others = (StatefulSets, DaemonSets, Jobs, CronJobs)
        makers: list[PodMaker] = [Deployments(cluster, admission), sets]
        makers += [maker(cluster, admission) for maker in others]
        self.scheduler, self.kubelet = Scheduler(cluster), Kubelet(cluster, self.load, self.stores)
        self.metrics = Metrics(cluster, self.kubelet, self.load)
        self.autoscaler, self._budgets, self.nodes = (
            Autoscaler(cluster, self.metrics),
            Budgets(cluster),
            Nodes(cluster),
        )
        Garbage(cluster)
        cluster.controllers += [
            CustomResources(cluster),
            Namespaces(cluster, admission),
            self.nodes,
            *makers,
            self.scheduler,
            self.kubelet,
            Claims(cluster),
            Services(cluster),
            self._budgets,
            self.autoscaler,
        ]
        crowd = Crowd(cluster, admission, self.scheduler, self.kubelet, sets)
        parts = Parts(cluster, admission, self.scheduler, self.kubelet, self.load, makers, crowd)
        self._seed, self._is_huge = Seed(parts, pods), bool(pods)
        self._seed.furnish()
        self._growing: Iterator[None] | None = None
        self.story = Story(cluster, self.load, self.kubelet, self.nodes)

    def _routes(self, bookmark_seconds: float) -> Router:
        cluster, router = self.cluster, Router(status_response)
        lister, watcher = (
            Lister(cluster.store, cluster.now),
            Watcher(cluster.store, cluster.now, bookmark_seconds),
        )
        pods = PodsApi(cluster, self.kubelet, Containers(cluster, self.load), self._budgets)
        self.access.add_to(router)
        MetricsApi(cluster, self.access, self.metrics, lister).add_to(router)
        Discovery(cluster.kinds).add_to(router)
        ResourcesApi(
            cluster, self.access, lister, watcher, Writer(cluster, self._admission, lister), pods
        ).add_to(router)
        return router

    def start(self) -> None:
        """Let time pass."""
        self.autoscaler.start()
        heartbeat(self.cluster, self.kubelet.down)
        self._task = asyncio.create_task(self._live())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.server.close()

    def play(self, conditions: Conditions) -> None:
        """Live under a scenario's conditions from now on."""
        self._expired = conditions.expired
        self._allowance.set_rate(conditions.throttled)
        self.story.play(conditions)
        if conditions.huge and not self._is_huge:
            self._is_huge = True
            self._growing = self._seed.enlarge(PODS_IF_HUGE)

    async def listen_tls(self, folder: Path, port: int = 0) -> int:
        """Listen on 127.0.0.1 with TLS, as kubectl needs it to send a token; returns the port.

        The certificate is made for this run: it is in `certificate`, and in the kubeconfig.
        """
        self.certificate, key = certificate.make()
        return await self.server.listen_loopback(
            port, certificate.context(self.certificate, key, folder)
        )

    def kubeconfig(self, address: int | str, token: str = "") -> str:
        """A kubeconfig, as JSON (which is YAML), for a port of loopback or a whole URL."""
        scheme = "https" if self.certificate else "http"
        url = f"{scheme}://127.0.0.1:{address}" if isinstance(address, int) else address
        name, cluster = "dockdesk-sandbox", {"server": url}
        if url.startswith("https:"):
            cluster["certificate-authority-data"] = base64.b64encode(
                self.certificate.encode()
            ).decode()
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": name, "cluster": cluster}],
                "users": [{"name": name, "user": {"token": token or self.token}}],
                "contexts": [
                    {"name": name, "context": {"cluster": name, "user": name, "namespace": "shop"}}
                ],
                "current-context": name,
                "preferences": {},
            },
            indent=2,
        )

    async def _live(self) -> None:
        while True:
            self.cluster.tick()
            await asyncio.sleep(self.grow() or _TICK_SECONDS)

    def grow(self) -> float:
        """Make some more of a cluster that is becoming huge; the seconds to wait for the next, 0 where it is done."""
        if self._growing is None:
            return 0.0
        until = time.monotonic() + _GROW_SECONDS
        while time.monotonic() < until:
            if next(self._growing, _DONE) is _DONE:
                self._growing = None
                return 0.0
        return _GROW_SECONDS / 4

    def _admit(self, request: Request) -> None:
        """Raises KubeError 401 where nobody is known, or known no more, and 429 for more than is let through."""
        if self._expired:
            raise KubeError(401, "Unauthorized")
        self.access.user_of(request)
        if wait := self._allowance.take():
            text = "the server has received too many requests and has asked us to try again later"
            raise KubeError(429, text, retry_after=max(round(wait), 1))

    async def _handle(self, request: Request) -> Response:
        try:
            if request.path not in _OPEN:
                self._admit(request)
            response = await self._router(request)
        except HttpError as error:
            response = status_response(error)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            # Bodies and parameters of a wrong shape: the API answers 400 for them too.
            _log.debug("%s %s", request.method, request.path, exc_info=True)
            response = status_response(
                KubeError(400, f"invalid request: {type(error).__name__}: {error}")
            )
        if response.status == 404 and response.body == b"":
            return status_response(no_such_path())
        return response
