"""Of a folded stack trace, the lines that tell are cited where they stand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.domain import Citation, LogRecord
from core.stacktrace import parse, root_frame
from rag.suspects.frame import function_of
from rag.suspects.stack_lines import telling_lines

JAVA = """2026-03-02T10:00:00Z ERROR settlement failed
org.springframework.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC Connection
\tat org.springframework.jdbc.DataSourceUtils.getConnection(DataSourceUtils.java:84)
\tat com.acme.ledger.LedgerRepository.append(LedgerRepository.java:67)
\tat com.acme.ledger.LedgerRepository.append(LedgerRepository.java:671)
Caused by: java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available
\tat com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:696)"""

PYTHON = """ERROR cannot load the cart
Traceback (most recent call last):
  File "/app/checkout/api.py", line 12, in load
    return carts[key]
  File "/app/checkout/carts.py", line 120, in __getitem__
    return self.rows[key]
KeyError: 'c-17'"""

GO = """http: panic serving 10.0.0.1:99: assignment to entry in nil map
goroutine 88 [running]:
panic({0x9c4d60?, 0xb7f2f0?})
\t/usr/local/go/src/runtime/panic.go:884 +0x212
shop/internal/stock.(*Allocator).Allocate(0xc0000b2000, {0xc000026120, 0x8})
\t/src/internal/stock/allocation.go:31 +0x1f0"""

NODE = """{"level":50,"msg":"job failed"}
TypeError: Cannot read properties of undefined (reading 'lines')
    at renderReceipt (/srv/app/src/mail/render.js:40:21)
    at sendMail (/srv/app/src/mail/send.js:18:9)"""


def record(text: str, position: int = 100) -> LogRecord:
    first, *rest = text.split("\n")
    return LogRecord(
        "app.log",
        position,
        datetime(2026, 3, 2, 10, tzinfo=UTC),
        17,
        "shop",
        text,
        first,
        len(rest) + 1,
        folded=tuple(rest),
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (JAVA, {4: "LedgerRepository.java:67)", 6: "Caused by: java.sql.SQLTransientConnectionException"}),
        (PYTHON, {5: 'carts.py", line 120', 7: "KeyError: 'c-17'"}),
        (GO, {6: "allocation.go:31"}),
        (NODE, {2: "TypeError: Cannot read", 3: "render.js:40"}),
    ],
)
def test_the_exception_and_the_call_are_cited_at_their_own_lines(text: str, lines: dict[int, str]) -> None:
    folded = record(text)
    traces = parse(folded.body)
    found = root_frame(traces, ["shop"])
    assert found is not None
    evidence = telling_lines(folded, traces[0], found[1])
    assert [entry.position for entry in evidence] == [99 + line for line in lines]
    for entry, (line, part) in zip(evidence, lines.items(), strict=True):
        assert entry.text == text.split("\n")[line - 1] and part in entry.text
        assert entry.citation == Citation("app.log", 100)


def test_a_trace_on_one_line_has_no_lines_of_its_own() -> None:
    one = record(NODE.replace("\n", "\\n"))
    traces = parse(one.body)
    found = root_frame(traces, [])
    assert found is not None
    assert telling_lines(one, traces[0], found[1]) == ()


@pytest.mark.parametrize(
    ("text", "function"),
    [
        (
            'Traceback (most recent call last):\n  File "/app/cart/total.py", line 2, in total\n    return sum(x)\n'
            '  File "/app/cart/total.py", line 2, in <genexpr>\n    return sum(x)\nKeyError: 1',
            "total",
        ),
        ("TypeError: x\n    at /app/src/cart.js:12:5\n    at addItem (/app/src/cart.js:10:3)", "addItem"),
        (
            "System.A: x\n   at S.C.<>c.<Add>b__0(I i) in /src/C.cs:line 2\n   at S.C.Add(I i) in /src/C.cs:line 1",
            "Add",
        ),
        ("java.lang.Error: x\n\tat c.s.Job$.$anonfun$run$2(Job.scala:12)\n\tat c.s.Job$.run(Job.scala:10)", "run"),
        ("java.lang.Error: x\n\tat c.s.PayKt$charge$1.invokeSuspend(Pay.kt:12)", "charge"),
        ("TypeError: x\n    at /app/src/cart.js:12:5", None),
    ],
)
def test_code_without_a_name_is_called_by_what_holds_it(text: str, function: str | None) -> None:
    found = root_frame(parse(text))
    assert found is not None
    assert function_of(*found) == function
