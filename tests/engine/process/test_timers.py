"""Time: limits and their frame, timers of diagrams, pauses, outages, two workers, poison."""

from __future__ import annotations

import threading

import pytest

from engine.process.incidents import CaseFault, retry_incident
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.operations import OPERATIONS, Operation
from engine.process.notifying.reading import notices
from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.process.timers import fire_due
from engine.store.clock import shanghai
from engine.store.errors import NotAllowed, NotRunning, TaskClosed
from tests.engine.interpreter.diagrams import catches_message, element, message, sub, timer
from tests.engine.process.office import Office, form

WATCH = ("start > sub:watch > end:done", "closed > end:closed_end",
         sub("watch", "start > user:explain > catch:wait > end", catches_message("wait", "never"),
             element("explain", unit="source_unit", post="head")),
         message("watch", "closed", "source_closed"))
FRAME = {"limitReminder": "2", "limitEscalation": "3", "limitSupervision": "watch", "limitNotifyUnit": "'O'",
         "limitNotifyPost": "head"}


@pytest.fixture
def limited(office: Office) -> Office:
    """A task of ten working days with the common frame; Anna starts it on 2026-02-10."""
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"), **FRAME)
    office.start()
    return office


def test_a_limit_gives_deadline_reminder_and_escalation_from_one_number(limited: Office) -> None:
    when = {timer.role: timer.due_at for timer in limited.timers()}
    assert when == {
        "deadline": shanghai("2026-03-03"), "reminder": shanghai("2026-02-27"), "escalation": shanghai("2026-03-05"),
    }
    task = limited.task("reply")
    assert (task.due_at, str(task.due_day)) == (shanghai("2026-03-03"), "2026-03-02")


def test_the_frame_reminds_supervises_and_tells_the_head_by_itself(limited: Office) -> None:
    assert limited.sweep("2026-02-26 23:59") == 0
    assert limited.sweep("2026-02-27 00:00") == 1
    with limited.store.read() as session:
        assert [line.title for line in notices(session, limited["dora"]).lines] == ["临期提醒：答复"]
        assert notices(session, limited["fritz"]).lines == []
    assert limited.sweep("2026-03-02 23:59") == 0
    assert limited.instances("watch") == []
    assert limited.sweep("2026-03-03 00:00") == 1
    [watch] = limited.instances("watch")
    assert watch.variables["source_unit"] == "B"
    assert watch.variables["deadline_day"] == "2026-03-02"
    assert limited.sweep("2026-03-05 09:00") == 1
    with limited.store.read() as session:
        assert [line.title for line in notices(session, limited["gu"]).lines] == ["逾期升级：答复"]
    assert "reply" in limited.open_steps()


def test_a_late_completion_is_marked_and_closes_the_supervision(limited: Office) -> None:
    limited.sweep("2026-03-04 10:00")
    limited.complete("dora", "reply")
    assert limited.task("reply", state="done").late
    [watch] = limited.instances("watch")
    assert (watch.state, watch.outcome) == ("completed", "closed_end")


def test_a_completion_in_time_fires_nothing_ever(limited: Office) -> None:
    limited.clock.to("2026-03-02 23:59")
    limited.complete("dora", "reply")
    assert not limited.task("reply", state="done").late
    fired = limited.sweep("2026-06-01 09:00")
    assert fired == 0 and limited.instances("watch") == []


def test_what_is_overdue_fires_before_a_late_completion_even_without_a_worker(limited: Office) -> None:
    limited.clock.to("2026-03-03 08:05")
    limited.complete("dora", "reply")
    [watch] = limited.instances("watch")
    assert watch.started_at == shanghai("2026-03-03 00:00")
    assert watch.state == "completed"


def test_after_an_outage_everything_overdue_fires_once_dated_when_it_was_due(limited: Office) -> None:
    assert limited.sweep("2026-03-09 08:05") == 3 + 0
    [deadline] = limited.timers(role="deadline", state="fired", kind="limit")
    assert deadline.due_at == shanghai("2026-03-03 00:00")
    assert deadline.fired_at == shanghai("2026-03-09 08:05")
    [watch] = limited.instances("watch")
    assert watch.started_at == shanghai("2026-03-03 00:00")
    assert limited.sweep() == 0


def test_two_workers_fire_each_timer_once(office: Office) -> None:
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", unit="'B'", post="handler", limit="1"), **FRAME)
    cases = [office.start() for _ in range(12)]
    office.clock.to("2026-02-12 00:00")
    fired: list[int] = []
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait()
        fired.append(fire_due(office.store))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    fire_due(office.store)
    assert len(office.instances("watch")) == len(cases)
    assert len(office.timers(role="deadline", state="fired")) == len(cases)


