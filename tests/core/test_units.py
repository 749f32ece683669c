"""Numbers as people read them, and the sizes that docker takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.units import age_text, bytes_text, duration_text, parse_bytes, span_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (12_800_000_000, "12.8 GB"),
        (999_400, "999 kB"),
        (999_600, "1 MB"),
        (2e18, "2000000 TB"),
        (-5e6, "-5 MB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert bytes_text(count) == text


def test_binary_sizes() -> None:
    assert bytes_text(512 << 20, binary=True) == "512 MiB"
    assert bytes_text(1023.7 * 1024, binary=True) == "1 MiB"


@given(st.floats(0, 999e12))
def test_a_size_has_three_digits_at_most(count: float) -> None:
    number, _unit = bytes_text(count).split()
    assert "e" not in number
    assert float(number) < 1000


def test_lengths_of_time() -> None:
    assert duration_text(3 * 3600 + 12 * 60 + 5) == "3 h 12 min"
    assert duration_text(0.4) == "0 s"
    assert span_text(3 * 3600 + 12 * 60) == "3 h"
    assert span_text(59) == "59 s"


def test_ages() -> None:
    assert age_text(1000, now=1000 + 300) == "5 min ago"
    assert age_text(1000, now=1059) == "just now"
    assert age_text(1000, now=900) == "just now"  # another clock
    assert age_text(0) == ""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("512m", 512 << 20),
        ("1.5g", 3 << 29),
        ("10", 10),
        ("10b", 10),
        ("2 KiB", 2048),
        ("1tb", 1 << 40),
    ],
)
def test_sizes_that_docker_takes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "b", "m", "lots", "-1", "nan", "inf", "1x"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_bytes(text)
