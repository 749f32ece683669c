from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAccessible


@pytest.fixture
def listener(qapp: object) -> Iterator[None]:
    """As if a screen reader ran."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)
