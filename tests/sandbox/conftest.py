"""One sandbox process for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox


@pytest.fixture(scope="module")
def sandbox_host() -> Iterator[str]:
    """DOCKER_HOST of a fresh sandbox."""
    sandbox = Sandbox()
    yield sandbox.start(SilentWork())
    sandbox.stop()
