"""Indexes by which what names a task or a timer is found when its case is removed."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f('ix_attachment_task_id'), 'attachment', ['task_id'], unique=False)
    op.create_index(op.f('ix_case_copy_task_id'), 'case_copy', ['task_id'], unique=False)
    op.create_index(op.f('ix_incident_task_id'), 'incident', ['task_id'], unique=False)
    op.create_index(op.f('ix_incident_timer_id'), 'incident', ['timer_id'], unique=False)
    op.create_index(op.f('ix_recount_move_timer_id'), 'recount_move', ['timer_id'], unique=False)
