"""Other programs: tokens, external tasks, remembered answers, webhooks; versions that start nothing for now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId, Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_token',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('scopes', Json, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('last_used_at', UtcDateTime(), nullable=True),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_api_token_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_token_token_hash'))
    )
    op.create_index(op.f('ix_api_token_account_id'), 'api_token', ['account_id'], unique=False)
    op.create_table('remembered_answer',
    sa.Column('account_id', BigId, autoincrement=False, nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('answer', Json, nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_remembered_answer_account_id')),
    sa.PrimaryKeyConstraint('account_id', 'key', name=op.f('pk_remembered_answer'))
    )
    op.create_index(op.f('ix_remembered_answer_at'), 'remembered_answer', ['at'], unique=False)
    op.create_table('webhook',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('url', sa.String(length=500), nullable=False),
    sa.Column('secret', sa.String(length=200), nullable=False),
    sa.Column('kinds', Json, nullable=False),
    sa.Column('processes', Json, nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_webhook_created_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook'))
    )
    op.create_table('external_task',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('token', sa.String(length=36), nullable=False),
    sa.Column('step', sa.String(length=128), nullable=False),
    sa.Column('topic', sa.String(length=128), nullable=False),
    sa.Column('process_key', sa.String(length=64), nullable=False),
    sa.Column('priority', BigId, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('worker', sa.String(length=200), nullable=True),
    sa.Column('locked_until', UtcDateTime(), nullable=True),
    sa.Column('retries', BigId, nullable=True),
    sa.Column('error', sa.String(length=666), nullable=True),
    sa.Column('details', sa.Text(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('given', Json, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_external_task_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_external_task'))
    )
    op.create_index('ix_external_task_instance', 'external_task', ['instance_id', 'id'], unique=False)
    op.create_index('ix_external_task_waiting', 'external_task', ['topic', 'id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.add_column('definition', sa.Column('suspended', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('incident', sa.Column('external_id', BigId, nullable=True))
    op.create_index('ix_outbox_webhook', 'outbox', ['recipient', 'id'], unique=False, sqlite_where=sa.text("channel = 'webhook'"), postgresql_where=sa.text("channel = 'webhook'"))
