"""Parameters: typed values, and the way back to the message."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.templates.miner import DrainMiner
from ingest.templates.parameters import Parameters, columns, examples, extract, match, recover, types

TEMPLATE = "Invalid user <*> from <IP> port <NUM>"
_PIECES = st.sampled_from(
    [
        " ",
        "  ",
        "\t",
        "user",
        "=",
        "7",
        "10.0.0.1",
        "/a/b",
        "(x)",
        "<NUM>",
        "<",
        ">",
        "é",
        "a.b",
        "\n",
        "0x1",
        ":",
        '"',
        ".",
    ]
)


def test_types_and_columns() -> None:
    assert types(TEMPLATE) == ("*", "IP", "NUM")
    assert columns(TEMPLATE) == ("1:*", "2:IP", "3:NUM")


def test_extract_gives_a_column_per_wildcard() -> None:
    bodies = pl.Series(
        ["Invalid user bob from 10.0.0.1 port 22", "Invalid user  a b  from 10.0.0.2 port 23", "other", None]
    )
    found = extract(TEMPLATE, bodies)
    assert found.rows() == [
        ("bob", "10.0.0.1", "22"),
        ("a b", "10.0.0.2", "23"),
        (None, None, None),
        (None, None, None),
    ]
    assert extract("no wildcards", bodies).height == 4


def test_a_list_stands_at_one_wildcard() -> None:
    assert extract("delete <ID>", pl.Series(["delete blk_11", "delete blk_11 blk_22"])).rows() == [
        ("blk_11",),
        ("blk_11 blk_22",),
    ]


def test_match_and_recover() -> None:
    body = "Invalid user  bob from 10.0.0.1 port 22 \nsecond line"
    found = match(TEMPLATE, body)
    assert found is not None
    assert found.values == ("bob", "10.0.0.1", "22")
    assert recover(TEMPLATE, found) == body
    assert match(TEMPLATE, "other") is None
    with pytest.raises(ValueError, match="another template"):
        recover(TEMPLATE, Parameters((), ("",)))


def test_examples_are_distinct() -> None:
    assert examples("took <NUM> ms", ["took 5 ms", "took 5 ms", "took 7 ms"]) == (("NUM", ("5", "7")),)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_PIECES, max_size=12).map("".join), min_size=1, max_size=20))
def test_any_mined_message_comes_back_from_its_template_and_parameters(messages: list[str]) -> None:
    miner = DrainMiner()
    ids = [miner.resolve(each) for each in miner.assign(pl.DataFrame({"body": messages}))["template_id"]]
    texts = miner.templates()
    for body, template_id in zip(messages, ids, strict=True):
        found = match(texts[template_id].text, body)
        assert found is not None, (body, texts[template_id].text)
        assert recover(texts[template_id].text, found) == body
