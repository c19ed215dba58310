"""The small office with all channels, its people with addresses, and what leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, select, update

from engine.outbox import OutboxLetter
from engine.people.tables import Account
from engine.process.notifying.preferences import set_wishes
from engine.process.notifying.robots import add_robot
from engine.process.tables import Notice
from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.engine.process.office import Office

ORIGIN = "https://qyapi.weixin.qq.com"
ADDRESS = f"{ORIGIN}/cgi-bin/webhook/send?key=b7d1"


class Desk(Office):
    """The office, and how its people want to be told."""

    def __init__(self, store: Store, clock: MovableClock) -> None:
        super().__init__(store, clock)
        store.channels = frozenset({"mail", "sms", "wecom", "dingtalk"})
        with store.work() as work:
            for login, actor in self.actors.items():
                work.session.execute(
                    update(Account).where(Account.id == actor.account_id).values(
                        email=f"{login}@example.gov.cn", phone=f"1380000{actor.account_id:04}"
                    )
                )  # fmt: skip

    def wants(self, who: str, *, quiet: bool = True, at: str = "08:30", **modes: str) -> None:
        """`wants("anna", case_mail="digest")`: one mode for a kind and channel each."""
        chosen = {tuple(name.rsplit("_", 1)): mode for name, mode in modes.items()}
        set_wishes(self.store, actor=self[who], modes=chosen, quiet=quiet, digest_time=at)  # type: ignore[arg-type]

    def robot(self, unit: str, channel: str = "wecom") -> int:
        return add_robot(
            self.store, actor=self["otto"], unit_id=self.units[unit], channel=channel, name=f"{unit}群", url=ADDRESS, secret="",
            origins={ORIGIN},
        )  # fmt: skip

    def letters(self) -> list[OutboxLetter]:
        with self.store.read() as session:
            return list(session.scalars(select(OutboxLetter).order_by(OutboxLetter.id)))

    def sent_to(self) -> list[str]:
        """To whom letters were posted."""
        return [letter.recipient for letter in self.letters()]

    def notices(self, who: str | None = None) -> list[Notice]:
        query = select(Notice).order_by(Notice.id)
        if who is not None:
            query = query.where(Notice.account_id == self[who].account_id)
        with self.store.read() as session:
            return list(session.scalars(query))


@pytest.fixture
def desk(store: Store, clock: MovableClock) -> Desk:
    return Desk(store, clock)


@pytest.fixture
def statements(store: Store) -> Iterator[list[str]]:
    """Every statement that is sent, until the test clears the list."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            sent.append(statement)

    engines = {store.engine, store.reading}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
