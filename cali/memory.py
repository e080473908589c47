"""The incident memory as the settings describe it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Settings

if TYPE_CHECKING:
    from core.ports import Embedder
    from rag.memory.hybrid import HybridMemory


def cache_folder() -> Path:
    """Where exported models and cached vectors live: `CALI_CACHE_DIR`, else `cali` in the user's cache folder."""
    if named := os.environ.get("CALI_CACHE_DIR"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cali"


def embedder_of(settings: Settings) -> Embedder:
    """The embedder that the settings name. Raises InputError where `cali memory init` has to run first."""
    from rag.memory.embedding import open_embedder

    key = settings.memory_embedding_api_key
    return open_embedder(
        settings.memory_model,
        cache_folder(),
        base_url=settings.memory_embedding_base_url,
        api_key=key.get_secret_value() if key else None,
    )


def open_configured(settings: Settings, *, wait: float = 5.0) -> HybridMemory:
    """The memory of the settings: opened for this process; close it soon.

    Raises InputError where `cali memory init` did not run, ConfigError where another model made it, RetryableError
    where another process holds it or the server does not answer.
    """
    from rag.memory.lite import warm_up
    from rag.memory.open import open_memory

    if settings.memory_uri is None:
        warm_up(settings.state)
    return open_memory(
        settings.state,
        embedder=embedder_of(settings),
        uri=settings.memory_uri,
        token=token_of(settings),
        redact=redactor(settings),
        now=lambda: datetime.now(UTC),
        wait=wait,
    )


def token_of(settings: Settings) -> str | None:
    """The token of the Milvus server, where one is set."""
    return settings.memory_token.get_secret_value() if settings.memory_token else None


def redactor(settings: Settings) -> Callable[[str], str]:
    """Masks personal data and secrets in one text, for what is stored: the masks cannot be undone."""
    return lambda text: text
