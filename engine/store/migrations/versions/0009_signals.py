"""Who waits for which message or signal, and signals on their way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId, Json, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('subscription',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('token', sa.String(length=36), nullable=False),
    sa.Column('activity', sa.String(length=36), nullable=True),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('step', sa.String(length=128), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_subscription_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscription')),
    sa.UniqueConstraint('instance_id', 'token', name=op.f('uq_subscription_instance_id_token')),
    sqlite_autoincrement=True,
    )
    op.create_index('ix_subscription_awaited', 'subscription', ['kind', 'name', 'id'], unique=False)
    op.create_table('signal',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('payload', Json, nullable=False),
    sa.Column('thrown_at', UtcDateTime(), nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('unit_id', BigId, nullable=True),
    sa.Column('depth', BigId, nullable=False),
    sa.Column('up_to_id', BigId, nullable=False),
    sa.Column('spread_id', BigId, nullable=False),
    sa.Column('spread', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_signal_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_signal_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signal')),
    sqlite_autoincrement=True,
    )
    op.create_table('signal_delivery',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('signal_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.Column('process_key', sa.String(length=64), nullable=True),
    sa.Column('attempts', BigId, nullable=False),
    sa.Column('wake_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_signal_delivery_instance_id')),
    sa.ForeignKeyConstraint(['signal_id'], ['signal.id'], name=op.f('fk_signal_delivery_signal_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signal_delivery')),
    sa.UniqueConstraint('signal_id', 'instance_id', name=op.f('uq_signal_delivery_signal_id_instance_id')),
    sqlite_autoincrement=True,
    )
    due = sa.text('wake_at IS NOT NULL')
    op.create_index('ix_signal_delivery_due', 'signal_delivery', ['wake_at', 'id'], unique=False, sqlite_where=due, postgresql_where=due)
    op.add_column('incident', sa.Column('delivery_id', BigId, nullable=True))
    # What the cases that run wait for is in the interpreter's state, which no SQL reads: each gets a mark, read later (subscriptions.py).
    op.execute(
        "INSERT INTO subscription (instance_id, token, kind, name, step, created_at)"
        " SELECT id, '', 'unread', '', '', started_at FROM instance WHERE state IN ('running', 'suspended')"
    )
