"""Two people between a notice and the calendar: who may do what, what is refused, and what happens when they meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from calendars.reading import Reading
from engine.history import History
from engine.history_seal import verify
from engine.process.calendar_tables import CalendarProposal, Recount
from engine.process.editions import edition_at
from engine.process.notifying.reading import notices
from engine.process.tables import CalendarNotice
from engine.process.timekeeping.keeping import recount_sheet, standing_notices
from engine.process.timekeeping.publishing import confirm_notice, proposal_sheet, proposals, propose_notice, refuse_notice
from engine.process.timekeeping.recounting import recount
from engine.store.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from tests.engine.process.office import Office
from tests.engine.timekeeping.acts import closure, national, publish

SNOW = closure("辽市政办发〔2026〕8号", "2026-02-26", published="2026-02-10")


def proposed(office: Office, given: Reading = SNOW, by: str = "petra", **more: str) -> int:
    return propose_notice(office.store, given, actor=office[by], calendar=more.pop("calendar", "city"), **more)


def calendar_acts(office: Office) -> list[str]:
    with office.store.read() as session:
        return list(session.scalars(select(History.act).where(History.stream == "calendar").order_by(History.seq)))


# -- rights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["anna", "clara", "gu", "otto", "paul"])
def test_only_who_draws_processes_brings_a_notice_in(office: Office, person: str) -> None:
    with pytest.raises(NotAllowed):
        proposed(office, by=person)


@pytest.mark.parametrize("person", ["anna", "clara", "gu", "otto", "petra"])
def test_only_another_person_with_the_power_confirms(office: Office, person: str) -> None:
    proposal = proposed(office)
    with pytest.raises(NotAllowed):
        confirm_notice(office.store, proposal, actor=office[person])
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Recount)) == 0


def test_who_holds_both_powers_still_does_not_confirm_their_own(office: Office) -> None:
    both = office.joins("paula", "O", "process_admin", "process_approver")
    proposal = proposed(office, by="paula")
    with pytest.raises(NotAllowed, match="另一人"):
        confirm_notice(office.store, proposal, actor=both)
    confirm_notice(office.store, proposal, actor=office["paul"])


@pytest.mark.parametrize("person", ["anna", "gu", "otto"])
def test_others_neither_refuse_nor_read_what_waits(office: Office, person: str) -> None:
    proposal = proposed(office)
    with pytest.raises(NotAllowed):
        refuse_notice(office.store, proposal, actor=office[person], reason="不对")
    with office.store.read() as session:
        with pytest.raises(NotAllowed):
            proposal_sheet(session, office[person], proposal)
        with pytest.raises(NotAllowed):
            proposals(session, office[person])


def test_what_a_publication_moved_is_not_for_everybody(office: Office) -> None:
    run = publish(office, SNOW, calendar="city")
    with office.store.read() as session:
        for person in ("petra", "paul", "gu", "otto"):
            assert recount_sheet(session, office[person], run).cause == SNOW.doc
        with pytest.raises(NotAllowed):
            recount_sheet(session, office["anna"], run)


# -- the way of a proposal ------------------------------------------------------------------------


def test_the_second_person_is_asked_and_the_first_hears_the_answer(office: Office) -> None:
    publish(office, SNOW, calendar="city")
    with office.store.read() as session:
        assert [line.title for line in notices(session, office["paul"]).lines] == ["待确认的日历变更：辽市政办发〔2026〕8号"]
        assert [line.title for line in notices(session, office["petra"]).lines] == ["日历变更已发布：辽市政办发〔2026〕8号"]
        [line] = [line for line in standing_notices(session) if line.doc == SNOW.doc]
        assert (line.confirmed_by, line.policy, line.calendar) == ("Paul", "keep", "city")
    recount(office.store)
    assert calendar_acts(office)[-3:] == ["notice_proposed", "notice_published", "recounted"]
    assert verify(office.store).ok


def test_a_refusal_wants_a_reason_and_changes_no_day(office: Office) -> None:
    proposal = proposed(office)
    with pytest.raises(Invalid):
        refuse_notice(office.store, proposal, actor=office["paul"], reason=" ")
    refuse_notice(office.store, proposal, actor=office["paul"], reason="文号有误")
    with office.store.read() as session:
        assert proposal_sheet(session, office["petra"], proposal).decision == "文号有误"
        assert edition_at(session, office.clock.now()).works(date(2026, 2, 26))
        assert "文号有误" in notices(session, office["petra"]).lines[0].text
    with pytest.raises(Stale):
        confirm_notice(office.store, proposal, actor=office["paul"])
    proposed(office)  # once it is put right, it may come again


def test_who_made_it_may_withdraw_it(office: Office) -> None:
    proposal = proposed(office)
    refuse_notice(office.store, proposal, actor=office["petra"], reason="录错了")
    with office.store.read() as session:
        assert proposal_sheet(session, office["paul"], proposal).state == "withdrawn"


def test_the_same_notice_does_not_wait_twice_and_does_not_stand_twice(office: Office) -> None:
    proposed(office)
    with pytest.raises(Invalid, match="请勿重复提交"):
        proposed(office)
    publish(office, closure("辽市政办发〔2026〕9号", "2026-02-27", published="2026-02-10"), calendar="city")
    with pytest.raises(Invalid, match="已经存在"):
        proposed(office, closure("辽市政办发〔2026〕9号", "2026-03-04", published="2026-02-10"))


def test_two_who_confirm_at_once_publish_once(office: Office) -> None:
    second = office.joins("pia", "O", "process_approver")
    proposal = proposed(office)

    def confirm(login: str) -> str:
        try:
            confirm_notice(office.store, proposal, actor=office[login])
        except Refused as error:
            return type(error).__name__
        return "published"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(confirm, ["paul", second.login])) == ["Stale", "published"]
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Recount)) == 1
        assert session.scalar(select(func.count()).where(CalendarNotice.doc == SNOW.doc)) == 1


def test_a_proposal_that_another_notice_overtook_is_not_published(office: Office) -> None:
    office.clock.to("2026-12-21 09:00")
    waiting = propose_notice(office.store, national(office), actor=office["petra"])
    twin = propose_notice(office.store, replace(national(office), doc="国办发明电〔2026〕98号"), actor=office["petra"])
    confirm_notice(office.store, twin, actor=office["paul"])
    with office.store.read() as session:
        [complaint] = proposal_sheet(session, office["paul"], waiting).complaints
    assert "2027年已有国办发明电〔2026〕98号" in complaint
    with pytest.raises(Invalid, match="2027年已有"):
        confirm_notice(office.store, waiting, actor=office["paul"])
    with office.store.read() as session:
        assert session.get_one(CalendarProposal, waiting).state == "open"
    refuse_notice(office.store, waiting, actor=office["petra"], reason="已有人录入")


def test_doubts_want_a_reason_and_errors_cannot_be_argued_away(office: Office) -> None:
    office.clock.to("2026-12-21 09:00")
    whole = national(office)
    lost = replace(whole, spans=tuple(span for span in whole.spans if span.name != "端午节"),
                   add_off=tuple(day for day in whole.add_off if day != date(2027, 6, 9)))
    with pytest.raises(Invalid) as refusal:
        propose_notice(office.store, lost, actor=office["petra"])
    assert "accepted" in refusal.value.fields
    propose_notice(office.store, lost, actor=office["petra"], accepted="端午节另行通知")
    with pytest.raises(Invalid):
        propose_notice(office.store, replace(whole, doc=""), actor=office["petra"], accepted="没有文号")


@pytest.mark.parametrize("published", ["2026-02-11", "2027-01-01"])
def test_a_notice_that_is_not_published_yet_waits(office: Office, published: str) -> None:
    with pytest.raises(Invalid) as refusal:
        proposed(office, closure("辽市政办发〔2026〕8号", "2026-02-26", published=published))
    assert "晚于今天" in refusal.value.fields["published"]


def test_what_is_not_there_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        confirm_notice(office.store, 77, actor=office["paul"])
    with office.store.read() as session, pytest.raises(NotFound):
        proposal_sheet(session, office["paul"], 77)
