"""Images on their way: pull, push, save, load, import.

Source: Engine API v1.41 to v1.55, ImageCreate, ImagePush, ImageGetAll, ImageLoad.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dockdesk.backends.engine.images import ImageCalls
from dockdesk.backends.engine.localfiles import file_chunks, save_stream
from dockdesk.backends.engine.logins import Logins, NoLogins
from dockdesk.backends.engine.messages import LayerProgress, translated
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.values import mapping, whole
from dockdesk.core.errors import (
    CancelledError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    RemoteError,
)
from dockdesk.core.references import split_reference
from dockdesk.core.work import Work

_LOADED = ("Loaded image ID: ", "Loaded image: ")


class TransferCalls(ImageCalls):
    """See ManagesImages in core/ports.py. Cancelling closes the connection, which makes the engine stop too."""

    logins: Logins = NoLogins()

    def pull(self, reference: str, work: Work, platform: str = "") -> str:
        repository, tag = split_reference(reference)
        title = f"{reference} could not be pulled"
        params = {"fromImage": repository, "tag": tag, "platform": platform or None}
        auth, problem = self.logins.registry_auth(reference)
        work.check()
        progress = LayerProgress(work, title)
        self._talk("/images/create", params, {"X-Registry-Auth": auth}, progress, work, problem)
        name = f"{repository}@{tag}" if ":" in tag else f"{repository}:{tag}"
        try:
            id = self._image_id(name)
        except NotFoundError:
            # Podman files what it pulled under a longer name, and says its id.
            id = progress.last_id
        if not id:
            raise RemoteError(
                title, "The engine reported success, but has no such image.", "Try again."
            )
        work.progress(1.0, "Pulled")
        return id

    def push(self, reference: str, work: Work) -> str:
        repository, tag = split_reference(reference)
        title = f"{reference} could not be pushed"
        if ":" in tag:
            raise InvalidInputError(title, "A digest can't be pushed.", "Push a tag.")
        auth, problem = self.logins.registry_auth(reference)
        work.check()
        progress = LayerProgress(work, title)
        self._talk(
            f"/images/{quoted(repository)}/push",
            {"tag": tag},
            {"X-Registry-Auth": auth},
            progress,
            work,
            problem,
        )
        if not progress.digest:
            raise RemoteError(title, "The registry gave no digest.", "Check what it holds now.")
        work.progress(1.0, "Pushed")
        return progress.digest

    def save_images(self, references: Sequence[str], target: Path, work: Work) -> int:
        title = f"{target.name} could not be saved"
        if not references:
            raise InvalidInputError(title, "No image is named.")
        expected = 0
        for reference in references:
            raw = self.client.get(f"/images/{quoted(reference)}/json", title=title)
            expected += whole(mapping(raw).get("Size"))
        with self.client.stream(
            "GET",
            "/images/get",
            {"names": list(references)},
            timeout=600.0,
            title=title,
            work=work,
        ) as answer:
            return save_stream(answer, target, work, title, expected)

    def load_images(self, source: Path, work: Work) -> list[str]:
        title = f"{source.name} could not be loaded"
        progress = LayerProgress(work, title, begin=0.5)
        body = file_chunks(source, work, title, share=0.5)
        try:
            self._talk("/images/load", {"quiet": False}, {}, progress, work, body=body)
        except (RemoteError, NotFoundError) as error:
            raise _not_loaded(error, title) from error
        made = [
            line.removeprefix(prefix)
            for line in progress.lines
            for prefix in _LOADED
            if line.startswith(prefix)
        ]
        if not made:
            raise RemoteError(
                title, "The engine found no image in it.", "For a plain file system use Import."
            )
        work.progress(1.0, "Loaded")
        return made

    def import_image(self, source: Path, repository: str, tag: str, work: Work) -> str:
        title = f"{source.name} could not be imported"
        progress = LayerProgress(work, title)
        params: dict[str, Any] = {"fromSrc": "-", "repo": repository or None, "tag": tag or None}
        if self.client.podman and repository:
            params = {"fromSrc": "-", "repo": f"{repository}:{tag or 'latest'}"}
        body = file_chunks(source, work, title, share=0.95)
        self._talk("/images/create", params, {}, progress, work, body=body)
        # Podman says it as that of a layer.
        made = [*progress.lines, progress.last_id]
        id = next((line for line in made if line.startswith("sha256:")), "")
        if not id:
            raise RemoteError(title, "The engine did not say which image it made.")
        work.progress(1.0, "Imported")
        return id

    def _talk(
        self,
        path: str,
        params: dict[str, Any],
        headers: dict[str, str],
        progress: LayerProgress,
        work: Work,
        problem: str = "",
        body: Iterable[bytes] | None = None,
    ) -> None:
        """POST and follow the messages that come back; raise what they tell of."""
        title = progress.title
        try:
            with self.client.stream(
                "POST", path, params, headers=headers, data=body, title=title, work=work
            ) as answer:
                progress.follow(answer.json_lines())
        except CancelledError:
            raise
        except DockDeskError as error:
            raise translated(error, title, problem) from error


def _not_loaded(error: DockDeskError, title: str) -> DockDeskError:
    lowered = error.detail.casefold()
    if any(word in lowered for word in ("tar", "eof", "manifest.json", "repositories", "formats")):
        return InvalidInputError(
            title,
            error.detail,
            "It is no archive of images, or a damaged one. For a plain file system use Import.",
        )
    return error
