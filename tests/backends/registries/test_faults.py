"""Registries that fail in all ways: each a clear notice, and nothing half done told as done."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from pathlib import Path

import pytest

from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.copying import ImageCopier
from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.core.errors import (
    CancelledError,
    DockDeskError,
    InvalidInputError,
    LoginNeededError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.resources.registries import (
    SCHEMA1,
    UNKNOWN,
    Credential,
    Descriptor,
    ImagePlace,
    Registry,
    RepositoryQuery,
    TagQuery,
)
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork
from tests.backends.registries.conftest import SECRET, Connect, Waits
from tests.backends.registries.faulty import Faulty, Request, resets, says
from tests.certificates import Authority
from tests.registries import OCI_MANIFEST, Content, digest_of

WORK = SilentWork()
TAGS = "/v2/a/b/tags/list"
LISTED = says(200, b'{"name": "a/b", "tags": ["1", "2"]}')


def names(connection: object) -> list[str]:
    page = connection.tags("a/b", TagQuery(), WORK)  # type: ignore[attr-defined]
    return [tag.name for tag in page.items]


# --- patience ---


def test_errors_that_pass_are_waited_out(faulty: Faulty, connect: Connect, waits: Waits) -> None:
    faulty.on("GET", TAGS, says(503), resets, says(502), LISTED)
    assert names(connect()) == ["1", "2"]
    assert len(waits.seconds) == 3
    assert waits.seconds == sorted(waits.seconds)


def test_errors_that_stay_are_told(faulty: Faulty, connect: Connect, waits: Waits) -> None:
    faulty.on("GET", TAGS, says(500, b'{"errors": [{"code": "UNKNOWN", "message": "disk full"}]}'))
    with pytest.raises(RemoteError) as caught:
        names(connect())
    assert caught.value.detail == "disk full."
    assert len(faulty.requests("GET", TAGS)) == 4
    faulty.on("GET", TAGS, resets)
    with pytest.raises(UnreachableError) as cut:
        names(connect())
    assert "cut off" in cut.value.detail


def test_retry_after_is_obeyed(faulty: Faulty, connect: Connect, waits: Waits) -> None:
    faulty.on("GET", TAGS, says(429, Retry_After="7"), LISTED)
    assert names(connect()) == ["1", "2"]
    assert any(6 < seconds <= 7 for seconds in waits.seconds)


def test_a_long_wait_is_the_users_to_decide(faulty: Faulty, connect: Connect) -> None:
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "pull rate limit"}]}'
    limits = {"RateLimit_Limit": "100;w=21600", "RateLimit_Remaining": "0;w=21600"}
    faulty.on("GET", TAGS, says(429, body, Retry_After="7200", **limits))
    with pytest.raises(RateLimitedError) as caught:
        names(connect())
    assert "pull rate limit" in caught.value.detail
    assert "100 in 6 h" in caught.value.detail
    assert caught.value.until == pytest.approx(time.time() + 7200, abs=60)
    assert len(faulty.requests("GET", TAGS)) == 1


def test_nobody_there(connect: Connect) -> None:
    from tests.engines import free_port

    host = f"127.0.0.1:{free_port()}"
    with pytest.raises(UnreachableError) as caught:
        connect(registry=Registry(host)).ping(WORK)
    assert host in caught.value.detail


def test_no_answer_in_time(faulty: Faulty, connect: Connect) -> None:
    hold = threading.Event()
    faulty.on("GET", TAGS, lambda request: (hold.wait(10), request.reset())[1])
    try:
        with pytest.raises(UnreachableError) as caught:
            names(connect(read_timeout=0.1))
        assert "in time" in caught.value.detail
    finally:
        hold.set()


# --- logins ---


def challenge(faulty: Faulty, realm: str = "", more: str = "") -> str:
    return f'Bearer realm="{realm or faulty.url + "/token"}",service="s"{more}'


def test_a_registry_that_refuses_every_token_is_asked_twice(
    faulty: Faulty, connect: Connect
) -> None:
    faulty.on("GET", TAGS, says(401, b"{}", WWW_Authenticate=challenge(faulty)))
    faulty.on("GET", "/token", says(200, b'{"token": "abcdefgh"}'))
    with pytest.raises(LoginNeededError) as caught:
        names(connect(SECRET))
    assert caught.value.registry == faulty.host
    assert len(faulty.requests("GET", TAGS)) == 2
    assert len(faulty.requests("GET", "/token")) == 1


def test_basic_that_is_refused_is_not_sent_again(faulty: Faulty, connect: Connect) -> None:
    faulty.on("GET", TAGS, says(401, b"{}", WWW_Authenticate='Basic realm="x"'))
    with pytest.raises(LoginNeededError):
        names(connect(SECRET))
    sent = faulty.requests("GET", TAGS)
    assert ["Authorization" in headers for headers in sent] == [False, True]


class Renewing:
    """A login as ECR's: its password ends, and there is another one when that was refused."""

    def __init__(self) -> None:
        self.number = 0

    def credential(self, registry: Registry, repository: str = "") -> tuple[Credential, str]:
        return Credential("AWS", f"password{self.number}"), ""

    def refused(self, registry: Registry) -> None:
        self.number += 1


