"""信息不一致核实: departments that contradict each other and the office find out together who is right (article 19). Dates of 2026."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.sharing import inconsistencies
from engine.sharing.inconsistencies import InconsistencyLine
from engine.store.errors import Invalid, NotAllowed
from tests.engine.processes.oversight import letters, starts, text_of, told
from tests.town import ESTATE, HOUSING, Town

PROCESS = "data_inconsistency"


def reports(town: Town, *, unit: str = "007", codes: str = f"{HOUSING}\n{ESTATE}") -> int:
    return starts(
        town, PROCESS, unit, "handler", at="2026-03-02 09:00", resource_codes=codes, description="同一房屋的坐落不一致。",
        inconsistent_records="不动产单元号尾号0101",
    )  # fmt: skip


def states(town: Town, case: int) -> None:
    """Both providers explain themselves."""
    for unit in ("011", "013"):
        town.does(
            case, "Task_Statement", unit=unit, at="2026-03-05 10:00", statement_source=f"{unit}的法定职责", statement_updated="2026-02-01",
            statement_result="right", statement=f"{unit}的说明",
        )  # fmt: skip


def on_the_page(town: Town, resource: str = HOUSING, unit: str = "014") -> list[InconsistencyLine]:
    with town.store.read() as session:
        return inconsistencies.inconsistencies_of(session, town.officer(unit, "handler"), resource)


def test_it_is_accepted_explained_found_out_and_put_right(town: Town) -> None:
    case = reports(town)
    assert town.view(case, "Task_Accept").due_day == date(2026, 3, 4)
    town.does(case, "Task_Accept", at="2026-03-03 10:00", acceptance="accept")
    assert {task.due_day for task in town.sheet(case).open_tasks} == {date(2026, 3, 10)}
    for unit in ("011", "013"):
        assert "情况说明" in town.inbox(town.officer(unit, "intake"))
    states(town, case)
    town.does(
        case, "Task_Finding", finding="inconsistent", authority="011", finding_note="坐落以登记簿为准。", correction_demand="五日内更正。"
    )
    town.does(case, "Task_Sign", at="2026-03-09 10:00", signing="sign")
    opinion = letters(town, case)["verification_opinion"]
    assert (opinion.title, opinion.number, opinion.article) == ("核实意见", "经发中心核实〔2026〕1号", "第十九条")
    said = text_of(town, case, "verification_opinion")
    assert "011的说明" in said and "013的说明" in said and "自然资源局" in said and "五日内更正" in said
    (line,) = on_the_page(town)
    assert (line.state, line.instance_id) == ("found", None) and "自然资源局" in (line.authority_name or "")
    assert on_the_page(town, ESTATE, "011")[0].instance_id == case
    assert [task.unit_name[:9] for task in town.sheet(case).open_tasks] == ["市住房和城乡建设局"]  # the others, not the source
    town.does(case, "Task_Correct", at="2026-03-11 10:00", corrected_on="2026-03-11", correction_result="坐落已更正。")
    assert town.sheet(case).outcome_name == "已更正一致"
    assert on_the_page(town)[0].state_label == "已更正一致"
    assert "信息不一致已核实" in told(town, "007", "handler")


def test_where_nothing_contradicts_nothing_is_changed(town: Town) -> None:
    case = reports(town)
    town.does(case, "Task_Accept", acceptance="accept")
    states(town, case)
    given: dict[str, Any] = {"finding": "consistent", "authority": None, "finding_note": "统计口径不同。"}
    town.does(case, "Task_Finding", **given)
    with pytest.raises(Invalid):  # a return says why
        town.does(case, "Task_Sign", signing="return")
    town.does(case, "Task_Sign", signing="return", opinion="请补充口径说明。")
    town.does(case, "Task_Finding", **given)
    town.does(case, "Task_Sign", signing="sign")
    assert town.sheet(case).outcome_name == "无须更正"
    assert "无须更正" in text_of(town, case, "verification_opinion")
    assert on_the_page(town)[0].authority_name is None


def test_what_the_office_does_not_take_up_is_answered_with_the_reason(town: Town) -> None:
    case = reports(town)
    town.does(case, "Task_Accept", acceptance="reject", reject_reason="属于同一来源。", opinion="不予受理。")
    assert (town.sheet(case).outcome, on_the_page(town)) == ("rejected", [])
    assert "信息不一致未受理" in told(town, "007", "handler")


def test_the_office_may_take_it_up_itself_and_a_stranger_sees_nothing_of_the_case(town: Town) -> None:
    case = reports(town, unit="024")
    with pytest.raises(NotAllowed):
        town.sheet(case, town.officer("014", "handler"))
    town.does(case, "Task_Accept", acceptance="accept")
    assert town.sheet(case, town.officer("013", "intake")).number == "信息核实〔2026〕1号"
    town.passes_until("2026-03-10 00:00")  # nobody explained anything
    assert len(town.children(case, "supervision")) == 2


@pytest.mark.parametrize(
    ("codes", "why"),
    [(HOUSING, "至少两个"), (f"{HOUSING}\n209001/000002", "至少两个"), (f"{HOUSING}\n不存在", "不存在"), ("", "至少两个")],
)
def test_two_departments_must_be_named(town: Town, codes: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        reports(town, codes=codes)
    assert why in refused.value.fields["resource_codes"]
