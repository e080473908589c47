"""Template identity: ids that are functions of content.

An id is a hash of the masked message that founded the template, so any process gives the same log the same ids. The
text of a template may be generalised later; the id stays.
"""

from __future__ import annotations

import hashlib
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
