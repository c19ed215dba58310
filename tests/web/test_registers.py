"""The catalogue, the negative list and the other lists, as different readers see them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from engine.process.timers import fire_due
from engine.sharing.catalogue import Resource, add_resource
from engine.sharing.grants import Grant
from engine.store.clock import MovableClock
from tests.web.cast import HOUSING, STATISTICS, Cast
from tests.web.desk import REQUEST, Desk, text_of

Desks = Callable[[str], Desk]


def test_a_resource_shows_its_elements_and_the_way_to_ask_for_it(desk: Desks) -> None:
    page = text_of(desk("asker").get(f"/catalogue/{HOUSING}"))
    for element in ("资源分类", "资源格式", "更新频度", "更新时限", "共享类型", "共享方式", "提供单位", "可否向社会开放", "共享条件", "信息项"):
        assert element in page
    assert "住房保障、救助核验；按人核验" in page
    assert f"/start/conditional_share?resource_code={HOUSING}" in page
    assert "发起有条件共享申请" not in text_of(desk("auditor").get(f"/catalogue/{HOUSING}")), "who may not start sees no button"


def test_the_items_of_a_withheld_resource_are_for_its_provider_and_the_office(desk: Desks) -> None:
    for login, sees in (("outsider", False), ("sysadmin", False), ("provider", True), ("office", True)):
        page = text_of(desk(login).get(f"/catalogue/{STATISTICS}"))
        assert ("营业收入" in page) is sees, login
        assert "《中华人民共和国统计法》第二十八条" in page, "the basis is public"


def test_the_negative_list_is_open_to_every_department(desk: Desks) -> None:
    person = desk("outsider")
    page = text_of(person.get("/negative-list"))
    assert "建筑业企业单户统计报表" in page and "法律" in page
    entry = text_of(person.get("/negative-list/1"))
    assert "不得对外提供、泄露" in entry and "营业收入" not in entry


def test_the_catalogue_is_searched_and_read_on(desk: Desks, cast: Cast) -> None:
    with cast.store.work() as work:
        for number in range(60):
            add_resource(
                work, code=f"209002/{number:06}", summary="首次编目", class_code="209002", kind="theme", name=f"住房维修资金{number}",
                provider_id=cast.actor("provider").unit_id, format="数据库", sharing_class="conditional", conditions="", method="联机查询",
                update_cycle="每月", update_deadline="", open_to_public=False, items=["项目"], state="published",
            )  # fmt: skip
    person = desk("asker")
    found = text_of(person.get("/catalogue?text=维修&sharing_class=conditional&provider=013"))
    assert found.count("<tr>") == 51 and "加载更多" in found, "a heading and fifty lines"
    assert 'hx-get="/catalogue?text=%E7%BB%B4%E4%BF%AE&amp;sharing_class=conditional&amp;provider=013&amp;after=209002%2F000049"' in found
    rest = text_of(person.get("/catalogue?text=维修&after=209002/000049", headers={"HX-Request": "true"}))
    assert rest.count("<tr>") == 10 and "<html" not in rest and "加载更多" not in rest
    assert "没有符合条件的信息资源" in text_of(person.get("/catalogue?text=不存在"))


def test_notices_are_unread_until_they_are_opened(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    case = desk("asker").ask()
    clock.to("2026-02-13 09:00")
    fire_due(cast.store)
    head = desk("asker_head")
    page = text_of(head.get("/notices"))
    assert 'class="unread"' in page and "条未读" in page
    opened = head.post("/notices/1/open", {"instance_id": str(case)})
    assert opened.location.startswith("/tasks/"), "it leads to what is due"
    assert f"/cases/{case}" in text_of(head.get(opened.location))
    head.get("/notices")
    assert head.post("/notices/read").location == "/notices"
    assert 'class="unread"' not in text_of(head.get("/notices"))


def test_the_operators_page_shows_incidents_to_the_operator_alone(desk: Desks) -> None:
    page = text_of(desk("sysadmin").get("/operations"))
    assert "没有待处理的异常" in page and "无心跳" in page
    assert desk("office").get("/operations").status_code == 403


def test_a_grant_is_renewed_from_its_line_by_the_unit_that_uses_it(desk: Desks, cast: Cast) -> None:
    asker = desk("asker")
    earlier = asker.ask()
    with cast.store.work() as work:
        resource = work.session.query(Resource).filter_by(code=HOUSING).one()
        grant = Grant(
            number="共享授权〔2026〕1号", resource_id=resource.id, unit_id=cast.actor("asker").unit_id, fields=["姓名"], use="工作参考",
            method="联机查询", conditions="", valid_until=date(2026, 6, 30), state="active", granted_at=work.now, instance_id=earlier,
        )  # fmt: skip
        work.session.add(grant)
        work.session.flush()
        link = f"/start/conditional_share?resource_code={HOUSING}&grant={grant.id}"
        about = {"resource_code": HOUSING, "grant": str(grant.id)}
    offer = f'href="{link.replace("&", "&amp;")}">申请续期'
    for path in (f"/catalogue/{HOUSING}", f"/cases/{earlier}"):
        assert offer in text_of(asker.get(path))
        assert "申请续期" not in text_of(desk("provider").get(path)), "it is not the provider's to ask"
    form = text_of(desk("asker").get(link))
    assert "续期：共享授权〔2026〕1号" in form and "低保家庭住房状况核验" in form, "what was said then is filled in"
    asker = desk("asker")
    asker.get(link)
    started = asker.post("/start/conditional_share", {**REQUEST, **about})
    assert started.status_code == 303, text_of(started)
    assert "市民政局申请续期“公租房保障对象”" in text_of(asker.get(started.location))
    for second in (asker.get(link), asker.post("/start/conditional_share", {**REQUEST, **about})):
        assert second.status_code == 422 and "正在办理续期（共享申请〔2026〕2号）" in text_of(second)
