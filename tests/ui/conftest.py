from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.rig import Rig


@pytest.fixture
def rig(theme: Any, jobs: Any, pulse: Any, qtbot: Any) -> Iterator[Rig]:
    """A UiContext on the fake engine, not connected yet: see tests/ui/rig.py."""
    made = Rig(theme, jobs, pulse, qtbot)
    yield made
    made.close()
