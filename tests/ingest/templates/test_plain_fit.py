from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.templates.parameters import _plainly, examples, extract
from ingest.templates.plain_fit import BLANKS, fit
from ingest.templates.words import WILDCARD

_PIECES = st.sampled_from(["<NUM>", "<*>", "<STR>", "<IP>", "user", " ", ":", "=", "a", "..", "("])
_WORDS = st.sampled_from(["7", "10.0.0.1", "user", " ", "  ", "\u2003", "\x1c", ":", "=", "a", "..", "(", "x y", ""])


@given(st.lists(_PIECES, min_size=1, max_size=8).map("".join), st.data())
@settings(deadline=None, max_examples=300)
def test_values_are_those_of_the_expression(template: str, data: st.DataObject) -> None:
    made = st.lists(_WORDS, max_size=8).map("".join)
    filled = st.lists(_WORDS, min_size=8, max_size=8).map(
        lambda words: WILDCARD.sub(lambda _: words.pop() if words else "", template)
    )
    bodies = [text.replace("\n", " ") for text in data.draw(st.lists(made | filled, min_size=1, max_size=3))]
    values = _plainly(template, bodies)
    if values is not None:
        found = extract(template, pl.Series("body", bodies, dtype=pl.String))
        assert [list(column) for column in values] == [column.to_list() for column in found.get_columns()]


def test_a_value_goes_on_until_the_next_literal() -> None:
    assert fit(["from ", " port ", ""], [True, True], "from 10.0.0.1 port 22") == ("10.0.0.1", "22")
    assert fit(["", ": ", ""], [False, False], "a: b: c") == ("a", "b: c")


def test_what_does_not_fit_at_first_sight_is_left_to_the_expression() -> None:
    assert fit(["from ", ""], [True], "to 10.0.0.1") is None
    assert fit(["from ", ""], [True], "from a b") is None
    assert fit(["from ", " x"], [True], "from x") is None
    assert examples("from <IP>", ["from  10.0.0.1"]) == (("IP", ("10.0.0.1",)),)


def test_blanks_are_those_of_the_engine() -> None:
    every = pl.Series([chr(code) for code in range(0x3100)])
    assert set(every.filter(every.str.contains(r"^\s$"))) == set(BLANKS)
