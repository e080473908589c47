"""Template mining: Drain proposes which messages look alike, evidence decides which are one template.

A batch goes through ever smaller sets: rows -> coarse keys -> keys never seen -> masked messages -> those that fit no
template. Only the last reach Drain, which groups them with templates of their layout; `evidence` divides each group,
`siblings` joins templates across layouts. The only file that imports drain3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl
from drain3.drain import Drain

from core.domain import LogTemplate
from ingest.templates import masking
from ingest.templates.evidence import Thresholds, Words, generalise, partition
from ingest.templates.identity import founding_id
from ingest.templates.keys import CoarseKeys, keyed, of_rows, services_of
from ingest.templates.known import KnownTemplates
from ingest.templates.masker import Masker
from ingest.templates.novelty import NoveltyBudget
from ingest.templates.siblings import SiblingRules
from ingest.templates.store import MAX_EXAMPLES, TemplateStore
from ingest.templates.vocabulary import Vocabulary
from ingest.templates.words import GENERAL, separators_before, split

EXAMPLE_CHARACTERS: Final = 300
_SLICE: Final = 2000
_LAYOUT_CLUSTERS: Final = 100
_GROUP_VARIANTS: Final = 400


@dataclass(frozen=True, slots=True)
class MinerConfig:
    """Settings of the miner. The default is meant for every log."""

    similarity: float = 0.4
    """Share of equal words from which Drain groups a message with others, in (0, 1]."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    siblings: SiblingRules = field(default_factory=SiblingRules)
    masks: tuple[masking.Mask, ...] = masking.DEFAULT_MASKS
    """Typed masks in order; the user's own go first (`masking.user_masks`)."""
    max_templates: int = 10_000
    """Templates kept per service; beyond it the least recently used are forgotten (their identity is not)."""
    max_keys: int = 500_000
    """Coarse keys whose template is remembered."""
    budget: float = 0.1
    """Share of a batch's rows that may be keys never seen (fewer while a flood of them lasts: `NoveltyBudget`); the
    rest goes to overflow templates."""
    min_budget: int = 5000
    """Keys never seen that any batch may bring."""


