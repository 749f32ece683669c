"""Images: list, inspect, tag, remove, prune. Source: Engine API v1.41 to v1.55, section Image."""

from __future__ import annotations

from typing import Any

from dockdesk.backends.engine.convert_images import (
    ImageList,
    ImageUsers,
    image_detail_from,
    images_from,
    removed_from,
)
from dockdesk.backends.engine.listed import ListedContainers
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.values import mapping, whole
from dockdesk.core.errors import ConflictError, InvalidInputError
from dockdesk.core.references import split_reference
from dockdesk.core.resources.engine import PruneReport
from dockdesk.core.resources.images import Image, ImageDetail

_REMOVING = 600.0


class ImageCalls(ListedContainers):
    """See ManagesImages in core/ports.py; what moves images is in transfer.py."""

    def images(self) -> list[Image]:
        params = {"shared-size": True if self.client.speaks("1.42") else None}
        listed = self.client.get(
            "/images/json", params, type=ImageList, title="Images could not be listed"
        )
        # Podman's figure is always 0.
        return images_from(listed or [], self._users(), sizes_shared=not self.client.podman)

    def image(self, id: str) -> ImageDetail:
        title = "The image could not be inspected"
        path = f"/images/{quoted(id)}"
        raw = mapping(self.client.get(f"{path}/json", title=title))
        history = self.client.get(f"{path}/history", title=title)
        return image_detail_from(raw, history, self._users())

    def tag(self, id: str, reference: str) -> None:
        repository, tag = split_reference(reference)
        if ":" in tag:
            raise InvalidInputError(
                "A digest can't be given", "Digests follow from an image's content.", "Give a tag."
            )
        self.client.post(
            f"/images/{quoted(id)}/tag",
            {"repo": repository, "tag": tag},
            title=f"The image could not be tagged {reference}",
        )

    def remove_image(self, id: str, force: bool = False) -> list[str]:
        try:
            answer = self.client.delete(
                f"/images/{quoted(id)}",
                {"force": force},
                timeout=_REMOVING,
                title="The image was not removed",
            )
        except ConflictError as error:
            raise ConflictError(error.title, error.detail, _removal_hint(error.detail)) from error
        return removed_from(answer)

    def prune_images(self, all_unused: bool = False) -> PruneReport:
        answer = mapping(
            self.client.post(
                "/images/prune",
                {"filters": {"dangling": ["false" if all_unused else "true"]}},
                timeout=_REMOVING,
                title="Images could not be pruned",
            )
        )
        removed = tuple(removed_from(answer.get("ImagesDeleted")))
        return PruneReport(removed, whole(answer.get("SpaceReclaimed")))

    def _users(self) -> ImageUsers:
        return ImageUsers(self.listed_containers())

    def _image_id(self, reference: str) -> str:
        answer: Any = self.client.get(f"/images/{quoted(reference)}/json")
        return str(mapping(answer).get("Id", ""))


def _removal_hint(reason: str) -> str:
    lowered = reason.casefold()
    if "running container" in lowered:
        return "Stop and remove the container first."
    if "multiple" in lowered:
        return "Remove its tags one by one, or remove it by force."
    if "dependent child" in lowered:
        return "Remove the images made from it first."
    return "Remove the containers made from it first, or remove it by force."
