"""Exports a sentence-transformers encoder to ONNX, once, and checks it against the original.

torch is imported here and only inside the function: `cali memory init` pays for it, a search never does. The exporter
is torch's TorchScript one: the newer one needs onnxscript, and the graph of a BERT encoder has nothing dynamic but its
sizes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from core.errors import PermanentError
from rag.memory.loading import no_progress_bars
from rag.memory.onnx_model import EXPORT_SCHEMA, MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, OnnxEmbedder

MIN_COSINE: Final = 0.9999
_OPSET: Final = 17
_SAMPLE: Final = (
    "connection refused",
    "java.lang.OutOfMemoryError: Java heap space at com.shop.cart.Cart.add(Cart.java:42)",
    "HikariPool-1 - Connection is not available, request timed out after 30000ms",
    "결제 서비스에서 데이터베이스 연결 시간 초과가 발생했습니다",
    "pod checkout-7d9f was OOMKilled; back-off restarting failed container " * 12,
    "",
)


def export(source: Path, model: str, folder: Path) -> float:
    """Writes the encoder in `source` (a sentence-transformers folder) to `folder`; the lowest cosine of the check.

    Only an encoder with mean pooling and normalisation can be written (all-MiniLM-L6-v2 is one). Raises PermanentError
    where the source cannot be loaded or the exported model disagrees with it (cosine below 0.9999). `folder` appears
    whole or not at all.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from sentence_transformers import SentenceTransformer

    try:
        with no_progress_bars():
            original = SentenceTransformer(str(source), device="cpu", model_kwargs={"attn_implementation": "eager"})
    except (OSError, ValueError) as exc:
        raise PermanentError(f"model {model} cannot be loaded from {source}: {exc}") from exc
    encoder, pooling = original[0], original[1]
    if len(original) != 3 or pooling.get_config_dict().get("pooling_mode") not in ("mean", None):
        raise PermanentError(f"model {model} does not pool by the mean; only such encoders are exported")
    max_tokens, dimension = int(original.max_seq_length), int(original.get_embedding_dimension())

    class Encoder(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.body = encoder.auto_model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            states = self.body(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            weights = attention_mask.unsqueeze(-1).to(states.dtype)
            mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, p=2.0, dim=1)

    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        ids = torch.ones(2, 9, dtype=torch.int64)
        names = ["input_ids", "attention_mask", "token_type_ids"]
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter warns about itself and about constants of the mask
            torch.onnx.export(
                Encoder().eval(),
                (ids, ids, torch.zeros_like(ids)),
                str(draft / MODEL_FILE),
                input_names=names,
                output_names=["embedding"],
                dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"embedding": {0: "batch"}},
                opset_version=_OPSET,
                dynamo=False,
            )
        shutil.copyfile(source / TOKENIZER_FILE, draft / TOKENIZER_FILE)
        manifest = {"schema": EXPORT_SCHEMA, "model": model, "dimension": dimension, "max_tokens": max_tokens}
        (draft / MANIFEST_FILE).write_bytes(orjson.dumps(manifest))
        encoded = original.encode(list(_SAMPLE), normalize_embeddings=True, show_progress_bar=False)
        expected = np.asarray(encoded, np.float32)
        cosine = float(min(np.sum(np.stack(list(OnnxEmbedder(draft).embed(_SAMPLE))) * expected, axis=1)))
        if cosine < MIN_COSINE:
            raise PermanentError(f"the exported {model} disagrees with the original: cosine {cosine:.5f}")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return cosine
