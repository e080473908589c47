"""Every fault type that the simulator can plant."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.errors import ConfigError
from eval.simulator.faults import (
    data,
    database,
    dependency,
    deploy_config,
    kubernetes,
    network,
    nodes,
    pools,
    resource,
    security,
)
from eval.simulator.faults.base import Fault

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        fault.type: fault
        for module in (deploy_config, dependency, database, pools, resource, network, data, security, kubernetes, nodes)
        for fault in module.FAULTS
    }
)
"""Faults by type, category by category."""


def fault_named(name: str) -> Fault:
    """The fault of a type. Raises ConfigError that lists the known ones."""
    fault = FAULTS.get(name)
    if fault is None:
        raise ConfigError("--faults", name, f"one of {', '.join(FAULTS)}")
    return fault
