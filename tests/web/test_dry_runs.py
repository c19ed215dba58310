"""The dry run's pages: beginning, moving on, going back; refusals at their fields; who may come in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from engine.process.workshop.drafts import draft_sheet, newest_id, save_draft, start_draft
from engine.process.workshop.tables import DryRunMove
from engine.store.settings import Settings
from tests.engine.interpreter.diagrams import diagram, element, message, signal
from tests.engine.workshop.dry_walks import fingerprint
from tests.web.cast import HOUSING, PEOPLE, STATISTICS, Cast
from tests.web.desk import REQUEST, Desk, text_of

Desks = Callable[[str], Desk]
BEGIN = {"run.person": "007|asker", "run.at": "2026-02-10T09:30", "run.resource": HOUSING}
VERSION = "/diagrams/conditional_share/versions/1/dry-run"


@pytest.fixture
def draft(cast: Cast) -> int:
    """A draft of the request for conditional sharing."""
    with cast.store.read() as session:
        version = newest_id(session, "conditional_share")
    return start_draft(cast.store, actor=cast.actor("editor"), definition_id=version)


@pytest.fixture
def editor(desk: Desks) -> Desk:
    return desk("editor")


def begun(editor: Desk, draft: int) -> str:
    """Starts a run; returns its address."""
    base = f"/drafts/{draft}/dry-run"
    editor.get(base)
    response = editor.post(base, {**BEGIN, **REQUEST})
    assert response.status_code == 303, text_of(response)
    return response.location


def completes(editor: Desk, address: str, step: str, person: str, **answers: object) -> TestResponse:
    move = {"run.do": "complete", "run.case": "0", "run.step": step, "run.nth": "0", "run.person": person}
    return editor.post(address, {**move, **answers})


def test_the_beginning_offers_people_then_resources_then_the_form(editor: Desk, draft: int) -> None:
    base = f"/drafts/{draft}/dry-run"
    page = text_of(editor.get(base))
    assert "不影响真实数据" in page and 'value="007|asker"' in page and "钱民政 · 经办 · 市民政局" in page
    page = text_of(editor.get(f"{base}?run.person=007|asker"))
    assert "公租房保障对象" in page and "单户统计报表" not in page and "商品房预售许可" not in page
    page = text_of(editor.get(f"{base}?run.person=007|asker&run.resource={HOUSING}"))
    assert "使用依据" in page and "开始试运行" in page
    page = text_of(editor.get(f"{base}?run.person=007|asker&run.resource={HOUSING}&run.sample=1"))
    assert "试运行示例" in page
    page = text_of(editor.get(f"{base}?run.person=013|provider&run.resource={HOUSING}"))
    assert "由本单位提供" in page and "开始试运行" not in page


def test_a_refused_start_keeps_what_was_typed_and_says_why_at_the_field(editor: Desk, draft: int) -> None:
    base = f"/drafts/{draft}/dry-run"
    editor.get(base)
    response = editor.post(base, {**BEGIN, **REQUEST, "basis": "", "scenario": "低保核对"})
    page = text_of(response)
    assert response.status_code == 422 and 'id="problem-basis"' in page and "低保核对" in page
    response = editor.post(base, {**BEGIN, **REQUEST, "run.at": "soon"})
    assert response.status_code == 422 and "不是日期时间" in text_of(response)


def test_a_run_is_walked_page_by_page_and_nothing_real_is_touched(
    editor: Desk, draft: int, cast: Cast, settings: Settings
) -> None:
    before, files = fingerprint(cast.store), _files(settings.home)
    address = begun(editor, draft)
    page = text_of(editor.get(address))
    assert "部门负责人审签" in page and "李民政" in page and 'data-tokens="Task_ApplicantSign:1 "' in page
    response = completes(editor, address, "Task_ApplicantSign", "asker_head", sign="agree")
    page = text_of(editor.get(response.location))
    assert "第2步的结果：办结“部门负责人审签”" in page and "2026-03-02（周一）" in page and "逐日计算" in page
    assert "转入“受理”" in page and "李住建" in page
    response = editor.post(response.location, {"run.do": "timer"})
    page = text_of(editor.get(response.location))
    assert "推进到下一个定时" in page and "发给 吴住建" in page and "撤销上一步" in page
    response = editor.post(response.location, {"run.do": "until", "run.at": "2026-03-03T00:00"})
    page = text_of(editor.get(response.location))
    assert "督办单" in page and "督办件〔2026〕1号" in page
    after = fingerprint(cast.store)
    assert after.pop("dry_run_move") != before.pop("dry_run_move")
    signed_in = {"sign_in"}
    assert {name for name in after if after[name] != before[name]} <= signed_in
    assert _files(settings.home) == files


def test_messages_and_signals_that_cases_wait_for_have_a_button_each(editor: Desk, cast: Cast) -> None:
    draft = start_draft(cast.store, actor=cast.actor("editor"), key="flood", name="汛情", rule_set="liaoyang_2018")
    xml = diagram("start > user:work > end", message("work", "more", "material", interrupting=False), "more > end:x", signal("work", "stop", "flood"),
                  "stop > user:rescue > end:y", element("work", unit="applicant_unit", post="handler"),
                  element("rescue", name="抢险", unit="applicant_unit", post="handler"), key="flood", startPosts="handler")
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=1, xml=xml)
    base = f"/drafts/{draft}/dry-run"
    editor.get(base)
    address = editor.post(base, {"run.person": "007|asker", "run.at": "2026-02-10T09:30"}).location
    page = text_of(editor.get(address))
    assert page.count("发出信号“flood”") == 1 and page.count("发送消息“material”") == 1
    page = text_of(editor.get(editor.post(address, {"run.do": "signal", "run.signal": "flood"}).location))
    assert "转入“抢险”" in page and "收到信号“flood”" in page and "发出信号“flood”</button>" not in page
    assert "没有等待信号" in text_of(editor.post(address, {"run.do": "signal", "run.signal": "storm"}))


def test_going_back_and_on_again_leaves_both_ways(editor: Desk, draft: int, cast: Cast) -> None:
    address = begun(editor, draft)
    agreed = completes(editor, address, "Task_ApplicantSign", "asker_head", sign="agree").location
    returned = completes(editor, address, "Task_ApplicantSign", "asker_head", sign="return", opinion="补充依据").location
    assert "转入“受理”" in text_of(editor.get(agreed)) and "转入“受理”" not in text_of(editor.get(returned))
    assert f'href="{address}"' in text_of(editor.get(agreed)), "undoing is a link to the move before"
    with cast.store.read() as session:
        assert len({row.parent_id for row in session.query(DryRunMove)}) == 2


def test_a_wrong_answer_comes_back_at_its_field_and_the_run_stands_where_it_stood(editor: Desk, draft: int) -> None:
    address = begun(editor, draft)
    response = completes(editor, address, "Task_ApplicantSign", "asker_head", sign="return")
    page = text_of(response)
    assert response.status_code == 422 and 'class="problem"' in page and "部门负责人审签" in page
    response = completes(editor, address, "Task_Reply", "provider_head")
    assert response.status_code == 422 and "此时没有环节“负责人答复”的待办" in text_of(response)
    response = completes(editor, address, "Task_ApplicantSign", "outsider", sign="agree")
    assert response.status_code == 422 and "不属于您的岗位" in text_of(response)


@pytest.mark.parametrize(
    "sent",
    [
        {"run.do": "until", "run.at": "2020-01-01T00:00"}, {"run.do": "until", "run.at": "x"}, {"run.do": "message", "run.case": "7"}, {"run.do": "signal", "run.signal": ""}, {"run.do": "signal", "run.signal": "x" * 2000}, {"run.do": "until", "run.at": "9999-12-31T23:59"}, {"run.do": "message", "run.case": "²"},
        {"run.do": "complete", "run.case": "-1"}, {"run.do": "complete", "run.step": "x" * 2000}, {"run.do": "message", "run.message": ""},
    ],
)  # fmt: skip
def test_a_move_that_makes_no_sense_is_a_sentence(editor: Desk, draft: int, sent: dict[str, str]) -> None:
    address = begun(editor, draft)
    response = editor.post(address, sent)
    assert response.status_code in (303, 422)
    assert response.status_code == 303 or "alert" in text_of(response)


def test_a_draft_with_errors_shows_its_findings_instead(editor: Desk, draft: int, cast: Cast) -> None:
    address = begun(editor, draft)
    with cast.store.read() as session:
        sheet = draft_sheet(session, cast.actor("editor"), draft)
    broken = sheet.package.xml.replace(b'name="post" value="head"', b'name="post" value="king"', 1)
    assert broken != sheet.package.xml
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=sheet.revision, xml=broken)
    for path in (f"/drafts/{draft}/dry-run", address):
        page = text_of(editor.get(path))
        assert "修改后才能试运行" in page and "岗位“king”不存在" in page


def test_after_the_draft_has_changed_the_same_run_is_walked_on_it(editor: Desk, draft: int, cast: Cast) -> None:
    address = completes(editor, begun(editor, draft), "Task_ApplicantSign", "asker_head", sign="agree").location
    with cast.store.read() as session:
        sheet = draft_sheet(session, cast.actor("editor"), draft)
    xml = sheet.package.xml.replace(b'sharing:role="deadline" sharing:workingDays="10"', b'sharing:role="deadline" sharing:workingDays="5"')
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=sheet.revision, xml=xml)
    assert "2026-02-24" in text_of(editor.get(address))


def test_a_version_is_rehearsed_in_the_same_way(editor: Desk) -> None:
    editor.get(VERSION)
    response = editor.post(VERSION, {**BEGIN, **REQUEST})
    assert response.status_code == 303 and response.location.startswith(f"{VERSION}/")
    page = text_of(editor.get(response.location))
    assert "第1版" in page and re.search(r'data-diagram="/diagrams/\d+\.bpmn"', page)
    assert editor.get("/diagrams/conditional_share/versions/9/dry-run").status_code == 404


def test_the_withheld_items_of_a_resource_are_not_shown(editor: Desk) -> None:
    page = text_of(editor.get(f"/diagrams/withheld_need/versions/1/dry-run?run.person=007|asker&run.resource={STATISTICS}"))
    assert "建筑业企业单户统计报表" in page and "开始试运行" in page
    assert "从业人数" not in page and "营业收入" not in page


def test_only_who_edits_or_approves_diagrams_comes_in(desk: Desks, draft: int, editor: Desk, stranger: Desk) -> None:
    address = begun(editor, draft)
    for login in PEOPLE:
        expected = 200 if login in ("editor", "approver") else 403
        person = desk(login)
        for path in (f"/drafts/{draft}/dry-run", address, VERSION):
            assert person.get(path).status_code == expected, f"{login} {path}"
        if expected == 403:
            assert person.post(address, {"run.do": "timer"}).status_code == 403, login
            assert person.post(f"/drafts/{draft}/dry-run", BEGIN).status_code == 403, login
    assert stranger.get(address).status_code == 303
    assert editor.get("/drafts/999/dry-run").status_code == 404
    assert editor.get(f"/drafts/{draft}/dry-run/999").status_code == 404
    assert editor.get(f"/drafts/{draft}/dry-run/{10**30}").status_code == 404
    assert editor.get(f"{address}?task=x&case=²").status_code == 200


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "1990-01-01T09:00", "9999-12-31T23:59", "2026-13-01T00:00"])
def test_a_time_in_which_nothing_can_begin_is_a_sentence(editor: Desk, draft: int, at: str) -> None:
    base = f"/drafts/{draft}/dry-run"
    editor.get(base)
    response = editor.post(base, {**BEGIN, **REQUEST, "run.at": at})
    assert response.status_code == 422 and 'role="alert"' in text_of(response)


def _files(folder: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.rglob("*")) if file.is_file()}
