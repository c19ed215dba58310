"""The digest 汇总: one mail a person and working day, with what came since the last one.

Which notices wait for it stands on their rows. A digest and the end of that waiting are one transaction under one key
(`digest:<account>:<day>`), so a worker that is killed, or two at once, send it neither twice nor never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, cast, exists, func, literal, select, update
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from calendars.errors import CalendarError
from engine.outbox import OutboxLetter, post
from engine.people.tables import Account
from engine.process.editions import calendar_of, edition_at
from engine.process.notifying.dispatch import path_of
from engine.process.notifying.kinds import kind_of
from engine.process.notifying.recipients import DIGEST_MINUTE
from engine.process.notifying.restricting import HEADING, TEXT, restricted_of
from engine.process.notifying.tables import NoticeSetting
from engine.process.tables import Notice
from engine.store.clock import SHANGHAI
from engine.store.store import WORKER, Store, command

#: Lines of a digest; the page has the rest.
LINES = 50
#: People looked for at once.
AT_ONCE = 200


class _SentToday(Exception):
    """Today's digest has left already; what came since waits for the next working day."""


@dataclass(frozen=True, slots=True)
class _Reader:
    account_id: int
    email: str


def send_digests(store: Store, base_url: str) -> int:
    """Posts the digests whose minute has come, some hundred at most; returns how many. One query where nothing is due."""
    if "mail" not in store.channels:
        return 0
    now = store.clock.now()
    with store.read() as session:
        readers = _due(session, now)
    return sum(_send(store, reader, shanghai_day(now), base_url) for reader in readers)


def _due(session: Session, now: datetime) -> list[_Reader]:
    """Who has something waiting, works today, has reached their minute, and got none today."""
    local = now.astimezone(SHANGHAI)
    sent = exists().where(OutboxLetter.key == literal("digest:") + cast(Account.id, String(20)) + f":{local.date().isoformat()}")
    rows = session.execute(
        select(Account.id, Account.email, Account.unit_id)
        .outerjoin(NoticeSetting, NoticeSetting.account_id == Account.id)
        .where(
            Account.id.in_(select(Notice.account_id).where(Notice.digest)), Account.active, Account.email.is_not(None),
            func.coalesce(NoticeSetting.digest_minute, DIGEST_MINUTE) <= local.hour * 60 + local.minute, ~sent,
        )
        .order_by(Account.id)
    ).all()  # fmt: skip
    # Cut only here: people of a calendar that rests today must not stand before those of one that works.
    return [_Reader(account_id, email) for account_id, email, unit_id in rows if email and _works(session, now, unit_id)][:AT_ONCE]


def _works(session: Session, now: datetime, unit_id: int) -> bool:
    try:
        return edition_at(session, now, calendar_of(session, unit_id)).works(shanghai_day(now))
    except CalendarError:
        return True


@command
def _send(store: Store, reader: _Reader, day: date, base_url: str) -> bool:
    try:
        with store.work(None, WORKER) as work:
            rows = work.session.execute(
                update(Notice).where(Notice.account_id == reader.account_id, Notice.digest).values(digest=False)
                .returning(Notice.id, Notice.kind, Notice.title, Notice.created_at, Notice.task_id, Notice.instance_id, Notice.restricted)
            ).all()  # fmt: skip
            if not rows:
                return False  # another worker was quicker
            secret = restricted_of(work.session, {row.instance_id for row in rows if row.instance_id is not None})
            open_ = [row for row in rows if not row.restricted and row.instance_id not in secret]
            payload = compose(day, open_, len(rows) - len(open_), base_url)
            if not post(work, "mail", reader.email, payload, f"digest:{reader.account_id}:{day.isoformat()}"):
                raise _SentToday
    except _SentToday:
        return False
    return True


def compose(day: date, rows: Sequence[Any], restricted: int, base_url: str) -> dict[str, str]:
    """The letter: a line and a link each, the newest first; of the restricted ones their number only."""
    if not rows:
        return {"kind": "digest", "subject": HEADING, "text": TEXT}
    newest = sorted(rows, key=lambda row: -row.id)
    lines = [f"截至{day.month}月{day.day}日，您有{len(rows)}条消息："]
    for row in newest[:LINES]:
        at = row.created_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M")
        lines.append(f"{at} 【{kind_of(row.kind).name}】{row.title}\n{base_url}{path_of(row.task_id, row.instance_id)}")
    if len(newest) > LINES:
        lines.append(f"另有{len(newest) - LINES}条，请登录系统查看。")
    if restricted:
        lines.append(f"另有{restricted}条新消息，请登录系统查看。")
    return {"kind": "digest", "subject": f"消息汇总：{len(rows)}条", "text": "\n\n".join(lines)}
