"""Suffixes of quantities as Kubernetes writes them: decimal and binary multiples."""

from __future__ import annotations

from typing import Final

SUFFIXES: Final = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip
"""What a number with such a suffix is multiplied by (Kubernetes API reference, Quantity); and `K`."""
