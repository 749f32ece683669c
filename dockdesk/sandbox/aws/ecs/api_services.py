"""Services, their deployments and their revisions of ECS's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.ecs import present
from dockdesk.sandbox.aws.ecs.model import Cluster, Deployment, EcsState, Service
from dockdesk.sandbox.aws.ecs.scheduler import Scheduler
from dockdesk.sandbox.aws.values import (
    Api,
    AwsError,
    BadInputError,
    Params,
    listing,
    page,
    tags_of,
    when,
)

_CONFIGURATION = (
    "loadBalancers",
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
# What makes a deployment when it changes.
_ROLLS = (
    "loadBalancers",
    "serviceRegistries",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "enableExecuteCommand",
    "propagateTags",
    "enableECSManagedTags",
)
_UPDATABLE = (
    *_ROLLS,
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "availabilityZoneRebalancing",
)


class ServicesApi(Api):
    """``adopt(service)`` gives a new service its load and its past."""

    invalid = "InvalidParameterException"

    def __init__(
        self,
        state: EcsState,
        scheduler: Scheduler,
        now: Callable[[], float],
        make: Callable[[Cluster, str, dict[str, Any], int, float], Service],
    ) -> None:
        self._state = state
        self._scheduler = scheduler
        self._now = now
        self._make = make
        self.operations = {
            "ListServices": self._list,
            "DescribeServices": self._describe,
            "CreateService": self._create,
            "UpdateService": self._update,
            "DeleteService": self._delete,
            "ListServiceDeployments": self._list_deployments,
            "DescribeServiceDeployments": self._describe_deployments,
            "StopServiceDeployment": self._stop_deployment,
            "DescribeServiceRevisions": self._describe_revisions,
        }

    def _list(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        launch, strategy = params.text("launchType"), params.text("schedulingStrategy")
        arns = [
            item.arn
            for item in cluster.services.values()
            if item.status in {"ACTIVE", "DRAINING"}
            and launch in {"", item.launch}
            and strategy in {"", item.body.get("schedulingStrategy") or "REPLICA"}
        ]
        shown, token = page(
            arns, Params({"maxResults": 10, **params.values}), 100, "maxResults", "nextToken"
        )
        return listing("serviceArns", shown, token)

    def _describe(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        names = params.texts("services")
        if not names:
            raise BadInputError("Services cannot be empty.")
        if len(names) > 10:
            raise BadInputError("Services cannot have more than 10 items.")
        include = set(params.texts("include"))
        found, failures = [], []
        for name in names:
            item = self._state.find_service(cluster, name)
            if item is None:
                arn = (
                    name
                    if name.startswith("arn:")
                    else self._state.arn(f"service/{cluster.name}/{name}")
                )
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(present.service(item, include))
        return {"services": found, "failures": failures}

    def _create(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        name, now = params.need("serviceName"), self._now()
        old = cluster.services.get(name)
        if old is not None and old.status != "INACTIVE":
            raise BadInputError("Creation of service was not idempotent.")
        definition = self._state.definition(params.need("taskDefinition"))
        body = self._body(params, _CONFIGURATION)
        if not body.get("launchType") and not body.get("capacityProviderStrategy"):
            if cluster.strategy:
                body["capacityProviderStrategy"] = list(cluster.strategy)
            else:
                body["launchType"] = "EC2"
        body["deploymentConfiguration"] = self._deployment_configuration(params, {})
        if definition.body.get("networkMode") == "awsvpc" and "networkConfiguration" not in body:
            raise BadInputError(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        daemon = body.get("schedulingStrategy") == "DAEMON"
        count = 0 if daemon else params.whole("desiredCount", 0 if daemon else None, 0, 5000)
        item = self._make(cluster, name, body, count, now)
        if item.launch == "FARGATE" and "FARGATE" not in (
            definition.body.get("requiresCompatibilities") or ()
        ):
            raise BadInputError("Task definition does not support launch_type FARGATE.")
        item.tags = tags_of(params)
        cluster.services[name] = item
        self._scheduler.deploy(item, definition, now)
        return {"service": present.service(item, {"TAGS"})}

    def _body(self, params: Params, names: tuple[str, ...]) -> dict[str, Any]:
        body = params.given(*names)
        for item in params.inners("capacityProviderStrategy"):
            provider = item.need("capacityProvider")
            if provider not in {"FARGATE", "FARGATE_SPOT", *self._state.providers}:
                raise BadInputError(f"The specified capacity provider '{provider}' was not found.")
            item.whole("weight", 0, 0, 1000)
            item.whole("base", 0, 0, 100_000)
        if body.get("launchType") not in {None, "EC2", "FARGATE", "EXTERNAL"}:
            raise BadInputError("launchType is invalid.")
        if body.get("launchType") and body.get("capacityProviderStrategy"):
            raise BadInputError(
                "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
            )
        for item in params.inners("loadBalancers"):
            item.text("targetGroupArn")
            item.whole("containerPort", 80, 0, 65_535)
        params.inner("networkConfiguration")
        return body

    @staticmethod
    def _deployment_configuration(params: Params, old: Mapping[str, Any]) -> dict[str, Any]:
        told = params.inner("deploymentConfiguration")
        breaker = told.inner("deploymentCircuitBreaker")
        merged: dict[str, Any] = {
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            **old,
            **told.values,
        }
        merged["maximumPercent"] = told.whole(
            "maximumPercent", int(merged["maximumPercent"]), 0, 10_000
        )
        merged["minimumHealthyPercent"] = told.whole(
            "minimumHealthyPercent", int(merged["minimumHealthyPercent"]), 0, 100
        )
        if merged["maximumPercent"] <= merged["minimumHealthyPercent"]:
            raise BadInputError(
                "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
                if merged["maximumPercent"] == 100
                else "maximumPercent must be greater than minimumHealthyPercent."
            )
        if breaker.values:
            merged["deploymentCircuitBreaker"] = {
                "enable": breaker.flag("enable"),
                "rollback": breaker.flag("rollback"),
            }
        return merged

    def _update(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        item = self._state.service(cluster, params.need("service"))
        now = self._now()
        definition = (
            self._state.definition(params.need("taskDefinition"))
            if "taskDefinition" in params
            else item.definition
        )
        body = self._body(params, _UPDATABLE)
        configuration = self._deployment_configuration(
            params, item.body.get("deploymentConfiguration") or {}
        )
        count = params.whole("desiredCount", item.desired, 0, 5000)
        if "desiredCount" in params and item.body.get("schedulingStrategy") == "DAEMON":
            raise BadInputError(
                "The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again."
            )
        force = params.flag("forceNewDeployment")
        rolls = (
            force
            or definition is not item.definition
            or any(name in body and body[name] != item.body.get(name) for name in _ROLLS)
        )
        if definition.status != "ACTIVE" and definition is not item.definition:
            raise AwsError("ClientException", "TaskDefinition is inactive")
        item.body |= body
        if "capacityProviderStrategy" in body:
            item.body.pop("launchType", None)
        item.body["deploymentConfiguration"] = configuration
        item.busy = True
        self._scheduler.set_desired(item, count, now)
        if rolls:
            self._scheduler.deploy(item, definition, now, force=force)
        return {"service": present.service(item, {"TAGS"})}

    def _delete(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        item = self._state.service(cluster, params.need("service"))
        if (
            item.desired
            and not params.flag("force")
            and item.body.get("schedulingStrategy") != "DAEMON"
        ):
            raise BadInputError("The service cannot be stopped while it is scaled above 0.")
        item.status, item.desired, item.busy = "DRAINING", 0, True
        item.primary.desired = 0
        return {"service": present.service(item, set())}

    # --- deployments as resources of their own ---

    def _owner(self, arn: str) -> tuple[Service, Deployment | None]:
        """Of a service deployment's or revision's ARN."""
        _, _, path = arn.partition("/")
        cluster, _, rest = path.partition("/")
        name, _, number = rest.partition("/")
        item = self._state.service(self._state.cluster(cluster), name)
        return item, next((one for one in item.past if one.number == number), None)

    def _list_deployments(self, params: Params) -> Mapping[str, Any]:
        cluster = params.text("cluster")
        name = params.need("service")
        if not cluster and name.startswith("arn:"):
            cluster = name.split("/")[1]
        item = self._state.service(self._state.cluster(cluster), name)
        wanted = set(params.texts("status"))
        told = [present.service_deployment(one, item, self._state.region) for one in item.past]
        brief = [
            {
                name: one[name]
                for name in (
                    "serviceDeploymentArn",
                    "serviceArn",
                    "clusterArn",
                    "startedAt",
                    "createdAt",
                    "finishedAt",
                    "status",
                    "statusReason",
                )
                if name in one
            }
            | {"targetServiceRevisionArn": one["targetServiceRevision"]["arn"]}
            for one in told
            if not wanted or one["status"] in wanted
        ]
        shown, token = page(brief, params, 100, "maxResults", "nextToken")
        return listing("serviceDeployments", shown, token)

    def _describe_deployments(self, params: Params) -> Mapping[str, Any]:
        found, failures = [], []
        for arn in params.texts("serviceDeploymentArns"):
            item, one = self._owner(arn)
            if one is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(present.service_deployment(one, item, self._state.region))
        return {"serviceDeployments": found, "failures": failures}

    def _stop_deployment(self, params: Params) -> Mapping[str, Any]:
        arn = params.need("serviceDeploymentArn")
        item, one = self._owner(arn)
        if one is None:
            raise AwsError(
                "ServiceDeploymentNotFoundException", "The service deployment was not found."
            )
        good = next((old for old in item.past if old.state == "COMPLETED"), None)
        if one is not item.primary or one.state != "IN_PROGRESS" or good is None:
            raise AwsError("ConflictException", "The service deployment can not be stopped.")
        now = self._now()
        one.state, one.finished = "FAILED", now
        one.reason = "ECS deployment stopped by user."
        self._scheduler.deploy(item, good.definition, now, rollback_of=one.number)
        one.outcome = "ROLLBACK_IN_PROGRESS"
        return {"serviceDeploymentArn": arn}

    def _describe_revisions(self, params: Params) -> Mapping[str, Any]:
        found, failures = [], []
        for arn in params.texts("serviceRevisionArns"):
            item, one = self._owner(arn)
            if one is None:
                failures.append({"arn": arn, "reason": "MISSING"})
                continue
            shown: dict[str, Any] = {
                "serviceRevisionArn": arn,
                "serviceArn": item.arn,
                "clusterArn": item.cluster.arn,
                "taskDefinition": one.definition.arn,
                "createdAt": when(one.created),
                "containerImages": [
                    {
                        "containerName": str(body.get("name") or "main"),
                        "image": str(body.get("image") or ""),
                    }
                    for body in one.definition.containers
                ],
                **{
                    name: item.body[name]
                    for name in (
                        "capacityProviderStrategy",
                        "networkConfiguration",
                        "loadBalancers",
                    )
                    if item.body.get(name)
                },
            }
            if "capacityProviderStrategy" not in shown:
                shown["launchType"] = item.launch
            found.append(shown)
        return {"serviceRevisions": found, "failures": failures}
