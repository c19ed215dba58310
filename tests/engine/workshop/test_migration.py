"""Running cases moved to another version: rows, clocks, claims, children; who may, and what stays as it was."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.history import History
from engine.history_seal import verify
from engine.people.actor import Actor
from engine.process.definitions import deploy_in
from engine.process.package import Package
from engine.process.queries import inbox
from engine.process.sheets import case_sheet, task_sheet
from engine.process.tables import Instance, Party, Task, Timer
from engine.process.tasks import complete_task
from engine.process.workshop.migration import PlanUnfit, plan_migration, start_migration, withdraw_migration
from engine.process.workshop.migration_plan import plan_of, propose_plan
from engine.process.workshop.migration_preview import preview
from engine.process.workshop.migration_running import move_waiting
from engine.process.workshop.migration_sheets import items, migration_sheet, migrations, processes
from engine.process.workshop.tables import Migration, MigrationItem
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Store
from tests.engine.interpreter.diagrams import call, catches_timer, diagram, element, message, multi, sub, timer
from tests.engine.process.office import Office, form, text

#: Everything that says what a case is.
TABLES = (Instance, Task, Timer, Party, History)


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


def moves(office: Office, before: int, after: int, **chosen: str) -> int:
    """Petra plans the migration, Paul starts it, a worker carries it out; returns its id."""
    migration = plan_migration(
        office.store, actor=office["petra"], from_id=before, to_id=after, chosen=chosen, reason="按新规定办理"
    )
    start_migration(office.store, migration, actor=office["paul"])
    move_waiting(office.store)
    return migration


def stayed(office: Office, migration: int) -> dict[int, str | None]:
    """Case → why it stayed."""
    with office.store.read() as session:
        return {line.instance_id: line.reason for line in items(session, office["petra"], migration, state="stayed").lines}


def entry(office: Office, case: int) -> dict[str, Any]:
    """What the record of the case says of its last move to another version."""
    with office.store.read() as session:
        return dict(session.scalars(
            select(History.data).where(History.instance_id == case, History.act == "migrated").order_by(History.seq.desc())
        ).first() or {})  # fmt: skip


def rows(office: Office, *cases: int) -> list[Any]:
    """Every column of every row of some cases."""
    found: list[Any] = []
    with office.store.read() as session:
        for table in TABLES:
            key = Instance.id if table is Instance else table.instance_id  # type: ignore[attr-defined]
            columns = list(table.__table__.columns)
            found += session.execute(select(*columns).where(key.in_(cases)).order_by(*table.__table__.primary_key.columns)).all()
    return found


def due(office: Office, step: str) -> date | None:
    return office.task(step).due_day


WORK = {"unit": "'B'", "post": "handler"}


def reply(days: object, *more: object, step: str = "reply", name: str = "答复") -> tuple[object, ...]:
    """A reply within a number of working days: a deadline on the edge of the task, and a reminder before it."""
    return (
        f"start > user:{step} > user:file > end", element(step, name=name, **WORK), element("file", name="归档", **WORK),
        timer(step, "late", role="deadline", workingDays=days, article="第十五条"),
        timer(step, "soon", role="reminder", beforeDeadline=2), *more,
    )  # fmt: skip


# -- clocks -----------------------------------------------------------------------------------


def test_ten_days_become_five_counted_from_the_same_start(office: Office) -> None:
    before = office.deploy(*reply(10))
    case = office.start()
    assert due(office, "reply") == date(2026, 3, 2)  # the Spring Festival lies between
    after = office.deploy(*reply(5), at="2026-02-01")
    office.clock.to("2026-02-11 10:00")
    moves(office, before, after)
    assert office.instance(case).definition_id == after
    assert due(office, "reply") == date(2026, 2, 24)
    [deadline] = office.timers(role="deadline")
    assert deadline.started_at == shanghai("2026-02-10 09:00") and deadline.rule["working_days"] == 5
    said = entry(office, case)
    assert (said["from_version"], said["to_version"]) == (1, 2)
    assert said["planned_by"] == "Petra" and said["approved_by"] == "Paul" and said["reason"] == "按新规定办理"
    [moved] = said["deadlines"]
    assert (moved["from"], moved["to"]) == (shanghai("2026-03-03").isoformat(), shanghai("2026-02-25").isoformat())
    assert verify(office.store).ok
    office.complete("dora", "reply")
    office.complete("dora", "file")
    assert office.instance(case).state == "completed"


def test_what_is_overdue_under_the_new_version_fires_afterwards_as_of_when_it_was_due(office: Office) -> None:
    before = office.deploy(*reply(10))
    office.start()
    after = office.deploy(*reply(5), at="2026-02-01")
    office.clock.to("2026-02-26 09:00")
    moves(office, before, after)
    assert [one.state for one in office.timers(role="deadline")] == ["waiting"]
    office.sweep()
    [deadline] = office.timers(role="deadline")
    assert deadline.state == "fired" and deadline.due_at == shanghai("2026-02-25")
    with office.store.read() as session:
        fired = session.scalars(select(History).where(History.act == "timer_fired").order_by(History.id.desc())).first()
    assert fired is not None and fired.at == shanghai("2026-02-25")


def test_a_version_that_says_the_same_changes_no_date_and_asks_no_expression_again(office: Office) -> None:
    """What an expression gave when the clock began holds, however the data have changed."""
    days = {"key": "days", "type": "integer", "label": "天数"}
    forms = {"s": form(days), "f": form(days)}
    before = office.deploy(*reply("days"), forms=forms, startForm="s")
    case = office.start(days=10)
    with office.store.work() as work:
        row = work.session.get_one(Instance, case)
        row.variables = {**row.variables, "days": 3}
    after = office.deploy(*reply("days"), element("file", article="第一条"), forms=forms, startForm="s", at="2026-02-01")
    before_it = due(office, "reply")
    moves(office, before, after)
    assert due(office, "reply") == before_it == date(2026, 3, 2)
    assert not {"deadlines", "timers"} & entry(office, case).keys()


def test_a_changed_expression_is_evaluated_with_the_data_of_the_case(office: Office) -> None:
    forms = {"s": form({"key": "days", "type": "integer", "label": "天数"})}
    before = office.deploy(*reply(10), forms=forms, startForm="s")
    office.start(days=3)
    moves(office, before, office.deploy(*reply("days + 2"), forms=forms, startForm="s", at="2026-02-01"))
    assert due(office, "reply") == date(2026, 2, 24)


SUPPLEMENT = (
    "start > sub:part > end", element("part", name="办理"),
    sub("part", "start > user:mend > user:review > end", element("review", name="审核", **WORK),
        element("mend", name="补正", unit="'A'", post="handler", clock="pause")),
)  # fmt: skip


def limited(days: int) -> tuple[object, ...]:
    return (*SUPPLEMENT, timer("part", "late", role="deadline", workingDays=days), timer("part", "soon", role="reminder", beforeDeadline=2))


def test_a_pause_that_is_over_is_kept(office: Office) -> None:
    before = office.deploy(*limited(10))
    office.start()
    office.clock.to("2026-02-12 10:00")
    office.complete("anna", "mend")
    [was] = office.timers(role="deadline")
    after = office.deploy(*limited(5), at="2026-02-01")
    moves(office, before, after)
    [clock] = office.timers(role="deadline")
    assert clock.id == was.id and clock.pauses == was.pauses != []
    assert clock.last_day == date(2026, 2, 26) and due(office, "review") == clock.last_day


def test_a_clock_that_stands_still_goes_on_standing_and_counts_by_the_new_rule_when_it_runs_again(office: Office) -> None:
    before = office.deploy(*limited(10))
    office.start()
    moves(office, before, office.deploy(*limited(5), at="2026-02-01"))
    [clock] = office.timers(role="deadline")
    assert clock.state == "paused" and clock.due_at is None and office.task("mend").paused
    office.clock.to("2026-02-12 10:00")
    office.complete("anna", "mend")
    assert due(office, "review") == date(2026, 2, 26)


@pytest.mark.parametrize("done", [True, False], ids=["over", "open"])
def test_a_deadline_that_is_added_counts_from_when_the_activity_began_and_knows_of_its_pauses(office: Office, done: bool) -> None:
    before = office.deploy(*SUPPLEMENT)
    office.start()
    office.clock.to("2026-02-12 10:00")
    if done:
        office.complete("anna", "mend")
    office.clock.to("2026-02-13 10:00")
    moves(office, before, office.deploy(*limited(5), at="2026-02-01"))
    [clock] = office.timers(role="deadline")
    assert clock.started_at == shanghai("2026-02-10 09:00")
    if not done:
        assert clock.state == "paused"
        office.complete("anna", "mend")
    assert due(office, "review") == (date(2026, 2, 26) if done else date(2026, 2, 27))


def test_a_deadline_that_was_added_to_a_task_counts_from_when_the_task_was_opened(office: Office) -> None:
    bare = ("start > user:reply > user:file > end", element("reply", name="答复", **WORK), element("file", name="归档", **WORK))
    before = office.deploy(*bare)
    case = office.start()
    office.clock.to("2026-02-12 10:00")
    moves(office, before, office.deploy(*reply(5), at="2026-02-01"))
    assert due(office, "reply") == date(2026, 2, 24)
    assert {(fact["what"], fact["role"]) for fact in entry(office, case)["timers"]} == {("added", "deadline"), ("added", "reminder")}


def test_a_deadline_that_is_gone_is_cancelled_and_one_that_had_passed_colours_nothing_any_more(office: Office) -> None:
    bare = ("start > user:reply > user:file > end", element("reply", name="答复", **WORK), element("file", name="归档", **WORK))
    before = office.deploy(*reply(5))
    late = office.start()
    office.sweep("2026-02-25 09:00")
    fresh = office.start()
    after = office.deploy(*bare, at="2026-02-01")
    moves(office, before, after)
    with office.store.read() as session:
        states = {
            case: sorted(session.scalars(select(Timer.state).where(Timer.instance_id == case))) for case in (late, fresh)
        }
        lights = [line.light for line in inbox(session, office["dora"], "posts").lines]
    assert states == {late: ["past", "past"], fresh: ["cancelled", "cancelled"]}
    assert lights == ["none", "none"]
    office.sweep("2026-06-01")
    assert office.open_steps() == ["reply", "reply"]


def test_days_that_were_added_stay_added(office: Office) -> None:
    def extended(days: int) -> tuple[object, ...]:
        return (
            "start > sub:part > end", element("part", name="办理"),
            sub("part", "start > user:ask > service:more > user:review > end", element("ask", **WORK), element("review", **WORK),
                element("more", operation="cases.extend", in_activity="'part'", in_days="3")),
            timer("part", "late", role="deadline", workingDays=days), timer("part", "soon", role="reminder", beforeDeadline=1))

    before = office.deploy(*extended(10))
    case = office.start()
    office.complete("dora", "ask")
    assert due(office, "review") == date(2026, 3, 5)
    moves(office, before, office.deploy(*extended(5), at="2026-02-01"))
    assert due(office, "review") == date(2026, 2, 27)
    assert [fact["extended"] for fact in entry(office, case)["timers"]] == [3]


FRAME = {"limitReminder": "2", "limitEscalation": "3"}


def short(limit: int | None, **more: object) -> tuple[object, ...]:
    limits = {} if limit is None else {"limit": limit}
    return ("start > user:reply > end", element("reply", name="答复", **WORK, **limits, **more))


def test_the_short_form_of_a_limit_follows_as_well(office: Office) -> None:
    before = office.deploy(*short(10), **FRAME)
    office.start()
    kept = {timer.role: timer.id for timer in office.timers()}
    after = office.deploy(*short(5), at="2026-02-01", **FRAME)
    fresh = office.start()
    moves(office, before, after)
    assert due(office, "reply") == date(2026, 2, 24)
    assert {timer.role: timer.id for timer in office.timers() if timer.instance_id != fresh} == kept
    dates = [[timer.due_at for timer in office.timers(role=role)] for role in kept]
    assert len(kept) == 3 and all(moved == counted for moved, counted in dates), "as if it had been so from the start"


def test_a_limit_comes_and_goes_with_the_version(office: Office) -> None:
    before = office.deploy(*short(None))
    office.start()
    middle = office.deploy(*short(5), at="2026-02-01", **FRAME)
    office.clock.to("2026-02-11 10:00")
    moves(office, before, middle)
    assert due(office, "reply") == date(2026, 2, 24)
    moves(office, middle, office.deploy(*short(None), at="2026-02-02"))
    assert due(office, "reply") is None
    assert {timer.state for timer in office.timers()} == {"cancelled"}


def test_a_part_of_the_frame_that_has_rung_does_not_ring_again(office: Office) -> None:
    before = office.deploy(*short(10), **FRAME)
    office.start()
    office.sweep("2026-02-27 09:00")
    assert {timer.role for timer in office.timers(state="fired")} == {"reminder"}
    moves(office, before, office.deploy(*short(9), at="2026-02-01", **FRAME))
    assert len(office.timers(role="reminder")) == 1
    assert due(office, "reply") == date(2026, 2, 28)


def test_a_frame_of_which_a_part_has_had_its_time_is_left_alone_by_a_version_that_says_the_same(office: Office) -> None:
    """A limit of two days has no reminder two days before: it was passed over, and is not begun anew."""
    before = office.deploy(*short(2), **FRAME)
    case = office.start()
    was = {timer.id: (timer.state, timer.due_at) for timer in office.timers()}
    moves(office, before, office.deploy(*short(2), element("reply", form="f"), forms={"f": form(text("x"))}, at="2026-02-01", **FRAME))
    assert {timer.id: (timer.state, timer.due_at) for timer in office.timers()} == was
    assert "timers" not in entry(office, case)


# -- tasks ------------------------------------------------------------------------------------

PLAIN = ("start > user:reply > user:file > end", element("reply", name="答复", **WORK), element("file", name="归档", **WORK))


def test_an_open_task_stays_the_same_row_and_says_what_the_new_version_says(office: Office) -> None:
    before = office.deploy(*PLAIN)
    office.start()
    office.claim("dora", "reply")
    row = office.task("reply")
    after = office.deploy(
        "start > user:answer > user:file > end", element("answer", name="作出答复", form="f", **WORK), element("file", **WORK),
        forms={"f": form(text("x", required=True))}, at="2026-02-01")
    moves(office, before, after, reply="answer")
    now = office.task("answer")
    assert (now.id, now.assignee_id, now.name) == (row.id, office["dora"].account_id, "作出答复")
    with pytest.raises(Invalid):
        office.complete("dora", "answer")
    office.complete("dora", "answer", x="好")
    assert office.open_steps() == ["file"]


def test_a_claim_is_released_where_the_new_version_gives_the_task_to_another_post(office: Office) -> None:
    before = office.deploy(*PLAIN)
    case = office.start()
    office.claim("dora", "reply")
    after = office.deploy("start > user:reply > user:file > end", element("reply", name="答复", unit="'B'", post="head"),
                          element("file", name="归档", **WORK), at="2026-02-01")
    moves(office, before, after)
    task = office.task("reply")
    assert (task.post, task.assignee_id) == ("head", None)
    assert [fact["released"] for fact in entry(office, case)["reassigned"]] == ["Dora"]
    with pytest.raises(NotAllowed):
        office.complete("dora", "reply")
    office.complete("fritz", "reply")
    with office.store.read() as session:
        assert case_sheet(session, office["fritz"], case).instance_id == case, "who got the task sees the case"


def test_what_was_done_is_still_shown_as_it_was_done(office: Office) -> None:
    first = ("start > user:ask > user:reply > end", element("ask", name="询问", form="f", **WORK), element("reply", **WORK))
    before = office.deploy(*first, forms={"f": form(text("question", required=True))})
    case = office.start()
    asked = office.task("ask").id
    office.complete("dora", "ask", question="为何")
    after = office.deploy("start > user:reply > end", element("reply", **WORK), at="2026-02-01")
    moves(office, before, after)
    with office.store.read() as session:
        sheet = case_sheet(session, office["dora"], case)
        assert task_sheet(session, office["dora"], asked).task.name == "询问"
    [done] = sheet.done_tasks
    assert [(fact.label, fact.value) for fact in done.facts] == [("question", "为何")]
    assert "迁移：由第1版改按第2版办理" in [line.title for line in sheet.timeline]


def test_answers_of_a_step_are_found_under_its_new_name(office: Office) -> None:
    def drawn(step: str) -> tuple[object, ...]:
        return (
            f"start > user:{step} > user:wait > service:collect > user:read > end", element(step, form="f", **WORK), element("wait", **WORK),
            element("read", **WORK), element("collect", operation="cases.answers", in_step=f"'{step}'", out="found"))

    forms = {"f": form(text("said", required=True))}
    before = office.deploy(*drawn("ask"), forms=forms)
    case = office.start()
    office.complete("dora", "ask", said="同意")
    moves(office, before, office.deploy(*drawn("inquire"), forms=forms, at="2026-02-01"), ask="inquire")
    office.complete("dora", "wait")
    assert [answer["said"] for answer in office.instance(case).variables["found"]] == ["同意"]


# -- branches, children, items ----------------------------------------------------------------


def both(*more: object) -> tuple[object, ...]:
    return (
        "start > and:fork > user:a > and:join > user:c > end", "fork > user:b > join", *more,
        *(element(step, name=f"环节{step}", **WORK) for step in "abc"),
    )  # fmt: skip


def test_parallel_branches_go_on_and_a_branch_that_never_began_keeps_the_case(office: Office) -> None:
    before = office.deploy(*both())
    inside, through = office.start(), office.start()
    office.complete("dora", "a")
    with office.store.read() as session:
        tasks = session.scalars(select(Task).where(Task.instance_id == through, Task.state == "open")).all()
    for task in tasks:
        complete_task(office.store, task.id, actor=office["dora"], answers={})
    wider = office.deploy(*both("fork > user:d > join", element("d", name="环节d", **WORK)), at="2026-02-01")
    was = rows(office, inside)
    migration = moves(office, before, wider)
    assert stayed(office, migration) == {inside: "新版本在此处还要并行办理“环节d”，该办件没有走过这一分支，汇合处会一直等待"}
    assert rows(office, inside) == was
    assert office.instance(through).definition_id == wider
    office.complete("dora", "b")
    office.complete("dora", "c")
    office.complete("dora", "c")
    assert {office.instance(case).state for case in (inside, through)} == {"completed"}


def test_a_running_child_returns_to_its_parent_in_the_new_version(office: Office) -> None:
    office.deploy("start > user:think > end:good", element("think", **WORK), key="opinion")
    before = office.deploy("start > call:ask > end", call("ask", "opinion"))
    case = office.start()
    [child] = office.instances("opinion")
    after = office.deploy("start > call:inquire > user:read > end", call("inquire", "opinion", out_said="outcome"), element("read", **WORK),
                          at="2026-02-01")
    moves(office, before, after, ask="inquire")
    assert [one.id for one in office.instances("opinion")] == [child.id], "no second child is started"
    office.complete("dora", "think")
    assert office.open_steps(case) == ["read"] and office.instance(case).variables["said"] == "good"


def test_items_keep_their_tasks(office: Office) -> None:
    def drawn(step: str) -> tuple[object, ...]:
        return (f"start > user:{step} > user:read > end", multi(step, over='["A", "B"]', item="who", into="all", result="said"),
                element(step, unit="who", post="handler", form="f"), element("read", **WORK))

    forms = {"f": form(text("said", required=True))}
    before = office.deploy(*drawn("ask"), forms=forms)
    case = office.start()
    office.complete("anna", "ask", said="是")
    left = office.task("ask")
    moves(office, before, office.deploy(*drawn("inquire"), forms=forms, at="2026-02-01"), ask="inquire")
    assert office.task("inquire").id == left.id and office.task("inquire").unit_id == office.units["B"]
    office.complete("dora", "inquire", said="否")
    assert office.instance(case).variables["all"] == ["是", "否"]


def test_a_supervision_that_a_missed_deadline_started_is_closed_when_the_activity_is_left_later(office: Office) -> None:
    office.deploy("start > user:watch > end", "closed > end:closed_end", element("watch", unit="'O'", post="supervisor"),
                  message("watch", "closed", "source_closed"), key="watching")
    before = office.deploy(*short(5), limitSupervision="watching", **FRAME)
    office.start()
    office.sweep("2026-02-25 09:00")
    after = office.deploy("start > user:answer > end", element("answer", name="答复", limit=10, **WORK), at="2026-02-01",
                          limitSupervision="watching", **FRAME)
    moves(office, before, after)
    assert office.open_steps() == ["answer", "watch"]
    office.complete("dora", "answer")
    assert office.open_steps() == []


def test_a_waiting_timer_keeps_its_beginning(office: Office) -> None:
    def drawn(hours: int) -> tuple[object, ...]:
        return ("start > catch:rest > user:read > end", catches_timer("rest", duration=f"PT{hours}H"), element("read", **WORK))

    before = office.deploy(*drawn(48))
    office.start()
    office.clock.to("2026-02-10 12:00")
    moves(office, before, office.deploy(*drawn(24), at="2026-02-01"))
    [rest] = office.timers()
    assert rest.due_at == shanghai("2026-02-11 09:00")
    assert office.sweep("2026-02-11 09:01") == 1 and office.open_steps() == ["read"]


# -- what cannot move -------------------------------------------------------------------------


def test_what_cannot_move_stays_exactly_as_it_was_with_the_reason(office: Office) -> None:
    before = office.deploy(*PLAIN)
    gone, moved = office.start(), office.start()
    office.complete("dora", "reply")
    office.claim("dora", "file")
    was = rows(office, gone, moved)
    nobody = office.deploy("start > user:reply > end", element("reply", name="答复", unit="'Z'", post="handler"), at="2026-02-01")
    migration = moves(office, before, nobody)
    reasons = stayed(office, migration)
    assert "“归档”" in str(reasons[gone]) and "承办单位“Z”不存在" in str(reasons[moved])
    assert rows(office, gone, moved) == was
    with office.store.read() as session:
        line = migration_sheet(session, office["petra"], migration).line
    assert (line.state, line.total, line.moved, line.stayed) == ("done", 2, 0, 2)


def test_a_case_that_ended_or_moved_meanwhile_is_left_alone(office: Office) -> None:
    before = office.deploy(*short(None))
    office.start()
    after = office.deploy(*short(5), at="2026-02-01")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    start_migration(office.store, migration, actor=office["paul"])
    office.complete("dora", "reply")
    move_waiting(office.store)
    assert list(stayed(office, migration).values()) == ["办件已办结，无需迁移"]


def test_a_diagram_whose_timer_failed_is_mended_by_moving_the_case(office: Office) -> None:
    def drawn(then: str) -> tuple[object, ...]:
        return ("start > user:reply > end", f"ring > script:note > user:{then} > end:rung", timer("reply", "ring", duration="PT1H"),
                element("reply", **WORK), element(then, unit="'B'" if then == "good" else "'Z'", post="handler"),
                element("note", body="<bpmn:script>x = 1</bpmn:script>"))

    before = office.deploy(*drawn("bad"))
    case = office.start()
    office.sweep("2026-02-10 11:00")
    assert len(office.incidents()) == 1
    moves(office, before, office.deploy(*drawn("good"), at="2026-02-01"))
    office.sweep("2026-02-10 12:00")
    assert office.open_steps(case) == ["good", "reply"] and office.incidents() == []


# -- who may, and how it goes -----------------------------------------------------------------


def test_one_plans_and_another_starts(office: Office) -> None:
    before, after = office.deploy(*reply(10)), office.deploy(*reply(5), at="2026-02-12")
    office.start()
    for who in ("anna", "paul", "otto"):
        with pytest.raises(NotAllowed):
            plan_migration(office.store, actor=office[who], from_id=before, to_id=after, reason="r")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    assert move_waiting(office.store) == 0, "nothing moves before somebody has started it"
    for who in ("petra", "anna", "otto"):
        with pytest.raises(NotAllowed):
            start_migration(office.store, migration, actor=office[who])
    with pytest.raises(Invalid) as early:
        start_migration(office.store, migration, actor=office["paul"])
    assert "尚未生效" in early.value.fields["to"]
    office.clock.to("2026-02-12 09:00")
    start_migration(office.store, migration, actor=office["paul"])
    with pytest.raises(Stale):
        start_migration(office.store, migration, actor=office["paul"])
    with pytest.raises(NotFound):
        start_migration(office.store, 999, actor=office["paul"])


def test_the_author_cannot_start_it_with_a_second_post(office: Office, store: Store) -> None:
    before = office.deploy(*reply(10))
    office.start()
    after = office.deploy(*reply(5), at="2026-02-01")
    both_posts = Actor(office["petra"].account_id, "petra", "Petra", office.units["O"], "O", "单位O",
                       frozenset({(office.units["O"], "process_admin"), (office.units["O"], "process_approver")}))
    migration = plan_migration(store, actor=both_posts, from_id=before, to_id=after, reason="r")
    with pytest.raises(NotAllowed, match="另一人"):
        start_migration(store, migration, actor=both_posts)


def test_what_is_wrong_with_a_request_is_said_and_nothing_is_stored(office: Office) -> None:
    before, after = office.deploy(*PLAIN), office.deploy(*reply(5), at="2026-02-11")
    other = office.deploy("start > user:a > end", element("a", **WORK), key="other")

    def refuse(error: type[Exception], match: str, **changed: Any) -> None:
        given: dict[str, Any] = {"from_id": before, "to_id": after, "reason": "r", **changed}
        with pytest.raises(error, match=match):
            plan_migration(office.store, actor=office["petra"], **given)

    def fields(match: str, **changed: Any) -> None:
        given: dict[str, Any] = {"from_id": before, "to_id": after, "reason": "r", **changed}
        with pytest.raises(Invalid) as refusal:
            plan_migration(office.store, actor=office["petra"], **given)
        assert match in "".join(refusal.value.fields.values())

    fields("没有正在办理的办件")
    office.start()
    fields("请填写迁移理由", reason="  ")
    fields("同一流程", to_id=other)
    fields("不同的版本", to_id=before)
    refuse(NotFound, "没有找到", to_id=999)
    fields("没有编号为", chosen={"reply": "nowhere"})
    fields("没有可以停留的环节", chosen={"nowhere": "reply"})
    fields("不是同一类环节", chosen={"reply": "late"})
    assert plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    fields("已有未完成的迁移")
    with office.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Migration)) == 1
    assert issubclass(PlanUnfit, Invalid)


def test_a_migration_may_be_withdrawn_before_it_is_started(office: Office) -> None:
    before = office.deploy(*reply(10))
    case = office.start()
    after = office.deploy(*reply(5), at="2026-02-01")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    with pytest.raises(NotAllowed):
        withdraw_migration(office.store, migration, actor=office["anna"])
    withdraw_migration(office.store, migration, actor=office["petra"])
    with pytest.raises(Stale):
        start_migration(office.store, migration, actor=office["paul"])
    move_waiting(office.store)
    assert office.instance(case).definition_id == before


def test_cases_that_come_before_the_start_are_taken_along(office: Office) -> None:
    before = office.deploy(*reply(10))
    after = office.deploy(*reply(5), at="2026-02-11")
    first = office.start()
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    second = office.start()
    office.clock.to("2026-02-11 09:00")
    start_migration(office.store, migration, actor=office["paul"])
    assert move_waiting(office.store) == 2
    assert {office.instance(case).definition_id for case in (first, second)} == {after}


def test_the_numbers_are_right_all_the_way(office: Office) -> None:
    before = office.deploy(*reply(10))
    for _ in range(5):
        office.start()
    after = office.deploy(*reply(5), at="2026-02-01")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    start_migration(office.store, migration, actor=office["paul"])

    def progress() -> tuple[str, int, int, int]:
        with office.store.read() as session:
            line = migration_sheet(session, office["paul"], migration).line
            assert migrations(session, office["paul"]).lines == [line]
        return line.state, line.total, line.moved, line.stayed

    assert progress() == ("running", 5, 0, 0)
    assert move_waiting(office.store, most=2) == 2
    assert progress() == ("running", 5, 2, 0)
    assert move_waiting(office.store) == 3
    assert progress() == ("done", 5, 5, 0)
    assert move_waiting(office.store) == 0
    with office.store.read() as session:
        acts = session.scalars(select(History.act).where(History.stream == "definition:test").order_by(History.id)).all()
        waiting = session.scalar(select(func.count()).select_from(MigrationItem).where(MigrationItem.state == "waiting"))
    assert acts[-3:] == ["migration_planned", "migration_started", "migration_done"] and waiting == 0


# -- plan and preview -------------------------------------------------------------------------


def test_the_plan_says_how_sure_it_is_what_fits_and_where_cases_stand(office: Office) -> None:
    before = office.deploy(*reply(10))
    office.start()
    after = office.deploy("start > user:answer > user:file > end", element("answer", name="作出答复", **WORK), element("file", **WORK),
                          at="2026-02-01")
    with office.store.read() as session:
        plan = propose_plan(session, office["petra"], before, after)
        lines = {line.element: line for line in plan.lines}
        assert (lines["file"].image, lines["file"].sure) == ("file", True)
        assert lines["reply"].image == "answer" and not lines["reply"].sure and lines["reply"].cases == 1
        assert [choice.element for choice in lines["reply"].choices] == ["answer", "file"]
        assert lines["late"].image is None and lines["late"].choices == ()
        assert plan.running == 1 and plan.errors == []
        assert any("将取消" in finding.message for finding in plan.findings)
        left = plan_of(session, office["petra"], before, after, {"reply": ""})
        assert any("停在“答复”的办件将保持原版本" in finding.message for finding in left.findings)
        wrong = plan_of(session, office["petra"], before, after, {"reply": "late"})
        assert wrong.errors
        with pytest.raises(NotAllowed):
            propose_plan(session, office["anna"], before, after)
        assert [[line.running for line in one.versions] for one in processes(session, office["paul"])] == [[0, 1]]


def test_the_preview_says_what_the_move_will_do_and_writes_nothing(office: Office) -> None:
    before = office.deploy(*reply(10))
    stays, goes = office.start(), office.start()
    office.complete("dora", "reply")
    office.claim("emil", "reply")
    after = office.deploy(*reply(5)[:1], *reply(5)[1:2], element("file", name="存档", unit="'Z'", post="handler"), *reply(5)[3:], at="2026-02-01")
    office.clock.to("2026-02-26 09:00")
    was = rows(office, stays, goes)
    found = preview(office.store, actor=office["petra"], from_id=before, to_id=after)
    assert rows(office, stays, goes) == was
    first, second = found.lines
    assert first.stays is not None and "承办单位“Z”不存在" in first.stays
    assert [task.name for task in first.open_tasks] == ["归档"]
    [task] = second.tasks
    assert task.before.due_day == date(2026, 3, 2) and task.after.due_day == date(2026, 2, 24) and not task.released
    [move] = second.deadlines
    assert (move.from_day, move.to_day, move.overdue) == (date(2026, 3, 2), date(2026, 2, 24), True)
    assert move.why == "由10个工作日改为5个工作日，起算日和暂停不变"
    moves(office, before, after)
    assert due(office, "reply") == task.after.due_day


def test_the_preview_is_read_page_by_page(office: Office) -> None:
    before, after = office.deploy(*short(10)), office.deploy(*short(5), at="2026-02-11")
    cases = [office.start() for _ in range(3)]
    with pytest.raises(NotAllowed):
        preview(office.store, actor=office["anna"], from_id=before, to_id=after)
    first = preview(office.store, actor=office["paul"], from_id=before, to_id=after, limit=2)
    rest = preview(office.store, actor=office["paul"], from_id=before, to_id=after, limit=2, after=first.next)
    assert [line.instance_id for line in (*first.lines, *rest.lines)] == cases and rest.next is None


def test_a_package_of_another_rule_set_is_just_another_version(office: Office) -> None:
    before = office.deploy(*reply(10))
    case = office.start()
    with office.store.work() as work:
        package = Package("other_rules", diagram(*reply(5), key="test", startPosts="handler"), {})
        after = deploy_in(work, package, by="petra", approved_by="paul", reason="r", effective_at=shanghai("2026-02-01"))
    moves(office, before, after)
    assert office.instance(case).definition_id == after
