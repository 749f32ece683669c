"""What takes up the engine's disk. Source: Engine API v1.41 to v1.55, SystemDataUsage and BuildPrune."""

from __future__ import annotations

from collections.abc import Mapping

from dockdesk.backends.engine.base import EnginePart
from dockdesk.backends.engine.convert_engine import disk_usage_from, prune_report_from
from dockdesk.backends.engine.convert_images import ImageList, bare
from dockdesk.backends.engine.values import mapping, real_tags
from dockdesk.core.errors import NotSupportedError
from dockdesk.core.resources.engine import DiskUsage, PruneReport

# The engine walks through every volume and container for it.
_ADDING_UP = 1800.0


class DiskCalls(EnginePart):
    """See disk_usage and prune_build_cache of ConnectsEngine in core/ports.py."""

    def disk_usage(self) -> DiskUsage:
        params = {"verbose": True} if self.client.speaks("1.52") else None
        raw = self.client.get(
            "/system/df", params, timeout=_ADDING_UP, title="The disk use could not be found out"
        )
        return disk_usage_from(raw, self._image_names() if self.client.podman else None)

    def prune_build_cache(self, all_of_it: bool = False) -> PruneReport:
        if self.client.podman:
            raise NotSupportedError(
                "There is no build cache to prune",
                "Podman keeps its build cache as images.",
                "Prune images instead.",
            )
        answer = self.client.post(
            "/build/prune",
            {"all": all_of_it},
            timeout=_ADDING_UP,
            title="The build cache could not be pruned",
        )
        return prune_report_from(mapping(answer), "CachesDeleted")

    def _image_names(self) -> Mapping[str, str]:
        listed = self.client.get("/images/json", type=ImageList) or []
        return {bare(image.id): tags[0] for image in listed if (tags := real_tags(image.repo_tags))}
