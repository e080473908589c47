"""What programs write into messages besides numbers: names, lists, quoted text, JSON, sizes. One template each."""

from __future__ import annotations

import random
from collections.abc import Callable

import polars as pl
import pytest

from ingest.templates.miner import DrainMiner

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
PLUGINS = ("auth", "cache", "search", "metrics", "audit", "export", "cron", "mail")
DRAW = random.Random(5)


def word(size: int = 5) -> str:
    return "".join(DRAW.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(size))


def phrase(most: int = 5) -> str:
    return " ".join(word(DRAW.randrange(3, 8)) for _ in range(DRAW.randrange(1, most)))


def number(below: int = 1000) -> int:
    return DRAW.randrange(below)


def some(write: Callable[[], str], count: int = 12) -> list[str]:
    return [write() for _ in range(count)]


EVENTS: dict[str, list[str]] = {
    "a user": [f"User {name} logged in from 10.1.2.{number(255)}" for name in NAMES],
    "another event of a user": [f"User {name} logged out" for name in NAMES],
    "a list in brackets": [
        f"Selected nodes [{', '.join(f'node-{word(4)}' for _ in range(k))}] for shard {k}" for k in range(1, 9)
    ],
    "a list of numbered names": [
        f"Assigned partitions: {', '.join(f'orders-{i}' for i in range(k))}" for k in range(1, 9)
    ],
    "a list of words": [f"Loaded plugins: {', '.join(DRAW.sample(PLUGINS, k))}" for k in range(2, 8)],
    "a list of words in brackets": [f"Enabled features [{', '.join(DRAW.sample(PLUGINS, k))}]" for k in range(1, 8)],
    "quoted text": some(lambda: f'Search query "{phrase()}" returned {number()} results', 20),
    "text in single quotes": some(lambda: f"Renamed dashboard '{phrase()}' by {DRAW.choice(NAMES)}", 20),
    "states of a pair": [f"job={number()} status={s} queue={q}" for s in ("pending", "done", "failed") for q in "ab"],
    "a request in pairs": [
        f"request completed method={m} path=/api/{word()} status={s} duration={number()}ms"
        for m in ("GET", "POST")
        for s in (200, 404)
    ],
    "units": some(lambda: f"Compacted {number()}MB into {number(9)}.{number(9)}GB in {number()}s")
    + some(lambda: f"Compacted {number()}KB into {number()}MB in {number()}ms"),
    "units apart": [f"Heap usage {number()} {unit} of {number(9)} GB" for unit in ("MB", "KB", "GB", "B")],
    "durations": [f"Query took {text}" for text in ("1m30s", "2h", "350ms", "1.5s", "12us", "3d4h", "1m2.5s")],
    "hexadecimal numbers": some(lambda: f"Segfault at 0x{number(16**8):x} ip {number(16**12):012x}"),
    "commits": some(lambda: f"Checked out commit {number(16**7):07x}", 20),
    "digests": some(lambda: f"Pulled image sha256:{number(16**64):064x}", 5),
    "paths": some(lambda: f"Cannot open file /var/{word()}/{word()}.log", 6),
    "quoted paths": some(lambda: f'Opening "/home/{word()}/My Documents/{word()} {word()}.txt"', 6),
    "Java classes": some(lambda: f"Initializing bean com.shop.{word()}.{word().title()}Service", 6),
    "a JSON object": [
        f'Received event {{"id":{number()},"type":"{kind}","payload":{{"a":{number(9)}}}}}'
        for kind in ("created", "deleted", "moved")
    ],
    "services": [f"Starting service {name}" for name in ("checkout", "cart", "payment", "search", "email")],
    "services, another event": [
        f"Stopping service {name}" for name in ("checkout", "cart", "payment", "search", "email")
    ],
    "threads": some(lambda: f"Thread pool-{number(9)}-thread-{number(99)} blocked for {number()} ms"),
    "connections": [f"Connection {i} opened" for i in range(9)],
    "connections, another event": [f"Connection {i} closed" for i in range(9)],
    "mixed names": [
        f"Created topic {name} with {number(9)} partitions"
        for name in ("orders", "payments.v2", "user_events", "audit", "clicks", "orders-dlq")
    ],
    "truth": [f"Feature flag {word(6)} enabled: {value}" for value in ("true", "false") for _ in range(5)],
    "signs": some(lambda: f"Clock offset {DRAW.choice('-+')}{number(9)}.{number()} s"),
    "a reason": ["Failed to connect: Connection refused"],
    "a second reason": ["Failed to connect: Connection timed out"],
    "a third reason": ["Failed to connect: No route to host"],
    "a sentence in quotes": ["connection lost: 'Connection closed.'"],
    "another sentence in quotes": ["connection lost: 'Broken pipe on read.'"],
    "prose with a comma": ["Connection closed, retrying"],
    "other prose with a comma": ["Connection refused, giving up"],
}


@pytest.fixture(scope="module")
def groups() -> dict[str, set[int]]:
    """Template ids of each event, all mined together in a random order."""
    rows = [(name, message) for name, messages in EVENTS.items() for message in messages * 2]
    DRAW.shuffle(rows)
    miner = DrainMiner()
    ids = miner.assign(pl.DataFrame({"body": [message for _, message in rows]}))["template_id"]
    found: dict[str, set[int]] = {}
    for (name, _), template_id in zip(rows, ids, strict=True):
        found.setdefault(name, set()).add(miner.resolve(template_id))
    return found


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_messages_of_an_event_have_one_template_of_their_own(groups: dict[str, set[int]], name: str) -> None:
    assert len(groups[name]) == 1
    assert not any(groups[name] & ids for other, ids in groups.items() if other != name)


def test_lists_of_a_later_batch_join_the_template_that_lists_made() -> None:
    miner = DrainMiner()

    def mined(messages: list[str]) -> set[str]:
        ids = miner.assign(pl.DataFrame({"body": messages}))["template_id"]
        return {miner.text_of(miner.resolve(each)) for each in ids}

    first = mined([f"Loaded plugins [{', '.join(PLUGINS[:k])}] at start" for k in (1, 2, 4)])
    assert first == {"Loaded plugins [<*>] at start"}
    assert mined(["Loaded plugins [proxy, trace, dns] at start"]) == first
