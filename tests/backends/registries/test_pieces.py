"""What needs no server: challenges, scopes, redirects, addresses, times, and work side by side."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.registries.addresses import is_loopback, is_private, netloc, proxy_for, shown
from dockdesk.backends.registries.auth import Challenge, challenges, merged_scopes
from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.convert import attachment_kind, digest_of, manifest_from, seconds
from dockdesk.backends.registries.failures import clean, limit_of, retry_after
from dockdesk.backends.registries.http import redirected
from dockdesk.backends.registries.together import side_by_side
from dockdesk.core.errors import CancelledError, RemoteError
from dockdesk.core.resources.registries import OTHER, PROVENANCE, SBOM, SIGNATURE, Registry
from dockdesk.core.work import SilentWork, Work
from tests.backends.engine.works import RecordingWork
from tests.backends.registries.conftest import SECRET, Connect
from tests.backends.registries.faulty import Faulty, says


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ("Basic", [("basic", {})]),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a:pull,push"',
            [("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:a:pull,push"})],
        ),
        (
            'bearer Realm="https://a/\\"t" , service=s, Basic realm="y"',
            [("bearer", {"realm": 'https://a/"t', "service": "s"}), ("basic", {"realm": "y"})],
        ),
        ("", []),
    ],
)  # fmt: skip
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert challenges(header) == [Challenge(scheme, found) for scheme, found in expected]


@given(st.text(max_size=300))
def test_challenges_of_any_kind_end(header: str) -> None:
    challenges(header)


def test_scopes_are_merged() -> None:
    scopes = ["repository:a/b:pull", "repository:c:pull repository:a/b:push,pull", "nonsense", ""]
    assert merged_scopes(scopes) == ("repository:a/b:pull,push", "repository:c:pull")
    assert merged_scopes(["repository:host:5000/x:pull"]) == ("repository:host:5000/x:pull",)


def test_redirects_lose_the_login_and_never_leave_tls() -> None:
    headers = {"Authorization": f"Basic {SECRET}", "Range": "bytes=1-"}
    same = redirected("https://a.example/v2/x", "/other", headers)
    assert same == ("https://a.example/other", headers)
    elsewhere = redirected("https://a.example/v2/x", "https://b.example/y", headers)
    assert elsewhere == ("https://b.example/y", {"Range": "bytes=1-"})
    port = redirected("https://a.example/v2/x", "https://a.example:444/y", headers)
    assert "Authorization" not in port[1]
    with pytest.raises(RemoteError) as caught:
        redirected("https://a.example/x", "http://b.example/y?token=secret", headers)
    assert "secret" not in caught.value.detail


def test_addresses() -> None:
    for host in ("localhost", "127.0.0.1:5000", "[::1]:5000", "a.localhost", "127.9.9.9"):
        assert is_loopback(host), host
    for host in (
        "localhost.example",
        "10.0.0.1",
        "128.0.0.1:5000",
        "",
        "[::1",
        "127.0.0.1.example",
    ):
        assert not is_loopback(host), host
    assert is_private("https://a.example")
    assert is_private("http://[::1]:5000/")
    assert not is_private("http://a.example")
    assert netloc("https://A.example:443/x") == "a.example"
    assert netloc("http://[::1]:5000/x") == "[::1]:5000"
    assert shown("https://user:pw@a.example/x?sig=1") == "https://a.example/x"


def test_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert proxy_for("https://a.example/v2/") == "http://proxy.example:3128"
    assert proxy_for("https://x.inside.example/v2/") is None
    assert proxy_for("http://a.example/v2/") is None
    assert proxy_for("https://127.0.0.1:5000/v2/") is None
    monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
    assert proxy_for("http://a.example/v2/") == "http://proxy.example:3128"


def test_a_proxy_is_used(faulty: Faulty, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    address = faulty.url.removeprefix("http://")
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{SECRET}@{address}")
    faulty.on("GET", "http://registry.example/v2/", says(200, b"{}"))
    registry = Registry("registry.example", plain_http=True)
    assert connect(registry=registry).ping(SilentWork()) == ""
    (headers,) = faulty.requests("GET", "http://registry.example/v2/")
    assert headers["proxy-authorization"].startswith("Basic ")


def test_what_a_registry_says_is_cleaned() -> None:
    assert clean("a\nb\u202ec") == "a b c"
    assert "eyJ" not in clean("token eyJhbGciOi.eyJzdWIiOi.sig-nature is bad")
    assert "abcdefgh" not in clean("sent Bearer abcdefghijk")
    assert len(clean("x" * 10_000)) == 500


def test_waits_that_are_asked_for() -> None:
    assert retry_after({}) is None
    assert retry_after({"Retry-After": "12"}) == 12
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    stamp = {"X-Retry-After": str(int(time.time()) + 40)}
    assert retry_after(stamp) == pytest.approx(40, abs=5)
    assert limit_of({"RateLimit-Limit": "100;w=21600"}, "RateLimit-Limit") == (100, 21600)
    assert limit_of({"RateLimit-Limit": "many"}, "RateLimit-Limit") is None


def test_times() -> None:
    assert seconds("2026-03-04T05:06:07.123456789Z") == pytest.approx(1772600767.123456)
    assert seconds("0001-01-01T00:00:00Z") == 0.0
    for nonsense in (None, 5, "", "yesterday", "9" * 100, "2026-13-01T00:00:00Z"):
        assert seconds(nonsense) == 0.0


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (("", "application/vnd.in-toto+json", "https://slsa.dev/provenance/v0.2"), PROVENANCE),
        (("", "application/vnd.in-toto+json", "https://spdx.dev/Document"), SBOM),
        (("application/vnd.cyclonedx+json", "application/octet-stream", ""), SBOM),
        (("application/vnd.cncf.notary.signature", "application/jose+json", ""), SIGNATURE),
        (("application/vnd.dev.sigstore.bundle.v0.3+json", "", ""), SIGNATURE),
        (("application/x", "text/plain", ""), OTHER),
    ],
)
def test_kinds_of_attachments(types: tuple[str, str, str], kind: str) -> None:
    assert attachment_kind(*types) == kind


@given(st.binary(max_size=200), st.text(max_size=40))
def test_manifests_of_any_content_are_read(data: bytes, media_type: str) -> None:
    assert manifest_from("sha256:0", media_type, data).data == data


# --- the cache ---


def test_the_cache_keeps_within_its_bounds(tmp_path: Path) -> None:
    cache = DigestCache(tmp_path, memory=3000, disk=5000)
    contents = [bytes([number]) * 1000 for number in range(30)]
    for data in contents:
        cache.put(digest_of(data), "application/json", data)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 7000
    assert cache.get(digest_of(contents[-1])) == ("application/json", contents[-1])
    assert cache.get(digest_of(contents[0])) is None
    again = DigestCache(tmp_path)
    assert again.get(digest_of(contents[-1])) == ("application/json", contents[-1])
    again.drop(digest_of(contents[-1]))
    assert again.get(digest_of(contents[-1])) is None
    assert DigestCache(tmp_path).get("sha256:../../etc/passwd") is None


def test_a_cache_without_a_place_to_write_works(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    cache = DigestCache(blocked)
    cache.put(digest_of(b"x"), "t", b"x")
    assert cache.get(digest_of(b"x")) == ("t", b"x")


def test_a_fetch_that_fails_is_tried_by_the_next(tmp_path: Path) -> None:
    cache = DigestCache()

    def fails() -> tuple[str, bytes]:
        raise RemoteError("no")

    with pytest.raises(RemoteError):
        cache.fetched(digest_of(b"x"), SilentWork(), fails)
    assert cache.fetched(digest_of(b"x"), SilentWork(), lambda: ("t", b"x")) == ("t", b"x")


# --- side by side ---


def test_answers_come_in_order_and_words_on_the_works_own_thread() -> None:
    threads: set[str] = set()

    class Listening(RecordingWork):
        def part(self, key: str, fraction: float | None, text: str = "") -> None:
            threads.add(threading.current_thread().name)
            super().part(key, fraction, text)

    def task(number: int) -> object:
        def run(work: Work) -> int:
            work.part(str(number), 1.0, "done")
            return number

        return run

    work = Listening()
    found = side_by_side(work, [task(n) for n in range(20)], 4)  # type: ignore[arg-type]
    assert found == list(range(20))
    assert len(work.parts) == 20
    assert threads == {threading.current_thread().name}


def test_one_failure_ends_all() -> None:
    ended = threading.Event()

    def waits(work: Work) -> None:
        stop = threading.Event()
        with work.on_cancel(stop.set):
            assert stop.wait(20)
        ended.set()
        work.check()

    def fails(_work: Work) -> None:
        raise RemoteError("broken")

    with pytest.raises(RemoteError, match="broken"):
        side_by_side(SilentWork(), [waits, fails], 2)
    assert ended.is_set()


def test_cancelling_ends_all() -> None:
    work = RecordingWork()
    begun = threading.Barrier(3)

    def waits(part: Work) -> None:
        stop = threading.Event()
        with part.on_cancel(stop.set):
            begun.wait(20)
            assert stop.wait(20)

    ender = threading.Thread(target=lambda: (begun.wait(20), work.cancel()))
    ender.start()
    with pytest.raises(CancelledError):
        side_by_side(work, [waits, waits], 2)
    ender.join()
