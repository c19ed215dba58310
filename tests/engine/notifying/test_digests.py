"""The digest: once a person and working day, from their minute on, whatever crashes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from engine.outbox import OutboxLetter
from engine.people.tables import Account
from engine.process.notices import notify_person
from engine.process.notifying.digests import LINES, send_digests
from tests.engine.notifying.conftest import Desk

BASE = "https://sharing.example.gov.cn"


def tell(desk: Desk, who: str = "anna", *titles: str) -> None:
    for title in titles or ("抄送：受理",):
        with desk.store.work() as work:
            notify_person(work, desk[who].account_id, title=title, text="…", kind="copy")


def digests(desk: Desk) -> list[OutboxLetter]:
    return [letter for letter in desk.letters() if letter.payload["kind"] == "digest"]


def test_what_came_since_leaves_in_one_mail(desk: Desk) -> None:
    tell(desk, "anna", "抄送：一", "抄送：二")
    assert desk.letters() == [], "it waits"
    desk.clock.to("2026-02-10 09:30")
    assert send_digests(desk.store, BASE) == 1
    (letter,) = digests(desk)
    assert (letter.key, letter.recipient) == (f"digest:{desk['anna'].account_id}:2026-02-10", "anna@example.gov.cn")
    assert letter.payload["subject"] == "消息汇总：2条"
    assert letter.payload["text"].index("抄送：二") < letter.payload["text"].index("抄送：一"), "the newest first"
    assert f"{BASE}/notices" in letter.payload["text"]
    assert send_digests(desk.store, BASE) == 0


def test_what_comes_after_it_waits_for_the_next_working_day(desk: Desk) -> None:
    """Friday's digest is out; what comes on Saturday, which is worked in exchange, goes that day; over the festival nothing does."""
    desk.clock.to("2026-02-13 09:00")
    tell(desk)
    assert send_digests(desk.store, BASE) == 1
    tell(desk)
    assert send_digests(desk.store, BASE) == 0
    sent = []
    for day in range(14, 25):
        desk.clock.to(f"2026-02-{day} 08:29")
        assert send_digests(desk.store, BASE) == 0, "before the minute"
        desk.clock.to(f"2026-02-{day} 08:30")
        if send_digests(desk.store, BASE):
            sent.append(day)
        if day == 16:
            tell(desk)
    assert sent == [14, 24]


def test_each_person_has_a_minute_of_their_own(desk: Desk) -> None:
    desk.wants("ben", at="16:45")
    tell(desk, "anna")
    tell(desk, "ben")
    assert send_digests(desk.store, BASE) == 1
    desk.clock.to("2026-02-10 16:44")
    assert send_digests(desk.store, BASE) == 0
    desk.clock.to("2026-02-10 16:45")
    assert send_digests(desk.store, BASE) == 1
    assert desk.sent_to() == ["anna@example.gov.cn", "ben@example.gov.cn"]


def test_a_long_digest_names_the_newest_and_counts_the_rest(desk: Desk) -> None:
    tell(desk, "anna", *(f"抄送：第{number}件" for number in range(LINES + 3)))
    send_digests(desk.store, BASE)
    said = digests(desk)[0].payload["text"]
    assert "抄送：第52件" in said and "抄送：第2件" not in said and "另有3条，请登录系统查看。" in said


def test_nothing_leaves_for_who_has_left_or_has_no_address(desk: Desk) -> None:
    tell(desk, "anna")
    tell(desk, "ben")
    with desk.store.work() as work:
        work.session.get_one(Account, desk["anna"].account_id).active = False
        work.session.get_one(Account, desk["ben"].account_id).email = None
    assert send_digests(desk.store, BASE) == 0


def test_a_worker_that_dies_in_the_middle_leaves_the_notices_waiting(desk: Desk) -> None:
    tell(desk)

    class Killed(BaseException):
        """What a worker that is killed feels."""

    def die(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO outbox"):
            raise Killed

    event.listen(desk.store.engine, "before_cursor_execute", die)
    with pytest.raises(Killed):
        send_digests(desk.store, BASE)
    event.remove(desk.store.engine, "before_cursor_execute", die)
    assert [notice.digest for notice in desk.notices()] == [True]
    assert send_digests(desk.store, BASE) == 1
    assert [notice.digest for notice in desk.notices()] == [False]


def test_two_workers_at_once_send_it_once(desk: Desk) -> None:
    for who in ("anna", "ben", "dora", "emil"):
        tell(desk, who)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(lambda _: send_digests(desk.store, BASE), range(2))) == 4
    assert sorted(desk.sent_to()) == [f"{who}@example.gov.cn" for who in ("anna", "ben", "dora", "emil")]


def test_a_round_without_anything_due_costs_one_question(desk: Desk, statements: list[str]) -> None:
    assert send_digests(desk.store, BASE) == 0
    assert len(statements) == 1
    desk.store.channels = frozenset({"wecom"})
    statements.clear()
    tell(desk)
    statements.clear()
    assert send_digests(desk.store, BASE) == 0
    assert statements == [], "without mail there is no digest"
