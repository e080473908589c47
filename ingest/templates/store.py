"""The templates known: their variants, texts, versions and aliases, and the index that finds the one a message fits.

A *variant* is words in one layout, some of them wildcards; a *template* is one or more variants under one id. Variants
are what messages are matched with; templates are what the rest of CALI sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter

from ingest.templates import actors, siblings
from ingest.templates.evidence import Words
from ingest.templates.identity import Aliases, founding_id
from ingest.templates.words import GENERAL, UNIT, join

MAX_VERSIONS = 32
MAX_EXAMPLES = 3
MAX_LAST_TEXTS = 50_000
_Positions = tuple[int, ...]


@dataclass(slots=True)
class Variant:
    """Words in one layout. `template_id` is the id it was founded under."""

    template_id: int
    layout: str
    words: Words


@dataclass(slots=True)
class Template:
    """What is known of one template. `born` and `used` count batches; `texts` are its versions, the newest last."""

    template_id: int
    born: int
    used: int
    service: str | None
    texts: list[str]
    version: int = 1
    count: int = 0
    variants: list[int] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.texts[-1]


def _wild(words: Words) -> _Positions:
    return tuple(at for at, word in enumerate(words) if word in (GENERAL, UNIT))


def _constants(words: Words, positions: _Positions) -> Words:
    return _keeper(len(words), positions)(words)


@lru_cache(maxsize=1 << 16)
def _keeper(length: int, positions: _Positions) -> Callable[[Words], Words]:
    """A function that leaves the words at `positions` out; the same few are asked for with every message."""
    if not positions:
        return tuple  # of a tuple: itself
    kept = [at for at in range(length) if at not in set(positions)]
    if len(kept) > 1:
        return itemgetter(*kept)
    return (lambda words: (words[kept[0]],)) if kept else (lambda words: ())


class TemplateStore:
    """The templates of one miner."""

    def __init__(self) -> None:
        self.variants: dict[int, Variant] = {}
        self.templates: dict[int, Template] = {}
        self.aliases = Aliases()
        self.forgotten: dict[int, int] = {}
        """Hash of a forgotten variant's text -> its template id, where the id is not that hash itself."""
        self.forgotten_positions: dict[int, list[_Positions]] = {}
        """Hash of a layout -> where the forgotten variants of it had wildcards."""
        self.last_texts: dict[int, str] = {}
        """Newest texts of templates that were forgotten, for those who still hold their ids; not saved."""
        self._fitting: dict[str, dict[_Positions, dict[Words, int]]] = {}
        self._probes: dict[str, list[tuple[Callable[[Words], Words], dict[Words, int]]]] = {}
        """By layout, the tables of `_fitting` in order, each with what makes its key; made when first asked for."""
        self._keys: dict[tuple[str, int, int], list[int]] = defaultdict(list)
        self._text_keys: dict[int, tuple[str, dict[tuple[str, int, int], None]]] = {}
        self._indexed = True

    @classmethod
    def restored(
        cls,
        templates: dict[int, Template],
        variants: dict[int, Variant],
        aliases: Aliases,
        forgotten: dict[int, int],
        forgotten_positions: dict[int, list[_Positions]],
    ) -> TemplateStore:
        """A store as it was saved. Its indexes are made when they are first needed."""
        store = cls()
        store.templates, store.variants, store.aliases = templates, variants, aliases
        store.forgotten, store.forgotten_positions = forgotten, forgotten_positions
        store._indexed = False
        return store

    def ensure_index(self, rules: siblings.SiblingRules) -> None:
        """Makes the indexes of a restored store."""
        if self._indexed:
            return
        self._indexed = True
        for variant in self.variants.values():
            self._index(variant)
        for template in self.templates.values():
            if template.variants:
                for key in siblings.keys(template.text, rules):
                    self._keys[key].append(template.template_id)

    # matching

    def fit(self, words: Words, layout: str) -> int | None:
        """The variant that a message fits, the one with the fewest wildcards first; None where there is none."""
        probes = self._probes.get(layout)
        if probes is None:
            by_positions = self._fitting.get(layout)
            if by_positions is None:
                return None
            probes = [(_keeper(len(words), positions), table) for positions, table in by_positions.items()]
            self._probes[layout] = probes
        for keep, by_constants in probes:
            found = by_constants.get(keep(words))
            if found is not None:
                return found
        return None

    def of_layout(self, layout: str) -> list[int]:
        """The variants of a layout, the smaller id first."""
        return sorted(v for by_constants in self._fitting.get(layout, {}).values() for v in by_constants.values())

    def _index(self, variant: Variant) -> None:
        positions = _wild(variant.words)
        by_positions = self._fitting.setdefault(variant.layout, {})
        if positions not in by_positions:
            self._probes.pop(variant.layout, None)
            by_positions[positions] = {}
            self._fitting[variant.layout] = dict(sorted(by_positions.items(), key=lambda item: (len(item[0]), item[0])))
        self._fitting[variant.layout][positions][_constants(variant.words, positions)] = variant.template_id

    def _unindex(self, variant: Variant) -> None:
        positions = _wild(variant.words)
        by_positions = self._fitting[variant.layout]
        del by_positions[positions][_constants(variant.words, positions)]
        if not by_positions[positions]:
            self._probes.pop(variant.layout, None)
            del by_positions[positions]
        if not by_positions:
            del self._fitting[variant.layout]

    # growing

    def found(self, masked: str, words: Words, layout: str, service: str | None, batch: int) -> int:
        """Founds a template for a masked message that fits none, or brings the forgotten one back; its variant's id."""
        template_id, words = self._recall(words, layout) or (self._free_id(masked), words)
        self.insert(Variant(template_id, layout, words), service, batch)
        return template_id

    def _recall(self, words: Words, layout: str) -> tuple[int, Words] | None:
        """The id and words of a forgotten variant that a message fits."""
        for positions in self.forgotten_positions.get(founding_id(layout), ()):
            general = tuple(GENERAL if at in positions else word for at, word in enumerate(words))
            template_id = self.forgotten.pop(founding_id(join(general, layout)), None)
            if template_id is not None:
                return template_id, general
        return None

    def _free_id(self, masked: str) -> int:
        attempt = 0
        while (template_id := founding_id(masked, attempt)) in self.variants:
            attempt += 1
        return template_id

    def insert(self, variant: Variant, service: str | None, batch: int) -> None:
        """Adds a variant, under the template that its id resolves to or as a new one."""
        self.variants[variant.template_id] = variant
        self._index(variant)
        root = self.aliases.resolve(variant.template_id)
        text = join(variant.words, variant.layout)
        template = self.templates.get(root)
        if template is None:
            template = self.templates[root] = Template(root, batch, batch, service, [text])
        template.variants.append(variant.template_id)
        self._retext(template)

    def found_overflow(self, template_id: int, text: str, service: str | None, batch: int) -> None:
        """Adds a template that no message is matched with."""
        self.templates[template_id] = Template(template_id, batch, batch, service, [text])

    def elder(self, ids: Iterable[int]) -> int:
        """The eldest of some templates: the first batch, then the smaller id (so order inside a batch is nothing)."""
        return min(ids, key=lambda each: (self.templates[each].born, each))

    def merge_variants(self, ids: Sequence[int], words: Words) -> int:
        """Makes variants of one layout one, with `words`; the id of the variant that stays."""
        keep = min(ids, key=lambda each: (self.templates[self.aliases.resolve(each)].born, each))
        root = self.merge_templates({self.aliases.resolve(each) for each in ids})
        template = self.templates[root]
        for each in ids:
            self._unindex(self.variants[each])
            if each != keep:
                del self.variants[each]
                template.variants.remove(each)
        self.aliases.join((each for each in ids if each not in (keep, root)), root)
        self.variants[keep].words = words
        standing = self.fit(words, self.variants[keep].layout)
        self._index(self.variants[keep])
        if standing is not None and standing in self.variants and standing != keep:
            self._absorb_equal(keep, standing)
        self._retext(self.templates[self.aliases.resolve(keep)])
        return keep

    def _absorb_equal(self, keep: int, other: int) -> None:
        """`other` has the very words of `keep`: it goes, and their templates are one."""
        if self.variants[other].words != self.variants[keep].words:
            return
        root = self.merge_templates({self.aliases.resolve(keep), self.aliases.resolve(other)})
        self.templates[root].variants.remove(other)
        del self.variants[other]
        if other != root:
            self.aliases.join((other,), root)

    def merge_templates(self, roots: Iterable[int]) -> int:
        """Makes templates one; the id that stays."""
        distinct = set(roots)
        root = self.elder(distinct)
        if len(distinct) == 1:
            return root
        template = self.templates[root]
        for each in sorted(distinct - {root}):
            other = self.templates.pop(each)
            template.variants.extend(other.variants)
            template.count += other.count
            template.used = max(template.used, other.used)
            template.examples = [*template.examples, *other.examples][:MAX_EXAMPLES]
        template.variants.sort()
        self.aliases.join(distinct, root)
        self._retext(template)
        return root

    def retext(self, template_id: int) -> None:
        """Makes the text of a template anew from its variants."""
        self._retext(self.templates[template_id])

    def _retext(self, template: Template) -> None:
        if not template.variants:
            return
        text = siblings.unify([join(self.variants[v].words, self.variants[v].layout) for v in template.variants])
        if text != template.text:
            if template.count:  # texts that no caller has seen are no versions
                template.texts = [*template.texts, text][-MAX_VERSIONS:]
                template.version += 1
            else:
                template.texts[-1] = text

    # siblings

    def join_siblings(self, changed: Iterable[int], rules: siblings.SiblingRules) -> None:
        """Joins templates that changed, or are new, with their siblings."""
        pending = {self.aliases.resolve(each) for each in changed}
        while pending:
            template_id = min(pending)
            pending.discard(template_id)
            if template_id not in self.templates:
                continue
            for key in self._keys_of(template_id, rules):
                listed = self._keys[key]
                if template_id not in listed:
                    listed.append(template_id)
                if len(listed) < 2:
                    continue
                living = self._living(key, rules)
                self._keys[key] = sorted(living)
                group = siblings.together(key[0], key[1], living, rules)
                if group:
                    root = self.merge_templates(group)
                    pending -= set(group)
                    pending.add(root)
                    break

    def join_actors(self, rules: siblings.SiblingRules) -> None:
        """Joins templates that differ in who speaks."""
        if not rules.actors:
            return
        texts = {each: template.text for each, template in self.templates.items() if template.variants}
        for group in actors.groups(texts):
            roots = {self.aliases.resolve(each) for each in group}
            if len(roots) > 1:
                self.join_siblings([self.merge_templates(roots)], rules)

    def _keys_of(self, template_id: int, rules: siblings.SiblingRules) -> dict[tuple[str, int, int], None]:
        text = self.templates[template_id].text
        known = self._text_keys.get(template_id)
        if known is None or known[0] != text:
            known = self._text_keys[template_id] = (text, dict.fromkeys(siblings.keys(text, rules)))
        return known[1]

    def _living(self, key: tuple[str, int, int], rules: siblings.SiblingRules) -> dict[int, str]:
        living = {}
        for each in self._keys[key]:
            template = self.templates.get(self.aliases.resolve(each))
            if template is None or template.template_id in living:
                continue
            if key in self._keys_of(template.template_id, rules):
                living[template.template_id] = template.text
        return living

    # forgetting

    def forget(self, template_id: int) -> None:
        """Forgets a template but for its identity: when one of its messages returns, so does its id."""
        template = self.templates.pop(template_id)
        self.last_texts[template_id] = template.text
        if len(self.last_texts) > MAX_LAST_TEXTS:
            del self.last_texts[next(iter(self.last_texts))]
        for each in template.variants:
            variant = self.variants.pop(each)
            self._unindex(variant)
            hashed = founding_id(join(variant.words, variant.layout))
            if hashed != each:
                self.forgotten[hashed] = each
                positions = self.forgotten_positions.setdefault(founding_id(variant.layout), [])
                if _wild(variant.words) not in positions:
                    positions.append(_wild(variant.words))

    def drop_stale_keys(self) -> None:
        """Frees the sibling index of templates that are gone."""
        self._text_keys = {each: keys for each, keys in self._text_keys.items() if each in self.templates}
        for key in list(self._keys):
            living = [each for each in self._keys[key] if each in self.templates]
            if living:
                self._keys[key] = living
            else:
                del self._keys[key]