def test_a_reminder_that_would_lie_before_the_start_is_not_set(office: Office) -> None:
    office.deploy("start > user:reply > end", element("reply", unit="'B'", post="handler", limit="1"), limitReminder="2")
    office.start()
    assert [timer.role for timer in office.timers(state="waiting")] == ["deadline"]


def test_an_interrupting_deadline_ends_the_task_and_a_late_completion_is_refused(office: Office) -> None:
    office.deploy(
        "start > user:plan > end:in_time", "late > end:too_late", element("plan", unit="'A'", post="handler"),
        timer("plan", "late", interrupting=True, workingDays=3, role="deadline"),
    )
    case = office.start()
    task = office.task("plan").id
    office.sweep("2026-02-14 00:00")
    assert (office.instance(case).state, office.instance(case).outcome) == ("completed", "too_late")
    from engine.process.tasks import complete_task

    with pytest.raises(TaskClosed):
        complete_task(office.store, task, actor=office["anna"], answers={})


def test_a_late_completion_does_not_beat_an_interrupting_deadline(office: Office) -> None:
    office.deploy(
        "start > user:plan > end:in_time", "late > end:too_late", element("plan", unit="'A'", post="handler"),
        timer("plan", "late", interrupting=True, workingDays=3, role="deadline"),
    )
    case = office.start()
    office.clock.to("2026-02-14 08:00")
    with pytest.raises(NotRunning):
        office.complete("anna", "plan")
    office.sweep()
    assert office.instance(case).outcome == "too_late"


SUPPLEMENT = (
    "start > sub:answer > end",
    sub("answer", "start > user:intake > xor:ok", "ok [more == 'yes'] > user:supplement > intake", "ok [default] > user:reply > end",
        element("intake", form="intake", unit="'B'", post="handler"),
        element("supplement", unit="applicant_unit", post="handler", clock="pause"),
        element("reply", unit="'B'", post="head")),
)


@pytest.mark.parametrize(
    ("policy", "last_day"), [("pause", "2026-05-18"), ("restart", "2026-05-21"), ("none", "2026-05-14")]
)
def test_asking_for_missing_material_stops_the_clock_by_policy(office: Office, policy: str, last_day: str) -> None:
    forms = {"intake": {"title": "受理", "fields": [{"key": "more", "type": "text", "label": "补正"}]}}
    office.deploy(*SUPPLEMENT, timer("answer", "due", workingDays=10, role="deadline", onPause=policy),
                  timer("answer", "warn", beforeDeadline=2, role="reminder", onPause=policy), "due > end:d", "warn > end:w",
                  forms=forms)
    office.clock.to("2026-04-28 10:00")
    office.start()
    assert str(office.task("intake").due_day) == "2026-05-14"
    office.clock.to("2026-05-06 11:00")
    office.complete("dora", "intake", more="yes")
    stands = office.task("supplement")
    assert (stands.due_at is None, stands.paused) == ((False, False) if policy == "none" else (True, True))
    if policy != "none":
        assert office.sweep("2026-05-08 08:00") == 0
    office.clock.to("2026-05-08 15:00")
    office.complete("anna", "supplement")
    task = office.task("intake")
    assert str(task.due_day) == last_day
    [warn] = office.timers(role="reminder", state="waiting")
    assert warn.due_at is not None and task.due_at is not None and warn.due_at < task.due_at


