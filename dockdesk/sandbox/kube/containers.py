"""Containers of pods as the sandbox's shell and log writer know containers."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.engine.catalogue import Recipe
from dockdesk.sandbox.engine.filesystem import FileSystem, Node, file_node
from dockdesk.sandbox.engine.loglines import STDERR, STDOUT
from dockdesk.sandbox.engine.state import Layer, SimContainer, SimImage, digest_of
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.images import Behaviour
from dockdesk.sandbox.kube.kubelet import Life, PodLife, Run
from dockdesk.sandbox.kube.load import Load, workload_of
from dockdesk.sandbox.kube.objects import Object, dig, name_of, namespace_of


@dataclass(slots=True)
class PodContainer(SimContainer):
    """A container whose use of processor and memory is the pod's."""

    pod: Object = field(default_factory=dict)
    load: Load | None = None

    def cpu_percent(self, now: float) -> float:
        assert self.load is not None
        spec = {"name": self.host["container"], "resources": self.host["resources"]}
        return self.load.cores(self.pod, spec, self.program, now) * 100 if self.running else 0.0

    def memory(self, now: float) -> int:
        assert self.load is not None
        spec = {"name": self.host["container"], "resources": self.host["resources"]}
        return int(self.load.memory(self.pod, spec, self.program, self.started, now))


class Containers:
    """Makes them when somebody looks: logs, or a shell in one."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        self._cluster = cluster
        self._load = load

    def of_run(self, pod: Object, life: PodLife, item: Life, run: Run) -> PodContainer:
        """A container during one of its runs; only that run is in its log."""
        assert item.behaviour is not None
        behaviour = item.behaviour
        image = _image(behaviour, run.started)
        config = {**image.config, "Hostname": name_of(pod)}
        words = [*(item.spec.get("command") or ())] or None
        if words:
            config["Entrypoint"] = words
            config["Cmd"] = list(item.spec.get("args") or ()) or None
        elif item.spec.get("args"):
            config["Cmd"] = list(item.spec["args"])
        config["Env"] = [
            *(image.config.get("Env") or ()),
            *(f"{key}={value}" for key, value in self.environment(pod, item).items()),
        ]
        key = f"{item.name}/{len(item.runs)}"
        files = life.files.get(key)
        if files is None:
            # What exec writes is the container's own, and gone with it.
            for old in [other for other in life.files if other.startswith(f"{item.name}/")]:
                del life.files[old]
            files = life.files[key] = self._files(pod, item, image.tree)
        container = PodContainer(
            digest_of(life.uid, item.name, run.started).removeprefix("sha256:"),
            item.name,
            image,
            str(item.spec.get("image")),
            config,
            {"container": item.name, "resources": item.spec.get("resources") or {}},
            files,
            behaviour.program,
            run.started,
            self._load.traffic(workload_of(pod)),
            started=run.started,
            pod=pod,
            load=self._load,
        )
        container.name = f"{name_of(pod)}/{item.name}"
        if run.finished:
            container.status, container.finished = "exited", run.finished
            container.runs.append((run.started, run.finished))
        else:
            container.status = "running"
        container.spoken += [
            (run.started + 0.01 * number, STDOUT, text.encode() + b"\n")
            for number, text in enumerate(behaviour.says)
        ]
        if (
            run.finished
            and run.reason == "Error"
            and run.exit_code not in {137, 143}
            and not behaviour.says
        ):
            container.spoken.append(
                (
                    run.finished - 0.01,
                    STDERR,
                    f"fatal: cannot start: exit status {run.exit_code}\n".encode(),
                )
            )
        return container

    def environment(self, pod: Object, item: Life) -> dict[str, str]:
        """A container's variables: those of the spec, and where the API is."""
        found = {
            "KUBERNETES_SERVICE_HOST": "10.100.0.1",
            "KUBERNETES_SERVICE_PORT": "443",
            "HOSTNAME": name_of(pod),
        }
        namespace = namespace_of(pod)
        for entry in item.spec.get("envFrom") or ():
            for word, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if reference := entry.get(word):
                    found.update(self._data(kind, namespace, str(reference.get("name"))))
        for entry in item.spec.get("env") or ():
            name, source = str(entry.get("name")), entry.get("valueFrom") or {}
            if "value" in entry:
                found[name] = str(entry["value"])
            elif reference := source.get("configMapKeyRef"):
                found[name] = self._data("ConfigMap", namespace, str(reference.get("name"))).get(
                    str(reference.get("key")), ""
                )
            elif reference := source.get("secretKeyRef"):
                found[name] = self._data("Secret", namespace, str(reference.get("name"))).get(
                    str(reference.get("key")), ""
                )
            elif reference := source.get("fieldRef"):
                found[name] = str(dig(pod, *str(reference.get("fieldPath")).split(".")) or "")
        return found

    def _data(self, kind: str, namespace: str, name: str) -> dict[str, str]:
        item = self._cluster.store.find(self._cluster.kind(kind), namespace, name) or {}
        return {key: _plain(value, kind) for key, value in (item.get("data") or {}).items()}

    def _files(self, pod: Object, item: Life, tree: Mapping[str, Any]) -> FileSystem:
        files, now = FileSystem(dict(tree)), self._cluster.now()
        base = "/var/run/secrets/kubernetes.io/serviceaccount"
        files.put(f"{base}/namespace", file_node(namespace_of(pod), modified=now))
        files.put(
            f"{base}/token", file_node("a simulation: this token opens nothing\n", modified=now)
        )
        hosts = f"127.0.0.1\tlocalhost\n{dig(pod, 'status', 'podIP') or ''}\t{name_of(pod)}\n"
        files.put("/etc/hosts", file_node(hosts, modified=now))
        files.put("/etc/hostname", file_node(name_of(pod) + "\n", modified=now))
        search = f"search {namespace_of(pod)}.svc.cluster.local svc.cluster.local cluster.local\n"
        files.put(
            "/etc/resolv.conf",
            file_node(search + "nameserver 10.100.0.10\noptions ndots:5\n", modified=now),
        )
        volumes = {volume.get("name"): volume for volume in pod["spec"].get("volumes") or ()}
        for mount in item.spec.get("volumeMounts") or ():
            volume = volumes.get(mount.get("name")) or {}
            for word, field_name, kind in (
                ("configMap", "name", "ConfigMap"),
                ("secret", "secretName", "Secret"),
            ):
                if reference := volume.get(word):
                    for key, text in self._data(
                        kind, namespace_of(pod), str(reference.get(field_name))
                    ).items():
                        files.put(f"{mount.get('mountPath')}/{key}", file_node(text, modified=now))
        return files


