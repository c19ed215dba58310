"""The first tables, and the triggers by which the database keeps the history append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.base import BigId, Json, UtcDateTime
from engine.store.append_only import TRIGGERS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('calendar_notice',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('doc', sa.String(length=64), nullable=False),
    sa.Column('published', sa.Date(), nullable=False),
    sa.Column('body', Json, nullable=False),
    sa.Column('loaded_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_notice')),
    sa.UniqueConstraint('doc', name=op.f('uq_calendar_notice_doc'))
    )
    op.create_table('definition',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('version', BigId, nullable=False),
    sa.Column('rule_set', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('xml', sa.LargeBinary(), nullable=False),
    sa.Column('forms', Json, nullable=False),
    sa.Column('documents', Json, nullable=False),
    sa.Column('deployed_at', UtcDateTime(), nullable=False),
    sa.Column('deployed_by', sa.String(length=64), nullable=False),
    sa.Column('approved_by', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('effective_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_definition')),
    sa.UniqueConstraint('key', 'version', name=op.f('uq_definition_key_version'))
    )
    op.create_index(op.f('ix_definition_key_effective_at'), 'definition', ['key', 'effective_at'], unique=False)
    op.create_table('heartbeat',
    sa.Column('worker', sa.String(length=100), nullable=False),
    sa.Column('beat_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('worker', name=op.f('pk_heartbeat'))
    )
    op.create_table('history',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('stream', sa.String(length=100), nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.Column('seq', BigId, nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('recorded_at', UtcDateTime(), nullable=False),
    sa.Column('actor_id', BigId, nullable=True),
    sa.Column('actor_name', sa.String(length=100), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=False),
    sa.Column('act', sa.String(length=64), nullable=False),
    sa.Column('step', sa.String(length=128), nullable=True),
    sa.Column('article', sa.String(length=200), nullable=True),
    sa.Column('definition_id', BigId, nullable=True),
    sa.Column('edition', sa.String(length=64), nullable=True),
    sa.Column('data', sa.Text(), nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_history')),
    sa.UniqueConstraint('stream', 'seq', name=op.f('uq_history_stream_seq'))
    )
    op.create_index(op.f('ix_history_instance_id_seq'), 'history', ['instance_id', 'seq'], unique=False)
    op.create_table('history_head',
    sa.Column('stream', sa.String(length=100), nullable=False),
    sa.Column('seq', BigId, nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('stream', name=op.f('pk_history_head'))
    )
    op.create_table('history_seal',
    sa.Column('id', BigId, autoincrement=False, nullable=False),
    sa.Column('sealed_at', UtcDateTime(), nullable=False),
    sa.Column('count', BigId, nullable=False),
    sa.Column('last_id', BigId, nullable=False),
    sa.Column('settled_id', BigId, nullable=False),
    sa.Column('entries_digest', sa.String(length=64), nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_history_seal'))
    )
    op.create_table('outbox',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('recipient', sa.String(length=500), nullable=False),
    sa.Column('payload', Json, nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attempts', BigId, nullable=False),
    sa.Column('next_at', UtcDateTime(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('sent_at', UtcDateTime(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('key', name=op.f('uq_outbox_key'))
    )
    op.create_index('ix_outbox_waiting', 'outbox', ['next_at', 'id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('sequence',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('last', BigId, nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_sequence'))
    )
    op.create_table('unit',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('short', sa.String(length=50), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('area', sa.String(length=12), nullable=False),
    sa.Column('parent_id', BigId, nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['unit.id'], name=op.f('fk_unit_parent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit')),
    sa.UniqueConstraint('code', name=op.f('uq_unit_code'))
    )
    op.create_index(op.f('ix_unit_parent_id'), 'unit', ['parent_id'], unique=False)
    op.create_table('account',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('login', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('phone', sa.String(length=32), nullable=True),
    sa.Column('email', sa.String(length=254), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('locked', sa.Boolean(), nullable=False),
    sa.Column('failed', BigId, nullable=False),
    sa.Column('locked_until', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('password_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_account_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('login', name=op.f('uq_account_login'))
    )
    op.create_index(op.f('ix_account_unit_id'), 'account', ['unit_id'], unique=False)
    op.create_table('history_seal_item',
    sa.Column('history_id', BigId, autoincrement=False, nullable=False),
    sa.Column('seal_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['history_id'], ['history.id'], name=op.f('fk_history_seal_item_history_id')),
    sa.ForeignKeyConstraint(['seal_id'], ['history_seal.id'], name=op.f('fk_history_seal_item_seal_id')),
    sa.PrimaryKeyConstraint('history_id', name=op.f('pk_history_seal_item'))
    )
    op.create_index(op.f('ix_history_seal_item_seal_id_history_id'), 'history_seal_item', ['seal_id', 'history_id'], unique=False)
    op.create_table('resource',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('class_code', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('provider_id', BigId, nullable=False),
    sa.Column('format', sa.String(length=64), nullable=False),
    sa.Column('sharing_class', sa.String(length=16), nullable=False),
    sa.Column('conditions', sa.Text(), nullable=False),
    sa.Column('method', sa.String(length=64), nullable=False),
    sa.Column('update_cycle', sa.String(length=64), nullable=False),
    sa.Column('update_deadline', sa.String(length=64), nullable=False),
    sa.Column('open_to_public', sa.Boolean(), nullable=False),
    sa.Column('items', Json, nullable=False),
    sa.Column('withheld_items', Json, nullable=False),
    sa.Column('item_types', Json, nullable=False),
    sa.Column('abstract', sa.Text(), nullable=False),
    sa.Column('identifier', sa.String(length=64), nullable=False),
    sa.Column('level', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=32), nullable=False),
    sa.Column('sharing_scope', sa.Text(), nullable=False),
    sa.Column('related_code', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('version', BigId, nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['provider_id'], ['unit.id'], name=op.f('fk_resource_provider_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resource')),
    sa.UniqueConstraint('code', name=op.f('uq_resource_code'))
    )
    op.create_index(op.f('ix_resource_class_code'), 'resource', ['class_code'], unique=False)
    op.create_index(op.f('ix_resource_kind_code'), 'resource', ['kind', 'code'], unique=False)
    op.create_index(op.f('ix_resource_provider_id_code'), 'resource', ['provider_id', 'code'], unique=False)
    op.create_index(op.f('ix_resource_sharing_class_code'), 'resource', ['sharing_class', 'code'], unique=False)
    op.create_table('unit_body',
    sa.Column('body', sa.String(length=64), nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_unit_body_unit_id')),
    sa.PrimaryKeyConstraint('body', name=op.f('pk_unit_body'))
    )
    op.create_index(op.f('ix_unit_body_unit_id'), 'unit_body', ['unit_id'], unique=False)
    op.create_table('appointment',
    sa.Column('account_id', BigId, autoincrement=False, nullable=False),
    sa.Column('unit_id', BigId, autoincrement=False, nullable=False),
    sa.Column('post', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_appointment_account_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_appointment_unit_id')),
    sa.PrimaryKeyConstraint('account_id', 'unit_id', 'post', name=op.f('pk_appointment'))
    )
    op.create_index(op.f('ix_appointment_unit_id_post_account_id'), 'appointment', ['unit_id', 'post', 'account_id'], unique=False)
    op.create_table('instance',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('definition_id', BigId, nullable=False),
    sa.Column('process_key', sa.String(length=64), nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('outcome', sa.String(length=64), nullable=True),
    sa.Column('outcome_name', sa.String(length=200), nullable=True),
    sa.Column('subject_key', sa.String(length=200), nullable=True),
    sa.Column('unit_id', BigId, nullable=True),
    sa.Column('starter_id', BigId, nullable=True),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('escalated', sa.Boolean(), nullable=False),
    sa.Column('variables', Json, nullable=False),
    sa.Column('saved', sa.LargeBinary(), nullable=False),
    sa.Column('revision', BigId, nullable=False),
    sa.Column('parent_id', BigId, nullable=True),
    sa.Column('parent_token', sa.String(length=36), nullable=True),
    sa.Column('source_id', BigId, nullable=True),
    sa.Column('source_token', sa.String(length=36), nullable=True),
    sa.Column('supervised', sa.Boolean(), nullable=False),
    sa.Column('history_seq', BigId, nullable=False),
    sa.Column('history_hash', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['definition_id'], ['definition.id'], name=op.f('fk_instance_definition_id')),
    sa.ForeignKeyConstraint(['parent_id'], ['instance.id'], name=op.f('fk_instance_parent_id')),
    sa.ForeignKeyConstraint(['source_id'], ['instance.id'], name=op.f('fk_instance_source_id')),
    sa.ForeignKeyConstraint(['starter_id'], ['account.id'], name=op.f('fk_instance_starter_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_instance_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_instance')),
    sa.UniqueConstraint('number', name=op.f('uq_instance_number'))
    )
    op.create_index(op.f('ix_instance_parent_id'), 'instance', ['parent_id'], unique=False)
    op.create_index('ix_instance_source', 'instance', ['source_id', 'source_token'], unique=False, sqlite_where=sa.text("state = 'running'"), postgresql_where=sa.text("state = 'running'"))
    op.create_index(op.f('ix_instance_starter_id_id'), 'instance', ['starter_id', 'id'], unique=False)
    op.create_index('ix_instance_escalated', 'instance', ['id'], unique=False, sqlite_where=sa.text('escalated IS 1'), postgresql_where=sa.text('escalated IS true'))
    op.create_index('ix_instance_process', 'instance', ['process_key', 'id'], unique=False)
    op.create_index('ix_instance_state', 'instance', ['state', 'id'], unique=False)
    op.create_index(op.f('ix_instance_subject_key_id'), 'instance', ['subject_key', 'id'], unique=False)
    op.create_table('negative_list_entry',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('resource_id', BigId, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('basis_type', sa.String(length=32), nullable=True),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('article', sa.String(length=64), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('listed_at', UtcDateTime(), nullable=False),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_negative_list_entry_resource_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_negative_list_entry'))
    )
    op.create_index(op.f('ix_negative_list_entry_resource_id_id'), 'negative_list_entry', ['resource_id', 'id'], unique=False)
    op.create_index(op.f('ix_negative_list_entry_state_id'), 'negative_list_entry', ['state', 'id'], unique=False)
    op.create_index('uq_negative_list_listed', 'negative_list_entry', ['resource_id'], unique=True, sqlite_where=sa.text("state = 'listed'"), postgresql_where=sa.text("state = 'listed'"))
    op.create_table('rule_document',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('number', sa.String(length=100), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('result', sa.String(length=16), nullable=True),
    sa.Column('result_note', sa.Text(), nullable=False),
    sa.Column('added_by', BigId, nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('concluded_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['added_by'], ['account.id'], name=op.f('fk_rule_document_added_by')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_rule_document_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule_document'))
    )
    op.create_index(op.f('ix_rule_document_kind_id'), 'rule_document', ['kind', 'id'], unique=False)
    op.create_index(op.f('ix_rule_document_unit_id_id'), 'rule_document', ['unit_id', 'id'], unique=False)
    op.create_table('sign_in',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_sign_in_account_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_sign_in'))
    )
    op.create_index(op.f('ix_sign_in_account_id'), 'sign_in', ['account_id'], unique=False)
    op.create_index(op.f('ix_sign_in_expires_at'), 'sign_in', ['expires_at'], unique=False)
    op.create_table('catalogue_maintenance',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('period', sa.String(length=64), nullable=False),
    sa.Column('due_day', sa.Date(), nullable=False),
    sa.Column('entries', Json, nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('completed_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_catalogue_maintenance_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_catalogue_maintenance_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_catalogue_maintenance')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_catalogue_maintenance_instance_id')),
    sa.UniqueConstraint('unit_id', 'period', name=op.f('uq_catalogue_maintenance_unit_id_period'))
    )
    op.create_table('data_correction',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('resource_id', BigId, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('fields', Json, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('banner', sa.Text(), nullable=False),
    sa.Column('finding', sa.Text(), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_data_correction_instance_id')),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_data_correction_resource_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_data_correction_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_correction')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_data_correction_instance_id')),
    sa.UniqueConstraint('number', name=op.f('uq_data_correction_number'))
    )
    op.create_index(op.f('ix_data_correction_resource_id_id'), 'data_correction', ['resource_id', 'id'], unique=False)
    op.create_table('data_inconsistency',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('unit_id', BigId, nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('authority_id', BigId, nullable=True),
    sa.Column('finding', sa.Text(), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('found_at', UtcDateTime(), nullable=True),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['authority_id'], ['unit.id'], name=op.f('fk_data_inconsistency_authority_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_data_inconsistency_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_data_inconsistency_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_inconsistency')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_data_inconsistency_instance_id')),
    sa.UniqueConstraint('number', name=op.f('uq_data_inconsistency_number'))
    )
    op.create_table('document',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('step', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('year', BigId, nullable=False),
    sa.Column('serial', BigId, nullable=False),
    sa.Column('number', sa.String(length=100), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('article', sa.String(length=200), nullable=True),
    sa.Column('docx', sa.LargeBinary(), nullable=False),
    sa.Column('issued_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_document_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_document_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document')),
    sa.UniqueConstraint('unit_id', 'kind', 'year', 'serial', name=op.f('uq_document_unit_id_kind_year_serial'))
    )
    op.create_index(op.f('ix_document_instance_id'), 'document', ['instance_id'], unique=False)
    op.create_table('evaluation',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('period', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('figures', Json, nullable=False),
    sa.Column('scores', Json, nullable=False),
    sa.Column('automatic', sa.Float(), nullable=False),
    sa.Column('adjustment', sa.Float(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('total', sa.Float(), nullable=False),
    sa.Column('grade', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('concluded_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_evaluation_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_evaluation_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evaluation')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_evaluation_instance_id')),
    sa.UniqueConstraint('unit_id', 'period', name=op.f('uq_evaluation_unit_id_period'))
    )
    op.create_table('negative_list_change',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('entry_id', BigId, nullable=False),
    sa.Column('act', sa.String(length=16), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.ForeignKeyConstraint(['entry_id'], ['negative_list_entry.id'], name=op.f('fk_negative_list_change_entry_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_negative_list_change_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_negative_list_change'))
    )
    op.create_index(op.f('ix_negative_list_change_entry_id'), 'negative_list_change', ['entry_id'], unique=False)
    op.create_table('negative_list_objection',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('entry_id', BigId, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('ground', sa.String(length=32), nullable=False),
    sa.Column('new_basis', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('filed_at', UtcDateTime(), nullable=False),
    sa.Column('concluded_at', UtcDateTime(), nullable=True),
    sa.Column('document', sa.String(length=100), nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['negative_list_entry.id'], name=op.f('fk_negative_list_objection_entry_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_negative_list_objection_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_negative_list_objection_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_negative_list_objection')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_negative_list_objection_instance_id'))
    )
    op.create_index(op.f('ix_negative_list_objection_entry_id'), 'negative_list_objection', ['entry_id'], unique=False)
    op.create_table('notice',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('read_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notice_account_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_notice_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice'))
    )
    op.create_index(op.f('ix_notice_account_id_id'), 'notice', ['account_id', 'id'], unique=False)
    op.create_index('ix_notice_unread', 'notice', ['account_id'], unique=False, sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))
    op.create_table('opened_duty',
    sa.Column('duty', sa.String(length=64), nullable=False),
    sa.Column('unit_id', BigId, autoincrement=False, nullable=False),
    sa.Column('period', sa.String(length=64), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('due_day', sa.Date(), nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_opened_duty_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_opened_duty_unit_id')),
    sa.PrimaryKeyConstraint('duty', 'unit_id', 'period', name=op.f('pk_opened_duty'))
    )
    op.create_table('party',
    sa.Column('instance_id', BigId, autoincrement=False, nullable=False),
    sa.Column('unit_id', BigId, autoincrement=False, nullable=False),
    sa.Column('post', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_party_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_party_unit_id')),
    sa.PrimaryKeyConstraint('instance_id', 'unit_id', 'post', name=op.f('pk_party'))
    )
    op.create_index(op.f('ix_party_unit_id_post_instance_id'), 'party', ['unit_id', 'post', 'instance_id'], unique=False)
    op.create_table('project',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('budget', sa.Numeric(precision=14, scale=2), nullable=False),
    sa.Column('planned', Json, nullable=False),
    sa.Column('gaps', Json, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('proposed_at', UtcDateTime(), nullable=False),
    sa.Column('approved_at', UtcDateTime(), nullable=True),
    sa.Column('accepted_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_project_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_project_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_project')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_project_instance_id'))
    )
    op.create_index(op.f('ix_project_unit_id_id'), 'project', ['unit_id', 'id'], unique=False)
    op.create_table('published_condition',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('resource_id', BigId, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('published_at', UtcDateTime(), nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_published_condition_instance_id')),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_published_condition_resource_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_published_condition'))
    )
    op.create_index(op.f('ix_published_condition_resource_id'), 'published_condition', ['resource_id'], unique=False)
    op.create_table('rectification_order',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('grounds', Json, nullable=False),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('clause', sa.String(length=200), nullable=False),
    sa.Column('demand', sa.Text(), nullable=False),
    sa.Column('days', BigId, nullable=False),
    sa.Column('extended_days', BigId, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('served_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('reported_at', UtcDateTime(), nullable=True),
    sa.Column('instruction', sa.Text(), nullable=False),
    sa.Column('instructed_by', sa.String(length=60), nullable=False),
    sa.Column('instructed_on', sa.Date(), nullable=True),
    sa.Column('source_id', BigId, nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_rectification_order_instance_id')),
    sa.ForeignKeyConstraint(['source_id'], ['instance.id'], name=op.f('fk_rectification_order_source_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_rectification_order_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rectification_order')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_rectification_order_instance_id')),
    sa.UniqueConstraint('number', name=op.f('uq_rectification_order_number'))
    )
    op.create_index(op.f('ix_rectification_order_state_id'), 'rectification_order', ['state', 'id'], unique=False)
    op.create_index(op.f('ix_rectification_order_unit_id_id'), 'rectification_order', ['unit_id', 'id'], unique=False)
    op.create_table('report',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('scope', sa.String(length=16), nullable=False),
    sa.Column('period', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('due_day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('figures', Json, nullable=False),
    sa.Column('figures_at', UtcDateTime(), nullable=False),
    sa.Column('content', Json, nullable=False),
    sa.Column('submitted_at', UtcDateTime(), nullable=True),
    sa.Column('accepted_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_report_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_report_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_report_instance_id')),
    sa.UniqueConstraint('unit_id', 'scope', 'period', name=op.f('uq_report_unit_id_scope_period'))
    )
    op.create_index(op.f('ix_report_period_unit_id'), 'report', ['period', 'unit_id'], unique=False)
    op.create_table('resource_version',
    sa.Column('resource_id', BigId, autoincrement=False, nullable=False),
    sa.Column('version', BigId, autoincrement=False, nullable=False),
    sa.Column('changed_at', UtcDateTime(), nullable=False),
    sa.Column('summary', sa.String(length=300), nullable=False),
    sa.Column('elements', Json, nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_resource_version_instance_id')),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_resource_version_resource_id')),
    sa.PrimaryKeyConstraint('resource_id', 'version', name=op.f('pk_resource_version'))
    )
    op.create_table('sharing_grant',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('resource_id', BigId, nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('fields', Json, nullable=False),
    sa.Column('use', sa.Text(), nullable=False),
    sa.Column('method', sa.String(length=64), nullable=False),
    sa.Column('conditions', sa.Text(), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('granted_at', UtcDateTime(), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('end_reason', sa.Text(), nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('ended_by_id', BigId, nullable=True),
    sa.ForeignKeyConstraint(['ended_by_id'], ['instance.id'], name=op.f('fk_sharing_grant_ended_by_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_sharing_grant_instance_id')),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_sharing_grant_resource_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_sharing_grant_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sharing_grant')),
    sa.UniqueConstraint('number', name=op.f('uq_sharing_grant_number'))
    )
    op.create_index(op.f('ix_sharing_grant_instance_id'), 'sharing_grant', ['instance_id'], unique=False)
    op.create_index(op.f('ix_sharing_grant_resource_id_id'), 'sharing_grant', ['resource_id', 'id'], unique=False)
    op.create_index(op.f('ix_sharing_grant_unit_id_id'), 'sharing_grant', ['unit_id', 'id'], unique=False)
    op.create_table('supervision_case',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('level', sa.String(length=16), nullable=False),
    sa.Column('source_id', BigId, nullable=False),
    sa.Column('source_step', sa.String(length=128), nullable=False),
    sa.Column('source_step_name', sa.String(length=200), nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('raised_at', UtcDateTime(), nullable=True),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('instance_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_supervision_case_instance_id')),
    sa.ForeignKeyConstraint(['source_id'], ['instance.id'], name=op.f('fk_supervision_case_source_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_supervision_case_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supervision_case')),
    sa.UniqueConstraint('instance_id', name=op.f('uq_supervision_case_instance_id')),
    sa.UniqueConstraint('number', name=op.f('uq_supervision_case_number'))
    )
    op.create_index(op.f('ix_supervision_case_source_id_id'), 'supervision_case', ['source_id', 'id'], unique=False)
    op.create_index(op.f('ix_supervision_case_unit_id_id'), 'supervision_case', ['unit_id', 'id'], unique=False)
    op.create_table('task',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('token', sa.String(length=36), nullable=False),
    sa.Column('step', sa.String(length=128), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('process_key', sa.String(length=64), nullable=False),
    sa.Column('process_name', sa.String(length=200), nullable=False),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('unit_id', BigId, nullable=False),
    sa.Column('post', sa.String(length=64), nullable=False),
    sa.Column('assignee_id', BigId, nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=True),
    sa.Column('due_day', sa.Date(), nullable=True),
    sa.Column('warn_at', UtcDateTime(), nullable=True),
    sa.Column('provisional', sa.Boolean(), nullable=False),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('sort_at', UtcDateTime(), nullable=False),
    sa.Column('completed_by', BigId, nullable=True),
    sa.Column('completed_at', UtcDateTime(), nullable=True),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.Column('opinion', sa.Text(), nullable=True),
    sa.Column('answers', Json, nullable=True),
    sa.ForeignKeyConstraint(['assignee_id'], ['account.id'], name=op.f('fk_task_assignee_id')),
    sa.ForeignKeyConstraint(['completed_by'], ['account.id'], name=op.f('fk_task_completed_by')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_task_instance_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_task_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task'))
    )
    op.create_index('ix_task_board', 'task', ['unit_id', 'process_key', 'sort_at', 'warn_at', 'state'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_task_urgent', 'task', ['sort_at', 'id'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_task_done', 'task', ['completed_by', 'completed_at', 'id'], unique=False, sqlite_where=sa.text("state = 'done'"), postgresql_where=sa.text("state = 'done'"))
    op.create_index(op.f('ix_task_instance_id_state'), 'task', ['instance_id', 'state'], unique=False)
    op.create_index('ix_task_mine', 'task', ['assignee_id', 'sort_at', 'id'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_task_pooled', 'task', ['unit_id', 'post', 'sort_at', 'id'], unique=False, sqlite_where=sa.text("state = 'open' AND assignee_id IS NULL"), postgresql_where=sa.text("state = 'open' AND assignee_id IS NULL"))
    op.create_table('timer',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('token', sa.String(length=36), nullable=False),
    sa.Column('activity', sa.String(length=36), nullable=True),
    sa.Column('element', sa.String(length=128), nullable=False),
    sa.Column('activity_name', sa.String(length=200), nullable=False),
    sa.Column('rule', Json, nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('pauses', Json, nullable=False),
    sa.Column('restart_at', UtcDateTime(), nullable=True),
    sa.Column('due_at', UtcDateTime(), nullable=True),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('provisional', sa.Boolean(), nullable=False),
    sa.Column('edition', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('wake_at', UtcDateTime(), nullable=True),
    sa.Column('attempts', BigId, nullable=False),
    sa.Column('fired_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_timer_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_timer'))
    )
    op.create_index('ix_timer_edition', 'timer', ['edition', 'id'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'paused')"), postgresql_where=sa.text("state IN ('waiting', 'paused')"))
    op.create_index('ix_timer_instance', 'timer', ['instance_id', 'id'], unique=False)
    op.create_index('ix_timer_live', 'timer', ['instance_id'], unique=False, sqlite_where=sa.text("state IN ('waiting', 'paused', 'fired')"), postgresql_where=sa.text("state IN ('waiting', 'paused', 'fired')"))
    op.create_index('ix_timer_wake', 'timer', ['wake_at', 'id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('attachment',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=True),
    sa.Column('task_id', BigId, nullable=True),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('size', BigId, nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('stored', sa.String(length=100), nullable=False),
    sa.Column('uploaded_by', BigId, nullable=False),
    sa.Column('uploaded_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_attachment_instance_id')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_attachment_task_id')),
    sa.ForeignKeyConstraint(['uploaded_by'], ['account.id'], name=op.f('fk_attachment_uploaded_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment'))
    )
    op.create_index(op.f('ix_attachment_instance_id'), 'attachment', ['instance_id'], unique=False)
    op.create_index(op.f('ix_attachment_uploaded_by'), 'attachment', ['uploaded_by'], unique=False)
    op.create_table('grant_suspension',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('grant_id', BigId, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('suspended_at', UtcDateTime(), nullable=False),
    sa.Column('lifted_at', UtcDateTime(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['grant_id'], ['sharing_grant.id'], name=op.f('fk_grant_suspension_grant_id')),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_grant_suspension_instance_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_grant_suspension'))
    )
    op.create_index(op.f('ix_grant_suspension_grant_id'), 'grant_suspension', ['grant_id'], unique=False)
    op.create_index(op.f('ix_grant_suspension_instance_id'), 'grant_suspension', ['instance_id'], unique=False)
    op.create_table('incident',
    sa.Column('id', BigId, autoincrement=True, nullable=False),
    sa.Column('instance_id', BigId, nullable=False),
    sa.Column('timer_id', BigId, nullable=True),
    sa.Column('task_id', BigId, nullable=True),
    sa.Column('error', sa.String(length=500), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('opened_at', UtcDateTime(), nullable=False),
    sa.Column('failed_at', UtcDateTime(), nullable=False),
    sa.Column('attempts', BigId, nullable=False),
    sa.Column('resolved_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['instance_id'], ['instance.id'], name=op.f('fk_incident_instance_id')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_incident_task_id')),
    sa.ForeignKeyConstraint(['timer_id'], ['timer.id'], name=op.f('fk_incident_timer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident'))
    )
    op.create_index(op.f('ix_incident_instance_id'), 'incident', ['instance_id'], unique=False)
    op.create_index('ix_incident_open', 'incident', ['id'], unique=False, sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))
    op.create_table('inconsistent_resource',
    sa.Column('inconsistency_id', BigId, autoincrement=False, nullable=False),
    sa.Column('resource_id', BigId, autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['inconsistency_id'], ['data_inconsistency.id'], name=op.f('fk_inconsistent_resource_inconsistency_id')),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_inconsistent_resource_resource_id')),
    sa.PrimaryKeyConstraint('inconsistency_id', 'resource_id', name=op.f('pk_inconsistent_resource'))
    )
    op.create_index(op.f('ix_inconsistent_resource_resource_id'), 'inconsistent_resource', ['resource_id'], unique=False)
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement.replace(":", r"\:")))
