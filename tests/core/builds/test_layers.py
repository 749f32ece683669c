"""Which bytes of an image belong to which instruction."""

from __future__ import annotations

import pytest

from dockdesk.core.builds.layers import keyword_of, layer_sizes
from dockdesk.core.builds.records import StepRecord
from dockdesk.core.resources.images import ImageLayer


def _step(digest: str, keyword: str, stage: str = "app", line: int = 1) -> StepRecord:
    return StepRecord(f"[{stage}] {keyword}", digest, keyword=keyword, stage=stage, line=line)


def _layers(*entries: tuple[str, int]) -> list[ImageLayer]:
    """Given oldest first, as a Dockerfile is read."""
    return [ImageLayer("", 0.0, text, size) for text, size in reversed(entries)]


BUILT = (
    ("ADD base.tar / # buildkit", 900),
    ('CMD ["sh"]', 0),
    ("WORKDIR /w", 0),
    ("COPY a.txt . # buildkit", 10),
    ("ENV A=b", 0),
    ("RUN |1 V=2 /bin/sh -c make # buildkit", 20),
    ('CMD ["x"]', 0),
)
STEPS = (
    _step("f", "FROM"),
    _step("w", "WORKDIR"),
    _step("c", "COPY"),
    _step("r", "RUN"),
    StepRecord("exporting", "e"),
)


def test_steps_get_the_bytes_of_their_layers() -> None:
    assert layer_sizes(STEPS, ["app"], _layers(*BUILT)) == {"w": 0, "c": 10, "r": 20}


def test_only_the_stages_of_the_image_count_the_lower_first() -> None:
    steps = (_step("b", "RUN", "base"), _step("t", "RUN", "tool"), *STEPS)
    layers = _layers(("RUN x # buildkit", 7), *BUILT[2:])
    assert layer_sizes(steps, ["base", "app"], layers) == {"b": 7, "w": 0, "c": 10, "r": 20}


def test_what_does_not_agree_is_left_out_and_all_before_it() -> None:
    layers = _layers(*BUILT[:3], ("ADD other . # buildkit", 5), *BUILT[4:])
    assert layer_sizes(STEPS, ["app"], layers) == {"r": 20}


def test_no_history_no_sizes() -> None:
    assert layer_sizes(STEPS, ["app"], ()) == {}
    assert layer_sizes(STEPS, (), _layers(*BUILT)) == {}


@pytest.mark.parametrize(
    ("created_by", "keyword"),
    [
        ("RUN /bin/sh -c make # buildkit", "RUN"),
        ("COPY a.txt . # buildkit", "COPY"),
        ("WORKDIR /w", "WORKDIR"),
        ('CMD ["x"]', "CMD"),
        ("/bin/sh -c #(nop) COPY file:0 in / ", "COPY"),
        ('/bin/sh -c #(nop)  CMD ["x"]', "CMD"),
        ("/bin/sh -c #(nop) WORKDIR /w", "WORKDIR"),
        ("/bin/sh -c make", "RUN"),
        ("|1 V=2 /bin/sh -c make", "RUN"),
        ("", ""),
        ("/bin/sh -c #(nop)", ""),
    ],
)
def test_what_a_line_of_the_history_stands_for(created_by: str, keyword: str) -> None:
    assert keyword_of(created_by) == keyword
