"""年度评价: automatic scores, self-assessment, objection, result, and what a low one leads to (article 28). Dates of 2026."""

from __future__ import annotations

from datetime import date

import pytest

from engine.sharing import evaluation
from engine.sharing.duties import DIAGRAMS
from engine.sharing.evaluation import EvaluationLine, grade_of, score
from engine.sharing.schedule import section_of
from tests.engine.processes.duties import opened_for, sweep, units_with
from tests.town import Town

ASSESSED = {"self_score": 90, "self_note": "按要求办理。"}


def opened(town: Town, unit: str = "013") -> int:
    sweep(town, "2026-11-01 08:00")
    return opened_for(town, unit, "annual_evaluation", "2026")


def line_of(town: Town, case: int) -> EvaluationLine:
    with town.store.read() as session:
        return next(line for line in evaluation.search(session, town.officer("024", "head")).lines if line.instance_id == case)


def checked(town: Town, case: int, adjustment: float = 0) -> None:
    """Assessed by the unit, checked by the office."""
    town.does(case, "Task_SelfAssess", at="2026-11-03 09:00", **ASSESSED)
    why = {"adjustment_reason": "安全检查扣分。"} if adjustment else {"adjustment_reason": None}
    town.does(case, "Task_Check", adjustment=adjustment, **why)


def test_it_opens_on_the_first_of_november_with_the_scores_of_the_year(town: Town) -> None:
    sweep(town, "2026-10-31 23:00")
    assert units_with(town, "annual_evaluation", "2026") == 0
    case = opened(town)
    assert units_with(town, "annual_evaluation", "2026") == 27
    line = line_of(town, case)
    assert line.total == line.automatic == sum(one.points for one in line.scores) == 98  # its report of the third quarter is overdue
    assert town.view(case, "Task_SelfAssess").due_day == date(2026, 11, 13)  # 1 November is a Sunday: ten days after


def test_a_result_nobody_objects_to_is_confirmed_and_public(town: Town) -> None:
    case = opened(town)
    checked(town, case, adjustment=-5)
    assert (line_of(town, case).total, line_of(town, case).grade) == (95, "优秀")
    town.does(case, "Task_Objection", objection="none")
    assert line_of(town, case).state == "open"
    town.does(case, "Task_Confirm", confirmation="agree")
    done = line_of(town, case)
    assert (done.state, done.reason, town.sheet(case).outcome) == ("concluded", "安全检查扣分。", "evaluated")


def test_silence_in_the_time_for_objections_decides_nothing_but_lets_the_head_confirm(town: Town) -> None:
    case = opened(town)
    checked(town, case)
    assert town.view(case, "Task_Objection").due_day == date(2026, 11, 10)
    town.passes_until("2026-11-11 00:00")
    assert town.sheet(case).current_steps == ["Task_Confirm"]
    assert line_of(town, case).state == "open"


def test_an_objection_is_checked_again_and_a_low_result_leads_to_rectification(town: Town) -> None:
    case = opened(town)
    checked(town, case, adjustment=-30)
    town.does(case, "Task_Objection", objection="object", objection_reason="扣分依据不足。")
    assert town.view(case, "Task_Recheck").due_day == date(2026, 11, 10)
    town.does(case, "Task_Recheck", adjustment=-25, adjustment_reason="部分采纳。", recheck_note="已复核。")
    town.does(case, "Task_Confirm", confirmation="return", opinion="再核")
    town.changes("annual_evaluation", "evaluation.total &lt; 60", "evaluation.total &lt; 80")  # of no effect on a running case
    town.does(case, "Task_Recheck", adjustment=-30, adjustment_reason="维持。", recheck_note="已复核。")
    town.does(case, "Task_Confirm", confirmation="agree")
    assert (line_of(town, case).total, town.sheet(case).outcome) == (70, "evaluated")


@pytest.mark.parametrize("answer, outcome", [("none", "evaluated"), ("rectify", None)])
def test_a_low_result_is_offered_to_the_office_which_decides(town: Town, answer: str, outcome: str | None) -> None:
    town.changes("annual_evaluation", "evaluation.total &lt; 60", "evaluation.total &lt; 80")
    case = opened(town)
    checked(town, case, adjustment=-30)
    town.does(case, "Task_Objection", objection="none")
    town.does(case, "Task_Confirm", confirmation="agree")
    town.does(case, "Task_Offer", offer=answer, offer_reason="已研究。")
    assert town.sheet(case).outcome == outcome
    begun = town.children(case, "rectification")
    assert len(begun) == (answer == "rectify")
    if begun:
        assert town.sheet(begun[0]).variables["rectified_unit"] == "013"


def test_scores_are_read_from_the_figures_by_the_rule_set() -> None:
    rules = section_of(DIAGRAMS, "liaoyang_2018", "evaluation")
    assert sum(indicator["weight"] for indicator in rules["indicators"]) == 100
    idle = dict.fromkeys(
        ("items", "updates", "updates_on_time", "requests", "replies", "reply_days", "refusals", "overdue", "corrections", "corrections_done"), 0
    )
    by_label = {one.label: one.score for one in score({**idle, "requests": 4, "replies": 1, "overdue": 9}, rules["indicators"])}
    assert (by_label["答复率"], by_label["按期办理"]) == (25, 0)
    assert [grade_of(total, rules["grades"]) for total in (90, 89.9, 60, 59.9)] == ["优秀", "良好", "合格", "不合格"]
