from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from report.excerpt import excerpt
from report.text import clip


def test_of_a_long_json_line_the_message_is_shown() -> None:
    line = '{"timestamp": "2026-11-21T03:12:04.123Z", "level": "error", "message": "pool exhausted", "thread": "main"}'
    assert excerpt(line, 200) == line
    assert excerpt(line, 40) == '{… "message": "pool exhausted", "thread…'
    assert excerpt("INFO " + line, 40).startswith('INFO {"timestamp"')


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "2026-11-21T15:10:40.079Z  INFO 1 --- [payment] [nio-8080-exec-6] [fd53f28e-fd53] "
            "c.acme.payment.ChargeService   : Charge was refused by the provider",
            "2026-11-21T15:10:40.079Z … Charge was refused by the provider",
        ),
        (
            'E1121 15:10:46.123456    1234 pod_workers.go:1301] "Error syncing pod, skipping" pod="shop/a"',
            'E1121 15:10:46.123456 … "Error syncing pod, skipping" pod="sh…',
        ),
        (
            "2026-11-21 15:10:40,079 ERROR [pool-1-thread-3] org.acme.Billing - cannot write the invoice of customer 7",
            "2026-11-21 15:10:40,079 … cannot write the invoice of custome…",
        ),
        ("the message comes at once in this line, whose header is missing: " + "x" * 40, None),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28", None),
    ],
)
def test_of_a_long_line_the_header_gives_way_to_the_message(line: str, shown: str | None) -> None:
    assert excerpt(line, 400) == line
    assert excerpt(line, 62) == (shown or clip(line, 62))


@settings(deadline=None)
@given(st.text(), st.integers(1, 60))
def test_an_excerpt_fits(raw: str, cells: int) -> None:
    assert cell_len(excerpt(raw, cells)) <= cells


def test_a_message_with_a_header_of_its_own_is_shown_as_the_program_wrote_it() -> None:
    line = (
        '{"timestamp": "2026-11-21T03:12:04Z", "service": "kubelet", "message": "E1121 03:12:04.192515  1650 '
        'pod_workers.go:1294] \\"Error syncing pod, skipping\\" err=\\"failed to pull\\" pod=\\"shop/search-0\\""}'
    )
    assert excerpt(line, 80) == '{… E1121 03:12:04.192515 … "Error syncing pod, skipping" err="failed to pull" p…'
    assert excerpt(line[:-2], 60).startswith('{… "message": "E1121'), "a line that is cut is no JSON"


def test_of_a_long_logfmt_line_the_message_is_shown() -> None:
    line = 'time=2026-11-21T03:12:04Z level=error caller=main.go:57 msg="charge failed" err="context deadline exceeded"'
    assert excerpt(line, 200) == line
    assert excerpt(line, 60) == '… msg="charge failed" err="context deadline exceeded"'
    assert excerpt('msg="charge failed" ' + "x" * 80, 40).startswith('msg="charge failed"')
