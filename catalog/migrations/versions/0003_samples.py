"""Sampled values of parameters beside the counts of templates.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("template_history", sa.Column("samples", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("template_history", "samples")
