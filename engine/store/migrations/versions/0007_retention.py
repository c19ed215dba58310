"""How long cases are kept, and how their record is removed; versions that were deleted unused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.append_only import REMOVAL_TRIGGERS
from engine.store.base import BigId, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('definition', sa.Column('retention', sa.String(length=16), nullable=True))
    op.add_column('definition', sa.Column('deleted_at', UtcDateTime(), nullable=True))
    op.add_column('instance', sa.Column('removal_at', UtcDateTime(), nullable=True))
    op.add_column('instance', sa.Column('removed_at', UtcDateTime(), nullable=True))
    op.add_column('instance', sa.Column('removal_id', BigId, nullable=True))
    removable = sa.text("removal_at IS NOT NULL AND removed_at IS NULL")
    op.create_index('ix_instance_removal', 'instance', ['removal_at', 'id'], unique=False, sqlite_where=removable, postgresql_where=removable)
    op.create_index(op.f('ix_notice_instance_id'), 'notice', ['instance_id'], unique=False)
    op.create_index(op.f('ix_back_test_case_instance_id'), 'back_test_case', ['instance_id'], unique=False)
    op.create_table('history_removed',
    sa.Column('history_id', BigId, autoincrement=False, nullable=False),
    sa.Column('stream', sa.String(length=100), nullable=False),
    sa.Column('seq', BigId, nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('seal_id', BigId, nullable=False),
    sa.Column('removal_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['seal_id'], ['history_seal.id'], name=op.f('fk_history_removed_seal_id')),
    sa.PrimaryKeyConstraint('history_id', name=op.f('pk_history_removed')),
    sa.UniqueConstraint('stream', 'seq', name=op.f('uq_history_removed_stream_seq'))
    )
    op.create_index(op.f('ix_history_removed_seal_id_history_id'), 'history_removed', ['seal_id', 'history_id'], unique=False)
    op.create_table('removal',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('process_key', sa.String(length=64), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('decided_by', BigId, nullable=True),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('total', BigId, nullable=False),
    sa.Column('removed', BigId, nullable=False),
    sa.Column('stayed', BigId, nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_removal_created_by')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_removal_decided_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_removal'))
    )
    under_way = sa.text("state IN ('proposed', 'running')")
    op.create_index('ix_removal_under_way', 'removal', ['id'], unique=False, sqlite_where=under_way, postgresql_where=under_way)
    op.create_table('removal_item',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('removal_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=True),
    sa.Column('entries', BigId, nullable=True),
    sa.Column('dealt_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_removal_item_instance_id')),
    sa.ForeignKeyConstraint(['removal_id'], ['removal.id'], name=op.f('fk_removal_item_removal_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_removal_item'))
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index('ix_removal_item_waiting', 'removal_item', ['removal_id', 'id'], unique=False, sqlite_where=waiting, postgresql_where=waiting)
    op.create_index(op.f('ix_removal_item_removal_id_state_id'), 'removal_item', ['removal_id', 'state', 'id'], unique=False)
    op.create_index(op.f('ix_removal_item_instance_id'), 'removal_item', ['instance_id'], unique=False)
    for statement in REMOVAL_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
