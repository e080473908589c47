"""What the forms for people show, and in which order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from core.domain import Anomaly, Evidence
from core.findings import Findings
from report.document import build
from report.html import to_html
from report.markdown import to_markdown
from report.models import Report
from report.rich_text import to_text

FORMS: dict[str, Callable[[Report], str]] = {
    "rich": lambda report: to_text(report, width=100),
    "markdown": to_markdown,
    "html": to_html,
}
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_one_screen_says_what_matters(found: Findings, width: int, height: int) -> None:
    text = to_text(build(found), width=width)
    screen = "\n".join(text.splitlines()[:height])
    for needed in (
        "2 incidents: 1 disaster, 1 warning",
        "payments: connection pool exhausted, checkout answers 503",  # what
        "2026-11-21 03:12:04 – 03:41:54 UTC (29 min 50 s), still firing",  # when
        "down: 87 % of checkout requests fail",  # how bad
        "Most likely cause  inferred, score 0.91",
        "config change lowered db.pool.max from 50 to 5 on payments",
        "payments.log:1234  2026-11-21T03:11:58.120Z INFO payments config reloaded:",  # its evidence
        "TLS handshake warnings of gateway: present from the start",  # ruled out
        "search: slow queries",  # and what else there is
    ):
        assert needed in screen
    assert max(len(line) for line in text.splitlines()) <= width


def test_the_rest_follows_in_order(found: Findings) -> None:
    text = to_text(build(found), width=100)
    order = ["Ruled out", "Other incidents", "Timeline", "Anomalies", "Other suspects", "Seen before", "Next steps"]
    places = [text.index(heading) for heading in order]
    assert places == sorted(places)
    assert "1,203 against 0" in text
    assert "3 times, last 2026-11-02 04:00:00 UTC" in text


def test_times_are_shown_in_the_zone_of_the_report(found: Findings) -> None:
    report = build(found, timezone=ZoneInfo("Asia/Seoul"))
    for form in FORMS.values():
        assert "12:12:04 – 12:41:54 KST" in form(report)
    assert "03:12:04 – 03:41:54 UTC" in to_text(report, timezone=UTC)


@each_form
def test_nothing_found_says_what_was_searched(nothing_found: Findings, form: Callable[[Report], str]) -> None:
    text = form(build(nothing_found)).replace("\\", "")
    for needed in (
        "no incident found",
        "payments.log",
        "gateway.log",
        "2026-11-21 03:00:00 – 04:00:00 UTC (1 h)",
        "13,234 lines, 13,200 parsed",
        "the 12 min before 03:12:04",
    ):
        assert needed in text


@each_form
def test_an_empty_input_says_so(nothing_found: Findings, form: Callable[[Report], str]) -> None:
    empty = dataclasses.replace(
        nothing_found,
        stats=dataclasses.replace(nothing_found.stats, lines=0, parsed=0, unparsed=0, formats={}, templates=0),
        timeline=(),
    )
    text = form(build(empty))
    assert "no incident found" in text
    assert "The input holds no line" in text


@each_form
def test_logs_without_times(timeless: Findings, form: Callable[[Report], str]) -> None:
    text = form(build(timeless))
    assert "the logs carry no times" in text
    assert "None" not in text.replace("'none'", "")


@each_form
def test_ids_of_a_prompt_that_nobody_sent_are_not_shown(explained: Findings, form: Callable[[Report], str]) -> None:
    finding = explained.findings[-1]
    assert finding.analysis is not None and finding.analysis.model is not None
    without = dataclasses.replace(finding, analysis=dataclasses.replace(finding.analysis, model=None))
    text = form(build(dataclasses.replace(explained, findings=(without,))))
    assert "Most likely cause (seen before)" in text.replace("\\", "")
    assert "E1, E2" not in text


@each_form
def test_an_endpoint_that_failed_is_told_as_that(explained: Findings, form: Callable[[Report], str]) -> None:
    finding = explained.findings[-1]
    assert finding.analysis is not None
    failed = dataclasses.replace(finding.analysis, model=None, dropped=("no model's analysis: it answered 500",))
    text = form(build(dataclasses.replace(explained, findings=(dataclasses.replace(finding, analysis=failed),))))
    assert "A model was to explain this, and did not" in text
    assert "it answered 500" in text
    assert "claim" not in text.split("did not")[1].split("500")[0]


@each_form
def test_facts_and_guesses_are_told_apart(explained: Findings, form: Callable[[Report], str]) -> None:
    text = form(build(explained)).replace("\\", "")
    assert "Most likely cause (seen before)" in text
    assert "inferred" in text
    assert "confidence 80 %" in text
    assert "model · deploy_config/bad_config" in text
    assert "model gpt-test, prompt analyse-1, 3,200 tokens in, 410 out, $0.0123" in text
    assert "for E1, E2; against E7" in text
    assert "1 claim of the model dropped by the checks" in text
    assert "set db.pool.max to 50 on one pod" in text
    assert "Read the config history" in text


@each_form
def test_an_analysis_that_settles_nothing(unexplained: Findings, form: Callable[[Report], str]) -> None:
    text = form(build(unexplained)).replace("\\", "")
    assert "no model: from suspects and memory" in text
    assert "Strongest lead (the evidence settles nothing)" in text
    assert "guess" in text


@each_form
def test_an_incident_without_suspect(found: Findings, form: Callable[[Report], str]) -> None:
    text = form(build(dataclasses.replace(found, findings=found.findings[:1])))
    assert "No cause found" in text


@each_form
def test_quarantine_is_counted_by_reason(found: Findings, form: Callable[[Report], str]) -> None:
    text = form(build(found))
    assert "2 × NUL bytes" in text
    assert "payments.log:99" in text
    assert "1 × truncated gzip" in text


@each_form
def test_masked_evidence_says_so(found: Findings, form: Callable[[Report], str]) -> None:
    big = found.findings[1]
    line = dataclasses.replace(big.suspects[0].evidence[0], text="login <EMAIL_1>", redacted=True)
    suspect = dataclasses.replace(big.suspects[0], evidence=(line,))
    text = form(build(dataclasses.replace(found, findings=(dataclasses.replace(big, suspects=(suspect,)),))))
    assert "masked" in text


@each_form
def test_long_lines_and_huge_numbers_stay_small(found: Findings, form: Callable[[Report], str]) -> None:
    big = found.findings[1]
    line = Evidence("a" * 5000 + ".log", 2**63, None, "x" * 5_000_000)
    anomaly: Anomaly = dataclasses.replace(
        big.incident.anomalies[0], observed=1e300, expected=2.0**63, count=2**63, examples=(line,)
    )
    incident = dataclasses.replace(big.incident, anomalies=(anomaly,) * 500, services=("s" * 3000,) * 50)
    suspects = (dataclasses.replace(big.suspects[0], evidence=(line,) * 40),) * 60
    stats = dataclasses.replace(found.stats, lines=10**15, parsed=10**15, seconds=1e9)
    finding = dataclasses.replace(big, incident=incident, suspects=suspects)
    report = build(dataclasses.replace(found, findings=(finding,) * 6, stats=stats))
    text = form(report)
    assert "…" in text
    assert "1e+300" in text
    assert len(text) < 4_000_000
    assert "x" * 3000 not in text


def test_top_limits_and_the_rest_is_counted(found: Findings) -> None:
    big = found.findings[1]
    many = tuple(
        dataclasses.replace(big, incident=dataclasses.replace(big.incident, id=f"i{number}")) for number in range(9)
    )
    report = build(dataclasses.replace(found, findings=many))
    text = to_text(report, top=2)
    assert text.count("Most likely cause") == 2
    assert "7 incidents more" in text
    assert to_markdown(report, top=2).count("Most likely cause") == 2
    page = to_html(report, top=2)
    assert page.count('<details class="incident') == 9
    assert page.count(" open>") == 2


def test_colour_only_on_demand(found: Findings) -> None:
    report = build(found)
    assert "\x1b" not in to_text(report)
    assert "\x1b[" in to_text(report, color=True)


def test_a_narrow_terminal_is_not_overrun(explained: Findings) -> None:
    text = to_text(build(explained), width=40)
    assert max(len(line) for line in text.splitlines()) <= 40


def test_commands_of_next_steps_are_code(found: Findings) -> None:
    big = dataclasses.replace(found.findings[1], next_steps=("Look: `kubectl get pods | grep <x>`", "odd ` one"))
    report = build(dataclasses.replace(found, findings=(big,)))
    assert "1. Look: `kubectl get pods | grep <x>`\n2. odd \\` one\n" in to_markdown(report)
    assert "<li>Look: <code>kubectl get pods | grep &lt;x&gt;</code></li>" in to_html(report)


def test_markdown_is_short(explained: Findings) -> None:
    """An incident channel takes a message, not a book: Slack's limit for a Markdown block is 12,000 characters."""
    assert len(to_markdown(build(explained))) < 6000
