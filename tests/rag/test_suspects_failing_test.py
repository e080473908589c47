"""A failing test is read with the frames that its report shows above the error."""

from __future__ import annotations

from core import severity as levels
from core.testing import MemoryLog, record
from rag.suspects import rank

REPORT = """\
____________________ test_total_of_an_empty_basket ____________________

    def test_total_of_an_empty_basket(basket):
>       assert total(basket) == 0

tests/pricing/test_total.py:12: AssertionError
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _
pricing/total.py:31: in total
    return ledger.read(basket.id)
/opt/python/3.11/lib/python3.11/site-packages/ledger/client.py:88: in read
    raise KeyError(name)
E   KeyError: 'basket-0'"""


def suspects_of(report: str) -> list[tuple[str | None, str | None, str | None]]:
    quiet = [record(f"tests/pricing/test_{at}.py::test PASSED", at + 1, seconds=at) for at in range(300)]
    lines = report.split("\n")
    told = [
        record(
            text,
            400 + at,
            seconds=600,
            source="run-17.log",
            service="run",
            severity=levels.ERROR if text.startswith("E ") else levels.UNSPECIFIED,
        )
        for at, text in enumerate(lines)
    ]
    log = MemoryLog((*quiet, *told))
    incident = log.incident(600.0)
    return [(each.service, each.component, each.function) for each in rank(incident, log.detection(incident)).suspects]


def test_the_deepest_own_frame_of_the_report_is_the_place() -> None:
    found = suspects_of(REPORT)
    assert found[0] == ("pricing", "pricing/total.py", "total")
    assert ("pricing", "tests/pricing/test_total.py", "test_total_of_an_empty_basket") in found


def test_an_error_without_a_report_stays_as_it_is() -> None:
    assert suspects_of("E   KeyError: 'basket-0'")[0] == ("run", None, None)
