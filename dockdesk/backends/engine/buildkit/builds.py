"""Builds as core's ports see them. See Builds in core/ports.py.

What builds is imported when something is built: gRPC and the Dockerfile's language take longer than the first list.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dockdesk.backends.engine.transfer import TransferCalls
from dockdesk.backends.engine.values import mapping
from dockdesk.core.errors import BuildError, NotSupportedError
from dockdesk.core.resources.builds import (
    Builder,
    BuildResult,
    BuildSpec,
    BuildWarning,
    PastBuild,
)
from dockdesk.core.work import Work

if TYPE_CHECKING:
    from dockdesk.backends.engine.buildkit.native import Sink

TITLE = "The build can't begin"

_SEVERAL_OUTPUTS = "1.45"  # Docker 26
_SAVED_AS_OCI = "1.44"  # Docker 25: its archives are OCI layouts too


class BuildCalls(TransferCalls):
    """Native where the engine has BuildKit, classic elsewhere, buildx where another builder is chosen."""

    without_buildkit = False  # this engine was asked, and has none

    def build(self, spec: BuildSpec, sink: Sink, work: Work) -> BuildResult:
        from dockdesk.backends.engine.buildkit.request import check_spec

        check_spec(spec)
        work.check()
        if spec.builder:
            from dockdesk.backends.engine.buildkit.buildx import BuildxBuild

            try:
                return BuildxBuild(self.client.endpoint, spec, sink, work).run()
            except BuildError as error:
                error.method = "buildx"
                raise
        if not spec.classic and not self.client.podman and not self.without_buildkit:
            try:
                return self._build_natively(spec, sink, work)
            except _NoBuildKitError:
                self.without_buildkit = True
        return self._build_classically(spec, sink, work)

    def check(self, spec: BuildSpec, work: Work) -> list[BuildWarning] | None:
        from dockdesk.backends.engine.buildkit.lint import lint
        from dockdesk.backends.engine.buildkit.request import read_dockerfile

        if spec.classic or self.client.podman or self.without_buildkit:
            return None
        return lint(self.client, spec, read_dockerfile(spec), self.logins, work)

    def builders(self) -> list[Builder]:
        from dockdesk.backends.engine.buildkit.buildx import list_builders

        return list_builders(self.client.endpoint)

    def past_builds(self, limit: int = 200) -> list[PastBuild]:
        from dockdesk.backends.engine.buildkit.history import past_builds

        return [] if self.client.podman else past_builds(self.client, limit)

    def past_build(self, ref: str, sink: Sink, work: Work) -> None:
        from dockdesk.backends.engine.buildkit.history import past_build

        past_build(self.client, ref, sink, work)

    # --- Natively ---

    def _build_natively(self, spec: BuildSpec, sink: Sink, work: Work) -> BuildResult:
        from dockdesk.backends.engine.buildkit.native import NativeBuild, plan_of
        from dockdesk.backends.engine.buildkit.request import read_dockerfile

        dockerfile = read_dockerfile(spec)
        containerd = self._stores_in_containerd(spec)
        plan = plan_of(spec, containerd)
        if len(plan.exporters) > 1 and not self.client.speaks(_SEVERAL_OUTPUTS):
            raise NotSupportedError(
                TITLE,
                "This engine makes one output at a time.",
                "Choose one, or update the engine.",
            )
        build = NativeBuild(self.client, spec, dockerfile, plan, self.logins, sink, work)
        try:
            build.run()
        except BuildError as error:
            error.method, error.listing = "buildkit", build.listing
            raise
        except NotSupportedError as error:
            if not self._has_sessions(work):
                raise _NoBuildKitError(error.title, error.detail, error.hint) from error
            raise
        image, digest = _identity(build.response)
        digest = self._deliver(spec, image, digest, work, saved=not containerd)
        work.progress(1.0, "Built")
        return BuildResult("buildkit", image, digest, build.sent, build.files, build.listing)

    def _has_sessions(self, work: Work) -> bool:
        """Whether the engine opens sessions at all; podman and engines before 18.09 do not."""
        from dockdesk.backends.engine.buildkit.session import Session

        try:
            with Session({}) as session:
                session.open(self.client, TITLE, work)
        except NotSupportedError:
            return False
        return True

    def _stores_in_containerd(self, spec: BuildSpec) -> bool:
        """Whether the image store is containerd's, which writes archives itself. Asked only where that matters."""
        if not any(output.kind in {"docker", "oci"} for output in spec.outputs):
            return False
        status = mapping(self.client.get("/info", title=TITLE)).get("DriverStatus")
        pairs = [pair for pair in status or () if isinstance(pair, list)]
        contained = ["driver-type", "io.containerd.snapshotter.v1"] in pairs
        kinds = {output.kind for output in spec.outputs}
        if not contained and "oci" in kinds and not self.client.speaks(_SAVED_AS_OCI):
            raise NotSupportedError(
                TITLE,
                "This engine writes no OCI archives.",
                "Choose a docker archive, or a builder made with buildx.",
            )
        return contained

    def _deliver(self, spec: BuildSpec, image: str, digest: str, work: Work, saved: bool) -> str:
        """Save and push what was built; return the digest, which a registry may be the first to give."""
        for output in spec.outputs:
            if saved and output.kind in {"docker", "oci"}:
                target = Path(output.path).expanduser().absolute()
                self.save_images(list(spec.tags) or [image], target, work)
        if any(output.kind == "push" for output in spec.outputs):
            for tag in spec.tags:
                digest = self.push(tag, work)
        return digest

    # --- Classically ---

    def _build_classically(self, spec: BuildSpec, sink: Sink, work: Work) -> BuildResult:
        from dockdesk.backends.engine.buildkit.classic import ClassicBuild

        if unfit := {output.kind for output in spec.outputs} - {"image", "push", "docker"}:
            raise NotSupportedError(
                TITLE,
                f"Without BuildKit there is no output {sorted(unfit)[0]}.",
                "Build into the engine, or choose a builder made with buildx.",
            )
        build = ClassicBuild(self.client, spec, self.logins, sink, work)
        try:
            image = build.run()
        except BuildError as error:
            error.method, error.listing = "classic", build.listing
            raise
        digest = self._deliver(spec, image, "", work, saved=True)
        work.progress(1.0, "Built")
        return BuildResult("classic", image, digest, build.sent, build.files, build.listing)


class _NoBuildKitError(NotSupportedError):
    """The engine has no sessions."""


def _identity(response: Mapping[str, str]) -> tuple[str, str]:
    """The image's id in the engine, and its manifest's digest where the engine keeps one."""
    image = response.get("containerimage.digest", "")
    config = response.get("containerimage.config.digest", "")
    return image, image if config and config != image else ""
