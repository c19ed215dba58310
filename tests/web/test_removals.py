"""保管与销毁 on its pages: who sees it, what one proposes and another approves, and what is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.history_seal import seal, verify
from engine.process.instances import start_instance
from engine.process.removing.running import remove_waiting
from engine.process.tables import Instance, Task
from engine.process.tasks import complete_task
from engine.store.clock import MovableClock, shanghai
from tests.web.api.test_upkeep import deploys
from tests.web.cast import PEOPLE, Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


@pytest.fixture
def done(cast: Cast, clock: MovableClock) -> list[int]:
    """Three cases that are over, whose time has come, of a process that keeps them for ten days."""
    deploys(cast, "start > user:reply > end", key="brief", retention="10d", title="'征询意见'")
    made = [start_instance(cast.store, "brief", actor=cast.actor("asker"), answers={}) for _ in range(3)]
    for case in made:
        with cast.store.read() as session:
            task = session.scalars(select(Task.id).where(Task.instance_id == case)).one()
        complete_task(cast.store, task, actor=cast.actor("provider"), answers={})
    clock.to("2026-02-21 09:00")
    return made


def test_one_proposes_another_approves_and_the_list_is_what_is_left(
    desk: Desks, cast: Cast, clock: MovableClock, done: list[int], tmp_path: Path
) -> None:
    assert "<dt>保管期满</dt><dd>2026-02-21 00:00</dd>" in text_of(desk("asker").get(f"/cases/{done[0]}"))
    supervisor, head = desk("supervisor"), desk("office_head")
    shown = text_of(supervisor.get("/removals"))
    assert "提出销毁" in shown and '<span class="count">3</span>' in shown and "/removals/due?process=brief" in shown
    assert text_of(supervisor.get("/removals/due")).count("征询意见") >= 3
    assert text_of(supervisor.post("/removals", {"process": "brief", "reason": " "})).count("请填写鉴定意见") == 1
    kept = supervisor.post("/removals/keep", {"id": str(done[2]), "until": "2030-01-01"})
    assert kept.status_code == 303
    with cast.store.read() as session:
        assert session.get_one(Instance, done[2]).removal_at == shanghai("2030-01-02"), "the whole day counts"
    assert supervisor.post("/removals/keep", {"until": ""}).status_code == 422
    for day in ("9999-12-31", "2030-02-30", "x"):
        assert supervisor.post("/removals/keep", {"id": str(done[0]), "until": day}).status_code == 422, day
    assert "只能延长" in text_of(supervisor.post("/removals/keep", {"id": str(done[0]), "until": "2026-02-12"}))
    made = supervisor.post("/removals", {"process": "brief", "reason": "无查考价值"})
    assert (made.status_code, made.headers["Location"]) == (303, "/removals/1")
    page = text_of(supervisor.get("/removals/1"))
    assert "须由另一人审批" in page and "批准销毁" not in page and page.count(f"/cases/{done[0]}") == 1
    assert supervisor.post("/removals/1/approve").status_code == 403
    assert "办件销毁待审批" in text_of(head.get("/notices"))
    assert "批准销毁2件" in text_of(head.get("/removals/1"))
    assert "请填写不同意销毁的理由" in text_of(head.post("/removals/1/refuse", {"decision": ""}))
    assert head.post("/removals/1/approve", {"decision": "同意"}).status_code == 303
    assert head.post("/removals/1/approve", {"decision": "同意"}).status_code == 409
    assert 'hx-trigger="every 2s"' in text_of(head.get("/removals/1/progress"))
    while seal(cast.store):
        pass
    remove_waiting(cast.store, tmp_path)
    page = text_of(head.get("/removals/1"))
    assert "已销毁 2 件" in page and "征询意见" not in page and f"/cases/{done[0]}" not in page
    with cast.store.read() as session:
        numbers = list(session.scalars(select(Instance.number).where(Instance.id.in_(done[:2]))))
    listed = desk("auditor").get("/removals/1/list.csv")
    rows = listed.get_data(as_text=True).splitlines()
    assert len(rows) == 3 and all(number in listed.get_data(as_text=True) for number in numbers) and "已销毁,,2," in rows[1]
    gone = desk("asker").get(f"/cases/{done[0]}")
    assert gone.status_code == 410 and "销毁清册（第1号）" in text_of(gone)
    assert desk("office").get(f"/cases/{done[2]}").status_code == 200
    assert verify(cast.store).ok


def test_what_was_proposed_may_be_taken_back_refused_or_stopped(desk: Desks, cast: Cast, done: list[int], tmp_path: Path) -> None:
    supervisor, head = desk("supervisor"), desk("office_head")
    supervisor.get("/removals")
    head.get("/removals")
    supervisor.post("/removals", {"reason": "无查考价值"})
    assert supervisor.post("/removals/1/withdraw").status_code == 303
    supervisor.post("/removals", {"reason": "无查考价值"})
    assert head.post("/removals/2/refuse", {"decision": "仍有价值"}).status_code == 303
    supervisor.post("/removals", {"reason": "无查考价值"})
    head.post("/removals/3/approve")
    assert head.post("/removals/3/stop").status_code == 303
    assert remove_waiting(cast.store, tmp_path) == 0
    shown = text_of(head.get("/removals"))
    assert [word in shown for word in ("已撤回", "未批准", "已停止")] == [True] * 3
    assert "销毁已由郑经发停止" in text_of(head.get("/removals/3?state=stayed"))
    assert text_of(head.get("/removals", headers={"HX-Request": "true"})).count("<tr>") == 3


def test_nobody_else_proposes_or_decides(desk: Desks, cast: Cast, done: list[int]) -> None:
    supervisor = desk("supervisor")
    supervisor.get("/removals")
    supervisor.post("/removals", {"reason": "无查考价值"})
    for login in sorted(PEOPLE):
        person = desk(login)
        person.get("/notices")
        if login not in ("supervisor", "office_head"):
            assert person.post("/removals", {"reason": "试"}).status_code == 403, login
            assert person.post("/removals/keep", {"id": str(done[0])}).status_code == 403, login
            assert person.post("/removals/1/withdraw").status_code == 403, login
        if login != "office_head":
            for act in ("approve", "refuse"):
                assert person.post(f"/removals/1/{act}", {"decision": "试"}).status_code == 403, login
        if login not in ("supervisor", "office_head"):
            assert person.post("/removals/1/stop").status_code == 403, login
    assert desk("office_head").get("/removals/99").status_code == 404
    assert desk("office_head").get("/removals?after=x").status_code == 422
