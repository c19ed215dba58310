"""Drafts 草稿: how a diagram, its forms and its letters are edited by several people before anybody deploys them.

A draft may be full of faults; what it may not be is dangerous to open: its XML is plain and bounded, its forms are JSON
of a bounded size. Whoever saves says which revision they have seen. A save over a change of the same part that they have not
seen is refused with the name of who made it; nothing of either side is lost, because nothing is written.

The history says who began a draft, who joined in, and how it ended; it does not hold every save.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import may, require
from engine.people.tables import Account
from engine.process.definitions import THERE, deployed, require_open_key
from engine.process.interpreter.model import DiagramError
from engine.process.package import Package, as_text, from_text, read_package
from engine.process.tables import Definition
from engine.process.workshop.blank import KEY, KEY_WORDS, NAME_MAX, blank_diagram, key_and_name, under_key
from engine.process.workshop.contents import checked_documents, checked_forms
from engine.process.workshop.tables import Draft
from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

OPEN = "open"
#: Characters of a rule set's key.
RULE_SET_MAX = 64


class DraftConflict(Stale):
    """草稿已被他人保存，您的修改尚未保存。"""

    def __init__(self, revision: int, updated_by: str, updated_at: datetime) -> None:
        #: What the other side saved; who reloads the draft gets it.
        self.revision, self.updated_by, self.updated_at = revision, updated_by, updated_at
        moment = updated_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        super().__init__(f"{updated_by}已于{moment}保存过此草稿，您的修改尚未保存，两边的内容都还在。")


@dataclass(frozen=True, slots=True)
class DraftSheet:
    """A draft with all that it holds."""

    id: int
    key: str
    name: str
    rule_set: str
    base_id: int | None
    base_version: int | None
    """The number of the version that it began as a copy of."""
    package: Package
    imported: dict[str, Any] | None
    revision: int
    state: str
    """open · deployed · discarded"""
    updated_by: str
    """The name of who saved last."""
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft in a list, without its contents."""

    id: int
    key: str
    name: str
    rule_set: str
    base_version: int | None
    revision: int
    created_by: str
    updated_by: str
    updated_at: datetime


def require_workshop(actor: Actor) -> None:
    """Raises NotAllowed for who may neither edit nor approve diagrams: the workshop is closed to them."""
    if not (may(actor, "edit_diagrams") or may(actor, "approve_diagrams")):
        raise NotAllowed


def draft_sheet(session: Session, actor: Actor, draft_id: int) -> DraftSheet:
    """A draft, open or ended. One query. Raises NotFound, NotAllowed."""
    require_workshop(actor)
    everything = (undefer(Draft.xml), undefer(Draft.forms), undefer(Draft.documents), undefer(Draft.imported))
    found = session.execute(
        select(Draft, Definition.version, Account.name)
        .outerjoin(Definition, Definition.id == Draft.base_id)
        .join(Account, Account.id == Draft.updated_by)
        .where(Draft.id == draft_id)
        .options(*everything)
    ).first()
    if found is None:
        raise NotFound("没有找到该草稿")
    draft, version, updated_by = found
    return DraftSheet(
        draft.id, draft.key, draft.name, draft.rule_set, draft.base_id, version, package_of(draft), draft.imported,
        draft.revision, draft.state, updated_by, draft.updated_at,
    )  # fmt: skip


def package_of(draft: Draft) -> Package:
    """What would be deployed."""
    return Package(draft.rule_set, draft.xml, draft.forms, from_text(draft.documents))


def base_package(session: Session, key: str) -> Package | None:
    """The newest version of a process, with which a draft is compared; None for a new process. Parsed once per process."""
    return version_package(session, newest_id(session, key))


def version_package(session: Session, definition_id: int | None) -> Package | None:
    """What was deployed as a version; None for none. Parsed once per process."""
    if definition_id is None:
        return None
    found = deployed(session, definition_id)
    return Package(found.rule_set, found.diagram.xml, found.forms, found.documents)


def newest_id(session: Session, key: str) -> int | None:
    """The newest version of a process, in force or not; None for a new process."""
    return session.scalar(select(Definition.id).where(Definition.key == key, THERE).order_by(Definition.version.desc()).limit(1))


def open_drafts(session: Session, actor: Actor, key: str | None = None) -> list[DraftLine]:
    """The drafts being worked on, of one process or of all; the one saved last comes first. One query."""
    require_workshop(actor)
    began, saved = Account.__table__.alias("began"), Account.__table__.alias("saved")
    query = (
        select(
            Draft.id, Draft.key, Draft.name, Draft.rule_set, Definition.version, Draft.revision,
            began.c.name, saved.c.name, Draft.updated_at,
        )
        .outerjoin(Definition, Definition.id == Draft.base_id)
        .join(began, began.c.id == Draft.created_by)
        .join(saved, saved.c.id == Draft.updated_by)
        .where(Draft.state == OPEN)
        .order_by(Draft.updated_at.desc(), Draft.id.desc())
    )  # fmt: skip
    if key is not None:
        query = query.where(Draft.key == key)
    return [DraftLine(*row) for row in session.execute(query)]


