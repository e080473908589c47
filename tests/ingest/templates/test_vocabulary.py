"""Words known to be values."""

from __future__ import annotations

import polars as pl

from ingest.templates import snapshots
from ingest.templates.merging import fingerprint, merge
from ingest.templates.miner import DrainMiner
from ingest.templates.vocabulary import Vocabulary

HOSTS = ("atlas", "orion", "hydra", "mercury", "vega", "rigel")


def texts(miner: DrainMiner, bodies: list[str]) -> set[str]:
    ids = miner.assign(pl.DataFrame({"body": bodies}))["template_id"]
    return {miner.text_of(miner.resolve(each)) for each in ids}


def test_five_words_at_one_place_are_values_and_events_never() -> None:
    known = Vocabulary()
    assert known.learn([("job", host, "ran") for host in HOSTS[:4]]) == set()
    assert known.learn([("job", host, "ran") for host in (*HOSTS, "up")]) == set(HOSTS)
    assert known.knows(["atlas", "orion", "unheard-of"])
    assert not known.knows(["atlas", "unheard-of"])
    assert not known.knows(["up"])


def test_what_varies_in_one_message_varies_in_others_before_and_after() -> None:
    few = [f"lost heartbeat of {host} twice" for host in HOSTS[:2]]
    many = [f"connected with {host} again" for host in HOSTS]
    assert texts(DrainMiner(), few) == set(few)
    assert texts(DrainMiner(), few + many) == {"lost heartbeat of <*> twice", "connected with <*> again"}
    miner = DrainMiner()
    miner.assign(pl.DataFrame({"body": many}))
    assert texts(miner, few) == {"lost heartbeat of <*> twice"}
    miner = DrainMiner()
    before = miner.assign(pl.DataFrame({"body": few}))["template_id"]
    miner.assign(pl.DataFrame({"body": many}))
    assert len({miner.resolve(each) for each in before}) == 1, "decided anew when the words are known"


def test_it_is_saved_and_merged(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "t"
    a, b = DrainMiner(), DrainMiner()
    a.assign(pl.DataFrame({"body": [f"connected with {host} again" for host in HOSTS]}))
    b.assign(pl.DataFrame({"body": [f"lost heartbeat of {host} twice" for host in HOSTS[:2]]}))
    snapshots.save(a, path)
    assert snapshots.load(path).vocabulary.words == a.vocabulary.words == set(HOSTS)
    assert "lost heartbeat of <*> twice" in {each.text for each in merge(a, b).templates().values()}
    assert fingerprint(merge(a, b)) == fingerprint(merge(b, a))
