"""What pull, push and load stream becomes progress a layer, or the failure it tells of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.engine.messages import LayerProgress, registry_error, translated
from dockdesk.core.errors import (
    CancelledError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RemoteError,
    UnreachableError,
)
from tests.backends.engine.works import RecordingWork

PULL: list[dict[str, Any]] = [
    {"status": "Pulling from library/nginx", "id": "1.27"},
    {"status": "Already exists", "progressDetail": {}, "id": "aaaaaaaaaaaa"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
    {"status": "Waiting", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
    {
        "status": "Downloading",
        "progressDetail": {"current": 50, "total": 100},
        "id": "bbbbbbbbbbbb",
    },
    {"status": "Verifying Checksum", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
    {"status": "Download complete", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
    {
        "status": "Extracting",
        "progressDetail": {"current": 100, "total": 100},
        "id": "bbbbbbbbbbbb",
    },
    {"status": "Pull complete", "progressDetail": {}, "id": "bbbbbbbbbbbb"},
    {"status": "Digest: sha256:" + "1" * 64},
    {"status": "Status: Downloaded newer image for nginx:1.27"},
]


def followed(*messages: dict[str, Any]) -> tuple[LayerProgress, RecordingWork]:
    work = RecordingWork()
    progress = LayerProgress(work, "It could not be pulled")
    progress.follow(messages)
    return progress, work


def test_a_pull_is_a_bar_a_layer() -> None:
    _, work = followed(*PULL)
    assert list(work.parts) == ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]
    assert work.parts["aaaaaaaaaaaa"] == [(1.0, "Already exists")]
    fractions = [fraction for fraction, _ in work.parts["bbbbbbbbbbbb"]]
    assert fractions == [0.0, 0.0, 0.35, 0.7, 0.7, 1.0, 1.0]
    assert work.parts["bbbbbbbbbbbb"][2][1] == "Downloading 50 B of 100 B"
    assert work.texts[-1] == "2 of 2 layers"
    assert work.fractions == sorted(work.fractions, key=lambda fraction: fraction or 0.0)
    assert "Pulling from library/nginx" in work.lines
    assert work.lines[-1] == "Status: Downloaded newer image for nginx:1.27"


def test_the_whole_weighs_layers_by_size() -> None:
    _, work = followed(
        {"status": "Downloading", "progressDetail": {"current": 0, "total": 900}, "id": "big"},
        {"status": "Downloading", "progressDetail": {"current": 0, "total": 100}, "id": "small"},
        {"status": "Pull complete", "progressDetail": {}, "id": "small"},
    )
    assert work.fractions[-1] == pytest.approx(0.1)


def test_a_download_that_starts_again_does_not_set_the_whole_back() -> None:
    _, work = followed(
        {"status": "Downloading", "progressDetail": {"current": 90, "total": 100}, "id": "a"},
        {"status": "Downloading", "progressDetail": {"current": 1, "total": 100}, "id": "a"},
    )
    assert work.fractions[1] == work.fractions[0]
    assert work.parts["a"][1][0] == pytest.approx(0.007)


def test_more_than_all_is_all() -> None:
    _, work = followed(
        {"status": "Pushing", "progressDetail": {"current": 138752, "total": 3216}, "id": "a"}
    )
    assert work.parts["a"] == [(1.0, "Pushing 3.22 kB of 3.22 kB")]


def test_seconds_instead_of_bytes() -> None:
    _, work = followed(
        {"status": "Extracting", "progressDetail": {"current": 3, "units": "s"}, "id": "a"}
    )
    assert work.parts["a"] == [(None, "Extracting 3 s")]


@pytest.mark.parametrize(
    "end",
    [
        {"progressDetail": {}, "aux": {"Tag": "1", "Digest": "sha256:" + "2" * 64, "Size": 736}},
        {"status": f"1: digest: sha256:{'2' * 64} size: 736"},
    ],
)
def test_a_push_ends_with_its_digest(end: dict[str, Any]) -> None:
    progress, work = followed(
        {"status": "The push refers to repository [127.0.0.1:5000/a]"},
        {"status": "Preparing", "progressDetail": {}, "id": "12ffba4a805e"},
        {"status": "Layer already exists", "progressDetail": {}, "id": "12ffba4a805e"},
        {"status": "Mounted from library/x", "progressDetail": {}, "id": "06dbc4b7e38e"},
        end,
    )
    assert progress.digest == "sha256:" + "2" * 64
    assert work.parts["06dbc4b7e38e"] == [(1.0, "Pushed")]


def test_podman_says_the_images_id_last() -> None:
    progress, work = followed({"status": "Download complete", "id": "4" * 64})
    assert progress.last_id == "4" * 64
    assert work.parts == {}


def test_a_loads_lines_are_kept() -> None:
    progress, _ = followed({"stream": "Loaded image: bb:1\n"}, {"stream": "Loaded image: bb:2"})
    assert progress.lines == ["Loaded image: bb:1", "Loaded image: bb:2"]


@pytest.mark.parametrize(
    "message",
    [
        {"errorDetail": {"message": "manifest unknown"}, "error": "manifest unknown"},
        {"error": "manifest unknown"},
        {"progressDetail": {}, "errorDetail": {"message": "manifest unknown", "code": 1}},
    ],
)
def test_a_failure_inside_the_stream_is_raised(message: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError) as caught:
        followed(PULL[0], message)
    assert caught.value.title == "It could not be pulled"
    assert caught.value.detail == "manifest unknown"


def test_it_can_be_cancelled() -> None:
    work = RecordingWork(cancel_after=2)
    with pytest.raises(CancelledError):
        LayerProgress(work, "").follow(PULL)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["status", "id", "progressDetail", "aux", "stream", "errorDetail"]),
            st.none()
            | st.sampled_from(["Downloading", "Extracting", "x", ""])
            | st.integers()
            | st.dictionaries(
                st.sampled_from(["current", "total", "Digest"]), st.integers() | st.text()
            ),
        )
    )
)
def test_any_message_is_survived(messages: list[dict[str, Any]]) -> None:
    _, work = followed(*messages)
    assert all(0.0 <= fraction <= 1.0 for fraction in work.fractions if fraction is not None)


@pytest.mark.parametrize(
    ("message", "kind", "hint"),
    [
        ("unauthorized: authentication required", PermissionDeniedError, "docker login"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login'",
            PermissionDeniedError,
            "Check the name",
        ),
        ("no basic auth credentials", PermissionDeniedError, "docker login"),
        ("manifest for a:nope not found: manifest unknown", NotFoundError, "tag"),
        ("no matching manifest for linux/arm64/v8 in the manifest list", NotFoundError, "platform"),
        ("toomanyrequests: You have reached your pull rate limit", RemoteError, "wait"),
        ('Get "https://x/v2/": dial tcp: lookup x: no such host', RemoteError, "network"),
        ("dial tcp 127.0.0.1:5998: connect: connection refused", RemoteError, "network"),
        ("x509: certificate signed by unknown authority", RemoteError, "CA"),
        ("http: server gave HTTP response to HTTPS client", RemoteError, "TLS"),
        ("write /var/lib: no space left on device", RemoteError, "disk is full"),
        ("something else", RemoteError, ""),
    ],
)
def test_what_a_registry_refuses(message: str, kind: type[DockDeskError], hint: str) -> None:
    error = registry_error("T", message)
    assert type(error) is kind
    assert hint in error.hint
    assert bool(error.hint) == bool(hint)


def test_a_refusal_says_what_is_wrong_with_the_login() -> None:
    error = registry_error("T", "unauthorized", "The credential helper x is not installed.")
    assert error.hint.startswith("The credential helper x is not installed.")


def test_error_answers_are_seen_as_what_the_registry_says() -> None:
    """Docker answers 500 where the registry refuses."""
    error = translated(RemoteError("T", "unauthorized: authentication required"), "T")
    assert type(error) is PermissionDeniedError


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("T", "connection refused"),
        CancelledError(),
        NotSupportedError("T", "not found"),
        InvalidInputError("T", "invalid reference format"),
    ],
)
def test_other_failures_stay_as_they_are(error: DockDeskError) -> None:
    assert translated(error, "T") is error
