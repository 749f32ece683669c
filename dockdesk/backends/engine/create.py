"""Making containers from a spec. Source: Engine API v1.41 to v1.55, ContainerCreate."""

from __future__ import annotations

from typing import Any

from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.transfer import TransferCalls
from dockdesk.backends.engine.values import mapping, strings, text
from dockdesk.core.errors import (
    CancelledError,
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    RemoteError,
)
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.work import Work

_PULLS = {"missing", "always", "never"}
_STARTING = 300.0


class CreateCalls(TransferCalls):
    """See create_container and run_container of ManagesContainers in core/ports.py."""

    def create_container(self, spec: ContainerSpec, work: Work) -> str:
        if spec.pull not in _PULLS:
            raise InvalidInputError(
                f"“{spec.pull}” says nothing of pulling", "", "missing, always or never.", "pull"
            )
        from dockdesk.backends.engine.spec import create_body, create_params

        title = f"{spec.name or spec.image} could not be created"
        body, params = create_body(spec), create_params(spec)
        if spec.pull == "always":
            self.pull(spec.image, work, spec.platform)
        work.progress(None, "Creating")
        try:
            return self._create(body, params, title, work)
        except NotFoundError as error:
            if not _lacks_image(error) or spec.pull == "always":
                raise
            if spec.pull == "never":
                hint = "Pull it first, or let it be pulled when it is missing."
                raise NotFoundError(title, error.detail, hint) from error
        self.pull(spec.image, work, spec.platform)
        work.progress(None, "Creating")
        return self._create(body, params, title, work)

    def run_container(self, spec: ContainerSpec, work: Work) -> str:
        id = self.create_container(spec, work)
        name = spec.name or id[:12]
        work.progress(None, f"Starting {name}")
        try:
            self.client.post(
                f"/containers/{quoted(id)}/start",
                timeout=_STARTING,
                title=f"{name} did not start",
                work=work,
            )
        except CancelledError:
            work.log(f"Cancelled: {name} was created and may have started.")
            raise
        except DockDeskError as error:
            raise self._not_started(error, id, name) from error
        work.progress(1.0, f"{name} runs")
        return id

    def _create(self, body: dict[str, Any], params: dict[str, Any], title: str, work: Work) -> str:
        try:
            answer = mapping(
                self.client.post(
                    "/containers/create",
                    params,
                    json=body,
                    timeout=_STARTING,
                    title=title,
                    work=work,
                )
            )
        except (ConflictError, RemoteError) as error:
            # Podman answers 500.
            if "name" in error.detail and "already in use" in error.detail:
                hint = "Choose another name, or remove the container that has it."
                raise ConflictError(title, error.detail, hint) from error
            raise
        for warning in strings(answer.get("Warnings")):
            work.log(f"Warning: {warning}")
        return text(answer.get("Id"))

    def _not_started(self, error: DockDeskError, id: str, name: str) -> DockDeskError:
        """The same failure, with what has become of the container."""
        kept = True
        try:
            self.client.get(f"/containers/{quoted(id)}/json")
        except NotFoundError:
            kept = False
        except DockDeskError:
            return error  # the first failure is the one to tell
        where = f"The container {name} was kept: look into it, change it or remove it."
        error.hint = " ".join(
            part for part in (_start_hint(error.detail), where if kept else "") if part
        )
        return error


def _lacks_image(error: NotFoundError) -> bool:
    lowered = error.detail.casefold()
    return "image" in lowered and (
        "no such" in lowered or "not found" in lowered or "platform" in lowered
    )


def _start_hint(reason: str) -> str:
    lowered = reason.casefold()
    if "already allocated" in lowered or "address already in use" in lowered:
        return "Publish another port, or stop what uses this one."
    if "executable file not found" in lowered or "no such file or directory" in lowered:
        return "Check the command and the entrypoint: the image has no such program."
    if "permission denied" in lowered:
        return "Check that the program may be executed, and by this user."
    return ""
