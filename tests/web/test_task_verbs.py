"""The verbs of the office through their pages: as a dialog and without scripts, refused with what was typed, and told in a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from engine.people.accounts import create_account
from engine.store.clock import MovableClock
from tests.web.cast import Cast, one_hash
from tests.web.desk import Desk, text_of
from tests.web.verbs import allow_verbs

Desks = Callable[[str], Desk]
SWAP = {"HX-Request": "true"}


@pytest.fixture
def case(desk: Desks, cast: Cast, clock: MovableClock) -> int:
    """A request at the provider's intake, where a second officer holds the post, with every verb allowed."""
    allow_verbs(cast)
    unit = cast.actor("provider").unit_id
    cast.ids["twin"] = create_account(
        cast.store, "twin", "孙住建", unit, actor=None, password_hash=one_hash(), appointments=[(unit, "intake"), (unit, "handler")]
    )
    case = desk("asker").ask()
    clock.to("2026-02-10 09:30")
    assert desk("asker_head").do("部门负责人审签", sign="agree").status_code == 303
    return case


def flashed(person: Desk, path: str) -> str:
    return text_of(person.get(path, follow_redirects=True))


def test_a_task_is_transferred_by_a_page_without_scripts(desk: Desks, cast: Cast, case: int) -> None:
    person = desk("provider")
    number = person.task("受理")
    page = text_of(person.get(f"/tasks/{number}"))
    assert all(f'href="/tasks/{number}/{verb}"' in page for verb in ("transfer", "delegate", "signers", "copy"))
    form = text_of(person.get(f"/tasks/{number}/transfer"))
    assert "<html" in form and "孙住建" in form and "转办不改变时限" in form
    wrong = person.post(f"/tasks/{number}/transfer", {"note": "我明天出差"})
    assert wrong.status_code == 422 and "请选择人员" in text_of(wrong) and "我明天出差" in text_of(wrong)
    done = person.post(f"/tasks/{number}/transfer", {"to": str(cast.ids["twin"]), "note": "我明天出差"})
    assert done.status_code == 303
    assert "已转办给孙住建。" in flashed(person, done.location)
    theirs = text_of(desk("twin").get(f"/tasks/{number}"))
    assert "转办" in theirs and "我明天出差" in theirs and "李住建" in theirs
    late = person.post(f"/tasks/{number}/transfer", {"to": str(cast.ids["twin"])})
    assert late.status_code == 409 and "孙住建" in text_of(late)
    back = person.get(f"/tasks/{number}/transfer")
    assert back.status_code == 302 and "现在不能对该待办进行这项操作" in flashed(person, back.location)


def test_a_dialog_gets_the_part_and_then_where_to_go(desk: Desks, cast: Cast, case: int) -> None:
    person = desk("provider")
    number = person.task("受理")
    part = text_of(person.get(f"/tasks/{number}/signers", headers=SWAP))
    assert part.lstrip().startswith("<form") and "<html" not in part and "前加签" in part
    refused = person.post(f"/tasks/{number}/signers", {"people": str(cast.ids["twin"])}, headers=SWAP)
    assert refused.status_code == 422 and "请选择加签方式" in text_of(refused)
    assert re.search(rf'value="{cast.ids["twin"]}" checked', text_of(refused)), "who was chosen stays chosen"
    done = person.post(f"/tasks/{number}/signers", {"people": str(cast.ids["twin"]), "signing": "before"}, headers=SWAP)
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"/tasks/{number}")
    assert "已请孙住建加签。" in flashed(person, f"/tasks/{number}")


def test_a_signer_signs_and_the_assignee_waits_for_it(desk: Desks, cast: Cast, case: int) -> None:
    person, signer = desk("provider"), desk("twin")
    number = person.task("受理")
    person.post(f"/tasks/{number}/signers", {"people": str(cast.ids["twin"]), "signing": "beside", "note": "请核对材料"})
    assert "待签署" in text_of(person.get(f"/tasks/{number}"))
    assert person.post(f"/tasks/{number}", {"completeness": "complete"}).status_code == 303
    waiting = text_of(person.get(f"/tasks/{number}"))
    assert "已提交，等待孙住建加签" in waiting and 'action="/tasks/' + str(number) + '"' not in waiting
    signature = signer.task("受理", "mine")
    assert signature != number
    page = text_of(signer.get(f"/tasks/{signature}"))
    assert "签署意见" in page and "请核对材料" in page and ">签署<" in page.replace("</svg> 签署", "</svg>>签署")
    silent = signer.post(f"/tasks/{signature}", {"stance": "disagree"})
    assert silent.status_code == 422 and 'id="problem-opinion"' in text_of(silent)
    assert signer.post(f"/tasks/{signature}", {"stance": "agree", "opinion": "材料齐全"}).status_code == 303
    file = text_of(person.get(f"/cases/{case}"))
    assert "业务审核" in file and "加签" in file and "材料齐全" in file


