"""What the pages show of proposals: those that wait, those that were decided, and one with everything that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased, undefer

from engine.people.actor import Actor
from engine.people.permissions import may
from engine.people.tables import Account
from engine.process.definitions import THERE
from engine.process.package import Package, from_text
from engine.process.paging import PAGE, Page, make_page, read_id_cursor
from engine.process.tables import Definition
from engine.process.workshop.drafts import require_workshop
from engine.process.workshop.proposals import is_own
from engine.process.workshop.tables import Proposal
from engine.store.errors import NotFound


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A proposal in a list."""

    id: int
    key: str
    name: str
    rule_set: str
    state: str
    """open · approved · refused · withdrawn"""
    draft_id: int | None
    back_to: int | None
    """The number of the earlier version that is to come back."""
    reason: str
    effective_at: datetime | None
    """None: as soon as it is approved."""
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision: str | None
    version: int | None
    """The number of the version that it became."""
    in_force_at: datetime | None
    """From when that version really counts: later than asked where the approval came later."""


@dataclass(frozen=True, slots=True)
class ProposalSheet:
    """A proposal with its package, and what the reader may do about it."""

    line: ProposalLine
    package: Package
    warnings: list[Mapping[str, Any]]
    """What the check remarked when it was proposed."""
    editors: list[str]
    base_id: int | None
    """The version with which it is compared: the newest one now; once decided, the newest one then."""
    base_version: int | None
    base_moved: bool
    """Another version was deployed since it was proposed."""
    may_decide: bool
    own: bool
    """The reader proposed it or worked on it, and so may not decide."""
    may_withdraw: bool


def waiting(session: Session, actor: Actor, key: str | None = None) -> list[ProposalLine]:
    """The proposals that wait for a second person, the oldest first. One query."""
    require_workshop(actor)
    query = _lines().where(Proposal.state == "open").order_by(Proposal.id)
    if key is not None:
        query = query.where(Proposal.key == key)
    return [ProposalLine(*row) for row in session.execute(query)]


def decided(session: Session, actor: Actor, key: str | None = None, after: str | None = None) -> Page[ProposalLine]:
    """The proposals that were decided or withdrawn, the newest first. One query."""
    require_workshop(actor)
    query = _lines().where(Proposal.state != "open").order_by(Proposal.id.desc()).limit(PAGE + 1)
    if key is not None:
        query = query.where(Proposal.key == key)
    if after:
        query = query.where(Proposal.id < read_id_cursor(after))
    rows = [ProposalLine(*row) for row in session.execute(query)]
    return make_page(rows, PAGE, lambda line: line, lambda line: str(line.id))


def proposal_sheet(session: Session, actor: Actor, proposal_id: int) -> ProposalSheet:
    """One proposal. Four queries. Raises NotFound, NotAllowed."""
    require_workshop(actor)
    everything = [undefer(Proposal.xml), undefer(Proposal.forms), undefer(Proposal.documents), undefer(Proposal.warnings)]
    proposal = session.get(Proposal, proposal_id, options=everything)
    if proposal is None:
        raise NotFound("没有找到该发布申请")
    line = ProposalLine(*session.execute(_lines().where(Proposal.id == proposal_id)).one())
    base = _base(session, proposal)
    names = session.execute(select(Account.id, Account.name).where(Account.id.in_(proposal.editors))).all()
    by_id = {account_id: name for account_id, name in names}
    is_open, own = proposal.state == "open", is_own(proposal, actor)
    return ProposalSheet(
        line=line,
        package=Package(proposal.rule_set, proposal.xml, proposal.forms, from_text(proposal.documents)),
        warnings=proposal.warnings,
        editors=[by_id[account] for account in proposal.editors if account in by_id],
        base_id=base[0] if base else None,
        base_version=base[1] if base else None,
        base_moved=is_open and (base[0] if base else None) != proposal.base_id,
        may_decide=is_open and may(actor, "approve_diagrams") and not own,
        own=own,
        may_withdraw=is_open and proposal.proposed_by == actor.account_id and may(actor, "edit_diagrams"),
    )


def proposal_xml(session: Session, actor: Actor, proposal_id: int) -> bytes:
    """The diagram of a proposal, for the viewer. Raises NotFound, NotAllowed."""
    require_workshop(actor)
    found = session.scalar(select(Proposal.xml).where(Proposal.id == proposal_id))
    if found is None:
        raise NotFound("没有找到该发布申请")
    return found


def _base(session: Session, proposal: Proposal) -> tuple[int, int] | None:
    """Id and number of the version to compare with."""
    query = select(Definition.id, Definition.version).order_by(Definition.version.desc()).limit(1)
    if proposal.state == "open":
        query = query.where(Definition.key == proposal.key, THERE)
    elif proposal.definition_id is not None:
        became = select(Definition.version).where(Definition.id == proposal.definition_id).scalar_subquery()
        query = query.where(Definition.key == proposal.key, Definition.version < became)
    else:
        query = query.where(Definition.id == proposal.base_id)
    found = session.execute(query).first()
    return (found[0], found[1]) if found else None


def _lines() -> Select[*tuple[Any, ...]]:
    proposer, decider = aliased(Account), aliased(Account)
    back, became = aliased(Definition), aliased(Definition)
    return (
        select(
            Proposal.id, Proposal.key, Proposal.name, Proposal.rule_set, Proposal.state, Proposal.draft_id, back.version,
            Proposal.reason, Proposal.effective_at, proposer.name, Proposal.proposed_at, decider.name, Proposal.decided_at,
            Proposal.decision, became.version, became.effective_at,
        )
        .join(proposer, proposer.id == Proposal.proposed_by)
        .outerjoin(decider, decider.id == Proposal.decided_by)
        .outerjoin(back, back.id == Proposal.rolls_back_to)
        .outerjoin(became, became.id == Proposal.definition_id)
    )  # fmt: skip
