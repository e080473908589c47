"""Causes ranked from evidence alone, without a model."""

from __future__ import annotations

from rag.suspects.ranking import Ranking, rank

__all__ = ["Ranking", "rank"]
