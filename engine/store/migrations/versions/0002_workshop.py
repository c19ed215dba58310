"""The workshop of the process admin: drafts, proposals, back-tests, migrations of running cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('draft',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('rule_set', sa.String(length=64), nullable=False),
    sa.Column('base_id', BigId, nullable=True),
    sa.Column('xml', sa.LargeBinary(), nullable=False),
    sa.Column('forms', Json, nullable=False),
    sa.Column('documents', Json, nullable=False),
    sa.Column('imported', Json, nullable=True),
    sa.Column('revision', BigId, nullable=False),
    sa.Column('parts', Json, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('updated_by', BigId, nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.Column('editors', Json, nullable=False),
    sa.ForeignKeyConstraint(['base_id'], ['definition.id'], name=op.f('fk_draft_base_id')),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_draft_created_by')),
    sa.ForeignKeyConstraint(['updated_by'], ['account.id'], name=op.f('fk_draft_updated_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft'))
    )
    op.create_index('ix_draft_open', 'draft', ['key', 'id'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_table('migration',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('from_id', BigId, nullable=False),
    sa.Column('to_id', BigId, nullable=False),
    sa.Column('plan', Json, nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('approved_by', BigId, nullable=True),
    sa.Column('approved_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('total', BigId, nullable=False),
    sa.Column('moved', BigId, nullable=False),
    sa.Column('stayed', BigId, nullable=False),
    sa.ForeignKeyConstraint(['approved_by'], ['account.id'], name=op.f('fk_migration_approved_by')),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_migration_created_by')),
    sa.ForeignKeyConstraint(['from_id'], ['definition.id'], name=op.f('fk_migration_from_id')),
    sa.ForeignKeyConstraint(['to_id'], ['definition.id'], name=op.f('fk_migration_to_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_migration'))
    )
    op.create_index(op.f('ix_migration_key_id'), 'migration', ['key', 'id'], unique=False)
    op.create_index('ix_migration_running', 'migration', ['id'], unique=False, sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
    op.create_table('back_test',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('draft_id', BigId, nullable=False),
    sa.Column('draft_revision', BigId, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('xml', sa.LargeBinary(), nullable=False),
    sa.Column('forms', Json, nullable=False),
    sa.Column('received_from', UtcDateTime(), nullable=False),
    sa.Column('received_until', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('total', BigId, nullable=False),
    sa.Column('done', BigId, nullable=False),
    sa.Column('last_id', BigId, nullable=False),
    sa.Column('counts', Json, nullable=False),
    sa.Column('error', sa.String(length=500), nullable=True),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('beat_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_back_test_created_by')),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_back_test_draft_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_back_test'))
    )
    op.create_index(op.f('ix_back_test_draft_id_id'), 'back_test', ['draft_id', 'id'], unique=False)
    op.create_index('ix_back_test_waiting', 'back_test', ['id'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'running')"), postgresql_where=sa.text("state IN ('waiting', 'running')"))
    op.create_table('dry_run_move',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('run_id', BigId, nullable=True),
    sa.Column('parent_id', BigId, nullable=True),
    sa.Column('draft_id', BigId, nullable=True),
    sa.Column('definition_id', BigId, nullable=True),
    sa.Column('move', Json, nullable=False),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_dry_run_move_created_by')),
    sa.ForeignKeyConstraint(['definition_id'], ['definition.id'], name=op.f('fk_dry_run_move_definition_id')),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_dry_run_move_draft_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dry_run_move'))
    )
    op.create_index(op.f('ix_dry_run_move_run_id_id'), 'dry_run_move', ['run_id', 'id'], unique=False)
    op.create_table('migration_item',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('migration_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=True),
    sa.Column('moved_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_migration_item_instance_id')),
    sa.ForeignKeyConstraint(['migration_id'], ['migration.id'], name=op.f('fk_migration_item_migration_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_migration_item'))
    )
    op.create_index(op.f('ix_migration_item_migration_id_state_id'), 'migration_item', ['migration_id', 'state', 'id'], unique=False)
    op.create_index('ix_migration_item_waiting', 'migration_item', ['migration_id', 'id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('proposal',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('rule_set', sa.String(length=64), nullable=False),
    sa.Column('draft_id', BigId, nullable=True),
    sa.Column('rolls_back_to', BigId, nullable=True),
    sa.Column('base_id', BigId, nullable=True),
    sa.Column('xml', sa.LargeBinary(), nullable=False),
    sa.Column('forms', Json, nullable=False),
    sa.Column('documents', Json, nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('effective_at', UtcDateTime(), nullable=True),
    sa.Column('proposed_by', BigId, nullable=False),
    sa.Column('proposed_at', UtcDateTime(), nullable=False),
    sa.Column('editors', Json, nullable=False),
    sa.Column('warnings', Json, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('decided_by', BigId, nullable=True),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=True),
    sa.Column('definition_id', BigId, nullable=True),
    sa.ForeignKeyConstraint(['base_id'], ['definition.id'], name=op.f('fk_proposal_base_id')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_proposal_decided_by')),
    sa.ForeignKeyConstraint(['definition_id'], ['definition.id'], name=op.f('fk_proposal_definition_id')),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_proposal_draft_id')),
    sa.ForeignKeyConstraint(['proposed_by'], ['account.id'], name=op.f('fk_proposal_proposed_by')),
    sa.ForeignKeyConstraint(['rolls_back_to'], ['definition.id'], name=op.f('fk_proposal_rolls_back_to')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proposal'))
    )
    op.create_index(op.f('ix_proposal_key_id'), 'proposal', ['key', 'id'], unique=False)
    op.create_index('ix_proposal_open', 'proposal', ['id'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_table('back_test_case',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('back_test_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('kinds', Json, nullable=False),
    sa.Column('findings', Json, nullable=False),
    sa.ForeignKeyConstraint(['back_test_id'], ['back_test.id'], name=op.f('fk_back_test_case_back_test_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_back_test_case_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_back_test_case'))
    )
    op.create_index(op.f('ix_back_test_case_back_test_id_id'), 'back_test_case', ['back_test_id', 'id'], unique=False)
