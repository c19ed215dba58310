"""What a person wants to be told where: reading it for its page, and keeping what they have chosen.

Only what differs from the product's own way is a row, so that a better default reaches everybody who has not chosen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.notifying.kinds import CHANNELS, KINDS
from engine.process.notifying.recipients import DIGEST_MINUTE
from engine.process.notifying.tables import NoticePreference, NoticeSetting
from engine.store.errors import Invalid
from engine.store.store import Origin, Store, command

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that a person may set, as it stands."""

    modes: Mapping[tuple[str, str], str]
    """(kind, channel) → mode, for every kind and channel."""
    quiet: bool
    digest_time: str
    """HH:MM, Shanghai."""
    email: str | None
    phone: str | None
    channels: frozenset[str]
    """The channels of a person that the installation has."""


def wishes(session: Session, actor: Actor) -> Wishes:
    """What the actor has set, or the product's own way. Two queries."""
    email, phone, quiet, minute = session.execute(
        select(Account.email, Account.phone, NoticeSetting.quiet, NoticeSetting.digest_minute)
        .outerjoin(NoticeSetting, NoticeSetting.account_id == Account.id).where(Account.id == actor.account_id)
    ).one()  # fmt: skip
    chosen = {
        (row.kind, row.channel): row.mode
        for row in session.scalars(select(NoticePreference).where(NoticePreference.account_id == actor.account_id))
    }
    modes = {(kind.key, channel): kind.mode(channel) for kind in KINDS.values() for channel in CHANNELS}
    modes |= {where: mode for where, mode in chosen.items() if where in modes and mode in KINDS[where[0]].offered(where[1])}
    hour, rest = divmod(DIGEST_MINUTE if minute is None else minute, 60)
    configured: frozenset[str] = session.info["store"].channels
    return Wishes(modes, quiet is not False, f"{hour:02}:{rest:02}", email, phone, frozenset({"page", *configured & CHANNELS.keys()}))


@command
def set_wishes(
    store: Store, *, actor: Actor, modes: Mapping[tuple[str, str], str], quiet: bool, digest_time: str, origin: Origin = Origin(),
) -> None:  # fmt: skip
    """Keeps what the actor has chosen; kinds and channels that are not named stay as they are.

    Raises Invalid for a mode that is not offered and for a time that is none.
    """
    given = _TIME.fullmatch(digest_time.strip())
    if given is None:
        raise Invalid({"digest_time": "请填写汇总时间，例如 08:30"})
    for (kind, channel), mode in modes.items():
        if kind not in KINDS or channel not in CHANNELS or mode not in KINDS[kind].offered(channel):
            raise Invalid(message="所选的通知方式无法识别，未作任何保存")
    with store.work(actor, origin) as work:
        own = NoticePreference.account_id == actor.account_id
        for kind in {kind for kind, _ in modes}:
            named = [channel for of, channel in modes if of == kind]
            work.session.execute(delete(NoticePreference).where(own, NoticePreference.kind == kind, NoticePreference.channel.in_(named)))
        work.session.add_all(
            NoticePreference(account_id=actor.account_id, kind=kind, channel=channel, mode=mode)
            for (kind, channel), mode in modes.items() if mode != KINDS[kind].mode(channel)
        )
        minute = int(given[1]) * 60 + int(given[2])
        work.session.merge(NoticeSetting(account_id=actor.account_id, quiet=quiet, digest_minute=minute))
