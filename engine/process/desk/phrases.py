"""Canned phrases 常用语: what officials write into opinions day after day, one click away.

A person's own, those that colleagues share with their unit, and a starter set for everybody (`phrases.json`). Only the
writer changes or deletes one. No history: a phrase is a tool on somebody's desk, and an opinion goes on record as it was sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.desk.tables import Phrase
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, Work, command

#: Phrases that one person may keep, and characters of one.
MOST, LONGEST = 100, 500
#: Phrases of colleagues that a page shows.
SHARED_MOST = 200

#: For everybody, in the order in which they are offered.
STARTERS: tuple[str, ...] = tuple(json.loads(Path(__file__).with_name("phrases.json").read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class PhraseLine:
    """A phrase as somebody finds it."""

    id: int
    text: str
    shared: bool
    """Whether the colleagues of the writer's unit find it too."""
    mine: bool
    writer: str


def phrases(session: Session, actor: Actor) -> list[PhraseLine]:
    """The actor's own phrases, oldest first, then those that colleagues share with the actor's unit. One query."""
    own = Phrase.account_id == actor.account_id
    rows = session.execute(
        select(Phrase, Account.name).join(Account, Account.id == Phrase.account_id)
        .where(or_(own, Phrase.unit_id == actor.unit_id)).order_by(own.desc(), Phrase.id).limit(MOST + SHARED_MOST)
    )  # fmt: skip
    return [
        PhraseLine(row.id, row.text, row.unit_id is not None, row.account_id == actor.account_id, name) for row, name in rows
    ]


@command
def add_phrase(store: Store, *, actor: Actor, text: str, shared: bool, origin: Origin = Origin()) -> int:
    """Keeps a phrase for the actor, shared with the actor's unit or not; returns its id.

    Raises Invalid (field `text`) for one that is empty, too long or one too many, and for one that the
    actor has already.
    """
    clean = _clean(text)
    with store.work(actor, origin) as work:
        # Locked, so that two tabs cannot pass the limit together.
        work.session.get_one(Account, actor.account_id, with_for_update=True)
        kept = work.session.scalars(select(Phrase.text).where(Phrase.account_id == actor.account_id)).all()
        if clean in kept:
            raise Invalid({"text": "您已有相同的常用语"})
        if len(kept) >= MOST:
            raise Invalid({"text": f"每人最多保存{MOST}条常用语，请先删除不用的"})
        row = Phrase(account_id=actor.account_id, unit_id=actor.unit_id if shared else None, text=clean, created_at=work.now)
        work.session.add(row)
        work.session.flush()
        return row.id


@command
def change_phrase(store: Store, phrase_id: int, *, actor: Actor, text: str, shared: bool, origin: Origin = Origin()) -> None:
    """Changes the actor's own phrase. Raises Invalid (field `text`), NotFound also for somebody else's."""
    clean = _clean(text)
    with store.work(actor, origin) as work:
        row = _own(work, phrase_id, actor)
        row.text, row.unit_id = clean, actor.unit_id if shared else None
        work.session.flush()


@command
def delete_phrase(store: Store, phrase_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Deletes the actor's own phrase. Raises NotFound also for somebody else's."""
    with store.work(actor, origin) as work:
        work.session.delete(_own(work, phrase_id, actor))
        work.session.flush()


def _own(work: Work, phrase_id: int, actor: Actor) -> Phrase:
    row = work.session.get(Phrase, phrase_id, with_for_update=True)
    if row is None or row.account_id != actor.account_id:
        raise NotFound("没有找到该常用语，或它不是您写的")
    return row


def _clean(text: str) -> str:
    clean = text.replace("\r\n", "\n").strip()
    if not clean:
        raise Invalid({"text": "请填写常用语"})
    if len(clean) > LONGEST:
        raise Invalid({"text": f"常用语不能超过{LONGEST}字，现有{len(clean)}字"})
    if "\x00" in clean:
        raise Invalid({"text": "常用语含有无法保存的字符"})
    return clean
