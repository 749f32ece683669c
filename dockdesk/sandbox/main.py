"""The sandbox's process: starts the simulated systems, says where they are, and ends with its parent."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
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
from dockdesk.sandbox.kube.server import PODS_IF_HUGE, SimulatedKubernetes
from dockdesk.sandbox.registry.server import HUGE_TAGS, SimulatedRegistry
from dockdesk.sandbox.world.clock import FASTEST, SLOWEST, Clock
from dockdesk.sandbox.world.control import Control
from dockdesk.sandbox.world.scenarios import CALM, SCENARIOS, Director

_PARENT_SECONDS = 1.0


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
    scenario = "huge" if arguments.huge else arguments.scenario
    huge = scenario == "huge"
    clock = Clock(arguments.speed)
    engine = SimulatedEngine(clock, arguments.seed, HUGE if huge else 0)
    images = EcrRegistry(clock, folder)
    await images.listen()
    aws = SimulatedAws(clock, arguments.seed, huge, images)
    kube = SimulatedKubernetes(
        clock, arguments.seed, PODS_IF_HUGE if huge else 0, secrets.token_urlsafe(24)
    )
    socket, control_socket = folder / "docker.sock", folder / "control.sock"
    scenes = EngineScenes(engine, lambda: engine.server.listen_unix(socket))
    registry = SimulatedRegistry(clock, arguments.seed, folder, HUGE_TAGS if huge else 0)
    director = Director((scenes, aws, registry))
    control = Control(clock, director)
    await engine.server.listen_unix(socket)
    await control.server.listen_unix(control_socket)
    await registry.listen()
    port = await aws.server.listen_loopback()
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(0o600)
    kubeconfig.write_text(kube.kubeconfig(await kube.listen_tls(folder)))
    engine.start()
    aws.start()
    kube.start()
    if scenario != CALM.id:
        director.play(scenario)
    _announce(
        {
            "DOCKER_HOST": f"unix://{socket}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "KUBECONFIG": str(kubeconfig),
            "DOCKDESK_SANDBOX_CONTROL": str(control_socket),
            "DOCKDESK_SANDBOX_REGISTRY": registry.address,
            "DOCKDESK_SANDBOX_HUB": registry.hub_url,
        },
        arguments.json,
    )
    watching = asyncio.create_task(_watch(arguments.parent, ended)) if arguments.parent else None
    await ended.wait()
    if watching is not None:
        watching.cancel()
    await scenes.close()
    await control.server.close()
    await registry.close()
    await kube.close()
    await aws.close()
    await engine.close()


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
