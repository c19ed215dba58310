"""Going back to an earlier step: the case then stands as a case can stand there, whatever was open beside it."""

from __future__ import annotations

from random import Random

import pytest

from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import CannotGoBack, NotWaiting
from engine.process.interpreter.moving import move
from engine.process.interpreter.reader import read_diagram
from tests.engine.interpreter.diagrams import call, catches_message, catches_timer, diagram, message, multi, sub, timer
from tests.engine.interpreter.driving import Case
from tests.engine.interpreter.process_trees import choices, random_block, to_bpmn

STEPS = 40


@pytest.mark.parametrize("seed", range(90))
def test_random_processes_go_on_soundly_after_any_way_back(seed: int) -> None:
    """At every turn exactly those done steps are offered that no open branch runs beside; after it exactly the right tasks are open."""
    random = Random(seed)
    tree = random_block(random, 3, [0])
    values = choices(tree, random)
    tree.begin(values)
    case = Case(to_bpmn(tree), **values)
    done: list[str] = []
    for _ in range(STEPS):
        if not tree.open:
            break
        task = random.choice(tree.tasks())
        case.reload()
        offered = case.machine.could_go_back(case.at(task).token, set(done))
        assert sorted(offered) == sorted({step for step in done if step != task and tree.goes_back(task, step)})
        values = choices(tree, random)
        if offered and random.random() < 0.4:
            target = random.choice(sorted(offered))
            tree.go_back(task, target)
            case.go_back(task, target)
        else:
            done.append(task)
            tree.complete(task, values)
            case.complete(task, **values)
        assert case.waits == sorted(tree.tasks())
    assert case.machine.ended is not tree.open


# -- every kind of place ------------------------------------------------------------------------


def test_in_a_sequence_every_step_before_or_behind_can_be_gone_to() -> None:
    case = Case(diagram("start > user:a > user:b > user:c > end")).complete("a").complete("b")
    assert case.targets("c") == ["a", "b"]
    assert case.go_back("c", "a").waits == ["a"]
    case.complete("a").complete("b").complete("c")
    assert case.machine.ended


def test_a_loop_is_gone_round_several_times_with_returns_in_between() -> None:
    case = Case(diagram("start > xor:in > user:draft > user:judge > xor:ok", "ok [again] > in", "ok [default] > end"), again=True)
    for _ in range(3):
        case.complete("draft").go_back("judge", "draft").complete("draft").complete("judge")
    # Who drafts may also say: nothing is left to draft, judge it as it is.
    case.go_back("draft", "judge").complete("judge", again=False)
    assert case.machine.ended


BLOCK = diagram("start > user:ask > and:fork > user:a1 > user:a2 > and:join > user:sum > end", "fork > user:b > join")


def test_within_a_branch_the_others_stay_as_they_are() -> None:
    case = Case(BLOCK).complete("ask").complete("a1").complete("b")
    assert case.targets("a2") == ["a1", "ask"]
    assert case.go_back("a2", "a1").waits == ["a1"]
    case.complete("a1").complete("a2")
    assert case.waits == ["sum"], "the branch that waited at the join still waits there"


def test_out_of_a_parallel_block_no_branch_is_left_behind() -> None:
    case = Case(BLOCK).complete("ask").complete("a1")
    assert case.waits == ["a2", "b"]
    case.go_back("b", "ask")
    assert (case.waits, case.trace) == (["ask"], ["b:cancelled", "a2:cancelled", "ask:entered"])
    case.complete("ask").complete("b")
    assert case.waits == ["a1"], "the join waits for both branches again"


def test_out_of_a_parallel_block_also_what_waits_at_the_join_is_withdrawn() -> None:
    case = Case(BLOCK).complete("ask").complete("b").go_back("a1", "ask").complete("ask").complete("a1").complete("a2")
    assert case.waits == ["b"], "the first round's b does not count in the second"


