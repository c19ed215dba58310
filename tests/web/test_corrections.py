"""更正数据 on the pages: who supervises chooses an answer, says what it should be and why."""

from __future__ import annotations

from collections.abc import Callable

from engine.process.sheets.case import case_sheet
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


def test_an_answer_is_corrected_step_by_step(desk: Desks, cast: Cast) -> None:
    case = desk("asker").ask()
    office = desk("office_head")
    assert f'href="/cases/{case}/correct"' in text_of(office.get(f"/cases/{case}"))
    listed = text_of(office.get(f"/cases/{case}/correct"))
    assert "2027-02-28" in listed and f"/cases/{case}/correct?name=valid_until" in listed and "不改变办理进程" in listed
    for firm in ("resource_code", "applicant_unit", "provider_unit"):
        assert f"name={firm}" not in listed
    asked = text_of(office.get(f"/cases/{case}/correct?name=valid_until"))
    assert 'type="date" id="valid_until" name="valid_until" value="2027-02-28"' in asked
    sent = {"correction.name": "valid_until", "valid_until": "2027-06-30", "correction.reason": "申请单位来函更正"}
    response = office.post(f"/cases/{case}/correct", sent)
    assert (response.status_code, response.location) == (303, f"/cases/{case}")
    page = text_of(office.get(f"/cases/{case}"))
    assert "由“2027-02-28”改为“2027-06-30”" in page and "申请单位来函更正" in page and "现有待办的承办人员将收到通知" in page
    again = office.post(f"/cases/{case}/correct", sent)
    assert again.location == f"/cases/{case}/correct" and "与原值相同，未作改动" in text_of(office.get(again.location))
    with cast.store.read() as session:
        assert [line.act for line in case_sheet(session, cast.actor("office_head"), case).timeline].count("corrected") == 1


def test_choices_ticks_and_empty_answers_come_as_a_form_sends_them(desk: Desks, cast: Cast) -> None:
    case = desk("asker").ask()
    office = desk("office_head")

    def held(name: str) -> object:
        with cast.store.read() as session:
            return case_sheet(session, cast.actor("office_head"), case).variables[name]

    def corrects(name: str, **value: object) -> int:
        office.get(f"/cases/{case}/correct?name={name}")
        return office.post(f"/cases/{case}/correct", {"correction.name": name, "correction.reason": "核对", **value}).status_code

    assert 'value="姓名" id="requested_fields" checked' in text_of(office.get(f"/cases/{case}/correct?name=requested_fields"))
    assert corrects("requested_fields", requested_fields=["保障方式"]) == 303 and held("requested_fields") == ["保障方式"]
    assert corrects("volume", volume="350") == 303 and held("volume") == 350
    assert corrects("promise_security") == 422, "a promise that must be given"


def test_what_is_refused_comes_back_with_what_was_typed(desk: Desks) -> None:
    case = desk("asker").ask()
    office = desk("office_head")
    office.get(f"/cases/{case}/correct?name=valid_until")
    response = office.post(f"/cases/{case}/correct", {"correction.name": "valid_until", "valid_until": "明天", "correction.reason": "笔误"})
    page = text_of(response)
    assert response.status_code == 422 and "应为日期" in page and 'value="明天"' in page and "笔误</textarea>" in page
    response = office.post(f"/cases/{case}/correct", {"correction.name": "valid_until", "valid_until": "2027-06-30", "correction.reason": " "})
    assert response.status_code == 422 and "请填写更正理由" in text_of(response)
    response = office.post(f"/cases/{case}/correct", {"correction.name": "basis", "basis": "", "correction.reason": "x"})
    assert response.status_code == 422 and 'id="problem-basis"' in text_of(response)
    for name in ("resource_code", "applicant_unit", "nothing", ""):
        assert office.post(f"/cases/{case}/correct", {"correction.name": name, name: "x", "correction.reason": "x"}).status_code == 303
    assert office.get(f"/cases/{case}/correct?name=resource_code").status_code == 302


def test_only_who_supervises_and_only_while_the_case_goes_on(desk: Desks) -> None:
    case = desk("asker").ask()
    asker, stranger = desk("asker"), desk("outsider")
    assert f"/cases/{case}/correct" not in text_of(asker.get(f"/cases/{case}"))
    for one in (asker, stranger, desk("sysadmin")):
        assert one.get(f"/cases/{case}/correct").status_code == 403
        assert one.post(f"/cases/{case}/correct", {"correction.name": "basis", "basis": "y", "correction.reason": "x"}).status_code == 403
    office = desk("office_head")
    office.get(f"/cases/{case}")
    office.post(f"/cases/{case}/terminate", {"reason": "重复"})
    assert f"/cases/{case}/correct" not in text_of(office.get(f"/cases/{case}"))
    assert office.get(f"/cases/{case}/correct").location == f"/cases/{case}"
    assert office.get("/cases/999/correct").status_code == 404
