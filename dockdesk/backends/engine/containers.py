"""Containers: list, inspect, and what is done to them.

Source: Engine API v1.41 to v1.55, section Container; Podman 4.3 where it differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockdesk.backends.engine.convert import (
    containers_from,
    detail_from,
    one_by_one,
    process_table_from,
)
from dockdesk.backends.engine.convert_engine import prune_report_from
from dockdesk.backends.engine.listed import ListedContainers
from dockdesk.backends.engine.localfiles import save_stream
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.values import NANO, mapping, strings, text, whole
from dockdesk.core.errors import ConflictError, NotFoundError, NotSupportedError
from dockdesk.core.ports import ContainerSpec, UpdateSpec
from dockdesk.core.resources.containers import Container, ContainerDetail, ProcessTable
from dockdesk.core.resources.engine import PruneReport
from dockdesk.core.work import Work

_STOPPING = 600.0  # seconds a container may take by its own stop timeout
_GRACE = 60.0


class ContainerCalls(ListedContainers):
    """See ManagesContainers in core/ports.py; making containers is in create.py."""

    def containers(self, ids: Sequence[str] = ()) -> list[Container]:
        return containers_from(one_by_one(self.listed_containers(ids)))

    def container(self, id: str) -> ContainerDetail:
        return detail_from(self._inspect(id, "The container could not be inspected"))

    def start(self, id: str) -> None:
        self._post(id, "start", "The container did not start")

    def stop(self, id: str, timeout: int | None = None, work: Work | None = None) -> None:
        """Stop; cancelling ends the wait, not the engine's own."""
        self.client.post(
            f"/containers/{quoted(id)}/stop",
            {"t": timeout},
            timeout=(_STOPPING if timeout is None else max(0, timeout)) + _GRACE,
            title="The container did not stop",
            work=work,
        )

    def restart(self, id: str, timeout: int | None = None) -> None:
        self.client.post(
            f"/containers/{quoted(id)}/restart",
            {"t": timeout},
            timeout=(_STOPPING if timeout is None else max(0, timeout)) + _GRACE,
            title="The container did not restart",
        )

    def kill(self, id: str, signal: str = "SIGKILL") -> None:
        self._post(id, "kill", f"{signal} was not sent", {"signal": signal})

    def pause(self, id: str) -> None:
        self._post(id, "pause", "The container was not paused")

    def unpause(self, id: str) -> None:
        self._post(id, "unpause", "The container does not go on")

    def rename(self, id: str, name: str) -> None:
        self._post(id, "rename", f"The container could not be renamed to {name}", {"name": name})

    def remove(self, id: str, force: bool = False, volumes: bool = False) -> None:
        try:
            self.client.delete(
                f"/containers/{quoted(id)}",
                {"force": force, "v": volumes},
                timeout=_STOPPING,
                title="The container was not removed",
            )
        except ConflictError as error:
            if "already in progress" in error.detail:
                return
            hint = error.hint or "Stop it first, or remove it by force."
            raise ConflictError(error.title, error.detail, hint) from error

    def update(self, id: str, spec: UpdateSpec) -> list[str]:
        if self.client.podman:
            raise NotSupportedError(
                "The limits can't be changed",
                "Podman's API has no update.",
                "Run the container again with other limits.",
            )
        title = "The limits could not be changed"
        host = mapping(self._inspect(id, title).get("HostConfig"))
        engine: Mapping[str, Any] = {}
        if spec.cpus == 0 or spec.memory == 0:
            engine = mapping(self.client.get("/info"))
        body = update_body(spec, host, engine)
        answer = self.client.post(f"/containers/{quoted(id)}/update", json=body, title=title)
        return list(strings(mapping(answer).get("Warnings")))

    def commit(
        self,
        id: str,
        repository: str,
        tag: str,
        message: str = "",
        author: str = "",
        pause: bool = True,
    ) -> str:
        answer = self.client.post(
            "/commit",
            {
                "container": id,
                "repo": repository or None,
                "tag": tag or None,
                "comment": message or None,
                "author": author or None,
                "pause": pause,
            },
            json={},
            timeout=None,
            title="The container could not be made an image",
        )
        return text(mapping(answer).get("Id"))

    def export(self, id: str, target: Path, work: Work) -> int:
        title = f"{target.name} could not be exported"
        expected = self._size(id, title)
        with self.client.stream(
            "GET", f"/containers/{quoted(id)}/export", timeout=_GRACE * 5, title=title, work=work
        ) as answer:
            return save_stream(answer, target, work, title, expected)

    def prune_containers(self) -> PruneReport:
        answer = self.client.post(
            "/containers/prune", timeout=_STOPPING, title="Containers could not be pruned"
        )
        return prune_report_from(answer, "ContainersDeleted")

    def processes(self, id: str) -> ProcessTable:
        title, hint = "Its processes could not be listed", "Start the container."
        try:
            answer = self.client.get(f"/containers/{quoted(id)}/top", title=title, type=Any)
        except ConflictError as error:
            raise ConflictError(title, error.detail, hint) from error
        except NotFoundError:
            self._inspect(id, title)  # says more of it than Podman does here
            raise
        if not answer:  # Podman's way to say that it does not run, or is not there
            self._inspect(id, title)
            raise ConflictError(title, "The container is not running.", hint)
        return process_table_from(answer)

    def spec_of(self, id: str) -> ContainerSpec:
        title = "The container's settings could not be read"
        raw = self._inspect(id, title)
        image: Mapping[str, Any] = {}
        try:
            image = mapping(self.client.get(f"/images/{quoted(text(raw.get('Image')))}/json"))
        except NotFoundError:
            image = {}  # removed since: the spec keeps what it brought
        driver = "json-file" if self.client.podman else self._default_log_driver()
        from dockdesk.backends.engine.spec_of import SpecReader

        reader = SpecReader(raw, image, log_driver=driver, podman=self.client.podman)
        return reader.spec()

    # --- Within ---

    def _inspect(self, id: str, title: str) -> Mapping[str, Any]:
        return mapping(self.client.get(f"/containers/{quoted(id)}/json", title=title))

    def _post(
        self, id: str, verb: str, title: str, params: Mapping[str, Any] | None = None
    ) -> None:
        self.client.post(
            f"/containers/{quoted(id)}/{verb}", params, timeout=_GRACE * 5, title=title
        )

    def _default_log_driver(self) -> str:
        return text(mapping(self.client.get("/info")).get("LoggingDriver")) or "json-file"

    def _size(self, id: str, title: str) -> int:
        """About how large an export will be: the file system's size, which the engine has to add up first."""
        raw = self.client.get(
            f"/containers/{quoted(id)}/json", {"size": True}, timeout=_STOPPING, title=title
        )
        return whole(mapping(raw).get("SizeRootFs"))


