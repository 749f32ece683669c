"""Jobs and cron jobs. Source: Kubernetes documentation, "Jobs" and "CronJob"."""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.cron import Schedule
from dockdesk.sandbox.kube.deleting import Options, delete
from dockdesk.sandbox.kube.objects import (
    Object,
    clone,
    condition,
    dig,
    name_of,
    namespace_of,
    owned_by,
    rfc3339,
    seconds_of,
    uid_of,
    with_condition,
)
from dockdesk.sandbox.kube.pods import PodMaker, is_live, is_ready


def finished(job: Object) -> str:
    """Complete, Failed, or nothing while it goes on."""
    return next(
        (word for word in ("Complete", "Failed") if condition(job, word).get("status") == "True"),
        "",
    )


class Jobs(PodMaker):
    group, name = "batch", "Job"
    component = "job-controller"

    def reconcile(self, namespace: str, name: str) -> None:
        job = self.store.find(self.kind, namespace, name)
        if job is None or job["metadata"].get("deletionTimestamp"):
            return
        if finished(job):
            self._expire(job)
            return
        job = self._labelled(job)
        spec, now = job["spec"], self.cluster.now()
        pods = self.owned_pods(job)
        live = [pod for pod in pods if is_live(pod)]
        done = sum(dig(pod, "status", "phase") == "Succeeded" for pod in pods)
        failed = sum(dig(pod, "status", "phase") == "Failed" for pod in pods)
        restarts = sum(
            entry.get("restartCount", 0)
            for pod in live
            for entry in dig(pod, "status", "containerStatuses") or ()
        )
        status: dict[str, Any] = dict(job.get("status") or {})
        if spec.get("suspend"):
            self._suspend(job, live, status)
            return
        status.setdefault("startTime", rfc3339(now))
        conditions = [
            entry for entry in status.get("conditions") or () if entry.get("type") != "Suspended"
        ]
        status["conditions"] = conditions
        completions, parallel = spec.get("completions"), int(spec.get("parallelism") or 0)
        deadline = spec.get("activeDeadlineSeconds")
        late = deadline is not None and now - seconds_of(status["startTime"]) >= float(deadline)
        if failed + restarts > int(spec.get("backoffLimit") or 0):
            self._end(
                job,
                live,
                status,
                "Failed",
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            )
        elif late:
            self._end(
                job,
                live,
                status,
                "Failed",
                "DeadlineExceeded",
                "Job was active longer than specified deadline",
            )
        elif (done >= int(completions)) if completions is not None else (done > 0 and not live):
            self._end(
                job,
                [],
                status,
                "Complete",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            )
        else:
            left = int(completions) - done if completions is not None else (0 if done else parallel)
            self._run(job, live, min(parallel, left) - len(live), failed)
            if deadline is not None:
                self.look_later(
                    float(deadline) - (now - seconds_of(status["startTime"])) + 0.1, namespace, name
                )
        self._tell(job, status, done, failed)

    def _labelled(self, job: Object) -> Object:
        """The selector and labels that tie a job to its pods."""
        if job["spec"].get("selector"):
            return job
        labels = {
            "batch.kubernetes.io/controller-uid": uid_of(job),
            "batch.kubernetes.io/job-name": name_of(job),
            "controller-uid": uid_of(job),
            "job-name": name_of(job),
        }
        template = clone(job["spec"]["template"])
        meta = template.setdefault("metadata", {})
        meta["labels"] = {**(meta.get("labels") or {}), **labels}
        selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid_of(job)}}
        spec = {**job["spec"], "template": template, "selector": selector}
        return self.store.replace(
            self.kind, {**job, "metadata": dict(job["metadata"]), "spec": spec}
        )

    def _run(self, job: Object, live: list[Object], more: int, failed: int) -> None:
        if more < 0:
            for pod in live[more:]:
                self.delete_pod(job, pod)
            return
        if more and failed:
            # Failed pods are replaced with a growing delay.
            ends = [
                seconds_of(
                    dig(pod, "status", "containerStatuses", 0, "state", "terminated", "finishedAt")
                )
                for pod in self.owned_pods(job)
            ]
            wait = (
                max(ends, default=0.0) + min(10.0 * 2 ** (failed - 1), 360.0) - self.cluster.now()
            )
            if wait > 0:
                self.look_later(wait, namespace_of(job), name_of(job))
                return
        for _ in range(more):
            self.make_pod(job, job["spec"]["template"])

    def _suspend(self, job: Object, live: list[Object], status: dict[str, Any]) -> None:
        for pod in live:
            self.delete_pod(job, pod)
        status.pop("startTime", None)
        status["conditions"] = with_condition(
            status.get("conditions") or (),
            "Suspended",
            True,
            "JobSuspended",
            "Job suspended",
            self.cluster.now(),
        )
        self._tell(job, status, int(status.get("succeeded") or 0), int(status.get("failed") or 0))

    def _end(
        self,
        job: Object,
        live: list[Object],
        status: dict[str, Any],
        word: str,
        reason: str,
        message: str,
    ) -> None:
        for pod in live:
            self.delete_pod(job, pod)
        now = self.cluster.now()
        conditions = status["conditions"]
        if word == "Complete":
            conditions = with_condition(
                conditions, "SuccessCriteriaMet", True, reason, message, now
            )
            status["completionTime"] = rfc3339(now)
            self.tell(job, "Completed", "Job completed")
        else:
            conditions = with_condition(conditions, "FailureTarget", True, reason, message, now)
            self.tell(job, reason, message, True)
        status["conditions"] = with_condition(conditions, word, True, reason, message, now)

    def _tell(self, job: Object, status: dict[str, Any], done: int, failed: int) -> None:
        live = [pod for pod in self.owned_pods(job) if is_live(pod)]
        counts = {
            "active": len(live),
            "ready": sum(map(is_ready, live)),
            "succeeded": done,
            "failed": failed,
            "terminating": 0,
        }
        for key, value in counts.items():
            status.pop(key, None)
            if value or key in {"ready", "terminating"}:
                status[key] = value
        if not status.get("conditions"):
            status.pop("conditions", None)
        after = self.store.set_status(self.kind, job, status)
        if finished(after):
            self.enqueue(after)

    def _expire(self, job: Object) -> None:
        limit = job["spec"].get("ttlSecondsAfterFinished")
        if limit is None:
            return
        ended = seconds_of(condition(job, finished(job)).get("lastTransitionTime"))
        left = ended + float(limit) - self.cluster.now()
        if left > 0:
            self.look_later(left + 0.1, namespace_of(job), name_of(job))
        else:
            delete(self.cluster, self.kind, job, Options(propagation="Background"))


