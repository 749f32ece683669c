"""What the controllers, the scheduler and the kubelets make of objects, in a time that the test moves."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dockdesk.sandbox.kube.deleting import Options, delete
from dockdesk.sandbox.kube.objects import condition, dig, labels_of, name_of, seconds_of
from dockdesk.sandbox.kube.pods import is_live, is_ready
from dockdesk.sandbox.world.scenarios import CALM, Conditions
from tests.sandbox.kube.conftest import Lab, deployment


def _is_available(lab: Lab, name: str) -> bool:
    item = lab.get("Deployment", "apps", name)
    status, wanted = item.get("status", {}), item["spec"]["replicas"]
    return (
        status.get("observedGeneration") == item["metadata"]["generation"]
        and status.get("updatedReplicas", 0)
        == status.get("availableReplicas", 0)
        == status.get("replicas", 0)
        == wanted
    )


def _set_image(lab: Lab, name: str, image: str) -> None:
    def change(item: Any) -> None:
        item["spec"]["template"]["spec"]["containers"][0]["image"] = image

    lab.change("Deployment", "apps", name, change)


def test_the_same_seed_and_time_make_the_same_cluster() -> None:
    first, second = Lab(), Lab()
    pods = first.cluster.kind("Pod")
    names = [item["metadata"]["name"] for item in first.store.all(pods)]
    assert names == [item["metadata"]["name"] for item in second.store.all(pods)]
    assert 40 <= len(names) <= 60
    assert len(list(first.store.all(first.cluster.kind("Node")))) == 4


def test_pods_take_time_to_be_scheduled_pulled_and_started(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", "traefik:v3.2", 1))
    lab.advance(0.1, 0.1)
    assert lab.reasons("web") == ["Pending"]
    lab.advance(0.5, 0.1)
    assert lab.reasons("web") == ["ContainerCreating"]
    assert lab.until(lambda: _is_available(lab, "web")) > 1.0
    (pod,) = lab.pods("web")
    for reason in ("Scheduled", "Pulling", "Pulled", "Created", "Started"):
        assert reason in lab.events(name_of(pod))
    assert pod["status"]["podIP"].startswith("10.244.")
    assert "ScalingReplicaSet" in lab.events("web")


@pytest.mark.parametrize(("surge", "down"), [("25%", "25%"), (1, 0), (0, 1), ("100%", 0)])
def test_a_rollout_keeps_within_its_bounds(lab: Lab, surge: Any, down: Any) -> None:
    item = deployment("web", replicas=4)
    item["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": down}}
    lab.make("Deployment", "apps", item)
    lab.until(lambda: _is_available(lab, "web"))
    most = 4 + (4 if surge == "100%" else 1 if surge == "25%" else surge)
    least = 4 - (1 if down == "25%" else down)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        live = [pod for pod in lab.pods("web") if is_live(pod)]
        seen.append((len(live), sum(map(is_ready, live))))

    _set_image(lab, "web", "nginx:1.27.2-alpine")
    lab.advance(60, 0.25, look)
    assert _is_available(lab, "web")
    assert max(total for total, _ in seen) <= most
    assert min(ready for _, ready in seen) >= least
    assert {pod["spec"]["containers"][0]["image"] for pod in lab.pods("web")} == {
        "nginx:1.27.2-alpine"
    }


def test_revisions_are_kept_and_can_be_gone_back_to(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", replicas=1))
    lab.until(lambda: _is_available(lab, "web"))
    before = lab.get("Deployment", "apps", "web")["spec"]["template"]
    _set_image(lab, "web", "nginx:1.26-alpine")
    lab.until(lambda: _is_available(lab, "web"))
    sets = [
        item
        for item in lab.store.all(lab.cluster.kind("ReplicaSet", "apps"), "shop")
        if labels_of(item).get("app") == "web"
    ]
    assert sorted(
        item["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for item in sets
    ) == ["1", "2"]
    lab.change("Deployment", "apps", "web", lambda item: item["spec"].update(template=before))
    lab.until(lambda: _is_available(lab, "web"))
    assert (
        lab.get("Deployment", "apps", "web")["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ]
        == "3"
    )
    after = [
        item
        for item in lab.store.all(lab.cluster.kind("ReplicaSet", "apps"), "shop")
        if labels_of(item).get("app") == "web"
    ]
    assert len(after) == 2  # the old replica set took it up again


def test_a_paused_deployment_waits(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", replicas=2))
    lab.until(lambda: _is_available(lab, "web"))
    lab.change("Deployment", "apps", "web", lambda item: item["spec"].update(paused=True))
    _set_image(lab, "web", "nginx:1.26-alpine")
    lab.advance(20)
    assert {pod["spec"]["containers"][0]["image"] for pod in lab.pods("web")} == {
        "nginx:1.27-alpine"
    }
    assert (
        condition(lab.get("Deployment", "apps", "web"), "Progressing")["reason"]
        == "DeploymentPaused"
    )
    lab.change("Deployment", "apps", "web", lambda item: item["spec"].update(paused=False))
    lab.until(lambda: _is_available(lab, "web"))


def test_an_image_that_is_nowhere_stops_a_rollout(lab: Lab) -> None:
    item = deployment("web", replicas=2)
    item["spec"]["progressDeadlineSeconds"] = 60
    lab.make("Deployment", "apps", item)
    lab.until(lambda: _is_available(lab, "web"))
    _set_image(lab, "web", "nowhere.example/nothing:1")
    lab.until(lambda: "ErrImagePull" in lab.reasons("web"))
    lab.until(lambda: "ImagePullBackOff" in lab.reasons("web"))
    lab.advance(80)
    found = lab.get("Deployment", "apps", "web")
    assert condition(found, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert found["status"]["readyReplicas"] == 2  # the old ones serve on
    _set_image(lab, "web", "nginx:1.27-alpine")
    lab.until(lambda: _is_available(lab, "web"))
    assert condition(lab.get("Deployment", "apps", "web"), "Progressing")["status"] == "True"


def test_what_crashes_is_restarted_with_growing_delays(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", "nginx:1.27-crash", 1))
    lab.until(lambda: lab.reasons("web") == ["CrashLoopBackOff"])
    starts: list[str] = []

    def look() -> None:
        started = dig(
            lab.pods("web")[0], "status", "containerStatuses", 0, "state", "running", "startedAt"
        )
        if started and started not in starts:
            starts.append(started)

    lab.advance(200, 0.5, look)
    gaps = [
        seconds_of(later) - seconds_of(earlier) for earlier, later in itertools.pairwise(starts)
    ]
    assert len(gaps) >= 3
    assert gaps == sorted(gaps)
    (pod,) = lab.pods("web")
    status = pod["status"]["containerStatuses"][0]
    assert status["restartCount"] >= 4
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert "BackOff" in lab.events(name_of(pod))


def test_a_leak_ends_in_an_oom_kill(lab: Lab) -> None:
    lab.make(
        "Deployment",
        "apps",
        deployment("web", "nginx:1.27-leak", 1, resources={"limits": {"memory": "40Mi"}}),
    )
    lab.until(
        lambda: (
            lab.pods("web")
            and dig(lab.pods("web")[0], "status", "containerStatuses", 0, "restartCount")
        )
    )
    status = lab.pods("web")[0]["status"]["containerStatuses"][0]
    last = status["lastState"].get("terminated") or status["state"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)


def test_what_is_never_ready_does_not_replace_what_is(lab: Lab) -> None:
    probe = {"httpGet": {"path": "/", "port": 80}}
    lab.make("Deployment", "apps", deployment("web", replicas=3, readinessProbe=probe))
    lab.until(lambda: _is_available(lab, "web"))
    _set_image(lab, "web", "nginx:1.27-broken")
    lab.advance(60)
    assert lab.get("Deployment", "apps", "web")["status"]["readyReplicas"] == 3
    sick = [pod for pod in lab.pods("web") if not is_ready(pod)]
    assert sick
    assert all("Unhealthy" in lab.events(name_of(pod)) for pod in sick)


def test_a_missing_secret_holds_a_container_back(lab: Lab) -> None:
    lab.make(
        "Deployment",
        "apps",
        deployment("web", replicas=1, envFrom=[{"secretRef": {"name": "keys"}}]),
    )
    lab.until(lambda: lab.reasons("web") == ["CreateContainerConfigError"])
    lab.make(
        "Secret", "", {"metadata": {"name": "keys", "namespace": "shop"}, "stringData": {"A": "1"}}
    )
    lab.until(lambda: _is_available(lab, "web"))


def test_init_containers_run_first(lab: Lab) -> None:
    item = deployment("web", replicas=1)
    item["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "one", "image": "alpine:3.21", "command": ["sleep", "3"]},
        {"name": "two", "image": "alpine:3.21", "command": ["sleep", "3"]},
    ]
    lab.make("Deployment", "apps", item)
    lab.until(lambda: lab.reasons("web") == ["Init:0/2"])
    lab.until(lambda: lab.reasons("web") == ["Init:1/2"])
    lab.until(lambda: _is_available(lab, "web"))


def test_stateful_sets_go_in_order(lab: Lab) -> None:
    item = deployment("db", "postgres:16", 3)
    item["spec"]["serviceName"] = "db"
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    item["spec"]["volumeClaimTemplates"] = [claim]
    lab.make("StatefulSet", "apps", item)
    order: list[str] = []

    def look() -> None:
        ready = sorted(name_of(pod) for pod in lab.pods("db") if is_ready(pod))
        if [*order[-1:]] != [",".join(ready)]:
            order.append(",".join(ready))
        assert len([pod for pod in lab.pods("db") if not is_ready(pod)]) <= 1

    lab.advance(60, 0.5, look)
    assert order[-1] == "db-0,db-1,db-2"
    assert order[-3:] == ["db-0", "db-0,db-1", "db-0,db-1,db-2"]
    claims = [
        name_of(found) for found in lab.store.all(lab.cluster.kind("PersistentVolumeClaim"), "shop")
    ]
    assert {"data-db-0", "data-db-1", "data-db-2"} <= set(claims)
    gone: list[str] = []
    uids = {name_of(pod): pod["metadata"]["uid"] for pod in lab.pods("db")}

    def watch() -> None:
        for pod in lab.pods("db"):
            if pod["metadata"]["uid"] != uids[name_of(pod)] and name_of(pod) not in gone:
                gone.append(name_of(pod))

    lab.change(
        "StatefulSet",
        "apps",
        "db",
        lambda found: found["spec"]["template"]["spec"]["containers"][0].update(
            image="postgres:15"
        ),
    )
    lab.advance(90, 0.5, watch)
    assert gone == ["db-2", "db-1", "db-0"]
    status = lab.get("StatefulSet", "apps", "db")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    lab.change("StatefulSet", "apps", "db", lambda found: found["spec"].update(replicas=1))
    lab.until(lambda: [name_of(pod) for pod in lab.pods("db")] == ["db-0"])


def test_daemon_sets_are_on_every_node(lab: Lab) -> None:
    item = deployment("agent")
    del item["spec"]["replicas"]
    node = next(lab.store.all(lab.cluster.kind("Node")))
    lab.change(
        "Node", "", name_of(node), lambda found: found["spec"].update(unschedulable=True), ""
    )
    lab.make("DaemonSet", "apps", item)
    lab.until(lambda: dig(lab.get("DaemonSet", "apps", "agent"), "status", "numberReady") == 4)
    assert len({pod["spec"]["nodeName"] for pod in lab.pods("agent")}) == 4
    lab.change(
        "DaemonSet",
        "apps",
        "agent",
        lambda found: found["spec"]["template"]["spec"]["containers"][0].update(
            image="nginx:1.26-alpine"
        ),
    )
    least = []
    lab.advance(
        60,
        0.5,
        lambda: least.append(sum(is_ready(pod) and is_live(pod) for pod in lab.pods("agent"))),
    )
    assert min(least) >= 3
    assert {pod["spec"]["containers"][0]["image"] for pod in lab.pods("agent")} == {
        "nginx:1.26-alpine"
    }
    zone = {"topology.kubernetes.io/zone": "eu-central-1b"}
    lab.change(
        "DaemonSet",
        "apps",
        "agent",
        lambda found: found["spec"]["template"]["spec"].update(nodeSelector=zone),
    )
    lab.until(lambda: len(lab.pods("agent")) == 1)


def _job(name: str, command: list[str], **spec: Any) -> Any:
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "alpine:3.21", "command": command}],
    }
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": pod}, **spec},
    }


def test_jobs_complete_and_fail(lab: Lab) -> None:
    lab.make(
        "Job",
        "batch",
        _job(
            "good",
            ["sh", "-c", "echo hi; sleep 5"],
            completions=3,
            parallelism=2,
            ttlSecondsAfterFinished=30,
        ),
    )
    lab.make("Job", "batch", _job("bad", ["false"], backoffLimit=1))
    most: list[int] = []
    lab.advance(40, 0.5, lambda: most.append(sum(is_live(pod) for pod in lab.pods("good"))))
    assert max(most) == 2
    good = lab.get("Job", "batch", "good")
    assert good["status"]["succeeded"] == 3
    assert condition(good, "Complete")["status"] == "True"
    lab.until(
        lambda: (
            condition(lab.get("Job", "batch", "bad"), "Failed").get("reason")
            == "BackoffLimitExceeded"
        )
    )
    assert lab.reasons("bad") == ["Error", "Error"]
    lab.until(lambda: lab.find("Job", "batch", "good") is None)
    lab.until(lambda: not lab.pods("good"))


def test_cron_jobs_run_when_it_is_time(lab: Lab) -> None:
    spec = _job("x", ["sleep", "5"])["spec"]
    cron = {
        "metadata": {"name": "tick", "namespace": "shop"},
        "spec": {
            "schedule": "*/5 * * * *",
            "jobTemplate": {"spec": spec},
            "successfulJobsHistoryLimit": 2,
        },
    }
    lab.make("CronJob", "batch", cron)
    lab.advance(31 * 60, 5)
    jobs = [
        item
        for item in lab.store.all(lab.cluster.kind("Job", "batch"), "shop")
        if name_of(item).startswith("tick-")
    ]
    assert len(jobs) == 2
    assert seconds_of(lab.get("CronJob", "batch", "tick")["status"]["lastScheduleTime"]) % 300 == 0
    lab.change("CronJob", "batch", "tick", lambda item: item["spec"].update(suspend=True))
    last = lab.get("CronJob", "batch", "tick")["status"]["lastScheduleTime"]
    lab.advance(11 * 60, 5)
    assert lab.get("CronJob", "batch", "tick")["status"]["lastScheduleTime"] == last


def test_the_autoscaler_follows_the_load(lab: Lab) -> None:
    lab.kube.autoscaler.start()
    lab.advance(600, 5)
    before = lab.get("Deployment", "apps", "api-gateway")["spec"]["replicas"]
    used = lab.get("HorizontalPodAutoscaler", "autoscaling", "api-gateway")["status"][
        "currentMetrics"
    ][0]["resource"]["current"]["averageUtilization"]
    assert 35 <= used <= 75
    lab.kube.play(Conditions(traffic=5.0))
    lab.advance(420, 5)
    after = lab.get("Deployment", "apps", "api-gateway")["spec"]["replicas"]
    assert after == 10  # its maximum
    assert (
        condition(
            lab.get("HorizontalPodAutoscaler", "autoscaling", "api-gateway"), "ScalingLimited"
        )["reason"]
        == "TooManyReplicas"
    )
    assert "SuccessfulRescale" in lab.events("api-gateway")
    lab.kube.play(CALM.conditions)
    lab.advance(200, 5)
    assert (
        lab.get("Deployment", "apps", "api-gateway")["spec"]["replicas"] == 10
    )  # stabilised for five minutes
    lab.advance(600, 5)
    assert lab.get("Deployment", "apps", "api-gateway")["spec"]["replicas"] <= before + 1


def test_an_autoscaler_says_what_it_cannot_read(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", replicas=2))
    hpa = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "maxReplicas": 5,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        },
    }
    lab.make("HorizontalPodAutoscaler", "autoscaling", hpa)
    lab.kube.autoscaler.start()
    lab.advance(60)
    found = lab.get("HorizontalPodAutoscaler", "autoscaling", "web")
    assert condition(found, "ScalingActive")["reason"] == "FailedGetResourceMetric"
    assert "missing request for cpu" in condition(found, "ScalingActive")["message"]


def test_a_pod_that_fits_nowhere_waits_for_room(lab: Lab) -> None:
    nodes = [name_of(node) for node in lab.store.all(lab.cluster.kind("Node"))]
    for node in nodes:
        lab.change("Node", "", node, lambda item: item["spec"].update(unschedulable=True), "")
    lab.make("Deployment", "apps", deployment("web", replicas=1))
    lab.advance(5)
    (pod,) = lab.pods("web")
    assert condition(pod, "PodScheduled")["reason"] == "Unschedulable"
    assert "4 node(s) were unschedulable" in condition(pod, "PodScheduled")["message"]
    lab.change("Node", "", nodes[1], lambda item: item["spec"].pop("unschedulable"), "")
    lab.until(lambda: _is_available(lab, "web"))
    assert lab.pods("web")[0]["spec"]["nodeName"] == nodes[1]
    lab.make(
        "Deployment", "apps", deployment("fat", replicas=1, resources={"requests": {"cpu": "64"}})
    )
    lab.advance(5)
    assert "Insufficient cpu" in condition(lab.pods("fat")[0], "PodScheduled")["message"]


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_what_is_owned_goes_with_its_owner(lab: Lab, policy: str) -> None:
    lab.make("Deployment", "apps", deployment("web", replicas=2))
    lab.until(lambda: _is_available(lab, "web"))
    kind = lab.cluster.kind("Deployment", "apps")
    delete(lab.cluster, kind, lab.get("Deployment", "apps", "web"), Options(propagation=policy))
    if policy == "Foreground":
        assert lab.find("Deployment", "apps", "web") is not None  # until all below it is gone
    lab.until(lambda: lab.find("Deployment", "apps", "web") is None and not lab.pods("web"))


def test_orphans_stay(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", replicas=2))
    lab.until(lambda: _is_available(lab, "web"))
    delete(
        lab.cluster,
        lab.cluster.kind("Deployment", "apps"),
        lab.get("Deployment", "apps", "web"),
        Options(propagation="Orphan"),
    )
    lab.advance(10)
    assert lab.find("Deployment", "apps", "web") is None
    assert len(lab.pods("web")) == 2


def test_a_namespace_is_emptied_before_it_goes(lab: Lab) -> None:
    kind = lab.cluster.kind("Namespace")
    delete(lab.cluster, kind, lab.get("Namespace", "", "monitoring", ""))
    assert lab.get("Namespace", "", "monitoring", "")["status"]["phase"] == "Terminating"
    lab.until(lambda: lab.find("Namespace", "", "monitoring", "") is None)
    for found in lab.cluster.kinds:
        assert not list(lab.store.all(found, "monitoring")), found.plural


def test_services_know_who_is_ready(lab: Lab) -> None:
    probe = {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 5}
    lab.make(
        "Deployment",
        "apps",
        deployment(
            "web", replicas=2, readinessProbe=probe, ports=[{"name": "http", "containerPort": 8080}]
        ),
    )
    lab.make(
        "Service",
        "",
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]},
        },
    )
    lab.until(lambda: dig(lab.find("Endpoints", "", "web"), "subsets", 0, "notReadyAddresses"))
    lab.until(
        lambda: len(dig(lab.find("Endpoints", "", "web"), "subsets", 0, "addresses") or ()) == 2
    )
    assert dig(lab.find("Endpoints", "", "web"), "subsets", 0, "ports", 0, "port") == 8080
    assert lab.get("Service", "", "web")["spec"]["clusterIP"].startswith("10.100.")


def test_a_zone_outage_moves_its_pods(lab: Lab) -> None:
    lab.advance(30)
    dead = [
        name_of(node)
        for node in lab.store.all(lab.cluster.kind("Node"))
        if labels_of(node)["topology.kubernetes.io/zone"] == "eu-central-1b"
    ]
    lab.kube.play(Conditions(zone_down=True))
    lab.advance(10)
    assert condition(lab.get("Node", "", dead[0], ""), "Ready")["status"] == "Unknown"
    lab.advance(360, 5)
    web = [pod for pod in lab.pods("web-frontend") if is_live(pod)]
    assert len([pod for pod in web if is_ready(pod)]) >= 3
    assert not [pod for pod in web if pod["spec"].get("nodeName") in dead]
    lab.kube.play(CALM.conditions)
    lab.advance(60)
    assert condition(lab.get("Node", "", dead[0], ""), "Ready")["status"] == "True"
    assert not [pod for pod in lab.pods("web-frontend") if pod["metadata"].get("deletionTimestamp")]


def test_a_bad_deploy_and_a_leak_come_and_go(lab: Lab) -> None:
    lab.kube.play(Conditions(bad_deploy=True, leak=400.0))
    lab.advance(90)
    assert lab.get("Deployment", "apps", "checkout")["status"]["unavailableReplicas"]
    restarts = [
        dig(pod, "status", "containerStatuses", 0, "restartCount") for pod in lab.pods("media")
    ]
    assert all(restarts)
    lab.kube.play(CALM.conditions)
    lab.until(lambda: _is_available(lab, "checkout"))
    lab.advance(120)
    assert all(is_ready(pod) for pod in lab.pods("media"))


def test_fast_time_gives_the_same_end(lab: Lab) -> None:
    lab.make("Deployment", "apps", deployment("web", replicas=6))
    lab.advance(120, 12.0)  # sixty times as fast, five ticks a second
    assert _is_available(lab, "web")
    _set_image(lab, "web", "nginx:1.26-alpine")
    lab.advance(240, 12.0)
    assert _is_available(lab, "web")


def test_custom_resources_are_served_and_taken_away(lab: Lab) -> None:
    names = {"kind": "Backup", "plural": "backups"}
    versions = [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}]
    crd = {
        "metadata": {"name": "backups.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": versions,
        },
    }
    lab.make("CustomResourceDefinition", "apiextensions.k8s.io", crd)
    lab.advance(1)
    lab.make(
        "Backup",
        "example.com",
        {"metadata": {"name": "nightly", "namespace": "shop"}, "spec": {"hour": 3}},
    )
    assert lab.get("Backup", "example.com", "nightly")["spec"] == {"hour": 3}
    kind = lab.cluster.kind("CustomResourceDefinition", "apiextensions.k8s.io")
    found = lab.get("CustomResourceDefinition", "apiextensions.k8s.io", "backups.example.com", "")
    assert condition(found, "Established")["status"] == "True"
    delete(lab.cluster, kind, found)
    assert lab.cluster.kinds.find("example.com", "v1", "backups") is None


def test_thousands_of_pods_are_there_at_the_start() -> None:
    lab = Lab(pods=700)
    teams = [
        pod
        for pod in lab.store.all(lab.cluster.kind("Pod"))
        if pod["metadata"]["namespace"].startswith("team-")
    ]
    assert len(teams) == 700
    assert all(is_ready(pod) for pod in teams)
