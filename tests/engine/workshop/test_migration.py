"""Migrations of running cases: who may, what is refused, the numbers, the plan and the preview."""

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
from engine.process.workshop.migrating.commands import PlanUnfit, plan_migration, rest_migration, start_migration, stop_migration, withdraw_migration
from engine.process.workshop.migrating.plan import plan_of, propose_plan
from engine.process.workshop.migrating.preview import preview
from engine.process.workshop.migrating.running import move_waiting
from engine.process.workshop.migrating.sheets import items, migration_sheet, migrations, processes
from engine.process.workshop.tables import Migration, MigrationItem
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Store
from tests.engine.interpreter.diagrams import diagram, element, message
from tests.engine.process.office import Office
from tests.engine.workshop.migrating import PLAIN, WORK, due, moves, reply, rows, short, stayed


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


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


def test_a_migration_that_is_stopped_leaves_the_rest_as_it_was(office: Office) -> None:
    before = office.deploy(*reply(10))
    cases = [office.start() for _ in range(3)]
    after = office.deploy(*reply(5), at="2026-02-01")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    with pytest.raises(Stale):
        stop_migration(office.store, migration, actor=office["petra"])
    start_migration(office.store, migration, actor=office["paul"])
    assert move_waiting(office.store, most=1) == 1
    with pytest.raises(NotAllowed):
        stop_migration(office.store, migration, actor=office["anna"])
    stop_migration(office.store, migration, actor=office["petra"])
    assert move_waiting(office.store) == 0
    assert [office.instance(case).definition_id for case in cases] == [after, before, before]
    with office.store.read() as session:
        sheet = migration_sheet(session, office["petra"], migration)
        assert (sheet.line.state_name, sheet.line.total, sheet.line.moved, sheet.line.stayed) == ("已停止", 3, 1, 2)
        assert [line.reason for line in items(session, office["petra"], migration).lines if line.state == "stayed"] == ["迁移已由Petra停止"] * 2
    with pytest.raises(Stale):
        stop_migration(office.store, migration, actor=office["petra"])
    # The rest can be moved by another one.
    again = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    start_migration(office.store, again, actor=office["paul"])
    assert move_waiting(office.store) == 2


def test_a_migration_rests_and_goes_on(office: Office) -> None:
    before = office.deploy(*reply(10))
    cases = [office.start() for _ in range(3)]
    after = office.deploy(*reply(5), at="2026-02-01")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    for resting, who, refusal in ((True, "petra", Stale), (False, "paul", Stale), (True, "anna", NotAllowed)):
        with pytest.raises(refusal):
            rest_migration(office.store, migration, resting=resting, actor=office[who])
    start_migration(office.store, migration, actor=office["paul"])
    assert move_waiting(office.store, most=1) == 1
    rest_migration(office.store, migration, resting=True, actor=office["petra"])
    rest_migration(office.store, migration, resting=True, actor=office["paul"])
    assert move_waiting(office.store) == 0 and [office.instance(case).definition_id for case in cases] == [after, before, before]
    with office.store.read() as session:
        sheet = migration_sheet(session, office["petra"], migration)
    assert (sheet.line.state_name, sheet.line.moved, sheet.waiting, sheet.may_stop) == ("已暂停", 1, 2, True)
    with pytest.raises(Invalid):
        plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="另一个")
    rest_migration(office.store, migration, resting=False, actor=office["petra"])
    assert move_waiting(office.store, most=1) == 1
    rest_migration(office.store, migration, resting=True, actor=office["paul"])
    stop_migration(office.store, migration, actor=office["paul"])
    assert [office.instance(case).definition_id for case in cases] == [after, after, before]
    with pytest.raises(Stale):
        rest_migration(office.store, migration, resting=False, actor=office["paul"])
    assert verify(office.store).ok


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
