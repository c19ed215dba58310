"""Notices to people: whoever has something to tell calls one of these; `notifying` decides what carries it where.

What a restricted case contains stays in the product: outside it only says that there is something.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from engine.people.actor import Actor
from engine.people.units import unit_by_code
from engine.process.clocks import day_in_words, due_running_from
from engine.process.definitions import deployed
from engine.process.editions import current_edition
from engine.process.interpreter.model import OperationError
from engine.process.notifying.dispatch import Words, announce, path_of, tell
from engine.process.notifying.recipients import Person, empowered, holders, person, robots_of
from engine.process.notifying.restricting import case_is_restricted
from engine.process.operations import Call, operation
from engine.process.restricted import restricts
from engine.process.tables import Notice, Timer
from engine.store.errors import NotFound
from engine.store.store import Store, Work, command



def notify_post(
    work: Work, unit_id: int, post: str, *, title: str, text: str, kind: str = "case", instance_id: int | None = None,
    task_id: int | None = None, assignee_id: int | None = None, restricted: bool = False,
) -> int:  # fmt: skip
    """Tells the assignee, or else everybody who holds the post in the unit, and the unit's robots; returns how many people were told.

    `kind` is what it is about (`notifying.kinds`); people choose by it what reaches them where. `task_id` is where the notice
    leads. `restricted` keeps the content in where `instance_id` cannot say so, as for people who may not see that case.
    """
    words = _words(work, kind, title, text, instance_id, task_id, restricted=restricted)
    if assignee_id is not None:
        return _tell(work, person(work.session, assignee_id, kind), words)
    announce(work, robots_of(work.session, [unit_id], kind, work.session.info["store"].channels), words, post)
    return _tell(work, holders(work.session, unit_id, post, kind), words)


def notify_power(work: Work, power: str, *, title: str, text: str, kind: str, but: Collection[int] = ()) -> int:
    """Tells everybody whose post gives them the power, but for some accounts; returns how many were told."""
    return _tell(work, empowered(work.session, power, kind, but), _words(work, kind, title, text))


def notify_person(
    work: Work, account_id: int, *, title: str, text: str, kind: str = "case", instance_id: int | None = None,
    task_id: int | None = None, outside: str | None = None,
) -> int:  # fmt: skip
    """Tells one person, if they still work here; returns how many were told.

    `outside` is what leaves the product instead of `text`, where a part of that is about a restricted case.
    """
    return _tell(work, person(work.session, account_id, kind), _words(work, kind, title, text, instance_id, task_id, outside=outside))


def _words(
    work: Work, kind: str, title: str, text: str, instance_id: int | None = None, task_id: int | None = None, *,
    restricted: bool = False, outside: str | None = None,
) -> Words:  # fmt: skip
    held_back = restricted or case_is_restricted(work.session, instance_id)
    return Words(kind, title, text, instance_id, task_id, restricted=held_back, outside=outside)


def _tell(work: Work, people: Sequence[Person], words: Words) -> int:
    return tell(work, [(one, words) for one in people])


@operation("notices.send", {"unit": "code of the unit", "post": "key of the post", "title": "heading", "text": "what it says",
                            "deadline": "element id of an activity whose last day, as it stands now, is told after the text"}, repeatable=True)
def send(call: Call, *, unit: str, post: str, title: str, text: str, deadline: str | None = None) -> int:
    """Sends a notice to everybody who holds the post; the result is how many were told."""
    if deadline:
        text += _last_day(call, deadline)
    found = unit_by_code(call.work.session, str(unit))
    if found is None:
        raise OperationError("no-such-unit", f"通知的单位“{unit}”不存在")
    # By the data as they stand now: the very answer that makes the case restricted may have come with this move.
    restricted = restricts(call.work.session, deployed(call.work.session, call.instance.definition_id), call.variables)
    return notify_post(call.work, found.id, post, title=title, text=text, instance_id=call.instance.id, restricted=restricted)


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
def open_notice(store: Store, notice_id: int, *, actor: Actor) -> str:
    """Marks one of the actor's notices as read; returns the page that it is about. Raises NotFound for one that is not theirs."""
    with store.work(actor) as work:
        found = work.session.get(Notice, notice_id)
        if found is None or found.account_id != actor.account_id:
            raise NotFound("没有找到该消息")
        found.read_at = found.read_at or work.now
        return path_of(found.task_id, found.instance_id)


@command
def mark_read(store: Store, *, actor: Actor, notice_ids: list[int] | None = None) -> None:
    """Marks the actor's own notices as read: those given, or all."""
    with store.work(actor) as work:
        which = update(Notice).where(Notice.account_id == actor.account_id, Notice.read_at.is_(None))
        if notice_ids is not None:
            which = which.where(Notice.id.in_(notice_ids))
        work.session.execute(which.values(read_at=work.now))
