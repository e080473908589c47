"""Questions as people type them: which service, which time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cali.naming import meant
from cali.question import services_of, window_of

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # a Saturday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("why did checkout fail in the last 30 minutes?", "2026-11-21 14:30", "2026-11-21 15:00"),
        ("what happened in the past hour", "2026-11-21 14:00", "2026-11-21 15:00"),
        ("errors of the last half an hour?", "2026-11-21 14:30", "2026-11-21 15:00"),
        ("last 2h please", "2026-11-21 13:00", "2026-11-21 15:00"),
        ("anything odd since 14:10?", "2026-11-21 14:10", "2026-11-21 15:00"),
        ("since yesterday 22:00, why is payment slow", "2026-11-20 22:00", "2026-11-21 15:00"),
        ("what broke between 10:00 and 11:30?", "2026-11-21 10:00", "2026-11-21 11:30"),
        ("between 9 and 11am", "2026-11-21 09:00", "2026-11-21 11:00"),
        ("why was users down from 23:00 to 23:30 yesterday?", "2026-11-20 23:00", "2026-11-20 23:30"),
        ("why did it fail at 14:05?", "2026-11-21 13:50", "2026-11-21 14:20"),
        ("what failed around 16:00?", "2026-11-20 15:45", "2026-11-20 16:15"),
        ("what happened yesterday?", "2026-11-20 00:00", "2026-11-21 00:00"),
        ("what happened today?", "2026-11-21 00:00", "2026-11-21 15:00"),
        ("last night checkout was slow", "2026-11-20 18:00", "2026-11-21 06:00"),
        ("why did the job fail on 2026-11-02?", "2026-11-02 00:00", "2026-11-03 00:00"),
        ("what failed at 2026-11-20T10:00:00Z?", "2026-11-20 09:45", "2026-11-20 10:15"),
    ],
)
def test_windows(question: str, start: str, end: str) -> None:
    window = window_of(question, now=NOW, zone=UTC)
    assert window is not None
    assert (window.start, window.end) == (at(start), at(end))


def test_a_question_without_a_time_names_none() -> None:
    assert window_of("why did checkout fail?", now=NOW, zone=UTC) is None


def test_naive_times_are_in_the_zone_of_the_one_who_asks() -> None:
    window = window_of("what broke between 10:00 and 11:00?", now=NOW, zone=ZoneInfo("Asia/Seoul"))
    assert window is not None and window.start == at("2026-11-21 01:00")


def test_services_are_whole_words_and_the_longest_wins() -> None:
    known = ("pay", "payment", "payment-worker", "users")
    assert services_of("Why is the payment worker stuck?", known) == ("payment-worker",)
    assert services_of("payment and USERS", known) == ("payment", "users")
    assert services_of("repayment of prepay", known) == ()
    assert services_of("why?", known) == ()


@given(st.text(max_size=80))
def test_no_question_raises(text: str) -> None:
    window = window_of(text, now=NOW, zone=UTC)
    assert (
        window is None or window.start is None or window.end is None or window.start <= window.end + timedelta(days=2)
    )
    services_of(text, ["checkout", "a.b*c"])


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("지난 30분 동안 무슨 일이 있었나요?", "2026-11-21 14:30", "2026-11-21 15:00"),
        ("최근 1시간", "2026-11-21 14:00", "2026-11-21 15:00"),
        ("10시부터 11시 반까지 왜 실패했나요?", "2026-11-21 10:00", "2026-11-21 11:30"),
        ("오후 1시 이후 무슨 문제가 있었나요", "2026-11-21 13:00", "2026-11-21 15:00"),
        ("2시간 전에 무슨 일이?", "2026-11-21 12:45", "2026-11-21 13:15"),
        ("어제 결제가 왜 실패했나요?", "2026-11-20 00:00", "2026-11-21 00:00"),
        ("what happened 2 hours ago?", "2026-11-21 12:45", "2026-11-21 13:15"),
        ("an hour ago checkout failed", "2026-11-21 13:45", "2026-11-21 14:15"),
    ],
)
def test_times_in_korean_and_ago(question: str, start: str, end: str) -> None:
    window = window_of(question, now=NOW, zone=UTC)
    assert window is not None and (window.start, window.end) == (at(start), at(end))


@pytest.mark.parametrize("words", ["this morning", "this afternoon", "tonight", "last night"])
@pytest.mark.parametrize("hour", [0, 2, 13, 19])
def test_a_part_of_a_day_is_never_in_the_future(words: str, hour: int) -> None:
    now = NOW.replace(hour=hour, minute=30)
    window = window_of(f"what happened {words}?", now=now, zone=UTC)
    assert window is not None and window.start is not None and window.end is not None
    assert window.start < window.end <= now


KNOWN = ["checkout", "inventory", "payment"]


@pytest.mark.parametrize(
    ("question", "services", "note"),
    [
        ("why did chekout fail?", ("checkout",), "checkout"),
        ("and what about payments?", ("payment",), "payment"),
        ("why did the shipping service fail?", (), "No service called shipping"),
        ("is redis healthy?", (), "No service called redis"),
        ("what happened to kafka yesterday?", (), "checkout, inventory, payment"),
        ("why did payment fail?", ("payment",), ""),
        ("why did it fail?", (), ""),
        ("why is everything slow?", (), ""),
        ("is anything broken?", (), ""),
        ("what happened in the last hour?", (), ""),
        ("why?", (), ""),
    ],
)
def test_a_service_that_is_not_there_is_told(question: str, services: tuple[str, ...], note: str) -> None:
    found = meant(question, KNOWN)
    assert found.services == services
    assert note in found.note and bool(found.note) == bool(note)
