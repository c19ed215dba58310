"""Which cases wait for which message or signal, as rows: so that one that comes by its name alone finds them.

Kept in line after each move, and only in processes that have such events. Cases that ran before these rows existed have one
row of kind `unread` each, put there by the migration: it goes as soon as the case moves, or somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session, undefer

from engine.process.definitions import deployed
from engine.process.event_tables import UNREAD, Subscription
from engine.process.interpreter.machine import Machine, Onlooker
from engine.process.interpreter.model import Diagram, Waiting
from engine.process.tables import OPEN_STATES, Instance
from engine.store.store import Store, Work, command

if TYPE_CHECKING:
    from engine.process.case import Case

#: Old cases read in one transaction.
PAGE = 200
_OF_CASE = select(Subscription).where(Subscription.instance_id == bindparam("instance")).order_by(Subscription.id)


def has_events(diagram: Diagram) -> bool:
    """Whether a case of it can wait for a message or a signal."""
    return any(step.kind in ("message", "signal", "receive") for step in diagram.steps.values())


def bring_in_line(case: Case, *, moved: bool = False) -> None:
    """Makes the rows say what the case waits for now. Costs nothing in a process without such events, one statement in any other.

    `moved`: the case came from another version, which may have had some.
    """
    if not moved and not case.subscriptions and not has_events(case.diagram):
        return
    rows = _rows(case)
    waiting = {token.token: token for token in case.machine.waiting() if token.kind in ("message", "signal")}
    gone = [rows.pop(token) for token in list(rows) if token not in waiting]
    for token in waiting.values():
        kind, name = awaited(token)
        row = rows.get(token.token)
        if row is None:
            again = token.activity is not None and next((one for one in gone if one.activity == token.activity and one.step == token.step), None)
            if again:  # it happened beside its activity, and waits for the next time
                gone.remove(again)
                again.token = token.token
                rows[token.token] = again
                continue
            row = Subscription(instance_id=case.instance.id, token=token.token, created_at=case.at)
            case.work.session.add(row)
            rows[token.token] = row
        if (row.kind, row.name, row.step, row.activity) != (kind, name, token.step, token.activity):  # new, or migrated
            row.kind, row.name, row.step, row.activity = kind, name, token.step, token.activity
    for row in gone:
        if row in case.work.session.new:
            case.work.session.expunge(row)
        else:
            case.work.session.delete(row)


def _rows(case: Case) -> dict[str, Subscription]:
    if case.subscriptions is None:
        case.subscriptions = {row.token: row for row in case.work.session.scalars(_OF_CASE, {"instance": case.instance.id})}
    return case.subscriptions


def awaited(token: Waiting) -> tuple[str, str]:
    """Kind and name of what a token waits for."""
    return ("signal", token.signal or "") if token.kind == "signal" else ("message", token.message or "")


# -- cases from before --------------------------------------------------------------------------------


def fill_in(store: Store) -> int:
    """Reads the cases that nobody has looked at since these rows exist; returns how many. One small query once that is done."""
    read = 0
    while now := _fill_page(store) if _unread(store) else 0:
        read += now
    return read


def _unread(store: Store) -> bool:
    if store.cache.get("subscriptions filled"):
        return False
    with store.read() as session:
        found = session.scalar(select(Subscription.id).where(Subscription.kind == UNREAD).limit(1))
    if found is None:
        store.cache["subscriptions filled"] = True  # no new ones come
    return found is not None


@command
def _fill_page(store: Store) -> int:
    with store.work() as work:
        _pass_over_others(work)
        page = (
            select(Instance).join(Subscription, Subscription.instance_id == Instance.id).where(Subscription.kind == UNREAD)
            .order_by(Subscription.id).limit(PAGE).options(undefer(Instance.saved)).with_for_update(of=Instance)
        )
        cases = work.session.scalars(page).all()
        for instance in cases:
            _read_case(work.session, instance)
        return len(cases)


def _pass_over_others(work: Work) -> None:
    """Most processes have no such events: their cases need not be read."""
    unread = select(Subscription.instance_id).where(Subscription.kind == UNREAD)
    versions = work.session.scalars(select(Instance.definition_id).where(Instance.id.in_(unread)).distinct()).all()
    without = [version for version in versions if not has_events(deployed(work.session, version).diagram)]
    if without:
        cases = select(Instance.id).where(Instance.definition_id.in_(without))
        work.session.execute(delete(Subscription).where(Subscription.kind == UNREAD, Subscription.instance_id.in_(cases)))


def _read_case(session: Session, instance: Instance) -> None:
    # Looked up again under the lock: the case may have moved, and brought its rows in line by itself.
    marks = session.execute(
        delete(Subscription).where(Subscription.instance_id == instance.id, Subscription.kind == UNREAD).returning(Subscription.created_at)
    ).all()
    if not marks or instance.state not in OPEN_STATES:
        return
    machine = Machine.load(deployed(session, instance.definition_id).diagram, instance.saved, host=Onlooker())
    for token in machine.waiting():
        if token.kind in ("message", "signal"):
            kind, name = awaited(token)
            session.add(Subscription(instance_id=instance.id, token=token.token, activity=token.activity, kind=kind, name=name,
                                     step=token.step, created_at=marks[0].created_at))
