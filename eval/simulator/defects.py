# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Mistakes in the shop's own code: where they are, and what the runtime says when a request meets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eval.simulator.wording import Chain


@dataclass(frozen=True, slots=True)
class Defect:
    """A mistake: the operation that meets it, the places from entry to mistake, the exception (or Go panic message)."""

    op: str
    places: tuple[str, ...]
    chain: Chain
    text: str


def _panic(message: str) -> Chain:
    return (("panic", message),)


DEFECTS: Final[dict[str, tuple[Defect, ...]]] = {
    "checkout": (
        Defect("place_order", ("place_order", "pricing"), (("TypeError", "unsupported operand type(s) for +: 'NoneType' and 'decimal.Decimal'"),), "adds a missing shipping fee to the total"),
        Defect("place_order", ("place_order", "discounts"), (("KeyError", "'percent_off'"),), "expects a field that discounts do not always have"),
        Defect("place_order", ("place_order", "pricing"), (("decimal.InvalidOperation", "[<class 'decimal.ConversionSyntax'>]"),), "parses a localised amount as a number"),
        Defect("cart_add", ("cart_add",), (("AttributeError", "'NoneType' object has no attribute 'items'"),), "assumes that every cart exists"),
        Defect("place_order", ("place_order", "discounts"), (("RecursionError", "maximum recursion depth exceeded while calling a Python object"),), "applies discounts that refer to each other without end"),
    ),
    "users": (
        Defect("login", ("login", "passwords"), (("ValueError", "Invalid salt"),), "cannot check the older kind of password hashes"),
        Defect("login", ("login", "passwords"), (("UnicodeEncodeError", "'ascii' codec can't encode character '\\xe4' in position 3: ordinal not in range(128)"),), "encodes passwords as ASCII"),
        Defect("verify", ("verify", "tokens"), (("KeyError", "'tenant'"),), "expects a claim that older tokens lack"),
        Defect("verify", ("verify", "tokens"), (("TypeError", "can't compare offset-naive and offset-aware datetimes"),), "compares expiry times with and without a zone"),
    ),
    "payment": (
        Defect("charge", ("charge", "service", "fees"), (("java.lang.NullPointerException", 'Cannot invoke "java.math.BigDecimal.multiply(java.math.BigDecimal)" because "rate" is null'),), "uses a fee rate that is not always set"),
        Defect("charge", ("charge", "service", "currency"), (("java.lang.ArithmeticException", "Non-terminating decimal expansion; no exact representable decimal result."),), "divides amounts without a rounding mode"),
        Defect("charge", ("charge", "service", "currency"), (("java.lang.IllegalStateException", "Conversion failed"), ("java.util.NoSuchElementException", "No value present")), "takes an exchange rate that may be absent"),
        Defect("charge", ("charge", "service", "fees"), (("java.lang.ClassCastException", "class java.lang.Integer cannot be cast to class java.math.BigDecimal (java.lang.Integer and java.math.BigDecimal are in module java.base of loader 'bootstrap')"),), "casts a cached fee to the wrong type"),
    ),
    "inventory": (
        Defect("reserve", ("reserve", "allocation"), _panic("runtime error: index out of range [3] with length 3"), "reads one warehouse too many"),
        Defect("reserve", ("reserve", "allocation"), _panic("assignment to entry in nil map"), "writes into a map that was never made"),
        Defect("product", ("product", "pricing"), _panic("runtime error: invalid memory address or nil pointer dereference"), "dereferences a price that may be missing"),
        Defect("search", ("search", "pricing"), _panic("runtime error: integer divide by zero"), "divides by the number of offers"),
    ),
    "worker": (
        Defect("confirm_order", ("confirm_order", "render"), (("TypeError", "Cannot read properties of undefined (reading 'lines')"),), "renders receipts of orders without lines"),
        Defect("confirm_order", ("confirm_order", "render"), (("RangeError", "Invalid time value"),), "formats a delivery date that may be missing"),
        Defect("confirm_order", ("confirm_order", "render"), (("ReferenceError", "formatMoney is not defined"),), "calls a helper that was removed"),
    ),
}  # fmt: skip
"""Defects by service."""
