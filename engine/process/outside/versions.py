"""Process definitions and their deployments as other programs know them. Every version is a deployment of its own.

A deployment of a program goes the way of every other: it becomes a proposal, which a second person approves. Only where an
installation is set so (for development) is it deployed at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import false, select, true, update
from sqlalchemy.orm import Session, aliased

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import may, require
from engine.people.tables import Account
from engine.process.definitions import THERE, deploy_in
from engine.process.interpreter.model import Diagram
from engine.process.interpreter.reader import read_diagram
from engine.process.outside.listing import (
    AnySelect, Cut, Filter, Listed, after, among, before, conditions, count, definition, definition_number, fetch, ident, like,
    nothing, same, when,
)  # fmt: skip
from engine.process.package import Package
from engine.process.tables import Definition
from engine.process.workshop.drafts import base_package
from engine.process.workshop.importing.foreign import merged
from engine.process.workshop.proposals import propose_package
from engine.process.workshop.tables import Proposal
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, command

#: Behind the key, the name of a version's diagram as a file.
SUFFIX = ".bpmn"

_newer = aliased(Definition)
_newest = ~select(_newer.id).where(_newer.key == Definition.key, _newer.version > Definition.version, _newer.deleted_at.is_(None)).correlate(Definition).exists()

FILTERS: Mapping[str, Filter] = {
    "processDefinitionId": definition(Definition.id),
    "processDefinitionIdIn": lambda values: Definition.id.in_([definition_number(value) for value in values]),
    "name": same(Definition.name), "nameLike": like(Definition.name), "deploymentId": ident(Definition.id), "key": same(Definition.key),
    "keysIn": among(Definition.key), "keyLike": like(Definition.key), "version": same(Definition.version), "latestVersion": when(_newest),
    "active": when(~Definition.suspended), "suspended": when(Definition.suspended.is_(True)), "deployedAfter": after(Definition.deployed_at),
    "deployedAt": same(Definition.deployed_at), "category": same(Definition.rule_set), "categoryLike": like(Definition.rule_set),
    "resourceName": same(Definition.key + SUFFIX), "resourceNameLike": like(Definition.key + SUFFIX),
    # Versions have numbers here and no tags, and none is kept from a list of what may be started.
    "versionTag": nothing, "versionTagLike": nothing, "withoutVersionTag": when(true()), "startableInTasklist": when(true()), "notStartableInTasklist": when(false()),
}  # fmt: skip
SORTS: Mapping[str, Any] = {
    "id": Definition.id, "key": Definition.key, "name": Definition.name, "version": Definition.version, "deploymentId": Definition.id,
    "deployTime": Definition.deployed_at, "category": Definition.rule_set,
}  # fmt: skip

DEPLOYMENT_FILTERS: Mapping[str, Filter] = {
    "id": ident(Definition.id), "name": same(Definition.name), "nameLike": like(Definition.name), "after": after(Definition.deployed_at),
    "before": before(Definition.deployed_at), "source": same(Definition.rule_set), "withoutSource": when(Definition.rule_set == ""),
}  # fmt: skip
DEPLOYMENT_SORTS: Mapping[str, Any] = {"id": Definition.id, "name": Definition.name, "deploymentTime": Definition.deployed_at}


def _columns() -> AnySelect:
    return select(
        Definition.id, Definition.key, Definition.version, Definition.name, Definition.rule_set, Definition.deployed_at,
        Definition.deployed_by, Definition.approved_by, Definition.reason, Definition.effective_at, Definition.suspended, Definition.retention,
    )  # fmt: skip


def definitions(session: Session, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Versions, which everybody may know. One query."""
    return fetch(session, _columns().where(THERE, *conditions(FILTERS, asked)), SORTS, Definition.id, cut)


def all_definitions(session: Session) -> Sequence[Any]:
    """Every version there is, in the order in which they came. One query."""
    return session.execute(_columns().where(THERE).order_by(Definition.id)).all()


