"""A build without BuildKit: the context as a tar, and what comes back as text. Docker's old builder, and Podman's.

Source: Engine API, ImageBuild; moby, builder/dockerfile; docker CLI, cli/command/image/build.go.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from dockdesk.backends.engine.buildkit.classic_text import CONTEXT, TextSteps
from dockdesk.backends.engine.buildkit.failures import Failures
from dockdesk.backends.engine.buildkit.native import Sink
from dockdesk.backends.engine.buildkit.progress import StepProgress
from dockdesk.backends.engine.buildkit.request import TITLE, Dockerfile, read_dockerfile
from dockdesk.backends.engine.buildkit.services import login_for
from dockdesk.backends.engine.buildkit.tarball import Tarball
from dockdesk.backends.engine.buildkit.trace import common_params
from dockdesk.backends.engine.buildkit.tree import Filters, Found, walk
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.logins import Logins
from dockdesk.backends.engine.values import mapping, text
from dockdesk.core.errors import (
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    RemoteError,
)
from dockdesk.core.references import HUB, registry_of
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildSpec,
    BuildStatus,
    BuildStep,
    FileMark,
)
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.dockerfile.expand import global_scope
from dockdesk.dockerfile.ignore import rules_for
from dockdesk.dockerfile.shell import ExpansionError, expand
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.tree import Document

_HUB_KEY = "https://index.docker.io/v1/"
_SENDING = "[internal] load build context"
_TOLD = 0.1  # seconds between two words of how much was sent


class ClassicBuild:
    """One build; `run` it once. ``sent``, ``files`` and ``listing`` are what of the context went to the engine."""

    def __init__(
        self, client: EngineClient, spec: BuildSpec, logins: Logins, sink: Sink, work: Work
    ) -> None:
        self._client = client
        self._spec = spec
        self._logins = logins
        self._work = work
        self._sink = sink
        self._failures = Failures()
        self._progress = StepProgress(work)
        self.sent = 0
        self.files = 0
        self.listing: Mapping[str, FileMark] = {}

    def run(self) -> str:
        """Build; return the image's id. Raise BuildError and the kinds that a request raises."""
        spec = self._spec
        _check(spec)
        dockerfile = read_dockerfile(spec)
        document = parse(dockerfile.text)
        config, problem = self._registry_config(document)
        self._work.check()
        name, tarball = self._tarball(dockerfile)
        self.listing = tarball.listing
        steps = TextSteps(document)
        params = {**common_params(spec), "dockerfile": name, "rm": True, "forcerm": True}
        if spec.cache_from:
            params["cachefrom"] = json.dumps(list(spec.cache_from))
        try:
            exchange = self._client.stream(
                "POST",
                "/build",
                params,
                headers={"X-Registry-Config": config, "Content-Type": "application/x-tar"},
                data=self._body(tarball),
                title=TITLE,
                work=self._work,
            )
        except (InvalidInputError, RemoteError, NotFoundError) as error:
            # What is wrong with the Dockerfile itself is said at once, as a refusal of the request.
            failure = self._failures.explained(error.detail, dockerfile.text, problem)
            if self._client.podman and "no explanation" in error.detail:
                failure.hint = "Podman refuses links that lead out of the context: leave them out."
            raise failure from error
        with exchange as answer:
            for line in answer.json_lines():
                self._message(mapping(line), steps, dockerfile, problem)
        self._take(steps.end())
        if not steps.image:
            raise RemoteError(TITLE, "The engine did not say which image it made.")
        return self._full_id(steps.image)

    def _message(
        self, message: Any, steps: TextSteps, dockerfile: Dockerfile, problem: str
    ) -> None:
        failure = text(mapping(message.get("errorDetail")).get("message")) or text(
            message.get("error")
        )
        if not failure:
            self._take(steps.take(message))
            return
        digest = steps.current
        self._take(steps.end(failure))
        self._work.check()
        raise self._failures.explained(
            failure, dockerfile.text, problem, digest, steps.line(digest)
        )

    def _take(self, items: list[BuildItem]) -> None:
        if items:
            self._failures.take(items)
            self._progress.take(items)
            self._sink(items)

    # --- The context ---

    def _tarball(self, dockerfile: Dockerfile) -> tuple[str, Tarball]:
        """The Dockerfile's name in the archive, and the archive."""
        spec = self._spec
        inside = dockerfile.inside
        if inside and spec.text is None:
            rules = rules_for(spec.context, inside, classic=True).for_classic_build(inside)
            return inside, Tarball(self._found(rules.patterns))
        # What is nowhere in the context goes along under a name that nothing has.
        rules = rules_for(spec.context, inside or "Dockerfile", classic=True)
        name = f".dockerfile.{uuid.uuid4().hex[:20]}"
        # The engine leaves it out of the image again, as it does with what the file for that names.
        ignored = f"{rules.text}\n{'' if rules.text else '.dockerignore'}\n{name}\n"
        extra = {
            name: dockerfile.content,
            ".dockerignore": ignored.encode("utf-8", "surrogateescape"),
        }
        return name, Tarball(self._found(rules.for_classic_build(name).patterns), extra)

    def _found(self, patterns: tuple[str, ...]) -> Iterator[Found]:
        return walk(str(self._spec.context.resolve()), Filters(excluded=patterns), classic=True)

    def _body(self, tarball: Tarball) -> Iterator[bytes]:
        """The archive while it is sent, told as BuildKit tells of its own transfer."""
        begun = told = time.time()
        step = BuildStep(CONTEXT, _SENDING, started=begun)
        self._sink([step])
        for piece in tarball:
            self._work.check()
            now = time.time()
            if now - told > _TOLD:
                told = now
                self._sink(
                    [BuildStatus("transferring context", CONTEXT, "", tarball.sent, 0, begun)]
                )
                self._work.progress(None, f"Sent {bytes_text(tarball.sent)}")
            yield piece
        self.sent, self.files = tarball.sent, tarball.files
        now = time.time()
        status = BuildStatus("transferring context", CONTEXT, "", tarball.sent, 0, begun, now)
        self._sink([status, BuildStep(CONTEXT, _SENDING, started=begun, completed=now)])

    # --- Registries ---

    def _registry_config(self, document: Document) -> tuple[str, str]:
        """X-Registry-Config for the registries that the Dockerfile names, and why a login was missing."""
        config: dict[str, dict[str, str]] = {}
        problems = []
        for reference in base_images(document, dict(self._spec.args)):
            registry = registry_of(reference)
            key = _HUB_KEY if registry == HUB else registry
            if key not in config:
                values, problem = login_for(self._logins, registry)
                config[key] = values
                if problem:
                    problems.append(problem)
        kept = {key: values for key, values in config.items() if values}
        header = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode("ascii")
        return header, " ".join(dict.fromkeys(problems))

    def _full_id(self, id: str) -> str:
        answer = self._client.get(f"/images/{id.removeprefix('sha256:')}/json", title=TITLE)
        return text(mapping(answer).get("Id")) or id


def base_images(document: Document, args: dict[str, str]) -> list[str]:
    """The images that a Dockerfile's stages begin with or copy from, as far as that can be told."""
    scope = global_scope(document, args)
    found: list[str] = []
    for stage in document.stages:
        for item in stage.inputs:
            if item.stage is not None or not item.name or item.kind == "add":
                continue
            try:
                name = expand(item.name, scope.lookup, document.escape).text
            except ExpansionError:
                continue  # the engine says it better
            if name and name != "scratch" and " " not in name:
                found.append(name)
    return list(dict.fromkeys(found))


def _check(spec: BuildSpec) -> None:
    """Raise NotSupportedError for what only BuildKit can do."""
    wanted = {
        "there are no secrets": spec.secrets,
        "no ssh agent is passed on": spec.ssh,
        "no cache is written": spec.cache_to,
        "a stage can't be built without cache": spec.no_cache_stages,
    }
    for words, value in wanted.items():
        if value:
            raise NotSupportedError(
                TITLE,
                f"Without BuildKit {words}.",
                "Leave it out, or choose an engine or builder with BuildKit.",
            )
    if len(spec.platforms) > 1:
        raise InvalidInputError(
            TITLE, "Without BuildKit an image has one platform.", "Choose one.", "platforms"
        )
