"""Queries of tasks that programs keep under a name, beside the filters of the inbox, which they never meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from engine.process.desk.filters import KEPT_MAX
from engine.process.desk.tables import SavedFilter
from tests.web.api.client import Program, refusal
from tests.web.api.test_access import statements
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]


def kept(name: str = "待签", query: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What keeps a filter."""
    return {"resourceType": "Task", "name": name, "query": {"nameLike": "%审签"} if query is None else query, **more}


def test_a_filter_is_kept_asked_and_deleted(program: Programs, desk: Desks) -> None:
    cases = [desk("asker").ask() for _ in range(3)]
    desk("asker_head").do("部门负责人审签", sign="agree")
    head = program("asker_head")
    query = {"taskDefinitionKeyIn": None, "nameLike": "%审签", "createdBefore": "2026-03-02T00:00:00.000+0800",
             "sorting": [{"sortBy": "instanceId", "sortOrder": "desc"}]}
    made = head.post("/filter/create", kept(query=query, owner="asker_head", properties={"color": "#3e4d2f", "priority": 3}))
    assert made == head.get(f"/filter/{made['id']}") == {
        "id": made["id"], "resourceType": "Task", "name": "待签", "owner": "asker_head", "properties": {"color": "#3e4d2f", "priority": 3},
        "query": {name: value for name, value in query.items() if value is not None}, "office": {"shared": False},
    }
    found = head.get(f"/filter/{made['id']}/list")
    assert found == head.post("/task", made["query"]) and {int(task["processInstanceId"]) for task in found} < set(cases)
    assert head.get(f"/filter/{made['id']}/count") == {"count": 2} and head.get(f"/filter/{made['id']}", itemCount="true")["itemCount"] == 2
    assert head.post(f"/filter/{made['id']}/list") == found, "asked for no more than what is kept"
    narrowed = {"processInstanceId": found[0]["processInstanceId"], "sorting": [{"sortBy": "name", "sortOrder": "asc"}]}
    assert head.post(f"/filter/{made['id']}/list", narrowed) == found[:1] and head.post(f"/filter/{made['id']}/count", narrowed) == {"count": 1}
    assert head.post(f"/filter/{made['id']}/list", {"nameLike": "%没有"}) == [], "what is asked now goes before what is kept"
    assert refusal(head.send("POST", f"/filter/{made['id']}/list", {"colour": "red"}))[0] == 400
    first = head.send("GET", f"/filter/{made['id']}/list?maxResults=1")
    rest = head.get(f"/filter/{made['id']}/list", after=first.headers["X-Next-After"])
    assert [*Program.fine(first), *rest] == found, "the page behind keeps the filter's own order"

    other = head.post("/filter/create", kept("全部", {}))
    assert [each["name"] for each in head.get("/filter", sortBy="filterId", sortOrder="asc")] == ["待签", "全部"]
    assert head.get("/filter", nameLike="全%") == head.get("/filter", filterId=other["id"]) == [other]
    assert head.get("/filter/count", resourceType="Task", owner="asker_head") == {"count": 2}
    assert head.send("DELETE", f"/filter/{made['id']}").status_code == 204
    assert refusal(head.send("GET", f"/filter/{made['id']}/list"))[0] == 404 and head.get("/filter/count") == {"count": 1}


def test_what_means_nothing_is_named_and_not_kept(program: Programs) -> None:
    head = program("asker_head")
    for sent, named in (
        (kept(query={"colour": "red"}), "query.colour"), (kept(query={"orQueries": [{"colour": "red"}]}), "query.orQueries[0].colour"),
        (kept(query={"assigneeExpression": "${currentUser()}"}), "query.assigneeExpression"), (kept(query={"dueBefore": "tomorrow"}), "query.dueBefore"),
        (kept(query={"sorting": [{"sortBy": "name", "sortOrder": "asc"}] * 2}), "sorting"), (kept(colour="red"), "colour"),
        (kept() | {"resourceType": "Case"}, "resourceType"), (kept(office={"colour": 1}), "office.colour"), (kept(owner="asker"), "owner"),
        ({"resourceType": "Task"}, "name"), (kept("  "), "名称"), (kept(properties={"description": "长" * 20_000}), "过长"),
    ):  # fmt: skip
        status, kind, said = refusal(head.send("POST", "/filter/create", sent))
        assert (status, kind) == (400, "InvalidRequestException") and named in said, (sent, said)
    assert refusal(head.send("GET", "/filter?colour=red"))[0] == 400 and head.get("/filter") == []
    assert refusal(head.send("GET", "/filter/1/singleResult"))[0] == 501


