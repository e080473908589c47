"""Which object a record of the platform is about: Kubernetes, its agents and deployment tools speak of others."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from rag.kubernetes import workload

_PLATFORM: Final = re.compile(
    r"^(?:kube|k8s|argo|flux|helm|event|cluster|controller|scheduler|openshift|rancher|nomad|ecs|systemd|containerd|dockerd)",
    re.IGNORECASE,
)
"""Services that report about others."""
_KUBERNETES: Final = re.compile(r"^(?:kube|k8s|argo|flux|helm|events?\b|cluster-autoscaler|openshift)", re.IGNORECASE)
"""Services that only a Kubernetes cluster has."""
_WATCHERS: Final = re.compile(
    r"^(?:prometheus|alert-?manager|thanos|cadvisor|metrics-server|node-(?:kernel|exporter|problem-detector)|nagios|icinga"
    r"|zabbix|datadog|telegraf|blackbox)",
    re.IGNORECASE,
)
"""Monitors, and the collected logs of nodes: what they report concerns what their labels name."""

_KINDS: Final = (
    "pod|deployment|statefulset|daemonset|replicaset|job|cronjob|node|persistentvolumeclaim|persistentvolume|configmap|secret|"
    "service|ingress|networkpolicy|horizontalpodautoscaler|serviceaccount|namespace|release|application"
)
_NAME: Final = r"(?P<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
_PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf'"(?:involvedObject|regarding|object)":\s*\{{[^}}]*?"kind":\s*"(?P<kind>\w+)"[^}}]*?"name":\s*"{_NAME}"',
        rf'\bobject="?(?:[\w-]+/)?{_NAME}"?.{{0,60}}?\bkind="?(?P<kind>\w+)',
        rf'\bkind="?(?P<kind>{_KINDS})"?.{{0,60}}?\bname="?{_NAME}',
        rf'\b(?P<kind>pod|deployment|statefulset|daemonset|cronjob|node)="?(?:[\w-]+/)?{_NAME}',
        rf"\b(?P<kind>{_KINDS})s?(?:\.[a-z0-9.]+)?/(?:[a-z0-9-]+/)?{_NAME}",
        rf"\b(?P<kind>{_KINDS})s?[ =:]+[\"'`\\]+(?:[a-z0-9-]+/)?{_NAME}",
        rf"\b(?P<kind>pod|node|replica ?set|deployment) (?=[a-z0-9.-]*\d){_NAME}",
    )
)
_APPLICATION: Final = re.compile(rf"\b(?:app|application|release|chart)[=:]\s*\"?{_NAME}\b")
_IMAGE: Final = re.compile(
    r"\bimage[=:\s]+[\"'\\]*(?:[\w.-]+(?::\d+)?/)*(?P<name>[a-z0-9][\w.-]*?)(?::[\w.-]+|@sha256)", re.IGNORECASE
)


class Subject(NamedTuple):
    """`component` is `kind/name`, `service` the workload that it belongs to (None for nodes and the like)."""

    component: str
    service: str | None


_EVENT: Final = re.compile(
    r'"involvedObject"|\b(?:Normal|Warning)\s+[A-Z][A-Za-z]+\s+[a-z]+/[a-z0-9.-]+|"Event occurred"|\bpod="[\w-]+/'
    r"|\bkind=(?:Pod|ConfigMap|Deployment)\b"
)


def is_event(text: str) -> bool:
    """Whether a line is an event of Kubernetes, whoever wrote it down."""
    return _EVENT.search(_plain(text)) is not None


def _plain(text: str) -> str:
    """The start of a text, without the escapes of a collector that wrapped the line in JSON."""
    return text[:2_000].replace('\\"', '"')


def is_platform(service: str | None) -> bool:
    """Whether a service is the platform, one of its tools or a monitor, which speak of other services."""
    return service is not None and (_PLATFORM.match(service) or _WATCHERS.match(service)) is not None


def of_kubernetes(service: str | None) -> bool:
    """Whether a service is part of Kubernetes: an init system and a container runtime run without it, too."""
    return service is not None and _KUBERNETES.match(service) is not None


def subject(text: str) -> Subject | None:
    """The object that a message of the platform is about; its start is read."""
    text = _plain(text)
    for pattern in _PATTERNS:
        match = pattern.search(text)
        if match is not None:
            kind = match["kind"].lower().replace(" ", "")
            name = match["name"].lower().split("_", 1)[0]
            return Subject(controller(kind, name), _owner(kind, name, text))
    match = _APPLICATION.search(text) or _IMAGE.search(text)
    return Subject(f"deployment/{match['name']}", match["name"]) if match is not None else None


def controller(kind: str, name: str) -> str:
    """What stands for a pod: pods come and go, the deployment or stateful set they belong to is what one mends."""
    owner = workload(name)
    if kind == "replicaset" and owner != name:
        return f"deployment/{owner}"
    if kind != "pod" or owner == name:
        return f"{kind}/{name}"
    if name.removeprefix(f"{owner}-").isdigit():
        return f"statefulset/{owner}"
    return f"deployment/{owner}" if name.removeprefix(f"{owner}-").count("-") == 1 else f"{kind}/{name}"


def _owner(kind: str, name: str, text: str) -> str | None:
    told = _APPLICATION.search(text)
    if told is not None:
        return told["name"]
    if kind in ("node", "namespace", "persistentvolume"):
        return None
    if kind in ("configmap", "secret", "serviceaccount", "networkpolicy", "ingress"):
        return re.sub(
            r"-(?:config|cm|env|settings|tls|cert|certs|db|credentials|creds|secret|sa|token|policy)$", "", name
        )
    if kind == "persistentvolumeclaim":
        return workload(re.sub(r"^(?:data|storage|db|logs|pvc)-", "", name))
    return workload(name)