def test_a_branch_beside_is_no_way_back_as_the_own_task_would_be_lost() -> None:
    case = Case(BLOCK).complete("ask").complete("a1")
    assert case.targets("b") == ["ask"]
    with pytest.raises(CannotGoBack):
        case.go_back("b", "a1")


def test_back_into_a_block_that_is_through_the_other_branch_counts_as_done() -> None:
    case = Case(BLOCK).complete("ask").complete("a1").complete("a2").complete("b")
    assert case.targets("sum") == ["a1", "a2", "ask", "b"]
    assert case.go_back("sum", "b").waits == ["b"]
    assert case.complete("b").waits == ["sum"]


INCLUSIVE = diagram(
    "start > user:ask > or:fork", "fork [x] > user:a > or:join", "fork [y] > user:b > join", "fork [default] > user:c > join",
    "join > user:sum > end",
)  # fmt: skip


def test_an_inclusive_block_waits_only_for_the_branches_that_were_opened() -> None:
    case = Case(INCLUSIVE, x=True, y=True).complete("ask").complete("a")
    assert case.targets("b") == ["ask"]
    case.complete("b")
    assert case.go_back("sum", "a").complete("a").waits == ["sum"]
    assert case.go_back("sum", "ask").complete("ask", y=False).waits == ["a"]


NESTED = diagram(
    "start > user:ask > sub:review > user:sign > end",
    sub("review", "start > user:read > and:fork > user:law > and:join > user:vote > end", "fork > user:money > join", timer("law", "hurry", workingDays=2)),
    timer("review", "late", workingDays=10),
)  # fmt: skip


def test_out_of_a_subprocess_it_goes_with_its_clock_and_all_inside() -> None:
    case = Case(NESTED).complete("ask").complete("read")
    left = case.machine.could_go_back(case.at("law").token, ["ask"])["ask"]
    assert {waiting.token for waiting in case.machine.waiting()} <= left, "everything that waits, the clocks too, hangs on it"
    assert case.go_back("law", "ask").waits == ["ask"]


def test_inside_a_subprocess_its_own_clock_runs_on() -> None:
    case = Case(NESTED).complete("ask").complete("read")
    clock = case.at("late").token
    case.go_back("money", "read")
    assert (case.waits, case.at("late").token) == (["late", "read"], clock)


def test_back_into_a_subprocess_it_begins_again_at_the_step_with_a_new_clock() -> None:
    case = Case(NESTED).complete("ask").complete("read").complete("law").complete("money").complete("vote")
    assert case.targets("sign") == ["ask", "law", "money", "read", "vote"]
    assert case.go_back("sign", "law").waits == ["hurry", "late", "law"]
    assert case.complete("law").waits == ["late", "vote"]
    case.complete("vote").complete("sign")
    assert case.machine.ended


@pytest.mark.parametrize("sequential", [False, True])
def test_out_of_a_countersign_all_its_items_go(sequential: bool) -> None:
    case = Case(
        diagram("start > user:ask > user:sign > user:close > end",
                multi("sign", over="people", into="votes", result="vote", sequential=sequential), timer("sign", "late", workingDays=3)),
        people=["a", "b", "c"],
    ).complete("ask").complete("sign", local={"vote": 1})  # fmt: skip
    assert case.go_back("sign", "ask").waits == ["ask"]
    case.complete("ask")
    for vote in (2, 3, 4):
        case.complete("sign", local={"vote": vote})
    assert (case.host.variables["votes"], case.waits) == ([2, 3, 4], ["close"]), "the votes of the first round do not count"
    assert len(case.go_back("close", "sign").all_at("sign")) == (1 if sequential else 3), "back into it, all are asked again"


