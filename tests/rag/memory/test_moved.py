"""The number that moved: read off its anomaly, kept as a sign, and what incidents without an error are found by."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from core.domain import Anomaly, AnomalyKind
from core.findings import Finding
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner
from rag.memory.documents import document_of_findings
from rag.memory.moved import Moved, moved_number
from rag.memory.signature import features, nearest
from rag.memory.signs import signs, signs_of

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def anomaly(
    why: str,
    observed: float | str = 30.0,
    expected: float | str | None = 3.0,
    kind: AnomalyKind = AnomalyKind.NUMERIC_SHIFT,
) -> Anomaly:
    return Anomaly(
        kind=kind,
        template_id=1,
        template="queue stats",
        service="worker",
        severity=9,
        observed=observed,
        expected=expected,
        score=0.9,
        p_value=1e-9,
        why=why,
        count=10,
        first_seen=START,
        last_seen=START,
    )


@pytest.mark.parametrize(
    ("why", "name"),
    [
        ("waiting: 90th percentile 1227 where 2.4 is usual (166.5x; 35 samples against 7)", "waiting"),
        ("oldestMs: median 8.8e+05 ms where 401.5 ms is usual (2170.3x; 58 samples against 8)", "oldestms"),
        ("rt of POST /api/cart/*/items: median 3 where 1 is usual (3.0x)", "rt-of-post-api-cart-items"),
        ("durations of 14 kinds of request: median 3 times the usual where 1 times is usual", "durations"),
    ],
)
def test_a_number_has_the_name_that_the_log_gives_it(why: str, name: str) -> None:
    assert moved_number(anomaly(why)) == Moved(name, 10.0)


def test_it_tells_by_how_far_it_moved() -> None:
    why = "waiting: median"
    tenfold, tenth = moved_number(anomaly(why, 50.0, 5.0)), moved_number(anomaly(why, 5.0, 50.0))
    assert tenfold is not None and (tenfold.direction, tenfold.strength) == ("up", 1.0)
    assert tenth is not None and (tenth.direction, round(tenth.strength, 9)) == ("down", 1.0)
    doubled, more = moved_number(anomaly(why, 10.0, 5.0)), moved_number(anomaly(why, 5000.0, 5.0))
    assert doubled is not None and doubled.strength == pytest.approx(math.log10(2))
    assert more is not None and more.strength == 1.0
    appeared, gone = moved_number(anomaly(why, 5.0, 0.0)), moved_number(anomaly(why, 0.0, 5.0))
    assert appeared is not None and (appeared.direction, appeared.strength) == ("up", 1.0)
    assert gone is not None and (gone.direction, gone.strength) == ("down", 1.0)


@pytest.mark.parametrize(
    "other",
    [
        anomaly("waiting: median", 6.0, 5.0),
        anomaly("waiting: median", 0.0, 0.0),
        anomaly("waiting: median", -5.0, 5.0),
        anomaly("waiting: median", 5.0, None),
        anomaly("waiting: median", "a", "b"),
        anomaly("no name of a number", 50.0, 5.0),
        anomaly("---: median", 50.0, 5.0),
        anomaly("waiting: median", 50.0, 5.0, AnomalyKind.RATE_SPIKE),
    ],
    ids=["hardly", "nothing", "negative", "unknown", "text", "no sentence", "no word", "another kind"],
)
def test_what_is_no_number_that_moved(other: Anomaly) -> None:
    assert moved_number(other) is None


def test_incidents_are_near_by_the_number_that_moved_and_nearer_at_the_same_service() -> None:
    def shown(name: str, service: str) -> dict[str, float]:
        moved = Anomaly(**{**_fields(anomaly(f"{name}: median", 50.0, 5.0)), "service": service})
        return dict(features(signs((), [(moved, 0.2)])))

    found = nearest(
        shown("waiting", "worker"),
        {
            "same": shown("waiting", "worker"),
            "other service": shown("waiting", "mailer"),
            "other number": shown("open_fds", "worker"),
        },
    )
    scores = dict(found)
    assert scores["same"] == pytest.approx(1.0)
    assert 1.0 > scores["other service"] > 0
    assert scores.get("other number", 0.0) < 1.0


def test_a_queue_that_fills_is_remembered_by_its_number(tmp_path: Path) -> None:
    lines = []
    for second in range(0, 3600, 20):
        waiting = 2 + second // 20 % 3 if second < 2400 else 400 + second
        record = {"level": "info", "service": "worker", "msg": "queue stats", "waiting": waiting, "queue": "mail"}
        lines.append({"time": (START + timedelta(seconds=second)).isoformat(), **record})
        lines.append({"time": (START + timedelta(seconds=second + 7)).isoformat(), "service": "worker", "msg": "sent"})
    log = tmp_path / "worker.log"
    log.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    detection = detect(
        open_sources([str(log)]).sources,
        miner=DrainMiner(),
        options=DetectionOptions(threads=1),
        observed_at=START,
    )
    assert detection.incidents
    document = document_of_findings("d", [Finding(incident, ()) for incident in detection.incidents])
    moved = [(sign.name, sign.service, sign.weight) for sign in signs_of(document) if sign.kind == "moved"]
    assert ("waiting.up", "worker", 2.0) in moved


def _fields(one: Anomaly) -> dict[str, object]:
    return {name: getattr(one, name) for name in Anomaly.__dataclass_fields__}