def test_a_shared_filter_is_found_in_the_unit_and_shows_each_what_they_may_see(program: Programs, desk: Desks) -> None:
    desk("asker").ask()
    asker, head, outsider = program("asker"), program("asker_head"), program("outsider")
    mine, ours = asker.post("/filter/create", kept("我的")), asker.post("/filter/create", kept("大家的", office={"shared": True}))
    assert head.get("/filter") == [ours] and head.get(f"/filter/{ours['id']}/count") == {"count": 1}
    assert refusal(head.send("GET", f"/filter/{mine['id']}"))[0] == 404 and outsider.get("/filter") == []
    assert refusal(head.send("DELETE", f"/filter/{ours['id']}"))[:2] == (403, "AuthorizationException")
    for address in (f"/filter/{ours['id']}", f"/filter/{ours['id']}/list", f"/filter/{ours['id']}/count"):
        assert refusal(outsider.send("GET", address))[0] == 404
    assert refusal(outsider.send("DELETE", f"/filter/{ours['id']}"))[0] == 404
    assert len(asker.get("/filter")) == 2


def test_the_inbox_and_the_programs_keep_out_of_each_others_way(program: Programs, desk: Desks, cast: Cast) -> None:
    asker, browser = program("asker"), desk("asker")
    browser.get("/inbox/mine?light=red")
    assert browser.post("/inbox/filters", {"list": "mine?light=red", "name": "红灯件", "shared": "1"}).status_code == 303
    made = asker.post("/filter/create", kept("红灯件", office={"shared": True}))
    with cast.store.read() as session:
        of_inbox = session.scalars(select(SavedFilter.id).where(SavedFilter.tab == "mine")).one()
    for reader in ("asker", "asker_head"):
        for tab in ("mine", "posts", "done", "copies", "started"):
            page = desk(reader).get(f"/inbox/{tab}")
            assert page.status_code == 200 and text_of(page).count('class="pick-link pick-kept"') == 1, "the inbox's own, and no other"
        assert [each["id"] for each in program(reader).get("/filter")] == [made["id"]]
    assert refusal(asker.send("GET", f"/filter/{of_inbox}"))[0] == 404
    assert refusal(asker.send("DELETE", f"/filter/{of_inbox}"))[0] == 404
    assert browser.post(f"/inbox/filters/{made['id']}/delete", {"list": "mine"}).status_code == 404
    assert browser.post("/inbox/filters", {"list": "mine?light=red", "name": "api", "tab": "api"}).status_code == 303, "no tab of programs from the page"
    assert asker.get("/filter/count") == {"count": 1}


def test_a_name_is_given_once_and_programs_fill_up_no_inbox(program: Programs, desk: Desks, cast: Cast) -> None:
    asker, browser = program("asker"), desk("asker")
    asker.post("/filter/create", kept("第0个"))
    status, _, said = refusal(asker.send("POST", "/filter/create", kept("第0个")))
    assert status == 400 and "已有" in said
    for number in range(1, KEPT_MAX):
        asker.post("/filter/create", kept(f"第{number}个"))
    status, _, said = refusal(asker.send("POST", "/filter/create", kept("再一个")))
    assert status == 400 and "最多" in said and asker.get("/filter/count") == {"count": KEPT_MAX}
    browser.get("/inbox/mine?light=red")
    assert browser.post("/inbox/filters", {"list": "mine?light=red", "name": "红灯件"}).status_code == 303, "who fills up theirs cannot be seen in the inbox"
    with statements(cast) as asked:
        asker.get("/filter")
    assert len(asked) == 2, "who asks, and what there is"


def test_a_filter_older_than_what_is_covered_says_so(program: Programs, cast: Cast) -> None:
    asker = program("asker")
    made = asker.post("/filter/create", kept())
    with cast.store.work() as work:
        row = work.session.get(SavedFilter, int(made["id"]))
        assert row is not None
        row.query = {**row.query, "query": {"formerly": "covered"}}
    for end in ("/list", "/count", "?itemCount=true"):
        status, _, said = refusal(asker.send("GET", f"/filter/{made['id']}{end}"))
        assert status == 400 and "query.formerly" in said
    assert asker.get(f"/filter/{made['id']}")["query"] == {"formerly": "covered"} and len(asker.get("/filter")) == 1


