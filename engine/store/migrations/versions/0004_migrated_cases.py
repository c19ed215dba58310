"""Cases that move to another version: in which one each of their tasks was done, and which cases run on a version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('task', sa.Column('definition_id', BigId, nullable=True))
    op.create_index('ix_instance_version', 'instance', ['definition_id', 'id'], unique=False, sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
