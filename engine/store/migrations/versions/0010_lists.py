"""Indexes for the lists of other programs: cases and tasks that are open, by when they began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    going, opened = sa.text("ended_at IS NULL"), sa.text("state = 'open'")
    op.drop_index("ix_instance_process", table_name="instance")
    op.create_index("ix_instance_process", "instance", ["process_key", "id", "ended_at"])
    op.create_index(
        "ix_instance_open", "instance", ["id", "process_key", "definition_id", "number", "state", "ended_at"], sqlite_where=going, postgresql_where=going
    )
    op.create_index("ix_instance_started", "instance", ["started_at", "id", "ended_at", "removed_at"])
    op.create_index("ix_task_open", "task", ["id", "instance_id", "opened_at", "step", "name", "state"], sqlite_where=opened, postgresql_where=opened)
    op.create_index("ix_task_opened", "task", ["opened_at", "id", "completed_at", "state"])
