"""The pages of back-tests: asked for, watched, read, taken away; closed to whoever does not work on diagrams."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from engine.process.definitions import in_force
from engine.process.workshop.back_testing.commands import run_back_tests
from engine.process.workshop.drafts import save_draft, start_draft
from engine.store.clock import MovableClock
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]
SWAP = {"HX-Request": "true"}


@pytest.fixture
def draft(cast: Cast, desk: Desks, clock: MovableClock) -> int:
    """Two requests are signed and with the provider; the draft gives it five days, and the head a field more."""
    asker, head = desk("asker"), desk("asker_head")
    for _ in range(2):
        asker.ask()
        assert head.do("部门负责人审签", sign="agree").status_code == 303
    clock.to("2026-02-10 11:00")
    with cast.store.read() as session:
        version = in_force(session, "conditional_share", cast.store.clock.now())
    editor = cast.actor("editor")
    made = start_draft(cast.store, actor=editor, definition_id=version.id)
    xml = version.diagram.xml.decode()
    assert 'sharing:role="deadline" sharing:workingDays="10" sharing:statutoryMax="10"' in xml
    forms = dict(version.forms)
    forms["applicant_sign"] = {
        **forms["applicant_sign"],
        "fields": [*forms["applicant_sign"]["fields"], {"key": "second_look", "type": "text", "label": "=复核人", "required": True}],
    }
    five = xml.replace('sharing:workingDays="10" sharing:statutoryMax="10"', 'sharing:workingDays="5" sharing:statutoryMax="10"')
    save_draft(cast.store, made, actor=editor, revision=1, xml=five.encode(), forms=forms)
    return made


def ordered(desk: Desk, draft: int, **form: str) -> int:
    """Asks for a back-test through the page; returns its number."""
    desk.get(f"/drafts/{draft}/back-tests")
    response = desk.post(f"/drafts/{draft}/back-tests", {"period": "3", **form})
    assert response.status_code == 303, text_of(response)
    return int(response.location.rsplit("/", 1)[1])


def test_it_is_asked_for_watched_and_read(desk: Desks, cast: Cast, draft: int) -> None:
    editor = desk("editor")
    page = text_of(editor.get(f"/drafts/{draft}/back-tests"))
    assert "近三个月" in page and "2 件" in page and "本草稿还没有做过回测" in page
    test = ordered(editor, draft)
    waiting = text_of(editor.get(f"/back-tests/{test}"))
    assert "等待开始" in waiting and 'hx-trigger="every 1s"' in waiting and 'max="2" value="0"' in waiting
    run_back_tests(cast.store)
    part = text_of(editor.get(f"/back-tests/{test}", headers=SWAP))
    assert part.lstrip().startswith('<div id="back-test">') and "hx-trigger" not in part and "已完成" in part
    assert "已回放 2 / 2 件" in part and "<b>2</b><span>缺少填写</span>" in part and "<b>2</b><span>截止日变动</span>" in part
    assert "“部门负责人审签”的“=复核人”按草稿必须填写，记录中没有" in part
    assert "2026-03-02（周一） → 2026-02-24（周二）" in part
    only = text_of(editor.get(f"/back-tests/{test}?kind=field"))
    assert "共享申请〔2026〕2号" in only and 'aria-current="true"><b>2</b><span>缺少填写' in only
    listed = text_of(editor.get(f"/drafts/{draft}/back-tests"))
    assert f'href="/back-tests/{test}"' in listed and "第2次保存" in listed


def test_nothing_of_a_case_is_told_but_its_number(desk: Desks, cast: Cast, draft: int) -> None:
    editor = desk("editor")
    test = ordered(editor, draft)
    run_back_tests(cast.store)
    pages = text_of(editor.get(f"/back-tests/{test}")) + editor.get(f"/back-tests/{test}/cases.csv").get_data(as_text=True)
    assert "共享申请〔2026〕1号" in pages
    for hidden in ("低保家庭住房状况核验", "钱民政", "公租房", 'href="/cases/'):
        assert hidden not in pages


def test_the_table_opens_in_a_spreadsheet_and_holds_no_formula(desk: Desks, cast: Cast, draft: int) -> None:
    editor = desk("editor")
    test = ordered(editor, draft)
    run_back_tests(cast.store)
    response = editor.get(f"/back-tests/{test}/cases.csv")
    assert response.mimetype == "text/csv" and "attachment" in response.headers["Content-Disposition"]
    text = response.get_data(as_text=True)
    assert text.startswith("\ufeff办件编号")
    head, *rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert head == ["办件编号", "差别", "环节", "时间", "说明", "记录中的日期", "按草稿的日期", "由此分开"]
    assert [row[1] for row in rows] == ["缺少填写", "截止日变动", "缺少填写", "截止日变动"]
    assert rows[1][5:7] == ["2026-03-02", "2026-02-24"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_it_can_be_cancelled_once(desk: Desks, cast: Cast, draft: int) -> None:
    editor = desk("editor")
    test = ordered(editor, draft)
    editor.get(f"/back-tests/{test}")
    assert editor.post(f"/back-tests/{test}/cancel").status_code == 303
    assert "已取消" in text_of(editor.get(f"/back-tests/{test}"))
    assert run_back_tests(cast.store) == 0
    again = editor.post(f"/back-tests/{test}/cancel")
    assert again.status_code == 409 and "该回测已结束" in text_of(again)


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"period": "own", "received_from": "", "received_until": "2026-02-10"}, "请填写起始日期"),
        ({"period": "own", "received_from": "2026-02-10", "received_until": "明天"}, "请填写截止日期"),
        ({"period": "own", "received_from": "2026-02-10", "received_until": "9999-12-31"}, "请填写截止日期"),
        ({"period": "own", "received_from": "2026-02-11", "received_until": "2026-02-10"}, "起始日期应早于截止日期"),
        ({"period": "own", "received_from": "2025-02-11", "received_until": "2025-02-12"}, "该期间没有收到过该流程的办件"),
        ({"period": "7"}, "请选择期间"),
    ],
)  # fmt: skip
def test_a_period_that_is_none_comes_back_with_a_sentence_and_what_was_typed(
    desk: Desks, draft: int, form: dict[str, str], told: str
) -> None:
    editor = desk("editor")
    editor.get(f"/drafts/{draft}/back-tests")
    response = editor.post(f"/drafts/{draft}/back-tests", form)
    page = text_of(response)
    assert response.status_code == 422 and told in page
    if form.get("received_from"):
        assert f'value="{form["received_from"]}"' in page


def test_a_draft_with_faults_is_told_its_findings(desk: Desks, cast: Cast, draft: int) -> None:
    editor = desk("editor")
    with cast.store.read() as session:
        xml = in_force(session, "conditional_share", cast.store.clock.now()).diagram.xml.decode()
    save_draft(cast.store, draft, actor=cast.actor("editor"), revision=2, xml=xml.replace('value="applicant_sign"', 'value="gone"').encode())
    editor.get(f"/drafts/{draft}/back-tests")
    response = editor.post(f"/drafts/{draft}/back-tests", {"period": "3"})
    assert response.status_code == 422 and "草稿检查发现" in text_of(response) and "“gone”不存在" in text_of(response)


def test_the_pages_are_closed_to_whoever_does_not_work_on_diagrams(desk: Desks, stranger: Desk, cast: Cast, draft: int) -> None:
    test = ordered(desk("approver"), draft)
    for login in ("asker", "office_head", "sysadmin", "auditor"):
        reader = desk(login)
        for path in (f"/drafts/{draft}/back-tests", f"/back-tests/{test}", f"/back-tests/{test}/cases.csv"):
            assert reader.get(path).status_code == 403, (login, path)
        assert reader.post(f"/back-tests/{test}/cancel").status_code == 403
    assert stranger.get(f"/back-tests/{test}").status_code in (302, 303)
    editor = desk("editor")
    for path in ("/drafts/99/back-tests", "/back-tests/99", "/back-tests/99/cases.csv"):
        assert editor.get(path).status_code == 404, path
