"""What tests of the calendar do again and again: a notice that two people bring into force, and what the record says of it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from calendars.reading import Reading
from engine.history import History
from engine.process.editions import known
from engine.process.timekeeping.publishing import confirm_notice, propose_notice
from tests.engine.process.office import Office
from tests.engine.timekeeping.year_2027 import reading


def publish(office: Office, given: Reading, *, calendar: str | None = None, policy: str = "keep") -> int:
    """Petra brings a notice in, Paul confirms it; returns the id of the recount that follows."""
    proposal = propose_notice(office.store, given, actor=office["petra"], calendar=calendar, policy=policy, accepted="已核对原文")
    return confirm_notice(office.store, proposal, actor=office["paul"])


def closure(doc: str, *days: str, published: str) -> Reading:
    """An order of the city or a county: offices stay closed on these days."""
    return order(doc, published, off=days)


def order(doc: str, published: str, *, off: tuple[str, ...] = (), worked: tuple[str, ...] = ()) -> Reading:
    """An order with days off and days on which offices are open after all."""
    free, open_ = (tuple(date.fromisoformat(day) for day in days) for days in (off, worked))
    signed = date.fromisoformat(published)
    return Reading(doc, min(free + open_).year, signed, signed, add_off=free, add_work=open_)


def national(office: Office) -> Reading:
    """The notice for 2027, read against what stands."""
    with office.store.read() as session:
        return reading(known(session).national)


def acts(office: Office, case: int) -> list[str]:
    """What happened to a case, in order."""
    with office.store.read() as session:
        return list(session.scalars(select(History.act).where(History.instance_id == case).order_by(History.seq)))
