"""JSON that stays inside its quotes, whatever text it holds."""

from __future__ import annotations

import json
import re
from typing import Final


def inert(value: object) -> str:
    """JSON in which no delimiter can occur: `<`, `>` and everything that ends a line or hides text is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return _ACTIVE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}" if match[0].isascii() else json.dumps(match[0])[1:-1]


_ACTIVE: Final = re.compile(
    "[<>\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Also what no one sees and a model reads: soft hyphens, variation selectors, Unicode's tags."""
