# ruff: noqa: E501 - one sample per line
"""Two texts of different numbers of words: what they share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.templates.alignment import aligned


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Pkg current: Staged, limit: Absent", "Pkg current: Install Pending, limit: Absent", "Pkg current: <*>, limit: Absent"),
        ("a.exe (<NUM>) opening <HOST>", "The Helper.exe *<NUM> (<NUM>) opening <HOST>", "<*> (<NUM>) opening <HOST>"),
        ("failed: no route to host", "failed: timeout", "failed: <*>"),
        ("a b c d", "a d", "a <*> d"),
        ("same text", "same text", "same text"),
        ("", "now", "<*>"),
    ],
)  # fmt: skip
def test_what_is_shared_stays(a: str, b: str, expected: str) -> None:
    assert aligned(a, b) == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts(a: str, b: str) -> None:
    assert aligned(a, a) == a or "\x00" in a
    assert isinstance(aligned(a, b), str)
