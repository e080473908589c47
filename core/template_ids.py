"""Template ids as text: 16 hex digits, in JSON and on screen."""

from __future__ import annotations


def template_hex(template_id: int) -> str:
    """The 16 hex digits that stand for a template id in JSON and on screen."""
    return f"{template_id:016x}"


def template_from_hex(text: str) -> int:
    """The template id of `template_hex`. Raises ValueError where `text` is not 1 to 16 hex digits below 2**63."""
    value = int(text, 16)
    if not 0 <= value < 2**63 or len(text) > 16:
        raise ValueError(f"{text!r} is no template id: 16 hex digits expected")
    return value