def test_one_item_of_a_subprocess_for_many_goes_back_on_its_own() -> None:
    case = Case(diagram("start > user:ask > sub:each > end", sub("each", "start > user:write > user:check > end"),
                        multi("each", over="people")), people=["a", "b"]).complete("ask").complete("write")  # fmt: skip
    item = case.at("check").local["item"]
    assert case.targets("check") == ["ask", "write"]
    case.go_back("check", "write")
    assert sorted(waiting.local["item"] for waiting in case.all_at("write")) == ["a", "b"]
    assert item in ("a", "b")
    case.complete("write").complete("write").go_back("check", "ask")
    assert case.waits == ["ask"]


def test_a_waiting_call_is_withdrawn_with_its_branch() -> None:
    case = Case(diagram("start > user:ask > and:fork > call:child > and:join > end", "fork > user:own > join", call("child", "other")))
    case.complete("ask").go_back("own", "ask")
    assert (case.waits, "child:cancelled" in case.trace) == (["ask"], True)


def test_a_race_of_events_is_withdrawn_as_one() -> None:
    case = Case(diagram("start > user:ask > and:fork > race:wait", "wait > catch:answer > and:join > end", "wait > catch:silence > xor:x > join",
                        "fork > user:own > join", catches_message("answer", "answer"), catches_timer("silence", workingDays=5)))  # fmt: skip
    assert case.complete("ask").waits == ["answer", "own", "silence"]
    assert case.go_back("own", "ask").waits == ["ask"]
    case.complete("ask").deliver("answer")
    assert case.waits == ["own"]


SIDE = diagram("start > user:ask > user:work > user:close > end", timer("work", "late", workingDays=5), "late > user:hurry > user:report > end:told")


def test_a_branch_beside_goes_on_when_the_main_one_goes_back() -> None:
    case = Case(SIDE).complete("ask").fire("late").complete("hurry")
    assert case.go_back("work", "ask").waits == ["ask", "report"]
    case.complete("ask").fire("late")
    assert case.waits == ["hurry", "report", "work"]


def test_a_branch_beside_goes_back_only_within_itself() -> None:
    case = Case(SIDE).complete("ask").fire("late").complete("hurry")
    assert case.targets("report") == ["hurry"]
    assert case.go_back("report", "hurry").waits == ["hurry", "work"]
    case.complete("hurry").complete("report").complete("work").complete("close")
    assert (case.machine.ended, case.machine.outcome) == (True, "end"), "it still counts as a branch beside"


def test_two_branches_beside_of_the_same_event_do_not_mix() -> None:
    case = Case(diagram("start > user:work > end", message("work", "more", "more", interrupting=False), "more > user:a > user:b > end:x"))
    case.deliver("more")
    case.complete("a").deliver("more")
    assert case.waits == ["a", "b", "more", "work"]
    case.go_back("b", "a")
    assert case.waits == ["a", "a", "more", "work"]


def test_a_task_that_is_done_goes_nowhere() -> None:
    case = Case(BLOCK)
    token = case.at("ask").token
    case.complete("ask")
    with pytest.raises(NotWaiting):
        case.machine.go_back(token, "ask")


# -- the start ----------------------------------------------------------------------------------


def test_the_start_is_held_as_a_task_and_the_process_begins_anew_from_it() -> None:
    case = Case(NESTED).complete("ask").complete("read")
    case.machine.hold_start()
    case.reload()
    assert [(waiting.step, waiting.kind) for waiting in case.machine.waiting()] == [("start", "task")]
    assert case.targets("start") == []
    assert case.complete("start").waits == ["ask"]
    case.complete("ask").complete("read").complete("law").complete("money").complete("vote").complete("sign")
    assert case.machine.outcome == "end"


def test_a_held_start_is_moved_to_another_version() -> None:
    case = Case(SIDE).complete("ask").fire("late")
    case.machine.hold_start()
    new = read_diagram(diagram("start:begin > user:other > end"))
    case.machine = Machine.load(new, move(case.diagram, new, case.machine.save(), {}).state, host=case.host)
    case.diagram = new
    assert case.waits == ["begin"]
    assert case.complete("begin").waits == ["other"]
