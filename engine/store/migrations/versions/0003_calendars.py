"""Calendars: orders of a city or county beside the national notices, who counts by which, publications and what they moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('work_calendar',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('follows_city', sa.Boolean(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_work_calendar'))
    )
    op.create_table('calendar_binding',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('calendar', sa.String(length=64), nullable=False),
    sa.Column('bound_at', UtcDateTime(), nullable=False),
    sa.Column('bound_by', BigId, nullable=True),
    sa.ForeignKeyConstraint(['bound_by'], ['account.id'], name=op.f('fk_calendar_binding_bound_by')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_calendar_binding_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_binding'))
    )
    op.create_index(op.f('ix_calendar_binding_unit_id_id'), 'calendar_binding', ['unit_id', 'id'], unique=False)
    op.create_table('calendar_proposal',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('calendar', sa.String(length=64), nullable=True),
    sa.Column('doc', sa.String(length=64), nullable=False),
    sa.Column('reading', Json, nullable=False),
    sa.Column('body', Json, nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('accepted', sa.Text(), nullable=False),
    sa.Column('policy', sa.String(length=8), nullable=False),
    sa.Column('proposed_by', BigId, nullable=False),
    sa.Column('proposed_at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('decided_by', BigId, nullable=True),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=True),
    sa.Column('notice_id', BigId, nullable=True),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_calendar_proposal_decided_by')),
    sa.ForeignKeyConstraint(['notice_id'], ['calendar_notice.id'], name=op.f('fk_calendar_proposal_notice_id')),
    sa.ForeignKeyConstraint(['proposed_by'], ['account.id'], name=op.f('fk_calendar_proposal_proposed_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_proposal'))
    )
    op.create_index('ix_calendar_proposal_open', 'calendar_proposal', ['id'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_table('recount',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('notice_id', BigId, nullable=True),
    sa.Column('cause', sa.String(length=200), nullable=False),
    sa.Column('policy', sa.String(length=8), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('looked_at', BigId, nullable=False),
    sa.Column('moved', BigId, nullable=False),
    sa.Column('kept', BigId, nullable=False),
    sa.Column('told', BigId, nullable=False),
    sa.ForeignKeyConstraint(['notice_id'], ['calendar_notice.id'], name=op.f('fk_recount_notice_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recount'))
    )
    op.create_index('ix_recount_running', 'recount', ['id'], unique=False, sqlite_where=sa.text("state != 'done'"), postgresql_where=sa.text("state != 'done'"))
    op.create_table('recount_move',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('recount_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('timer_id', BigId, nullable=False),
    sa.Column('activity', sa.String(length=200), nullable=False),
    sa.Column('unit_id', BigId, nullable=True),
    sa.Column('post', sa.String(length=64), nullable=True),
    sa.Column('assignee_id', BigId, nullable=True),
    sa.Column('from_day', sa.Date(), nullable=True),
    sa.Column('to_day', sa.Date(), nullable=True),
    sa.Column('computed_day', sa.Date(), nullable=True),
    sa.Column('moved_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['assignee_id'], ['account.id'], name=op.f('fk_recount_move_assignee_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_recount_move_instance_id')),
    sa.ForeignKeyConstraint(['recount_id'], ['recount.id'], name=op.f('fk_recount_move_recount_id')),
    sa.ForeignKeyConstraint(['timer_id'], ['timer.id'], name=op.f('fk_recount_move_timer_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_recount_move_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recount_move'))
    )
    op.create_index(op.f('ix_recount_move_instance_id'), 'recount_move', ['instance_id'], unique=False)
    op.create_index(op.f('ix_recount_move_recount_id_id'), 'recount_move', ['recount_id', 'id'], unique=False)
    op.add_column('calendar_notice', sa.Column('calendar', sa.String(length=64), nullable=True))
    op.add_column('calendar_notice', sa.Column('policy', sa.String(length=8), server_default='keep', nullable=False))
    op.add_column('calendar_notice', sa.Column('confirmed_by', BigId, nullable=True))
    op.add_column('timer', sa.Column('calendar', sa.String(length=64), nullable=True))
    op.drop_index('ix_timer_edition', 'timer')
    op.create_index('ix_timer_edition', 'timer', ['calendar', 'edition', 'id'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'paused')"), postgresql_where=sa.text("state IN ('waiting', 'paused')"))
