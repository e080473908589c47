"""Template mining: Drain on the unique masked messages of a batch. The only file that imports drain3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from drain3.drain import Drain, LogCluster

from core.domain import LogTemplate
from ingest.templates import masking
from ingest.templates.identity import founding_id


@dataclass(frozen=True, slots=True)
class MinerConfig:
    """Settings of the miner. One configuration serves every log."""

    similarity: float = 0.4
    """Share of equal tokens from which Drain takes a message into a cluster, in (0, 1]."""
    depth: int = 5
    """Depth of Drain's tree: token count, `depth` - 3 leading tokens, clusters."""


class DrainMiner:
    """Assigns template ids to batches (`core.ports.TemplateMiner`). Use it from one thread, batches in order."""

    def __init__(self, config: MinerConfig | None = None) -> None:
        self.config = config or MinerConfig()
        self._drain = Drain(depth=self.config.depth, sim_th=self.config.similarity, parametrize_numeric_tokens=False)
        self._known: dict[str, int] = {}
        self._ids: dict[int, int] = {}
        self._clusters: dict[int, LogCluster] = {}
        self._versions: dict[int, int] = {}

    def assign(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The batch with `template_id` (Int64, 63 bits) added; rows keep their order."""
        keyed = (
            batch.lazy()
            .select(text=masking.head(pl.col("body")))
            .with_columns(key=masking.coarse_key(pl.col("text")))
            .collect()
        )
        unique = keyed.group_by("key", maintain_order=True).agg(pl.col("text").first())
        fresh = unique.filter(~pl.col("key").is_in(list(self._known)))
        masked = fresh.select(pl.col("key"), masked=masking.mask(pl.col("text")))
        for key, message in masked.iter_rows():
            self._known[key] = self._add(message)
        ids = unique.select("key", template_id=pl.Series([self._known[k] for k in unique["key"]], dtype=pl.Int64))
        joined = keyed.select("key").join(ids, on="key", how="left", maintain_order="left")
        return batch.with_columns(joined["template_id"])

    def _add(self, message: str) -> int:
        cluster, change = self._drain.add_log_message(message)
        template_id = self._ids.get(cluster.cluster_id)
        if template_id is None:
            attempt = 0
            while (template_id := founding_id(message, attempt)) in self._clusters:
                attempt += 1
            self._ids[cluster.cluster_id] = template_id
            self._clusters[template_id] = cluster
            self._versions[template_id] = 1
        elif change == "cluster_template_changed":
            self._versions[template_id] += 1
        return template_id

    def templates(self) -> Mapping[int, LogTemplate]:
        """Every template known, by id, with its newest text."""
        return {
            template_id: LogTemplate(template_id, cluster.get_template(), self._versions[template_id], cluster.size)
            for template_id, cluster in self._clusters.items()
        }

    def resolve(self, template_id: int) -> int:
        """The id that this one lives under now."""
        return template_id
