"""A certificate for one run on this machine: kubectl sends its token over TLS only.

Made with the standard library alone, which has no X.509: a P-256 key, one ECDSA signature and some DER. It protects
nothing but a simulation on loopback; what it has to be is well-formed. Sources: SEC 1, FIPS 186-5, RFC 5280, RFC 5915.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_A = _P - 3
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_DAYS = 30

Point = tuple[int, int] | None


def _add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    (x1, y1), (x2, y2) = first, second
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    if first == second:
        slope = (3 * x1 * x1 + _A) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _times(number: int, point: Point) -> Point:
    result: Point = None
    while number:
        if number & 1:
            result = _add(result, point)
        point, number = _add(point, point), number >> 1
    return result


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + body


def _number(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(*numbers: int) -> bytes:
    body = bytes([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        body += bytes(reversed(groups))
    return _der(6, body)


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _extension(numbers: tuple[int, ...], critical: bool, value: bytes) -> bytes:
    return _sequence(_oid(*numbers), _der(1, b"\xff") if critical else b"", _der(4, value))


def _time(moment: datetime) -> bytes:
    return _der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


_CURVE = _oid(1, 2, 840, 10045, 3, 1, 7)
_SIGNATURE = _sequence(_oid(1, 2, 840, 10045, 4, 3, 2))


def _sign(private: int, data: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(data).digest(), "big")
    while True:
        nonce = secrets.randbelow(_N - 1) + 1
        point = _times(nonce, _G)
        assert point is not None
        r = point[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * private) % _N
        if r and s:
            return _sequence(_number(r), _number(s))


def _pem(name: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return f"-----BEGIN {name}-----\n" + "\n".join(lines) + f"\n-----END {name}-----\n"


def make() -> tuple[str, str]:
    """A certificate for 127.0.0.1 and localhost that vouches for itself, and its key, both as PEM."""
    private = secrets.randbelow(_N - 1) + 1
    point = _times(private, _G)
    assert point is not None
    public = b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")
    key_info = _sequence(_sequence(_oid(1, 2, 840, 10045, 2, 1), _CURVE), _der(3, b"\0" + public))
    name = _sequence(_der(0x31, _sequence(_oid(2, 5, 4, 3), _der(12, b"DockDesk sandbox"))))
    now = datetime.now(UTC)
    valid = _sequence(_time(now - timedelta(days=1)), _time(now + timedelta(days=_DAYS)))
    mark = hashlib.sha256(public).digest()[:20]
    names = _sequence(
        _der(0x82, b"localhost"), _der(0x87, ipaddress.ip_address("127.0.0.1").packed)
    )
    extensions = _sequence(
        _extension((2, 5, 29, 19), True, _sequence(_der(1, b"\xff"))),  # a CA: its own
        _extension((2, 5, 29, 15), True, _der(3, b"\x02\x84")),  # signs data and certificates
        _extension((2, 5, 29, 37), False, _sequence(_oid(1, 3, 6, 1, 5, 5, 7, 3, 1))),  # serves TLS
        _extension((2, 5, 29, 17), False, names),
        _extension((2, 5, 29, 14), False, _der(4, mark)),
        _extension((2, 5, 29, 35), False, _sequence(_der(0x80, mark))),
    )
    body = _sequence(
        _der(0xA0, _number(2)),
        _number(secrets.randbits(120)),
        _SIGNATURE,
        name,
        valid,
        name,
        key_info,
        _der(0xA3, extensions),
    )
    certificate = _sequence(body, _SIGNATURE, _der(3, b"\0" + _sign(private, body)))
    key = _sequence(
        _number(1),
        _der(4, private.to_bytes(32, "big")),
        _der(0xA0, _CURVE),
        _der(0xA1, _der(3, b"\0" + public)),
    )
    return _pem("CERTIFICATE", certificate), _pem("EC PRIVATE KEY", key)


def context(certificate: str, key: str, folder: Path) -> ssl.SSLContext:
    """A server's TLS context; the key is on disk, in a private folder, only while it is loaded."""
    path = folder / "kube-tls.pem"
    path.touch(0o600)
    try:
        path.write_text(key + certificate)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(path)
    finally:
        path.unlink()
    return made
