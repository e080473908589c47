"""Merging the states of two miners: shards that mined apart become one, and every id of either still resolves.

The result depends on what the two know, not on which comes first: `merge(a, b)` and `merge(b, a)` are equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ingest.templates.evidence import generalise
from ingest.templates.identity import Aliases
from ingest.templates.miner import DrainMiner
from ingest.templates.store import MAX_EXAMPLES, Template, TemplateStore, Variant
from ingest.templates.vocabulary import Vocabulary


def merge(a: DrainMiner, b: DrainMiner) -> DrainMiner:
    """A miner that knows what `a` and `b` know; both are left as they are. `a.config` holds for it."""
    stores = (a.store, b.store)
    groups = _groups(stores)
    born = {
        each: min(store.templates[each].born for store in stores if each in store.templates)
        for each in {*a.store.templates, *b.store.templates}
    }
    root_of: dict[int, int] = {}
    for ids in groups:
        living = [each for each in ids if each in born]
        if living:
            root = min(living, key=lambda each: (born[each], each))
            root_of.update(dict.fromkeys(ids, root))
    variants = _variants(stores, a)
    templates: dict[int, Template] = {}
    for store in stores:
        for each in store.templates.values():
            root = root_of[each.template_id]
            templates[root] = _combined(templates.get(root), each, root)
    for variant in variants.values():
        templates[root_of[variant.template_id]].variants.append(variant.template_id)
    for template in templates.values():
        template.variants.sort()
    aliases = Aliases({each: root for each, root in sorted(root_of.items()) if each != root})
    positions: dict[int, list[tuple[int, ...]]] = {}
    for store in stores:
        for layout, known in store.forgotten_positions.items():
            positions[layout] = sorted({*positions.get(layout, ()), *known})
    forgotten = {
        hashed: min(store.forgotten[hashed] for store in stores if hashed in store.forgotten)
        for hashed in sorted({*a.store.forgotten, *b.store.forgotten})
    }
    store = TemplateStore.restored(templates, variants, aliases, forgotten, positions)
    miner = DrainMiner(a.config, store, max(a.batches, b.batches))
    for beyond in sorted({*a.overflow, *b.overflow}):
        miner.overflow[beyond] = a.overflow.get(beyond, 0) + b.overflow.get(beyond, 0)
    miner.vocabulary = Vocabulary(a.vocabulary.words | b.vocabulary.words)
    miner.reconsider()
    return miner


def _groups(stores: Iterable[TemplateStore]) -> list[list[int]]:
    """Ids that are one template: joined by either alias table, by living in both, by variants of equal words."""
    under: dict[int, int] = {}

    def root(each: int) -> int:
        while under.setdefault(each, each) != each:
            under[each] = under[under[each]]
            each = under[each]
        return each

    def union(x: int, y: int) -> None:
        x, y = root(x), root(y)
        under[max(x, y)] = min(x, y)

    same: dict[tuple[str, tuple[str, ...]], int] = {}
    for store in stores:
        for each, above in store.aliases.pairs().items():
            union(each, above)
        for template in store.templates.values():
            root(template.template_id)
            for each in template.variants:
                union(each, template.template_id)
        for variant in store.variants.values():
            union(variant.template_id, same.setdefault((variant.layout, variant.words), variant.template_id))
    members: dict[int, list[int]] = defaultdict(list)
    for each in sorted(under):
        members[root(each)].append(each)
    return list(members.values())


def _variants(stores: Iterable[TemplateStore], miner: DrainMiner) -> dict[int, Variant]:
    """The variants of both: one per id (widened to what both saw) and one per words."""
    by_id: dict[int, Variant] = {}
    for store in stores:
        for each in store.variants.values():
            known = by_id.get(each.template_id)
            words = each.words
            if known is not None and known.layout == each.layout:
                words = generalise(sorted({known.words, words}), miner.config.thresholds)
            by_id[each.template_id] = Variant(each.template_id, each.layout, words)
    by_words: dict[tuple[str, tuple[str, ...]], int] = {}
    kept = {}
    for template_id in sorted(by_id):
        variant = by_id[template_id]
        if by_words.setdefault((variant.layout, variant.words), template_id) == template_id:
            kept[template_id] = variant
    return kept


def _combined(known: Template | None, other: Template, root: int) -> Template:
    if known is None:
        return Template(
            root,
            other.born,
            other.used,
            other.service,
            list(other.texts),
            other.version,
            other.count,
            [],
            list(other.examples),
        )
    first, second = sorted(
        (known, other), key=lambda each: (-each.version, len(each.texts[-1]), each.texts, each.service or "")
    )
    return Template(
        root,
        min(known.born, other.born),
        max(known.used, other.used),
        first.service if first.service == second.service else min(first.service or "~", second.service or "~"),
        list(first.texts),
        max(known.version, other.version),
        known.count + other.count,
        [],
        sorted({*known.examples, *other.examples}, key=lambda each: (len(each), each))[:MAX_EXAMPLES],
    )


def fingerprint(miner: DrainMiner) -> tuple[tuple[int, str, int], ...]:
    """What two miners must share to be equal to their users: ids, texts and counts of the templates."""
    return tuple(
        (each.template_id, each.text, each.count)
        for each in sorted(miner.store.templates.values(), key=lambda each: each.template_id)
    )
