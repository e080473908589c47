"""The contract of `core.ports.IncidentStore`, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.engine import open_catalog
from catalog.incidents import CatalogIncidents
from core.domain import Anomaly, AnomalyKind, Evidence, Incident
from core.ports import IncidentStore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def store(catalog_url: str) -> Iterator[IncidentStore]:
    catalog = open_catalog(catalog_url)
    yield CatalogIncidents(catalog)
    catalog.close()


def incident(name: str, starts_at: datetime | None, *services: str) -> Incident:
    evidence = Evidence(
        "app.log", 3, starts_at, "checkout failed: '\u2028\x00\"", service="checkout", template_id=2**62
    )
    anomaly = Anomaly(
        AnomalyKind.NEW_VALUE, 2**62, "status <NUM>", "checkout", 17, "503", "200", 0.9, 0.001, "why", 4, starts_at,
        starts_at, (evidence,),
    )  # fmt: skip
    return Incident(
        name, name[:4], "high", "errors", "firing", starts_at, starts_at and starts_at + timedelta(minutes=5),
        services, "checkout fails", (anomaly,), labels={"team": "shop"},
    )  # fmt: skip


def test_what_was_saved_comes_back_equal(store: IncidentStore) -> None:
    saved = incident("abcd-1", NOON, "checkout", "payment")
    store.save([saved])
    assert store.get("abcd-1") == saved


def test_saving_again_replaces(store: IncidentStore) -> None:
    saved = incident("abcd-1", NOON, "checkout")
    store.save([saved])
    store.save([replace(saved, status="resolved")])
    assert store.list(None, None, None, 10) == [replace(saved, status="resolved")]


def test_a_unique_prefix_is_enough_and_an_ambiguous_one_finds_nothing(store: IncidentStore) -> None:
    store.save([incident("abcd-1", NOON), incident("abce-1", NOON), incident("abcd-12", NOON)])
    found = store.get("abce")
    assert found is not None and found.id == "abce-1"
    assert store.get("abc") is None
    exact = store.get("abcd-1")
    assert exact is not None and exact.id == "abcd-1"
    assert store.get("%") is None


def test_the_window_and_the_service_select_newest_first(store: IncidentStore) -> None:
    early = incident("early", NOON, "checkout")
    late = incident("late", NOON + timedelta(hours=2), "checkout", "payment")
    untimed = incident("untimed", None, "users")
    store.save([early, late, untimed])
    assert [i.id for i in store.list(None, None, None, 10)] == ["late", "early", "untimed"]
    assert [i.id for i in store.list(NOON + timedelta(hours=1), None, "checkout", 10)] == ["late"]
    assert [i.id for i in store.list(None, NOON + timedelta(hours=1), "checkout", 10)] == ["early"]
    assert [i.id for i in store.list(None, None, "pay", 10)] == []
    assert [i.id for i in store.list(None, None, None, 1)] == ["late"]
