"""The calendar's pages: a year, what a limit would be, and a notice from the paste to the digest, by two people."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from engine.process.editions import known
from engine.process.timekeeping.recounting import recount
from engine.store.clock import MovableClock
from tests.engine.timekeeping.year_2027 import TEXT
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


def test_everybody_sees_which_day_works_and_since_which_notice(desk: Desks) -> None:
    page = desk("asker").get("/calendars", follow_redirects=True)
    text = text_of(page)
    assert "2026年本市工作日历" in text and "国办发明电〔2025〕7号" in text
    assert "调休上班（国办发明电〔2025〕7号）" in text  # 14 February
    assert "录入放假安排" not in text


def test_a_year_without_a_notice_says_that_it_is_provisional(desk: Desks) -> None:
    text = text_of(desk("asker").get("/calendars/years/city/2027"))
    assert "全年暂定" in text and "元旦放假（依法定节日推算）" in text


@pytest.mark.parametrize("path", ["/calendars/years/city/2051", "/calendars/years/city/2007", "/calendars/years/nowhere/2026", "/calendars/proposals/77", "/calendars/recounts/77"])
def test_what_is_not_there_is_not_found(desk: Desks, path: str) -> None:
    assert desk("editor").get(path).status_code == 404


def test_what_if_explains_a_deadline_for_any_start_and_rule(desk: Desks) -> None:
    asker = desk("asker")
    page = text_of(asker.get("/calendars/what-if?start=2026-02-10T09:30&days=10"))
    assert "2026-03-02（周一） 24:00" in page and "第10日" in page
    found = asker.get("/calendars/what-if?start=2026-04-28&days=10&pauses=2026-05-06..2026-05-08&format=json").get_json()
    assert (found["last_day"], found["provisional"]) == ("2026-05-18", False)  # S16


@pytest.mark.parametrize(
    ("query", "complaint"),
    [("start=gestern&days=10", "“gestern”不是有效时间"), ("start=2026-02-10&days=ten", "工作日数应为整数"), ("start=2026-02-10&days=9999", "0至2000"),
     ("start=2050-12-20&days=30", "超出日历数据"), ("start=2026-02-10&days=3&pauses=x", "不是有效的暂停期间"), ("start=2026-02-10&days=3&calendar=x", "没有这个日历")],
)
def test_what_if_refuses_what_it_cannot_count_in_words(desk: Desks, query: str, complaint: str) -> None:
    asker = desk("asker")
    page = asker.get(f"/calendars/what-if?{query}")
    assert page.status_code == 422 and complaint in text_of(page)
    assert complaint in asker.get(f"/calendars/what-if?{query}&format=json").get_json()["message"]


def bring_in(person: Desk, **given: str) -> TestResponse:
    person.get("/calendars/import")
    return person.post("/calendars/import", {"source": TEXT, "policy": "keep", "published": "2026-12-21", **given})


def test_a_notice_goes_from_the_paste_to_everybodys_deadlines(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    clock.to("2026-12-18 09:00")
    case = desk("asker").ask(valid_until="2027-12-31")
    desk("asker_head").do("部门负责人审签", sign="agree")
    provider = desk("provider")
    assert "暂定" in text_of(provider.get("/inbox/posts"))
    clock.to("2026-12-21 09:00")
    editor = desk("editor")
    read = text_of(bring_in(editor))
    assert "核对无误" in read and "提交另一人确认" in read and "（有变化）" in read
    sent = bring_in(editor, propose="1")
    assert sent.status_code == 303
    proposal = sent.location
    own = text_of(editor.get(proposal))
    assert "录入人不能自己确认" in own and "已对照原文，发布" not in own
    assert editor.post(f"{proposal}/confirm").status_code == 403
    approver = desk("approver")
    page = text_of(approver.get(proposal))
    assert "涉及单位：住建 " in page and "截止日推后" in page and "2027-01-04（周一）" in page and "2027-01-05（周二）" in page
    assert "2027-01-05" in approver.get(f"{proposal}/preview.csv").get_data(as_text=True)
    published = approver.post(f"{proposal}/confirm", {"note": "已与原文逐日核对"})
    assert "正在进行" in text_of(approver.get(published.location))
    recount(cast.store)
    done = text_of(approver.get(published.location))
    assert "已完成" in done and "2027-01-05（周二）" in done
    assert "日历更新：" in text_of(desk("provider").get("/notices"))
    assert "暂定" not in text_of(desk("provider").get("/inbox/posts"))
    assert "日历更新，重新推算时限（国办发明电〔2026〕99号）" in text_of(desk("office").get(f"/cases/{case}"))


def test_every_page_and_file_says_provisional_until_the_notice_comes(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    clock.to("2026-12-18 09:00")
    case = desk("asker").ask(valid_until="2027-12-31")
    desk("asker_head").do("部门负责人审签", sign="agree")
    provider, supervisor = desk("provider"), desk("supervisor")
    task = provider.task("受理")
    page = text_of(provider.get(f"/tasks/{task}"))
    limit = re.search(r'href="(/deadlines/\d+)"', page)
    assert limit
    places = [(provider, "/inbox/posts"), (provider, f"/tasks/{task}"), (provider, f"/cases/{case}"), (supervisor, "/board/tasks"),
              (supervisor, f"/cases/{case}"), (provider, limit[1])]
    chip = '<span class="chip chip-provisional">暂定</span>'
    assert [path for person, path in places if chip not in text_of(person.get(path))] == []
    assert provider.get(f"{limit[1]}.json").get_json()["provisional"] is True
    clock.to("2026-12-21 09:00")
    sent, approver = bring_in(desk("editor"), propose="1"), desk("approver")
    approver.get(sent.location)
    approver.post(f"{sent.location}/confirm")
    recount(cast.store)
    people = {provider: desk("provider"), supervisor: desk("supervisor")}
    later = {path: people[person].get(path) for person, path in places}
    assert [path for path, page in later.items() if page.status_code != 200 or chip in text_of(page)] == []
    assert people[provider].get(f"{limit[1]}.json").get_json()["provisional"] is False


def test_a_corrupted_notice_cannot_be_sent_on(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    wrong = TEXT.replace("1月9日（周六）上班", "1月9日（周日）上班")
    page = bring_in(editor, source=wrong)
    assert page.status_code == 422
    assert "1月9日是周六，不是周日" in text_of(page)
    assert wrong.splitlines()[3] in text_of(page)
    assert bring_in(editor, source=wrong, propose="1").status_code == 422
    assert text_of(editor.get("/calendars", follow_redirects=True)).count("待确认：") == 0


def test_a_doubt_wants_a_reason_and_the_second_person_reads_it(desk: Desks, clock: MovableClock) -> None:
    clock.to("2026-12-21 09:00")
    editor = desk("editor")
    lost = TEXT.replace("五、端午节：6月9日（周三）放假，共1天。\n", "")
    refused = bring_in(editor, source=lost, propose="1")
    assert refused.status_code == 422 and "请写明理由" in text_of(refused)
    sent = bring_in(editor, source=lost, propose="1", accepted="端午节另行通知")
    assert "录入人说明：端午节另行通知" in text_of(desk("approver").get(sent.location))


def test_a_file_is_read_like_the_paste(desk: Desks, clock: MovableClock) -> None:
    clock.to("2026-12-21 09:00")
    editor = desk("editor")
    editor.get("/calendars/import")
    page = editor.post("/calendars/import", {"file": (io.BytesIO(TEXT.encode("gb18030")), "通知.txt"), "published": "2026-12-21"})
    assert "核对无误" in text_of(page) and "关于2027年部分节假日安排的通知" in text_of(page)
    editor.get("/calendars/import")
    broken = editor.post("/calendars/import", {"file": (io.BytesIO(b"\x89PNG\x00"), "通知.png")})
    assert broken.status_code == 422 and "文件不是文字" in text_of(broken)


def test_a_closure_is_entered_by_hand_for_the_city(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    editor = desk("editor")
    order = {"source": "", "calendar": "city", "doc": "辽市政办发〔2026〕8号", "published": "2026-02-10", "days_off": "2026-02-26至2026-02-27"}
    sent = bring_in(editor, propose="1", **order)
    desk("approver").get(sent.location)
    approver = desk("approver")
    approver.get(sent.location)
    approver.post(f"{sent.location}/confirm")
    assert "本地安排停止办公（辽市政办发〔2026〕8号）" in text_of(desk("asker").get("/calendars/years/city/2026"))
    bad = bring_in(editor, **{**order, "doc": "x", "days_off": "下周一"})
    assert bad.status_code == 422 and "“下周一”看不懂" in text_of(bad)


def test_a_county_has_a_calendar_of_its_own(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    editor.get("/calendars/bindings")
    assert editor.post("/calendars/bindings", {"create": "1", "key": "County 1", "name": ""}).status_code == 422
    assert editor.post("/calendars/bindings", {"create": "1", "key": "jia", "name": "甲县工作日历", "follows_city": "1"}).status_code == 303
    with cast.store.read() as session:
        assert known(session).follow_city == {"jia"}
    assert "甲县工作日历" in text_of(editor.get("/calendars/years/jia/2026"))
    assert editor.post("/calendars/bindings", {"unit": "", "calendar": "jia"}).status_code == 422


@pytest.mark.parametrize("path", ["/calendars/import", "/calendars/bindings"])
@pytest.mark.parametrize("person", ["asker", "office_head", "auditor", "approver"])
def test_only_keepers_change_the_calendar(desk: Desks, path: str, person: str) -> None:
    assert desk(person).get(path).status_code == 403


def test_a_deadline_is_explained_as_json(desk: Desks) -> None:
    desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    provider = desk("provider")
    found = provider.get("/deadlines/1.json")
    assert found.status_code == 200, text_of(found)
    told = json.loads(found.get_data())
    assert told["counted"] and told["edition"].startswith("e11-")
    assert desk("outsider").get("/deadlines/1.json").status_code == 403
