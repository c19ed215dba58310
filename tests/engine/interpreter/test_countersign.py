"""Countersigns 会签: everybody, anybody, a share, in order; the end comes as soon as the result is certain, and not before."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine.process.interpreter.countersign import share
from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.model import Decided, DiagramError
from engine.process.interpreter.reader import check_structure, read_diagram
from tests.engine.interpreter.diagrams import Details, diagram, element, multi, timer
from tests.engine.interpreter.driving import Case

ALL, ANY = {"countersign": "all"}, {"countersign": "any"}
TWO_THIRDS = {"countersign": "ratio", "ratio": "2/3"}


def signing(*, sequential: bool = False, until: str = "", **says: str) -> bytes:
    """The units sign; then it goes on by the result, and may come round again."""
    return diagram(
        "start > xor:entry > user:sign > xor:came",
        "came [signed.passed] > user:publish > end:published",
        "came [default] > user:amend > entry",
        multi("sign", over="units", item="unit", sequential=sequential, until=until),
        element("sign", name="会签", **{"vote": "stance", "approve": "yes", "result": "signed", **says}),
        timer("sign", "limit", workingDays=5, role="deadline"),
    )


def vote(case: Case, *stances: str) -> Case:
    """The next who are asked vote one after the other, each after the case was saved and loaded."""
    for stance in stances:
        case.complete("sign", local={"stance": stance})
    return case


def asked(case: Case) -> list[str]:
    return [waiting.local["unit"] for waiting in case.all_at("sign")]


def begun(voters: int, **says: Any) -> Case:
    return Case(signing(**says), units=[f"{number:03}" for number in range(1, voters + 1)])


def result(case: Case) -> Any:
    return case.host.variables.get("signed")


# -- 会签: everybody ------------------------------------------------------------------------------


def test_all_must_approve_and_the_last_approval_decides() -> None:
    case = vote(begun(3, **ALL), "yes", "yes")
    assert (asked(case), result(case)) == (["003"], None)
    vote(case, "yes")
    assert result(case) == {"passed": True, "yes": 3, "no": 0, "total": 3}
    assert case.waits == ["publish"]


def test_the_first_objection_ends_it_and_withdraws_the_others() -> None:
    case = vote(begun(4, **ALL), "yes", "no")
    assert result(case) == {"passed": False, "yes": 1, "no": 1, "total": 4}
    assert case.waits == ["amend"]
    assert case.trace.count("sign:cancelled") == 2
    assert case.machine.take_decided() == [Decided("sign", "会签", "all", False, 1, 1, 4)]
    assert case.machine.take_decided() == []


def test_whoever_abstains_does_not_approve() -> None:
    assert result(vote(begun(2, **ALL), "abstain")) == {"passed": False, "yes": 0, "no": 1, "total": 2}


# -- 或签: one is enough --------------------------------------------------------------------------


def test_one_approval_is_enough_and_withdraws_the_others() -> None:
    case = vote(begun(3, **ANY), "no", "yes")
    assert result(case) == {"passed": True, "yes": 1, "no": 1, "total": 3}
    assert case.waits == ["publish"]


def test_only_when_all_have_refused_is_it_refused() -> None:
    case = vote(begun(3, **ANY), "no", "no")
    assert asked(case) == ["003"]
    assert result(vote(case, "no")) == {"passed": False, "yes": 0, "no": 3, "total": 3}


# -- 票签: a share --------------------------------------------------------------------------------


@pytest.mark.parametrize(("voters", "needed"), [(3, 2), (4, 3), (7, 5)])
def test_two_thirds_are_counted_upwards_and_exactly(voters: int, needed: int) -> None:
    case = vote(begun(voters, **TWO_THIRDS), *["yes"] * (needed - 1))
    assert len(asked(case)) == voters - needed + 1
    assert result(vote(case, "yes")) == {"passed": True, "yes": needed, "no": 0, "total": voters}


@pytest.mark.parametrize(("voters", "enough"), [(3, 2), (4, 2), (7, 3)])
def test_it_fails_as_soon_as_two_thirds_cannot_be_reached(voters: int, enough: int) -> None:
    case = vote(begun(voters, **TWO_THIRDS), *["no"] * (enough - 1))
    assert result(case) is None
    assert result(vote(case, "no")) == {"passed": False, "yes": 0, "no": enough, "total": voters}
    assert case.waits == ["amend"]


def test_a_share_of_one_is_everybody_and_a_tiny_one_is_one() -> None:
    assert result(vote(begun(2, countersign="ratio", ratio="1"), "no")) == {"passed": False, "yes": 0, "no": 1, "total": 2}
    assert result(vote(begun(5, countersign="ratio", ratio="0.000001"), "yes"))["passed"] is True


def test_shares_that_no_float_can_hold_are_the_fractions_that_were_meant() -> None:
    assert share(0.55) * 20 == 11
    assert share(2 / 3) * 3 == 2
    for wrong in (0, -1, 1.01, True, "2/3", None):
        with pytest.raises(ExpressionError, match="大于0、不大于1"):
            share(wrong)


def test_a_share_from_the_case_is_fixed_when_the_step_opens() -> None:
    case = Case(signing(countersign="ratio", ratio="majority"), units=["001", "002", "003"], majority=0.5)
    case.host.variables["majority"] = 1
    assert result(vote(case, "yes", "yes"))["passed"] is True
    with pytest.raises(ExpressionError, match="大于0、不大于1"):
        Case(signing(countersign="ratio", ratio="majority"), units=["001"], majority=2)


# -- 依次: in order -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [ALL, TWO_THIRDS])
def test_in_order_the_next_is_asked_only_when_the_one_before_has_signed(mode: dict[str, str]) -> None:
    case = begun(3, sequential=True, **mode)
    assert asked(case) == ["001"]
    assert asked(vote(case, "yes")) == ["002"]


def test_in_order_the_result_ends_it_before_the_last_is_asked() -> None:
    passed = vote(begun(3, sequential=True, **TWO_THIRDS), "yes", "yes")
    assert (result(passed), passed.waits) == ({"passed": True, "yes": 2, "no": 0, "total": 3}, ["publish"])
    failed = vote(begun(3, sequential=True, **ALL), "no")
    assert (result(failed), failed.waits) == ({"passed": False, "yes": 0, "no": 1, "total": 3}, ["amend"])


# -- few, and none --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [ALL, ANY, TWO_THIRDS])
@pytest.mark.parametrize("sequential", [False, True])
def test_a_single_voter_decides_alone(mode: dict[str, str], sequential: bool) -> None:
    assert result(vote(begun(1, sequential=sequential, **mode), "yes")) == {"passed": True, "yes": 1, "no": 0, "total": 1}
    assert result(vote(begun(1, sequential=sequential, **mode), "no")) == {"passed": False, "yes": 0, "no": 1, "total": 1}


@pytest.mark.parametrize("mode", [ALL, ANY, TWO_THIRDS])
@pytest.mark.parametrize("sequential", [False, True])
def test_where_nobody_is_asked_nobody_has_approved(mode: dict[str, str], sequential: bool) -> None:
    case = begun(0, sequential=sequential, **mode)
    assert (result(case), case.waits) == ({"passed": False, "yes": 0, "no": 0, "total": 0}, ["amend"])


# -- rounds, and what is kept ---------------------------------------------------------------------


def test_a_second_round_starts_afresh_and_the_first_result_stands_no_longer() -> None:
    case = vote(begun(2, **ALL), "no").complete("amend")
    assert (len(asked(case)), result(case)) == (2, None)
    assert result(vote(case, "yes", "yes")) == {"passed": True, "yes": 2, "no": 0, "total": 2}


def test_the_tally_is_kept_in_the_state_and_one_saved_before_there_were_any_goes_on() -> None:
    says = element("sign", countersign="all", vote="stance", approve="yes", result="signed")
    case = vote(Case(diagram("start > user:sign > end", says, multi("sign", times="3"))), "yes")
    state = orjson.loads(case.machine.save())
    (held,) = [row[5] for _, rows in state["s"] for row in rows if len(row) > 5 and "sign" in row[5]]
    assert (held["sign"], held["count"], held["done"]) == ([3, 1, 0], 3, 1)
    del held["sign"]
    old = type(case.machine).load(case.diagram, orjson.dumps(state), host=case.host)
    for waiting in [waiting for waiting in old.waiting() if waiting.step == "sign"]:
        old.complete(waiting.token, local={"stance": "no"})
    assert (old.ended, old.take_decided(), result(case)) == (True, [], None)


def test_an_interrupted_countersign_has_no_result() -> None:
    xml = diagram(
        "start > user:sign > end", multi("sign", over="units", item="unit"), timer("sign", "stop", workingDays=1, interrupting=True),
        element("sign", countersign="all", vote="stance", approve="yes", result="signed"), "stop > user:after > end:late",
    )  # fmt: skip
    case = Case(xml, units=["001", "002"]).complete("sign", local={"stance": "yes"}).fire("stop")
    assert (case.waits, result(case), case.machine.take_decided()) == (["after"], None, [])


# -- what may not be drawn ------------------------------------------------------------------------


def rules(xml: bytes) -> list[str]:
    return [problem.rule for problem in check_structure(xml)]


@pytest.mark.parametrize(
    ("says", "rule"),
    [
        ({"countersign": "most"}, "countersign-unknown"),
        ({"countersign": "all", "vote": ""}, "countersign-incomplete"),
        ({"countersign": "all", "approve": ""}, "countersign-incomplete"),
        ({"countersign": "any", "result": ""}, "countersign-incomplete"),
        ({"countersign": "ratio"}, "countersign-incomplete"),
        ({"countersign": "ratio", "ratio": "0"}, "countersign-ratio"),
        ({"countersign": "ratio", "ratio": "3/2"}, "countersign-ratio"),
        ({"countersign": "ratio", "ratio": "'all'"}, "countersign-ratio"),
        ({"countersign": "ratio", "ratio": "2/"}, "bad-expression"),
        ({"countersign": "all", "ratio": "2/3"}, "ratio-ignored"),
        ({"countersign": "all", "until": "nrOfCompletedInstances == 1"}, "countersign-and-condition"),
        ({"countersign": "all", "result": "no name"}, "bad-name"),
        ({"countersign": "all", "result": "stance"}, "countersign-result"),
    ],
)
def test_what_makes_no_sense_is_refused(says: dict[str, str], rule: str) -> None:
    assert rules(signing(**says)) == [rule]  # type: ignore[arg-type]
    with pytest.raises(DiagramError):
        read_diagram(signing(**says))  # type: ignore[arg-type]


def drawn(*parts: Details | str) -> bytes:
    return diagram("start > user:sign > end", *parts)


def test_a_countersign_wants_several_who_sign() -> None:
    says = element("sign", countersign="all", vote="stance", approve="yes", result="signed")
    assert rules(drawn(says)) == ["countersign-not-multi"]


def test_a_service_signs_nothing() -> None:
    xml = diagram("start > service:s > end", element("s", operation="x", countersign="all", vote="v", approve="y", result="r"), multi("s", times="2"))
    assert "countersign-not-here" in rules(xml)


def test_a_vote_without_a_countersign_is_told_but_runs() -> None:
    (problem,) = check_structure(drawn(element("sign", name="会签", vote="stance", ratio="1/2")))
    assert (problem.rule, problem.severity) == ("countersign-missing", "warning")
    assert "vote、ratio" in problem.message