@pytest.mark.parametrize("path", [TAGS, "blob"])
def test_a_password_that_ended_is_renewed_once(faulty: Faulty, path: str) -> None:
    content = Content(b"blob")
    blob = path == "blob"
    path = f"/v2/a/b/blobs/{content.descriptor.digest}" if blob else path
    good = says(200, b"blob") if blob else LISTED
    wanted = says(401, b"{}", WWW_Authenticate='Basic realm="x"')
    ended = says(403, b'{"errors": [{"code": "DENIED", "message": "expired"}]}')
    registry = Registry(faulty.host, endpoint=faulty.url)
    connection = DistributionRegistry(registry, Renewing(), DigestCache())

    def ask() -> None:
        if blob:
            assert connection.read_blob("a/b", content.descriptor, WORK) == b"blob"
        else:
            assert names(connection) == ["1", "2"]

    try:
        faulty.on("GET", path, wanted, good, ended, good)
        ask()
        ask()
        sent = [headers.get("Authorization") for headers in faulty.requests("GET", path)]
        assert sent[0] is None
        assert sent[1] == sent[2] != sent[3]
        faulty.on("GET", path, ended)
        with pytest.raises(PermissionDeniedError):
            ask()
        assert len(faulty.requests("GET", path)) == 6
    finally:
        connection.close()


def test_a_token_without_the_right_is_no_wrong_login(faulty: Faulty, connect: Connect) -> None:
    more = ',scope="repository:a/b:pull",error="insufficient_scope"'
    faulty.on("GET", TAGS, says(401, b"{}", WWW_Authenticate=challenge(faulty, more=more)))
    faulty.on("GET", "/token", says(200, b'{"token": "abcdefgh"}'))
    with pytest.raises(PermissionDeniedError) as caught:
        names(connect(SECRET))
    assert not isinstance(caught.value, LoginNeededError)
    assert "ann" in caught.value.detail


def test_tokens_are_kept_and_renewed_once(faulty: Faulty, connect: Connect) -> None:
    refusal = says(401, b"{}", WWW_Authenticate=challenge(faulty))
    faulty.on("GET", TAGS, refusal, LISTED, LISTED, refusal, LISTED)
    tokens = [says(200, json.dumps({"access_token": f"token{n}"}).encode()) for n in range(3)]
    faulty.on("GET", "/token", *tokens)
    connection = connect(SECRET)
    for _ in range(3):
        assert names(connection) == ["1", "2"]
    sent = [headers.get("Authorization") for headers in faulty.requests("GET", TAGS)]
    assert sent == [None, "Bearer token0", "Bearer token0", "Bearer token0", "Bearer token1"]


def test_many_at_once_fetch_one_token(faulty: Faulty, connect: Connect) -> None:
    def answer(request: Request) -> None:
        if request.headers.get("Authorization") == "Bearer good":
            LISTED(request)
        else:
            says(401, b"{}", WWW_Authenticate=challenge(faulty))(request)

    faulty.on("GET", TAGS, answer)
    faulty.on("GET", "/token", says(200, b'{"token": "good"}'))
    connection = connect(SECRET)
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(names(connection))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["1", "2"]] * 6
    assert len(faulty.requests("GET", "/token")) == 1


