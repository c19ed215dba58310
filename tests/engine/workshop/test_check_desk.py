"""What a diagram says about the officer's desk: which verbs a step has, and what the check says of those that mean nothing."""

from __future__ import annotations

import pytest

import engine.sharing.registry  # noqa: F401  (makes operations, words and subjects known)
from engine.process.actions import ACTIONS, ANY, STARTER, actions_of, return_targets_named
from engine.process.check import check
from engine.process.interpreter.model import Problem
from engine.process.interpreter.reader import read_diagram
from engine.process.package import Package
from tests.engine.interpreter.diagrams import Details, diagram, element, multi
from tests.engine.process.office import choice, form, text

WHO = {"unit": "'A'", "post": "handler"}


def two_steps(first: Details | None = None, second: Details | None = None, **process: str) -> Package:
    """A first and a second task by the handler of unit A."""
    drawn = diagram(
        "start > user:first > service:letter > user:second > end", element("letter", operation="cases.escalate"),
        first or element("first", **WHO), second or element("second", name="复核", **WHO), **process,
    )  # fmt: skip
    return Package("r", drawn)


def found(package: Package) -> list[Problem]:
    return check(package, set())


def only(package: Package) -> Problem:
    problems = found(package)
    assert len(problems) == 1, [problem.message for problem in problems]
    return problems[0]


# -- verbs --------------------------------------------------------------------------------------


def test_a_step_has_the_verbs_of_its_process_or_its_own_instead() -> None:
    silent = read_diagram(two_steps().xml)
    assert actions_of(silent, "first") == frozenset()
    given = read_diagram(two_steps(element("first", actions="urge, copy_to", **WHO), actions="return,transfer").xml)
    assert actions_of(given, "first") == {"urge", "copy_to"}
    assert actions_of(given, "second") == {"return", "transfer"}
    quiet = read_diagram(two_steps(element("first", actions="none", **WHO), actions=",".join(ACTIONS)).xml)
    assert actions_of(quiet, "first") == frozenset()
    assert actions_of(quiet, "second") == actions_of(quiet, "start") == set(ACTIONS)


def test_all_verbs_and_none_pass_the_check() -> None:
    assert found(two_steps(element("first", actions="none", **WHO), actions=",".join(ACTIONS))) == []


def test_a_misspelt_verb_is_refused_with_what_was_meant() -> None:
    problem = only(two_steps(element("first", name="初审", actions="urge,transfr", **WHO)))
    assert (problem.rule, problem.element, problem.severity) == ("action-unknown", "first", "error")
    assert problem.message == "环节“初审”（first）的可用动作（actions）中没有“transfr”，是否应为“transfer”？"


def test_a_verb_of_the_process_that_nobody_knows_is_refused() -> None:
    problem = only(two_steps(actions="fly"))
    assert (problem.rule, problem.element) == ("action-unknown", None)
    assert "没有“fly”，应为return、withdraw、" in problem.message


def test_none_beside_a_verb_says_two_things_at_once() -> None:
    problem = only(two_steps(actions="none,urge"))
    assert (problem.rule, problem.severity) == ("action-unknown", "error")


# -- where a step may be returned to --------------------------------------------------------------


def test_a_return_goes_to_the_starter_or_any_earlier_step_unless_the_step_says_where() -> None:
    drawn = read_diagram(two_steps(second=element("second", returnTo="first, starter", **WHO), actions="return").xml)
    assert return_targets_named(drawn, "first") == {STARTER, ANY}
    assert return_targets_named(drawn, "second") == {"first", STARTER}


def test_named_targets_pass_the_check() -> None:
    assert found(two_steps(second=element("second", returnTo="first,starter,previous", **WHO), actions="return")) == []
    assert found(two_steps(second=element("second", returnTo="any", actions="return", **WHO))) == []


@pytest.mark.parametrize(
    ("target", "rule", "words"),
    [("frist", "return-to-unknown", "“frist”不是本流程的环节"), ("letter", "return-to-no-task", "不是由人办理的环节"), ("second", "return-to-itself", "不能退回到自己")],
)
def test_a_target_that_cannot_be_one_is_refused(target: str, rule: str, words: str) -> None:
    problem = only(two_steps(second=element("second", returnTo=target, actions="return", **WHO)))
    assert (problem.rule, problem.element, problem.severity) == (rule, "second", "error")
    assert words in problem.message


def test_targets_of_a_step_that_may_not_be_returned_are_refused() -> None:
    problem = only(two_steps(second=element("second", name="复核", returnTo="first", **WHO), actions="urge"))
    assert (problem.rule, problem.element) == ("return-not-allowed", "second")
    assert "不允许退回" in problem.message


# -- votes ----------------------------------------------------------------------------------------

VOTE = {"countersign": "all", "vote": "stance", "approve": "yes", "result": "signed", "form": "ballot", "assignee": "signer"}
STANCE = choice("stance", "yes", "no", required=True)


def ballot(*fields: dict[str, object], over: str = "holders('A', 'handler')", **says: str) -> Package:
    """All handlers of unit A vote."""
    drawn = diagram(
        "start > user:sign > xor:came", "came [signed.passed] > end:yes", "came [default] > end:no",
        element("sign", name="会签", **{**WHO, **VOTE, **says}), multi("sign", over=over, item="signer"), startPosts="handler",
    )  # fmt: skip
    return Package("r", drawn, {"ballot": form(*fields)})


def test_a_countersign_over_the_holders_of_a_post_passes_the_check() -> None:
    assert found(ballot(STANCE, text("why"))) == []


@pytest.mark.parametrize(
    ("field", "says", "rule", "words"),
    [
        (text("other"), {}, "vote-unknown", "表决字段（vote）“stance”不在它的表单中"),
        (text("stance", required=True), {}, "vote-no-choice", "应当是单选"),
        (choice("stance", "yes", "no"), {}, "vote-optional", "应当必填"),
        (choice("stance", "yes", "no", required=True, when="given(case)"), {}, "vote-optional", "没有显示条件"),
        (choice("stance", "agree", "no", required=True), {}, "vote-never-approves", "没有“yes”（approve）这一选项"),
        (STANCE, {"readonlyFields": "stance"}, "vote-not-asked", "不显示或只读，无法表决"),
        (STANCE, {"hiddenFields": "stance"}, "vote-not-asked", "不显示或只读，无法表决"),
        (STANCE, {"assignee": "singer"}, "unknown-name", "没有变量“singer”"),
        (STANCE, {"over": "holders('A', 'handlers')"}, "post-unknown", "岗位“handlers”不存在"),
        (STANCE, {"result": "passed_by"}, "unknown-name", "没有变量“signed”"),
    ],
)
def test_a_vote_that_could_never_be_given_or_never_approve_is_refused(field: dict[str, object], says: dict[str, str], rule: str, words: str) -> None:
    problems = [problem for problem in found(ballot(field, **says)) if problem.rule != "field-asked-nowhere"]
    assert [(problem.rule, problem.severity) for problem in problems] == [(rule, "error")], [problem.message for problem in problems]
    assert words in problems[0].message