class CronJobs(PodMaker):
    group, name = "batch", "CronJob"
    component = "cronjob-controller"

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster, admission)
        self._jobs = cluster.kind("Job", "batch")
        self._next: dict[str, float] = {}

    def reconcile(self, namespace: str, name: str) -> None:
        cron = self.store.find(self.kind, namespace, name)
        if cron is None or cron["metadata"].get("deletionTimestamp"):
            return
        now = self.cluster.now()
        jobs = self.store.owned(cron, self._jobs)
        status: dict[str, Any] = dict(cron.get("status") or {})
        since = seconds_of(
            status.get("lastScheduleTime") or cron["metadata"].get("creationTimestamp")
        )
        schedule = Schedule(cron["spec"]["schedule"])
        due = schedule.latest(since, now)
        if not cron["spec"].get("suspend") and due:
            self._fire(cron, jobs, due, status)
            jobs = self.store.owned(cron, self._jobs)
        running = [job for job in jobs if not finished(job)]
        status["active"] = [
            {
                "kind": "Job",
                "apiVersion": "batch/v1",
                "namespace": namespace,
                "name": name_of(job),
                "uid": uid_of(job),
            }
            for job in running
        ]
        ends = [dig(job, "status", "completionTime") for job in jobs if finished(job) == "Complete"]
        if last := max((end for end in ends if end), default=""):
            status["lastSuccessfulTime"] = max(last, status.get("lastSuccessfulTime") or "")
        if not status["active"]:
            del status["active"]
        self.store.set_status(self.kind, cron, status)
        self._clean(cron, jobs)
        self._wait(cron, schedule.after(now))

    def _wait(self, cron: Object, due: float) -> None:
        if self._next.get(uid_of(cron)) == due or due == float("inf"):
            return
        self._next[uid_of(cron)] = due
        self.look_later(due - self.cluster.now() + 0.01, namespace_of(cron), name_of(cron))

    def _fire(self, cron: Object, jobs: list[Object], due: float, status: dict[str, Any]) -> None:
        running = [job for job in jobs if not finished(job)]
        status["lastScheduleTime"] = rfc3339(due)
        policy = cron["spec"].get("concurrencyPolicy")
        if running and policy == "Forbid":
            self.tell(
                cron,
                "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            )
            return
        if running and policy == "Replace":
            for job in running:
                delete(self.cluster, self._jobs, job)
        template = cron["spec"]["jobTemplate"]
        meta = template.get("metadata") or {}
        stamp = {"batch.kubernetes.io/cronjob-scheduled-timestamp": rfc3339(due)}
        name = f"{name_of(cron)}-{int(due // 60)}"
        made: Object = {
            "metadata": {
                "name": name,
                "namespace": namespace_of(cron),
                "labels": dict(meta.get("labels") or {}),
                "annotations": {**(meta.get("annotations") or {}), **stamp},
                "ownerReferences": owned_by(cron),
            },
            "spec": clone(template["spec"]),
        }
        if self.store.find(self._jobs, namespace_of(cron), name) is None:
            self.admission.create(self._jobs, made)
            self.tell(cron, "SuccessfulCreate", f"Created job {name}")

    def _clean(self, cron: Object, jobs: list[Object]) -> None:
        for word, field in (
            ("Complete", "successfulJobsHistoryLimit"),
            ("Failed", "failedJobsHistoryLimit"),
        ):
            limit = cron["spec"].get(field)
            past = sorted(
                (job for job in jobs if finished(job) == word),
                key=lambda job: str(job["metadata"]["creationTimestamp"]),
            )
            for job in past[: max(len(past) - int(3 if limit is None else limit), 0)]:
                delete(self.cluster, self._jobs, job)
                self.tell(cron, "SuccessfulDelete", f"Deleted job {name_of(job)}")
