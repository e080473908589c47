"""The default embedder without torch: a sentence-transformers encoder as ONNX, on onnxruntime and tokenizers.

`OnnxEmbedder` loads a folder that `rag.memory.onnx_export` wrote once: `model.onnx` (token ids in, pooled vector of
length 1 out), `tokenizer.json` and `cali.json` (schema, model, dimension, longest input in tokens).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from core.errors import InputError
from rag.memory.index import Vector

EXPORT_SCHEMA: Final = "cali.onnx/1"
MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"
MANIFEST_FILE: Final = "cali.json"
_BATCH: Final = 32


def is_exported(folder: Path) -> bool:
    """Whether a folder holds a finished export. The manifest is written last."""
    return (folder / MANIFEST_FILE).is_file()


class OnnxEmbedder:
    """An `Embedder` over an exported encoder. Loading takes a fraction of a second; use from one thread at a time."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        """Raises InputError where the folder holds no finished export of this version."""
        try:
            manifest = orjson.loads((folder / MANIFEST_FILE).read_bytes())
        except (OSError, orjson.JSONDecodeError) as exc:
            raise InputError(f"no exported model in {folder}; `cali memory init` writes it") from exc
        if manifest.get("schema") != EXPORT_SCHEMA:
            raise InputError(f"the exported model in {folder} is of another version; `cali memory init` writes it anew")
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that wait by spinning take a core from Milvus Lite, and double the processor time of one query.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.enable_truncation(int(manifest["max_tokens"]))
        self._tokenizer.enable_padding()
        self._inputs = frozenset(one.name for one in self._session.get_inputs())
        self._model = str(manifest["model"])
        self._dimension = int(manifest["dimension"])

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Vectors in the order of the texts; texts of like length share a batch, so that little is padding."""
        vectors: list[Vector] = [np.zeros(0, np.float32)] * len(texts)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            encoded = self._tokenizer.encode_batch([texts[row] for row in rows])
            feeds = {
                "input_ids": np.array([one.ids for one in encoded], np.int64),
                "attention_mask": np.array([one.attention_mask for one in encoded], np.int64),
                "token_type_ids": np.array([one.type_ids for one in encoded], np.int64),
            }
            (pooled,) = self._session.run(None, {name: feeds[name] for name in self._inputs})
            for row, vector in zip(rows, pooled, strict=True):
                vectors[row] = np.asarray(vector, np.float32)
        return vectors
