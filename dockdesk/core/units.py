"""Numbers in the form people read them."""

from __future__ import annotations

import time


def bytes_text(count: float, *, binary: bool = False) -> str:
    """Bytes as the docker CLI shows sizes: SI units (12.8 GB), or binary ones (512 MiB) for memory."""
    step, units = (
        (1024.0, ("B", "KiB", "MiB", "GiB", "TiB"))
        if binary
        else (1000.0, ("B", "kB", "MB", "GB", "TB"))
    )
    size, at = float(count), 0
    # What would be rounded to 1000 kB is 1 MB.
    while abs(size) >= step - 0.5 and at < len(units) - 1:
        size, at = size / step, at + 1
    digits = f"{size:.0f}" if at == 0 or abs(size) >= 100 else f"{size:.3g}"
    return f"{digits} {units[at]}"


def percent_text(value: float) -> str:
    return f"{value:.1f} %"


def duration_text(seconds: float) -> str:
    """A length of time in its two largest units, such as 3 h 12 min."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
        if len(parts) == 2:
            break
    return " ".join(parts)


def took_text(seconds: float) -> str:
    """How long something quick took, such as 12 ms, in seconds from one on."""
    return f"{max(0.0, seconds) * 1000:.0f} ms" if seconds < 1 else duration_text(seconds)


def age_text(since: float, now: float | None = None) -> str:
    """How long ago a moment (seconds since 1970) was, in its largest unit, such as 5 min ago."""
    if since <= 0:
        return ""
    passed = (time.time() if now is None else now) - since
    return f"{span_text(passed)} ago" if passed >= 60 else "just now"


def span_text(seconds: float) -> str:
    """A length of time in its largest unit, such as 3 h."""
    left = max(0, int(seconds))
    for name, size in (("y", 31_536_000), ("d", 86_400), ("h", 3_600), ("min", 60)):
        if left >= size:
            return f"{left // size} {name}"
    return f"{left} s"


def parse_bytes(text: str) -> int:
    """Bytes from what `docker run --memory` takes: a number with b, k, m, g (powers of 1024), such as 512m.

    Raises ValueError. Source: docker/go-units RAMInBytes.
    """
    cleaned = text.strip().lower().removesuffix("ib").removesuffix("b") or text.strip().lower()
    factor = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}.get(
        cleaned[-1:], 0
    )
    number = cleaned[:-1] if factor else cleaned
    value = float(number.strip()) * (factor or 1)
    if value < 0 or value != value or value == float("inf"):
        raise ValueError(f"not a size: {text}")
    return int(value)
