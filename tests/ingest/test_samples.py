"""Values that the learned state keeps, and what they are good for."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from detection_logs import START, analysed, traffic, write

from core.domain import AnomalyKind
from ingest.anomalies.remembered import MOST_RECALLED, Memory, decode, encode
from ingest.counts import HistoryRow, LearnedHistory
from ingest.pipeline import learn

YESTERDAY = START - timedelta(days=1)


def requests(seed: int, minutes: int, slow: float = 1.0, **times: object) -> list[str]:
    """Traffic in which requests take `slow` times as long, from the first line on, without any error."""

    def served(second: float, rng: random.Random) -> list[str]:
        return [f"INFO api GET /api/orders/{rng.randrange(10**6)} took {rng.randrange(20, 40) * slow:.0f}ms"] * (
            rng.random() < 0.8
        )

    return traffic(seed, minutes, served, **times)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> LearnedHistory:
    folder = tmp_path_factory.mktemp("known")
    return learn(analysed(write(folder / "yesterday.log", requests(1, 60, start=YESTERDAY))))


def test_a_fault_that_only_numbers_tell_is_found_by_what_was_learned(tmp_path: Path, known: LearnedHistory) -> None:
    slow = write(tmp_path / "today.log", requests(2, 30, slow=12.0))
    assert analysed(slow).incidents == ()  # by itself it is all the same
    found = analysed(slow, learned=known)
    assert found.reference.startswith("what 1 earlier run counted")
    assert [incident.services for incident in found.incidents] == [("api",)]
    shift = found.incidents[0].anomalies[0]
    assert shift.kind is AnomalyKind.NUMERIC_SHIFT
    assert isinstance(shift.observed, float) and isinstance(shift.expected, float)
    assert 8 < shift.observed / shift.expected < 16


@pytest.mark.parametrize("load", [0.7, 1.0, 1.5])
def test_another_healthy_period_is_none(tmp_path: Path, known: LearnedHistory, load: float) -> None:
    assert analysed(write(tmp_path / "today.log", requests(3, 30, load=load)), learned=known).incidents == ()


def test_without_times_several_runs_show_what_is_usual(tmp_path: Path) -> None:
    def lines(day: int, slow: float) -> str:
        rng = random.Random(day)
        (tmp_path / str(day)).mkdir()
        said = [f"lookup of {rng.randrange(10**6)} took {rng.randrange(20, 40) * slow:.0f} ms" for _ in range(600)]
        return write(tmp_path / str(day) / "app.log", said)

    past = LearnedHistory()
    for day in range(5):
        run = learn(analysed(lines(day, 1.0), learned=past), past)
        assert all(row.width == 0 and row.samples for row in run.rows())
        # Rows without times are ordered by the moment at which they were learned.
        past = LearnedHistory((*past.rows(), *(row._replace(bucket=row.bucket - 10 + day) for row in run.rows())))
    assert analysed(lines(7, 1.0), learned=past).incidents == ()
    slow = analysed(lines(8, 12.0), learned=past)
    assert [a.kind for i in slow.incidents for a in i.anomalies] == [AnomalyKind.NUMERIC_SHIFT]


def test_it_is_bounded_and_always_the_same(tmp_path: Path, known: LearnedHistory) -> None:
    again = learn(analysed(write(tmp_path / "yesterday.log", requests(1, 60, start=YESTERDAY))))
    assert [row.samples for row in again.rows()] == [row.samples for row in known.rows()]
    assert any(row.samples for row in known.rows())
    assert all(len(decode(row.samples)) <= 3 for row in known.rows())


def test_ids_and_free_text_are_not_kept(known: LearnedHistory) -> None:
    kept = {name for row in known.rows() for _, values in decode(row.samples) for name in values}
    texts = " ".join(row.samples for row in known.rows())
    assert any("took" in name for name in kept)
    assert not any("customer" in name or name == "order" for name in kept), kept
    assert "GET /api/orders/*" in texts


def test_an_incident_teaches_no_values(tmp_path: Path, known: LearnedHistory) -> None:
    slow = analysed(write(tmp_path / "today.log", requests(2, 30, slow=12.0)), learned=known)
    taught = [row for row in learn(slow, known).rows() if row.service == "api"]
    assert taught
    assert all(row.weight == 0.0 and not row.samples for row in taught)


def test_rows_of_an_older_state_are_read(tmp_path: Path, known: LearnedHistory) -> None:
    older = LearnedHistory(tuple(row._replace(samples="") for row in known.rows()))
    found = analysed(write(tmp_path / "today.log", requests(2, 30, slow=12.0)), learned=older)
    assert not any(a.kind is AnomalyKind.NUMERIC_SHIFT for i in found.incidents for a in i.anomalies)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "[2,[null,{}]]", "null", "17"])
def test_a_form_of_another_version_is_read_as_none(text: str) -> None:
    assert decode(text) == []


def test_what_is_encoded_is_decoded() -> None:
    messages = [("GET /a", {"took": "12ms"}), (None, {"state": "up", "depth": "3"})]
    assert decode(encode(messages)) == messages
    assert encode([(None, {})]) == ""


def test_the_latest_messages_are_recalled() -> None:
    text = encode([(None, {"n": "1"})] * 3)
    rows = [HistoryRow("a", 1, "", bucket, 1, 9, 3, 1.0, text) for bucket in range(500)]
    past = Memory(rows, {("a", bucket, 1): bucket for bucket in range(500)}).of(1, None)
    assert len(past) == MOST_RECALLED
    assert past[-1].column == 499
    assert [each.column for each in past] == sorted(each.column for each in past)


def test_what_messages_say_is_learned_as_they_are_judged(tmp_path: Path) -> None:
    def noisy(second: float, rng: random.Random) -> list[str]:
        what = rng.choice(["all is well", "lookup failed", "all is well again"])
        return [f"INFO dns query {rng.randrange(10**5)} reason='{what}'"] * (rng.random() < 0.1)

    past = learn(analysed(write(tmp_path / "yesterday.log", traffic(1, 60, noisy, start=YESTERDAY))))
    assert analysed(write(tmp_path / "today.log", traffic(2, 60, noisy)), learned=past).incidents == ()
