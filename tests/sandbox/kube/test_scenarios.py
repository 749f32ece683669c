"""Each scenario is felt in the cluster too, and ends when another is played."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from dockdesk.sandbox.kube.objects import condition, name_of
from dockdesk.sandbox.kube.server import PODS_IF_HUGE
from dockdesk.sandbox.world.rate import Allowance
from dockdesk.sandbox.world.scenarios import CALM, Conditions, scenario
from tests.sandbox.kube.conftest import Lab, Served

_PODS = "/api/v1/namespaces/shop/pods"


@pytest.fixture
def calm(served: Served) -> Iterator[Served]:
    yield served
    served.call(lambda: served.kube.play(CALM.conditions))


def _play(served: Served, name: str) -> None:
    served.call(lambda: served.kube.play(scenario(name).conditions))


def test_expired_credentials_are_refused_everywhere(calm: Served) -> None:
    _play(calm, "expired-credentials")
    for path in (_PODS, "/apis", "/apis/metrics.k8s.io/v1beta1/nodes"):
        status, answer = calm.request("GET", path)
        assert (status, answer["kind"], answer["reason"]) == (401, "Status", "Unauthorized")
    assert calm.request("GET", "/healthz")[0] == 200
    _play(calm, "calm")
    assert calm.request("GET", _PODS)[0] == 200


def test_a_throttled_api_says_when_to_come_again(calm: Served) -> None:
    _play(calm, "throttled")
    answers = [calm.request("GET", "/version")[0] for _ in range(8)]
    assert answers == [200] * 8
    refused = None
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", calm.port, timeout=30)
        connection.request("GET", _PODS, headers={"Authorization": f"Bearer {calm.kube.token}"})
        response = connection.getresponse()
        response.read()
        connection.close()
        if response.status == 429:
            refused = response
            break
    assert refused is not None
    assert int(refused.headers["Retry-After"]) >= 1
    _play(calm, "calm")
    assert calm.request("GET", _PODS)[0] == 200


def test_an_allowance_fills_with_time() -> None:
    now = 0.0
    allowance = Allowance(0.0, lambda: now)
    assert allowance.take() == 0
    allowance.set_rate(2.0)
    assert allowance.take() == 0.5
    now = 1.0
    assert [allowance.take() for _ in range(3)] == [0, 0, 0.5]


def test_a_spike_that_is_played_again_starts_anew(lab: Lab) -> None:
    workload = ("shop", "api-gateway")

    def rate() -> float:
        return lab.kube.load.traffic(workload).rate(lab.cluster.now())

    usual = rate()
    lab.kube.play(Conditions(traffic=5.0))
    lab.advance(300, 10)
    assert rate() > 3 * usual
    lab.advance(2000, 20)
    assert rate() < 2 * usual
    lab.kube.play(Conditions(traffic=5.0))
    lab.advance(300, 10)
    assert rate() > 3 * usual
    lab.kube.play(CALM.conditions)
    assert rate() < 2 * usual


def _image(lab: Lab) -> Any:
    found = lab.get("Deployment", "apps", "checkout")
    return found["spec"]["template"]["spec"]["containers"][0]["image"]


def test_a_mended_deploy_is_left_alone(lab: Lab) -> None:
    lab.kube.play(Conditions(bad_deploy=True))
    assert "broken" in _image(lab)

    def mend(item: Any) -> None:
        item["spec"]["template"]["spec"]["containers"][0]["image"] = "acme/checkout:2.1.6"

    lab.change("Deployment", "apps", "checkout", mend)
    lab.kube.play(CALM.conditions)
    assert _image(lab) == "acme/checkout:2.1.6"
    lab.kube.play(Conditions(bad_deploy=True))
    assert "broken" in _image(lab)


def test_a_noisy_neighbour_slows_one_node(lab: Lab) -> None:
    nodes = lab.cluster.kind("Node")
    first = name_of(next(lab.store.all(nodes)))

    def used() -> dict[str, int]:
        pods = list(lab.store.all(lab.cluster.kind("Pod")))
        found = lab.kube.metrics.nodes(list(lab.store.all(nodes)), pods)
        return {name_of(item): int(item["usage"]["cpu"].rstrip("n")) for item in found}

    before = used()
    lab.kube.play(scenario("noisy-neighbour").conditions)
    after = used()
    assert after[first] > before[first] * 1.2
    assert all(after[name] == before[name] for name in before if name != first)


def test_huge_may_come_while_it_runs(lab: Lab) -> None:
    pods = lab.cluster.kind("Pod")
    before = sum(1 for _ in lab.store.all(pods))
    lab.kube.play(scenario("huge").conditions)
    while lab.kube.grow():
        lab.cluster.tick()
    lab.cluster.tick()
    found = list(lab.store.all(pods))
    assert len(found) >= before + PODS_IF_HUGE
    crowd = [pod for pod in found if pod["metadata"]["namespace"].startswith("team-")]
    assert all(condition(pod, "Ready")["status"] == "True" for pod in crowd)
    assert len({pod["status"]["podIP"] for pod in crowd}) == PODS_IF_HUGE
    assert len({pod["metadata"]["uid"] for pod in crowd}) == PODS_IF_HUGE
    item = lab.get("Deployment", "apps", "service-3", "team-07")
    assert item["status"]["availableReplicas"] == item["spec"]["replicas"] == 20
    # They live like others: one that is deleted is replaced.
    gone = name_of(crowd[0])
    lab.store.drop(pods, crowd[0]["metadata"]["namespace"], gone)
    lab.advance(30)
    assert sum(1 for _ in lab.store.all(pods)) == len(found)
    lab.kube.play(scenario("huge").conditions)
    assert not lab.kube.grow()
