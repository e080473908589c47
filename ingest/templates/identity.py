"""Template identity: ids that are functions of content, and the alias table that keeps old ones alive.

An id is a hash of the masked message that founded the template, so any process gives the same log the same ids. The
text of a template may be generalised later; the id stays. Where templates turn out to be one, the elder id stays and
the others become aliases of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

ID_BITS: Final = 63
"""Milvus and SQLite have signed 64-bit integers; ids are not negative."""


def founding_id(masked: str, attempt: int = 0) -> int:
    """The id of a template founded by a masked message; `attempt` > 0 after a collision.

    63 bits of BLAKE2b (RFC 7693).
    """
    text = masked if attempt == 0 else f"{masked}\x00{attempt}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - ID_BITS)


class Aliases:
    """The alias table: id -> the id it lives under now.

    `limit` bounds its size; beyond it the aliases that were made first are forgotten.
    """

    def __init__(self, pairs: Mapping[int, int] | None = None, limit: int = 200_000) -> None:
        self._under: dict[int, int] = dict(pairs or {})
        self._limit = limit
        self.dropped = 0
        """How many were forgotten: ids that no longer resolve."""

    def __len__(self) -> int:
        return len(self._under)

    def resolve(self, template_id: int) -> int:
        """The id that this one lives under now, or the id itself."""
        under = self._under
        root = template_id
        while (above := under.get(root)) is not None:
            root = above
        while template_id != root:
            under[template_id], template_id = root, under[template_id]
        return root

    def join(self, ids: Iterable[int], root: int) -> None:
        """Makes every id live under `root` (itself no alias)."""
        for each in ids:
            if each != root:
                self._under[each] = root
        while len(self._under) > self._limit:
            del self._under[next(iter(self._under))]
            self.dropped += 1

    def pairs(self) -> dict[int, int]:
        """Every alias with the id it lives under, resolved."""
        return {each: self.resolve(each) for each in list(self._under)}
