"""Causes of recorded Kubernetes cases, through the whole of detection: how often the first suspect names the fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner
from rag.suspects import rank

CASES = Path(__file__).parents[2] / "../shared/data/k8s_cases"
FAULTS = {
    "oom_kill": "out_of_memory",
    "missing_env_var": "missing_env_var",
    "node_selector_mismatch": "unschedulable",
    "dns_unresolvable_host": "dns_failure",
    "pvc_storage_class_missing": "bad_config",
    "bad_command": "bad_config",
    "image_pull": "image_pull_failure",
    "certificate_expired": "certificate_expired",
    "db_unreachable": "dependency_down",
    "insufficient_gpu": "unschedulable",
    "network_policy_blocks_dns": "dns_failure",
}
"""Categories of the data that one of our fault types names; the others ("several problems") have none."""


@pytest.mark.data
@pytest.mark.skipif(not CASES.exists(), reason=f"needs {CASES}")
def test_the_first_suspect_names_the_fault_of_recorded_cases() -> None:
    asked, right = 0, []
    for line in (CASES / "cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        wanted = FAULTS.get(case["root_cause"]["category"])
        if wanted is None:
            continue
        asked += 1
        opened = open_sources([str(CASES / path) for path in case["logs"]])
        options = DetectionOptions(timezone=UTC)
        detection = detect(
            opened.sources, miner=DrainMiner(), options=options, observed_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        suspects = [each for incident in detection.incidents for each in rank(incident, detection).suspects]
        best = max(suspects, key=lambda each: each.score, default=None)
        if best is not None and best.fault_type == wanted:
            right.append(case["case_id"])
    assert len(right) / asked >= 0.75, f"{len(right)} of {asked}: {right}"
