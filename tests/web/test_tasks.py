"""A request on its way from desk to desk, through the pages alone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from engine.people.accounts import create_account
from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from tests.web.cast import Cast, one_hash
from tests.web.desk import REQUEST, Desk, text_of

Desks = Callable[[str], Desk]

REFUSAL = {"decision": "refuse", "refusal_type": "necessity"}


def _submitted(desk: Desks, clock: MovableClock) -> int:
    """A request that its own head has signed on 2026-02-10 at 09:30."""
    case = desk("asker").ask()
    clock.to("2026-02-10 09:30")
    assert desk("asker_head").do("部门负责人审签", sign="agree").status_code == 303
    return case


def test_a_request_goes_from_the_applicant_to_the_provider_with_its_deadline(desk: Desks, clock: MovableClock) -> None:
    case = _submitted(desk, clock)
    inbox = text_of(desk("provider").get("/inbox/posts"))
    assert "市民政局申请共享“公租房保障对象”" in inbox
    assert "2026-03-02（周一）" in inbox and "剩余10个工作日" in inbox and "正常" in inbox
    page = text_of(desk("asker").get(f"/cases/{case}"))
    assert "提供部门答复" in page and "2026-03-02（周一） 24:00" in page


def test_wrong_answers_come_back_at_their_fields_and_nothing_typed_is_lost(desk: Desks) -> None:
    person = desk("asker")
    person.get("/start/conditional_share?resource_code=209001/000001")
    wrong = {**REQUEST, "resource_code": "209001/000001", "volume": "许多", "basis": "", "upload": (io.BytesIO(b"%PDF-1.7"), "函.pdf")}
    response = person.post("/start/conditional_share", wrong)
    page = text_of(response)
    assert response.status_code == 422
    assert "“预计调用量（次/日）”应为整数" in page and 'id="problem-volume"' in page
    assert 'id="problem-basis"' in page
    assert 'value="许多"' in page and "低保家庭住房状况核验" in page and 'value="2027-02-28"' in page
    assert re.search(r'value="保障方式"[^>]* checked', page) and not re.search(r'value="房屋坐落"[^>]* checked', page)
    kept = re.search(r'name="attachments" value="(\d+)" checked', page)
    assert kept and "函.pdf" in page, "the file was kept"
    good = {**REQUEST, "resource_code": "209001/000001", "attachments": kept[1], f"stored.{kept[1]}.name": "函.pdf"}
    started = person.post("/start/conditional_share", good)
    assert started.status_code == 303
    assert "函.pdf" in text_of(person.get(started.location))


def test_a_refusal_without_a_reason_is_sent_back_at_the_field(desk: Desks, clock: MovableClock) -> None:
    _submitted(desk, clock)
    desk("provider").do("受理", completeness="complete")
    reviewer = desk("provider_reviewer")
    assert reviewer.do("业务审核", business_finding="agree", business_necessity="fit").status_code == 303
    assert reviewer.do("安全审核", security_screening=["no_secrets", "system"], security_finding="pass").status_code == 303
    head = desk("provider_head")
    response = head.do("答复", **REFUSAL)
    assert response.status_code == 422
    page = text_of(response)
    assert "请填写不予共享的理由" in page and 'id="problem-refusal_reason"' in page
    assert re.search(r'value="necessity"[^>]* checked', page)


def test_two_people_claim_one_task_and_one_is_told_who_has_it(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    unit = cast.actor("provider").unit_id
    create_account(cast.store, "twin", "孙住建", unit, actor=None, password_hash=one_hash(), appointments=[(unit, "intake")])
    _submitted(desk, clock)
    first, second = desk("provider"), desk("twin")
    number = first.task("受理")
    second.get("/inbox/posts")
    swap = {"HX-Request": "true"}
    claimed = first.post(f"/tasks/{number}/claim", {"title": "公租房"}, headers=swap)
    assert claimed.status_code == 200 and "已签收" in text_of(claimed)
    refused = second.post(f"/tasks/{number}/claim", headers=swap)
    assert refused.status_code == 409
    assert "该待办已被李住建签收" in text_of(refused) and text_of(refused).lstrip().startswith("<tr")
    whole = second.post(f"/tasks/{number}", {"completeness": "complete"})
    assert whole.status_code == 409 and "该待办已被李住建签收" in text_of(whole)
    assert first.post(f"/tasks/{number}/unclaim").location == "/inbox/posts"
    assert second.post(f"/tasks/{number}/claim").location == f"/tasks/{number}"


def test_a_task_is_completed_once(desk: Desks, clock: MovableClock) -> None:
    _submitted(desk, clock)
    person = desk("provider")
    number = person.task("受理")
    person.get(f"/tasks/{number}")
    assert person.post(f"/tasks/{number}", {"completeness": "complete"}).status_code == 303
    again = person.post(f"/tasks/{number}", {"completeness": "complete"})
    assert again.status_code == 409
    assert "已办结" in text_of(again)
    shown = text_of(person.get(f"/tasks/{number}"))
    assert "该待办已办结" in shown and "按时办结" in shown


def test_a_colleague_of_another_post_may_look_but_not_work(desk: Desks, clock: MovableClock) -> None:
    _submitted(desk, clock)
    number = desk("provider").task("受理")
    head = desk("provider_head")
    page = text_of(head.get(f"/tasks/{number}"))
    assert "仅供查看" in page and "提交后不能撤回" not in page
    refused = head.post(f"/tasks/{number}", {"completeness": "complete"})
    assert refused.status_code == 403 and "不属于您的岗位" in text_of(refused)


def test_silence_turns_the_task_red_and_fills_the_offices_desk(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    _submitted(desk, clock)
    clock.to("2026-02-27 08:30")
    fire_due(cast.store)
    assert "临期" in text_of(desk("provider").get("/inbox/posts"))
    clock.to("2026-03-03 00:00")
    fire_due(cast.store)
    clock.to("2026-03-03 08:30")
    late = text_of(desk("provider").get("/inbox/posts"))
    assert "逾期" in late and "已逾期1个工作日" in late
    office = desk("supervisor")
    assert "市住房和城乡建设局" in text_of(office.get("/supervision"))
    assert "督办跟踪" in text_of(office.get("/inbox/posts"))
    board = text_of(office.get("/board"))
    link = re.search(r'href="(/board/tasks\?light=red&amp;unit=\d+[^"]+)"', board)
    assert link
    assert "受理" in text_of(office.get(link[1].replace("&amp;", "&")))
    assert desk("provider").do("受理", completeness="complete").status_code == 303, "it can still be completed"
    assert "逾期办结" in text_of(desk("provider").get("/inbox/done"))


def test_a_deadline_opens_to_its_days(desk: Desks, clock: MovableClock) -> None:
    case = _submitted(desk, clock)
    person = desk("asker")
    page = text_of(person.get(f"/cases/{case}"))
    link = re.search(r'href="(/deadlines/\d+)" aria-label="提供部门答复', page)
    assert link
    days = text_of(person.get(link[1]))
    assert "10个工作日（法定上限10个工作日）" in days and "第十五条" in days
    assert re.search(r'class="day-last"[^>]*>2<span class="nth">第10日', days)
    assert re.search(r"2026-02-14（周六）</td><td><strong>第4日</strong></td><td>调休上班", days)
    assert re.search(r"2026-02-17（周二）</td><td>不计</td><td>春节放假", days)


def test_an_attachment_is_a_download_for_those_who_may_see_the_case(desk: Desks) -> None:
    asker = desk("asker")
    case = asker.ask(upload=(io.BytesIO(b"%PDF-1.7 <script>"), "申请函.pdf"))
    link = re.search(r'href="(/attachments/\d+)"', text_of(asker.get(f"/cases/{case}")))
    assert link
    file = asker.get(link[1])
    assert file.status_code == 200 and file.headers["Content-Disposition"].startswith("attachment")
    assert file.data == b"%PDF-1.7 <script>" and file.mimetype == "application/pdf"
    assert desk("provider").get(link[1]).status_code == 200, "the provider is a party"
    assert desk("outsider").get(link[1]).status_code == 403


def test_a_file_of_a_wrong_kind_is_refused_at_its_field(desk: Desks) -> None:
    person = desk("asker")
    person.get("/start/conditional_share?resource_code=209001/000001")
    for name, body in (("程序.exe", b"MZ"), ("图.png", b"<html>"), ("空.pdf", b"")):
        data = {**REQUEST, "resource_code": "209001/000001", "upload": (io.BytesIO(body), name)}
        response = person.post("/start/conditional_share", data)
        assert response.status_code == 422 and 'id="problem-upload"' in text_of(response), name


def test_a_request_for_what_needs_none_is_refused(desk: Desks) -> None:
    person = desk("asker")
    for code in ("209001/000002", "3070211000013/000001", "no/such"):
        response = person.get(f"/start/conditional_share?resource_code={code}")
        assert response.status_code == 422 and re.search("不走有条件共享申请|目录中没有", text_of(response))
        assert "发起有条件共享申请" not in text_of(person.get(f"/catalogue/{code}"))
