"""迁移: the pages on which one person plans, sees each case beforehand, and a second one starts it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from engine.process.definitions import deploy, in_force
from engine.process.package import Package
from engine.process.tables import Definition, Instance, Task
from engine.process.workshop.migrating.running import move_waiting
from engine.process.workshop.tables import Migration, MigrationItem
from engine.store.clock import MovableClock
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of
from tests.web.test_speed import counted

Desks = Callable[[str], Desk]

KEY = "conditional_share"


def shortened(cast: Cast) -> tuple[int, int]:
    """A second version in which the reply is due in half the time; both versions' ids."""
    with cast.store.read() as session:
        now = in_force(session, KEY, cast.store.clock.now())
    xml, old = now.diagram.xml.decode(), 'sharing:role="deadline" sharing:workingDays="10"'
    assert xml.count(old) == 1
    package = Package(now.rule_set, xml.replace(old, old.replace("10", "5")).encode(), now.forms, now.documents)
    made = deploy(cast.store, package, actor=cast.actor("editor"), approved_by=cast.actor("approver"), reason="缩短答复时限")
    return now.id, made


def with_the_provider(desk: Desks) -> int:
    """A request that the provider is to answer."""
    case = desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    return case


def version_of(cast: Cast, case: int) -> int:
    with cast.store.read() as session:
        return session.get_one(Instance, case).definition_id


def planned(desk: Desks, before: int, after: int) -> str:
    """The editor plans a migration as proposed; its address."""
    editor = desk("editor")
    editor.get(f"/migrations/new?from={before}&to={after}")
    answer = editor.post("/migrations", {"from": before, "to": after, "reason": "按新规定缩短答复时限"})
    assert answer.status_code == 303, text_of(answer)
    return str(answer.location)


def test_one_plans_sees_the_cases_and_a_second_person_starts(desk: Desks, cast: Cast) -> None:
    case = with_the_provider(desk)
    before, after = shortened(cast)
    editor = desk("editor")
    chosen = text_of(editor.get("/migrations/new"))
    assert f'name="from" value="{before}"' in chosen and "第2版" in chosen
    plan = text_of(editor.get(f"/migrations/new?from={before}&to={after}"))
    assert "第1版 → 第2版" in plan and "确定" in plan and "正在办理 1 件" in plan
    seen = text_of(editor.post("/migrations/new/preview", {"from": before, "to": after}, headers={"HX-Request": "true"}))
    assert "由10个工作日改为5个工作日" in seen and "2026-03-02（周一）" in seen and "2026-02-24（周二）" in seen
    assert version_of(cast, case) == before, "a look changes nothing"
    address = planned(desk, before, after)
    assert "等待另一人" in text_of(editor.get(address)) and "启动迁移" not in text_of(editor.get(address))
    assert editor.post(f"{address}/start").status_code == 403
    approver = desk("approver")
    page = text_of(approver.get(address))
    assert "启动迁移" in page and "按新规定缩短答复时限" in page
    assert "由10个工作日改为5个工作日" in text_of(approver.get(f"{address}/preview"))
    assert approver.post(f"{address}/start").status_code == 303
    running = text_of(approver.get(address))
    assert 'hx-trigger="every 2s"' in running and "等待 1 件" in running
    move_waiting(cast.store)
    done = text_of(approver.get(f"{address}/progress", headers={"HX-Request": "true"}))
    assert "已完成" in done and "已迁移 1 件" in done and "hx-trigger" not in done, "a page that is through asks no more"
    assert version_of(cast, case) == after
    record = text_of(desk("provider").get(f"/cases/{case}"))
    assert "迁移：由第1版改按第2版办理" in record and "由2026年3月2日24时调整为2026年2月24日24时" in record
    assert "第1版 → 第2版" in text_of(editor.get("/migrations"))


def test_what_stays_is_listed_with_its_reason_and_exported(desk: Desks, cast: Cast) -> None:
    case = with_the_provider(desk)
    before, after = shortened(cast)
    with cast.store.read() as session:
        step = session.scalars(select(Task.step).where(Task.instance_id == case, Task.state == "open")).one()
        number = session.get_one(Instance, case).number
    editor = desk("editor")
    editor.get(f"/migrations/new?from={before}&to={after}")
    answer = editor.post("/migrations", {"from": before, "to": after, "reason": "试", f"step.{step}": ""})
    assert answer.status_code == 303, text_of(answer)
    approver = desk("approver")
    approver.get(answer.location)
    approver.post(f"{answer.location}/start")
    move_waiting(cast.store)
    page = text_of(approver.get(f"{answer.location}?state=stayed"))
    assert number in page and "没有为它指定新版本中的环节" in page
    assert number not in text_of(approver.get(f"{answer.location}?state=moved"))
    with cast.store.work() as work:
        work.session.scalars(select(MigrationItem)).one().reason = "=1+1"
    table = approver.get(f"{answer.location}/cases.csv")
    rows = list(csv.reader(io.StringIO(table.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0][:3] == ["办件编号", "状态", "保持原版本的原因"] and rows[1][:3] == [number, "保持原版本", "'=1+1"]


def test_a_plan_with_faults_comes_back_as_it_was_filled_in(desk: Desks, cast: Cast) -> None:
    with_the_provider(desk)
    before, after = shortened(cast)
    editor = desk("editor")
    editor.get(f"/migrations/new?from={before}&to={after}")
    empty = editor.post("/migrations", {"from": before, "to": after, "reason": " ", "step.Task_Intake": "Task_Reply"})
    page = text_of(empty)
    assert empty.status_code == 422 and "请填写迁移理由" in page
    assert '<option value="Task_Reply" selected>' in page, "what was chosen is not lost"
    unfit = editor.post("/migrations", {"from": before, "to": after, "reason": "理由写好了", "step.Task_Intake": "nowhere"})
    assert unfit.status_code == 422 and "没有编号为“nowhere”的环节" in text_of(unfit) and "理由写好了" in text_of(unfit)
    preview = editor.post("/migrations/new/preview", {"from": before, "to": after, "step.Task_Intake": "nowhere"}, headers={"HX-Request": "true"})
    assert "须改正" in text_of(preview)
    strange = editor.post("/migrations", {"from": before, "to": after, "reason": "r", "step.<b>": "x"})
    assert strange.status_code == 422 and "<b>" not in text_of(strange)
    with cast.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Migration)) == 0