def _image(behaviour: Behaviour, now: float) -> SimImage:
    """An image as a running container needs it: its files and settings; nobody pulls it from here."""
    recipe: Recipe = behaviour.recipe
    config: dict[str, Any] = {
        "Env": list(recipe.env),
        "Cmd": list(recipe.command) or None,
        "Entrypoint": list(recipe.entrypoint) or None,
        "User": recipe.user,
        "WorkingDir": recipe.workdir,
    }
    layers = [Layer(text, size) for text, size in recipe.layers]
    tree: dict[str, Node] = dict(behaviour.files(now))
    return SimImage(
        digest_of("image", recipe.reference),
        [recipe.reference],
        [],
        now,
        config,
        layers,
        tree,
        recipe.program,
        behaviour.shells,
    )


def _plain(value: str, kind: str) -> str:
    if kind != "Secret":
        return str(value)
    try:
        return base64.b64decode(value).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


async def until_gone(cluster: Cluster, pod: Object) -> None:
    """Wait until a pod is gone, or something else has its name."""
    store, kind = cluster.store, cluster.kind("Pod")
    uid = pod["metadata"]["uid"]
    wake = asyncio.Event()
    shelf = store.shelf(kind)
    shelf.listeners.add(wake)
    try:
        while True:
            wake.clear()
            current = store.find(kind, namespace_of(pod), name_of(pod))
            if current is None or current["metadata"]["uid"] != uid:
                return
            await wake.wait()
    finally:
        shelf.listeners.discard(wake)
