"""What ends by its date: people are reminded once, a grant ends by itself, an entry of the negative list never does."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from engine.process.notifying.reading import notices
from engine.sharing import negative_list
from engine.sharing.expiry import expire
from engine.sharing.grants import Grant
from engine.sharing.negative_list import NegativeListEntry
from engine.store.clock import shanghai
from tests.town import Town


def told(town: Town, unit: str, post: str, title: str) -> int:
    with town.store.read() as session:
        return sum(notice.title == title for notice in notices(session, town.officer(unit, post)).lines)


def granted(town: Town, until: str) -> None:
    case = town.submits(at="2026-02-10 09:30", valid_until=until)
    town.reviews(case)
    town.does(case, "Task_Reply")


def grant_of(town: Town) -> Grant:
    with town.store.read() as session:
        return session.scalars(select(Grant)).one()


def test_a_grant_is_reminded_of_once_ten_working_days_ahead(town: Town) -> None:
    granted(town, "2026-06-30")
    town.passes_until("2026-06-14 09:00")
    assert expire(town.store) == 0
    town.passes_until("2026-06-15 09:00")
    assert [expire(town.store), expire(town.store)] == [1, 0]
    assert told(town, "007", "handler", "共享授权即将到期") == 1


def test_a_grant_is_good_to_the_end_of_its_last_day_and_ends_then(town: Town) -> None:
    granted(town, "2026-06-30")
    town.passes_until("2026-06-30 23:59")
    expire(town.store)
    assert grant_of(town).state == "active"
    town.passes_until("2026-07-02 08:00")  # nobody was awake on the first
    assert [expire(town.store), expire(town.store)] == [1, 0]
    ended = grant_of(town)
    assert (ended.state, ended.ended_at, ended.end_reason) == ("ended", shanghai("2026-07-01 00:00"), "有效期届满")
    assert told(town, "007", "handler", "共享授权已到期终止") == told(town, "024", "platform_operator", "共享授权已到期终止") == 1


def test_a_basis_that_runs_out_is_told_and_decides_nothing(town: Town) -> None:
    with town.store.work() as work:
        entry = work.session.scalars(select(NegativeListEntry).where(NegativeListEntry.state == "listed").order_by(NegativeListEntry.id)).first()
        assert entry is not None
        entry.valid_until = date(2026, 6, 30)
        number = entry.id
    town.passes_until("2026-07-06 09:00")
    assert [expire(town.store), expire(town.store)] == [1, 0]
    assert told(town, "024", "handler", "负面清单依据需要复核") == 1
    with town.store.read() as session:
        assert negative_list.entry_sheet(session, town.officer("024", "handler"), number).line.state == "listed"
