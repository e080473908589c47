"""Change events by what messages say."""

from __future__ import annotations

import pytest

from core.domain import ChangeKind
from ingest.changes import change_kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("deployed version 1.4.2 of checkout", ChangeKind.DEPLOY),
        ("rolling update of deployment/payment started", ChangeKind.DEPLOY),
        ('Successfully pulled image "shop/users:2.1"', ChangeKind.DEPLOY),
        ("configuration reloaded", ChangeKind.CONFIG),
        ("feature flag new-checkout enabled for 25 %", ChangeKind.CONFIG),
        ("received SIGHUP, reloading configuration files", ChangeKind.CONFIG),
        ("migration 0042_add_column applied", ChangeKind.MIGRATION),
        ("ALTER TABLE orders ADD COLUMN note text", ChangeKind.MIGRATION),
        ("Scaled up replica set checkout-75d8 to 3", ChangeKind.SCALE),
        ("Started container app", ChangeKind.RESTART),
        ("received SIGTERM, stopping", ChangeKind.RESTART),
        ("database system is ready to accept connections", ChangeKind.RESTART),
        ("Starting payment version 1.4.2", ChangeKind.RESTART),
    ],
)
def test_changes_are_recognised(message: str, kind: ChangeKind) -> None:
    assert change_kind(message) is kind


@pytest.mark.parametrize(
    "message",
    [
        "order 42 placed in 300 ms",
        "failed to deploy version 2",
        "Back-off restarting failed container app",
        'Container image "shop/users:2.1" already present on machine',
        "StrategyType:           RollingUpdate",
        "/usr/lib/x.py:345: UserWarning: Valid config keys have changed in V2",
        "user changed the language",
        "Search started for query chair",
        "Temporarily overriding HOME='/home/runner' before making global git config changes",
    ],
)
def test_other_news_are_none(message: str) -> None:
    assert change_kind(message) is None
