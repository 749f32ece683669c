"""What differs between two images of a registry."""

from __future__ import annotations

from typing import Any

from dockdesk.core.resources.registries import (
    IMAGE,
    Descriptor,
    HistoryStep,
    ImageConfig,
    Manifest,
    Platform,
    PlatformImage,
    RegistryImage,
)
from dockdesk.core.tag_compare import (
    ADDED,
    CHANGED,
    REMOVED,
    SAME,
    compared,
    platform_differences,
)

AMD = Platform("linux", "amd64")
ARM = Platform("linux", "arm64")


def image(
    layers: dict[str, int],
    env: tuple[tuple[str, str], ...] = (),
    platform: Platform = AMD,
    **inner: Any,
) -> PlatformImage:
    found = tuple(Descriptor("layer", f"sha256:{name}", size) for name, size in layers.items())
    steps = tuple(HistoryStep(0.0, f"COPY {layer.digest[7:]}", "", layer) for layer in found)
    config = ImageConfig(
        "sha256:c", platform, env=env, history=(HistoryStep(0.0, "ENV A=1"), *steps),
        labels=inner.pop("labels", {}), raw={"config": inner},
    )  # fmt: skip
    manifest = Manifest(f"sha256:{sorted(layers)}{env}", "m", IMAGE, 1, b"", layers=found)
    return PlatformImage(platform, manifest, config)


def test_an_image_is_the_same_as_itself() -> None:
    one = image({"a": 5}, (("A", "1"),), Cmd=["run"])
    found = compared(one, one)
    assert found.same
    assert found.to_pull == 0
    assert {item.change for item in found.settings} == {SAME}
    assert [layer.change for layer in found.layers] == [SAME]


def test_what_changed_is_told_apart() -> None:
    before = image(
        {"base": 100, "old": 7}, (("MODE", "dev"), ("GONE", "1"), ("API_TOKEN", "one")),
        Cmd=["a"], User="root", labels={"v": "1"}, ExposedPorts={"80/tcp": {}},
    )  # fmt: skip
    after = image(
        {"base": 100, "new": 9}, (("MODE", "prod"), ("NEW", "1"), ("API_TOKEN", "two")),
        Cmd=["b"], User="root", labels={"v": "1"}, ExposedPorts={"80/tcp": {}, "90/tcp": {}},
    )  # fmt: skip
    found = compared(before, after)
    assert not found.same
    assert (found.size_before, found.size_after, found.to_pull) == (107, 109, 9)
    told = {(item.what, item.name): item for item in found.settings}
    assert told["Environment", "MODE"].change == CHANGED
    assert told["Environment", "GONE"].change == REMOVED
    assert told["Environment", "NEW"].change == ADDED
    assert told["User", ""].change == SAME
    assert told["Command", ""].after == '["b"]'
    assert told["Label", "v"].change == SAME
    assert told["Port", "90/tcp"].change == ADDED
    secret = told["Environment", "API_TOKEN"]
    assert secret.change == CHANGED
    assert "one" not in str(secret)
    assert [(item.number, item.change, item.instruction) for item in found.layers] == [
        (1, SAME, "COPY base"),
        (2, ADDED, "COPY new"),
        (2, REMOVED, "COPY old"),
    ]


def test_platforms_come_and_go() -> None:
    one, other = image({"a": 1}), image({"b": 1}, platform=ARM)
    first = RegistryImage("r", "1", one.manifest, (one,))
    second = RegistryImage("r", "2", one.manifest, (one, other))
    assert [(item.platform, item.change) for item in platform_differences(first, second)] == [
        ("linux/amd64", SAME),
        ("linux/arm64", ADDED),
    ]


def test_what_has_no_configuration_is_compared_all_the_same() -> None:
    artifact = PlatformImage(Platform(), Manifest("sha256:x", "m", "artifact", 1, b""))
    found = compared(artifact, image({"a": 3}, User="app"))
    assert [(item.what, item.change) for item in found.settings] == [("User", ADDED)]
    assert found.to_pull == 3
