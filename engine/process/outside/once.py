"""What other programs do: done once whatever is lost on the way, and a completion only on what the program has seen.

A request with an `Idempotency-Key` leaves its answer in the transaction that did the work; the same request again gets
that answer and does nothing. The row is written first, so that two at once wait for each other instead of both acting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.people.actor import Actor
from engine.process.definitions import in_force
from engine.process.incidents import reporting
from engine.process.instances import start_form, start_in
from engine.process.forms import fields_of
from engine.process.outside.tables import RememberedAnswer
from engine.process.tables import Task
from engine.process.tasks import complete_in, lock_task
from engine.store.errors import Invalid, Refused, Stale
from engine.store.store import WORKER, Origin, Store, Work, command

#: How long an answer is kept for a retry.
KEPT = timedelta(days=7)


class KeyReused(Refused):
    """该 Idempotency-Key 已用于另一个请求，请为每个请求使用新的值。"""


class Changed(Stale):
    """该事项在您读取之后已发生变化（If-Match 不符），未作任何改动，请重新读取。"""


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a request the same one again: the client's key, and the digest of what it asks."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Done:
    """The answer of a command, and whether it had been given before."""

    answer: Mapping[str, Any]
    again: bool = False


#: What a case may be about beside the answers of its start form, as on the start page.
SUBJECT_NAMES = ("resource_code", "grant", "source")


@command
def start(
    store: Store, key: str, *, actor: Actor, given: Mapping[str, Any], definition_id: int | None = None, unit_id: int | None = None,
    attachments: Sequence[int] = (), business_key: str | None = None, once: Once | None = None, origin: Origin = Origin(),
) -> Done:  # fmt: skip
    """Starts a case; `given` are the answers of the start form, and what it is about. The answer holds `id`.

    `definition_id` names the version that the program means: another one in force is refused rather than taken. Raises as
    `start_instance`, and KeyReused.
    """
    with store.work(actor, origin) as work:

        def act() -> dict[str, Any]:
            definition = in_force(work.session, key, work.now)
            if definition_id is not None and definition.id != definition_id:
                raise Invalid(message=f"该版本现在不是生效版本，现行版本为第{definition.version}版，不能按其他版本发起")
            form = start_form(definition)
            asked = {field["key"] for field in fields_of(form)} if form else set()
            about = {name: given[name] for name in SUBJECT_NAMES if name in given and name not in asked}
            for name, value in about.items():
                if not isinstance(value, str | int) or isinstance(value, bool):
                    raise Invalid({name: f"“{name}”应为文字"})
            answers = {name: value for name, value in given.items() if name not in about}
            instance_id = start_in(
                work, key, actor=actor, answers=answers, variables=about, unit_id=unit_id, attachments=attachments, business_key=business_key
            )
            return {"id": instance_id}

        return only_once(work, actor, once, act)


@command
def complete(
    store: Store, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str = "", attachments: Sequence[int] = (),
    seen: int | None = None, once: Once | None = None, origin: Origin = Origin(),
) -> Done:  # fmt: skip
    """Completes a task; the answer holds `id`, the case's number.

    Answers that were set ahead are taken where none is sent. `seen` is the revision of the case that the program has read:
    another one is refused (Changed). Raises as `complete_task`, and KeyReused.
    """
    with reporting(store, task_id=task_id), store.work(actor, origin) as work:

        def act() -> dict[str, Any]:
            if seen is not None:
                _, instance = lock_task(work, task_id)
                if instance.revision != seen:
                    raise Changed
            complete_in(work, task_id, actor=actor, answers=answers, opinion=opinion, attachments=attachments, fill_in=True)
            return {"id": work.session.scalar(select(Task.instance_id).where(Task.id == task_id))}

        return only_once(work, actor, once, act)


def only_once(work: Work, actor: Actor, once: Once | None, act: Callable[[], dict[str, Any]]) -> Done:
    """What `act` answers, or what it answered when the actor asked the same with the same key before; then `act` is not called.

    Raises KeyReused where the key came with something else.
    """
    if once is None:
        return Done(act())
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"account_id": actor.account_id, "key": once.key, "digest": once.digest, "answer": {}, "at": work.now}
    put = dialect.insert(RememberedAnswer).values(row).on_conflict_do_nothing().returning(RememberedAnswer.key)
    mine = (RememberedAnswer.account_id == actor.account_id, RememberedAnswer.key == once.key)
    if work.session.scalar(put) is None:
        kept = work.session.execute(select(RememberedAnswer.digest, RememberedAnswer.answer).where(*mine)).one()
        if kept.digest != once.digest:
            raise KeyReused
        return Done(kept.answer, again=True)
    answer = act()
    work.session.execute(update(RememberedAnswer).where(*mine).values(answer=answer))
    return Done(answer)


@command
def forget_answers(store: Store) -> int:
    """Forgets answers that no retry asks for any more; returns how many."""
    with store.work(None, WORKER) as work:
        gone = work.session.execute(delete(RememberedAnswer).where(RememberedAnswer.at < work.now - KEPT).returning(RememberedAnswer.key))
        return len(gone.all())
