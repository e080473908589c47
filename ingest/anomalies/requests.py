"""The request that a message is about: method and route, so that like is compared with like.

An access log has one template for all of its requests, or one for each kind of client; a page of a second beside a
lookup of a millisecond is no slower for that, and more of the one than of the other is no delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

_LINE: Final = r"\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s+(?:[a-z]+://[^/\s\"]+)?(/[^\s?\"#;]*)"
_METHOD: Final = r'"(?:http\.)?(?:request\.)?(?:request_)?method"\s*:\s*"([A-Za-z]+)"'
_ROUTE: Final = (
    r'"(?:http\.)?(?:request\.|url\.)?(?:request_)?(?:route|path|uri|url|target|endpoint)"\s*:\s*'
    r'"(?:[a-z]+://[^/"]+)?(/[^"?#;]*)'
)
_IDENTITY: Final = r"/[^/]*\d[^/]*"
"""A part of a path with a digit names one of many."""


def requests_of(bodies: Sequence[str], attributes: Sequence[str | None]) -> list[str | None]:
    """`GET /api/orders/*` for each message (its request line, or the fields that say so); None where it has none."""
    frame = pl.DataFrame({"body": bodies, "fields": attributes}, schema={"body": pl.String, "fields": pl.String})
    method = pl.coalesce(pl.col("body").str.extract(_LINE, 1), pl.col("fields").str.extract(_METHOD, 1))
    route = pl.coalesce(pl.col("body").str.extract(_LINE, 2), pl.col("fields").str.extract(_ROUTE, 1))
    masked = route.str.replace_all(_IDENTITY, "/*").str.replace(r"/+$", "")
    named = pl.concat_str(method.str.to_uppercase().fill_null("*"), pl.lit(" "), masked)
    return frame.select(request=pl.when(route.is_not_null()).then(named))["request"].to_list()
