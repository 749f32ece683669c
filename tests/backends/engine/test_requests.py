"""Requests that DockDesk makes up: updates, networks, and how a volume is reached."""

from __future__ import annotations

from typing import Any

import pytest

from dockdesk.backends.engine.containers import update_body
from dockdesk.backends.engine.convert import ListedContainer, ListedMount
from dockdesk.backends.engine.networks import network_body
from dockdesk.backends.engine.volumes import mounting
from dockdesk.core.errors import InvalidInputError
from dockdesk.core.ports import NetworkSpec, UpdateSpec

INFO = {"NCPU": 8, "MemTotal": 16 << 30}


@pytest.mark.parametrize(
    ("spec", "host", "body"),
    [
        (UpdateSpec(), {}, {}),
        # As much swap as memory, as when it was made.
        (UpdateSpec(memory=64 << 20), {}, {"Memory": 64 << 20, "MemorySwap": 128 << 20}),
        (
            UpdateSpec(memory=64 << 20),
            {"Memory": 32 << 20, "MemorySwap": 64 << 20},
            {"Memory": 64 << 20, "MemorySwap": 128 << 20},
        ),
        # A swap limit of one's own stays where it may.
        (
            UpdateSpec(memory=64),
            {"Memory": 32, "MemorySwap": 100},
            {"Memory": 64, "MemorySwap": 100},
        ),
        (
            UpdateSpec(memory=64),
            {"Memory": 32, "MemorySwap": 40},
            {"Memory": 64, "MemorySwap": 128},
        ),
        (UpdateSpec(memory=64), {"Memory": 32, "MemorySwap": -1}, {"Memory": 64, "MemorySwap": -1}),
        (UpdateSpec(memory=64, memory_swap=96), {}, {"Memory": 64, "MemorySwap": 96}),
        # Lifted.
        (UpdateSpec(memory=0), {}, {"Memory": 16 << 30, "MemorySwap": 32 << 30}),
        (UpdateSpec(memory_swap=0), {}, {"MemorySwap": -1}),
        (UpdateSpec(cpus=0), {}, {"NanoCpus": 8_000_000_000}),
        (UpdateSpec(cpus=0), {"CpuQuota": 5000}, {"CpuQuota": -1}),
        (UpdateSpec(pids_limit=0, cpu_shares=0), {}, {"PidsLimit": -1, "CpuShares": 1024}),
        (UpdateSpec(restart=""), {}, {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}),
        # Set.
        (UpdateSpec(cpus=1.5), {}, {"NanoCpus": 1_500_000_000}),
        (UpdateSpec(cpus=1.5), {"CpuQuota": 5000, "CpuPeriod": 10_000}, {"CpuQuota": 15_000}),
        (UpdateSpec(cpu_shares=7, pids_limit=9), {}, {"CpuShares": 7, "PidsLimit": 9}),
        (
            UpdateSpec(restart="on-failure:2"),
            {},
            {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}},
        ),
    ],
)
def test_updates(spec: UpdateSpec, host: dict[str, Any], body: dict[str, Any]) -> None:
    assert update_body(spec, host, INFO) == body


def test_a_wrong_restart_policy_is_told_at_its_field() -> None:
    with pytest.raises(InvalidInputError) as caught:
        update_body(UpdateSpec(restart="now"), {}, INFO)
    assert caught.value.field == "restart"


def test_networks() -> None:
    body = network_body(
        NetworkSpec(
            "shop", subnet="10.5.0.7/16", gateway="10.5.0.1", internal=True, attachable=True,
            ipv6=False, options={"mtu": "1400"}, labels={"a": "b"},
        )
    )  # fmt: skip
    assert body["IPAM"] == {
        "Driver": "default",
        "Config": [{"Subnet": "10.5.0.0/16", "Gateway": "10.5.0.1"}],
    }
    assert (body["Name"], body["Driver"], body["Internal"]) == ("shop", "bridge", True)
    assert (body["Options"], body["Labels"]) == ({"mtu": "1400"}, {"a": "b"})
    assert "IPAM" not in network_body(NetworkSpec("plain"))


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (NetworkSpec(" "), "name"),
        (NetworkSpec("n", gateway="10.0.0.1"), "subnet"),
        (NetworkSpec("n", subnet="ten"), "subnet"),
        (NetworkSpec("n", subnet="10.0.0.0/24", gateway="10.0.1.1"), "gateway"),
        (NetworkSpec("n", subnet="10.0.0.0/24", gateway="x"), "gateway"),
    ],
)
def test_wrong_networks_are_told_at_their_field(spec: NetworkSpec, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        network_body(spec)
    assert caught.value.field == field


def container(
    id: str, state: str, *mounts: tuple[str, str, bool], **options: Any
) -> ListedContainer:
    return ListedContainer(
        id=id,
        state=state,
        mounts=[
            ListedMount(type="volume", name=name, destination=target, rw=writable)
            for name, target, writable in mounts
        ],
        **options,
    )


def test_a_volume_is_reached_through_the_best_container() -> None:
    nested = container("nested", "running", ("v", "/d", True), ("w", "/d/inner", True))
    stopped = container("stopped", "exited", ("v", "/data", True))
    reading = container("reading", "running", ("v", "/r", False))
    hidden = container("hidden", "created", ("v", "/h", True), labels={"io.dockdesk.helper": "v"})
    other = container("other", "running", ("w", "/d", True))
    everyone = [hidden, other, nested, stopped, reading]
    assert mounting(everyone, "v", writable=False) == ("reading", "/r")
    assert mounting(everyone, "v", writable=True) == ("stopped", "/data")
    assert mounting([hidden, other], "v", writable=False) is None
    assert mounting([nested], "v", writable=True) == ("nested", "/d")
