"""How long a search of the incident memory takes, and what it weighs: `python bench/memory_search.py`.

Incidents are made from the phrases of real software with a long tail of words; their stored vectors are random (an
exact search takes the same time for any), the query is embedded by the real model. Prints one JSON object: times of the
search with the embedding of the query, without it, and of one service's incidents; `processor_ms` is user and system
time per search of this process and Milvus Lite together, which other work on the machine does not change. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from core.ports import Embedder
from rag.memory import MEMORY_FILE
from rag.memory.embedding import DEFAULT_MODEL, open_embedder, prepare_default_model
from rag.memory.open import initialise, open_memory

START = datetime(2025, 1, 1, tzinfo=UTC)
PHRASES = (
    "connection pool exhausted after 30000 ms",
    "no space left on device",
    "java.lang.OutOfMemoryError: Java heap space",
    "certificate has expired",
    "connection refused by upstream",
    "deadlock detected while updating orders",
    "too many open files",
    "no such host",
    "liveness probe failed",
    "consumer lag grows",
    "permission denied",
    "password authentication failed",
    "duplicate key value violates unique constraint",
    "read timed out",
    "ImagePullBackOff",
    "node is not ready",
    "invalid configuration value",
    "nil pointer dereference",
)


class FillingEmbedder:
    """The real model for one text (a query), random vectors for many (the filling)."""

    def __init__(self, real: Embedder, seed: int) -> None:
        self._real = real
        self._random = np.random.default_rng(seed)
        self._known: dict[str, Sequence[NDArray[np.float32]]] = {}

    @property
    def model(self) -> str:
        return self._real.model

    @property
    def dimension(self) -> int:
        return self._real.dimension

    def embed(self, texts: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        if len(texts) == 1:
            if texts[0] not in self._known:
                self._known[texts[0]] = self._real.embed(texts)
            return self._known[texts[0]]
        vectors = self._random.standard_normal((len(texts), self.dimension), dtype=np.float32)
        return list(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def incidents(count: int, rng: random.Random) -> Iterator[MemoryDocument]:
    """Incidents of 12 services, each of about 10 templates out of 20,000."""
    words = [f"word{number}" for number in range(30_000)]
    weights = [1 / (rank + 5) for rank in range(len(words))]
    for number in range(count):
        template_ids = tuple(dict.fromkeys(int(rng.paretovariate(0.6)) % 20_000 for _ in range(10)))
        lines = [
            f"{rng.choice(PHRASES)} {' '.join(rng.choices(words, weights, k=6))}" for _ in range(len(template_ids))
        ]
        yield MemoryDocument(
            id=f"incident-{number:07}",
            kind=MemoryKind.INCIDENT,
            title=lines[0],
            text="\n".join(lines),
            services=(f"service-{rng.randrange(12)}",),
            level="high",
            starts_at=START + timedelta(minutes=5 * number),
            fingerprint=f"print-{number}",
            template_ids=template_ids,
            cause=rng.choice(PHRASES),
            source="analyze",
        )


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and the largest, in milliseconds."""
    p50, p95 = np.percentile(seconds, [50, 95])
    return {"p50_ms": round(p50 * 1e3, 1), "p95_ms": round(p95 * 1e3, 1), "max_ms": round(max(seconds) * 1e3, 1)}


def servers(memory: Path) -> list[int]:
    """The Milvus Lite processes that hold a memory file."""
    lines = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(line.split(None, 1)[0]) for line in lines if str(memory.absolute()) in line and "milvus_lite" in line]


def resident_mb(processes: Sequence[int]) -> float:
    """Resident memory of some processes, in MB."""
    pages = sum(int(Path(f"/proc/{process}/statm").read_text().split()[1]) for process in processes)
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def processor_seconds(processes: Sequence[int]) -> float:
    """User and system time of some processes and of this one."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") + time.process_time()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "cali")
    parser.add_argument("--keep", type=Path, help="folder of the memory; an existing one is not filled again")
    options = parser.parse_args()
    prepare_default_model(options.cache)
    embedder = FillingEmbedder(open_embedder(DEFAULT_MODEL, options.cache), seed=1)
    state = options.keep or Path(tempfile.mkdtemp(prefix="cali-bench-"))
    result: dict[str, object] = {"incidents": options.incidents, "queries": options.queries, "cores": os.cpu_count()}
    try:
        if initialise(state, embedder):
            memory = open_memory(state, embedder=embedder, redact=str)
            started = time.perf_counter()
            batch: list[MemoryDocument] = []
            for document in incidents(options.incidents, random.Random(1)):
                batch.append(document)
                if len(batch) == 1000:
                    memory.add(batch)
                    batch.clear()
            memory.add(batch)
            result["added_per_second"] = round(options.incidents / (time.perf_counter() - started))
            memory.close()
        started = time.perf_counter()
        memory = open_memory(state, embedder=embedder, redact=str)
        result["open_seconds"] = round(time.perf_counter() - started, 2)
        file = state / MEMORY_FILE
        result["disk_mb"] = round(file.stat().st_size / 1e6, 1)
        queries = list(incidents(options.queries, random.Random(2)))
        everything = MemoryFilter()
        for name, where in (
            ("search_and_embed_query", everything),
            ("search", everything),  # the same queries again: their vectors are known
            ("search_one_service", MemoryFilter(services=("service-3",))),
        ):
            times = []
            used = processor_seconds(servers(file))
            for number, query in enumerate(queries):
                asked = query.text if number % 2 else query
                begun = time.perf_counter()
                memory.search(asked, 5, where)
                times.append(time.perf_counter() - begun)
            used = (processor_seconds(servers(file)) - used) / len(queries)
            # The first ones load the index.
            result[name] = {**quantiles(times[5:]), "processor_ms": round(used * 1e3, 1)}
        begun = time.perf_counter()
        for query in queries:
            embedder.embed([query.text + "?"])
        result["embed_query_ms"] = round((time.perf_counter() - begun) / len(queries) * 1e3, 1)
        result["milvus_rss_mb"] = resident_mb(servers(file))
        memory.close()
    finally:
        if options.keep is None:
            shutil.rmtree(state, ignore_errors=True)
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