def count_definitions(session: Session, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return count(session, select(Definition.id).where(THERE, *conditions(FILTERS, asked)))


def deployments(session: Session, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Deployments. One query."""
    return fetch(session, _columns().where(THERE, *conditions(DEPLOYMENT_FILTERS, asked)), DEPLOYMENT_SORTS, Definition.id, cut)


def count_deployments(session: Session, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return count(session, select(Definition.id).where(THERE, *conditions(DEPLOYMENT_FILTERS, asked)))


def one_definition(session: Session, definition_id: int) -> Any:
    """One version. Raises NotFound. One query."""
    row = session.execute(_columns().where(Definition.id == definition_id, THERE)).first()
    if row is None:
        raise NotFound(f"No matching process definition with id {definition_id}")
    return row


def id_in_force(session: Session, key: str) -> int:
    """The id of the version of a process that a case received now follows. Raises NotFound. One query."""
    now: datetime = session.info["store"].clock.now()
    found = session.scalar(
        select(Definition.id).where(Definition.key == key, Definition.effective_at <= now, THERE)
        .order_by(Definition.effective_at.desc(), Definition.version.desc()).limit(1)
    )  # fmt: skip
    if found is None:
        raise NotFound(f"No matching process definition with key {key[:100]}")
    return int(found)


@command
def set_suspended(store: Store, ids: list[int], suspended: bool, *, actor: Actor, origin: Origin = Origin()) -> int:
    """Stops new cases under some versions, or lets them be started again; running ones go on. Returns how many changed.

    For who approves versions: it decides what is in force just the same. Raises NotAllowed.
    """
    require(actor, "approve_diagrams")
    with store.work(actor, origin) as work:
        changed = work.session.execute(
            update(Definition).where(Definition.id.in_(ids), THERE, Definition.suspended != suspended).values(suspended=suspended)
            .returning(Definition.id, Definition.key)
        ).all()  # fmt: skip
        act = "definition_suspended" if suspended else "definition_activated"
        for definition_id, key in sorted(changed):
            append(work, f"definition:{key}", [Entry(act=act, definition_id=definition_id, data={"key": key})])
        return len(changed)


# -- deploying --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Brought:
    """What a deployment became: a version (`definition_id`), or a proposal that waits for the second person."""

    key: str
    name: str
    definition_id: int | None = None
    proposal_id: int | None = None
    fresh: bool = True
    """False where the newest version had the same content already."""


@dataclass(frozen=True, slots=True)
class Files:
    """What a program sent: one diagram, with forms by name and letters by kind."""

    xml: bytes
    forms: Mapping[str, Any]
    documents: Mapping[str, bytes]


def bring(
    store: Store, files: Files, *, actor: Actor, reason: str, rule_set: str, direct: bool, only_changed: bool, effective_at: datetime | None = None,
    origin: Origin = Origin(),
) -> Brought:  # fmt: skip
    """Deploys a diagram, or proposes it; what it does not bring along is taken from the newest version of its process.

    `only_changed`: the same content as the newest version is no new deployment, and no error. Raises NotAllowed, DiagramError,
    NotDeployable, Invalid, Stale where a proposal of the process waits already.
    """
    require(actor, "edit_diagrams")
    diagram: Diagram = read_diagram(files.xml)
    with store.read() as session:
        known = base_package(session, diagram.key)
        newest = session.execute(
            select(Definition.id, Definition.digest).where(Definition.key == diagram.key, THERE).order_by(Definition.version.desc()).limit(1)
        ).first()  # fmt: skip
    package = merged(known, files.xml, {}, diagram.properties.get("ruleSet") or rule_set)
    package = Package(package.rule_set, package.xml, {**package.forms, **files.forms}, {**package.documents, **files.documents})
    name = diagram.name[:200]
    if only_changed and newest is not None and newest.digest == package.digest:
        return Brought(diagram.key, name, newest.id, fresh=False)
    if not direct:
        proposal = propose_package(
            store, diagram.key, name, package, actor=actor, reason=reason, effective_at=effective_at, origin=origin
        )
        return Brought(diagram.key, name, None, proposal)
    return Brought(diagram.key, name, _deploy(store, package, actor, reason, effective_at, origin))


@command
def _deploy(store: Store, package: Package, actor: Actor, reason: str, effective_at: datetime | None, origin: Origin) -> int:
    with store.work(actor, origin) as work:
        if effective_at is not None and effective_at < work.now:
            raise Invalid(message="生效时间不能早于现在：已受理的办件不受影响")
        return deploy_in(work, package, by=actor.login, approved_by="direct", reason=reason, effective_at=effective_at)


def proposal_of(session: Session, actor: Actor, proposal_id: int) -> Any:
    """A waiting or decided proposal, for who may enter the workshop. Raises NotFound. One query."""
    if not (may(actor, "edit_diagrams") or may(actor, "approve_diagrams")):
        raise NotFound("No matching deployment")
    row = session.execute(
        select(Proposal.id, Proposal.key, Proposal.name, Proposal.state, Proposal.proposed_at, Proposal.definition_id, Account.login)
        .join(Account, Account.id == Proposal.proposed_by).where(Proposal.id == proposal_id)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound("No matching deployment")
    return row
