"""The key by which the program that started a case knows it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('instance', sa.Column('business_key', sa.String(length=200), nullable=True))
    going = sa.text("ended_at IS NULL")
    op.drop_index("ix_instance_open", table_name="instance")
    op.create_index(
        "ix_instance_open", "instance", ["id", "process_key", "definition_id", "number", "state", "ended_at", "business_key"],
        sqlite_where=going, postgresql_where=going,
    )  # fmt: skip
    keyed = sa.text("business_key IS NOT NULL")
    op.create_index("ix_instance_business_key", "instance", ["business_key", "id"], sqlite_where=keyed, postgresql_where=keyed)
