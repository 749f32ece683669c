"""The sandbox's own process serves its registry, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from dockdesk.sandbox.registry.accounts import PASSWORD, USER
from tests.sandbox.registry.conftest import Client


def test_the_process_serves_a_registry() -> None:
    command = [sys.executable, "-m", "dockdesk.sandbox.main", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            client = Client(told["DOCKDESK_SANDBOX_REGISTRY"], USER, PASSWORD)
            digest = client.push_blob("demo/x", b"kept")
            folder = Path(told["DOCKER_HOST"].removeprefix("unix://")).parent
            (kept,) = folder.rglob(digest.removeprefix("sha256:"))
            assert kept.read_bytes() == b"kept"
            hub = Client(urlsplit(told["DOCKDESK_SANDBOX_HUB"]).netloc)
            assert hub.raw("GET", "/v2/repositories/library/nginx/").status == 200
        finally:
            process.terminate()
        assert process.wait(30) == 0
    assert not folder.exists()
