"""The tables of the catalog. A change here needs a migration beside it (`catalog/migrations`); a test compares."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

incidents: Final = Table(
    "incidents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False, index=True),
    Column("level", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    # Microseconds since the epoch, UTC: one type that SQLite and PostgreSQL order alike.
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("title", Text, nullable=False),
    Column("services", Text, nullable=False, doc="JSON list"),
    Column("document", Text, nullable=False, doc="the whole incident, JSON"),
    Index("ix_incidents_window", "starts_at", "ends_at"),
)

template_history: Final = Table(
    "template_history",
    metadata,
    Column("source", String(512), primary_key=True, doc="the set of inputs of the run that counted"),
    Column("template_id", BigInteger, primary_key=True, autoincrement=False),
    Column("service", String(256), primary_key=True, doc="empty where unknown"),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False, doc="start, microseconds since the epoch"),
    Column("width", BigInteger, nullable=False, doc="microseconds; 0 for records without a time"),
    Column("severity", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("weight", Float, nullable=False, doc="0 inside an incident"),
    Column("samples", Text, nullable=False, server_default="", doc="values of parameters, JSON; empty where none"),
)

model_usage: Final = Table(
    "model_usage",
    metadata,
    Column("day", String(10), primary_key=True, doc="UTC day, YYYY-MM-DD"),
    Column("model", String(256), primary_key=True),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost_usd", Float, doc="null where no price was set"),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True, doc="hash of the inputs"),
    Column("paths", Text, nullable=False, doc="JSON list, as given, made absolute"),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("services", Text, nullable=False, doc="JSON list"),
    Column("analysed_at", BigInteger, nullable=False),
)

questions: Final = Table(
    "questions",
    metadata,
    Column("session", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, doc="of the question in its session, from 1"),
    Column("asked_at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("service", String(256)),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("answer", Text, nullable=False),
)
