"""Kubernetes contexts from kubeconfig files, merged as kubectl does, and whether their servers answer.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dockdesk.core.masking import masked_urls
from dockdesk.doctor.checks import Check, Surroundings
from dockdesk.doctor.report import Finding, Status

SECTION = "Kubernetes"
CONNECT_TIMEOUT = 4.0
# Enough for anybody's day; a file with hundreds would otherwise open hundreds of connections.
MOST_ASKED = 20

Entries = dict[str, Mapping[str, Any]]


@dataclass(slots=True)
class KubeConfig:
    """The merged files: the first to name something wins."""

    current: str = ""
    contexts: Entries = field(default_factory=dict)
    clusters: Entries = field(default_factory=dict)
    users: Entries = field(default_factory=dict)

    def add(self, raw: Mapping[str, Any]) -> None:
        self.current = self.current or str(raw.get("current-context") or "")
        for key, entries in (
            ("context", self.contexts),
            ("cluster", self.clusters),
            ("user", self.users),
        ):
            listed = raw.get(f"{key}s")
            for item in listed if isinstance(listed, list) else []:
                if isinstance(item, dict) and isinstance(item.get("name"), str):
                    content = item.get(key)
                    entries.setdefault(item["name"], content if isinstance(content, dict) else {})


def checks(around: Surroundings) -> list[Check]:
    return [Check(SECTION, "contexts", lambda: look(around), limit=30.0)]


def look(around: Surroundings, reach: Callable[[str], str] | None = None) -> list[Finding]:
    """A finding a context; ``reach`` says why a server's URL can't be reached, or an empty string."""
    config, findings = read(around.paths("KUBECONFIG", ".kube", "config"))
    if not config.contexts and not findings:
        return [
            Finding(
                SECTION,
                "contexts",
                Status.ABSENT,
                "none",
                "Only needed for Kubernetes; “aws eks update-kubeconfig” adds a cluster of EKS.",
            )
        ]
    if config.current and config.current not in config.contexts:
        findings.append(
            Finding(
                SECTION,
                config.current,
                Status.PROBLEM,
                "it is the current context, but no such context exists",
                "Choose one with “kubectl config use-context NAME”.",
            )
        )
    names = list(config.contexts)
    with ThreadPoolExecutor(8, thread_name_prefix="doctor-kube") as pool:
        found = pool.map(
            lambda name: _finding(config, name, around, reach or reachable), names[:MOST_ASKED]
        )
        findings += found
    findings += [
        Finding(SECTION, name, Status.NOTE, "not asked: there are many contexts")
        for name in names[MOST_ASKED:]
    ]
    return findings


def read(paths: Sequence[Path]) -> tuple[KubeConfig, list[Finding]]:
    """All files merged, and what is wrong with those that can't be read. Absent ones are passed over."""
    import yaml

    config = KubeConfig()
    findings = []
    for path in paths:
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, yaml.YAMLError) as error:
            # The parser quotes what it could not read, which may be a key.
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1} is no YAML" if mark else type(error).__name__
            detail = f"{path} can't be read: {where}"
            findings.append(Finding(SECTION, path.name, Status.PROBLEM, detail, "Mend the file."))
            continue
        if isinstance(raw, dict):
            config.add(raw)
    return config, findings


def reachable(server: str) -> str:
    """Why a server can't be connected to, or an empty string where it can."""
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        return str(error)
    if not host:
        return "its address names no host"
    try:
        socket.create_connection((host, port), CONNECT_TIMEOUT).close()
    except OSError as error:
        return error.strerror or str(error) or "no answer"
    return ""


def _finding(
    config: KubeConfig, name: str, around: Surroundings, reach: Callable[[str], str]
) -> Finding:
    context = config.contexts[name]
    cluster_name, user_name = str(context.get("cluster", "")), str(context.get("user", ""))
    cluster = config.clusters.get(cluster_name)
    server = str((cluster or {}).get("server") or "")
    data: dict[str, object] = {
        "cluster": cluster_name,
        "server": masked_urls(server),
        "namespace": str(context.get("namespace") or "default"),
        "current": name == config.current,
    }
    current = " (current)" if name == config.current else ""

    def problem(detail: str, hint: str) -> Finding:
        return Finding(SECTION, name, Status.PROBLEM, f"{detail}{current}", hint, data)

    if cluster is None or not server:
        return problem(
            f"its cluster “{cluster_name}” has no address",
            "Add the cluster, or delete the context.",
        )
    if user_name and user_name not in config.users:
        return problem(
            f"its user “{user_name}” does not exist", "Add the user, or delete the context."
        )
    command = _plugin(config.users.get(user_name, {}))
    if command and shutil.which(command, path=around.env.get("PATH")) is None:
        return problem(f"signing in takes “{command}”, which is not found", f"Install {command}.")
    if cluster.get("proxy-url"):
        return Finding(
            SECTION,
            name,
            Status.NOTE,
            f"{masked_urls(server)}, through a proxy: not asked",
            "",
            data,
        )
    if reason := reach(server):
        return problem(
            f"{masked_urls(server)} can't be reached: {reason}",
            "Check that the cluster runs, and the network or VPN to it.",
        )
    return Finding(SECTION, name, Status.OK, f"{masked_urls(server)}{current}", data=data)


def _plugin(user: Mapping[str, Any]) -> str:
    plugin = user.get("exec")
    return str(plugin.get("command") or "") if isinstance(plugin, dict) else ""
