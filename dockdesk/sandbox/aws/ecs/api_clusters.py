"""Clusters, container instances, capacity providers, settings and tags of ECS's API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.ecs import present
from dockdesk.sandbox.aws.ecs.lifecycle import begin_stop
from dockdesk.sandbox.aws.ecs.model import Cluster, ContainerInstance, EcsState
from dockdesk.sandbox.aws.values import (
    Api,
    AwsError,
    BadInputError,
    Params,
    listing,
    page,
    tag_list,
    tags_of,
)

_SETTINGS = (
    "containerInsights",
    "containerInstanceLongArnFormat",
    "serviceLongArnFormat",
    "taskLongArnFormat",
    "awsvpcTrunking",
    "fargateTaskRetirementWaitPeriod",
    "guardDutyActivate",
)
_INSIGHTS = ("enabled", "disabled", "enhanced")


class ClustersApi(Api):
    invalid = "InvalidParameterException"

    def __init__(self, state: EcsState, now: Callable[[], float]) -> None:
        self._state = state
        self._now = now
        self.operations = {
            "ListClusters": self._list,
            "DescribeClusters": self._describe,
            "CreateCluster": self._create,
            "UpdateCluster": self._update,
            "UpdateClusterSettings": self._update,
            "PutClusterCapacityProviders": self._put_providers,
            "DeleteCluster": self._delete,
            "ListContainerInstances": self._list_instances,
            "DescribeContainerInstances": self._describe_instances,
            "UpdateContainerInstancesState": self._update_instances,
            "RegisterContainerInstance": self._register_instance,
            "DeregisterContainerInstance": self._deregister_instance,
            "DescribeCapacityProviders": self._describe_providers,
            "ListAccountSettings": self._list_settings,
            "PutAccountSetting": self._put_setting,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def _list(self, params: Params) -> Mapping[str, Any]:
        arns = [item.arn for item in self._state.clusters.values() if item.status == "ACTIVE"]
        shown, token = page(arns, params, 100, "maxResults", "nextToken")
        return listing("clusterArns", shown, token)

    def _describe(self, params: Params) -> Mapping[str, Any]:
        include = set(params.texts("include"))
        names = params.texts("clusters") or ["default"]
        if len(names) > 100:
            raise BadInputError("Clusters cannot have more than 100 items.")
        found, failures = [], []
        for name in names:
            item = self._state.find_cluster(name)
            if item is None:
                arn = name if name.startswith("arn:") else self._state.arn(f"cluster/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(present.cluster(item, include))
        return {"clusters": found, "failures": failures}

    def _create(self, params: Params) -> Mapping[str, Any]:
        name = params.text("clusterName", "default")
        if not name.replace("-", "a").replace("_", "a").isalnum() or len(name) > 255:
            raise BadInputError("The specified cluster name is invalid.")
        old = self._state.clusters.get(name)
        if old is None or old.status != "ACTIVE":
            old = Cluster(name, self._state.arn(f"cluster/{name}"), self._now())
            self._state.clusters[name] = old
        self._apply(old, params)
        old.tags |= tags_of(params)
        return {"cluster": present.cluster(old, {"SETTINGS", "TAGS", "CONFIGURATIONS"})}

    def _apply(self, item: Cluster, params: Params) -> None:
        for setting in params.inners("settings"):
            value = setting.text("value")
            if setting.need("name") != "containerInsights" or value not in _INSIGHTS:
                raise BadInputError(f"The setting value '{value}' is invalid.")
            item.insights = value
        if "capacityProviders" in params:
            item.providers = params.texts("capacityProviders")
        if "defaultCapacityProviderStrategy" in params:
            strategy = [
                dict(one.values) for one in params.inners("defaultCapacityProviderStrategy")
            ]
            for one in strategy:
                if one.get("capacityProvider") not in item.providers:
                    raise BadInputError(
                        "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster."
                    )
            item.strategy = strategy
        if "configuration" in params:
            item.configuration = dict(params.inner("configuration").values)

    def _update(self, params: Params) -> Mapping[str, Any]:
        item = self._state.cluster(params.need("cluster"))
        self._apply(item, params)
        return {"cluster": present.cluster(item, {"SETTINGS", "CONFIGURATIONS"})}

    def _put_providers(self, params: Params) -> Mapping[str, Any]:
        item = self._state.cluster(params.need("cluster"))
        known = {"FARGATE", "FARGATE_SPOT", *self._state.providers}
        for name in params.texts("capacityProviders"):
            if name not in known:
                raise BadInputError(f"The specified capacity provider '{name}' was not found.")
        self._apply(item, params)
        return {"cluster": present.cluster(item, {"SETTINGS"})}

    def _delete(self, params: Params) -> Mapping[str, Any]:
        item = self._state.cluster(params.need("cluster"))
        if item.instances:
            raise AwsError(
                "ClusterContainsContainerInstancesException",
                "The Cluster cannot be deleted while Container Instances are active or draining.",
            )
        if any(service.status in {"ACTIVE", "DRAINING"} for service in item.services.values()):
            raise AwsError(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            )
        if item.tasks:
            raise AwsError(
                "ClusterContainsTasksException",
                "The Cluster cannot be deleted while Tasks are active.",
            )
        item.status = "INACTIVE"
        return {"cluster": present.cluster(item, set())}

    # --- container instances ---

    def _list_instances(self, params: Params) -> Mapping[str, Any]:
        item = self._state.cluster(params.text("cluster"))
        status = params.text("status", "")
        arns = [
            host.arn
            for host in item.instances.values()
            if host.status == status or (not status and host.status in {"ACTIVE", "DRAINING"})
        ]
        shown, token = page(arns, params, 100, "maxResults", "nextToken")
        return listing("containerInstanceArns", shown, token)

    def _hosts(
        self, params: Params
    ) -> tuple[Cluster, list[ContainerInstance], list[dict[str, str]]]:
        item = self._state.cluster(params.text("cluster"))
        names = params.texts("containerInstances")
        if not names:
            raise BadInputError("instanceIds can not be empty.")
        found, failures = [], []
        for name in names:
            host = item.instances.get(name.rpartition("/")[2])
            if host is None:
                arn = (
                    name
                    if name.startswith("arn:")
                    else self._state.arn(f"container-instance/{item.name}/{name}")
                )
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(host)
        return item, found, failures

    def _describe_instances(self, params: Params) -> Mapping[str, Any]:
        _, found, failures = self._hosts(params)
        include = set(params.texts("include"))
        return {
            "containerInstances": [present.instance(host, include) for host in found],
            "failures": failures,
        }

    def _update_instances(self, params: Params) -> Mapping[str, Any]:
        status = params.need("status")
        if status not in {"ACTIVE", "DRAINING"}:
            raise BadInputError("The container instance status must be ACTIVE or DRAINING.")
        _, found, failures = self._hosts(params)
        for host in found:
            host.status = status
            if status != "DRAINING":
                continue
            for task in list(host.tasks.values()):
                if task.service is not None:
                    reason = f"Scaling activity initiated by (deployment {task.started_by})"
                    begin_stop(task, self._now(), "ServiceSchedulerInitiated", reason)
        return {
            "containerInstances": [present.instance(host, set()) for host in found],
            "failures": failures,
        }

    def _register_instance(self, params: Params) -> Mapping[str, Any]:
        """What an agent does when it starts; only who it says that it is counts, not the signature."""
        item = self._state.cluster(params.text("cluster"))
        try:
            told = Params(json.loads(params.need("instanceIdentityDocument")))
        except ValueError:
            raise AwsError("ClientException", "Instance identity document is malformed.") from None
        sizes = {
            one.need("name"): one.whole("integerValue", 0, 0)
            for one in params.inners("totalResources")
        }
        host_id, zone = self._state.new_id(), told.text("availabilityZone")
        host = ContainerInstance(
            host_id,
            self._state.arn(f"container-instance/{item.name}/{host_id}"),
            told.need("instanceId"),
            zone if zone.startswith(self._state.region) else f"{self._state.region}a",
            told.text("privateIp", "10.0.16.9"),
            told.text("instanceType", "m6i.large"),
            sizes.get("CPU", 2048),
            sizes.get("MEMORY", 7680),
            self._now(),
        )
        item.instances[host_id] = host
        for service in item.services.values():
            service.busy = True
        return {"containerInstance": present.instance(host, set())}

    def _deregister_instance(self, params: Params) -> Mapping[str, Any]:
        item = self._state.cluster(params.text("cluster"))
        host = item.instances.get(params.need("containerInstance").rpartition("/")[2])
        if host is None:
            raise BadInputError("The referenced container instance was not found.")
        if host.tasks and not params.flag("force"):
            raise BadInputError("Found running tasks on the instance.")
        for task in list(host.tasks.values()):
            reason = "The container instance was deregistered."
            begin_stop(task, self._now(), "TerminationNotice", reason)
        del item.instances[host.id]
        host.status, host.connected = "INACTIVE", False
        return {"containerInstance": present.instance(host, set())}

    # --- capacity providers, settings, tags ---

    def _describe_providers(self, params: Params) -> Mapping[str, Any]:
        names = set(params.texts("capacityProviders"))
        found: list[dict[str, Any]] = [
            {
                "capacityProviderArn": self._state.arn(f"capacity-provider/{name}"),
                "name": name,
                "status": "ACTIVE",
                "tags": [],
            }
            for name in ("FARGATE", "FARGATE_SPOT")
        ]
        found += [
            {
                "capacityProviderArn": self._state.arn(f"capacity-provider/{name}"),
                "name": name,
                "status": "ACTIVE",
                "autoScalingGroupProvider": body,
                "tags": [],
            }
            for name, body in self._state.providers.items()
        ]
        known = {item["name"] for item in found} | {item["capacityProviderArn"] for item in found}
        failures = [{"arn": name, "reason": "MISSING"} for name in sorted(names - known)]
        kept = [
            item
            for item in found
            if not names or {item["name"], item["capacityProviderArn"]} & names
        ]
        return {"capacityProviders": kept, "failures": failures}

    def _list_settings(self, params: Params) -> Mapping[str, Any]:
        name = params.text("name")
        settings = [
            {
                "name": known,
                "value": self._state.account_settings.get(
                    known, "enabled" if known.endswith("Format") else "disabled"
                ),
            }
            for known in _SETTINGS
            if name in {"", known}
            and (params.flag("effectiveSettings") or known in self._state.account_settings)
        ]
        return {"settings": settings}

    def _put_setting(self, params: Params) -> Mapping[str, Any]:
        name, value = params.need("name"), params.need("value")
        if name not in _SETTINGS:
            raise BadInputError(f"The account setting '{name}' does not exist.")
        self._state.account_settings[name] = value
        return {"setting": {"name": name, "value": value}}

    def _tags_at(self, arn: str) -> dict[str, str]:
        kind, _, rest = (
            arn.rpartition(":")[2].partition("/")
            if ":task-definition/" not in arn
            else ("task-definition", "", arn.partition(":task-definition/")[2])
        )
        parts = rest.split("/")
        if kind == "task-definition":
            return self._state.definition(arn).tags
        cluster = self._state.cluster(parts[0])
        if kind == "cluster":
            return cluster.tags
        if kind == "service":
            return self._state.service(cluster, parts[-1]).tags
        if kind == "task":
            task = cluster.tasks.get(parts[-1]) or cluster.stopped.get(parts[-1])
            if task is not None:
                return task.tags
        raise BadInputError("The specified resource could not be found.")

    def _list_tags(self, params: Params) -> Mapping[str, Any]:
        return {"tags": tag_list(self._tags_at(params.need("resourceArn")))}

    def _tag(self, params: Params) -> Mapping[str, Any]:
        self._tags_at(params.need("resourceArn")).update(tags_of(params))
        return {}

    def _untag(self, params: Params) -> Mapping[str, Any]:
        tags = self._tags_at(params.need("resourceArn"))
        for key in params.texts("tagKeys"):
            tags.pop(key, None)
        return {}
