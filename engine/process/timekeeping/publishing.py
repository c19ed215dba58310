"""From a notice that somebody has read to a calendar that counts: proposed by one person, compared with the paper by another.

Confirming is one transaction: the notice becomes a row that nobody changes any more, and the counting of open deadlines is
ordered. From then on every clock is counted with the new edition before anything else happens to its case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from calendars.deadline import shanghai_day
from calendars.edition import Edition
from calendars.errors import CalendarError, NoticeError
from calendars.notices import Notice, notice_from_json
from calendars.reading import Reading, checked
from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import powers, require
from engine.people.tables import Account
from engine.process.calendar_tables import CITY, CalendarProposal, Recount, WorkCalendar
from engine.process.editions import Known, edition_of, forget, known
from engine.process.notices import notify_person, notify_power
from engine.process.tables import CalendarNotice
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

POLICIES = {"keep": "通知后保留原截止日", "move": "按新日历提前"}
SOURCE_MAX = 200_000
_STREAM = "calendar"


@dataclass(frozen=True, slots=True)
class ProposalSheet:
    """A proposed notice as its page shows it."""

    id: int
    calendar: str | None
    calendar_name: str
    doc: str
    notice: Notice
    reading: dict[str, Any]
    source: str
    accepted: str
    policy: str
    proposed_by: int
    proposer: str
    proposed_at: datetime
    state: str
    decider: str | None
    decided_at: datetime | None
    decision: str | None
    recount_id: int | None
    complaints: tuple[str, ...]
    """What would stop it now: another notice may have come in between."""


# -- commands ---------------------------------------------------------------------------------


@command
def propose_notice(
    store: Store, reading: Reading, *, actor: Actor, calendar: str | None = None, source: str = "", accepted: str = "",
    policy: str = "keep", origin: Origin = Origin(),
) -> int:
    """Lays a reading before a second person; returns the proposal's id. `calendar` is named for a local order.

    Doubts must be accepted with a reason. Raises NotAllowed, Invalid with every complaint.
    """
    require(actor, "edit_diagrams")
    if policy not in POLICIES:
        raise Invalid({"policy": "请选择时限提前时的处理方式"})
    with store.work(actor, origin) as work:
        _require_calendar(work.session, calendar)
        reading, notice = _sound(work, reading, calendar)
        if reading.doubts and not accepted.strip():
            raise Invalid({"accepted": "以上疑点请对照通知原文核对；确认无误的，请写明理由"})
        same = select(CalendarProposal.id).where(CalendarProposal.state == "open", CalendarProposal.doc == notice.doc)
        if work.session.scalar(same) is not None:
            raise Invalid(message=f"{notice.doc}已提交确认，请勿重复提交")
        row = CalendarProposal(
            calendar=calendar, doc=notice.doc, reading=reading.as_json(), body=notice.as_json(), source=source[:SOURCE_MAX],
            accepted=accepted.strip() if reading.doubts else "", policy=policy, proposed_by=actor.account_id, proposed_at=work.now,
            state="open",
        )
        work.session.add(row)
        work.session.flush()
        append(work, _STREAM, [Entry(act="notice_proposed", data={"proposal": row.id, "doc": row.doc, "calendar": calendar, "policy": policy})])
        notify_power(work, "approve_diagrams", kind="calendar", title=f"待确认的日历变更：{row.doc}",
                     text=f"{actor.name}录入了{row.doc}，请对照原文确认后发布。", but=[actor.account_id])
        return row.id


@command
def confirm_notice(store: Store, proposal_id: int, *, actor: Actor, note: str = "", origin: Origin = Origin()) -> int:
    """A second person has compared the notice with the paper: it counts from now on. Returns the id of the recount.

    Raises NotAllowed for the proposer, Stale when it was decided already, Invalid when it does not fit what stands any more.
    """
    require(actor, "approve_diagrams")
    with store.work(actor, origin) as work:
        row = _open_proposal(work, proposal_id)
        if row.proposed_by == actor.account_id:
            raise NotAllowed("日历变更须由另一人确认，录入人不能确认自己录入的通知")
        notice = notice_from_json(row.body)
        _fits(work.session, notice, row.calendar, work.now)
        kept = CalendarNotice(
            doc=notice.doc, published=notice.published, body=row.body, loaded_at=work.now, calendar=row.calendar, policy=row.policy,
            confirmed_by=actor.account_id,
        )
        work.session.add(kept)
        work.session.flush()
        run = Recount(notice_id=kept.id, cause=notice.doc, policy=row.policy, state="counting", started_at=work.now)
        work.session.add(run)
        work.session.flush()
        row.state, row.decided_by, row.decided_at, row.decision, row.notice_id = "published", actor.account_id, work.now, note.strip(), kept.id
        forget(work.session)
        edition = edition_of(known(work.session), shanghai_day(work.now), row.calendar)
        append(work, _STREAM, [Entry(act="notice_published", edition=edition.id, data={
            "proposal": row.id, "doc": row.doc, "calendar": row.calendar, "policy": row.policy, "edition": edition.id, "recount": run.id,
        })])
        notify_person(work, row.proposed_by, kind="calendar", title=f"日历变更已发布：{row.doc}",
                      text=f"{actor.name}已确认{row.doc}，在办时限正在重新推算。")
        return run.id


@command
def refuse_notice(store: Store, proposal_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Sends a proposed notice back, with a reason; its proposer may withdraw it likewise. Raises NotAllowed, Stale, Invalid."""
    if not reason.strip():
        raise Invalid({"reason": "请填写退回理由"})
    with store.work(actor, origin) as work:
        row = _open_proposal(work, proposal_id)
        own = row.proposed_by == actor.account_id
        if not own:
            require(actor, "approve_diagrams")
        row.state, row.decided_by, row.decided_at, row.decision = "withdrawn" if own else "refused", actor.account_id, work.now, reason.strip()
        append(work, _STREAM, [Entry(act=f"notice_{row.state}", data={"proposal": row.id, "doc": row.doc, "reason": reason.strip()})])
        if not own:
            notify_person(work, row.proposed_by, kind="calendar", title=f"日历变更被退回：{row.doc}",
                          text=f"{actor.name}退回了{row.doc}：{reason.strip()}")


