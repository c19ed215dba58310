"""A crowd of cases and tasks of every kind, put into the tables for the tests of lists: more than a story could tell."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.units import unit_id_of
from engine.process.definitions import deploy_in
from engine.process.desk.tables import Copy
from engine.process.instances import start_instance
from engine.process.package import Package
from engine.process.searching import search_text
from engine.process.tables import FAR, Definition, Instance, Task
from engine.store.clock import shanghai
from engine.store.store import Store
from tests.engine.interpreter.diagrams import diagram, element

_FAR = datetime.fromisoformat(FAR)
#: Resources and units that share signs and initials, so that words match some and not others.
THINGS = ("公租房保障对象", "公积金缴存", "低保对象", "房屋预售许可", "不动产登记100%核验")
UNITS = ("007", "013", "014")
PROCESSES = ("conditional_share", "supervision", "negative_list_entry")


def crowd(store: Store, actor: Actor, others: Sequence[Actor], *, seed: int = 7, size: int = 150) -> None:
    """`size` cases, half of them started by the actor, some copied to them; each with a task or two, most in their posts."""
    draw, now = random.Random(seed), store.clock.now()
    with store.work() as work:
        session = work.session
        definitions = {row.key: row.id for row in session.execute(select(Definition.key, Definition.id))}
        for number in range(size):
            thing, key = draw.choice(THINGS), draw.choice(PROCESSES)
            unit_id = unit_id_of(session, draw.choice(UNITS))
            title, name = f"申请共享“{thing}”", f"群〔2026〕{number}号"
            ended = draw.random() < 0.2
            case = Instance(
                definition_id=definitions[key], process_key=key, number=name, title=title, state="completed" if ended else "running",
                search=search_text(name, title), unit_id=unit_id, starter_id=actor.account_id if draw.random() < 0.5 else None,
                started_at=now, ended_at=now if ended else None, variables={}, saved=b"", revision=1, history_seq=0, history_hash="",
            )
            session.add(case)
            session.flush()
            session.add_all(_task(draw, case, actor, others, now, place) for place in range(draw.choice((1, 1, 2))))
            if draw.random() < 0.4:
                session.add(Copy(instance_id=case.id, account_id=actor.account_id, sent_by=others[0].account_id, note="请阅",
                                 sent_at=now, read_at=now if draw.random() < 0.5 else None))


def _task(draw: random.Random, case: Instance, actor: Actor, others: Sequence[Actor], now: datetime, place: int) -> Task:
    due, warn, paused = _clock(draw, now)
    state = "done" if case.ended_at or draw.random() < 0.2 else "open"
    unit_id, post = draw.choice(sorted(actor.appointments))
    assignee = draw.choice([None, None, None, actor.account_id, others[0].account_id])
    done: dict[str, Any] = {}
    if state == "done":
        # Some at the very same instant: the order must still be one.
        done = {"completed_by": draw.choice([actor.account_id, others[0].account_id]), "late": draw.random() < 0.3,
                "completed_at": now - timedelta(hours=draw.randrange(20))}
    return Task(
        instance_id=case.id, token=f"{case.id}-{place}", step="Task_X", name="办理", process_key=case.process_key,
        process_name=case.process_key, number=case.number, title=case.title, search=case.search, case_unit_id=case.unit_id,
        unit_id=unit_id, post=post, assignee_id=assignee, state=state, opened_at=now, due_at=due, warn_at=warn, paused=paused,
        due_day=shanghai_day(due - timedelta(seconds=1)) if due else None, sort_at=due or _FAR, **done,
    )  # fmt: skip


def _clock(draw: random.Random, now: datetime) -> tuple[datetime | None, datetime | None, bool]:
    """Due at, warning from, stopped."""
    if draw.random() < 0.25:
        return None, None, draw.random() < 0.5
    midnight = now.astimezone(UTC).replace(hour=16, minute=0, second=0, microsecond=0)  # 00:00 in Shanghai
    due = midnight + timedelta(days=draw.randrange(-6, 9))
    if draw.random() < 0.2:
        due -= timedelta(hours=7)  # by office hours: 17:00
    return due, draw.choice([None, due - timedelta(days=2), due - timedelta(days=4)]), False


def checks(store: Store, starter: Actor, count: int, *, bulk: bool = True) -> list[int]:
    """Cases of a process of their own that wait at its step 核对 for the handlers of 007; its form is for many, or not."""
    asked = {"key": "result", "type": "choice", "label": "结论", "required": True,
             "options": [{"value": "yes", "label": "同意"}, {"value": "no", "label": "不同意"}]}
    why = {"key": "why", "type": "text", "label": "理由", "required": True, "when": "result == 'no'"}
    step = element("review", name="核对", form="review", unit="'007'", post="handler")
    drawn = diagram("start > user:review > end", step, key="checks", startPosts="handler", title="'核对'", actions="copy_to, add_signer")
    package = Package("liaoyang_2018", drawn, {"review": {"title": "核对表", "fields": [asked, why], "bulk": bulk}})
    with store.work() as work:
        deploy_in(work, package, by="editor", approved_by="approver", reason="试", effective_at=shanghai("2018-11-26"))
    return [start_instance(store, "checks", actor=starter, answers={}) for _ in range(count)]
