"""The inbox through its pages: tabs, filters in the address, filters under a name, receipts, many tasks at once, the next one."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from engine.people.accounts import create_account
from engine.process.desk.copies import copy_case
from engine.process.desk.signatures import add_signers
from engine.process.tables import Task
from engine.process.tasks import claim_task
from tests.engine.desk.crowd import checks
from tests.web.cast import Cast, one_hash
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


def _three_requests(desk: Desks) -> list[int]:
    """Requests of 007 for three resources of 013 that its own head still has to sign."""
    asker = desk("asker")
    return [asker.ask("209001/000001") for _ in range(3)]


def titles(page: str) -> list[str]:
    return re.findall(r'<td class="main"><a href="[^"]+">([^<]+)</a>', page)


def test_the_address_is_the_filter_and_stays_on_the_way_to_the_task_and_back(desk: Desks) -> None:
    _three_requests(desk)
    head = desk("asker_head")
    found = text_of(head.get("/inbox/posts?q=gzfbz&process=conditional_share&unit=007"))
    assert len(titles(found)) == 3 and "清除筛选" in found
    trail = quote("posts?q=gzfbz&process=conditional_share&unit=007", safe="")
    assert f"?list={trail}" in found, "the task knows from where one came"
    assert titles(text_of(head.get("/inbox/posts?q=gzfbx"))) == []
    assert "没有符合筛选条件的事项（“gzfbx”）" in text_of(head.get("/inbox/posts?q=gzfbx"))
    assert titles(text_of(head.get("/inbox/posts?unit=013"))) == []


def test_what_an_address_cannot_mean_is_said_and_nothing_is_listed(desk: Desks) -> None:
    _three_requests(desk)
    response = desk("asker_head").get("/inbox/posts?light=pink&colour=red&q=gzfbz")
    page = text_of(response)
    assert response.status_code == 422 and titles(page) == []
    assert "不认识的筛选条件“colour”" in page and "“时限状态”没有“pink”这一选项" in page
    assert 'value="gzfbz"' in page, "what was asked for stands there to be mended"
    assert desk("asker_head").get("/inbox/posts?after=nonsense").status_code == 422


def test_pages_of_a_filtered_list_join_without_loss(desk: Desks, cast: Cast) -> None:
    _three_requests(desk)
    with cast.store.work() as work:
        task = work.session.query(Task).where(Task.state == "open").first()
        assert task is not None
        same = {column.name: getattr(task, column.key) for column in Task.__table__.columns if column.name not in ("id", "token")}
        work.session.add_all(Task(**same, token=f"more-{number}") for number in range(60))
    head = desk("asker_head")
    first = text_of(head.get("/inbox/posts?q=gzfbz"))
    onward = re.search(r'<a class="btn btn-sm" href="([^"]+)"[^>]*>加载更多', first)
    assert onward and "q=gzfbz" in onward[1]
    second = text_of(head.get(onward[1].replace("&amp;", "&"), headers={"HX-Request": "true"}))
    numbers = re.findall(r'name="id" value="(\d+)"', first + second)
    assert len(numbers) == len(set(numbers)) == 63


def test_a_filter_is_kept_shared_and_applied_with_one_click(desk: Desks) -> None:
    asker, head, outsider = desk("asker"), desk("asker_head"), desk("outsider")
    asker.get("/inbox/mine?light=red")
    assert asker.post("/inbox/filters", {"list": "mine?light=red", "name": "红灯件", "shared": "1"}).location == "/inbox/mine?light=red"
    assert 'href="/inbox/mine?light=red"' in text_of(head.get("/inbox/posts"))
    assert "红灯件" not in text_of(outsider.get("/inbox/mine"))
    assert head.post("/inbox/filters/1/delete", {"list": "mine"}).status_code == 403
    assert outsider.post("/inbox/filters/1/delete", {"list": "mine"}).status_code == 404
    assert asker.post("/inbox/filters", {"list": "mine?light=red", "name": "红灯件"}).status_code == 422
    assert asker.post("/inbox/filters/1/delete", {"list": "https://example.org/"}).location == "/inbox", "never out of the inbox"
    assert "红灯件" not in text_of(asker.get("/inbox/mine"))


def test_a_copy_is_counted_until_it_is_read(desk: Desks, cast: Cast) -> None:
    (case,) = checks(cast.store, cast.actor("asker"), 1)
    copy_case(cast.store, case, actor=cast.actor("asker"), people=[cast.ids["asker_head"]], note="请知悉进度")
    head = desk("asker_head")
    page = text_of(head.get("/inbox/copies"))
    assert "钱民政：请知悉进度" in page and 'data-count="copies" data-count-zero>1<' in page
    assert desk("outsider").post("/copies/1/read", {"remark": "偷看"}).status_code == 404
    head.get("/inbox/copies?read=no")
    assert head.post("/copies/1/read", {"remark": "已阅", "list": "copies?read=no"}).location == "/inbox/copies?read=no"
    assert titles(text_of(head.get("/inbox/copies?read=no"))) == []
    page = text_of(head.get("/inbox/copies"))
    assert "已阅：已阅" in page and 'data-count="copies" data-count-zero>0<' in page
    assert head.post("/copies/1/read").status_code == 409


def test_what_one_started_says_where_it_lies(desk: Desks) -> None:
    _three_requests(desk)
    page = text_of(desk("asker").get("/inbox/started?unit=007&q=gzf"))
    assert len(titles(page)) == 3 and page.count("部门负责人审签") == 3
    assert titles(text_of(desk("asker").get("/inbox/started?unit=013"))) == []


def test_claiming_many_reports_each_and_leads_back_to_the_list(desk: Desks, cast: Cast) -> None:
    _three_requests(desk)
    unit = cast.actor("asker_head").unit_id
    create_account(cast.store, "twin", "孙民政", unit, actor=None, password_hash=one_hash(), appointments=[(unit, "head")])
    head, twin = desk("asker_head"), desk("twin")
    numbers = re.findall(r'name="id" value="(\d+)"', text_of(head.get("/inbox/posts?q=gzf")))
    twin.get("/inbox/posts")
    twin.post(f"/tasks/{numbers[1]}/claim")
    report = text_of(head.post("/inbox/claim", {"id": numbers, "list": "posts?q=gzf"}))
    assert "已签收2件，未签收1件" in report and "该待办已被孙民政签收" in report and 'href="/inbox/posts?q=gzf"' in report
    assert 'data-count="mine" data-count-zero>2<' in text_of(head.get("/inbox/mine"))
    for sent, sentence in (({}, "请先选择待办"), ({"id": ["1", "x"]}, "所选待办的编号有误"), ({"id": [str(n) for n in range(101)]}, "一次最多处理100件")):
        refused = head.post("/inbox/claim", sent)
        assert refused.status_code == 422 and sentence in text_of(refused)


def test_one_form_for_many_keeps_what_was_typed_for_those_that_were_refused(desk: Desks, cast: Cast) -> None:
    checks(cast.store, cast.actor("asker"), 3)
    asker = desk("asker")
    numbers = re.findall(r'name="id" value="(\d+)"', text_of(asker.get("/inbox/posts?process=checks")))
    shown = text_of(asker.get(f"/inbox/bulk?id={'&id='.join(numbers)}&list=posts"))
    assert "核对表" in shown and "办结这3件" in shown
    refused = asker.post("/inbox/bulk", {"id": numbers, "list": "posts", "result": "no"})
    page = text_of(refused)
    assert refused.status_code == 422 and "未办结3件" in page and 'id="problem-why"' in page
    assert re.search(r'value="no"[^>]* checked', page) and re.findall(r'type="hidden" name="id" value="(\d+)"', page) == numbers
    done = text_of(asker.post("/inbox/bulk", {"id": numbers, "list": "posts", "result": "no", "why": "不符"}))
    assert "已办结3件。" in done and titles(text_of(asker.get("/inbox/posts?process=checks"))) == []
    again = asker.post("/inbox/bulk", {"id": numbers, "list": "posts", "result": "yes"})
    assert again.status_code == 422 and "无需重复办理" in text_of(again)


def test_a_step_whose_form_is_not_for_many_says_so(desk: Desks, cast: Cast) -> None:
    checks(cast.store, cast.actor("asker"), 1, bulk=False)
    asker = desk("asker")
    number = asker.task("核对")
    response = asker.get(f"/inbox/bulk?id={number}&list=posts")
    assert response.status_code == 422 and "“核对”须逐件办理，其表单不允许批量办结" in text_of(response)


def test_the_next_task_is_the_most_urgent_of_the_list_one_came_from(desk: Desks) -> None:
    _three_requests(desk)
    head = desk("asker_head")
    numbers = re.findall(r'name="id" value="(\d+)"', text_of(head.get("/inbox/posts")))
    trail = quote("posts?q=gzf", safe="")
    assert head.get(f"/inbox/next?list={trail}").location == f"/tasks/{numbers[0]}?list={trail}"
    assert head.get(f"/inbox/next?list={quote('posts?q=zzz', safe='')}").location == "/inbox/posts?q=zzz"
    assert head.get("/inbox/next").location == "/inbox/mine", "of one's own there is none"
    assert head.get(f"/inbox/next?list={quote('//example.org', safe='')}").location == "/inbox"


def test_who_completes_a_task_goes_on_with_the_next_of_the_list_or_stays_if_they_like(desk: Desks) -> None:
    _three_requests(desk)
    head = desk("asker_head")
    first, second, third = re.findall(r'name="id" value="(\d+)"', text_of(head.get("/inbox/posts?q=gzf")))
    page = text_of(head.get(f"/tasks/{first}?list={quote('posts?q=gzf', safe='')}"))
    assert 'name="desk.list" value="posts?q=gzf"' in page and 'name="desk.next" value="1" checked' in page
    sent = {"sign": "agree", "desk.list": "posts?q=gzf"}
    refused = text_of(head.post(f"/tasks/{first}", {"desk.list": "posts?q=gzf", "desk.next": "1"}))
    assert 'name="desk.list" value="posts?q=gzf"' in refused, "a refused form still knows the list"
    onward = head.post(f"/tasks/{first}", {**sent, "desk.next": "1"}).location
    assert head.get(onward).location.startswith(f"/tasks/{second}?list=posts")
    assert head.post(f"/tasks/{second}", sent).location == "/inbox/posts?q=gzf"
    assert head.get(head.post(f"/tasks/{third}", {**sent, "desk.next": "1"}).location).location == "/inbox/posts?q=gzf"
    assert "这个列表中没有待办了" in text_of(head.get("/inbox/posts?q=gzf"))


def test_what_only_waits_for_signatures_is_not_the_next_task(desk: Desks, cast: Cast) -> None:
    checks(cast.store, cast.actor("asker"), 2)
    asker = desk("asker")
    first, second = map(int, re.findall(r'name="id" value="(\d+)"', text_of(asker.get("/inbox/posts?process=checks"))))
    for number in (first, second):
        claim_task(cast.store, number, actor=cast.actor("asker"))
    add_signers(cast.store, first, actor=cast.actor("asker"), people=[cast.ids["asker_head"]], signing="beside", note="")
    onward = asker.post(f"/tasks/{first}", {"result": "yes", "desk.list": "mine", "desk.next": "1"}).location
    assert asker.get(onward).location == f"/tasks/{second}?list=mine"
    assert "已提交，待加签 1" in text_of(asker.get("/inbox/mine"))
