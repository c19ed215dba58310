"""Back-tests: asked for, done by any worker page by page, cancelled, taken over; the numbers and the cases that they show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from calendars.deadline import shanghai_day
from engine.demo.half_year import live_half_year
from engine.history import History
from engine.people.accounts import appoint
from engine.people.actor import load_actor
from engine.process.definitions import in_force
from engine.process.editions import edition_at
from engine.process.tables import Instance, Timer
from engine.process.workshop.back_testing.commands import (
    NotTestable, cancel_back_test, claim, order_back_test, run_back_tests, run_claimed,
)  # fmt: skip
from engine.process.workshop.back_testing.sheets import (
    BackTestSheet, CasePage, back_test_cases, back_test_sheet, back_tests_of, cases_in, every_case,
)  # fmt: skip
from engine.process.workshop.drafts import discard_draft, save_draft, start_draft
from engine.process.workshop.tables import BackTest, BackTestCase
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Store
from tests.database import close_sqlite, copy_sqlite
from tests.engine.interpreter.diagrams import diagram, element, timer
from tests.engine.process.office import Office
from tests.engine.workshop.replaying import replayed_as_they_ran
from tests.town import Town

SINCE, UNTIL = shanghai("2026-01-01"), shanghai("2027-01-01")


def drawn(days: int, *, more: str = "") -> bytes:
    return diagram(
        f"start > user:reply{more} > end", "due > end:told", timer("reply", "due", workingDays=days, role="deadline"),
        element("reply", name="答复", unit="'B'", post="handler"),
        *([element("sign", name="签发", unit="'B'", post="head")] if more else []), startPosts="handler",
    )  # fmt: skip


@pytest.fixture
def draft(office: Office) -> int:
    """Five requests of 10 February, replied to after 1, 2, 3 and 6 working days, one still waiting; a draft with a limit of 2."""
    definition = office.deploy(
        "start > user:reply > end", "due > end:told", timer("reply", "due", workingDays=5, role="deadline"),
        element("reply", name="答复", unit="'B'", post="handler"),
    )  # fmt: skip
    for _ in range(5):
        office.start()
    for moment in ("2026-02-11 10:00", "2026-02-12 10:00", "2026-02-13 10:00", "2026-02-25 10:00"):
        office.sweep(moment)
        office.complete("dora", "reply")
    draft = start_draft(office.store, actor=office["petra"], definition_id=definition)
    save_draft(office.store, draft, actor=office["petra"], revision=1, xml=drawn(2))
    return draft


def order(office: Office, draft: int, who: str = "petra", since: datetime = SINCE, until: datetime = UNTIL) -> int:
    return order_back_test(office.store, draft, actor=office[who], received_from=since, received_until=until)


def sheet(office: Office, test: int, who: str = "petra") -> BackTestSheet:
    with office.store.read() as session:
        return back_test_sheet(session, office[who], test)


def cases(office: Office, test: int, who: str = "petra", kind: str = "") -> CasePage:
    with office.store.read() as session:
        return back_test_cases(session, office[who], test, kind=kind)


def numbers(page: CasePage) -> list[int]:
    return [line.instance_id for line in page.lines]


def test_the_worker_does_it_and_the_numbers_come_first(office: Office, draft: int) -> None:
    test = order(office, draft)
    waiting = sheet(office, test)
    assert (waiting.state, waiting.total, waiting.done, waiting.under_way) == ("waiting", 5, 0, True)
    assert run_back_tests(office.store) == 5
    done = sheet(office, test)
    assert (done.state, done.total, done.done, done.percent, done.cases) == ("done", 5, 5, 100, 5)
    # Late by the old limit already, so no news: the fourth and the fifth.
    assert done.kinds == {"deadline_missed": 1, "deadline_moved": 4}
    assert [(line.name, line.kinds) for line in done.steps] == [("答复", {"deadline_missed": 1, "deadline_moved": 4})]
    assert numbers(cases(office, test, kind="deadline_missed")) == [3]
    [line] = cases(office, test, kind="deadline_missed").lines
    [finding] = line.findings
    assert (finding.name, str(finding.before), str(finding.after)) == ("答复", "2026-02-24", "2026-02-12")
    assert (line.number, line.parting) == ("测试流程〔2026〕3号", None)
    assert run_back_tests(office.store) == 0


def test_only_the_cases_of_the_period_are_replayed(office: Office, draft: int) -> None:
    office.clock.to("2026-03-02 09:00")
    office.start()
    office.clock.to("2026-03-02 09:30")
    periods = [(shanghai("2026-03-01"), UNTIL), (SINCE, UNTIL), (SINCE, shanghai("2026-02-10"))]
    with office.store.read() as session:
        assert cases_in(session, "test", periods) == [1, 6, 0]
    test = order(office, draft, since=shanghai("2026-03-01"))
    # Up to today, however far ahead the period was to go.
    assert sheet(office, test).received_until == office.clock.now()
    office.clock.to("2026-03-02 10:00")
    office.start()  # too late for this test
    assert run_back_tests(office.store) == 1


def test_what_cannot_be_tested_is_refused_with_its_reason(office: Office, draft: int) -> None:
    store, petra = office.store, office["petra"]
    with pytest.raises(Invalid) as backwards:
        order(office, draft, since=UNTIL, until=SINCE)
    assert backwards.value.fields["received_from"] == "起始日期应早于截止日期，且不晚于今天"
    with pytest.raises(Invalid) as empty:
        order(office, draft, until=shanghai("2026-02-01"))
    assert empty.value.fields["received_from"] == "该期间没有收到过该流程的办件，无可回测"
    with pytest.raises(NotFound):
        order(office, 99)
    save_draft(store, draft, actor=petra, revision=2, xml=drawn(2).replace(b"'B'", b"B ("))
    with pytest.raises(NotTestable) as faulty:
        order(office, draft)
    assert any(problem.element == "reply" for problem in faulty.value.problems)
    discard_draft(store, draft, actor=petra, revision=3)
    with pytest.raises(Stale):
        order(office, draft)


def test_only_who_edits_or_approves_diagrams_may(office: Office, draft: int) -> None:
    test = order(office, draft, "paul")
    for who in ("anna", "gu", "otto"):
        with pytest.raises(NotAllowed):
            order(office, draft, who)
        with pytest.raises(NotAllowed):
            cancel_back_test(office.store, test, actor=office[who])
        with pytest.raises(NotAllowed):
            sheet(office, test, who)
        with pytest.raises(NotAllowed):
            cases(office, test, who)


def test_a_case_is_linked_only_for_who_may_see_it(office: Office, draft: int) -> None:
    test = order(office, draft)
    run_back_tests(office.store)
    assert {line.visible for line in cases(office, test).lines} == {False}
    # Who also holds a post that sees every case finds the way to it.
    appoint(office.store, office["petra"].account_id, office.units["O"], "supervisor", actor=None)
    with office.store.read() as session:
        both = load_actor(session, office["petra"].account_id)
        assert both is not None
        assert {line.visible for line in back_test_cases(session, both, test).lines} == {True}


def test_one_test_of_a_draft_at_a_time_and_a_cancelled_one_keeps_what_it_found(
    office: Office, draft: int
) -> None:
    test = order(office, draft)
    with pytest.raises(Stale, match="已有回测正在进行"):
        order(office, draft)
    told = stops_after_two(office, test)
    assert run_back_tests(office.store, page=2, stopping=lambda: next(told)) == 2
    cancel_back_test(office.store, test, actor=office["petra"])
    office.clock.to("2026-02-25 11:00")
    assert run_back_tests(office.store) == 0
    left = sheet(office, test)
    assert (left.state, left.done, left.cases, left.under_way) == ("cancelled", 2, 2, False)
    with pytest.raises(Stale):
        cancel_back_test(office.store, test, actor=office["petra"])
    order(office, draft)


def stops_after_two(office: Office, test: int) -> Iterator[bool]:
    """False until two cases are written: a worker that is then told to stop."""
    while sheet(office, test).done < 2:
        yield False
    while True:
        yield True


def test_a_dead_worker_s_test_is_taken_over_behind_its_last_page(office: Office, draft: int) -> None:
    test = order(office, draft)
    told = stops_after_two(office, test)
    run_back_tests(office.store, page=2, stopping=lambda: next(told))
    assert (sheet(office, test).state, sheet(office, test).done) == ("running", 2)
    assert run_back_tests(office.store) == 0  # whoever has it may only be slow
    office.clock.to("2026-02-25 10:02")
    assert run_back_tests(office.store) == 3
    done = sheet(office, test)
    assert (done.state, done.done, done.cases) == ("done", 5, 5)
    assert numbers(cases(office, test)) == [1, 2, 3, 4, 5]


def test_a_slow_worker_finds_its_page_written_by_another_and_lets_go(office: Office, draft: int) -> None:
    test = order(office, draft)
    slow = claim(office.store)
    assert slow is not None
    office.clock.to("2026-02-25 10:02")
    assert run_back_tests(office.store) == 5
    assert run_claimed(office.store, slow, 50, lambda: False) == 0
    assert sheet(office, test).cases == 5
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(BackTestCase)) == 5


def test_while_cases_are_replayed_others_write(office: Office, draft: int) -> None:
    """The worker is between two pages, or in the middle of one: it holds no lock that anybody at a desk could wait for."""
    test = order(office, draft)

    def somebody_works() -> bool:
        office.start()
        return False

    assert run_back_tests(office.store, page=1, stopping=somebody_works) == 5
    assert sheet(office, test).state == "done"


def test_a_test_tells_that_the_draft_was_saved_since(office: Office, draft: int) -> None:
    test = order(office, draft)
    run_back_tests(office.store)
    assert not sheet(office, test).outdated
    save_draft(office.store, draft, actor=office["petra"], revision=2, xml=drawn(3, more=" > user:sign"))
    assert sheet(office, test).outdated
    again = order(office, draft)
    run_back_tests(office.store)
    assert sheet(office, again).kinds["gained_step"] == 4
    with office.store.read() as session:
        assert [line.id for line in back_tests_of(session, office["petra"], draft)] == [again, test]
        assert [line.parting is not None for line in every_case(session, office["petra"], again)] == [True] * 4 + [False]


def test_a_damaged_case_is_told_and_ends_nothing(office: Office, draft: int) -> None:
    with office.store.work() as work:
        work.session.execute(update(Instance).where(Instance.id == 2).values(variables=["damaged"]))
    test = order(office, draft)
    assert run_back_tests(office.store) == 5
    assert sheet(office, test).kinds == {"failed": 1, "deadline_missed": 1, "deadline_moved": 3}
    [line] = cases(office, test, kind="failed").lines
    assert (line.instance_id, line.findings[0].text) == (2, "本件未能回放，详情已记入系统日志")


def test_a_diagram_that_can_no_longer_be_read_fails_the_test_with_a_sentence(office: Office, draft: int) -> None:
    test = order(office, draft)
    with office.store.work() as work:
        work.session.get_one(BackTest, test).xml = b"<no/>"
    assert run_back_tests(office.store) == 0
    failed = sheet(office, test)
    assert failed.state == "failed" and failed.error and failed.error.startswith("回测未能完成：")


# -- the demo town --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def half_year(sqlite_town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo town after its half year, lived once; to be copied."""
    file = tmp_path_factory.mktemp("half-year") / "town.db"
    clock = MovableClock(shanghai("2026-01-05 09:00"))
    with closing(Store(copy_sqlite(sqlite_town, file), clock)) as store:
        live_half_year(store, clock, shanghai("2026-11-23 10:30"))
    close_sqlite(file)
    return file


