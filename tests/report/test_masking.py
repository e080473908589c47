"""A masked report holds no secret, in any form."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from core.findings import Findings
from core.redaction import Redactor
from report.document import build, to_json
from report.html import to_html
from report.markdown import to_markdown
from report.masking import masked
from report.rich_text import to_text

SECRETS = ("mina@example.com", "hunter2!x", "4111 1111 1111 1111", "900101-1234568", "AKIAIOSFODNN7EXAMPLE")
LINE = "user {} password={} card {} rrn {} key {}".format(*SECRETS)


def test_no_form_of_a_masked_report_holds_a_secret(
    explained: Findings, poisoned: Callable[[Findings, str], Findings]
) -> None:
    poison = poisoned(explained, LINE)
    named = tuple(
        dataclasses.replace(item, incident=dataclasses.replace(item.incident, id=f"i{number}"))
        for number, item in enumerate(poison.findings)
    )
    report = masked(build(dataclasses.replace(poison, findings=named)), Redactor().mask)
    for text in (to_json(report), to_text(report, width=200), to_markdown(report), to_html(report)):
        for secret in SECRETS:
            assert secret not in text
        assert "EMAIL" in text
    evidence = report.incidents[0].suspects[0].evidence
    assert all(item.redacted for item in evidence)


def test_a_report_without_secrets_stays(explained: Findings) -> None:
    report = build(explained)
    assert masked(report, Redactor().mask) == report
