"""The outbox: posted with the command, delivered after it, once if all goes well and at least once if not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.channels.mail import mail_channel
from engine.channels.registry import open_channels
from engine.outbox import ATTEMPTS, KEPT, LEASE, Letter, OutboxLetter, Undeliverable, backoff, deliver, forget_old, post
from engine.store.clock import MovableClock
from engine.store.settings import Settings
from engine.store.store import Store
from tests.post_office import PostOffice


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    office.open()
    yield office
    office.close()


def write(store: Store, *keys: str, recipient: str = "alice@example.gov.cn", channel: str = "mail") -> None:
    with store.work() as work:
        for key in keys:
            post(work, channel, recipient, {"subject": f"待办提醒 {key}", "text": "您有一件待办将于今日到期。"}, key)


def letter(store: Store, key: str) -> OutboxLetter:
    with store.read() as session:
        return session.scalars(select(OutboxLetter).where(OutboxLetter.key == key)).one()


def states(store: Store) -> dict[str, str]:
    with store.read() as session:
        return {row.key: row.state for row in session.scalars(select(OutboxLetter))}


# -- by mail ----------------------------------------------------------------------------------


def test_a_letter_arrives_once_and_in_chinese(store: Store, post_office: PostOffice) -> None:
    channels = {"mail": mail_channel(post_office.settings)}
    write(store, "notice:1")
    assert deliver(store, channels) == 1
    assert deliver(store, channels) == 0
    (mail,) = post_office.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("alice@example.gov.cn", "sharing@example.gov.cn", "待办提醒 notice:1")
    assert mail.get_content().strip() == "您有一件待办将于今日到期。"
    assert letter(store, "notice:1").sent_at == store.clock.now()


def test_a_repeated_delivery_carries_the_same_message_id(store: Store, post_office: PostOffice) -> None:
    send = mail_channel(post_office.settings)
    for key in ("notice:1", "notice:1", "notice:2"):
        send(Letter(key, "alice@example.gov.cn", {"subject": "待办", "text": ""}))
    ids = [mail["Message-ID"] for mail in post_office.mails]
    assert ids[0] == ids[1] != ids[2]


def test_while_the_server_is_down_letters_wait_and_then_arrive(
    store: Store, post_office: PostOffice, clock: MovableClock
) -> None:
    channels = {"mail": mail_channel(post_office.settings)}
    post_office.close()
    write(store, "notice:1")
    assert deliver(store, channels) == 0
    waiting = letter(store, "notice:1")
    assert (waiting.state, waiting.attempts, waiting.next_at) == ("waiting", 1, clock.now() + timedelta(seconds=30))
    assert "ConnectionRefused" in str(waiting.error)

    post_office.open()
    assert deliver(store, channels) == 0  # not yet
    clock.to(clock.now() + timedelta(seconds=30))
    assert deliver(store, channels) == 1
    assert len(post_office.mails) == 1
    assert (letter(store, "notice:1").state, letter(store, "notice:1").error) == ("sent", None)


@pytest.mark.parametrize("recipient", ["nobody@example.gov.cn", "", "no address", "a@b.cn\nBcc: all@example.gov.cn"])
def test_a_letter_that_can_never_arrive_is_dead_at_once_and_kept(
    store: Store, post_office: PostOffice, recipient: str
) -> None:
    channels = {"mail": mail_channel(post_office.settings)}
    write(store, "bad", recipient=recipient)
    write(store, "good")
    assert deliver(store, channels) == 1
    assert states(store) == {"bad": "dead", "good": "sent"}
    assert letter(store, "bad").error
    assert [mail["To"] for mail in post_office.mails] == ["alice@example.gov.cn"]


def test_a_recipient_that_is_put_off_is_tried_again(store: Store, post_office: PostOffice) -> None:
    write(store, "later", recipient="greylisted@example.gov.cn")
    deliver(store, {"mail": mail_channel(post_office.settings)})
    assert states(store) == {"later": "waiting"}


def test_an_installation_has_the_channels_that_it_configured(post_office: PostOffice) -> None:
    bare = Settings(home=Path("var"), database_url="sqlite:///x", secret_key="x" * 32, base_url="http://localhost")
    assert open_channels(bare) == {}
    mailing = Settings(
        home=Path("var"), database_url="sqlite:///x", secret_key="x" * 32, base_url="http://localhost", mail=post_office.settings
    )
    open_channels(mailing)["mail"](Letter("k", "alice@example.gov.cn", {"subject": "待办"}))
    assert len(post_office.mails) == 1


# -- posting ----------------------------------------------------------------------------------


def test_a_letter_exists_exactly_if_its_command_was_committed(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.work() as work:
        post(work, "mail", "alice@example.gov.cn", {"subject": "x"}, "notice:1")
        raise ZeroDivisionError
    assert states(store) == {}


def test_the_same_key_is_one_letter(store: Store) -> None:
    with store.work() as work:
        assert post(work, "mail", "alice@example.gov.cn", {"subject": "x"}, "notice:1")
        assert not post(work, "mail", "bob@example.gov.cn", {"subject": "y"}, "notice:1")
    with store.work() as work:
        assert not post(work, "mail", "bob@example.gov.cn", {"subject": "y"}, "notice:1")
    assert letter(store, "notice:1").recipient == "alice@example.gov.cn"


# -- delivering -------------------------------------------------------------------------------


class Bell:
    """A channel of our own for the tests: keeps what it was given, and does what it was told for some keys."""

    def __init__(self, **trouble: Callable[[], Any]) -> None:
        self.rung: list[str] = []
        self.trouble = trouble
        self._lock = threading.Lock()

    def __call__(self, letter: Letter) -> None:
        if letter.key in self.trouble:
            self.trouble[letter.key]()
        with self._lock:
            self.rung.append(letter.key)


def fails(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_a_channel_that_fails_and_fails_rests_so_that_others_go_on(store: Store, clock: MovableClock) -> None:
    """A mail server that hangs takes its time with each letter: after three, the round goes on without it."""
    hanging = Bell(**{f"mail{number}": fails(TimeoutError()) for number in range(9)})
    bell = Bell()
    write(store, *(f"mail{number}" for number in range(9)), channel="mail")
    write(store, "ringing", channel="bell")
    assert deliver(store, {"mail": hanging, "bell": bell}) == 1
    assert bell.rung == ["ringing"]
    with store.read() as session:
        assert sorted(session.scalars(select(OutboxLetter.attempts).where(OutboxLetter.channel == "mail"))) == [0] * 6 + [1] * 3
    clock.to(clock.now() + timedelta(seconds=30))
    assert deliver(store, {"mail": Bell(), "bell": bell}) == 9, "back again, it gets what waited"


def test_a_poisoned_letter_stops_nobody_else_and_is_given_up_in_the_end(store: Store, clock: MovableClock) -> None:
    bell = Bell(poison=fails(RuntimeError("boom")))
    write(store, "first", "poison", "last", channel="bell")
    assert deliver(store, {"bell": bell}) == 2
    assert bell.rung == ["first", "last"]
    for _ in range(ATTEMPTS - 1):
        assert states(store)["poison"] == "waiting"
        clock.to(letter(store, "poison").next_at)
        deliver(store, {"bell": bell})
    dead = letter(store, "poison")
    assert (dead.state, dead.attempts, dead.error) == ("dead", ATTEMPTS, "RuntimeError: boom")
    clock.to(clock.now() + timedelta(days=400))
    assert deliver(store, {"bell": Bell()}) == 0


def test_the_waits_grow_as_documented() -> None:
    waits = [backoff(attempt) for attempt in range(1, 8)]
    seconds, minutes, hours = (lambda n: timedelta(seconds=n)), (lambda n: timedelta(minutes=n)), (lambda n: timedelta(hours=n))
    assert waits == [seconds(30), minutes(2), minutes(8), minutes(32), minutes(128), hours(6), hours(6)]
    assert timedelta(hours=60) < sum(map(backoff, range(1, ATTEMPTS)), timedelta()) < timedelta(hours=66)


class Killed(BaseException):
    """What a deliverer that is killed feels."""


def test_a_letter_whose_deliverer_died_comes_back_after_the_lease(store: Store, clock: MovableClock) -> None:
    write(store, "notice", channel="bell")
    with pytest.raises(Killed):
        deliver(store, {"bell": Bell(notice=fails(Killed()))})
    bell = Bell()
    assert deliver(store, {"bell": bell}) == 0
    clock.to(clock.now() + LEASE)
    assert deliver(store, {"bell": bell}) == 1


def test_a_letter_that_kills_every_deliverer_is_given_up(store: Store, clock: MovableClock) -> None:
    write(store, "notice", channel="bell")
    for _ in range(ATTEMPTS):
        with pytest.raises(Killed):
            deliver(store, {"bell": Bell(notice=fails(Killed()))})
        clock.to(clock.now() + LEASE)
    bell = Bell()
    assert deliver(store, {"bell": bell}) == 0
    assert states(store) == {"notice": "dead"}


def test_a_deliverer_that_overran_its_lease_does_not_undo_its_successors_success(store: Store, clock: MovableClock) -> None:
    successor = Bell()

    def too_slow() -> None:
        clock.to(clock.now() + LEASE)
        deliver(store, {"bell": successor})
        raise RuntimeError("timed out")

    write(store, "notice", channel="bell")
    assert deliver(store, {"bell": Bell(notice=too_slow)}) == 0
    assert successor.rung == ["notice"]
    assert states(store) == {"notice": "sent"}


def test_two_deliverers_share_the_letters(store: Store) -> None:
    keys = [f"notice:{number}" for number in range(20)]
    write(store, *keys, channel="bell")
    bell = Bell()
    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda _: deliver(store, {"bell": bell}), range(2)))
    assert sum(sent) == 20
    assert sorted(bell.rung) == sorted(keys)


def test_the_limit_ends_a_round(store: Store) -> None:
    write(store, "a", "b", "c", channel="bell")
    bell = Bell()
    assert deliver(store, {"bell": bell}, limit=2) == 2
    assert bell.rung == ["a", "b"]


def test_a_letter_waits_untouched_for_a_deliverer_that_has_its_channel(store: Store) -> None:
    bell, pigeon = Bell(), Bell()
    write(store, "ringing", channel="bell")
    write(store, "flying", channel="pigeon")
    assert deliver(store, {}) == 0
    assert deliver(store, {"pigeon": pigeon}) == 1
    assert (letter(store, "ringing").state, letter(store, "ringing").attempts) == ("waiting", 0)
    assert deliver(store, {"bell": bell, "pigeon": pigeon}) == 1
    assert (bell.rung, pigeon.rung) == (["ringing"], ["flying"])


def test_a_channel_says_itself_that_trying_again_is_useless(store: Store) -> None:
    write(store, "notice", channel="bell")
    deliver(store, {"bell": Bell(notice=fails(Undeliverable("no such number")))})
    assert (letter(store, "notice").state, letter(store, "notice").attempts) == ("dead", 1)


def test_letters_that_arrived_are_forgotten_in_the_end_and_dead_ones_are_not(store: Store, clock: MovableClock) -> None:
    def send(letter: Letter) -> None:
        if letter.key == "lost":
            raise Undeliverable("no such mailbox")

    with store.work() as work:
        for key in ("arrived", "lost"):
            post(work, "mail", "a@example.org", {"subject": "s", "text": "t"}, key)
    assert deliver(store, {"mail": send}) == 1
    clock.to(clock.now() + KEPT - timedelta(days=1))
    assert forget_old(store) == 0
    clock.to(clock.now() + timedelta(days=2))
    assert forget_old(store) == 1
    with store.read() as session:
        assert list(session.scalars(select(OutboxLetter.key))) == ["lost"]