@pytest.fixture
def lived(half_year: Path, tmp_path: Path) -> Iterator[Town]:
    clock = MovableClock(shanghai("2026-11-23 10:30"))
    with closing(Store(copy_sqlite(half_year, tmp_path / "town.db"), clock)) as store:
        yield Town(store, clock)


def test_half_a_year_against_the_versions_that_it_ran_on_is_silent(lived: Town) -> None:
    """What proves the replay: every case of every process went just as it would have gone."""
    assert replayed_as_they_ran(lived.store) == {}
    with lived.store.read() as session:
        assert len(set(session.scalars(select(Instance.process_key)))) >= 14


def test_s42_a_reply_limit_of_five_days_is_missed_by_the_replies_that_took_longer(lived: Town) -> None:
    admin = lived.officer("024", "process_admin")
    with lived.store.read() as session:
        definition = in_force(session, "conditional_share", lived.now())
        requests = session.scalar(select(func.count()).select_from(Instance).where(Instance.process_key == "conditional_share"))
    xml = definition.diagram.xml.decode()
    rule = 'id="TimerRule_ReplyDeadline" sharing:role="deadline" sharing:workingDays="10"'
    draft = start_draft(lived.store, actor=admin, definition_id=definition.id)
    text = xml.replace(rule, rule.replace('"10"', '"5"'))
    assert text != xml
    save_draft(lived.store, draft, actor=admin, revision=1, xml=text.encode())
    test = order_back_test(lived.store, draft, actor=admin, received_from=SINCE, received_until=UNTIL)
    assert run_back_tests(lived.store) == requests
    with lived.store.read() as session:
        done = back_test_sheet(session, admin, test)
        missed = back_test_cases(session, admin, test, kind="deadline_missed", most=500)
    assert set(done.kinds) == {"deadline_missed", "deadline_moved"}
    assert {finding.step for line in missed.lines for finding in line.findings if finding.kind == "deadline_missed"} == {"SubProcess_Reply"}
    assert {line.instance_id for line in missed.lines} == took_six_to_ten_days(lived)
    assert len(missed.lines) == done.kinds["deadline_missed"] > 10


def took_six_to_ten_days(lived: Town) -> set[int]:
    """The requests whose provider took six to ten working days, counted from the record by hand: day by day, without pauses."""
    today = shanghai_day(lived.now())
    found = set()
    with lived.store.read() as session:
        edition = edition_at(session, lived.now())
        clocks = session.scalars(select(Timer).where(Timer.element == "BoundaryEvent_ReplyDeadline", Timer.role == "deadline"))
        for clock in clocks.all():
            moves = session.execute(select(History.at, History.data).where(History.instance_id == clock.instance_id).order_by(History.seq))
            left = [at for at, data in moves if ["SubProcess_Reply", "completed"] in data.get("passed", []) or
                    ["SubProcess_Reply", "cancelled"] in data.get("passed", [])]
            last = shanghai_day(left[0]) if left else today - timedelta(days=1)
            stood = [(date.fromisoformat(start), date.fromisoformat(end) if end else today) for start, end, _ in clock.pauses]
            day, count = shanghai_day(clock.started_at), 0
            while day < last:
                day += timedelta(days=1)
                count += edition.works(day) and not any(start < day <= end for start, end in stood)
            if 5 < count + (not left) <= 10 + (not left) and (left or count >= 5):
                found.add(clock.instance_id)
    return found