@command
def start_draft(
    store: Store, *, actor: Actor, definition_id: int | None = None, key: str | None = None, name: str | None = None,
    rule_set: str | None = None, origin: Origin = Origin(),
) -> int:
    """Begins a draft: a copy of a version, or a new process with a pool, a lane, a start, a task and an end.

    Who has begun the same copy before and not touched it gets that one. A copy under a new `key` is a new process. A new process wants `key`, `name` and `rule_set`. Raises NotFound for a
    version that is not there, Invalid for a key that belongs to another process.
    """
    require(actor, "edit_diagrams")
    with store.work(actor, origin) as work:
        if definition_id is None:
            package = _blank(work.session, key, name, rule_set)
            return add_draft(work, package, actor=actor)
        version = work.session.get(
            Definition, definition_id, options=[undefer(Definition.xml), undefer(Definition.forms), undefer(Definition.documents)]
        )
        if version is None or version.deleted_at is not None:
            raise NotFound("没有找到该流程版本")
        package = Package(version.rule_set, version.xml, version.forms, from_text(version.documents))
        if key is None or key == version.key:
            untouched = _untouched(work.session, actor, version.id)
            return untouched or add_draft(work, package, actor=actor, base_id=version.id)
        require_open_key(work.session, _good_key(key))
        copy = under_key(version.xml, key, (name or "").strip()[:NAME_MAX] or None)
        return add_draft(work, Package(rule_set or package.rule_set, copy, package.forms, package.documents), actor=actor)


def _untouched(session: Session, actor: Actor, base_id: int) -> int | None:
    """The actor's own draft of that version in which nothing was saved yet."""
    mine = select(Draft.id).where(Draft.state == OPEN, Draft.base_id == base_id, Draft.created_by == actor.account_id)
    return session.scalar(mine.where(Draft.revision == 1).order_by(Draft.id).limit(1))


def _blank(session: Session, key: str | None, name: str | None, rule_set: str | None) -> Package:
    title = (name or "").strip()
    if not title or len(title) > NAME_MAX:
        raise Invalid({"name": f"请填写流程名称，不超过{NAME_MAX}字"})
    require_open_key(session, _good_key(key or ""))
    _require_rule_set(rule_set or "")
    try:
        return Package(rule_set or "", blank_diagram(key or "", title, rule_set or ""))
    except ValueError:
        raise Invalid({"name": "流程名称含有无法保存的字符"}) from None


def _require_rule_set(rule_set: str) -> None:
    if not 0 < len(rule_set) <= RULE_SET_MAX or "\0" in rule_set:
        raise Invalid({"rule_set": "请选择规则集"})


def _good_key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise Invalid({"key": KEY_WORDS})
    return key


def add_draft(
    work: Work, package: Package, *, actor: Actor, base_id: int | None = None, imported: dict[str, Any] | None = None
) -> int:
    """A new draft in an open transaction; returns its id.

    `base_id` is the version that it is a copy of, or that a file from elsewhere goes back to. Raises Invalid for XML
    that is not safe to open, or that holds no process.
    """
    require(actor, "edit_diagrams")
    key, name = _read(package.xml) or ("", "")
    _require_rule_set(package.rule_set)
    draft = Draft(
        key=_good_key(key), name=name, rule_set=package.rule_set, base_id=base_id, xml=package.xml,
        forms=checked_forms(package.forms), documents=as_text(checked_documents(package.documents)), imported=imported,
        parts={"xml": 1, "forms": 1, "documents": 1}, state=OPEN, created_by=actor.account_id, created_at=work.now, updated_by=actor.account_id, updated_at=work.now,
        editors=[actor.account_id],
    )  # fmt: skip
    work.session.add(draft)
    work.session.flush()
    facts = {"key": key, "rule_set": draft.rule_set, "base_id": base_id, "imported": imported is not None}
    append(work, f"draft:{draft.id}", [Entry(act="draft_started", definition_id=base_id, data=facts)])
    return draft.id


def _read(xml: bytes) -> tuple[str, str] | None:
    try:
        return key_and_name(xml)
    except DiagramError as error:
        raise Invalid(message="；".join(problem.message for problem in error.problems)) from None


