"""Where a fault is mended: the component that its mechanism concerns, rather than the file that reported it.

A refused password is mended in a secret, a lost packet on a node, a wrong port in a config map; the client's source
file that logged it is not at fault. Objects are those that the logs name: none is made up. Where Kubernetes runs the
services and names no object, the workload stands in (`deployment/<service>`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from core.domain import ChangeKind, SuspectKind
from rag.suspects.access import access_of
from rag.suspects.change import about_of, closeness, owner_of
from rag.suspects.clocks import clock_of
from rag.suspects.clue import Clue
from rag.suspects.hosts import host_of, logged_on, machine_of, node_named, server_of
from rag.suspects.names import is_product, outside, simple, without_own_names
from rag.suspects.objects import is_platform
from rag.suspects.proposal import Proposal, table_of
from rag.suspects.refused import login_endpoint, refused_client
from rag.suspects.scene import Scene

_WORKLOADS: Final = ("deployment", "statefulset", "daemonset", "cronjob", "job")
_OF_CODE: Final = frozenset(
    {"code_defect", "bad_deploy", "feature_flag", "missing_env_var", "thread_pool_exhaustion", "schema_migration"}
)
"""Faults whose file and function are where one mends them."""


def place(item: Proposal, clue: Clue | None, scene: Scene) -> Proposal:
    """The proposal with the component that its kind of fault concerns; unchanged where nothing better is known."""
    if item.fault_type == "connection_refused" and (host := outside_host(clue, scene)) is not None:
        return replace(item, fault_type="dependency_down", component=f"external/{host}", function=None)
    if (
        item.fault_type == "constraint_violation"
        and clue is not None
        and _NOT_NULL.search(clue.text)
        and _migrated(scene)
    ):
        item = replace(
            item, fault_type="schema_migration", cause=f"a migration just before made a column required: {item.cause}"
        )
    finder = _FINDERS.get(item.fault_type or "")
    found = finder(item, clue, scene) if finder is not None else None
    if found is None and item.component is None and not scene.kubernetes and clue is not None:
        written = logged_on(clue) if clue.service == item.service else None
        found = f"host/{written}" if written is not None and item.fault_type is not None else None
    if found is None or found == item.component:
        return item
    code = item.fault_type in _OF_CODE or item.fault_type == "crash_loop"
    return replace(item, component=found, function=item.function if code else None)


def outside_host(clue: Clue | None, scene: Scene) -> str | None:
    """The host outside the cluster that a failing record is about: named in it, else the only one that its service
    names in other failing records."""
    if clue is None:
        return None
    own = next(outside(told(clue), scene.services), None)
    if own is not None:
        return own
    if not _IP.search(clue.text[:2_000]):
        return None
    others = {
        host for other in scene.of(clue.service) if other.failing for host in outside(told(other), scene.services)
    }
    return others.pop() if len(others) == 1 else None


_NOT_NULL: Final = re.compile(
    r"null value in column|not-null constraint|cannot be null|NOT NULL constraint|doesn't have a default value",
    re.IGNORECASE,
)


def _migrated(scene: Scene) -> bool:
    return any(change.kind is ChangeKind.MIGRATION and closeness(change, scene) > 0.3 for change in scene.changes)


_IP: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}:\d{2,5}\b")
_PEER_KEYS: Final = re.compile(r"upstream|peer|host|target|url|endpoint|server|remote|destination|address|dependency")


def told(clue: Clue) -> str:
    """What a record says of its peer: its message, its exceptions, and the fields that name a peer."""
    if access_of(clue.text) is not None:
        return ""  # it names the caller's page, and the host it asked for
    fields = [f"{key}={value}" for key, value in clue.record.attributes.items() if _PEER_KEYS.search(key.lower())]
    heads = [f"{trace.exception}: {trace.message or ''}" for trace in clue.traces if not trace.suppressed]
    return "\n".join([without_own_names(clue.text.split("\n", 1)[0]), *fields, *heads])


def workload_of(service: str | None, scene: Scene) -> str | None:
    """The workload of a service where Kubernetes runs it: as its events name it, else by the usual kind."""
    if service is None or is_platform(service) or not scene.kubernetes:
        return None
    for clue in (*scene.clues, *scene.background):
        if clue.service == service and (clue.object or "").startswith(tuple(f"{kind}/" for kind in _WORKLOADS)):
            return clue.object
    return f"statefulset/{service}" if is_product(service) else f"deployment/{service}"


def changed_object(service: str | None, scene: Scene) -> str | None:
    """What was configured of a service near the onset: the object that is named, else its workload."""
    changed = None
    for change in scene.changes:
        if change.kind is not ChangeKind.CONFIG or closeness(change, scene) <= 0.0:
            continue
        about = about_of(change)
        if service is None or owner_of(change, scene) != service:
            continue
        if about is not None and about.component.startswith(("configmap/", "secret/")):
            return about.component
        changed = workload_of(service, scene)
    return changed


def _workload(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    if item.component is not None and item.component.startswith(
        (*(f"{kind}/" for kind in _WORKLOADS), "pod/", "node/")
    ):
        return None
    return workload_of(item.service, scene)


_ABSENT: Final = re.compile(
    r"\b(?P<kind>secret|configmap)s? [\"'`\\]*(?:[\w-]+/)?(?P<name>[a-z0-9][a-z0-9.-]*)[\"'`\\]* not found",
    re.IGNORECASE,
)


def _configured(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    absent = _ABSENT.search(clue.text) if clue is not None else None
    if absent is not None:
        return f"{absent['kind'].lower()}/{absent['name']}"
    return changed_object(item.service, scene)


def _configured_or_workload(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    return changed_object(item.service, scene) or _workload(item, clue, scene)


def _external(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    host = outside_host(clue, scene)
    if host is not None:
        return f"external/{host}"
    return node_named(clue) if clue is not None and not scene.kubernetes else None


def _external_or_callee(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    """The host outside, else the workload of a callee that its callers blame: its own records are not what told."""
    external = _external(item, clue, scene)
    if external is not None or item.kind is not SuspectKind.PROPAGATION or item.component is not None:
        return external
    told_by_others = clue is None or clue.service != item.service
    return workload_of(item.service, scene) if told_by_others and item.service in scene.services else None


def _certificate(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    external = _external(item, clue, scene)
    if external is not None:
        return external
    if clue is not None and clue.object is not None and clue.object.startswith(("certificate/", "secret/")):
        return f"secret/{clue.object.split('/', 1)[1]}"
    return _named_secret(item.service, scene, "tls", "cert") or _workload(item, clue, scene)


def _credential(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    named = _named_secret(item.service, scene, "db", "credential", "password", "key", "token", "secret")
    return named or _external(item, clue, scene) or _workload(item, clue, scene)


def _named_secret(service: str | None, scene: Scene, *words: str) -> str | None:
    """A secret of the service that the logs name."""
    for clue in (*scene.clues, *scene.background):
        name = (clue.object or "").partition("secret/")[2]
        if name and clue.service == service and any(word in name for word in words):
            return f"secret/{name}"
    for change in scene.changes:
        about = about_of(change)
        if about is not None and about.component.startswith("secret/") and about.service == service:
            return about.component
    return None


def _table(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    """The table that the record names, else the one that the database names for the same fault."""
    if item.component is not None and item.component.startswith("table/"):
        return None
    own = table_of(clue.text) if clue is not None else None
    if own is None:
        others = (other for other in scene.clues if other.reading and other.reading.fault_type == item.fault_type)
        own = next((table for other in others if (table := table_of(other.text)) is not None), None)
    return f"table/{own}" if own is not None else None


_ACCOUNT: Final = re.compile(r"system:serviceaccount:[\w-]+:(?P<name>[\w-]+)")


def _permission(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    account = _ACCOUNT.search(clue.text) if clue is not None else None
    if account is not None:
        return f"serviceaccount/{account['name']}"
    table = table_of(clue.text) if clue is not None else None
    return f"table/{table}" if table is not None else _workload(item, clue, scene)


def _node(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    """The node that the record is about or stands on, else the one that others report the same fault of."""
    if item.component is not None and item.component.startswith("node/"):
        return None
    if not scene.kubernetes:
        machine = _machine(clue, scene)
        member = machine is not None and item.fault_type == "node_not_ready"
        return f"node/{machine.split('/', 1)[1]}" if machine is not None and member else machine
    nodes = [node_of(other) for other in _first(clue, scene) if _about_nodes(other)]
    return next((node for node in nodes if node is not None), None)


def _first(clue: Clue | None, scene: Scene) -> Iterator[Clue]:
    if clue is not None:
        yield clue
    yield from scene.clues


_NODE_FAULTS: Final = frozenset({"packet_loss", "network_partition", "eviction", "node_not_ready", "out_of_memory"})
_SYSLOG: Final = re.compile(r"^(?:<\d+>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?P<host>[\w.-]+) kernel: ")
_ON_NODE: Final = re.compile(r"\bnode[/ \"'`=:]+(?P<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9]))")


_AGENTS: Final = frozenset({"kernel", "node", "kubelet", "containerd", "dockerd", "crio"})
"""Programs of a node whose records are about the node."""


def _about_nodes(clue: Clue) -> bool:
    return clue.reading is not None and clue.reading.fault_type in _NODE_FAULTS


def node_of(clue: Clue) -> str | None:
    """The node that a record is about: an event of it, or a line of its kernel."""
    if clue.object is not None and clue.object.startswith("node/"):
        return clue.object
    kernel = _SYSLOG.match(clue.text) or _SYSLOG.match(clue.record.line)
    if kernel is not None:
        return f"node/{kernel['host']}"
    host = clue.record.attributes.get("hostname") or clue.record.attributes.get("host")
    return f"node/{host}" if clue.service in _AGENTS and isinstance(host, str) else None


def _policy_or_node(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    for change in scene.changes:
        about = about_of(change)
        if about is not None and about.component.startswith("networkpolicy/") and closeness(change, scene) > 0.0:
            return about.component
    named = _POLICY.search(clue.text) if clue is not None else None
    if named is not None:
        return f"networkpolicy/{named['name']}"
    return _node(item, clue, scene)


_POLICY: Final = re.compile(r"(?i:network ?polic(?:y|ies))[/ \"'`=:]+(?P<name>[a-z0-9][a-z0-9.-]*[a-z0-9])")
_CLAIM: Final = re.compile(
    r"persistentvolumeclaim[s]?[/ \"'`=:]+(?:[a-z0-9-]+/)?(?P<name>[a-z0-9][a-z0-9.-]*[a-z0-9])", re.I
)


def _of_disk(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    return _claim(item, clue, scene) if scene.kubernetes else _machine(clue, scene)


def _of_memory(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    """The workload where Kubernetes runs it; the machine where its kernel, or a node of a cluster, tells of it."""
    if scene.kubernetes or clue is None:
        return _workload(item, clue, scene)
    of_machine = clue.kernel or node_named(clue) is not None
    return _machine(clue, scene) if of_machine else None


def _of_data(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    kernel = clue is not None and clue.kernel
    server = kernel or (is_product(item.service or "") and not scene.kubernetes)
    return (None if kernel else _table(item, clue, scene)) or (_machine(clue, scene) if server else None)


def _machine(clue: Clue | None, scene: Scene) -> str | None:
    return machine_of(clue, scene.clues) if clue is not None else None


def _pool(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    if not scene.kubernetes and item.service is not None and is_product(item.service):
        return server_of(item.service, scene.clues)
    return _configured_or_workload(item, clue, scene)


def _claim(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    for other in (*scene.clues, *scene.background):
        named = _CLAIM.search(other.text)
        if named is not None and (item.service is None or simple(item.service) in named["name"]):
            return f"persistentvolumeclaim/{named['name']}"
    return _workload(item, clue, scene)


def _cache(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    return workload_of(item.service, scene) if item.service is not None and is_product(item.service) else None


_QUEUE: Final = re.compile(r"\b(?:queue|topic)[\"']?\s?[ =:/]\s?[\"'`]?(?P<name>[a-z][\w.-]{2,})", re.IGNORECASE)
_NO_QUEUE: Final = frozenset(
    {"stats", "depth", "size", "length", "empty", "full", "consumer", "worker", "lag", "backlog", "has", "for", "with"}
)


def _queue(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    changed = changed_object(item.service, scene)
    return changed or queue_named(clue)


def queue_named(clue: Clue | None) -> str | None:
    """The queue or topic that a record names, as a component."""
    if clue is None:
        return None
    for key, value in clue.record.attributes.items():
        if key.lower() in ("queue", "topic", "queue_name", "queuename") and isinstance(value, str) and value:
            return f"queue/{value}"
    for match in _QUEUE.finditer(clue.text[:1_000]):
        if match["name"].lower() not in _NO_QUEUE:
            return f"queue/{match['name']}"
    return None


def _endpoint(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    """The path at which log-ins are refused, else the machine that they are tried on."""
    written = host_of(clue) if clue is not None else None
    return login_endpoint(scene) or (f"host/{written}" if written is not None else None)


def _client(item: Proposal, clue: Clue | None, scene: Scene) -> str | None:
    return refused_client(scene)


_FINDERS: Final[Mapping[str, Callable[[Proposal, Clue | None, Scene], str | None]]] = {
    "bad_config": _configured,
    "connection_refused": _configured,
    "connection_pool_exhaustion": _pool,
    "dependency_down": _external_or_callee,
    "dependency_slow": _external_or_callee,
    "rate_limited": _external,
    "dns_failure": _external,
    "certificate_expired": _certificate,
    "credential_expired": _credential,
    "permission_denied": _permission,
    "slow_query": _table,
    "lock_contention": _table,
    "data_corruption": _of_data,
    "constraint_violation": _table,
    "schema_migration": _table,
    "out_of_memory": _of_memory,
    "memory_leak": _workload,
    "cpu_saturation": _workload,
    "file_descriptor_exhaustion": _workload,
    "crash_loop": _workload,
    "probe_failure": _workload,
    "version_mismatch": _workload,
    "disk_full": _of_disk,
    "cache_failure": _cache,
    "queue_backlog": _queue,
    "packet_loss": _node,
    "clock_skew": lambda item, clue, scene: clock_of(clue, scene.clues) or _workload(item, clue, scene),
    "eviction": _node,
    "node_not_ready": _node,
    "network_partition": _policy_or_node,
    "brute_force": _endpoint,
    "bad_input": _client,
}
