"""What the shop's images are made of: small stand-ins for real layers that docker can pull, the same on all runs of a day."""

from __future__ import annotations

import random
from functools import lru_cache

from dockdesk.sandbox.engine.filesystem import file_node
from dockdesk.sandbox.engine.layers import layer_of, sha256
from dockdesk.sandbox.engine.recipes import DAY, config_file, docker_manifest
from dockdesk.sandbox.engine.state import Layer

# The stand-in of a layer is so many bytes.
_FILLING = 2048


def image_content(repository: str, tag: str, pushed: float) -> tuple[str, tuple[bytes, ...]]:
    """The manifest and the blobs of an image: its configuration, then its layers."""
    created = pushed // DAY * DAY
    name = repository.rpartition("/")[2]
    layers = [
        _layer("ADD alpine-minirootfs-3.21.tar.gz /", "/lib/libc.so", "base"),
        _layer(f"RUN pip install -r {name}/requirements.txt", "/app/vendor.pack", repository),
        layer_of(
            "COPY . /app",
            {"/app/VERSION": file_node(f"{repository} {tag}\n".encode(), 0o644, created)},
        ),
        Layer(f'CMD ["/app/{name}"]', 0),
    ]
    config = {
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", f"VERSION={tag}"],
        "Cmd": [f"/app/{name}"],
        "WorkingDir": "/app",
        "Labels": {"org.opencontainers.image.title": name, "org.opencontainers.image.version": tag},
    }
    raw = config_file(config, layers, created, "amd64")
    real = [layer for layer in layers if layer.id]
    manifest = docker_manifest(raw, [(sha256(layer.blob), len(layer.blob)) for layer in real])
    return manifest.decode(), (raw, *(layer.blob for layer in real))


@lru_cache(maxsize=64)
def _layer(text: str, path: str, key: str) -> Layer:
    """A layer that many images share."""
    data = random.Random(key).randbytes(_FILLING)
    return layer_of(text, {path: file_node(data, 0o755, 0.0)})
