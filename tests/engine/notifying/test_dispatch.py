"""Which channels carry a notice: the product's own way, what a person has chosen, and when it may leave."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine.process.notices import notify_person, notify_post
from engine.process.notifying.kinds import CHANNELS, KINDS
from engine.process.notifying.preferences import set_wishes, wishes
from engine.process.notifying.quiet import working_moment
from engine.store.clock import shanghai
from engine.store.errors import Invalid
from tests.engine.notifying.conftest import Desk


def tell(desk: Desk, who: str = "anna", kind: str = "task") -> None:
    with desk.store.work() as work:
        notify_person(work, desk[who].account_id, title="转办：受理", text="请办理。", kind=kind)


# -- by what channel --------------------------------------------------------------------------


def test_who_has_chosen_nothing_is_told_in_the_page_and_by_mail(desk: Desk) -> None:
    tell(desk)
    assert desk.sent_to() == ["anna@example.gov.cn"]
    assert [(notice.kind, notice.read_at) for notice in desk.notices("anna")] == [("task", None)]
    assert desk.letters()[0].payload == {"kind": "task", "subject": "转办：受理", "text": "请办理。", "path": "/notices"}


def test_each_person_is_told_by_the_channels_of_their_own_choice(desk: Desk) -> None:
    desk.wants("anna", case_mail="off", case_sms="at_once")
    desk.wants("ben", case_page="off", case_mail="off")
    with desk.store.work() as work:
        told = notify_post(work, desk.units["A"], "handler", title="授权到期", text="…", kind="case")
    assert told == 1, "who wants nothing of it is told nothing"
    assert desk.sent_to() == [desk.letters()[0].recipient] and desk.sent_to()[0].startswith("1380000")
    assert desk.letters()[0].payload == {"kind": "case", "text": "授权到期。请登录系统查看。"}
    assert [notice.account_id for notice in desk.notices()] == [desk["anna"].account_id]


def test_a_page_that_is_not_to_disturb_keeps_the_notice_as_read(desk: Desk) -> None:
    desk.wants("anna", copy_page="off", copy_mail="at_once")
    tell(desk, kind="copy")
    assert desk.sent_to() == ["anna@example.gov.cn"]
    assert desk.notices("anna")[0].read_at is not None


def test_no_letter_is_written_for_a_channel_that_is_not_configured(desk: Desk) -> None:
    desk.store.channels = frozenset()
    desk.wants("anna", task_sms="at_once")
    tell(desk)
    assert desk.letters() == []
    assert len(desk.notices("anna")) == 1


def test_a_notice_to_fifty_people_costs_what_one_to_one_person_does(desk: Desk, statements: list[str]) -> None:
    def cost() -> int:
        statements.clear()
        with desk.store.work() as work:
            notify_post(work, desk.units["A"], "handler", title="授权到期", text="…", kind="case")
        return len(statements)

    desk.robot("A")
    for number in range(3):
        desk.joins(f"first{number}", "A", "handler")
    cost()  # the first one fills what a process remembers: the calendar
    few = cost()
    for number in range(50):
        login = f"more{number}"
        desk.joins(login, "A", "handler")
        desk.wants(login, case_mail="digest" if number % 3 else "always", quiet=bool(number % 2))
    assert cost() == few <= 8


# -- what one may choose ----------------------------------------------------------------------


def test_what_is_chosen_is_read_back_and_the_rest_follows_the_product(desk: Desk) -> None:
    desk.wants("anna", urge_mail="always", copy_mail="off", quiet=False, at="17:05")
    desk.wants("anna", copy_mail="digest", quiet=False, at="17:05")  # as the product has it: no row of its own any more
    with desk.store.read() as session:
        found = wishes(session, desk["anna"])
    assert (found.modes["urge", "mail"], found.modes["copy", "mail"], found.modes["task", "mail"]) == ("always", "digest", "at_once")
    assert (found.quiet, found.digest_time) == (False, "17:05")
    assert found.modes.keys() == {(kind, channel) for kind in KINDS for channel in CHANNELS}


@pytest.mark.parametrize(
    ("where", "mode", "at"),
    [
        (("urge", "page"), "off", "08:30"),  # the addressee of an urge sees it
        (("case", "sms"), "digest", "08:30"), (("case", "mail"), "sometimes", "08:30"), (("gossip", "mail"), "off", "08:30"),
        (("case", "pigeon"), "off", "08:30"), (("case", "mail"), "off", "8.30"), (("case", "mail"), "off", "24:00"),
    ],
)  # fmt: skip
def test_what_nobody_offers_cannot_be_chosen(desk: Desk, where: tuple[str, str], mode: str, at: str) -> None:
    with pytest.raises(Invalid):
        set_wishes(desk.store, actor=desk["anna"], modes={where: mode}, quiet=False, digest_time=at)
    with desk.store.read() as session:
        assert wishes(session, desk["anna"]).quiet, "nothing was kept"


# -- when -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-02-10 09:00", "2026-02-10 09:00"),  # an ordinary Tuesday
        ("2026-02-10 08:29", "2026-02-10 08:30"),
        ("2026-02-10 16:59", "2026-02-10 16:59"),
        ("2026-02-10 17:00", "2026-02-11 08:30"),
        ("2026-02-13 20:15", "2026-02-14 08:30"),  # Saturday the 14th is worked in exchange for the Spring Festival
        ("2026-02-14 11:00", "2026-02-14 11:00"),
        ("2026-02-14 18:00", "2026-02-24 08:30"),  # the festival lasts from the 15th to the 23rd
        ("2026-02-19 10:00", "2026-02-24 08:30"),  # a Thursday of it
        ("2026-02-28 10:00", "2026-02-28 10:00"),  # the other Saturday that is worked
        ("2026-03-01 10:00", "2026-03-02 08:30"),  # an ordinary Sunday
    ],
)
def test_a_letter_waits_for_working_hours_over_the_spring_festival(desk: Desk, now: str, leaves: str) -> None:
    desk.clock.to(now) if shanghai(now) > desk.clock.now() else None
    with desk.store.read() as session:
        assert working_moment(session, shanghai(now), desk.units["A"]) == shanghai(leaves)
    if shanghai(now) >= desk.clock.now():
        tell(desk)
        assert [letter.next_at for letter in desk.letters()] == [shanghai(leaves)]


def test_who_wants_it_at_any_hour_gets_it_at_any_hour(desk: Desk) -> None:
    desk.clock.to("2026-02-19 23:00")
    desk.wants("anna", urge_mail="always")
    desk.wants("ben", quiet=False)
    for who, kind in (("anna", "urge"), ("anna", "task"), ("ben", "task")):
        tell(desk, who, kind)
    now, later = desk.clock.now(), shanghai("2026-02-24 08:30")
    assert [letter.next_at for letter in desk.letters()] == [now, later, now]


def test_beyond_the_end_of_the_calendar_a_letter_leaves_at_once(desk: Desk) -> None:
    with desk.store.read() as session:
        far: datetime = shanghai("2060-02-01 23:00")
        assert working_moment(session, far, None) == far
