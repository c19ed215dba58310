"""The page 请假代理: entering a leave, what a refused form keeps, and who may enter and end it for others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine.people.accounts import create_account
from engine.people.passwords import hash_password
from engine.people.units import unit_id_of
from engine.store.clock import MovableClock
from tests.web.cast import PASSWORD, Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


@pytest.fixture
def deputy(cast: Cast) -> int:
    """The asker's deputy 孙民政, handler and intake of 007 like them."""
    with cast.store.read() as session:
        home = unit_id_of(session, "007")
    return create_account(cast.store, "deputy", "孙民政", home, actor=None, password_hash=hash_password(PASSWORD),
                          appointments=[(home, "handler"), (home, "intake")])  # fmt: skip


def leave(desk: Desk, path: str = "/absences", **typed: Any) -> Any:
    """Opens the form and sends it, each post with its first candidate."""
    page = text_of(desk.get(path))
    fields = {name: value for name, value in re.findall(r'name="(substitute:\d+:\w+)".*?<option value="(\d+)"', page, re.DOTALL)}
    person = re.search(r'type="hidden" name="person" value="(\d*)"', page)
    given = {"starts": "2026-02-10", "starts_half": "am", "ends": "2026-02-13", "ends_half": "pm", "reason": "年休假", "take_open": "1"}
    return desk.post("/absences", {**given, **fields, "person": person[1] if person else "", **typed})


def test_a_leave_sends_what_is_in_hand_to_the_deputy_and_back(desk: Desks, cast: Cast, deputy: int) -> None:
    asker = desk("asker")
    case = asker.ask()
    assert leave(asker).status_code == 303
    page = text_of(asker.get("/absences"))
    assert "进行中" in page and "孙民政" in page and "经办、受理" in page and "2026-02-13 24:00" in page
    assert "由我代理" in text_of(desk("deputy").get("/absences"))
    number = re.search(r'action="/absences/(\d+)/end"', page)
    assert number and case
    assert desk("provider").post(f"/absences/{number[1]}/end").status_code == 403
    assert asker.post(f"/absences/{number[1]}/end").status_code == 303
    page = text_of(asker.get("/absences"))
    assert "已结束" in page and "/end" not in page
    assert asker.post(f"/absences/{number[1]}/end").status_code == 409


def test_a_refused_leave_keeps_what_was_typed_and_says_what_is_wrong_where(desk: Desks, deputy: int) -> None:
    asker = desk("asker")
    refused = leave(asker, starts="", ends="下周", reason="探亲")
    page = text_of(refused)
    assert refused.status_code == 422
    assert "请填写开始日期" in page and "结束日期应为日期" in page and 'value="探亲"' in page
    refused = leave(asker, starts="2026-02-09", ends="2026-02-09")
    assert "不能早于今天" in text_of(refused)
    refused = leave(asker, ends="2026-02-10", starts_half="pm", ends_half="am")
    assert "结束时间应晚于" in text_of(refused)


def test_where_nobody_holds_the_post_the_page_says_what_to_do(desk: Desks) -> None:
    page = text_of(desk("asker").get("/absences"))
    assert "请先由安全管理员增加一名副岗" in page


def test_the_head_enters_a_leave_for_who_fell_ill_and_the_office_for_anybody(desk: Desks, cast: Cast, deputy: int, clock: MovableClock) -> None:
    head = desk("asker_head")
    asker = cast.ids["asker"]
    page = text_of(head.get("/absences"))
    assert "钱民政（民政）" in page and "住建" not in page
    assert leave(head, f"/absences?person={asker}", ends="", reason="病假").status_code == 303
    page = text_of(head.get("/absences"))
    assert "其他人员的请假" in page and "李民政登记" in page and "销假时" in page
    assert "周住建（住建）" in text_of(desk("office").get("/absences"))
    other = cast.ids["provider"]
    assert head.get(f"/absences?person={other}").status_code == 403
    assert head.post("/absences", {"person": str(other), "starts": "2026-02-10", "reason": "x"}).status_code == 403
    number = re.search(r'action="/absences/(\d+)/end"', text_of(head.get("/absences")))
    assert number and desk("office").post(f"/absences/{number[1]}/end").status_code == 303
