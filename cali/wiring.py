"""Adapters, built from settings: the one place that knows which. Each function imports what it builds, and no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.config import Settings
    from core.ports import ChatModel, UsageLedger
    from ingest.templates.miner import MinerConfig
    from rag.analyst import Analyst
    from rag.budget import Budget
    from rag.chain import OpenAICompatible
    from rag.material import Masker


def miner_config(settings: Settings) -> MinerConfig:
    """The settings of the miner. Raises ConfigError that names a mask which is not valid."""
    from ingest.templates.masking import DEFAULT_MASKS, user_masks
    from ingest.templates.miner import MinerConfig

    return MinerConfig(masks=(*user_masks(settings.templates_masks), *DEFAULT_MASKS))


def redactor(settings: Settings) -> Callable[[str], str]:
    """A function that masks one text for good: for what is stored, where nothing needs to be restored."""

    def redact(text: str) -> str:
        return masking_session(settings).mask(text)

    return redact


def masking_session(settings: Settings) -> Masker:
    """A masking session: the same value gets the same mask, and `restore` takes it back."""
    from core.redaction import Redactor

    return Redactor(mask_ips=settings.redaction_mask_ips, own=settings.redaction_patterns)


def chat_model(settings: Settings) -> ChatModel | None:
    """The model of the settings; None where none is configured: then nothing of it is imported either."""
    return open_chat_model(settings) if settings.model_configured else None


def open_chat_model(settings: Settings) -> OpenAICompatible:
    """The adapter of the endpoint that the settings name."""
    from rag.chain import OpenAICompatible

    return OpenAICompatible(
        model=settings.llm_model or "",
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key,
        timeout=settings.llm_timeout,
        retries=settings.llm_retries,
    )


def analyst(settings: Settings) -> Analyst:
    """Who explains incidents."""
    from rag.analyst import Analyst, AnalystOptions

    return Analyst(
        model=chat_model(settings),
        masker=lambda: masking_session(settings),
        options=AnalystOptions(
            evidence_tokens=settings.llm_evidence_tokens,
            max_output_tokens=settings.llm_max_output_tokens,
            second_opinion=settings.llm_second_opinion,
        ),
    )


def budgets(settings: Settings, ledger: UsageLedger | None) -> Callable[[], Budget]:
    """Makes the account of one incident. Without a ledger, the daily cap holds for this process alone."""
    from rag.budget import Budget, Caps, MemoryLedger

    caps = Caps(
        incident_tokens=settings.llm_incident_token_cap,
        daily_tokens=settings.llm_daily_token_cap,
        incident_cost=settings.llm_incident_cost_cap,
        daily_cost=settings.llm_daily_cost_cap,
        input_price=settings.llm_input_price,
        output_price=settings.llm_output_price,
    )
    account = ledger or MemoryLedger()
    return lambda: Budget(caps, account, lambda: datetime.now(UTC))
