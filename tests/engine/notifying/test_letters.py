"""The operator's view of what did not leave, and what may be done about it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.channels.mail import mail_channel
from engine.history import History
from engine.outbox import Letter, Posting, deliver, post, post_all
from engine.process.notifying.letters import State, give_up, letter_counts, letters, redeliver, redeliver_channel
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.settings import Settings
from engine.worker import Worker
from tests.engine.notifying.conftest import Desk
from tests.post_office import PostOffice


def write(desk: Desk, key: str, recipient: str = "anna@example.gov.cn", channel: str = "mail") -> None:
    with desk.store.work() as work:
        post(work, channel, recipient, {"kind": "urge", "subject": "催办：受理", "text": "内容不外传"}, key)


def listed(desk: Desk, state: State) -> list[tuple[str, str, int]]:
    with desk.store.read() as session:
        return [(line.recipient, line.kind, line.attempts) for line in letters(session, desk["otto"], state).lines]


def state(desk: Desk, key: str) -> tuple[str, int]:
    return next((letter.state, letter.attempts) for letter in desk.letters() if letter.key == key)


def away(_: Letter) -> None:
    """A mail server that is not there."""
    raise ConnectionRefusedError


@pytest.fixture
def office(desk: Desk) -> Desk:
    """One letter was refused for good, one waits for a greylisting server, one has left."""
    server = PostOffice()
    server.open()
    write(desk, "refused", "nobody@example.gov.cn")
    write(desk, "later", "greylisted@example.gov.cn")
    write(desk, "sent")
    assert deliver(desk.store, {"mail": mail_channel(server.settings)}) == 1
    server.close()
    return desk


def test_the_operator_sees_where_letters_stand_and_nothing_of_what_they_say(office: Desk) -> None:
    assert listed(office, "dead") == [("n***@example.gov.cn", "催办", 1)]
    assert listed(office, "waiting") == [("g***@example.gov.cn", "催办", 1)]
    with office.store.read() as session:
        (dead,) = letters(session, office["otto"], "dead").lines
        (mail,) = (line for line in letter_counts(session, office["otto"]) if line.key == "mail")
    assert (mail.channel, mail.dead, mail.waiting) == ("邮件", 1, 1)
    assert "550 no such user <n***@example.gov.cn>" in dead.error, "servers repeat addresses; the page masks them"
    assert "内容不外传" not in repr(dead) and "nobody@" not in repr(dead)


def test_a_dead_letter_is_tried_again_with_the_same_key(office: Desk) -> None:
    number = next(letter.id for letter in office.letters() if letter.key == "refused")
    redeliver(office.store, number, actor=office["otto"])
    assert state(office, "refused") == ("waiting", 0)
    with pytest.raises(Stale):
        redeliver(office.store, number, actor=office["otto"])
    keys: list[str] = []
    deliver(office.store, {"mail": lambda letter: keys.append(letter.key)})
    assert keys == ["refused"]
    with pytest.raises(NotFound):
        redeliver(office.store, 999, actor=office["otto"])


def test_after_an_outage_all_of_a_channel_goes_at_once_but_what_waits_for_morning(office: Desk) -> None:
    """Backed off for hours: tried now. Under way with a deliverer, or waiting for working hours: left alone."""
    for _ in range(4):
        office.clock.to(max(letter.next_at for letter in office.letters() if letter.key == "later"))
        deliver(office.store, {"mail": away})
    with office.store.work() as work:
        post_all(work, [Posting("mail", "ben@example.gov.cn", {"subject": "x"}, "morning", work.now + timedelta(days=3))])
    write(office, "other", "13800000000", "sms")
    assert state(office, "later") == ("waiting", 5)
    assert redeliver_channel(office.store, "mail", actor=office["otto"]) == 2
    keys: list[str] = []
    deliver(office.store, {"mail": lambda letter: keys.append(letter.key)})
    assert sorted(keys) == ["later", "refused"]
    assert redeliver_channel(office.store, "mail", actor=office["otto"]) == 0


def test_a_letter_is_given_up_with_a_reason_that_stays_on_record(office: Desk) -> None:
    numbers = {letter.key: letter.id for letter in office.letters()}
    with pytest.raises(Invalid):
        give_up(office.store, numbers["refused"], actor=office["otto"], reason="  ")
    for key in ("refused", "later"):
        give_up(office.store, numbers[key], actor=office["otto"], reason="地址已停用")
    with pytest.raises(Stale):
        give_up(office.store, numbers["refused"], actor=office["otto"], reason="再次")
    with pytest.raises(Stale):
        give_up(office.store, numbers["sent"], actor=office["otto"], reason="已送出")
    office.clock.to(office.clock.now() + timedelta(days=30))
    assert deliver(office.store, {"mail": lambda _: None}) == 0
    assert (listed(office, "dead"), listed(office, "waiting")) == ([], [])
    with office.store.read() as session:
        entries = session.scalars(select(History).where(History.stream == "outbox").order_by(History.id)).all()
    assert [(entry.act, entry.actor_name, entry.data["reason"]) for entry in entries] == [("letter_given_up", "Otto", "地址已停用")] * 2
    assert "nobody" not in str([entry.data for entry in entries])


def test_only_the_operator_sees_or_moves_letters(office: Desk) -> None:
    for login in ("anna", "gu", "paul"):
        actor = office[login]
        with pytest.raises(NotAllowed):
            redeliver(office.store, 1, actor=actor)
        with pytest.raises(NotAllowed):
            redeliver_channel(office.store, "mail", actor=actor)
        with pytest.raises(NotAllowed):
            give_up(office.store, 1, actor=actor, reason="x")
        with office.store.read() as session:
            with pytest.raises(NotAllowed):
                letters(session, actor, "dead")
            with pytest.raises(NotAllowed):
                letter_counts(session, actor)


def test_long_lists_are_read_in_pages_that_miss_and_repeat_nothing(desk: Desk) -> None:
    for number in range(120):
        write(desk, f"k{number}", f"p{number:03}@example.gov.cn")
    with desk.store.read() as session:
        seen: list[int] = []
        after = None
        while True:
            found = letters(session, desk["otto"], "waiting", after=after)
            seen += [line.id for line in found.lines]
            after = found.next
            if after is None:
                break
    assert len(seen) == len(set(seen)) == 120


def test_while_the_mail_server_is_down_nothing_is_lost_and_nothing_blocks(desk: Desk, tmp_path: Path) -> None:
    """Cases go on, notices stand in the page, other channels deliver; when the server is back, all arrives once."""
    server = PostOffice()
    server.open()
    server.close()
    mailing = Settings(tmp_path, "", "", "https://sharing.example.gov.cn", mail=server.settings)
    worker = Worker(desk.store, mailing)
    for number in range(5):
        write(desk, f"letter{number}")
    for _ in range(4):
        worker.once()
        desk.clock.to(desk.clock.now() + timedelta(minutes=3))
    assert all(letter.state == "waiting" and 0 < letter.attempts for letter in desk.letters())
    server.open()
    desk.clock.to(desk.clock.now() + timedelta(hours=3))
    assert worker.once().delivered == 5
    server.close()
    assert len({mail["Message-ID"] for mail in server.mails}) == 5 == len(server.mails)
