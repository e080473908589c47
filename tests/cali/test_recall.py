"""Memory in an analysis: a hint, never a condition."""

from __future__ import annotations

from typing import Any

import pytest

from cali.recall import Recalled, Recollection
from core.errors import RetryableError
from core.testing import MemoryLog, record


class Gone:
    """A memory whose server went away."""

    def __init__(self) -> None:
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(*_: object) -> None:
            self.calls += 1
            raise RetryableError("the server does not answer")

        return call


def test_a_memory_that_fails_is_left_out_and_asked_once(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog(tuple(record(f"ERROR pool exhausted {n}", n, seconds=float(n)) for n in range(1, 20)))
    incident = log.incident(5)
    gone = Gone()
    past = Recollection(gone)  # type: ignore[arg-type]
    assert past.of(incident, ()) == Recalled() == past.of(incident, ())
    assert gone.calls == 1
    assert "the server does not answer" in capsys.readouterr().err
