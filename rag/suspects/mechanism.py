"""Which of several faults is the mechanism, and which only its occasion or its effect.

A roll-out is told beside the leak that it brought, a crash beside the unset variable behind it, a silence beside the
refused connections of what fell silent. Each rule here says which of two proposals steps behind; none raises a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.domain import Category, SuspectKind
from rag.suspects.clocks import keeps_time
from rag.suspects.lexicon import NOT_RENEWED, PRESENTED, REDIS_FULL
from rag.suspects.names import is_product
from rag.suspects.objects import is_platform
from rag.suspects.proposal import EFFECTS, Proposal

BEHIND: Final = 0.7
"""How far a proposal steps back that another one explains."""
DIRECT: Final = 0.75
"""Strength from which a proposal names a mechanism."""

_BROUGHT: Final = {
    "bad_deploy": frozenset({"code_defect", "bad_input"}),
    "feature_flag": frozenset({"code_defect", "bad_input"}),
    "version_mismatch": frozenset({"code_defect", "bad_input"}),
    "bad_config": frozenset({"dns_failure"}),
    "schema_migration": frozenset({"constraint_violation"}),
}
"""What a change makes visible in the service that was changed: the defect is told, the change brought it."""

_OCCASIONS: Final = frozenset({"bad_deploy", "bad_config", "schema_migration"})
"""Changes say when a fault came, not what it is: they step behind the mechanism that they set off."""
_MECHANISMS: Final = frozenset(
    {
        "missing_env_var",
        "image_pull_failure",
        "unschedulable",
        "eviction",
        "node_not_ready",
        "queue_backlog",
        "connection_refused",
        "schema_migration",
        "certificate_expired",
        "credential_expired",
        "permission_denied",
        "version_mismatch",
        "feature_flag",
        "lock_contention",
    }
)
_GENERIC: Final = frozenset({"code_defect", "bad_input"})
"""Faults that say no more than that the program failed on something."""
_OF_LINK: Final = frozenset({"dependency_down", "dependency_slow", "cache_failure", "connection_refused"})
_NODES: Final = frozenset({"kernel", "node"})
"""Services that a node's own log is filed under."""


def settle(items: Sequence[Proposal]) -> list[Proposal]:
    """The proposals, those behind another one with what speaks against them."""
    return [_behind(item, items) for item in items]


def _behind(item: Proposal, others: Sequence[Proposal]) -> Proposal:
    remote = max((_distance(item, other) for other in others if other is not item), default=0.0)
    if remote <= item.facts.remote:
        return item
    return replace(item, facts=replace(item.facts, remote=remote))


def _distance(item: Proposal, other: Proposal) -> float:
    """How far `item` steps behind `other`, 0 where the two are independent."""
    same = item.service == other.service
    return max(
        _effect(item, other, same), _brought(item, other, same), _same_fault(item, other, same), _silenced(item, other)
    )


def _effect(item: Proposal, other: Proposal, same: bool) -> float:
    """A bare crash loop or failed probe gives way where its service has a proposal that says why; a defect that stops
    every start gives way to the crash loop that it is."""
    if not same:
        if item.fault_type in _OF_LINK and other.fault_type == "network_partition" and _cut_off(item, other):
            return BEHIND
        if item.fault_type == "network_partition" and _on_lost_node(item, other):
            return BEHIND
        lost = other.fault_type == "packet_loss" and item.fault_type in _OF_LINK
        return BEHIND if lost and item.service is not None and item.service in other.words else 0.0
    if item.fault_type in EFFECTS and item.facts.strength < 0.8 and _explains(other):
        return 0.0 if item.fault_type == "crash_loop" and other.fault_type in _GENERIC else 1.0
    if item.fault_type in _GENERIC and other.fault_type == "crash_loop" and other.facts.state >= 0.3:
        return BEHIND
    return BEHIND if other.fault_type == "packet_loss" and item.fault_type in _OF_LINK else 0.0


def _on_lost_node(item: Proposal, other: Proposal) -> bool:
    """Whether the node of what cannot be reached is itself reported as lost."""
    lost = other.fault_type == "node_not_ready" and other.facts.state >= 0.3
    return lost and item.component is not None and item.component == other.component


def _cut_off(item: Proposal, other: Proposal) -> bool:
    """Whether what callers miss is told by a service that has no route itself: its network is cut, not the callee."""
    told = other.facts.strength >= 0.8 and other.facts.novelty >= 0.6
    return told and item.kind is SuspectKind.PROPAGATION and {e.service for e in item.evidence} == {other.service}


