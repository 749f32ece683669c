"""Images copied between registries without an engine: whole, checked, and the tag last."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest

from dockdesk.backends.registries.backend import RegistriesBackend
from dockdesk.core.errors import (
    CancelledError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
)
from dockdesk.core.resources.registries import (
    SBOM,
    Credential,
    ImagePlace,
    Registry,
)
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork
from tests.contract.registries.conftest import KINDS, Rig, rig_of
from tests.registries import (
    OCI_MANIFEST,
    Content,
    digest_of,
    push_blob,
    push_image,
    push_index,
    put,
)

_numbers = itertools.count(1)


class Two:
    """A source and a target, each with its own login, in one backend."""

    def __init__(self, source: Rig, target: Rig) -> None:
        self.source, self.target = source, target
        self.backend = RegistriesBackend(self)

    def credential(self, registry: Registry, repository: str = "") -> tuple[Credential | None, str]:
        for rig in (self.source, self.target):
            if rig.registry.host == registry.host:
                return rig.logins.given, ""
        raise AssertionError(registry)

    def refused(self, registry: Registry) -> None:
        pass

    def copied(self, source: ImagePlace, target: ImagePlace) -> None:
        """The same bytes at both places."""
        work = SilentWork()
        there = self.target.afresh().image(target.repository, target.reference, work)
        here = self.source.afresh().image(source.repository, source.reference, work)
        assert there.top.data == here.top.data
        assert [item.config for item in there.images] == [item.config for item in here.images]


@pytest.fixture(params=[(a, b) for a in KINDS for b in KINDS if a != b][::2])
def two(request: pytest.FixtureRequest) -> Iterator[Two]:
    source, target = (rig_of(request, kind) for kind in request.param)
    made = Two(source, target)
    yield made
    made.backend.close()
    source.close()
    target.close()


def test_an_index_goes_whole(two: Two) -> None:
    name = two.source.name()
    mark = f"{next(_numbers)} "
    digest, _ = push_index(
        two.source.connection, name, "1", "amd64", "arm64", attest=True, mark=mark
    )
    source, target = two.source.place(name, "1"), two.target.place(two.target.name(), "copy")
    work = RecordingWork()
    done = two.backend.copy(source, target, work)
    assert done.digest == digest
    assert done.previous == ""
    two.copied(source, target)
    again = two.backend.copy(source, target, SilentWork())
    assert (again.digest, again.sent, again.previous) == (digest, 0, digest)
    assert again.present == again.blobs == done.blobs
    assert work.fractions[-1] == 1.0
    assert work.texts[-1] == "Copied"
    assert len(work.parts) == done.blobs
    assert all(states[-1][0] == 1.0 for states in work.parts.values())
    # As one that it is shown to a person: never backwards.
    known = [fraction for fraction in work.fractions if fraction is not None]
    assert known == sorted(known)


def test_large_blobs_are_streamed(rig: Rig) -> None:
    name = rig.name()
    large = json.dumps(list(range(900_000))).encode()
    push_image(rig.connection, name, "1", layers=(large, b"small"))
    target = rig.place(rig.name(), "1")
    done = rig.backend.copy(rig.place(name, "1"), target, SilentWork())
    # In one registry nothing moves: what is there is mounted.
    assert (done.mounted, done.sent) == (done.blobs, 0)
    assert rig.connection.image(target.repository, "1", SilentWork()).digest == done.digest


def test_some_platforms_only(rig_of_two: Rig) -> None:
    rig, work = rig_of_two, SilentWork()
    name = rig.name()
    _, images = push_index(rig.connection, name, "1", "amd64", "arm64", "s390x", attest=True)
    goal = rig.place(rig.name(), "two")
    rig.backend.copy(rig.place(name, "1"), goal, work, ["linux/amd64", "linux/s390x"])
    image = rig.connection.image(goal.repository, "two", work)
    assert [str(item.platform) for item in image.images] == ["linux/amd64", "linux/s390x"]
    assert all(SBOM in {found.kind for found in item.attachments} for item in image.images)
    rig.backend.copy(rig.place(name, "1"), rig.place(goal.repository, "one"), work, ["linux/arm64"])
    assert rig.connection.resolve(goal.repository, "one", work).digest == images[1].digest
    with pytest.raises(NotFoundError) as caught:
        rig.backend.copy(rig.place(name, "1"), goal, work, ["linux/mips"])
    assert "linux/s390x" in caught.value.hint


def test_what_refers_to_it_goes_along(sandbox: Rig) -> None:
    rig, work = sandbox, SilentWork()
    name = rig.name()
    pushed = push_image(rig.connection, name, "1")
    content = Content(b"{}", "application/vnd.example.sbom+json")
    push_blob(rig.connection, name, content)
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.sbom",
        "config": content.entry,
        "layers": [content.entry],
        "subject": pushed.entry,
    }
    put(rig.connection, name, "", OCI_MANIFEST, value)
    goal = rig.place(rig.name(), "1")
    rig.backend.copy(rig.place(name, "1"), goal, work, attachments=True)
    found = rig.connection.attachments(goal.repository, pushed.digest, work)
    assert [item.kind for item in found] == [SBOM]


def test_layers_that_may_not_be_distributed_stay(sandbox: Rig) -> None:
    rig, work = sandbox, SilentWork()
    name = rig.name()
    foreign = {
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": digest_of(b"elsewhere"),
        "size": 9,
        "urls": ["https://example.com/layer"],
    }
    content = Content(b"{}", "application/vnd.oci.image.config.v1+json")
    push_blob(rig.connection, name, content)
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": content.entry,
        "layers": [foreign],
    }
    put(rig.connection, name, "1", OCI_MANIFEST, value)
    done = rig.backend.copy(rig.place(name, "1"), rig.place(rig.name(), "1"), work)
    assert done.skipped == (foreign["digest"],)
    assert done.blobs == 1


def test_a_digest_is_no_tag_to_choose(rig_of_two: Rig) -> None:
    rig = rig_of_two
    name = rig.name()
    pushed = push_image(rig.connection, name, "1")
    goal = rig.name()
    with pytest.raises(InvalidInputError):
        rig.backend.copy(rig.place(name, "1"), rig.place(goal, "sha256:" + "0" * 64), SilentWork())
    rig.backend.copy(rig.place(name, "1"), rig.place(goal, pushed.digest), SilentWork())
    assert rig.connection.manifest(goal, pushed.digest, SilentWork()).digest == pushed.digest


class Impatient(RecordingWork):
    """Cancels as soon as the first bytes have moved."""

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        super().part(key, fraction, text)
        if text == "Copying":
            self.cancel()


def test_a_copy_that_is_cancelled_sets_no_tag(two: Two) -> None:
    source, target = two.source, two.target
    name, goal = source.name(), target.name()
    push_image(
        source.connection, name, "1", layers=(f"{next(_numbers)}".encode() * (8 << 20), b"x")
    )
    places = source.place(name, "1"), target.place(goal, "1")
    work = Impatient()
    with pytest.raises(CancelledError):
        two.backend.copy(*places, work)
    with pytest.raises((NotFoundError, PermissionDeniedError)):
        target.connection.resolve(goal, "1", SilentWork())
    two.backend.copy(*places, SilentWork())
    two.copied(*places)
