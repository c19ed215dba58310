"""The desk: how tasks came where they are, leave and substitutes, copies, phrases, drafts, filters, and how notices reach people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId, Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('absence',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('starts_at', UtcDateTime(), nullable=False),
    sa.Column('ends_at', UtcDateTime(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('take_open', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('set_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_absence_account_id')),
    sa.ForeignKeyConstraint(['set_by'], ['account.id'], name=op.f('fk_absence_set_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_absence'))
    )
    op.create_index('ix_absence_live', 'absence', ['account_id', 'starts_at'], unique=False, sqlite_where=sa.text("state <> 'over'"), postgresql_where=sa.text("state <> 'over'"))
    op.create_table('notice_preference',
    sa.Column('account_id', BigId, autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('mode', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notice_preference_account_id')),
    sa.PrimaryKeyConstraint('account_id', 'kind', 'channel', name=op.f('pk_notice_preference'))
    )
    op.create_table('notice_setting',
    sa.Column('account_id', BigId, autoincrement=False, nullable=False),
    sa.Column('quiet', sa.Boolean(), nullable=False),
    sa.Column('digest_minute', BigId, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notice_setting_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_notice_setting'))
    )
    op.create_table('phrase',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('unit_id', BigId, nullable=True),
    sa.Column('text', sa.String(length=500), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_phrase_account_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_phrase_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_phrase'))
    )
    op.create_index(op.f('ix_phrase_account_id_id'), 'phrase', ['account_id', 'id'], unique=False)
    op.create_index(op.f('ix_phrase_unit_id_id'), 'phrase', ['unit_id', 'id'], unique=False)
    op.create_table('robot',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('url', sa.String(length=500), nullable=False),
    sa.Column('secret', sa.String(length=200), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_by', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['account.id'], name=op.f('fk_robot_created_by')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_robot_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_robot'))
    )
    op.create_index(op.f('ix_robot_unit_id_id'), 'robot', ['unit_id', 'id'], unique=False)
    op.create_table('saved_filter',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('unit_id', BigId, nullable=True),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('tab', sa.String(length=16), nullable=False),
    sa.Column('query', Json, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_saved_filter_account_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_saved_filter_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_filter'))
    )
    op.create_index(op.f('ix_saved_filter_account_id_id'), 'saved_filter', ['account_id', 'id'], unique=False)
    op.create_index(op.f('ix_saved_filter_unit_id_id'), 'saved_filter', ['unit_id', 'id'], unique=False)
    op.create_table('signature_image',
    sa.Column('account_id', BigId, autoincrement=False, nullable=False),
    sa.Column('image', sa.LargeBinary(), nullable=False),
    sa.Column('media_type', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('set_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_signature_image_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_signature_image'))
    )
    op.create_table('absence_post',
    sa.Column('absence_id', BigId, autoincrement=False, nullable=False),
    sa.Column('unit_id', BigId, autoincrement=False, nullable=False),
    sa.Column('post', sa.String(length=64), nullable=False),
    sa.Column('substitute_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['absence_id'], ['absence.id'], name=op.f('fk_absence_post_absence_id')),
    sa.ForeignKeyConstraint(['substitute_id'], ['account.id'], name=op.f('fk_absence_post_substitute_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_absence_post_unit_id')),
    sa.PrimaryKeyConstraint('absence_id', 'unit_id', 'post', name=op.f('pk_absence_post'))
    )
    op.create_index(op.f('ix_absence_post_substitute_id'), 'absence_post', ['substitute_id'], unique=False)
    op.create_table('case_copy',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('task_id', BigId, nullable=True),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('sent_by', BigId, nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('sent_at', UtcDateTime(), nullable=False),
    sa.Column('read_at', UtcDateTime(), nullable=True),
    sa.Column('remark', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_case_copy_account_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_case_copy_instance_id')),
    sa.ForeignKeyConstraint(['sent_by'], ['account.id'], name=op.f('fk_case_copy_sent_by')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_case_copy_task_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_copy'))
    )
    op.create_index(op.f('ix_case_copy_account_id_id'), 'case_copy', ['account_id', 'id'], unique=False)
    op.create_index(op.f('ix_case_copy_instance_id_id'), 'case_copy', ['instance_id', 'id'], unique=False)
    op.create_index('ix_case_copy_unread', 'case_copy', ['account_id'], unique=False, sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))
    op.create_table('task_draft',
    sa.Column('task_id', BigId, autoincrement=False, nullable=False),
    sa.Column('account_id', BigId, autoincrement=False, nullable=False),
    sa.Column('answers', Json, nullable=False),
    sa.Column('opinion', sa.Text(), nullable=False),
    sa.Column('saved_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_task_draft_account_id')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_task_draft_task_id')),
    sa.PrimaryKeyConstraint('task_id', 'account_id', name=op.f('pk_task_draft'))
    )
    op.add_column('notice', sa.Column('restricted', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index('ix_outbox_dead', 'outbox', ['channel', 'id'], unique=False, sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'"))
    op.add_column('notice', sa.Column('task_id', BigId, nullable=True))
    op.add_column('notice', sa.Column('kind', sa.String(length=32), server_default='case', nullable=False))
    op.add_column('notice', sa.Column('digest', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index('ix_notice_digest', 'notice', ['account_id', 'id'], unique=False, sqlite_where=sa.text('digest'), postgresql_where=sa.text('digest'))
    op.add_column('instance', sa.Column('undo', sa.LargeBinary(), nullable=True))
    op.add_column('task', sa.Column('local', Json, nullable=True))
    op.add_column('task', sa.Column('search', sa.String(length=700), server_default='', nullable=False))
    op.add_column('task', sa.Column('case_unit_id', BigId, nullable=True))
    op.add_column('instance', sa.Column('search', sa.String(length=700), server_default='', nullable=False))
    # The search texts are left to the worker: initials are no business of SQL.
    op.execute("UPDATE task SET case_unit_id = (SELECT instance.unit_id FROM instance WHERE instance.id = task.instance_id)")
    op.add_column('task', sa.Column('sent_how', sa.String(length=16), nullable=True))
    op.add_column('task', sa.Column('sent_by', BigId, nullable=True))
    op.add_column('task', sa.Column('sent_note', sa.Text(), nullable=True))
    op.add_column('task', sa.Column('owner_id', BigId, nullable=True))
    op.add_column('task', sa.Column('delegation', sa.String(length=16), nullable=True))
    op.add_column('task', sa.Column('for_id', BigId, nullable=True))
    op.add_column('task', sa.Column('main_id', BigId, nullable=True))
    op.add_column('task', sa.Column('signing', sa.String(length=8), nullable=True))
    op.add_column('task', sa.Column('signatures', BigId, server_default='0', nullable=False))
    op.add_column('task', sa.Column('urges', BigId, server_default='0', nullable=False))
    op.add_column('task', sa.Column('urged_at', UtcDateTime(), nullable=True))
    op.create_index('ix_task_signatures', 'task', ['main_id'], unique=False, sqlite_where=sa.text('main_id IS NOT NULL'), postgresql_where=sa.text('main_id IS NOT NULL'))
    op.create_index('ix_task_stand_in', 'task', ['for_id'], unique=False, sqlite_where=sa.text("state = 'open' AND for_id IS NOT NULL"), postgresql_where=sa.text("state = 'open' AND for_id IS NOT NULL"))
    pooled, unsearched = sa.text("state = 'open' AND assignee_id IS NULL"), sa.text("search = ''")
    op.drop_index('ix_task_pooled', 'task')
    op.create_index('ix_task_pooled', 'task', ['unit_id', 'post', 'sort_at', 'id', 'process_key', 'case_unit_id', 'warn_at', 'paused', 'search', 'state', 'assignee_id'], unique=False, sqlite_where=pooled, postgresql_where=pooled)
    for table in ('task', 'instance'):
        op.create_index(f'ix_{table}_unsearched', table, ['id'], unique=False, sqlite_where=unsearched, postgresql_where=unsearched)
