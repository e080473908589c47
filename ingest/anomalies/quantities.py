"""Values with a unit as numbers: durations in milliseconds, sizes in bytes, others as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.units import SUFFIXES

MOST_ODD: Final = 0.1
"""Share of values that may be no number."""

_MILLISECONDS: Final = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "μs": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "sec": 1e3,
    "m": 6e4,
    "min": 6e4,
    "h": 3.6e6,
}
_QUANTITY: Final = r"^([-+]?\d+(?:\.\d+)?)\s?([A-Za-zµμ%]{0,4})$"
_PARTS: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)")
_COMPOSED: Final = re.compile(rf"-?(?:{_PARTS.pattern})+")


def numbers_of(words: Sequence[str]) -> tuple[NDArray[np.float64] | None, str]:
    """The values as numbers, and `ms` as their unit where they are durations. Sizes are in bytes.

    None where more than `MOST_ODD` of them are no numbers, or where they have units of several kinds.
    """
    series = pl.Series(words, dtype=pl.String)
    parts = series.str.extract_groups(_QUANTITY)
    number, units = parts.struct.field("1").cast(pl.Float64, strict=False), parts.struct.field("2")
    if number.null_count():
        number, units = _with_composed(series, number, units)
    if number.null_count() > MOST_ODD * len(words):
        return None, ""
    written = set(units.drop_nulls().unique().to_list()) - {""}
    if not written:
        return number.to_numpy(), ""
    if written <= _MILLISECONDS.keys():
        return (number * units.replace_strict(_MILLISECONDS, default=1.0, return_dtype=pl.Float64)).to_numpy(), "ms"
    scales = {unit: scale for unit in written if (scale := _size(unit)) is not None}
    if written == scales.keys():
        return (number * units.replace_strict(scales, default=1.0, return_dtype=pl.Float64)).to_numpy(), ""
    return (number.to_numpy(), "") if len(written) == 1 else (None, "")


def _with_composed(series: pl.Series, number: pl.Series, units: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Go writes `1m30.5s`: such values as milliseconds among the others."""
    amounts, kinds = number.to_list(), units.to_list()
    for at in number.is_null().arg_true():
        word = series[at]
        if word is not None and _COMPOSED.fullmatch(word):
            total = sum(float(amount) * _MILLISECONDS[unit] for amount, unit in _PARTS.findall(word))
            amounts[at], kinds[at] = (-total if word.startswith("-") else total), "ms"
    return pl.Series(amounts, dtype=pl.Float64), pl.Series(kinds, dtype=pl.String)


def _size(unit: str) -> float | None:
    """Bytes of a unit of size: `KB` are a thousand, `KiB` 1,024."""
    prefix = unit[:-1].upper().replace("I", "i")
    return SUFFIXES.get(prefix) if unit[-1:] in ("b", "B") else None
