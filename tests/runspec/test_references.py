from __future__ import annotations

import pytest

from dockdesk.runspec.references import split_reference


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", "latest")),
        ("nginx:1.27", ("nginx", "1.27")),
        ("localhost:5000/team/app", ("localhost:5000/team/app", "latest")),
        ("localhost:5000/team/app:2", ("localhost:5000/team/app", "2")),
        ("app@sha256:ab", ("app", "sha256:ab")),
        ("r:5000/app:1@sha256:ab", ("r:5000/app", "sha256:ab")),
    ],
)
def test_references_split(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts
