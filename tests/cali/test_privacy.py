"""What leaves the process, from end to end: secrets planted in logs are in no prompt, no memory, no Markdown report.

The logs go through the real pipeline, the model is a local server that records what it was sent, the memory is Milvus
Lite with the real embedder.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from services.openai_server import Say, openai_server
from support import app_log, cali

pytestmark = pytest.mark.integration

EACH = 10
"""Planted per type: over 200 in all."""
BATCH = 40
"""Planted lines per analysis: each is new and an error, and so a candidate for the evidence of its incident."""


@pytest.fixture(scope="module")
def corpus() -> ModuleType:
    """The generators of the redaction tests: they are the judge of the types, this test of the ways out."""
    path = Path(__file__).parents[1] / "core" / "test_redaction_planted.py"
    spec = importlib.util.spec_from_file_location("planted", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def repeat(body: dict[str, Any]) -> Say:
    """A careless model: it repeats the evidence wherever it can."""
    block = body["messages"][1]["content"].split("<evidence>\n")[1].split("\n</evidence>")[0]
    items = [json.loads(line) for line in block.split("\n")]
    lines = [item for item in items if item["kind"] == "line"]
    hypotheses = [
        {"cause": item["text"], "confidence": 0.9, "supporting": [{"id": item["id"], "quote": item["text"]}]}
        for item in lines[:5]
    ]
    return Say(
        json.dumps(
            {
                "verdict": "new_cause",
                "summary": " ".join(item["text"] for item in lines)[:1500],
                "hypotheses": hypotheses,
                "next_steps": [item["text"] for item in items[:8]],
            }
        )
    )


def test_no_planted_secret_gets_out(corpus: ModuleType, tmp_path: Path) -> None:
    planted = [each for kind in corpus.SELF_EVIDENT for each in corpus.planted(kind, EACH)]
    assert len(planted) > 200
    secrets = [secret for _, secret in planted]
    prompts: list[dict[str, Any]] = []

    def script(body: dict[str, Any]) -> Say:
        prompts.append(body)
        return repeat(body)

    outputs = []
    with openai_server(script) as server:
        environment = {"CALI_LLM_BASE_URL": server.url, "CALI_LLM_MODEL": "test-model"}
        assert cali("memory", "init", cwd=tmp_path).code == 0
        for number in range(0, len(planted), BATCH):
            log = tmp_path / f"night-{number}.log"
            stamp = "2026-03-02T10:29:"
            errors = [
                f"{stamp}{at:02d}Z ERROR checkout: {line.splitlines()[-1]} in step {chr(97 + at % 26) * (3 + at // 26)}"
                for at, (line, _) in enumerate(planted[number : number + BATCH])
            ]
            log.write_text(app_log(29, None) + "\n".join(errors) + "\n")
            done = cali("analyze", log.name, "--format", "markdown", "--top", "50", cwd=tmp_path, **environment)
            assert done.code == 0, done.err
            outputs.append(done.out)
    assert len(prompts) >= 5
    exported = cali("memory", "export", cwd=tmp_path)
    assert exported.code == 0 and exported.out.count("\n") >= 5
    ways_out = {
        "the prompt": json.dumps(prompts, ensure_ascii=False),
        "the memory": exported.out,
        "the Markdown report": "\n".join(outputs),
    }
    for name, text in ways_out.items():
        leaks = [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text]
        assert leaks == [], f"{len(leaks)} of {len(secrets)} are in {name}, such as {leaks[:3]}"
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("memory.db*") if path.is_file())
    assert raw
    assert [secret for secret in secrets if secret.encode() in raw] == []
    # What was masked is evidence still: the masks are there.
    assert "_1&gt;" in ways_out["the Markdown report"] or "_1>" in ways_out["the Markdown report"]


def test_local_output_shows_the_line_as_it_is_unless_asked_otherwise(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(app_log().replace("order 1", "order of mina@example.com 1"))
    plain = cali("analyze", "app.log", "--no-state", "--format", "json", cwd=tmp_path)
    assert "mina@example.com" in plain.out
    masked = cali("analyze", "app.log", "--no-state", "--format", "json", "--redact", cwd=tmp_path)
    assert "mina@example.com" not in masked.out
    evidence = [e for i in masked.json["incidents"] for s in i["suspects"] for e in s["evidence"]]
    assert any(e["redacted"] for e in evidence) or "EMAIL_1" in masked.out