# -- reads ------------------------------------------------------------------------------------


def read_with(reading: Reading, everything: Known, calendar: str | None) -> Reading:
    """A reading checked against what stands: national notices by each other, a local order by itself."""
    return checked(reading, everything.national, local=calendar is not None)


def proposals(session: Session, actor: Actor, *, limit: int = 50) -> list[tuple[int, str, str | None, str, str, datetime]]:
    """Proposals, open ones first: id, number, calendar, state, proposer, when. Raises NotAllowed."""
    _require_either(actor)
    rows = session.execute(
        select(CalendarProposal.id, CalendarProposal.doc, CalendarProposal.calendar, CalendarProposal.state, Account.name,
               CalendarProposal.proposed_at)
        .join(Account, Account.id == CalendarProposal.proposed_by)
        .order_by(CalendarProposal.state != "open", CalendarProposal.id.desc()).limit(limit)
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


def proposal_sheet(session: Session, actor: Actor, proposal_id: int) -> ProposalSheet:
    """Raises NotFound, NotAllowed."""
    _require_either(actor)
    decider = aliased(Account)
    found = session.execute(
        select(CalendarProposal, Account.name, decider.name, Recount.id)
        .join(Account, Account.id == CalendarProposal.proposed_by)
        .outerjoin(decider, decider.id == CalendarProposal.decided_by)
        .outerjoin(Recount, Recount.notice_id == CalendarProposal.notice_id).where(CalendarProposal.id == proposal_id)
    ).first()
    if found is None:
        raise NotFound("没有找到该日历变更")
    row, proposer, decided, run = found
    notice, complaints = notice_from_json(row.body), tuple[str, ...]()
    if row.state == "open":
        try:
            _fits(session, notice, row.calendar, session.info["store"].clock.now())
        except Invalid as error:
            complaints = (error.message,)
    return ProposalSheet(
        row.id, row.calendar, calendar_names(session).get(row.calendar or CITY, row.calendar or ""), row.doc, notice, row.reading, row.source,
        row.accepted, row.policy, row.proposed_by, proposer, row.proposed_at, row.state, decided, row.decided_at, row.decision, run, complaints,
    )


def calendar_names(session: Session) -> dict[str, str]:
    """Calendar → its name, the city's first."""
    return {CITY: "本市工作日历"} | {key: name for key, name in session.execute(select(WorkCalendar.key, WorkCalendar.name).order_by(WorkCalendar.key))}


def hypothetical(everything: Known, notice: Notice, calendar: str | None, policy: str) -> Known:
    """What would be known if the notice stood."""
    local = dict(everything.local)
    if calendar is not None:
        local[calendar] = _ordered((*local.get(calendar, ()), notice))
    national = _ordered((*everything.national, notice)) if calendar is None else everything.national
    return replace(everything, national=national, local=local, policies={**everything.policies, notice.doc: policy})


def _ordered(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    return tuple(sorted(notices, key=lambda notice: notice.published))


# -- inside -----------------------------------------------------------------------------------


def _require_either(actor: Actor) -> None:
    if not powers(actor) & {"edit_diagrams", "approve_diagrams"}:
        raise NotAllowed


def _require_calendar(session: Session, calendar: str | None) -> None:
    if calendar is not None and calendar not in calendar_names(session):
        raise Invalid({"calendar": "没有这个日历"})


def _sound(work: Work, reading: Reading, calendar: str | None) -> tuple[Reading, Notice]:
    """The reading with all complaints, and the notice that it makes. Raises Invalid."""
    found = read_with(reading, known(work.session), calendar)
    try:
        notice = found.notice()
    except NoticeError as error:
        raise Invalid(message=str(error)) from None
    _fits(work.session, notice, calendar, work.now)
    return found, notice


def _fits(session: Session, notice: Notice, calendar: str | None, now: datetime) -> None:
    """Raises Invalid where the notice cannot stand beside the others, or is not published yet."""
    today: date = shanghai_day(now)
    if notice.published > today:
        raise Invalid({"published": f"发布日期{notice.published}晚于今天：通知发布后才能录入"})
    everything = known(session)
    if any(other.doc == notice.doc for other in (*everything.national, *(o for orders in everything.local.values() for o in orders))):
        raise Invalid(message=f"{notice.doc}：同一文号的通知已经存在")
    after = hypothetical(everything, notice, calendar, "keep")
    try:
        Edition.of(after.national, today, after.orders(calendar))
    except CalendarError as error:
        raise Invalid(message=str(error)) from None


def _open_proposal(work: Work, proposal_id: int) -> CalendarProposal:
    row = work.session.scalars(select(CalendarProposal).where(CalendarProposal.id == proposal_id).with_for_update()).first()
    if row is None:
        raise NotFound("没有找到该日历变更")
    if row.state != "open":
        raise Stale("该日历变更已处理，请刷新")
    return row