class DrainMiner:
    """Assigns template ids to batches (`core.ports.TemplateMiner`). Use it from one thread, batches in order.

    `overflow` counts records per overflow template: those beyond the budget, see `MinerConfig.budget`.
    """

    def __init__(self, config: MinerConfig | None = None, store: TemplateStore | None = None, batches: int = 0) -> None:
        self.config = config or MinerConfig()
        self.store = store or TemplateStore()
        self.batches = batches
        self.overflow: dict[int, int] = {}
        self.vocabulary = Vocabulary()
        self.generation = 0
        """Rises when templates are forgotten: what others remember of ids is then stale."""
        self.novelty = NoveltyBudget(self.config.budget, self.config.min_budget)
        self._coarse = CoarseKeys(self.config.masks)
        self._masker = Masker(self.config.masks)
        self._known = _no_keys()
        self._news: set[str] = set()  # words that became values, not yet considered elsewhere
        self._dropped_aliases = 0
        self._shapes: dict[str, int] = {}
        self._groups = _DrainGroups(self.config.similarity)

    # batches

    def assign(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The batch with `template_id` (Int64, 63 bits) added; rows keep their order. Learns.

        Uses `body` (String) and, where there is one, `service`. Bodies that are null count as empty.
        """
        ids = self.learn(batch)
        self.count(dict(ids.value_counts().iter_rows()))
        return batch.with_columns(ids)

    def learn(self, batch: pl.DataFrame, budget: int | None = None) -> pl.Series:
        """The template ids of a batch, as `assign`, without counting its records (`count`).

        `budget`: how many keys never seen are learned, the most frequent first; None: as `novelty` says.
        """
        if batch.is_empty():
            return pl.Series("template_id", [], dtype=pl.Int64)
        self.batches += 1
        rows, keys = keyed(batch, self._coarse)
        fresh, fresh_rows = self._fresh(rows, keys)
        if budget is None:
            budget = self.novelty.of(batch.height)
            self.novelty.brought(fresh.height, batch.height)
        over = fresh[budget:]
        if fresh.height:
            self._learn(fresh[:budget], fresh_rows, batch)
        table = self._table(keys["key"])
        if over.height:
            first = over.join(rows.unique("key", keep="first"), on="key", how="left", maintain_order="left")
            service = services_of(batch).gather(first["row"])
            ids = self.overflowing(first["text"], service, first["len"])
            table = pl.concat([table, pl.DataFrame({"key": first["key"], "template_id": ids})])
        ids = of_rows(rows, table)
        if fresh.height:
            self._tidy(ids)
        return ids

    def count(self, records: Mapping[int, int]) -> None:
        """Adds records to templates, by id, and marks them as used now."""
        for template_id, count in records.items():
            template = self.store.templates.get(self.resolve(template_id))
            if template is not None:
                template.count += count
                template.used = self.batches

    def overflowing(self, texts: pl.Series, services: pl.Series, records: pl.Series) -> pl.Series:
        """Overflow templates for messages beyond the budget: one per service and number of words (up to 32).

        `records`: how many each message stands for; they are counted in `overflow`, and by the caller (`count`).
        """
        frame = pl.DataFrame(
            {"text": texts, "service": services.cast(pl.String), "records": records.cast(pl.Int64)}
        ).with_columns(words=pl.col("text").str.count_matches(" ", literal=True).clip(0, 31) + 1)
        shapes = frame.group_by("service", "words").agg(pl.col("records").sum()).sort("service", "words")
        ids = []
        for service, words, count in shapes.iter_rows():
            template_id = founding_id(f"overflow\x00{service or ''}\x00{words}")
            if template_id not in self.store.templates:
                self.store.found_overflow(template_id, " ".join([GENERAL] * words), service, self.batches)
            self.overflow[template_id] = self.overflow.get(template_id, 0) + count
            ids.append(template_id)
        shapes = shapes.with_columns(template_id=pl.Series(ids, dtype=pl.Int64))
        joined = frame.join(shapes, on=["service", "words"], how="left", nulls_equal=True, maintain_order="left")
        return joined["template_id"]

    def classify(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The batch with `template_id` added, without learning: null where a record fits no template known."""
        if batch.is_empty():
            return batch.with_columns(template_id=pl.lit(None, pl.Int64))
        rows, keys = keyed(batch, self._coarse)
        fresh, fresh_rows = self._fresh(rows, keys)
        found = []
        for _, masked, _, _ in self._masked(fresh, fresh_rows, batch):
            variant = self.fit(masked)
            found.append(None if variant is None else self.store.aliases.resolve(variant))
        table = pl.concat(
            [
                self._table(keys["key"]),
                pl.DataFrame({"key": fresh["key"], "template_id": pl.Series(found, dtype=pl.Int64)}),
            ]
        )
        return batch.with_columns(of_rows(rows, table))

    def templates(self) -> Mapping[int, LogTemplate]:
        """Every template known, by id, with its newest text and how many records it was assigned.

        Aliases are found too, though they are neither counted nor listed.
        """
        return KnownTemplates(
            {
                each.template_id: LogTemplate(each.template_id, each.text, each.version, each.count, 0, each.service)
                for each in self.store.templates.values()
            },
            self.resolve,
        )

    def resolve(self, template_id: int) -> int:
        """The id that this one lives under now (an alias after a merge), or the id itself."""
        return self.store.aliases.resolve(template_id)

    def reconsider(self) -> None:
        """Decides anew on everything known, as if it had come at once; after a merge."""
        self.store.ensure_index(self.config.siblings)
        self._groups = _DrainGroups(self.config.similarity)
        self._shapes, self._known = {}, _no_keys()
        everything = sorted(self.store.variants)
        groups = {self._groups.add(each, self.store.variants[each].layout, self.store) for each in everything}
        for group in sorted(groups):
            self._decide(group, set(everything))
        for template_id in list(self.store.templates):
            self.store.retext(template_id)
        self.store.join_siblings(list(self.store.templates), self.config.siblings)
        self._spread()
        self.store.join_actors(self.config.siblings)

    def text_of(self, template_id: int) -> str:
        """The newest text of a template; empty where nothing is known of it."""
        root = self.resolve(template_id)
        template = self.store.templates.get(root)
        return template.text if template is not None else self.store.last_texts.get(root, "")

    def fit(self, masked: str) -> int | None:
        """The variant (`store.variants`) that a masked message fits; None where there is none."""
        found = self._shapes.get(masked)
        if found in self.store.variants:
            return found
        self.store.ensure_index(self.config.siblings)
        return self.store.fit(*split(masked))

    def nearest(self, masked: str, limit: int = 3) -> list[tuple[int, str, float]]:
        """Templates of the same layout that share most words with a masked message: (id, text, share of words)."""
        self.store.ensure_index(self.config.siblings)
        words, layout = split(masked)
        found: dict[int, float] = {}
        for each in self.store.of_layout(layout):
            equal = sum(a == b for a, b in zip(words, self.store.variants[each].words, strict=True))
            root = self.resolve(each)
            found[root] = max(found.get(root, 0.0), equal / max(1, len(words)))
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return [(each, self.text_of(each), share) for each, share in best]

    # steps

    def _fresh(self, rows: pl.DataFrame, keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The keys never seen, the most frequent first, and their rows."""
        fresh = keys.join(self._known, on="key", how="anti")
        if not fresh.height:
            return fresh, rows.clear()
        self.store.ensure_index(self.config.siblings)
        fresh = fresh.sort(["len", "key"], descending=[True, False])
        return fresh, rows.join(fresh.select("key"), on="key", how="semi")

    def _masked(
        self, fresh: pl.DataFrame, rows: pl.DataFrame, batch: pl.DataFrame
    ) -> list[tuple[int, str, str, str | None]]:
        """For each fresh key, in their order: (key, masked message, a message, its service)."""
        if not fresh.height:
            return []
        frame = rows.select("key", "text", "row")
        # The least message stands for its key, so that the order of lines does not matter.
        first = frame.group_by("key").agg(pl.col("text").min(), pl.col("row").min())
        chosen = fresh.select("key").join(first, on="key", how="left", maintain_order="left")
        masked = self._masker.mask(chosen["text"])
        services = services_of(batch).gather(chosen["row"]).to_list()
        return list(zip(chosen["key"].to_list(), masked.to_list(), chosen["text"].to_list(), services, strict=True))

    def _learn(self, fresh: pl.DataFrame, rows: pl.DataFrame, batch: pl.DataFrame) -> None:
        entries = self._masked(fresh, rows, batch)
        for start in range(0, len(entries), _SLICE):
            self._mine(entries[start : start + _SLICE])
        self._spread()
        self.store.join_actors(self.config.siblings)
        variants = [self._shapes[masked] for _, masked, _, _ in entries]
        added = pl.DataFrame(
            {"key": pl.Series([e[0] for e in entries], dtype=pl.UInt64), "variant": pl.Series(variants, dtype=pl.Int64)}
        )
        self._known = pl.concat([self._known, added]).tail(self.config.max_keys)

    def _mine(self, entries: Sequence[tuple[int, str, str, str | None]]) -> None:
        """Finds or founds the template of each masked message."""
        news: dict[str, tuple[str, str | None, Words, str]] = {}
        self.store.ensure_index(self.config.siblings)
        for _, masked, text, service in entries:
            if masked in self._shapes or masked in news:
                continue
            words, layout = split(masked)
            variant = self.store.fit(words, layout)
            if variant is None:
                news[masked] = (text, service, words, layout)
            else:
                self._shapes[masked] = variant
        if not news:
            return
        touched: set[int] = set()
        changed: set[int] = set()
        for masked, (text, service, words, layout) in sorted(news.items()):
            fitting = self.store.fit(words, layout)
            if fitting is None:
                fitting = self.store.found(masked, words, layout, service, self.batches)
                template = self.store.templates[self.resolve(fitting)]
                if len(template.examples) < MAX_EXAMPLES:
                    template.examples.append(text[:EXAMPLE_CHARACTERS])
                touched.add(self._groups.add(fitting, layout, self.store))
                changed.add(fitting)
            self._shapes[masked] = fitting
        for group in sorted(touched):
            changed.update(self._decide(group, changed))
        self.store.join_siblings(changed, self.config.siblings)

    def _spread(self) -> None:
        """Decides anew on the groups with words that have become values since they were decided on."""
        while self._news:
            news, self._news = self._news, set()
            changed: list[int] = []
            for group, members in sorted(self._groups.members.items()):
                living = {each for each in members if each in self.store.variants}
                if len(living) > 1 and any(not news.isdisjoint(self.store.variants[each].words) for each in living):
                    changed += self._decide(group, living)
            self.store.join_siblings(changed, self.config.siblings)

    def _decide(self, group: int, changed: set[int]) -> list[int]:
        """Divides a group of Drain's by evidence and merges what is one template; the variants that grew."""
        members = self._groups.members[group]
        living = list(dict.fromkeys(each for each in members if each in self.store.variants))
        if len(living) > _GROUP_VARIANTS:
            living = [each for each in living if each in changed][-_GROUP_VARIANTS:] + living[-_GROUP_VARIANTS:]
            living = list(dict.fromkeys(living))
        self._groups.members[group] = living if len(living) <= _GROUP_VARIANTS else living[-_GROUP_VARIANTS:]
        if len(living) < 2:
            return []
        by_words: dict[Words, int] = {self.store.variants[each].words: each for each in living}
        before = separators_before(self.store.variants[living[0]].layout)
        grown = []
        for part in partition(list(by_words), before, self.config.thresholds, self.vocabulary):
            self._news |= self.vocabulary.learn(part)
            if len(part) > 1:
                words = generalise(part, self.config.thresholds)
                grown.append(self.store.merge_variants([by_words[each] for each in part], words))
        return grown

    def _table(self, keys: pl.Series) -> pl.DataFrame:
        """Template ids of the keys known, among `keys`."""
        table = self._known.join(pl.DataFrame({"key": keys}), on="key", how="semi")
        resolve = self.store.aliases.resolve
        variants = table["variant"].unique()
        roots = [resolve(each) for each in variants]
        return table.select("key", template_id=pl.col("variant").replace_strict(variants, roots, return_dtype=pl.Int64))

    def _tidy(self, ids: pl.Series) -> None:
        """Keeps templates and caches within their bounds; the templates of `ids` are in use."""
        limit = self.config.max_templates
        if len(self.store.templates) > limit:
            self.count(dict.fromkeys(ids.unique(), 0))
            by_service: dict[str | None, list[int]] = defaultdict(list)
            for template in self.store.templates.values():
                by_service[template.service].append(template.template_id)
            forgotten = [each for mine in by_service.values() for each in self._least_useful(mine)]
            if forgotten:
                for each in forgotten:
                    self.store.forget(each)
                self.store.drop_stale_keys()
                self._forget_keys()
                self._groups = _DrainGroups(self.config.similarity)
        if self.store.aliases.dropped != self._dropped_aliases:
            self._dropped_aliases = self.store.aliases.dropped
            self._forget_keys()
        if len(self._shapes) > self.config.max_keys:
            self._shapes = {}

    def _forget_keys(self) -> None:
        """Forgets the template of every key: some lead to ids that are gone."""
        self.generation += 1
        self._shapes = {}
        self._known = _no_keys()

    def _least_useful(self, ids: list[int]) -> list[int]:
        """The templates of one service that go: those used longest ago, of the fewest records; none within the cap."""
        limit = self.config.max_templates
        if len(ids) <= limit:
            return []
        templates = self.store.templates
        ids.sort(key=lambda each: (templates[each].used, templates[each].count, each))
        return ids[: len(ids) - limit + limit // 10]


class _DrainGroups:
    """Drain on words with their layout as first token: variants in one of its clusters look alike."""

    def __init__(self, similarity: float) -> None:
        self.members: dict[int, list[int]] = defaultdict(list)
        self._drain = Drain(depth=4, sim_th=similarity, max_children=1_000_000, parametrize_numeric_tokens=False)
        self._layouts: dict[str, int] = {}
        self._sizes: dict[int, int] = defaultdict(int)

    def add(self, variant: int, layout: str, store: TemplateStore) -> int:
        """Puts a variant of the store into a group; the group. Others of its layout are there already, or now."""
        number = self._layouts.get(layout)
        if number is None:
            number = self._layouts[layout] = len(self._layouts)
            for each in store.of_layout(layout):
                if each != variant:
                    self._put(each, number, store.variants[each].words)
        return self._put(variant, number, store.variants[variant].words)

    def _put(self, variant: int, number: int, words: Words) -> int:
        # A leaf is searched in full: a layout with too many clusters starts a new leaf.
        tokens = f"#{number}.{self._sizes[number] // _LAYOUT_CLUSTERS} " + " ".join(words)
        cluster, change = self._drain.add_log_message(tokens)
        if change == "cluster_created":
            self._sizes[number] += 1
        self.members[cluster.cluster_id].append(variant)
        return int(cluster.cluster_id)


def _no_keys() -> pl.DataFrame:
    return pl.DataFrame(schema={"key": pl.UInt64, "variant": pl.Int64})
