"""What ends by its date 到期: grants whose last day is over, and entries of the negative list whose basis runs out.

People are reminded ahead, once. A grant then ends by itself, as it was agreed; an entry of the negative list never does:
its provider and the office are told that the basis has to be checked, and a case decides. How long ahead stands in
the rule set (`expiry` in its `rule_set.json`, in working days).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars.deadline import end_of, shanghai_day
from engine.history import Entry, append
from engine.people.units import body_unit
from engine.process.definitions import in_force
from engine.process.editions import edition_at
from engine.process.notices import notify_post
from engine.sharing.catalogue import Resource
from engine.sharing.duties import DIAGRAMS, remind_once
from engine.sharing.grants import Grant
from engine.sharing.negative_list import NegativeListEntry
from engine.sharing.schedule import section_of
from engine.store.errors import NotFound
from engine.store.store import WORKER, Store, Work, command

#: The process whose rule set says how long ahead people are reminded.
REQUEST = "conditional_share"


def expire(store: Store, diagrams: Path = DIAGRAMS) -> int:
    """Reminds of what ends soon and ends the grants whose last day is over; returns how many reminders and ends."""
    done = 0
    with store.read() as session:
        soon = list(_grants_ending(session, store, diagrams))
        bases = list(_bases_ending(session, store, diagrams))
        today = shanghai_day(store.clock.now())
        over = list(
            session.scalars(select(Grant.id).where(Grant.state != "ended", Grant.valid_until < today).order_by(Grant.id))
        )
    for grant, resource in soon:
        done += _once(store, "grant_expiry", grant.unit_id, grant.number, grant.valid_until, grant, resource)
    for entry, resource in bases:
        done += _once(store, "basis_expiry", resource.provider_id, f"{entry.id}", entry.valid_until, entry, resource)
    for grant_id in over:
        done += _end_grant(store, grant_id)
    return done


def _once(store: Store, what: str, unit_id: int, key: str, last_day: date | None, row: Any, resource: Resource) -> bool:
    assert last_day is not None
    tell = _remind_of_grant if what == "grant_expiry" else _remind_of_basis
    # The date is part of the key: a grant or basis that was prolonged is reminded of anew.
    return remind_once(store, what, unit_id, f"{key}/{last_day}"[-64:], last_day, lambda work: tell(work, row, resource))


def _grants_ending(session: Session, store: Store, diagrams: Path) -> Iterator[tuple[Grant, Resource]]:
    until = _reminded_until(session, store, diagrams, "grant_working_days")
    if until is not None:
        query = select(Grant, Resource).join(Resource, Resource.id == Grant.resource_id).where(
            Grant.state != "ended", Grant.valid_until >= shanghai_day(store.clock.now()), Grant.valid_until <= until
        )
        yield from ((grant, resource) for grant, resource in session.execute(query.order_by(Grant.id)))


def _bases_ending(session: Session, store: Store, diagrams: Path) -> Iterator[tuple[NegativeListEntry, Resource]]:
    """Entries on the list whose basis ends soon or has ended; those past are told too, for nothing ends them."""
    until = _reminded_until(session, store, diagrams, "basis_working_days")
    if until is not None:
        query = select(NegativeListEntry, Resource).join(Resource, Resource.id == NegativeListEntry.resource_id).where(
            NegativeListEntry.state == "listed", NegativeListEntry.valid_until <= until
        )
        yield from ((entry, resource) for entry, resource in session.execute(query.order_by(NegativeListEntry.id)))


def _reminded_until(session: Session, store: Store, diagrams: Path, name: str) -> date | None:
    """The last day of what is reminded of today; None where the rule set in force says nothing."""
    now = store.clock.now()
    try:
        rules = section_of(diagrams, in_force(session, REQUEST, now).rule_set, "expiry")
    except NotFound:
        return None
    return edition_at(session, now).nth_working_day_after(shanghai_day(now), rules[name]) if rules else None


def _remind_of_grant(work: Work, grant: Grant, resource: Resource) -> None:
    text = f"“{resource.name}”的{grant.number}于{grant.valid_until}到期，届满自动终止。仍需使用的，请在到期前办理：打开该资源或者原办件，在共享授权处点“申请续期”。"
    notify_post(work, grant.unit_id, "handler", title="共享授权即将到期", text=text, instance_id=grant.instance_id)


def _remind_of_basis(work: Work, entry: NegativeListEntry, resource: Resource) -> None:
    text = (
        f"“{resource.name}”列入负面清单的依据《{entry.basis}》{entry.article}有效期至{entry.valid_until}。"
        "请复核依据；可以共享的，应当主动申请移出负面清单。"
    )
    notify_post(work, resource.provider_id, "cataloguer", title="负面清单依据需要复核", text=text)
    office = body_unit(work.session, "leadership_office")
    notify_post(work, office.id, "handler", title="负面清单依据需要复核", text=text)


@command
def _end_grant(store: Store, grant_id: int) -> bool:
    """Ends one grant as of the end of its last day; False when something ended it meanwhile."""
    with store.work(None, WORKER) as work:
        grant = work.session.scalar(
            select(Grant).where(Grant.id == grant_id, Grant.state != "ended").with_for_update(skip_locked=True)
        )
        if grant is None or grant.valid_until is None or grant.valid_until >= shanghai_day(work.now):
            return False
        grant.state, grant.ended_at, grant.end_reason = "ended", end_of(grant.valid_until), "有效期届满"
        append(work, f"grant:{grant.id}", [Entry("grant_expired", data={"number": grant.number})])
        work.session.flush()
        resource = work.session.get_one(Resource, grant.resource_id)
        text = f"“{resource.name}”的{grant.number}有效期届满，已自动终止，请停止使用并妥善处置已获取的数据。"
        platform = body_unit(work.session, "platform")
        for unit_id, post in ((grant.unit_id, "handler"), (platform.id, "platform_operator")):
            notify_post(work, unit_id, post, title="共享授权已到期终止", text=text, instance_id=grant.instance_id)
        return True
