"""The workshop's tables: drafts that people edit, proposals that a second person decides, back-tests and migrations that run.

A deployed version is a `Definition` of the kernel and never changes; everything here is the way to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class Draft(Base):
    """A draft 草稿 of a process definition: diagram, forms and document templates as they are being edited.

    Everybody who may edit diagrams may edit it; `revision` rises with each save, and who saves over a change of the same
    part that they have not seen is refused.
    """

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_open", "key", "id", sqlite_where=text("state = 'open'"),
                            postgresql_where=text("state = 'open'")),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(64))
    """The process key in the diagram when it was last saved; two drafts may be of one process."""
    name: Mapped[str] = mapped_column(String(200))
    rule_set: Mapped[str] = mapped_column(String(64))
    base_id: Mapped[int | None] = mapped_column(ForeignKey("definition.id"))
    """The version that it began as a copy of; None for a new process or an import."""
    xml: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    forms: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    documents: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    """As `package.as_text` writes them."""
    imported: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    """Of a file from elsewhere: what the import rewrote and what is still to be filled in. None for others."""
    revision: Mapped[int] = mapped_column()
    """1, 2, 3 …; the entity tag of the editor's saves."""
    parts: Mapped[dict[str, Any]]
    """xml, forms, documents → the revision that last changed it: who edits one is not in the way of who edits another."""
    state: Mapped[str] = mapped_column(String(16))
    """open · deployed · discarded"""
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    updated_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    updated_at: Mapped[datetime]
    editors: Mapped[list[Any]]
    """Account ids of all who ever saved it: none of them may approve it."""

    __mapper_args__ = {"version_id_col": revision}


class Proposal(Base):
    """A proposal 发布申请: a package as it was when somebody asked for its deployment, and what the second person decided.

    The package is kept whole, so that what was approved is what is deployed, however the draft goes on.
    """

    __tablename__ = "proposal"
    __table_args__ = (Index(None, "key", "id"),
                      Index("ix_proposal_open", "id", sqlite_where=text("state = 'open'"),
                            postgresql_where=text("state = 'open'")))

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    rule_set: Mapped[str] = mapped_column(String(64))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"))
    """None where an earlier version is to come back."""
    rolls_back_to: Mapped[int | None] = mapped_column(ForeignKey("definition.id"))
    """The earlier version whose package this is."""
    base_id: Mapped[int | None] = mapped_column(ForeignKey("definition.id"))
    """The newest version when it was proposed: another one since then means that the comparison must be read again."""
    xml: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    forms: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    documents: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    digest: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    effective_at: Mapped[datetime | None]
    """None: as soon as it is approved."""
    proposed_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    editors: Mapped[list[Any]]
    """Account ids of all who worked on the draft up to then."""
    warnings: Mapped[list[Any]] = mapped_column(deferred=True)
    """What the check remarked without refusing, as `check.as_json` writes it."""
    state: Mapped[str] = mapped_column(String(16))
    """open · approved · refused · withdrawn"""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None] = mapped_column(Text)
    """What the second person wrote."""
    definition_id: Mapped[int | None] = mapped_column(ForeignKey("definition.id"))
    """The version that it became."""


class BackTest(Base):
    """A back-test 回测: past cases of a process replayed against a draft. The worker runs it, page by page."""

    __tablename__ = "back_test"
    __table_args__ = (Index(None, "draft_id", "id"),
                      Index("ix_back_test_waiting", "id", sqlite_where=text("state IN ('waiting', 'running')"),
                            postgresql_where=text("state IN ('waiting', 'running')")))

    id: Mapped[Id]
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    draft_revision: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    xml: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    forms: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    """The package as it was when the test was asked for; letters play no part in it."""
    received_from: Mapped[datetime]
    received_until: Mapped[datetime]
    """Cases received from the one instant up to the other (exclusive)."""
    state: Mapped[str] = mapped_column(String(16))
    """waiting · running · done · failed · cancelled"""
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    last_id: Mapped[int] = mapped_column(default=0)
    """The case replayed last: whoever takes the test over goes on behind it."""
    counts: Mapped[dict[str, Any]] = mapped_column()
    """What was found, numbers first: `cases` that differ, how many by kind (`kinds`), and by step (`steps`)."""
    error: Mapped[str | None] = mapped_column(String(500))
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]
    """When a worker last said that it is at it: one that died is taken over."""


class BackTestCase(Base):
    """One case of a back-test that would have gone differently, with the point where it parts."""

    __tablename__ = "back_test_case"
    __table_args__ = (Index(None, "back_test_id", "id"), Index(None, "instance_id"))

    id: Mapped[Id]
    back_test_id: Mapped[int] = mapped_column(ForeignKey("back_test.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    number: Mapped[str] = mapped_column(String(64))
    kinds: Mapped[list[Any]]
    """What differs: route · field · lost_step · gained_step · deadline_missed · deadline_met · deadline_moved · failed"""
    findings: Mapped[list[Any]]
    """Each: kind, step (element), name, at (ISO instant), text (Chinese), and before/after where dates move."""


class Migration(Base):
    """A migration 迁移 of running cases from one version of a process to another: the plan, who agreed, how far it is."""

    __tablename__ = "migration"
    __table_args__ = (Index(None, "key", "id"),
                      Index("ix_migration_running", "id", sqlite_where=text("state = 'running'"),
                            postgresql_where=text("state = 'running'")))

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(64))
    from_id: Mapped[int] = mapped_column(ForeignKey("definition.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("definition.id"))
    plan: Mapped[dict[str, Any]]
    """Element of the old version → element of the new one, for those at which a case may stand."""
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    """planned · running · resting (started, and let rest) · done · withdrawn · stopped"""
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    """The second person, who started it."""
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    moved: Mapped[int] = mapped_column(default=0)
    stayed: Mapped[int] = mapped_column(default=0)
    """Cases that stayed as they were."""


class MigrationItem(Base):
    """One case of a migration: waiting for its turn, moved, or stayed as it was with the reason."""

    __tablename__ = "migration_item"
    __table_args__ = (
        Index("ix_migration_item_waiting", "migration_id", "id", sqlite_where=text("state = 'waiting'"),
              postgresql_where=text("state = 'waiting'")),
        Index(None, "migration_id", "state", "id"),
    )

    id: Mapped[Id]
    migration_id: Mapped[int] = mapped_column(ForeignKey("migration.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    number: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    """waiting · moved · stayed"""
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why it stayed; what no plan can move is said in plain Chinese."""
    moved_at: Mapped[datetime | None]


class DryRunMove(Base):
    """One move of a dry run 试运行; with those before it, it is a script that can be walked again at any time.

    A move is never changed: going back is going on from an earlier one, so a run is a tree and each of its moves an address.
    """

    __tablename__ = "dry_run_move"
    __table_args__ = (Index(None, "run_id", "id"),)

    id: Mapped[Id]
    run_id: Mapped[int | None]
    """The first move of the run; None for that one itself."""
    parent_id: Mapped[int | None]
    """The move before it."""
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"))
    definition_id: Mapped[int | None] = mapped_column(ForeignKey("definition.id"))
    """Of which draft, or which deployed version."""
    move: Mapped[dict[str, Any]]
    """What was done, as `dry_run.script` writes it."""
    created_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