def test_a_signature_is_taken_away_again(desk: Desks, cast: Cast, case: int) -> None:
    person = desk("provider")
    number = person.task("受理")
    person.post(f"/tasks/{number}/signers", {"people": str(cast.ids["twin"]), "signing": "before"})
    signature = desk("twin").task("受理", "mine")
    assert desk("outsider").post(f"/tasks/{number}/signers/{signature}/remove").status_code == 403
    assert person.post(f"/tasks/{number}/signers/{signature}/remove").status_code == 303
    assert "待签署" not in text_of(person.get(f"/tasks/{number}"))


def test_a_delegate_hands_back_and_the_owner_finds_what_was_typed(desk: Desks, cast: Cast, case: int) -> None:
    person, delegate = desk("provider"), desk("twin")
    number = person.task("受理")
    assert person.post(f"/tasks/{number}/delegate", {"to": str(cast.ids["twin"]), "note": "请核对"}).status_code == 303
    assert "收回委派" in text_of(person.get(f"/tasks/{number}"))
    page = text_of(delegate.get(f"/tasks/{number}"))
    assert f'action="/tasks/{number}/hand-back"' in page and "李住建委派" in page
    silent = delegate.post(f"/tasks/{number}/hand-back", {"completeness": "complete"})
    assert silent.status_code == 422 and "请填写办理意见" in text_of(silent)
    assert delegate.post(f"/tasks/{number}/hand-back", {"completeness": "complete", "opinion": "核对无误"}).status_code == 303
    again = text_of(person.get(f"/tasks/{number}"))
    assert "孙住建交回的内容已填入" in again and "核对无误" in again
    assert re.search(r'name="completeness" value="complete"[^>]* checked', again)
    assert person.post(f"/tasks/{number}", {"completeness": "complete", "opinion": "核对无误"}).status_code == 303


def test_a_task_is_returned_with_a_reason_and_given_up(desk: Desks, cast: Cast) -> None:
    allow_verbs(cast)
    case = desk("asker").ask()
    person = desk("asker_head")
    number = person.task("部门负责人审签")
    form = text_of(person.get(f"/tasks/{number}/return"))
    targets = re.findall(r'name="to" value="([^"]+)"', form)
    assert "starter" in targets
    silent = person.post(f"/tasks/{number}/return", {"to": "starter", "reason": " "})
    assert silent.status_code == 422 and re.search(r'value="starter"[^>]* checked', text_of(silent))
    assert person.post(f"/tasks/{number}/return", {"to": "starter", "reason": "使用依据应写明条款"}).status_code == 303
    asker = desk("asker")
    revision = asker.task("修改后重新提交", "mine")
    page = text_of(asker.get(f"/tasks/{revision}"))
    assert "使用依据应写明条款" in page and "重新提交" in page and "撤销申请" in page and "低保家庭住房状况核验" in page
    refused = asker.post(f"/tasks/{revision}/give-up", {"reason": ""})
    assert refused.status_code == 422
    assert asker.post(f"/tasks/{revision}/give-up", {"reason": "不再需要"}).location == f"/cases/{case}"
    assert "不再需要" in text_of(asker.get(f"/cases/{case}"))


def test_what_was_just_done_is_withdrawn_from_the_case(desk: Desks, case: int) -> None:
    head = desk("asker_head")
    page = text_of(head.get(f"/cases/{case}"))
    link = re.search(r'href="(/tasks/\d+/withdraw)"', page)
    assert link and "撤回“部门负责人审签”" in page
    assert "撤回后视同未曾办结" in text_of(head.get(link[1]))
    assert head.post(link[1], {"reason": "意见需修改"}).location == "/inbox/mine"
    assert head.task("部门负责人审签", "mine")


