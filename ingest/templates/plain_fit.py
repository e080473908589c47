"""The parameters of one message without a regular expression: what `cali templates` shows as examples.

To compile an expression for each of a thousand templates takes longer than mining a hundred thousand lines. Where the
literal parts of a template are found from left to right, each at its first place after the one before and the last at
the end, that is the shortest first value, then the shortest second, and so on: what the lazy groups of
`parameters.extract` take. Where it leads nowhere, a longer value may, and None leaves that to the expression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

BLANKS: Final = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What `\\s` is in Rust's expressions (Unicode's White_Space); Python has four more."""

_BLANK: Final = re.compile(f"[{BLANKS}]")


def fit(literals: Sequence[str], one_word: Sequence[bool], text: str) -> tuple[str, ...] | None:
    """The values between the literals of a template, without blanks around them; None where this look does not tell.

    `literals` are one more than the values; all but the first and the last must not be empty. `one_word` says which
    values are of one character at least, and hold no blanks.
    """
    first, last = literals[0], literals[-1]
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < len(first):
        return None
    values: list[str] = []
    at = len(first)
    for number, word in enumerate(one_word, start=1):
        stop = end if number == len(one_word) else text.find(literals[number], at + word, end)
        if stop < at + word:
            return None
        value = text[at:stop]
        if word and _BLANK.search(value) is not None:
            return None
        values.append(value.strip(BLANKS))
        at = stop + len(literals[number])
    return tuple(values)