def test_a_poisoned_instance_becomes_an_incident_and_stops_nobody_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation belongs to the test: it fails until it is repaired."""
    broken = {"now": True}

    def run(call: object) -> None:
        if broken["now"]:
            raise RuntimeError("the register is gone")

    monkeypatch.setitem(OPERATIONS, "test.break", Operation("test.break", {}, "", run))
    poisoned = (
        "start > user:wait > end", "late > service:act > end:after",
        element("wait", unit="'A'", post="handler"), element("act", operation="test.break"),
        timer("wait", "late", interrupting=True, workingDays=1, role="deadline"),
    )
    office.deploy(*poisoned, key="poisoned")
    office.deploy("start > user:wait > end", "late > end:after", element("wait", unit="'A'", post="handler"),
                  timer("wait", "late", interrupting=True, workingDays=1, role="deadline"), key="sound")
    sick, well = office.start(key="poisoned"), office.start(key="sound")
    office.sweep("2026-02-12 00:00")
    assert office.instance(well).state == "completed"
    assert office.instance(sick).state == "running"
    [incident] = office.incidents()
    assert "the register is gone" in incident.error and "RuntimeError" in incident.detail
    assert office.sweep() == 0, "it waits before it tries again"
    office.sweep("2026-02-12 00:02")
    assert office.incidents()[0].attempts == 2
    broken["now"] = False
    with pytest.raises(NotAllowed):
        retry_incident(office.store, incident.id, actor=office["anna"])
    retry_incident(office.store, incident.id, actor=office["otto"])
    assert office.sweep() == 1
    assert (office.instance(sick).state, office.incidents()) == ("completed", [])


@pytest.fixture
def poisoned(office: Office) -> int:
    """A case with an open task, whose overdue deadline fails each time."""
    office.deploy("start > user:wait > user:then > end", "late > xor:g", "g [1 / 0 > 1] > end:a", "g [default] > end:b",
                  element("wait", unit="'A'", post="handler"), element("then", unit="'A'", post="handler"),
                  timer("wait", "late", interrupting=True, workingDays=1, role="deadline"))
    case = office.start()
    office.sweep("2026-02-12 00:00")
    assert [incident.attempts for incident in office.incidents()] == [1]
    return case


def test_what_fails_does_not_hold_up_who_stops_the_case_because_of_it(office: Office, poisoned: int) -> None:
    suspend_instance(office.store, poisoned, actor=office["gu"], reason="等待修复")
    resume_instance(office.store, poisoned, actor=office["gu"], reason="再试")
    with pytest.raises(CaseFault):
        office.complete("anna", "wait")
    assert office.instance(poisoned).state == "running", "a person's step still comes after what was due before it"
    assert len(office.incidents()) == 2
    terminate_instance(office.store, poisoned, actor=office["gu"], reason="无法修复")
    assert (office.instance(poisoned).state, office.incidents()) == ("terminated", []), "nothing of it will be tried again"


def test_who_leaves_a_failing_clock_leaves_its_incident(office: Office) -> None:
    office.deploy("start > user:wait > end", "soon > xor:g", "g [1 / 0 > 1] > end:a", "g [default] > end:b", "late > user:then > end:c",
                  element("wait", unit="'A'", post="handler"), element("then", unit="'A'", post="handler"),
                  timer("wait", "soon", beforeDeadline=1, role="reminder"), timer("wait", "late", interrupting=True, workingDays=3, role="deadline"))
    case = office.start()
    office.sweep("2026-02-13 00:00")
    assert [incident.attempts for incident in office.incidents()] == [1], "the reminder fails"
    office.sweep("2026-02-28 00:00")
    assert office.open_steps(case) == ["then"] and office.incidents() == [], "nobody will remind of what was left"


COUNTED_FROM = (
    "start > sub:update > end:done", "soon > end:reminded", "late > end:supervised",
    sub("update", "start > user:fill > end", element("fill", unit="'A'", post="handler")),
    timer("update", "soon", beforeDeadline=1, role="reminder"),
    timer("update", "late", workingDays=2, role="deadline", countFrom="happened_on"),
)
HAPPENED = form({"key": "happened_on", "type": "date", "label": "发生日"})


def test_a_limit_may_count_from_the_day_on_which_something_happened(office: Office) -> None:
    office.clock.to("2026-02-28 15:00")
    office.deploy(*COUNTED_FROM, forms={"begin": HAPPENED}, startForm="begin")
    case = office.start(happened_on="2026-02-27")
    task = office.task("fill")
    assert (str(task.due_day), task.due_at) == ("2026-03-02", shanghai("2026-03-03"))
    [clock] = office.timers(role="deadline")
    with office.store.read() as session:
        sheet = deadline_sheet(session, office["anna"], clock.id)
    assert sheet.explanation is not None
    assert [str(day.day) for day in sheet.explanation.counted] == ["2026-02-28", "2026-03-02"]
    assert str(sheet.explanation.received) == "2026-02-27"
    assert office.instance(case).started_at == shanghai("2026-02-28 15:00")


def test_a_limit_that_was_over_before_the_case_came_in_is_late_from_that_moment(office: Office) -> None:
    office.deploy(*COUNTED_FROM, forms={"begin": HAPPENED}, startForm="begin")
    office.start(happened_on="2026-01-05")
    assert office.task("fill").due_at == shanghai("2026-01-08")
    office.sweep("2026-02-10 09:05")
    with office.store.read() as session:
        told = [line.at for line in case_sheet(session, office["anna"], office.instances("test")[0].id).timeline]
    assert told == [shanghai("2026-02-10 09:00")] * 3, "nothing is dated before the case itself"
    office.complete("anna", "fill")
    assert office.task("fill", state="done").late


def test_terminating_cancels_tasks_and_timers(limited: Office) -> None:
    case = limited.instances("test")[0].id
    with pytest.raises(NotAllowed):
        terminate_instance(limited.store, case, actor=limited["anna"], reason="不再需要")
    terminate_instance(limited.store, case, actor=limited["gu"], reason="不再需要")
    assert limited.instance(case).state == "terminated"
    assert limited.open_steps() == []
    assert limited.timers(state="waiting") == []
    with pytest.raises(NotRunning):
        terminate_instance(limited.store, case, actor=limited["gu"], reason="再次")