def test_who_waits_urges_once_and_shows_the_case_to_others(desk: Desks, cast: Cast, case: int) -> None:
    asker = desk("asker")
    page = text_of(asker.get(f"/cases/{case}"))
    assert f'href="/cases/{case}/urge"' in page and f'href="/cases/{case}/copy"' in page
    number = desk("provider").task("受理")
    assert asker.post(f"/cases/{case}/urge", {"note": "请尽快"}).status_code == 422
    asker.get(f"/cases/{case}")
    assert asker.post(f"/cases/{case}/urge", {"task": str(number), "note": "请尽快"}).location == f"/cases/{case}"
    again = asker.post(f"/cases/{case}/urge", {"task": str(number)})
    assert again.status_code == 409 and "4小时内不能重复催办" in text_of(again)
    assert "已催办1次" in text_of(desk("provider").get(f"/tasks/{number}"))
    nobody = asker.post(f"/cases/{case}/copy", {"people": str(cast.ids["outsider"])})
    assert nobody.status_code == 422 and "无权查看该办件" in text_of(nobody)
    assert asker.post(f"/cases/{case}/copy", {"people": str(cast.ids["asker_head"]), "note": "请知悉"}).status_code == 303
    shown = text_of(asker.get(f"/cases/{case}"))
    assert "未阅" in shown and "请知悉" in shown
    assert desk("outsider").get(f"/cases/{case}/copy").status_code == 403


def test_the_office_moves_a_deadline_by_hand_and_lets_it_be_counted_again(desk: Desks, cast: Cast, case: int) -> None:
    intake = desk("provider")
    intake.post(f"/tasks/{intake.task('受理')}", {"completeness": "complete"})
    office = desk("supervisor")
    page = text_of(office.get(f"/cases/{case}"))
    assert f'href="/cases/{case}/redate"' in page and f'href="/cases/{case}/recount"' not in page
    assert "redate" not in text_of(desk("provider_head").get(f"/cases/{case}"))
    form = text_of(office.get(f"/cases/{case}/redate", headers=SWAP))
    clock = re.search(r'name="clock" value="(\d+)"', form)
    assert clock and "现截止2026年3月2日，依据第十五条" in form and "不得超过法定上限" in form
    for sent, word in (
        ({"day": "2026-02-26", "reason": "上级要求"}, "请选择时限"), ({"clock": clock[1], "day": "", "reason": "上级要求"}, "请选择截止日"),
        ({"clock": clock[1], "day": "2026-02-26"}, "请填写调整时限的理由"), ({"clock": clock[1], "day": "2026-01-01", "reason": "上级要求"}, "应当在当前时间之后"),
        ({"clock": clock[1], "day": "9999-12-31", "reason": "上级要求"}, "请选择截止日"),
        ({"clock": clock[1], "day": "2026-03-09", "reason": "情况复杂"}, "第十五条规定的期限最长为10个工作日，按日历最晚到2026年3月2日"),
    ):
        wrong = office.post(f"/cases/{case}/redate", sent)
        assert wrong.status_code == 422 and word in text_of(wrong) and sent.get("reason", "") in text_of(wrong)
    done = office.post(f"/cases/{case}/redate", {"clock": clock[1], "day": "2026-02-26", "reason": "上级要求"})
    assert done.location == f"/cases/{case}" and "截止日已调整为2026年2月26日。" in flashed(office, done.location)
    shown = text_of(office.get(f"/cases/{case}"))
    assert "手工调整" in shown and "上级要求" in shown and f'href="/cases/{case}/recount"' in shown
    explained = text_of(office.get(f"/deadlines/{clock[1]}"))
    assert "王经发</strong>于2026-02-10" in explained and "按日推算应为2026-03-02" in explained
    assert office.get(f"/deadlines/{clock[1]}.json").get_json()["set_by_hand"]["last_day"] == "2026-02-26"
    assert "时限调整" in text_of(desk("provider_reviewer").get("/notices"))
    assert desk("provider_head").post(f"/cases/{case}/redate", {"clock": clock[1], "day": "2026-02-25", "reason": "x"}).status_code in (403, 422)
    back = office.post(f"/cases/{case}/recount", {"clock": clock[1], "reason": "不再需要"})
    assert "已恢复按日历推算。" in flashed(office, back.location)
    gone = office.get(f"/cases/{case}/recount")
    assert gone.status_code == 302 and "2026-03-02" in text_of(office.get(f"/deadlines/{clock[1]}"))
