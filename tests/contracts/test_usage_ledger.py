"""The contract of `core.ports.UsageLedger`: in memory, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from catalog.engine import open_catalog
from catalog.usage import CatalogUsage
from core.chat import Usage
from core.ports import UsageLedger
from rag.budget import MemoryLedger

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UsageLedger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    sqlite = f"sqlite:///{tmp_path / 'catalog.db'}"
    catalog = open_catalog(sqlite if request.param == "sqlite" else request.getfixturevalue("empty_postgresql"))
    yield CatalogUsage(catalog)
    catalog.close()


def test_nothing_was_spent_on_a_fresh_day(ledger: UsageLedger) -> None:
    assert ledger.spent(DAY).usage == Usage()
    assert ledger.spent(DAY).day == DAY


def test_a_day_adds_up_over_models_and_apart_from_other_days(ledger: UsageLedger) -> None:
    ledger.add(DAY, "small", Usage(100, 10, 0.5))
    ledger.add(DAY, "small", Usage(100, 10, 0.25))
    ledger.add(DAY, "large", Usage(1000, 1, None))
    ledger.add(NEXT, "small", Usage(7, 7, 7.0))
    assert ledger.spent(DAY).usage == Usage(1200, 21, 0.75)
    assert ledger.spent(NEXT).usage == Usage(7, 7, 7.0)


def test_what_was_charged_too_much_is_given_back(ledger: UsageLedger) -> None:
    ledger.add(DAY, "m", Usage(5000, 1500, 1.0))
    ledger.add(DAY, "m", Usage(-4000, -1400, -0.75))
    assert ledger.spent(DAY).usage == Usage(1000, 100, 0.25)