def update_body(
    spec: UpdateSpec, host: Mapping[str, Any], engine: Mapping[str, Any]
) -> dict[str, Any]:
    """The body of POST /containers/{id}/update.

    0 in the API means “as it is”, so that lifting a limit takes other values: -1 for swap and processes, and all that
    the engine has for memory and cores, which can't be unset; with memory its swap is lifted too.
    ``host`` is the container's HostConfig as it is, ``engine`` the answer of GET /info.
    """
    body: dict[str, Any] = {}
    if spec.memory is not None:
        body["Memory"] = spec.memory or whole(engine.get("MemTotal"))
        body["MemorySwap"] = _swap_with(body["Memory"], host)
    if spec.memory_swap is not None:
        body["MemorySwap"] = spec.memory_swap or -1
    if spec.cpus is not None:
        if whole(host.get("CpuQuota")) > 0:
            period = whole(host.get("CpuPeriod")) or 100_000
            body["CpuQuota"] = round(spec.cpus * period) if spec.cpus else -1
        else:
            body["NanoCpus"] = round((spec.cpus or whole(engine.get("NCPU"))) * NANO)
    if spec.cpu_shares is not None:
        body["CpuShares"] = spec.cpu_shares or 1024
    if spec.pids_limit is not None:
        body["PidsLimit"] = spec.pids_limit or -1
    if spec.restart is not None:
        from dockdesk.backends.engine.spec import restart_policy

        body["RestartPolicy"] = restart_policy(spec.restart, "restart")
    return body


def _swap_with(memory: int, host: Mapping[str, Any]) -> int:
    """A swap limit that suits a new memory limit: never below it; as much swap as memory where it was so.

    -1 would be right for none, but older engines keep it to themselves, and the kernel then refuses the memory limit.
    """
    old_memory, old_swap = whole(host.get("Memory")), whole(host.get("MemorySwap"))
    if old_swap < 0 or (old_swap > 0 and old_swap != 2 * old_memory and old_swap >= memory):
        return old_swap
    return 2 * memory