def test_an_identity_token_is_exchanged(faulty: Faulty, connect: Connect) -> None:
    refusal = says(401, b"{}", WWW_Authenticate=challenge(faulty))
    faulty.on("GET", TAGS, refusal, LISTED, refusal, LISTED)
    reply = json.dumps({"access_token": "new", "refresh_token": "second"}).encode()
    faulty.on("POST", "/token", says(200, reply), says(200, b'{"access_token": "newer"}'))
    connection = connect(credential=Credential("ann", identity_token="first"))
    assert names(connection) == ["1", "2"]
    assert names(connection) == ["1", "2"]
    forms = [body for body in faulty.bodies if b"grant_type" in body]
    assert b"grant_type=refresh_token" in forms[0]
    assert b"refresh_token=first" in forms[0]
    assert b"refresh_token=second" in forms[1]


def test_a_forged_challenge_gets_no_password(
    faulty: Faulty, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The loopback stands in for a network on which others can write.
    def readable(url: str) -> bool:
        return False

    monkeypatch.setattr("dockdesk.backends.registries.auth.is_private", readable)
    thief = Faulty()
    try:
        realm = f"{thief.url}/token"
        faulty.on("GET", TAGS, says(401, b"{}", WWW_Authenticate=challenge(faulty, realm)))
        for plain in (False, True):
            registry = Registry(faulty.host, plain_http=plain, endpoint=faulty.url)
            with pytest.raises(RemoteError) as caught:
                names(connect(SECRET, registry=registry))
            assert "Nothing was sent" in caught.value.hint
        assert thief.seen == []
        # Basic goes out over plain HTTP only where that was chosen.
        faulty.on("GET", TAGS, says(401, b"{}", WWW_Authenticate="Basic"), LISTED)
        with pytest.raises(LoginNeededError):
            names(connect(SECRET))
        faulty.on("GET", TAGS, says(401, b"{}", WWW_Authenticate="Basic"), LISTED)
        registry = Registry(faulty.host, plain_http=True, endpoint=faulty.url)
        assert names(connect(SECRET, registry=registry)) == ["1", "2"]
    finally:
        thief.close()


def test_a_login_does_not_follow_a_redirect(faulty: Faulty, connect: Connect) -> None:
    other = Faulty()
    try:
        content = Content(b"blob")
        path = f"/v2/a/b/blobs/{content.descriptor.digest}"
        faulty.on(
            "GET",
            path,
            says(401, b"{}", WWW_Authenticate="Basic"),
            says(307, Location=f"{other.url}/store?sig=1"),
        )
        other.on("GET", "/store", says(200, b"blob"))
        assert connect(SECRET).read_blob("a/b", content.descriptor, WORK) == b"blob"
        assert "Authorization" not in other.requests("GET", "/store")[0]
        # Nor does the store's refusal make it be sent there.
        other.on("GET", "/store", says(401, b"{}", WWW_Authenticate="Basic"))
        with pytest.raises(LoginNeededError):
            connect(SECRET).read_blob("a/b", content.descriptor, WORK)
        assert all("Authorization" not in item for item in other.requests("GET", "/store"))
    finally:
        other.close()


def test_redirects_end(faulty: Faulty, connect: Connect) -> None:
    faulty.on("GET", TAGS, says(302, Location=TAGS))
    with pytest.raises(RemoteError):
        names(connect())
    faulty.on("GET", TAGS, says(302, Location="ftp://example.com/x"))
    with pytest.raises(RemoteError) as caught:
        names(connect())
    assert "nowhere" in caught.value.title


# --- secrets ---


def test_secrets_appear_nowhere(
    faulty: Faulty, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    quoted = json.dumps(
        {"errors": [{"code": "DENIED", "message": f"Bearer {SECRET}-token is bad"}]}
    ).encode()
    told: list[str] = []

    def attempt(*answers: object, token: bytes = b"{}", status: int = 200) -> None:
        faulty.on("GET", TAGS, *answers)  # type: ignore[arg-type]
        faulty.on("GET", "/token", says(status, token))
        try:
            names(connect(SECRET))
        except DockDeskError as error:
            told.append(f"{error!r} {error.title} {error.detail} {error.hint}")
            told.append("".join(traceback.format_exception(error)))

    bearer = says(401, b"{}", WWW_Authenticate=challenge(faulty))
    attempt(bearer, says(403, quoted), token=f'{{"token": "{SECRET}-token"}}'.encode())
    attempt(bearer, resets, token=f'{{"token": "{SECRET}-token"}}'.encode())
    attempt(bearer, token=f"{SECRET}-token, not JSON".encode())
    attempt(bearer, status=401)
    attempt(says(401, quoted, WWW_Authenticate="Basic"))
    attempt(says(401, b"{}", WWW_Authenticate="Basic"), resets)
    assert len(told) >= 10
    text = " ".join(told) + caplog.text + repr(connect(SECRET).client.auth.login())
    assert SECRET not in text
    assert "Basic " not in text


# --- manifests ---


def on_manifest(faulty: Faulty, reference: str, data: bytes, kind: str, digest: str = "") -> None:
    told = {"Content_Type": kind, "Docker_Content_Digest": digest or digest_of(data)}
    for method in ("GET", "HEAD"):
        faulty.on(method, f"/v2/a/b/manifests/{reference}", says(200, data, **told))
        digest_path = f"/v2/a/b/manifests/{digest or digest_of(data)}"
        faulty.on(method, digest_path, says(200, data, **told))


def test_a_manifest_is_never_fetched_twice(
    faulty: Faulty, connect: Connect, tmp_path: Path
) -> None:
    data = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}).encode()
    on_manifest(faulty, "1", data, OCI_MANIFEST)
    on_manifest(faulty, "2", data, OCI_MANIFEST)
    first = connect(cache=DigestCache(tmp_path))
    threads = [threading.Thread(target=lambda: first.manifest("a/b", "1", WORK)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.manifest("a/b", "2", WORK)
    connect(cache=DigestCache(tmp_path)).manifest("a/b", "1", WORK)
    assert len(faulty.requests("GET", f"/v2/a/b/manifests/{digest_of(data)}")) == 1
    # Whoever changes the folder changes nothing.
    for file in tmp_path.iterdir():
        file.write_bytes(b"application/json\n{}")
    assert connect(cache=DigestCache(tmp_path)).manifest("a/b", "1", WORK).data == data
    assert len(faulty.requests("GET", f"/v2/a/b/manifests/{digest_of(data)}")) == 2


def test_a_manifest_must_be_what_its_digest_says(faulty: Faulty, connect: Connect) -> None:
    on_manifest(faulty, "1", b'{"schemaVersion": 2}', OCI_MANIFEST, "sha256:" + "1" * 64)
    with pytest.raises(RemoteError) as caught:
        connect().image("a/b", "1", WORK)
    assert "digest" in caught.value.detail


def test_unknown_and_old_kinds_are_told(faulty: Faulty, connect: Connect) -> None:
    on_manifest(faulty, "new", b'{"schemaVersion": 9, "x": 1}', "application/vnd.future+json")
    image = connect().image("a/b", "new", WORK)
    assert image.top.kind == UNKNOWN
    assert "not known" in image.note
    old = {
        "schemaVersion": 1,
        "fsLayers": [{"blobSum": "sha256:" + "b" * 64}, {"blobSum": "sha256:" + "a" * 64}],
        "history": [{"v1Compatibility": json.dumps({"os": "linux", "architecture": "arm"})}],
    }
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    on_manifest(faulty, "old", json.dumps(old).encode(), kind, "sha256:" + "c" * 64)
    image = connect().image("a/b", "old", WORK)
    assert image.top.kind == SCHEMA1
    assert "old first format" in image.note
    assert [layer.digest[7] for layer in image.top.layers] == ["a", "b"]
    assert str(image.images[0].platform) == "linux/arm"


@pytest.mark.parametrize(
    "data",
    [
        b"[]", b"nonsense", b'{"manifests": 5, "layers": {"a": 1}, "config": []}',
        b'{"schemaVersion": 2, "config": {"digest": 7}, "layers": [1, {"digest": "x"}]}',
        b"[" * 5000,
        b'{"annotations": {"a": 1, "b": ["c"]}, "subject": "x", "manifests": [{"platform": 3}]}',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", [OCI_MANIFEST, "application/vnd.oci.image.index.v1+json", "text/html; charset=utf-8"]
)
def test_hostile_manifests_break_nothing(
    faulty: Faulty, connect: Connect, data: bytes, kind: str
) -> None:
    on_manifest(faulty, "1", data, kind)
    assert connect().image("a/b", "1", WORK).digest == digest_of(data)


def test_hostile_lists(faulty: Faulty, connect: Connect) -> None:
    faulty.on("GET", TAGS, says(200, b'{"tags": null}'))
    assert names(connect()) == []
    faulty.on("GET", TAGS, says(200, b'{"tags": ["ok", 5, null, "<b>\\u202e"]}'))
    assert names(connect()) == ["ok", "<b>\u202e"]
    for body in (b"<html>", b'{"tags": 3}', b"{}"):
        faulty.on("GET", TAGS, says(200, body))
        with pytest.raises(RemoteError):
            names(connect())
    link = '<http://evil.example/v2/_catalog?last=2&n=9>; rel="next"'
    faulty.on("GET", TAGS, says(200, b'{"tags": ["1", "2"]}', Link=link))
    page = connect().tags("a/b", TagQuery(), WORK)
    assert page.next == "2"
    faulty.on("GET", "/v2/_catalog", says(404))
    with pytest.raises(DockDeskError) as caught:
        connect().repositories(RepositoryQuery(), WORK)
    assert "lists no repositories" in caught.value.title


# --- blobs ---


def blob_path(content: Content) -> str:
    return f"/v2/a/b/blobs/{content.descriptor.digest}"


def ranged(content: Content, *cuts: int) -> list[object]:
    """Answers that give a blob from where they are asked, each cut after so many bytes; the last one whole."""

    def answer(cut: int) -> object:
        def reply(request: Request) -> None:
            start = int((request.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
            size = len(content.data)
            headers = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
            request.reply(206 if start else 200, content.data[start:], headers, cut)

        return reply

    return [answer(cut) for cut in [*cuts, -1]]


def test_a_blob_that_is_cut_off_goes_on_where_it_was(
    faulty: Faulty, connect: Connect, tmp_path: Path
) -> None:
    content = Content(bytes(range(256)) * 4000)
    faulty.on("GET", blob_path(content), *ranged(content, 300_000, 100_000, 0))  # type: ignore[arg-type]
    target = tmp_path / "blob"
    connect().download_blob("a/b", content.descriptor, target, WORK)
    assert target.read_bytes() == content.data
    starts = [headers.get("Range") for headers in faulty.requests("GET", blob_path(content))]
    assert starts[0] is None
    assert len(starts) >= 3
    assert all(start and start != "bytes=0-" for start in starts[1:2])


def test_a_server_without_ranges_begins_anew(faulty: Faulty, connect: Connect) -> None:
    content = Content(b"0123456789" * 50_000)
    faulty.on(
        "GET", blob_path(content), says(200, content.data, cut=200_000), says(200, content.data)
    )
    assert connect().read_blob("a/b", content.descriptor, WORK) == content.data


@pytest.mark.parametrize("fault", ["short", "long", "other", "other part"])
def test_damaged_blobs_are_refused(
    faulty: Faulty, connect: Connect, tmp_path: Path, fault: str
) -> None:
    content = Content(b"0123456789" * 1000)
    short = says(200, content.data[:5000])
    answers = {
        "short": [short, says(416, b"{}")],
        "long": [says(200, content.data + b"more")],
        "other": [says(200, b"x" * len(content.data))],
        "other part": [short, says(206, b"9" * 10, Content_Range="bytes 9990-9999/10000")],
    }
    faulty.on("GET", blob_path(content), *answers[fault])
    target = tmp_path / "blob"
    with pytest.raises((RemoteError, InvalidInputError)):
        connect().download_blob("a/b", content.descriptor, target, WORK)
    assert list(tmp_path.iterdir()) == []


def test_a_blocked_download_ends_when_cancelled(
    faulty: Faulty, connect: Connect, tmp_path: Path
) -> None:
    hold, begun = threading.Event(), threading.Event()
    content = Content(b"x" * 100_000)

    def stalls(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content.data)))
        request.end_headers()
        request.wfile.write(content.data[:1000])
        request.wfile.flush()
        begun.set()
        hold.wait(30)

    faulty.on("GET", blob_path(content), stalls)
    work = RecordingWork()
    threading.Thread(target=lambda: (begun.wait(20), work.cancel())).start()
    try:
        with pytest.raises(CancelledError):
            connect(read_timeout=60.0).download_blob(
                "a/b", content.descriptor, tmp_path / "blob", work
            )
    finally:
        hold.set()
    assert list(tmp_path.iterdir()) == []


def test_a_wait_ends_when_cancelled(faulty: Faulty) -> None:
    from dockdesk.backends.registries.http import wait

    work = RecordingWork()
    threading.Timer(0.05, work.cancel).start()
    with pytest.raises(CancelledError):
        wait(600.0, work)


# --- pushing ---

UPLOADS = "/v2/a/b/blobs/uploads/"
UPLOAD = "/v2/a/b/blobs/uploads/1"


class Upload:
    """An upload as a registry keeps it; ``faults`` are what happens to the next pieces."""

    def __init__(self, faulty: Faulty, *faults: str) -> None:
        self.faulty = faulty
        self.data = b""
        self.faults = list(faults)
        self.done = False
        faulty.on("POST", UPLOADS, says(202, Location=UPLOAD))
        for method in ("PATCH", "PUT", "GET"):
            faulty.on(method, UPLOAD, self)
        self.reads = False

    def __call__(self, request: Request) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        if request.command == "GET":
            request.reply(204, b"", self._where())
            return
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "cut":
            self.data += request.rfile.read(length // 2)
            request.reset()
        elif fault == "expired":
            request.rfile.read(length)
            headers = {"WWW-Authenticate": challenge(self.faulty)}
            request.reply(401, b"{}", headers)
        elif fault == "500":
            request.rfile.read(length)
            request.reply(500, b"{}")
        else:
            told = request.headers.get("Content-Range")
            assert told is None or int(told.partition("-")[0]) == len(self.data)
            self.data += request.rfile.read(length)
            self.done = request.command == "PUT"
            request.reply(201 if self.done else 202, b"", self._where())

    def _where(self) -> dict[str, str]:
        return {"Location": UPLOAD, "Range": f"0-{max(len(self.data) - 1, 0)}"}


@pytest.mark.parametrize(
    "faults",
    [(), ("cut",), ("cut", "cut"), ("500",), ("", "500"), ("expired",), ("", "expired")],
)
def test_uploads_go_on_where_they_were(
    faulty: Faulty, connect: Connect, faults: tuple[str, ...]
) -> None:
    faulty.on("GET", "/token", says(200, b'{"token": "again"}'))
    upload = Upload(faulty, *faults)
    content = Content(bytes(range(256)) * 30_000)
    moved: list[int] = []
    connection = connect(SECRET)
    connection.blob_target("a/b", "Pushing failed").upload(content, WORK, moved.append)
    assert upload.done
    assert upload.data == content.data
    assert moved[-1] == len(content.data)


def test_small_blobs_go_in_one_piece(faulty: Faulty, connect: Connect) -> None:
    upload = Upload(faulty, "500")
    content = Content(b"small")
    connect().blob_target("a/b", "Pushing failed").upload(content, WORK, lambda _size: None)
    assert (upload.done, upload.data) == (True, b"small")
    assert faulty.requests("PATCH", UPLOAD) == []


def test_an_upload_that_always_fails_is_told(faulty: Faulty, connect: Connect) -> None:
    Upload(faulty, *["500"] * 100)
    with pytest.raises(RemoteError):
        connect().blob_target("a/b", "Pushing failed").upload(
            Content(b"x" * (5 << 20)), WORK, lambda _size: None
        )


def test_nothing_half_copied_is_told_as_done(faulty: Faulty, connect: Connect) -> None:
    """One blob of two is damaged at its source: the target's tag is not set."""
    good, bad = Content(b"good"), Content(b"bad")
    config = Content(b"{}", "application/vnd.oci.image.config.v1+json")
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.entry,
        "layers": [good.entry, bad.entry],
    }
    on_manifest(faulty, "1", json.dumps(value).encode(), OCI_MANIFEST)
    faulty.on("GET", blob_path(good), says(200, b"good"))
    faulty.on("GET", blob_path(bad), says(200, b"BAD"))
    faulty.on("GET", blob_path(config), says(200, b"{}"))
    target = Faulty()
    try:
        Upload(target)
        here, there = (
            Registry(faulty.host, endpoint=faulty.url),
            Registry(target.host, endpoint=target.url),
        )
        connections = {item.host: connect(registry=item) for item in (here, there)}
        copier = ImageCopier(lambda registry: connections[registry.host])
        with pytest.raises(RemoteError) as caught:
            copier.copy(ImagePlace(here, "a/b", "1"), ImagePlace(there, "a/b", "2"), WORK)
        assert "damaged" in caught.value.detail
        assert [item for item in target.seen if "manifests" in item[1] and item[0] == "PUT"] == []
    finally:
        target.close()


def test_a_registry_that_stores_something_else_is_told(faulty: Faulty, connect: Connect) -> None:
    data = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}).encode()
    on_manifest(faulty, "1", data, OCI_MANIFEST)
    told = {"Docker_Content_Digest": "sha256:" + "9" * 64}
    faulty.on("PUT", "/v2/a/b/manifests/2", says(201, **told))
    with pytest.raises(RemoteError):
        connect().retag("a/b", "1", "2", WORK)


# --- certificates ---


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.mark.parametrize("fault", ["unknown", "expired", "other name"])
def test_certificates_that_are_not_trusted(
    connect: Connect, authority: Authority, tmp_path: Path, fault: str
) -> None:
    name = "elsewhere.example" if fault == "other name" else "127.0.0.1"
    files = authority.issue(tmp_path / "server", name, expired=fault == "expired")
    server = Faulty(files)
    try:
        trusted = "" if fault == "unknown" else str(authority.certificate)
        registry = Registry(server.host, ca_file=trusted)
        with pytest.raises(UnreachableError) as caught:
            connect(SECRET, registry=registry).ping(WORK)
        assert "not trusted" in caught.value.detail
        assert server.host in caught.value.hint
        assert server.seen == []
    finally:
        server.close()


def test_authorities_and_client_certificates_of_certs_d(
    connect: Connect, authority: Authority, tmp_path: Path
) -> None:
    server = Faulty(authority.issue(tmp_path / "server", "127.0.0.1"))
    try:
        server.on("GET", "/v2/", says(200, b"{}"))
        folder = tmp_path / "certs.d" / server.host
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
        certificate, key = authority.issue(tmp_path / "client", client=True)
        (folder / "client.cert").write_bytes(certificate.read_bytes())
        registry, folders = Registry(server.host), (tmp_path / "certs.d",)
        with pytest.raises(DockDeskError) as caught:
            connect(registry=registry, folders=folders).ping(WORK)
        assert "no key" in caught.value.title
        (folder / "client.key").write_bytes(key.read_bytes())
        assert connect(registry=registry, folders=folders).ping(WORK) == ""
        (folder / "ca.crt").write_text("nonsense")
        with pytest.raises(InvalidInputError):
            connect(registry=registry, folders=folders).ping(WORK)
    finally:
        server.close()


def test_what_is_no_registry(faulty: Faulty, connect: Connect) -> None:
    with pytest.raises(NotFoundError) as caught:
        connect().ping(WORK)
    assert "no registry" in caught.value.detail
    with pytest.raises(RemoteError):
        connect().read_blob("a/b", Descriptor("", "md5:0", 3), WORK)
