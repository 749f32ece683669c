"""EKS's API. Source: docs.aws.amazon.com/eks/latest/APIReference/"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.eks import present
from dockdesk.sandbox.aws.eks.model import (
    ADDON_SECONDS,
    ADDONS,
    CLUSTER_SECONDS,
    GROUP_SECONDS,
    PROFILE_SECONDS,
    UPDATE_SECONDS,
    VERSION_SECONDS,
    VERSIONS,
    Access,
    Addon,
    EksCluster,
    Life,
    NodeGroup,
    Profile,
)
from dockdesk.sandbox.aws.values import (
    Api,
    AwsError,
    BadInputError,
    Params,
    arn,
    hex_id,
    listing,
    page,
    uuid_of,
    when,
)

Call = Callable[[Params], Mapping[str, Any]]
_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")


class EksApi(Api):
    """Endpoints lead nowhere, by a name that is reserved for that, until `serve` tells of one."""

    invalid = "InvalidParameterException"

    def __init__(self, region: str, now: Callable[[], float]) -> None:
        self._region = region
        self._now = now
        self.clusters: dict[str, EksCluster] = {}
        self._routes = [
            (method, re.compile(pattern), handler)
            for pattern, methods in self._table().items()
            for method, handler in methods.items()
        ]
        self.operations = {}

    def _table(self) -> dict[str, dict[str, Call]]:
        one = r"/clusters/(?P<name>[^/]+)"
        group = f"{one}/node-groups/(?P<nodegroupName>[^/]+)"
        profile = f"{one}/fargate-profiles/(?P<fargateProfileName>[^/]+)"
        addon = f"{one}/addons/(?P<addonName>[^/]+)"
        access = f"{one}/access-entries/(?P<principalArn>[^/]+)"
        return {
            "/clusters": {"GET": self._list_clusters, "POST": self._create_cluster},
            one: {"GET": self._describe_cluster, "DELETE": self._delete_cluster},
            f"{one}/updates": {
                "GET": lambda params: self._names(params, "updateIds", self._find(params).updates),
                "POST": self._update_version,
            },
            f"{one}/update-config": {"POST": self._update_config},
            f"{one}/updates/(?P<updateId>[^/]+)": {"GET": self._describe_update},
            f"{one}/node-groups": {
                "GET": lambda params: self._names(
                    params, "nodegroups", self._find(params).node_groups
                ),
                "POST": self._create_group,
            },
            group: {"GET": self._describe_group, "DELETE": self._delete_group},
            f"{group}/update-config": {"POST": self._update_group},
            f"{group}/update-version": {"POST": self._update_group_version},
            f"{one}/fargate-profiles": {
                "GET": lambda params: self._names(
                    params, "fargateProfileNames", self._find(params).profiles
                ),
                "POST": self._create_profile,
            },
            profile: {"GET": self._describe_profile, "DELETE": self._delete_profile},
            f"{one}/addons": {
                "GET": lambda params: self._names(params, "addons", self._find(params).addons),
                "POST": self._create_addon,
            },
            addon: {"GET": self._describe_addon, "DELETE": self._delete_addon},
            f"{addon}/update": {"POST": self._update_addon},
            f"{one}/access-entries": {
                "GET": lambda params: self._names(
                    params, "accessEntries", self._find(params).access
                ),
                "POST": self._create_access,
            },
            access: {"GET": self._describe_access, "DELETE": self._delete_access},
            f"{one}/insights": {
                "POST": lambda params: {"insights": []} if self._find(params) else {}
            },
            "/cluster-versions": {"GET": self._versions},
            "/addons/supported-versions": {"GET": self._addon_versions},
            "/tags/(?P<resourceArn>[^/]+)": {
                "GET": lambda params: {"tags": self._tags_at(params)},
                "POST": self._tag,
                "DELETE": self._untag,
            },
        }

    def route(self, method: str, path: str) -> tuple[Call, dict[str, str]] | None:
        """The operation at a path, and what its path names."""
        for known, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is not None and known == method:
                return handler, match.groupdict()
        return None

    def add(
        self, name: str, version: str, created: float, endpoint: str = "", addons: int = 4
    ) -> EksCluster:
        number = hex_id(32, self._region, name).upper()
        cluster = EksCluster(
            name,
            arn("eks", self._region, f"cluster/{name}"),
            Life(created, CLUSTER_SECONDS),
            version,
            endpoint or f"https://{number}.gr7.{self._region}.eks.invalid",
        )
        for known, (newest, _) in list(ADDONS.items())[:addons]:
            cluster.addons[known] = Addon(known, Life(created + 600, ADDON_SECONDS), newest)
        for who in (present.CREATOR, arn("iam", "", "role/eks-node")):
            kind = "EC2_LINUX" if who.endswith("node") else "STANDARD"
            cluster.access[who] = Access(who, created, kind=kind)
        self.clusters[name] = cluster
        return cluster

    def serve(self, name: str, endpoint: str, certificate: str) -> None:
        """Say where a cluster's Kubernetes API is served; ``certificate`` is its authority's, as PEM."""
        self.clusters[name].endpoint = endpoint
        self.clusters[name].certificate = base64.b64encode(certificate.encode()).decode()

    # --- looking things up ---

    def _find(self, params: Params) -> EksCluster:
        name, now = params.need("name"), self._now()
        cluster = self.clusters.get(name)
        if cluster is not None and cluster.life.over(now):
            del self.clusters[name]
            cluster = None
        if cluster is None:
            text = f"No cluster found for name: {name}."
            raise AwsError("ResourceNotFoundException", text, 404, clusterName=name)
        cluster.pass_time(now)
        return cluster

    def _names(self, params: Params, key: str, names: Mapping[str, Any]) -> Mapping[str, Any]:
        shown, token = page(list(names), params, 100, "maxResults", "nextToken")
        return listing(key, shown, token)

    @staticmethod
    def _missing(cluster: EksCluster, what: str, name: str) -> AwsError:
        text = f"No {what} found for name: {name}."
        return AwsError("ResourceNotFoundException", text, 404, clusterName=cluster.name)

    @staticmethod
    def _taken(cluster: EksCluster | None, what: str, name: str) -> AwsError:
        fields = {"clusterName": cluster.name} if cluster is not None else {"clusterName": name}
        text = f"{what} already exists with name {name}"
        return AwsError("ResourceInUseException", text, 409, **fields)

    @staticmethod
    def _texts_of(params: Params, name: str) -> dict[str, str]:
        return {str(key): str(value) for key, value in params.inner(name).values.items()}

    def _updated(
        self, cluster: EksCluster, kind: str, takes: float, **changes: Any
    ) -> Mapping[str, Any]:
        """A new update, which is successful when its time is over."""
        now = self._now()
        key = uuid_of(cluster.name, kind, len(cluster.updates), now)
        cluster.updates[key] = {
            "id": key,
            "type": kind,
            "params": [{"type": name, "value": str(value)} for name, value in changes.items()],
            "createdAt": when(now),
            "errors": [],
            "takes": takes,
        }
        return {"update": self._shown(cluster.updates[key])}

    def _shown(self, update: Mapping[str, Any]) -> dict[str, Any]:
        done = self._now() - update["createdAt"] >= update["takes"]
        shown = {key: value for key, value in update.items() if key != "takes"}
        return {**shown, "status": "Successful" if done else "InProgress"}

    # --- clusters ---

    def _list_clusters(self, params: Params) -> Mapping[str, Any]:
        now = self._now()
        alive = {name: one for name, one in self.clusters.items() if not one.life.over(now)}
        return self._names(params, "clusters", alive)

    def _describe_cluster(self, params: Params) -> Mapping[str, Any]:
        return {"cluster": present.cluster(self._find(params), self._now())}

    def _create_cluster(self, params: Params) -> Mapping[str, Any]:
        name, now = params.need("name"), self._now()
        if not _NAME.fullmatch(name):
            raise BadInputError("The cluster name must begin with a letter or a number.")
        known = self.clusters.get(name)
        if known is not None and not known.life.over(now):
            raise self._taken(None, "Cluster", name)
        usable = [one for one, (release, _, end) in VERSIONS.items() if release <= now < end]
        version = params.text("version", usable[-1])
        if version not in usable:
            raise BadInputError(f"unsupported Kubernetes version {version}")
        network = params.inner("resourcesVpcConfig")
        role, subnets = params.need("roleArn"), network.texts("subnetIds")
        if not subnets:
            raise BadInputError("Subnets specified must be in at least two different AZs")
        made = self.add(name, version, now, addons=0)
        made.role, made.subnets, made.tags = role, subnets, self._texts_of(params, "tags")
        self._apply_access(made, network)
        return {"cluster": present.cluster(made, now)}

    @staticmethod
    def _apply_access(cluster: EksCluster, network: Params) -> None:
        public = network.flag("endpointPublicAccess", cluster.public)
        private = network.flag("endpointPrivateAccess", cluster.private)
        if not public and not private:
            raise BadInputError("Private and public endpoint access cannot both be false.")
        cluster.public, cluster.private = public, private
        cluster.cidrs = network.texts("publicAccessCidrs") or cluster.cidrs

    def _update_config(self, params: Params) -> Mapping[str, Any]:
        cluster = self._find(params)
        self._apply_access(cluster, params.inner("resourcesVpcConfig"))
        cluster.life.changed = self._now()
        changes = {
            "EndpointPublicAccess": str(cluster.public).lower(),
            "EndpointPrivateAccess": str(cluster.private).lower(),
        }
        return self._updated(cluster, "EndpointAccessUpdate", UPDATE_SECONDS, **changes)

    def _update_version(self, params: Params) -> Mapping[str, Any]:
        cluster, version = self._find(params), params.need("version")
        known = list(VERSIONS)
        following = known[known.index(cluster.version) + 1 :][:1]
        if [version] != following:
            raise BadInputError(
                f"Unsupported Kubernetes minor version update from {cluster.version} to {version}"
            )
        if cluster.status(self._now()) != "ACTIVE":
            text = f"Cluster is not in a state that allows it: {cluster.status(self._now())}"
            raise AwsError("ResourceInUseException", text, 409, clusterName=cluster.name)
        cluster.upgrade, cluster.upgraded = version, self._now() + VERSION_SECONDS
        return self._updated(cluster, "VersionUpdate", VERSION_SECONDS, Version=version)

    def _delete_cluster(self, params: Params) -> Mapping[str, Any]:
        cluster = self._find(params)
        for what, items in (("nodegroups", cluster.node_groups), ("profiles", cluster.profiles)):
            if items:
                text = f"Cluster has {what} attached"
                raise AwsError("ResourceInUseException", text, 409, clusterName=cluster.name)
        cluster.life.deleting = self._now()
        return {"cluster": present.cluster(cluster, self._now())}

    def _describe_update(self, params: Params) -> Mapping[str, Any]:
        found = self._find(params).updates.get(params.need("updateId"))
        if found is None:
            text = f"No update found for ID: {params.text('updateId')}"
            raise AwsError("ResourceNotFoundException", text, 404)
        return {"update": self._shown(found)}

    # --- node groups ---

    def _group(self, params: Params) -> tuple[EksCluster, NodeGroup]:
        cluster, name = self._find(params), params.need("nodegroupName")
        if name not in cluster.node_groups:
            raise self._missing(cluster, "node group", name)
        return cluster, cluster.node_groups[name]

    def _describe_group(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._group(params)
        return {"nodegroup": present.node_group(cluster, item, self._now())}

    def _create_group(self, params: Params) -> Mapping[str, Any]:
        cluster, name, now = self._find(params), params.need("nodegroupName"), self._now()
        if name in cluster.node_groups:
            raise self._taken(cluster, "NodeGroup", name)
        if not _NAME.fullmatch(name) or len(name) > 63:
            raise BadInputError("The node group's name is invalid.")
        low, high, desired = _sizes(params.inner("scalingConfig"), 1, 2, 2)
        capacity = params.text("capacityType", "ON_DEMAND")
        if capacity not in {"ON_DEMAND", "SPOT", "CAPACITY_BLOCK"}:
            raise BadInputError(f"unknown capacity type {capacity}")
        made = NodeGroup(
            name,
            Life(now, GROUP_SECONDS),
            low,
            high,
            desired,
            params.texts("instanceTypes") or ["t3.medium"],
            capacity,
            labels=self._texts_of(params, "labels"),
            taints=[dict(one.values) for one in params.inners("taints")],
            subnets=params.texts("subnets"),
            role=params.need("nodeRole"),
            image=params.text("amiType", "AL2023_x86_64_STANDARD"),
            disk=params.whole("diskSize", 20, 1),
            tags=self._texts_of(params, "tags"),
            version=params.text("version"),
        )
        cluster.node_groups[name] = made
        return {"nodegroup": present.node_group(cluster, made, now)}

    def _delete_group(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._group(params)
        item.life.deleting = item.life.deleting or self._now()
        return {"nodegroup": present.node_group(cluster, item, self._now())}

    def _update_group(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._group(params)
        told = params.inner("scalingConfig")
        item.low, item.high, item.desired = _sizes(told, item.low, item.high, item.desired)
        labels = params.inner("labels")
        item.labels |= self._texts_of(labels, "addOrUpdateLabels")
        for name in labels.texts("removeLabels"):
            item.labels.pop(name, None)
        item.life.changed = self._now()
        changes = {"MinSize": item.low, "MaxSize": item.high, "DesiredSize": item.desired}
        return self._updated(cluster, "ConfigUpdate", UPDATE_SECONDS, **changes)

    def _update_group_version(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._group(params)
        version = params.text("version", cluster.version)
        if version not in VERSIONS or version > cluster.version:
            raise BadInputError(f"Nodes of version {version} are newer than their cluster.")
        item.version, item.life.changed = version, self._now()
        return self._updated(cluster, "VersionUpdate", UPDATE_SECONDS, Version=version)

    # --- Fargate profiles ---

    def _profile(self, params: Params) -> tuple[EksCluster, Profile]:
        cluster, name = self._find(params), params.need("fargateProfileName")
        if name not in cluster.profiles:
            raise self._missing(cluster, "Fargate Profile", name)
        return cluster, cluster.profiles[name]

    def _describe_profile(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._profile(params)
        return {"fargateProfile": present.profile(cluster, item, self._now())}

    def _create_profile(self, params: Params) -> Mapping[str, Any]:
        cluster, name, now = self._find(params), params.need("fargateProfileName"), self._now()
        if name in cluster.profiles:
            raise self._taken(cluster, "A Fargate Profile", name)
        selectors = params.inners("selectors")
        for one in selectors:
            one.need("namespace")
        if not 1 <= len(selectors) <= 5:
            raise BadInputError("Fargate Profile must have 1 to 5 selectors.")
        made = Profile(
            name,
            Life(now, PROFILE_SECONDS),
            [dict(one.values) for one in selectors],
            params.texts("subnets"),
            params.need("podExecutionRoleArn"),
            self._texts_of(params, "tags"),
        )
        cluster.profiles[name] = made
        return {"fargateProfile": present.profile(cluster, made, now)}

    def _delete_profile(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._profile(params)
        item.life.deleting = item.life.deleting or self._now()
        return {"fargateProfile": present.profile(cluster, item, self._now())}

    # --- add-ons ---

    def _addon(self, params: Params) -> tuple[EksCluster, Addon]:
        cluster, name = self._find(params), params.need("addonName")
        if name not in cluster.addons:
            raise self._missing(cluster, "addon", name)
        return cluster, cluster.addons[name]

    def _describe_addon(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._addon(params)
        return {"addon": present.addon(cluster, item, self._now())}

    def _create_addon(self, params: Params) -> Mapping[str, Any]:
        cluster, name, now = self._find(params), params.need("addonName"), self._now()
        if name in cluster.addons:
            raise self._taken(cluster, "Addon", name)
        if name not in ADDONS:
            raise BadInputError(f"Addon {name} specified is not supported")
        made = Addon(
            name,
            Life(now, ADDON_SECONDS),
            params.text("addonVersion") or ADDONS[name][0],
            params.text("configurationValues"),
            params.text("serviceAccountRoleArn"),
            self._texts_of(params, "tags"),
        )
        cluster.addons[name] = made
        return {"addon": present.addon(cluster, made, now)}

    def _update_addon(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._addon(params)
        item.version = params.text("addonVersion", item.version)
        item.configuration = params.text("configurationValues", item.configuration)
        item.life.changed = self._now()
        return self._updated(cluster, "AddonUpdate", UPDATE_SECONDS, AddonVersion=item.version)

    def _delete_addon(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._addon(params)
        item.life.deleting = item.life.deleting or self._now()
        return {"addon": present.addon(cluster, item, self._now())}

    def _addon_versions(self, params: Params) -> Mapping[str, Any]:
        found = present.addon_versions(params.text("addonName"), params.text("kubernetesVersion"))
        shown, token = page(found, params, 100, "_", "nextToken")
        return listing("addons", shown, token)

    # --- access, tags, versions ---

    def _access(self, params: Params) -> tuple[EksCluster, Access]:
        cluster, who = self._find(params), params.need("principalArn")
        if who not in cluster.access:
            text = f"The specified principalArn could not be found: {who}"
            raise AwsError("ResourceNotFoundException", text, 404)
        return cluster, cluster.access[who]

    def _describe_access(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._access(params)
        return {"accessEntry": present.access(cluster, item)}

    def _create_access(self, params: Params) -> Mapping[str, Any]:
        cluster, who = self._find(params), params.need("principalArn")
        if who in cluster.access:
            raise self._taken(cluster, "An access entry", who)
        if not who.startswith("arn:aws:iam::"):
            raise BadInputError("The principalArn parameter format is not valid")
        made = Access(
            who,
            self._now(),
            params.texts("kubernetesGroups"),
            params.text("type", "STANDARD"),
            params.text("username"),
            self._texts_of(params, "tags"),
        )
        cluster.access[who] = made
        return {"accessEntry": present.access(cluster, made)}

    def _delete_access(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._access(params)
        del cluster.access[item.principal]
        return {}

    def _tags_at(self, params: Params) -> dict[str, str]:
        name = params.need("resourceArn")
        kind, _, rest = name.rpartition(":")[2].partition("/")
        owner, _, inner = rest.partition("/")
        cluster = self.clusters.get(owner)
        if cluster is not None and kind == "cluster":
            return cluster.tags
        items: Mapping[str, Any] = {}
        if cluster is not None:
            known: dict[str, Mapping[str, Any]] = {
                "nodegroup": cluster.node_groups,
                "fargateprofile": cluster.profiles,
                "addon": cluster.addons,
            }
            items = known.get(kind, {})
        found = items.get(inner.partition("/")[0])
        if found is None:
            raise AwsError("NotFoundException", f"Resource {name} was not found", 404)
        tags: dict[str, str] = found.tags
        return tags

    def _tag(self, params: Params) -> Mapping[str, Any]:
        self._tags_at(params).update(self._texts_of(params, "tags"))
        return {}

    def _untag(self, params: Params) -> Mapping[str, Any]:
        tags = self._tags_at(params)
        for key in _listed(params, "tagKeys"):
            tags.pop(key, None)
        return {}

    def _versions(self, params: Params) -> Mapping[str, Any]:
        wanted = _listed(params, "clusterVersions")
        return {"clusterVersions": present.versions(self._now(), wanted)}


def _listed(params: Params, name: str) -> list[str]:
    """A list that stands in the address: a single one comes as text."""
    value = params.values.get(name)
    return [value] if isinstance(value, str) else params.texts(name)


def _sizes(told: Params, low: int, high: int, desired: int) -> tuple[int, int, int]:
    """Minimum, maximum and desired size. Raises BadInputError where they contradict."""
    low, high = told.whole("minSize", low, 0), told.whole("maxSize", high, 1)
    desired = told.whole("desiredSize", desired, 0)
    if not low <= desired <= high:
        raise BadInputError(
            f"desired capacity {desired} must be between minimum {low} and maximum {high}"
        )
    return low, high, desired
