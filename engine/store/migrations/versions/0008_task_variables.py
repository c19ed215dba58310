"""What other programs lay onto an open task: answers set ahead of its completion, and notes of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import Json

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('task', sa.Column('prepared', Json, nullable=True))
    op.add_column('task', sa.Column('notes', Json, nullable=True))
