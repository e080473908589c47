"""What messages say by their words."""

from __future__ import annotations

import pytest

from core import severity
from ingest.anomalies.symptoms import ALARMING, alarm, words


@pytest.mark.parametrize(
    "message",
    [
        "Unable to connect to Database",
        "java.lang.NullPointerException: order is null",
        "connection refused",
        "Back-off restarting failed container app in pod app-1",
        "Last State: Terminated, Reason: OOMKilled",
        "Process completed with exit code 1.",
        "Tests run: 5, Failures: 1, Errors: 0",
        "failed=0 errors=3",
        "Page rendered in 8.01 seconds.",
        "duration: 2111.093 ms  statement: select 1",
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu",
    ],
)
def test_trouble_is_alarming(message: str) -> None:
    assert words(message) >= ALARMING


@pytest.mark.parametrize(
    "message",
    [
        "request completed in 5ms status=200",
        "GET /errors/failed HTTP/1.1 200",
        "Tests run: 5, Failures: 0, Errors: 0, Skipped: 0",
        "no errors found",
        "Unschedulable: false",
        "Backoff Limit: 6",
        "exited with code 0",
        "ErrorHandler registered",
        "node.kubernetes.io/unreachable:NoExecute op=Exists for 300s",
        "Replicas: 1 desired | 1 updated | 1 total | 1 available | 0 unavailable",
        "--- PASS: TestFailover (0.01s)",
        "took 35 ms",
    ],
)
def test_names_limits_and_good_news_are_not(message: str) -> None:
    assert words(message) < ALARMING


def test_severity_outweighs_words() -> None:
    assert alarm("request completed", severity.FATAL) == 1.0
    assert alarm("request completed", severity.ERROR) > alarm("request failed", severity.INFO)
    assert alarm("slow answer", severity.WARN) > alarm("slow answer", severity.INFO)
    assert alarm("request failed", severity.DEBUG) < alarm("request failed", severity.INFO)


def test_a_deprecation_notice_is_no_strain_and_its_failure_is() -> None:
    assert alarm("Header 'X-Old' is deprecated and will be ignored from the next release", severity.WARN) < 0.35
    assert alarm("request failed: the deprecated field is missing", severity.WARN) >= 0.4


@pytest.mark.parametrize(
    "message",
    [
        "> git fetch --tags https://github.com/a/b # timeout=10",
        "pool settings: idle timeout: 30s, size 5",
        "Tests run: 12, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 9.2 sec",
        "Number of errors in tests: 0",
        '10.0.0.7:39154 - 52417 "A IN db.shop.svc.cluster.local. udp 54 false 512" NOERROR qr,aa,rd 106 0.0002s',
        "+    } catch (java.io.IOException e) {",
        "+        throw new java.lang.IllegalStateException();",
        " * @throws DecoderException",
        "public double solve(double min) throws EvaluationException, IterationsException {",
    ],
)
def test_settings_and_quoted_code_are_no_failures(message: str) -> None:
    assert words(message) == 0.0


@pytest.mark.parametrize(
    "message",
    [
        "upstream timeout of 30s exceeded",
        "read timed out (timeout=10)",
        "Number of errors: 3",
        "Tests run: 12, Failures: 2, Errors: 0, Skipped: 0, Time elapsed: 9.2 sec",
        "handler throws an error",
        "the filter throws IllegalStateException",
    ],
)
def test_failures_beside_them_are(message: str) -> None:
    assert words(message) >= 0.6
