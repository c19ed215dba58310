"""The index of what somebody has holds nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    had = sa.text("state = 'open' AND assignee_id IS NOT NULL")
    op.drop_index("ix_task_mine", table_name="task")
    op.create_index("ix_task_mine", "task", ["assignee_id", "sort_at", "id"], sqlite_where=had, postgresql_where=had)