def test_a_filter_is_replaced_by_its_owner_alone(program: Programs, desk: Desks) -> None:
    desk("asker").ask()
    asker, head, outsider = program("asker"), program("asker_head"), program("outsider")
    asker.post("/filter/create", kept("全部", {}))
    made = asker.post("/filter/create", kept("我的", office={"shared": True}, properties={"color": "red"}))
    path = f"/filter/{made['id']}"
    assert asker.send("PUT", path, kept("大家的", {"nameLike": "%无%"}, owner="asker")).status_code == 204
    assert asker.get(path) == {**made, "name": "大家的", "query": {"nameLike": "%无%"}, "properties": {}, "office": {"shared": False}}
    assert asker.send("PUT", path, kept("大家的", {}, office={"shared": True})).status_code == 204, "its own name is not taken"
    for sent, word in ((kept("全部"), "已有"), (kept(query={"colour": 1}), "colour"), (kept(owner="asker_head"), "owner"), ({"resourceType": "Task"}, "name")):
        status, _, said = refusal(asker.send("PUT", path, sent))
        assert status == 400 and word in said
    assert refusal(head.send("PUT", path, kept("我改")))[:2] == (403, "AuthorizationException")
    assert refusal(outsider.send("PUT", path, kept("我改")))[0] == refusal(asker.send("PUT", "/filter/999", kept()))[0] == 404
    assert head.get(path)["name"] == "大家的" and head.get(f"{path}/count") == {"count": 1}


def test_a_filter_is_narrowed_by_what_is_asked_beside_it(program: Programs, desk: Desks) -> None:
    cases = [str(desk("asker").ask()) for _ in range(3)]
    head = program("asker_head")
    query = {"nameLike": "%审签", "processVariables": [{"name": "basis", "operator": "like", "value": "%办法%"}],
             "sorting": [{"sortBy": "instanceId", "sortOrder": "desc"}]}
    made = head.post("/filter/create", kept(query=query))
    path = f"/filter/{made['id']}"
    assert [each["processInstanceId"] for each in head.post(f"{path}/list", {})] == cases[::-1] and head.post(f"{path}/count") == {"count": 3}
    assert [each["processInstanceId"] for each in head.post(f"{path}/list", {"processInstanceId": cases[1]})] == [cases[1]]
    assert head.post(f"{path}/count", {"nameLike": "没有这样的"}) == {"count": 0}, "of the same name, the body's counts"
    both = {"processVariables": [{"name": "basis", "operator": "eq", "value": "x"}], "nameLike": None}
    assert head.post(f"{path}/count", both) == {"count": 0}, "conditions stand together"
    assert head.post(f"{path}/count", {"orQueries": [{"processInstanceId": cases[0]}, {}]}) == {"count": 1}
    order = {"sorting": [{"sortBy": "instanceId", "sortOrder": "asc"}, {"sortBy": "created", "sortOrder": "asc"}]}
    assert [each["processInstanceId"] for each in head.post(f"{path}/list", order)] == cases[::-1], "the kept order comes first"
    page = head.send("POST", f"{path}/list?maxResults=2", {})
    assert [each["processInstanceId"] for each in head.fine(head.send("POST", f"{path}/list?after={page.headers['X-Next-After']}", {}))] == cases[:1]
    assert "colour" in refusal(head.send("POST", f"{path}/list", {"colour": "red"}))[2]
    for end in ("list", "count"):
        assert refusal(program("asker").send("POST", f"{path}/{end}", {}))[0] == 404


def test_a_list_of_filters_counts_for_each(program: Programs, desk: Desks, cast: Cast) -> None:
    desk("asker").ask()
    head = program("asker_head")
    head.post("/filter/create", kept())
    old = head.post("/filter/create", kept("无", {"nameLike": "没有"}))
    assert {each["name"]: each["itemCount"] for each in head.get("/filter", itemCount="true")} == {"待签": 1, "无": 0}
    with cast.store.work() as work:
        row = work.session.get_one(SavedFilter, int(old["id"]))
        row.query = {**row.query, "query": {"formerly": "covered"}}
    assert {each["name"]: each["itemCount"] for each in head.get("/filter", itemCount="true")} == {"待签": 1, "无": None}
    with cast.store.work() as work:
        unit = cast.actor("asker").unit_id
        work.session.add_all(SavedFilter(account_id=cast.ids["asker"], unit_id=unit, name=f"共享{number}", tab="api",
                                         query={"query": {}, "properties": {}}, created_at=work.now) for number in range(KEPT_MAX))  # fmt: skip
    assert "maxResults" in refusal(head.send("GET", "/filter?itemCount=true"))[2]
    assert len(head.get("/filter", itemCount="true", maxResults=KEPT_MAX)) == KEPT_MAX and len(head.get("/filter")) == KEPT_MAX + 2
