"""What to do next: checks that only read, the cheapest first; a remedy comes last, and only as a proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from core.domain import Incident, Suspect, SuspectKind
from rag.kubernetes import workload

MAX_STEPS: Final = 8
_SUSPECTS: Final = 3

_CHECKS: Final[dict[str, tuple[str, ...]]] = {
    "out_of_memory": (
        "Compare memory use with its limit: `kubectl top pod {pod} --containers`",
        "Read what the container wrote before it was killed: `kubectl logs {pod} --previous --tail=100`",
    ),
    "memory_leak": ("Watch memory grow: `kubectl top pod -l app={service} --containers`",),
    "disk_full": (
        "See which file system is full: `kubectl exec {workload} -- df -h`",
        "Find what fills it: `kubectl exec {workload} -- sh -c 'du -xh / 2>/dev/null | sort -h | tail -20'`",
    ),
    "cpu_saturation": ("Compare CPU use with its limit: `kubectl top pod {pod} --containers`",),
    "connection_pool_exhaustion": (
        'See who holds database connections: `psql -c "select application_name, state, count(*), '
        "max(now()-state_change) "
        'from pg_stat_activity group by 1, 2 order by 3 desc"`',
    ),
    "file_descriptor_exhaustion": (
        "Count open files: `kubectl exec {workload} -- sh -c 'ls /proc/1/fd | wc -l; grep files /proc/1/limits'`",
    ),
    "thread_pool_exhaustion": (
        "Take a thread dump: `kubectl exec {workload} -- jstack 1` (JVM) or `py-spy dump --pid 1`",
    ),
    "dns_failure": (
        "Resolve the name from the pod: `kubectl exec {workload} -- nslookup {host}`",
        "Look for refused look-ups: `kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50`",
        "Look for policies that block DNS: `kubectl get networkpolicy -A`",
    ),
    "clock_skew": (
        "Compare the clocks: `chronyc tracking` or `timedatectl timesync-status` on {host} and on a machine beside it",
        "See whether a time source is reachable: `chronyc sources -v`; set the clock with `chronyc makestep`",
    ),
    "connection_refused": (
        "See whether anything listens: `kubectl get endpoints {host}` and `kubectl get pods -l app={host}`",
    ),
    "dependency_down": (
        "See whether {host} runs: `kubectl get pods -l app={host}` and `kubectl logs deploy/{host} --tail=100`",
        "Try to reach it from a caller: `kubectl exec {caller} -- nc -vz {address}`",
    ),
    "dependency_slow": (
        "Look at {host} itself: `kubectl logs deploy/{host} --tail=100` and `kubectl top pod -l app={host}`",
    ),
    "slow_query": (
        'List long-running queries: `psql -c "select pid, now()-query_start as age, state, left(query, '
        "120) from pg_stat_activity "
        "where state <> 'idle' order by age desc limit 10\"`",
        'Explain the slowest of them: `psql -c "explain (analyze, buffers) ..."` on a replica',
    ),
    "lock_contention": (
        'See who blocks whom: `psql -c "select pid, pg_blocking_pids(pid), wait_event_type, left(query, '
        "120) from pg_stat_activity "
        'where cardinality(pg_blocking_pids(pid)) > 0"`',
    ),
    "rate_limited": ("Find who sends the requests: count 429 answers by client in the access log of {service}",),
    "queue_backlog": (
        "Measure the lag: `kafka-consumer-groups.sh --bootstrap-server <broker> --describe --all-groups`",
    ),
    "cache_failure": (
        "Ask the cache how it is: `redis-cli -h {host} info memory` and `redis-cli -h {host} info stats`",
    ),
    "certificate_expired": (
        "Read the certificate's dates: `openssl s_client -connect {address} -servername {host} </dev/null 2>/dev/null "
        "| openssl x509 -noout -dates -issuer`",
        "List certificates in the cluster: `kubectl get certificate,secret -A | grep -i tls`",
    ),
    "credential_expired": (
        "See when the credentials of {service} were last changed: `kubectl describe secret -l app={service}`",
    ),
    "permission_denied": (
        "Ask what the account may do: `kubectl auth can-i --list --as=system:serviceaccount:<namespace>:{service}`",
    ),
    "brute_force": (
        'Count the failed logins by address, and see whether one succeeded: `cali ask "logins per address"`',
    ),
    "missing_env_var": ("Compare the variables it has with what it needs: `kubectl set env {workload} --list`",),
    "bad_config": ("Read the configuration it runs with: `kubectl get {configuration} -o yaml`",),
    "feature_flag": ("See who switched the flag and when, in the audit log of the flag service",),
    "schema_migration": (
        'Compare the schema with what the code expects: `psql -c "\\d {what}"`',
        "See which migrations ran: the migration table (`alembic current`, `flyway info`)",
    ),
    "version_mismatch": ("Compare versions: `kubectl get deploy -o wide`",),
    "bad_deploy": (
        "See what was rolled out: `kubectl rollout history {workload}`",
        "Compare old and new pods: `kubectl get pods -l app={service} -o wide`",
    ),
    "image_pull_failure": (
        "Read the reason of the registry: `kubectl describe {object}`",
        "See whether the image exists: `docker manifest inspect {what}`",
    ),
    "unschedulable": (
        "Read the scheduler's reason: `kubectl describe {object}`",
        "Compare with what the nodes have: `kubectl describe nodes | grep -A8 'Allocated resources'` "
        "and `kubectl get nodes --show-labels`",
    ),
    "probe_failure": (
        "Call the probe yourself: `kubectl exec {workload} -- wget -qO- http://localhost:<port>/<path>`",
    ),
    "crash_loop": (
        "Read why it ended: `kubectl logs {pod} --previous --tail=100`",
        "Read its last state: `kubectl describe {object}`",
    ),
    "node_not_ready": (
        "Look at the node: `kubectl describe {object}` and `kubectl get pods -A -o wide | grep {name}`",
    ),
    "eviction": ("See what ran short on the node: `kubectl describe node <node> | grep -A12 Conditions`",),
    "network_partition": (
        "List the network policies: `kubectl get networkpolicy -A`, then test from {caller}: `nc -vz {address}`",
    ),
    "packet_loss": ("Measure the loss: `kubectl exec {caller} -- ping -c 50 -i 0.2 {host}`",),
    "heartbeat_missing": (
        "See whether {service} still runs: `kubectl get pods -l app={service}` and `kubectl logs "
        "deploy/{service} --tail=50`",
    ),
    "data_corruption": (
        "Check the data before anything writes to it again: `pg_amcheck` or the checksum tool of the store",
    ),
    "bad_input": ('Find the message that cannot be parsed: `cali ask "which input fails in {service}?"`',),
    "constraint_violation": ('Look at the constraint: `psql -c "\\d+ {what}"`',),
    "code_defect": ("Read the code at {place}, and what changed there: `git log -5 -p -- {file}`",),
}
_REMEDIES: Final[dict[str, str]] = {
    "bad_deploy": "If confirmed, go back: `kubectl rollout undo {workload}`",
    "missing_env_var": "If confirmed, set the variable in the manifest of {service} and roll it out again",
    "bad_config": "If confirmed, put the former configuration back and restart {service}",
    "feature_flag": "If confirmed, switch the flag back",
    "out_of_memory": "If confirmed, raise the memory limit or go back to the version before",
    "cpu_saturation": "If confirmed, raise the CPU limit or scale {service} out",
    "certificate_expired": "If confirmed, renew the certificate and reload {service}",
    "image_pull_failure": "If confirmed, correct the image's name or tag, or its pull secret",
    "unschedulable": "If confirmed, correct the selector, request or claim, or add a node that fits",
    "schema_migration": "If confirmed, run the missing migration, or go back to the version that fits the schema",
}
_WORKLOADS: Final = ("deployment", "statefulset", "daemonset")
_CONFIGURATIONS: Final = ("configmap", "secret", "service", "ingress")
_ADDRESS: Final = re.compile(r"\b([a-z][\w-]*(?:\.[\w-]+)*|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})\b", re.IGNORECASE)
_TOLD: Final = re.compile(r"\(([^()\s]{3,80})\):")
_IMAGE: Final = re.compile(r"\bimage:?\s+[\"'\\]*([a-z0-9][\w.-]*(?:[/:][\w./-]+)+)")
_COMMAND: Final = re.compile(r"`[^`]*`")


def next_steps(incident: Incident, suspects: Sequence[Suspect]) -> tuple[str, ...]:
    """Concrete steps for the person on call, at most `MAX_STEPS`: checks of the first suspects, then one remedy.

    Names that the suspects give are filled in. No step before the last changes anything.
    """
    steps: dict[str, str] = {}  # by command: the same command is asked for once
    for suspect in suspects[:_SUSPECTS]:
        for step in _checks(suspect):
            steps.setdefault(" ".join(_COMMAND.findall(step)) or step, step)
    for step in _logs(incident, suspects):
        steps.setdefault(step, step)
    remedy = _remedy(suspects[0]) if suspects else None
    chosen = list(steps.values())[: MAX_STEPS - (remedy is not None)]
    return (*chosen, remedy) if remedy is not None else tuple(chosen)


def _checks(suspect: Suspect) -> Iterator[str]:
    names = _names(suspect)
    if suspect.kind is SuspectKind.CHANGE and suspect.evidence:
        entry = suspect.evidence[0]
        yield f"Ask who made the change at {entry.citation}, and what it contained"
    for check in _CHECKS.get(suspect.fault_type or "", ())[:2]:
        yield check.format_map(names)
    if suspect.function is not None and suspect.component is not None and suspect.fault_type != "code_defect":
        yield f"Read {suspect.function} in {suspect.component}: `git log -5 -p -- {suspect.component}`"
    elif suspect.kind is SuspectKind.KUBERNETES_EVENT and suspect.component is not None:
        yield f"Read the object and its events: `kubectl describe {suspect.component}`"


def _remedy(suspect: Suspect) -> str | None:
    kind = "bad_deploy" if suspect.kind is SuspectKind.CHANGE and suspect.fault_type is None else suspect.fault_type
    remedy = _REMEDIES.get(kind or "")
    return remedy.format_map(_names(suspect)) if remedy is not None else None


def _logs(incident: Incident, suspects: Sequence[Suspect]) -> Iterator[str]:
    """Where to read on: the log itself around the first evidence."""
    entry = next((entry for suspect in suspects for entry in suspect.evidence), None)
    if entry is None:
        entry = next((entry for anomaly in incident.anomalies for entry in anomaly.examples), None)
    if entry is not None:
        start = max(entry.position - 20, 1)
        yield f"Read on around the first evidence: `sed -n '{start},{entry.position + 20}p' {entry.source}`"
    yield 'Ask further: `cali ask "what happened just before?"`'


def _names(suspect: Suspect) -> dict[str, str]:
    """The names to fill in; a name that is not known stands as `<...>` for the reader to fill in."""
    service = suspect.service or "<service>"
    kind, _, name = (suspect.component or "").partition("/")
    placed = kind.isalpha() and bool(name) and kind.islower() and "." not in kind and suspect.function is None
    owner = workload(name) if placed and kind in ("pod", "replicaset") else service
    text = " ".join([suspect.cause, *(entry.text for entry in suspect.evidence[:2])])
    address = _ADDRESS.search(suspect.cause) or _ADDRESS.search(text)
    told = _TOLD.search(suspect.cause)
    what = told[1] if told else ""
    image = _IMAGE.search(text)
    host = what if re.fullmatch(r"[a-z][\w.-]+", what) else (address[1] if address else service)
    if suspect.kind is SuspectKind.PROPAGATION:
        host = address[1] if address else service
    names = {
        "service": service,
        "caller": f"deploy/{service}" if suspect.kind is not SuspectKind.PROPAGATION else "<a caller>",
        "workload": f"{kind}/{name}" if placed and kind in _WORKLOADS else f"deploy/{owner}",
        "object": f"{kind}/{name}" if placed else f"deployment/{service}",
        "pod": name if placed and kind == "pod" else f"deploy/{owner}",
        "name": name or service,
        "configuration": f"{kind}/{name}" if placed and kind in _CONFIGURATIONS else "configmap",
        "host": host,
        "address": f"{address[1]}:{address[2]}" if address else f"{host}:<port>",
        "what": image[1] if image and suspect.fault_type == "image_pull_failure" else (what or "<name>"),
        "file": suspect.component or "<file>",
    }
    return {key: _safe(value, key) for key, value in names.items()} | {"place": _place(suspect)}


def _place(suspect: Suspect) -> str:
    where = suspect.component or suspect.service or "the service"
    return f"{suspect.function} in {where}" if suspect.function else where


def _safe(value: str, key: str) -> str:
    """A name fit for a command line. Names come from logs, and logs are hostile: one with other signs is left out."""
    return value if re.fullmatch(r"(?:[\w./:@+-]|<[\w ]+>)+", value) else f"<{key}>"
