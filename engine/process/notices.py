"""Notices to people: rows shown in the page, and mail through the outbox for those who have an address.

A notice says that there is something, never what a restricted case contains beyond its number and title.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, bindparam, select, update

from engine.outbox import post as post_outbox
from engine.people.actor import Actor
from engine.people.posts import POSTS
from engine.people.tables import Account, Appointment
from engine.people.units import unit_by_code
from engine.process.clocks import day_in_words, due_running_from
from engine.process.definitions import deployed
from engine.process.editions import current_edition
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.tables import Notice, Timer
from engine.store.store import Store, Work, command

_PEOPLE = select(Account.id, Account.email).where(Account.active).order_by(Account.id)
_PERSON = _PEOPLE.where(Account.id == bindparam("account"))
_HOLDERS = _PEOPLE.join(Appointment, Appointment.account_id == Account.id).where(
    Appointment.unit_id == bindparam("unit"), Appointment.post == bindparam("post")
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said, and what it is about."""

    kind: str
    title: str
    text: str
    instance_id: int | None = None
    task_id: int | None = None


def notify_post(
    work: Work, unit_id: int, post: str, *, title: str, text: str, kind: str = "case", instance_id: int | None = None,
    task_id: int | None = None, assignee_id: int | None = None,
) -> int:  # fmt: skip
    """Tells the assignee, or else everybody who holds the post in the unit; returns how many were told.

    `kind` is what it is about; people choose by it what reaches them where. `task_id` is where the notice leads.
    """
    if assignee_id is not None:
        told = work.session.execute(_PERSON, {"account": assignee_id}).all()
    else:
        told = work.session.execute(_HOLDERS, {"unit": unit_id, "post": post}).all()
    return _tell(work, told, _Words(kind, title, text, instance_id, task_id))


def notify_power(work: Work, power: str, *, title: str, text: str, kind: str, but: Collection[int] = ()) -> int:
    """Tells everybody whose post gives them the power, but for some accounts; returns how many were told."""
    posts = [key for key, post in POSTS.items() if power in post.powers]
    holders = select(Appointment.account_id).where(Appointment.post.in_(posts))
    told = work.session.execute(_PEOPLE.where(Account.id.in_(holders), Account.id.not_in(but))).all()
    return _tell(work, told, _Words(kind, title, text))


def notify_person(
    work: Work, account_id: int, *, title: str, text: str, kind: str = "case", instance_id: int | None = None,
    task_id: int | None = None,
) -> int:  # fmt: skip
    """Tells one person, if they still work here; returns how many were told."""
    told = work.session.execute(_PERSON, {"account": account_id}).all()
    return _tell(work, told, _Words(kind, title, text, instance_id, task_id))


def _tell(work: Work, told: Sequence[Row[int, str | None]], words: _Words) -> int:
    rows = [
        Notice(account_id=account_id, kind=words.kind, instance_id=words.instance_id, task_id=words.task_id,
               title=words.title, text=words.text, created_at=work.now)
        for account_id, _ in told
    ]
    work.session.add_all(rows)
    if any(address for _, address in told):
        work.session.flush()  # a letter is known by the id of its notice
    for row, (_, address) in zip(rows, told, strict=True):
        if address and "mail" in work.session.info["store"].channels:
            post_outbox(work, channel="mail", recipient=address, payload={"subject": words.title, "text": words.text}, key=f"notice:{row.id}")
    return len(rows)


@operation("notices.send", {"unit": "code of the unit", "post": "key of the post", "title": "heading", "text": "what it says",
                            "deadline": "element id of an activity whose last day, as it stands now, is told after the text"})
def send(call: Call, *, unit: str, post: str, title: str, text: str, deadline: str | None = None) -> int:
    """Sends a notice to everybody who holds the post; the result is how many were told."""
    if deadline:
        text += _last_day(call, deadline)
    found = unit_by_code(call.work.session, str(unit))
    if found is None:
        raise OperationError("no-such-unit", f"通知的单位“{unit}”不存在")
    return notify_post(call.work, found.id, post, title=title, text=text, instance_id=call.instance.id)


def _last_day(call: Call, activity: str) -> str:
    """The last day of the activity's deadline in a sentence, as it stands now: a publication may have moved it since it began."""
    rules = deployed(call.work.session, call.instance.definition_id).diagram.timers
    running = select(Timer).where(Timer.instance_id == call.instance.id, Timer.role == "deadline", Timer.state == "waiting").order_by(Timer.id)
    for timer in call.work.session.scalars(running):
        if timer.element in rules and rules[timer.element].attached_to == activity and "working_days" in timer.rule:
            # Counted here, as a step of this very move may have extended it.
            due = due_running_from(timer, call.at, current_edition(call.work, timer.calendar))
            return f"截止日：{day_in_words(due.last_day, due.provisional)}。"
    return ""


@command
def mark_read(store: Store, *, actor: Actor, notice_ids: list[int] | None = None) -> None:
    """Marks the actor's own notices as read: those given, or all."""
    with store.work(actor) as work:
        which = update(Notice).where(Notice.account_id == actor.account_id, Notice.read_at.is_(None))
        if notice_ids is not None:
            which = which.where(Notice.id.in_(notice_ids))
        work.session.execute(which.values(read_at=work.now))
