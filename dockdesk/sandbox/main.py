"""The sandbox's process: starts the simulated systems, says where they are, and ends with its parent."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dockdesk.sandbox.aws.ecr.registry import EcrRegistry
from dockdesk.sandbox.aws.server import SimulatedAws
from dockdesk.sandbox.aws.values import ACCESS_KEY, REGION, SECRET_KEY
from dockdesk.sandbox.engine.scenes import HUGE, EngineScenes
from dockdesk.sandbox.engine.server import SimulatedEngine
from dockdesk.sandbox.kube.access import User
from dockdesk.sandbox.kube.server import PODS_IF_HUGE, SimulatedKubernetes
from dockdesk.sandbox.kube.stores import Stores
from dockdesk.sandbox.registry.server import HUGE_TAGS, SimulatedRegistry
from dockdesk.sandbox.world.clock import FASTEST, SLOWEST, Clock
from dockdesk.sandbox.world.control import Control
from dockdesk.sandbox.world.scenarios import CALM, SCENARIOS, Director

_PARENT_SECONDS = 1.0
_EKS = "shop-k8s"  # the EKS cluster whose Kubernetes is served


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dockdesk sandbox",
        description="A simulated Docker engine, registry and AWS of its own, for trying, teaching and testing.",
        epilog="Scenarios: " + "; ".join(f"{item.id}: {item.summary}" for item in SCENARIOS),
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed tells the same story (default: 1)"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help=f"how fast its time passes, {SLOWEST:g} to {FASTEST:g}",
    )
    parser.add_argument(
        "--scenario",
        choices=[item.id for item in SCENARIOS],
        default=CALM.id,
        help=f"what happens in it (default: {CALM.id})",
    )
    parser.add_argument("--huge", action="store_true", help="the same as --scenario huge")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object instead of lines for a shell"
    )
    parser.add_argument(
        "--parent", type=int, default=0, help="end when the process of this number ends"
    )
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace, folder: Path) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    # What is made now stays: looking through it for garbage, now and later, would only take time.
    gc.disable()
    world = _World(arguments, folder)
    variables = await world.open()
    gc.freeze()
    gc.enable()
    _announce(variables, arguments.json)
    watching = asyncio.create_task(_watch(arguments.parent, ended)) if arguments.parent else None
    await ended.wait()
    if watching is not None:
        watching.cancel()
    await world.close()


class _World:
    """All the simulated systems, with one clock and one director."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self._scenario = "huge" if arguments.huge else str(arguments.scenario)
        self._huge = self._scenario == "huge"
        self._seed = int(arguments.seed)
        self._folder = folder
        self._socket = folder / "docker.sock"
        self._clock = Clock(arguments.speed)
        self._engine = SimulatedEngine(self._clock, self._seed, HUGE if self._huge else 0)
        self._scenes = EngineScenes(
            self._engine, lambda: self._engine.server.listen_unix(self._socket)
        )
        self._registry = SimulatedRegistry(
            self._clock, self._seed, folder, HUGE_TAGS if self._huge else 0
        )
        self._images = EcrRegistry(self._clock, folder)
        self._stores = Stores(self._engine.state, self._registry.repositories)
        self._kube = SimulatedKubernetes(
            self._clock,
            self._seed,
            PODS_IF_HUGE if self._huge else 0,
            secrets.token_urlsafe(24),
            self._user_of_eks,
            stores=self._stores,
        )

    async def open(self) -> dict[str, str]:
        """Start everything; returns the variables that lead to it."""
        await self._images.listen()
        self._aws = aws = SimulatedAws(self._clock, self._seed, self._huge, self._images)
        director = Director((self._scenes, aws, self._registry, self._kube))
        self._control = Control(self._clock, director)
        control = self._folder / "control.sock"
        await self._engine.server.listen_unix(self._socket)
        await self._control.server.listen_unix(control)
        await self._registry.listen()
        self._engine.state.hub = self._registry.address
        self._stores.add(self._registry.address, self._registry.repositories)
        self._stores.add_ecr(self._images.address, self._images.repositories)
        port = await aws.server.listen_loopback()
        kube_port = await self._kube.listen_tls(self._folder)
        aws.home.eks.serve(_EKS, f"https://127.0.0.1:{kube_port}", self._kube.certificate)
        kubeconfig = self._folder / "kubeconfig"
        kubeconfig.touch(0o600)
        kubeconfig.write_text(self._kube.kubeconfig(kube_port))
        for system in (self._engine, aws, self._kube):
            system.start()
        if self._scenario != CALM.id:
            director.play(self._scenario)
        return {
            "DOCKER_HOST": f"unix://{self._socket}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "KUBECONFIG": str(kubeconfig),
            "DOCKDESK_SANDBOX_CONTROL": str(control),
            "DOCKDESK_SANDBOX_REGISTRY": self._registry.address,
            "DOCKDESK_SANDBOX_HUB": self._registry.hub_url,
        }

    def _user_of_eks(self, token: str) -> User | None:
        """Whoever AWS knows is an administrator of the EKS cluster, as its creator is."""
        name = self._aws.gate.eks_user(token, _EKS)
        return User(name, "admin", ("system:masters", "system:authenticated")) if name else None

    async def close(self) -> None:
        await self._scenes.close()
        await self._control.server.close()
        await self._registry.close()
        await self._images.close()
        await self._kube.close()
        await self._aws.close()
        await self._engine.close()


def _announce(variables: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(variables), flush=True)
        return
    print(
        "# A simulation: nothing here is real. Paste these lines into a shell to use it from there."
    )
    for name, value in variables.items():
        print(f"export {name}={value}", flush=True)
    print("# Ctrl+C ends it.", flush=True)


async def _watch(parent: int, ended: asyncio.Event) -> None:
    """A parent that died gives its children to another: then nobody is left to end this process."""
    while os.getppid() == parent:
        await asyncio.sleep(_PARENT_SECONDS)
    ended.set()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until asked to stop; leaves nothing behind. Returns the exit status."""
    arguments = _arguments(sys.argv[1:] if argv is None else argv)
    folder = Path(tempfile.mkdtemp(prefix="dockdesk-sandbox-"))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
