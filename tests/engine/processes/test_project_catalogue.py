"""项目信息资源目录: compiled before a project is approved, listed before it is accepted (article 29). Dates of 2026."""

from __future__ import annotations

from datetime import date

import pytest

from engine.sharing import projects
from engine.sharing.projects import Planned, ProjectLine, gaps_between, read_planned
from engine.store.errors import Invalid
from tests.engine.processes.oversight import letters, starts, told
from tests.town import Town

#: 013 publishes 商品房预售许可 already, and promises one more.
PLANNED = "商品房预售许可\n房屋租赁备案：租赁双方、房屋坐落"
PROJECT = {"project_name": "智慧住建", "budget": 320.5, "purpose": "统一业务平台。"}


def proposed(town: Town, planned: str = PLANNED) -> int:
    return starts(town, "project_catalogue", "013", "handler", at="2026-03-02 09:00", planned=planned, **PROJECT)


def approved(town: Town, planned: str = PLANNED) -> int:
    case = proposed(town, planned)
    town.does(case, "Task_Opinion", opinion_result="agree", catalogue_opinion="目录完整。")
    town.does(case, "Task_Approve", approval="approve")
    return case


def line_of(town: Town, case: int, reader: tuple[str, str] = ("024", "head")) -> ProjectLine:
    with town.store.read() as session:
        found = projects.search(session, town.officer(*reader)).lines
    return next(line for line in found if line.instance_id == case)


def test_the_office_gives_its_opinion_in_five_days_and_finance_decides(town: Town) -> None:
    case = proposed(town)
    assert town.view(case, "Task_Opinion").due_day == date(2026, 3, 9)
    town.does(case, "Task_Opinion", opinion_result="agree", catalogue_opinion="目录完整。")
    assert town.view(case, "Task_Approve").unit_name.startswith("市财政局")
    town.does(case, "Task_Approve", approval="approve")
    assert line_of(town, case, ("009", "project_reviewer")).state == "approved"
    assert "project_opinion" in letters(town, case)


def test_a_returned_catalogue_is_amended_or_withdrawn(town: Town) -> None:
    case = proposed(town)
    town.does(case, "Task_Opinion", opinion_result="return", catalogue_opinion="请写明数据项。")
    town.does(case, "Task_Revise", amend_action="resubmit", planned="房屋租赁备案：租赁双方", promise_no_secrets=True)
    assert line_of(town, case).resources == ("房屋租赁备案",)
    town.does(case, "Task_Opinion", opinion_result="return", catalogue_opinion="仍不完整。")
    withdrawn = dict.fromkeys(("project_name", "budget", "purpose", "planned", "reuse", "promise_no_secrets"))
    town.does(case, "Task_Revise", **{"amend_action": "withdraw", **withdrawn})
    assert (town.sheet(case).outcome, line_of(town, case).state) == ("withdrawn", "withdrawn")


def test_finance_may_refuse(town: Town) -> None:
    case = proposed(town)
    town.does(case, "Task_Opinion", opinion_result="agree", catalogue_opinion="目录完整。")
    town.does(case, "Task_Approve", approval="refuse", approval_reason="重复建设。")
    assert (town.sheet(case).outcome, line_of(town, case).state) == ("refused", "refused")


def test_a_gap_blocks_the_acceptance_and_is_named(town: Town) -> None:
    case = approved(town)
    town.does(case, "Task_RequestAcceptance", at="2026-09-01 09:00", built_on="2026-08-31", built_note="已建成。")
    line = line_of(town, case)
    assert (line.state, line.gaps) == ("blocked", ("“房屋租赁备案”未列入目录",))
    assert town.sheet(case).current_steps == ["Task_RequestAcceptance"]
    assert "项目信息资源目录有缺口，不能验收" in told(town, "013", "handler")


def test_what_is_all_listed_is_accepted(town: Town) -> None:
    case = approved(town, "商品房预售许可")
    town.does(case, "Task_RequestAcceptance", at="2026-09-01 09:00", built_on="2026-08-31", built_note="已建成。")
    town.does(case, "Task_Accept", acceptance="return", acceptance_reason="请补充材料。")
    town.does(case, "Task_RequestAcceptance", built_on="2026-08-31", built_note="已补充。")
    town.does(case, "Task_Accept", acceptance="accept")
    line = line_of(town, case)
    assert (line.state, town.sheet(case).outcome) == ("accepted", "accepted")
    assert "project_acceptance" in letters(town, case)


def test_a_project_without_a_catalogue_is_not_taken(town: Town) -> None:
    with pytest.raises(Invalid) as refused:
        proposed(town, "   ")
    assert "planned" in refused.value.fields


def test_others_do_not_see_a_unit_s_projects(town: Town) -> None:
    proposed(town)
    with town.store.read() as session:
        assert projects.search(session, town.officer("007", "handler")).lines == []


def test_the_comparison_names_missing_resources_and_missing_items() -> None:
    planned = read_planned("甲：姓名、证号\n\n 乙 \n丙:地址,面积\n甲：姓名")
    assert planned == [Planned("甲", ("姓名",)), Planned("乙", ()), Planned("丙", ("地址", "面积"))]
    assert gaps_between(planned, {"甲": ["姓名"], "丙": ["地址"]}) == ["“乙”未列入目录", "“丙”缺少数据项：面积"]
    assert gaps_between(planned, {"甲": ["姓名"], "乙": [], "丙": ["面积", "地址"]}) == []
