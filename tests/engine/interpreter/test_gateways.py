"""The four faults of stock SpiffWorkflow, each shown on stock first and then shown to be cured here."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations, product

import pytest

from engine.process.interpreter.model import NoPath, Stuck
from engine.process.interpreter.state import save
from tests.engine.interpreter.diagrams import catches_timer, diagram, ends, error, escalation, multi, script, sub
from tests.engine.interpreter.driving import Case
from tests.engine.interpreter.stock import StockCase

ROUNDS = 3


def review_loop(branches: str, gateway: str) -> bytes:
    """Reviews side by side, then a check that may send everything back."""
    condition = " [True]" if gateway == "or" else ""
    first, *others = branches
    return diagram(
        f"start > user:apply > xor:entry > {gateway}:fork{condition} > user:{first} > {gateway}:join > user:check > xor:more",
        *(f"fork{condition} > user:{name} > join" for name in others),
        "more [again] > entry",
        "more [default] > end",
    )


def early_checks(case: Case | StockCase, orders: Iterable[tuple[str, ...]]) -> int:
    """Run the rounds in the given orders of completion; how often the check came before the last review."""
    early = 0
    case.complete("apply")
    for number, order in enumerate(orders):
        for name in order[:-1]:
            case.complete(name)
            early += "check" in case.waits
        if early:
            return early
        case.complete(order[-1])
        assert case.waits == ["check"]
        case.complete("check", again=number < ROUNDS - 1)
    assert case.waits == []
    return 0


def all_orders(branches: str) -> list[tuple[tuple[str, ...], ...]]:
    return list(product(permutations(branches), repeat=ROUNDS))


@pytest.mark.parametrize("gateway", ["and", "or"])
def test_stock_joins_in_a_loop_fire_early(gateway: str) -> None:
    xml = review_loop("ab", gateway)
    assert sum(bool(early_checks(StockCase(xml), orders)) for orders in all_orders("ab")) > 0


@pytest.mark.parametrize("gateway", ["and", "or"])
@pytest.mark.parametrize("branches", ["ab", "abc"])
def test_a_join_in_a_loop_waits_for_every_branch_in_every_order(gateway: str, branches: str) -> None:
    case = Case(review_loop(branches, gateway))
    for orders in all_orders(branches):
        assert early_checks(Case(case.diagram), orders) == 0


LOST_UPDATE = diagram(
    "start > user:apply > and:fork > user:business > and:join > user:reply > end",
    "fork > user:security > join",
)


def test_stock_loses_the_first_review_when_the_second_arrives() -> None:
    case = StockCase(LOST_UPDATE).complete("apply", opinion="none").complete("business", opinion="agreed")
    case.complete("security")
    assert case._ready()[0].data["opinion"] == "none"


def test_no_review_is_lost_at_a_join() -> None:
    case = Case(LOST_UPDATE).complete("apply", opinion="none").complete("business", opinion="agreed")
    case.complete("security")
    assert case.waits == ["reply"]
    assert case.host.variables["opinion"] == "agreed"


def test_local_values_at_a_join_keep_the_newest_writing_whoever_arrives_last() -> None:
    inside = sub("each", "start > user:open > and:fork > user:a > and:join > user:b > end", "fork > user:c > join")
    case = Case(diagram("start > sub:each > end", inside, multi("each", over="units", item="unit")), units=["001"])
    case.complete("open", local={"mark": "old", "kept": 1}).complete("a", local={"mark": "new"})
    case.complete("c", local={"other": 2})
    assert case.at("b").local == {"loopCounter": 0, "unit": "001", "mark": "new", "kept": 1, "other": 2}


TWO_SUBPROCESSES = diagram(
    "start > and:fork > sub:one > xor:after_one > and:join > end",
    "fork > sub:two > xor:after_two > join",
    sub("one", "start > user:first > end:failed", ends("failed", "error", "E")),
    sub("two", "start > user:second > end:done"),
    error("one", "caught_one", "E"),
    error("two", "caught_two", "E"),
    "caught_one > user:repair_one > after_one",
    "caught_two > user:repair_two > after_two",
)


def test_stock_lets_an_error_end_the_neighbour_too() -> None:
    assert StockCase(TWO_SUBPROCESSES).complete("first").waits == ["repair_one", "repair_two"]


def test_an_error_is_caught_where_it_happened_only() -> None:
    case = Case(TWO_SUBPROCESSES).complete("first")
    assert case.waits == ["repair_one", "second"]
    assert case.complete("second").complete("repair_one").machine.ended


def test_an_escalation_is_heard_by_the_nearest_activity_only() -> None:
    xml = diagram(
        "start > sub:outer > end",
        sub(
            "outer",
            "start > sub:inner > end",
            sub("inner", "start > throw:call > user:work > end", ends("call", "escalation", "X")),
            escalation("inner", "near", "X"),
            "near > user:look > end:looked",
        ),
        escalation("outer", "far", "X"),
        "far > user:never > end:never_end",
    )
    assert Case(xml).waits == ["look", "work"]


def blocks(count: int, width: int) -> bytes:
    """Parallel blocks one after the other."""
    chains = []
    before = "start"
    for block in range(count):
        chains.append(f"{before} > and:fork{block}")
        chains += [f"fork{block} > user:t{block}_{branch} > and:join{block}" for branch in range(width)]
        before = f"join{block}"
    return diagram(*chains, f"{before} > end")


def test_stock_predicts_thousands_of_tasks() -> None:
    assert StockCase(blocks(4, 4)).size > 500


def test_only_what_was_reached_exists() -> None:
    case = Case(blocks(12, 5))
    assert len(case.machine.save()) < 1000
    for block in range(12):
        for branch in range(5):
            case.complete(f"t{block}_{branch}")
    assert case.machine.ended


def test_two_tokens_on_one_arrow_of_a_join_wait_for_their_partners() -> None:
    """BPMN: a parallel join takes one token from each arrow; a surplus token stays for the next time."""
    xml = diagram(
        "start > and:fork > user:a > xor:merge > and:join > user:after > end",
        "fork > user:b > merge",
        "fork > user:c > xor:other > join",
        "fork > user:d > other",
    )
    case = Case(xml).complete("a").complete("b")
    assert case.waits == ["c", "d"]
    assert case.complete("c").waits == ["after", "d"]
    assert case.complete("d").waits == ["after", "after"]
    assert case.complete("after").complete("after").machine.ended


def test_an_inclusive_join_waits_only_for_the_branches_taken() -> None:
    xml = diagram(
        "start > or:fork [a] > user:a > or:join > user:after > end",
        "fork [b] > user:b > join",
        "fork [default] > user:c > join",
    )
    assert Case(xml, a=True, b=False).complete("a").waits == ["after"]
    assert Case(xml, a=True, b=True).complete("a").waits == ["b"]
    assert Case(xml, a=True, b=True).complete("a").complete("b").waits == ["after"]
    assert Case(xml, a=False, b=False).waits == ["c"]


def test_an_inclusive_join_goes_on_when_the_branch_it_waited_for_is_interrupted() -> None:
    xml = diagram(
        "start > or:fork [True] > user:a > or:join > user:after > end",
        "fork [True] > race:g > catch:late > end:gone",
        "g > catch:soon > join",
        catches_timer("late", workingDays=1),
        catches_timer("soon", workingDays=2),
    )
    case = Case(xml).complete("a")
    assert case.waits == ["late", "soon"]
    assert case.fire("late").waits == ["after"]


def test_a_gateway_without_a_way_says_which_one() -> None:
    xml = diagram("start > xor:g [x == 1] > end", "g [x == 2] > user:a > end:other")
    with pytest.raises(NoPath, match="g"):
        Case(xml, x=3)


def test_the_first_condition_that_holds_wins() -> None:
    xml = diagram("start > xor:g [x > 1] > user:a > end", "g [x > 0] > user:b > end", "g [default] > user:c > end")
    assert [Case(xml, x=x).waits for x in (2, 1, 0)] == [["a"], ["b"], ["c"]]


def test_a_join_that_can_never_be_complete_is_an_error_and_no_silent_stop() -> None:
    xml = diagram("start > xor:g [x] > and:join > end", "g [default] > script:s > join", script("s", "y = 1"))
    with pytest.raises(Stuck):
        Case(xml, x=True)


def test_a_pruned_join_still_knows_what_has_arrived() -> None:
    case = Case(LOST_UPDATE).complete("apply").complete("business")
    before = save(case.machine._process)
    case.reload()
    assert case.machine.save() == before
    assert case.complete("security").waits == ["reply"]