def test_without_scripts_the_plan_page_shows_the_cases_after_a_check(desk: Desks, cast: Cast) -> None:
    with_the_provider(desk)
    before, after = shortened(cast)
    editor = desk("editor")
    editor.get(f"/migrations/new?from={before}&to={after}")
    assert "由10个工作日改为5个工作日" in text_of(editor.post("/migrations/new/preview", {"from": before, "to": after}))


@pytest.mark.parametrize("address", ["?from=x&to=1", "?from=1&to=", "?from=1&to=99999999999999999999999", "?from=%F0%9F%98%80&to=1", "?from=1&to=999"])
def test_an_address_that_names_no_version_finds_nothing(desk: Desks, address: str) -> None:
    assert desk("editor").get(f"/migrations/new{address}").status_code == 404


def test_pages_and_acts_are_for_those_who_edit_and_approve(desk: Desks, cast: Cast) -> None:
    with_the_provider(desk)
    before, after = shortened(cast)
    address = planned(desk, before, after)
    reading = ("/migrations", address, f"{address}/progress", f"{address}/items", f"{address}/preview", f"{address}/cases.csv")
    for who in ("asker", "office", "operator", "sysadmin", "auditor"):
        visitor = desk(who)
        assert [visitor.get(path).status_code for path in (*reading, "/migrations/new")] == [403] * 7, who
        for path in ("/migrations", "/migrations/new/preview", f"{address}/start", f"{address}/withdraw", f"{address}/stop"):
            assert visitor.post(path, {"from": before, "to": after, "reason": "r"}).status_code == 403, (who, path)
    approver = desk("approver")
    assert [approver.get(path).status_code for path in reading] == [200] * 6
    assert approver.get("/migrations/new").status_code == 403
    assert approver.get("/migrations/999").status_code == 404


def test_a_migration_is_withdrawn_by_its_author(desk: Desks, cast: Cast) -> None:
    with_the_provider(desk)
    address = planned(desk, *shortened(cast))
    editor = desk("editor")
    assert "撤回" in text_of(editor.get(address))
    assert editor.post(f"{address}/withdraw").status_code == 303
    assert "已撤回" in text_of(editor.get(address))
    approver = desk("approver")
    approver.get(address)
    assert approver.post(f"{address}/start").status_code == 409


def test_a_migration_is_stopped_while_it_runs(desk: Desks, cast: Cast) -> None:
    with_the_provider(desk)
    address = planned(desk, *shortened(cast))
    editor, approver = desk("editor"), desk("approver")
    assert editor.post(f"{address}/stop").status_code == 409
    assert "停止迁移" not in text_of(approver.get(address))
    approver.post(f"{address}/start")
    assert "停止迁移" in text_of(approver.get(address))
    assert approver.post(f"{address}/rest").status_code == 303 and editor.post(f"{address}/pause").status_code == 404
    resting = text_of(editor.get(address))
    assert "已暂停：其余办件保持原版本" in resting and "继续迁移" in resting and "暂停迁移" not in resting and "停止迁移" in resting
    assert editor.post(f"{address}/resume").status_code == 303 and "暂停迁移" in text_of(editor.get(address))
    assert approver.post(f"{address}/stop").status_code == 303
    assert "已停止：已迁移的按新版本继续办理" in text_of(editor.get(address))


def test_the_pages_cost_few_statements(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    for _ in range(3):
        desk("asker").ask()
    before, after = shortened(cast)
    address = planned(desk, before, after)
    approver, editor = desk("approver"), desk("editor")
    most = {"/migrations": 4, "/migrations/new": 5, f"/migrations/new?from={before}&to={after}": 5, address: 9, f"{address}/progress": 7}
    cost = {}
    for path in most:
        person = editor if "/new" in path else approver
        person.get(path)
        with counted(cast) as sent:
            assert person.get(path).status_code == 200
        cost[path] = len(sent)
    assert {path: found for path, found in cost.items() if found > most[path]} == {}, cost
    with cast.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Definition).where(Definition.key == KEY)) == 2
