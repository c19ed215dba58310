"""What the stories of the catalogue have in common: entries to compile and change, and what readers see of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.people.actor import Actor
from engine.sharing import catalogue
from tests.engine.processes.oversight import starts
from tests.town import Town

#: 商品房预售许可 of 013, shared without conditions.
PERMITS = "209001/000002"

#: What the register does not hold yet of an entry that was loaded with the town.
COMPLETED: Mapping[str, Any] = {"abstract": "预售许可核发结果。", "level": "一般数据", "sharing_scope": "全市各政务部门"}
#: A department's own business data, all elements stated.
REPAIRS: Mapping[str, Any] = {
    "name": "住宅专项维修资金账户",
    "kind": "business",
    "abstract": "维修资金交存和使用情况。",
    "source": "own",
    "format": "数据库",
    "items": "公民身份号码，字符型\n房屋坐落，字符型\n账户余额，数值型",
    "identifier": "公民身份号码",
    "level": "一般数据",
    "sharing_class": "conditional",
    "conditions": "按人核验",
    "sharing_scope": "全市各政务部门",
    "method": "联机查询",
    "update_cycle": "每月",
    "update_deadline": "次月5日前",
    "open_to_public": False,
}
LAW: Mapping[str, Any] = {
    "basis_type": "law", "basis": "中华人民共和国统计法", "basis_article": "第二十八条",
    "basis_text": "能够识别单个统计调查对象身份的资料，不得对外提供、泄露。", "partial_reason": "逐户数据无法脱敏。",
}  # fmt: skip
CHECKED: Mapping[str, Any] = {
    "review_finding": "pass", "checked_accurate": True, "checked_complete": True, "checked_compliant": True, "checked_secrecy": True,
}  # fmt: skip


def compiles(town: Town, unit: str = "013", *, at: str | None = None, **answers: Any) -> int:
    """The unit's cataloguer compiles an entry; returns the case."""
    given = {**REPAIRS, **answers}
    return starts(town, "catalogue_entry", unit, "cataloguer", at=at, **given)


def changes(town: Town, resource: str = PERMITS, unit: str = "013", *, at: str | None = None, **answers: Any) -> int:
    """The unit's cataloguer changes an entry of its own, on the very day unless said otherwise; returns the case."""
    if at is not None:
        town.passes_until(at)
    given: dict[str, Any] = {
        "trigger": "element", "occurred_on": at[:10] if at else None, "change_basis": "业务系统改造", "change_summary": "改为系统推送",
        **COMPLETED, "method": "前置机共享", **answers,
    }  # fmt: skip
    return starts(town, "catalogue_change", unit, "cataloguer", about={"resource_code": resource}, **given)


def takes(town: Town, unit: str = "007", resource: str = PERMITS, *, at: str | None = None, **answers: Any) -> int:
    """The unit's handler takes what is shared without conditions; returns the case."""
    given = {
        "basis": "《社会救助暂行办法》第五十八条", "use": "数据校核", "system": "社会救助信息核对系统", "promise_no_third_party": True,
        **answers,
    }  # fmt: skip
    return starts(town, "unconditional_access", unit, "handler", at=at, about={"resource_code": resource}, **given)


def reviewed(town: Town, case: int, step: str = "Task_ElementUpdateReview", **answers: Any) -> None:
    """The reviewer goes through the entry item by item and passes it."""
    town.does(case, step, **{**CHECKED, **answers})


def sheet_of(town: Town, code: str, reader: Actor | None = None) -> catalogue.ResourceSheet:
    """A resource as somebody sees it; a department that has nothing to do with it unless said otherwise."""
    with town.store.read() as session:
        return catalogue.resource_sheet(session, reader or town.officer("006", "handler"), code)
