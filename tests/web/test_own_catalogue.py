"""The catalogue as its owner works on it: a new entry, a change, and the way in for those who may take it directly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.sharing.catalogue import change_resource, lock_resource
from tests.web.cast import HOUSING, PERMITS, STATISTICS, Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]

#: A new entry as typed into its form.
ENTRY: Mapping[str, Any] = {
    "name": "住宅专项维修资金账户", "kind": "business", "abstract": "维修资金交存情况。", "source": "own", "format": "数据库",
    "items": "公民身份号码，字符型\n账户余额，数值型", "identifier": "公民身份号码", "level": "一般数据", "sharing_class": "conditional",
    "conditions": "按人核验", "sharing_scope": "全市各政务部门", "method": "联机查询", "update_cycle": "每月", "update_deadline": "次月5日前",
    "promise_no_secrets": "true",
}  # fmt: skip


def compile_entry(person: Desk, **changed: Any) -> Any:
    person.get("/start/catalogue_entry")
    return person.post("/start/catalogue_entry", {**ENTRY, **changed})


def test_a_cataloguer_enters_a_new_resource_from_the_page_of_their_unit(desk: Desks) -> None:
    owner = desk("provider")
    page = text_of(owner.get("/own-catalogue"))
    assert "新增目录" in page and 'href="/start/catalogue_entry"' in page
    assert "公租房保障对象" in page and "建筑业企业单户统计报表" in page
    form = text_of(owner.get("/start/catalogue_entry"))
    assert "列入目录的信息资源，应当明确分类" in form
    started = compile_entry(owner)
    assert started.status_code == 303
    page = text_of(owner.get("/own-catalogue"))
    assert "住宅专项维修资金账户" in page and "3070211000013/000002" in page and "编制中" in page
    draft = text_of(owner.get("/catalogue/3070211000013/000002"))
    assert "尚未发布" in draft and "正在办理资源目录编制发布" in draft
    assert desk("asker").get("/catalogue/3070211000013/000002").status_code == 404


def test_what_is_wrong_with_an_entry_is_said_at_its_field_and_nothing_typed_is_lost(desk: Desks) -> None:
    owner = desk("provider")
    refused = compile_entry(owner, identifier="统一社会信用代码")
    page = text_of(refused)
    assert refused.status_code == 422
    assert 'id="problem-identifier">信息项中没有“统一社会信用代码”' in page and "账户余额，数值型" in page
    withheld = text_of(compile_entry(owner, sharing_class="withheld", basis_type="local_rule"))
    assert 'id="problem-basis_type"' in withheld and "部门规章、地方性法规和规范性文件不能作为依据" in withheld


def test_other_units_have_their_own_page_and_no_button_without_the_post(desk: Desks) -> None:
    page = text_of(desk("outsider").get("/own-catalogue"))
    assert "新增目录" not in page and "公租房保障对象" not in page
    assert "本单位目录" in text_of(desk("outsider").get("/catalogue"))
    assert 'href="/own-catalogue"' not in text_of(desk("sysadmin").get("/catalogue"))


def test_a_resource_offers_to_each_what_they_may_do_with_it(desk: Desks) -> None:
    ways = {"owner": "变更或撤销目录", "taker": "直接获取"}
    for login, code, offered in (
        ("provider", HOUSING, {"owner"}), ("provider", PERMITS, {"owner"}), ("provider", STATISTICS, {"owner"}),
        ("asker", PERMITS, {"taker"}), ("asker", HOUSING, set()), ("auditor", PERMITS, set()),
    ):  # fmt: skip
        page = text_of(desk(login).get(f"/catalogue/{code}"))
        assert {way for way, label in ways.items() if label in page} == offered, (login, code)


def test_what_is_unconditional_is_taken_from_its_page_in_one_form(desk: Desks) -> None:
    person = desk("asker")
    person.get(f"/start/unconditional_access?resource_code={PERMITS}")
    taken = person.post(
        "/start/unconditional_access",
        {
            "resource_code": PERMITS, "requested_fields": ["许可证号"], "basis": "《社会救助暂行办法》", "use": "数据校核",
            "method": "批量下载", "system": "低保信息系统", "promise_no_third_party": "true", "promise_no_secrets": "true",
        },
    )  # fmt: skip
    assert taken.status_code == 303
    assert "已订阅" in text_of(person.get(taken.location))
    page = text_of(person.get(f"/catalogue/{PERMITS}"))
    assert "共享授权〔" in page and "直接获取" not in page


def test_every_version_says_what_changed_and_hides_what_is_withheld(desk: Desks, cast: Cast) -> None:
    for code, elements in ((HOUSING, {"method": "前置机共享", "items": ["姓名", "保障方式"]}), (STATISTICS, {"items": ["企业名称", "资产总额"]})):
        with cast.store.work() as work:
            row = lock_resource(work.session, code)
            change_resource(work.session, row, at=work.now, summary="年度维护", instance_id=None, **elements)
    page = text_of(desk("asker").get(f"/catalogue/{HOUSING}"))
    assert "变更2项：信息项、共享方式" in page and "共享方式：联机查询 → 前置机共享" in page
    assert "资产总额" not in text_of(desk("asker").get(f"/catalogue/{STATISTICS}"))
    assert "资产总额" in text_of(desk("office").get(f"/catalogue/{STATISTICS}"))
