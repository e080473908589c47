"""Symptoms of changed rates over whole logs: episodes that last, silences that are none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from detection_logs import START, analysed, between, traffic, write

from core.domain import AnomalyKind


def test_a_rare_warning_that_keeps_coming_is_one_incident_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    warn = between(30, 42, 0.05, "WARN checkout cache lookup # failed: cannot resolve host cache.internal")
    incidents = analysed(write(tmp_path / "app.log", traffic(31, 60, warn))).incidents
    assert len(incidents) == 1
    assert incidents[0].starts_at is not None and incidents[0].ends_at is not None
    assert (incidents[0].ends_at - incidents[0].starts_at).total_seconds() > 8 * 60


def test_the_end_of_debug_messages_is_no_incident(tmp_path: Path) -> None:
    def debug(second: float, rng: object) -> list[str]:
        return ["DEBUG users request body dumped"] if 1200 <= second < 1800 and second % 5 == 0 else []

    assert analysed(write(tmp_path / "app.log", traffic(32, 60, debug))).incidents == ()


def test_a_scanner_that_asks_for_what_is_not_there_opens_no_incident(tmp_path: Path) -> None:
    def request(second: int, path: str, status: int, agent: str) -> str:
        moment = START + timedelta(seconds=second)
        return f'10.0.0.9 - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} 153 "-" "{agent}"'

    lines = []
    for second in range(3600):
        lines.append(request(second, f"/item/{second % 40}", 200, "Mozilla/5.0"))
        if second >= 1800 and second % 15 == 0:
            lines += [request(second, f"/{name}.php", 404, f"probe-{name}/1.0") for name in ("admin", "shell", "login")]
    found = analysed(write(tmp_path / "access.log", lines))
    assert found.stats.parsed == len(lines)
    assert found.incidents == ()


def test_each_anomaly_says_its_numbers(tmp_path: Path) -> None:
    storm = between(30, 38, 0.5, "ERROR checkout charge of order # failed: connection refused")
    incidents = analysed(write(tmp_path / "app.log", traffic(34, 60, storm))).incidents
    anomalies = [anomaly for incident in incidents for anomaly in incident.anomalies]
    assert anomalies
    for anomaly in anomalies:
        counted = anomaly.kind not in (AnomalyKind.NEW_VALUE, AnomalyKind.NUMERIC_SHIFT, AnomalyKind.MISSING_TEMPLATE)
        if counted:
            assert f"{float(anomaly.observed or 0):.0f}" in anomaly.why
        assert anomaly.p_value is None or 0 <= anomaly.p_value <= 1
