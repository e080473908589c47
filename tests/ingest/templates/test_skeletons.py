"""What stays of a text when its values are left out."""

from __future__ import annotations

from ingest.templates.skeletons import are_free, beginnings, emptied, skeleton


def test_texts_of_the_same_keys_have_one_skeleton() -> None:
    one = skeleton("Pkg: <*> current: Install Pending, start: Staged, limit: Absent")
    assert one == skeleton("Pkg: <ID>~<NUM> current: Staged, start: Superseded, limit: <*>")
    assert one != skeleton("Pkg: <*> current: Staged, start: Staged, target: Absent")
    assert one != skeleton("Update: <*> current: Staged, start: Staged, limit: Absent")


def test_values_of_many_words_are_text_and_tell_events_apart() -> None:
    refused = skeleton("node=<ID> code=<NUM> reason: the connection was refused by peer")
    assert refused != skeleton("node=<ID> code=<NUM> reason: no space left on the device")


def test_a_text_is_not_told_by_one_key_or_by_its_speaker() -> None:
    assert skeleton("kernel: out of memory") is None
    assert skeleton("kernel: oom score: <NUM>") is None


def test_beginnings_have_two_words() -> None:
    assert list(beginnings("ERROR: cannot connect: Connection refused")) == ["ERROR: cannot connect: "]


def test_free_text_goes_on_in_many_ways_of_several_lengths() -> None:
    several = {"timeout", "no route to host", "connection refused", "reset by peer"}
    assert not are_free(several, 8)
    assert are_free({*several, "end of file", "bad gateway", "host is down now", "broken pipe"}, 8)
    assert not are_free({f"step {word}" for word in "abcdefghij"}, 8), "all of two words: a value"
    assert are_free({"<*>", "a new one", "another quite new one"}, 8), "some were joined already"


def test_what_is_enclosed_is_left_out_but_for_events() -> None:
    def reduced(text: str) -> set[str]:
        return {each for _, each in emptied(text)}

    assert reduced("link lost on eth (timed out)") == reduced("link lost on eth (peer left)") != set()
    assert reduced("link of eth (up)") == set()
    assert reduced("start Intent { act=<*> dat=<URL> } now") == reduced("start Intent { act=<*> } now")
    assert reduced("[GetQuote] completed request") == set(), "what a text begins with is a name for it"
    assert reduced('request "GET <URL>" was served') == set(), "wildcards among words: a structure of its own"
    assert reduced("(none)") == set(), "nothing is told outside"
