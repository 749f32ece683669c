from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dockdesk.sandbox.http import (
    HIJACKED,
    HttpError,
    Request,
    Response,
    Router,
    Server,
    json_response,
)


async def _echo(request: Request) -> Response:
    body = await request.body()
    return json_response(
        {
            "path": request.path,
            "params": request.params,
            "query": dict(request.query),
            "body": body.decode(),
        }
    )


async def _count(_request: Request) -> Response:
    async def numbers() -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"{number}\n".encode()

    return Response(body=numbers())


async def _upgrade(request: Request) -> Response:
    await request.hijack(101, {"Upgrade": "tcp", "Connection": "Upgrade"})
    request.writer.write((await request.reader.readexactly(4)).upper())
    await request.writer.drain()
    return HIJACKED


async def _broken(_request: Request) -> Response:
    raise KeyError("surprise")


def _router() -> Router:
    def shape(error: HttpError) -> Response:
        return json_response({"message": error.message}, error.status)

    router = Router(shape)
    router.add("POST", "/echo/{name+}/end", _echo)
    router.add("GET", "/echo/{name}", _echo)
    router.add("GET", "/count", _count)
    router.add("POST", "/upgrade", _upgrade)
    router.add("GET", "/broken", _broken)
    return router


def _with_server(talk: Callable[[int], None]) -> None:
    """Serve on loopback while ``talk(port)`` runs in a thread."""

    async def main() -> None:
        server = Server(_router(), "test")
        port = await server.listen_loopback()
        try:
            await asyncio.to_thread(talk, port)
        finally:
            await server.close()

    asyncio.run(main())


def test_requests_are_routed_with_their_parts() -> None:
    def talk(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/echo/a%20b?x=1&x=2&empty=")
        answer = json.loads(connection.getresponse().read())
        assert answer["params"] == {"name": "a b"}
        assert answer["query"] == {"x": ["1", "2"], "empty": [""]}
        # The same connection again, with a chunked body.
        connection.request(
            "POST",
            "/echo/a/b/end",
            body=iter([b"one", b"two"]),
            encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )
        answer = json.loads(connection.getresponse().read())
        assert (answer["params"], answer["body"]) == ({"name": "a/b"}, "onetwo")
        connection.close()

    _with_server(talk)


def test_endless_answers_are_chunked() -> None:
    def talk(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/count")
        assert connection.getresponse().read() == b"0\n1\n2\n"
        connection.request("HEAD", "/count")
        assert connection.getresponse().read() == b""
        connection.close()

    _with_server(talk)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/count", 405)]
)
def test_errors_have_the_apis_shape(method: str, path: str, status: int) -> None:
    def talk(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path)
        response = connection.getresponse()
        assert response.status == status
        assert set(json.loads(response.read())) == {"message"}
        connection.close()

    _with_server(talk)


def test_a_connection_can_be_taken_over() -> None:
    def talk(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(
                b"POST /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nping"
            )
            data = b""
            while piece := raw.recv(1024):
                data += piece
        assert data.startswith(b"HTTP/1.1 101 ")
        assert data.endswith(b"PING")

    _with_server(talk)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / SPDY/9\r\n\r\n",
        b"POST /echo/a/end HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /echo/a/end HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_malformed_requests_are_answered_with_400(data: bytes) -> None:
    def talk(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            assert raw.recv(1024).startswith(b"HTTP/1.1 400 ")

    _with_server(talk)


def test_a_failing_handler_answers_and_is_logged(expect_log: Callable[[str], None]) -> None:
    expect_log("GET /broken failed")

    def talk(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/broken")
        assert connection.getresponse().status == 500
        connection.close()

    _with_server(talk)


def test_unix_sockets_are_private(tmp_path: Path) -> None:
    async def main() -> None:
        server = Server(_router(), "test")
        path = tmp_path / "s.sock"
        await server.listen_unix(path)
        assert path.stat().st_mode & 0o077 == 0
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        data = await reader.read()
        assert data.endswith(b"0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        await server.close()

    asyncio.run(main())


def test_closing_ends_endless_answers() -> None:
    started = asyncio.Event()
    ended: list[bool] = []

    async def forever(_request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x"
                    started.set()
                    await asyncio.sleep(3600)
            finally:
                ended.append(True)

        return Response(body=pieces())

    async def main() -> None:
        handler: Callable[[Request], Awaitable[Response]] = forever
        server = Server(handler, "test")
        port = await server.listen_loopback()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(started.wait(), 10)
        await asyncio.wait_for(server.close(), 10)
        await reader.read()
        writer.close()
        await writer.wait_closed()

    asyncio.run(main())
    assert ended == [True]


def _waiting(hijacks: bool, ended: list[bool]) -> Callable[[Request], Awaitable[Response]]:
    """A handler that has nothing to say for ever."""

    async def handle(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"x"
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        if not hijacks:
            return Response(body=pieces())
        await request.hijack()
        async for piece in pieces():
            request.writer.write(piece)
            await request.writer.drain()
        return HIJACKED

    return handle


@pytest.mark.parametrize("hijacks", [False, True])
def test_a_client_that_vanishes_leaves_nothing_behind(hijacks: bool, tmp_path: Path) -> None:
    ended: list[bool] = []

    async def main() -> None:
        server = Server(_waiting(hijacks, ended), "test")
        await server.listen_unix(tmp_path / "s.sock")
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s.sock"))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"x"), 10)
        assert server.open_connections == 1
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(15):
            while server.open_connections:
                await asyncio.sleep(0.02)
        await server.close()

    asyncio.run(main())
    assert ended == [True]


def test_half_a_hijacked_connection_is_still_one(tmp_path: Path) -> None:
    """`docker attach` closes its way in at once, and goes on reading."""

    async def handle(request: Request) -> Response:
        await request.hijack()
        assert await request.reader.read() == b""
        request.writer.write(b"later")
        await request.writer.drain()
        return HIJACKED

    async def main() -> None:
        server = Server(handle, "test")
        await server.listen_unix(tmp_path / "s.sock")
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s.sock"))
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
        writer.write_eof()
        assert (await asyncio.wait_for(reader.read(), 10)).endswith(b"later")
        writer.close()
        await writer.wait_closed()
        await server.close()

    asyncio.run(main())
