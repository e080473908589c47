from __future__ import annotations

import pytest

from core.wording import times


@pytest.mark.parametrize(("number", "words"), [(0, "0 times"), (1, "once"), (2, "2 times"), (1200, "1200 times")])
def test_how_often(number: int, words: str) -> None:
    assert times(number) == words