def _brought(item: Proposal, other: Proposal, same: bool) -> float:
    """What a change makes visible behind the change; a change behind the mechanism that it only set off."""
    if item.fault_type in _BROUGHT.get(other.fault_type or "", ()) and other.facts.change >= 0.4:
        place = (item.component, item.function) == (other.component, other.function) or item.fault_type not in _GENERIC
        if (same and place) or (other.fault_type == "version_mismatch" and not same):
            return 1.0
        if other.fault_type == "schema_migration" and item.component == other.component:
            return 1.0
    if other.kind is SuspectKind.CHANGE and other.fault_type == "data_corruption" and _on_its_data(item, other):
        return 1.0
    migrated = other.kind is SuspectKind.CHANGE and other.fault_type == "schema_migration" and not same
    if migrated and item.fault_type == "schema_migration" and item.component == other.component and item is not other:
        return BEHIND  # another service changed the table that it reads
    if same and item.kind is SuspectKind.CHANGE and item.fault_type is None and _failed(other):
        return BEHIND
    changed = item.facts.change >= 0.4 or item.fault_type != "schema_migration"
    if same and changed and item.fault_type in _OCCASIONS and _is_mechanism(item, other):
        return BEHIND
    return 0.0


def _on_its_data(item: Proposal, other: Proposal) -> bool:
    """Whether a proposal tells of the statement that changed the data, or of those that failed on it since."""
    statement = item.fault_type == "slow_query" and item.evidence[:1] == other.evidence[:1]
    return statement or (item.fault_type in _GENERIC and item.service in other.words)


def _same_fault(item: Proposal, other: Proposal, same: bool) -> float:
    """Of several that tell one fault: the workload before its node, the node before its pods, the cache before its
    clients, the resolver before those that cannot resolve, the pod that took
    the node's resources before those evicted for it; and the leak before the kills that it ends in."""
    leaks = other.fault_type == "memory_leak" and other.facts.strength >= DIRECT
    if item.fault_type == "out_of_memory" and leaks and (same or _of_platform(item)):
        return 1.0
    pressed = item.fault_type == "memory_leak" and item.facts.strength < DIRECT
    if pressed and same and other.fault_type == "out_of_memory":
        return BEHIND  # short of memory, and then out of it: no more is told of a leak
    cut_off = item.fault_type in ("node_not_ready", "heartbeat_missing") and other.fault_type == "network_partition"
    told = item.facts.state >= 0.5  # by Kubernetes, which knows its nodes
    if cut_off and not told and item.component is not None and item.component == other.component:
        return BEHIND  # the machine is lost because nothing reaches it
    if item.fault_type != other.fault_type or other.service is None:
        return 0.0
    if item.fault_type in ("out_of_memory", "memory_leak") and _of_platform(item) and not _of_platform(other):
        return BEHIND
    if item.fault_type == "eviction" and other.facts.exhausted >= 1.0 > item.facts.exhausted and not same:
        return BEHIND  # evicted for what another pod used
    if item.service in _NODES and other.service not in _NODES:
        return BEHIND  # what a node tells of itself, behind the service that it strikes
    if item.fault_type == "node_not_ready" and not is_platform(item.service) and is_platform(other.service):
        return BEHIND
    of_cache = item.fault_type == "cache_failure" or REDIS_FULL in item.cause
    if of_cache and not is_product(item.service or "") and is_product(other.service):
        return BEHIND
    if (
        item.fault_type == "certificate_expired"
        and NOT_RENEWED in other.cause
        and (same or NOT_RENEWED not in item.cause)
    ):
        return 1.0  # it ran out because it could not be renewed
    if item.fault_type == "certificate_expired" and PRESENTED in other.cause and not same:
        return BEHIND  # who refuses a certificate, behind who presents it
    if item.fault_type == "clock_skew" and keeps_time(other.service) and not keeps_time(item.service):
        return BEHIND
    resolver = item.fault_type == "dns_failure" and other.component in (
        f"deployment/{other.service}",
        f"configmap/{other.service}",
    )
    return BEHIND if resolver and not same else 0.0


def _explains(other: Proposal) -> bool:
    return other.fault_type not in EFFECTS and other.facts.strength >= 0.7


def _failed(other: Proposal) -> bool:
    """Whether a proposal tells what went wrong since: more than that something was scaled or started again."""
    told = other.fault_type not in (None, "heartbeat_missing") and other.facts.strength >= 0.4
    return told and other.facts.novelty >= 0.3 and other.facts.remote < BEHIND


def _is_mechanism(occasion: Proposal, other: Proposal) -> bool:
    if other.facts.strength < DIRECT or (other.fault_type in EFFECTS and other.facts.strength < 0.8):
        return False
    if other.fault_type == occasion.fault_type or other.facts.remote >= BEHIND:
        return False
    resource = other.category in (Category.RESOURCE, Category.KUBERNETES)
    return resource or other.fault_type in _MECHANISMS


def _silenced(item: Proposal, other: Proposal) -> float:
    """A silence that something told explains: its service fails, was changed, or its platform's agent is concerned."""
    return 1.0 if item.fault_type == "heartbeat_missing" and _told(item, other) else 0.0


def _told(item: Proposal, other: Proposal) -> bool:
    if other.fault_type == "heartbeat_missing":
        return is_platform(item.service) and other.service is not None and not is_platform(other.service)
    told = other.facts.strength >= 0.6 and other.facts.novelty >= 0.3
    if is_platform(item.service) or item.service is None:
        return told
    return item.service == other.service and told and other.facts.remote < BEHIND


def _of_platform(item: Proposal) -> bool:
    return item.service is None or is_platform(item.service) or (item.component or "").startswith("node/")
