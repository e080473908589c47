"""What a question wants, out of its words."""

from __future__ import annotations

import pytest

from cali.wish import Wish, wishes_of


@pytest.mark.parametrize(
    ("question", "wishes"),
    [
        ("why did checkout fail in the last 30 minutes?", {Wish.CAUSE}),
        ("what happened between 02:00 and 03:00?", {Wish.CAUSE}),
        ("and payment?", {Wish.CAUSE}),
        ("what is the root cause?", {Wish.CAUSE}),
        ("", {Wish.CAUSE}),
        ("what changed before it?", {Wish.CHANGES}),
        ("what was deployed today?", {Wish.CHANGES}),
        ("any recent deploys?", {Wish.CHANGES}),
        ("who restarted payment?", {Wish.CHANGES}),
        ("what happened just before?", {Wish.LEAD_UP}),
        ("what came first", {Wish.LEAD_UP}),
        ("show me the timeline", {Wish.LEAD_UP}),
        ("is inventory healthy?", {Wish.HEALTH}),
        ("was the users service down at 14:05?", {Wish.HEALTH}),
        ("anything wrong with checkout?", {Wish.HEALTH}),
        ("did payment recover?", {Wish.HEALTH}),
        ("when did it start?", {Wish.WHEN}),
        ("how long was checkout down", {Wish.WHEN}),
        ("why is checkout down?", {Wish.CAUSE}),
        ("has this happened before?", {Wish.SEEN_BEFORE}),
        ("have we seen this before?", {Wish.SEEN_BEFORE}),
        ("did it occur previously", {Wish.SEEN_BEFORE}),
        ("any similar incidents?", {Wish.SEEN_BEFORE}),
        ("what should I check?", {Wish.NEXT}),
        ("how can I fix it?", {Wish.NEXT}),
        ("what changed, and what should we do?", {Wish.CHANGES, Wish.NEXT}),
    ],
)
def test_a_question_says_what_it_wants(question: str, wishes: set[Wish]) -> None:
    assert wishes_of(question) == wishes