@command
def save_draft(
    store: Store, draft_id: int, *, actor: Actor, revision: int, xml: bytes | None = None,
    forms: Mapping[str, Any] | None = None, documents: Mapping[str, bytes] | None = None, origin: Origin = Origin(),
) -> int:
    """Saves what is given over `revision`, the one that the actor has seen; returns the new revision.

    What is None stays as it is; what changes nothing makes no revision and is no conflict. Raises DraftConflict when the
    same part changed after `revision`, Stale for a draft that has ended, Invalid for contents that are not safe or a
    process key that belongs to another process.
    """
    require(actor, "edit_diagrams")
    with store.work(actor, origin) as work:
        draft = lock_draft(work, draft_id, contents=True)
        changed = _changes(work.session, draft, xml, forms, documents)
        if not changed:
            return draft.revision  # also a save that is sent again because its answer was lost
        if revision > draft.revision or any(draft.parts[part] > revision for part in changed.keys() & draft.parts.keys()):
            raise _conflict(work.session, draft)
        for column, value in changed.items():
            setattr(draft, column, value)
        draft.parts = {**draft.parts, **{part: draft.revision + 1 for part in changed.keys() & draft.parts.keys()}}
        draft.updated_by, draft.updated_at = actor.account_id, work.now
        if actor.account_id not in draft.editors:
            draft.editors = [*draft.editors, actor.account_id]
            append(work, f"draft:{draft.id}", [Entry(act="draft_joined", data={"key": draft.key, "revision": revision})])
        work.session.flush()
        return draft.revision


def _changes(
    session: Session, draft: Draft, xml: bytes | None, forms: Mapping[str, Any] | None, documents: Mapping[str, bytes] | None
) -> dict[str, Any]:
    """Column → new value, for what really differs."""
    given: dict[str, Any] = {}
    if xml is not None:
        key, name = _read(xml) or (draft.key, draft.name)
        if key != draft.key:
            _may_become(session, draft, key)
        given |= {"xml": xml, "key": key, "name": name}
    if forms is not None:
        given["forms"] = checked_forms(forms)
    if documents is not None:
        given["documents"] = as_text(checked_documents(documents))
    return {column: value for column, value in given.items() if getattr(draft, column) != value}


def _may_become(session: Session, draft: Draft, key: str) -> None:
    """Raises Invalid unless the draft may take that key. A version's key stays: running cases and calls go by it."""
    if draft.base_id is not None:
        raise Invalid(message=f"流程标识不能由“{draft.key}”改为“{key}”：办件和其他流程按标识认它。如需另立流程，请复制为新流程")
    require_open_key(session, _good_key(key))


def lock_draft(work: Work, draft_id: int, *, contents: bool = False) -> Draft:
    """An open draft, locked until the transaction ends. Raises NotFound, Stale for one that has ended."""
    options = [undefer(Draft.xml), undefer(Draft.forms), undefer(Draft.documents)] if contents else []
    draft = work.session.get(Draft, draft_id, with_for_update=True, options=options)
    if draft is None:
        raise NotFound("没有找到该草稿")
    if draft.state != OPEN:
        raise Stale("该草稿已发布，不能再改。请从最新版本另起草稿" if draft.state == "deployed" else "该草稿已放弃，不能再改")
    return draft


def seen(work: Work, draft: Draft, revision: int) -> None:
    """Raises DraftConflict unless `revision` is the draft's newest."""
    if draft.revision != revision:
        raise _conflict(work.session, draft)


def _conflict(session: Session, draft: Draft) -> DraftConflict:
    who = session.scalar(select(Account.name).where(Account.id == draft.updated_by)) or ""
    return DraftConflict(draft.revision, who, draft.updated_at)


@command
def discard_draft(store: Store, draft_id: int, *, actor: Actor, revision: int, origin: Origin = Origin()) -> None:
    """Gives a draft up. It is no longer listed; its row stays, so that its history means something.

    Raises DraftConflict when somebody saved after `revision`, and Stale for one that has ended.
    """
    require(actor, "edit_diagrams")
    with store.work(actor, origin) as work:
        draft = lock_draft(work, draft_id)
        seen(work, draft, revision)
        draft.state, draft.updated_at = "discarded", work.now
        append(work, f"draft:{draft.id}", [Entry(act="draft_discarded", data={"key": draft.key, "revision": revision})])


@command
def start_from_files(store: Store, folder: Path, rule_set: str, *, actor: Actor, origin: Origin = Origin()) -> int:
    """Begins a draft with what a rule set ships for a process; deployed, it becomes the process's next version.

    Raises Invalid for files that cannot be read.
    """
    require(actor, "edit_diagrams")
    try:
        package = read_package(folder, rule_set)
    except (OSError, ValueError):
        raise Invalid(message="规则集文件缺失或无法读取") from None
    with store.work(actor, origin) as work:
        key, _ = _read(package.xml) or ("", "")
        return add_draft(work, package, actor=actor, base_id=newest_id(work.session, key))
