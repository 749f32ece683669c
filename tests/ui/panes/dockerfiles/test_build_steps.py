"""A build's steps in the order and the words in which they are shown."""

from __future__ import annotations

import pytest

from dockdesk.core.builds.progress import BuildProgress
from dockdesk.core.resources.builds import BuildStatus, BuildStep
from dockdesk.dockerfile.steps import step_places
from dockdesk.dockerfile.syntax import parse
from dockdesk.ui.panes.dockerfiles.build_steps import (
    StepItems,
    group_of,
    moved_of,
    state_words,
    title_of,
)

TEXT = "FROM a AS first\nRUN one\nFROM b AS second\nRUN two\nCOPY --from=first /x /y\n"


@pytest.mark.parametrize(
    ("name", "title", "group"),
    [
        ("[internal] load .dockerignore", "load .dockerignore", "Preparation"),
        ("[auth] library/a:pull token", "library/a:pull token", "Preparation"),
        ("importing cache manifest from x", "importing cache manifest from x", "Preparation"),
        ("exporting to image", "exporting to image", "Result"),
        ("pushing a/b:1 with docker", "pushing a/b:1 with docker", "Result"),
        ("[2/3] RUN make", "RUN make", "Steps"),
        ("[stage-2 2/3] COPY . .", "COPY . .", "Stage 2"),
        ("[linux/arm64 app 2/3] RUN   make  all", "RUN make all", "app · linux/arm64"),
        ("[app 2/3] RUN --mount=type=cache,target=/c --network=none make", "RUN make", "app"),
        (f"[app 1/3] FROM docker.io/library/alpine:3@sha256:{'0' * 64}", "FROM alpine:3", "app"),
        ("[app 1/3] FROM docker.io/acme/api", "FROM acme/api", "app"),
        ("[app 1/3] FROM ghcr.io/acme/api:1", "FROM ghcr.io/acme/api:1", "app"),
    ],
)
def test_a_step_in_words(name: str, title: str, group: str) -> None:
    assert (title_of(name), group_of(name)) == (title, group)


def test_steps_stand_as_in_the_file_in_whatever_order_they_are_told() -> None:
    document = parse(TEXT)
    names = {
        "e": "exporting to image",
        "s3": "[second 3/3] COPY --from=first /x /y",
        "s2": "[second 2/3] RUN two",
        "f2": "[first 2/2] RUN one",
        "i": "[internal] load build definition from Dockerfile",
        "s1": "[second 1/3] FROM b",
        "f1": "[first 1/2] FROM a",
    }
    places = step_places(document, names.values())
    progress = BuildProgress()
    items = StepItems(lambda step: places.get(step.step.name))
    listed = []
    for digest, name in names.items():
        listed = items.update(progress, progress.apply([BuildStep(digest, name)]))
    assert [item.key for item in listed] == ["i", "f1", "f2", "s1", "s2", "s3", "e"]
    before = listed
    listed = items.update(progress, progress.apply([BuildStep("s2", started=1.0)]))
    assert [item.key for item in listed] == [item.key for item in before]
    assert [new is old for new, old in zip(listed, before, strict=True)].count(False) == 1


def test_a_step_that_has_no_name_yet_waits() -> None:
    progress = BuildProgress()
    items = StepItems(lambda _step: None)
    told = progress.apply([BuildStatus("x", "a", "x", 1, 2)])
    assert items.update(progress, told) == []
    told = progress.apply([BuildStep("a", "[1/1] RUN x", started=1.0)])
    (item,) = items.update(progress, told)
    assert (item.amount, item.share) == ("1 B / 2 B", 0.5)


def test_bytes_are_counted_where_they_are_told() -> None:
    progress = BuildProgress()
    progress.apply([BuildStatus("context", "a", "", 4_200_000)])
    assert moved_of(progress.steps["a"]) == ("4.2 MB", None)
    progress.apply([BuildStatus("context", "a", "", 0)])
    assert moved_of(progress.steps["a"]) == ("", None)


def test_a_build_in_words() -> None:
    assert state_words("running", (3, 9), None) == "3 of 9 steps"
    assert state_words("running", (3, 9), 0.0) == "3 of 9 steps"
    assert state_words("ok", (9, 9), 0.5) == "50 % cached"
    assert state_words("failed", (3, 9), 0.0) == "3 of 9 steps · 0 % cached"
