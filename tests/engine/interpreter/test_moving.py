"""A saved process moved to another version of its diagram: what goes on, what is refused, and that nothing is guessed."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from engine.process.interpreter.fitting import CannotMove, propose, standing
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.moving import Moved, move
from engine.process.interpreter.reader import read_diagram
from tests.engine.interpreter.diagrams import (
    call,
    catches_message,
    catches_timer,
    diagram,
    element,
    error,
    message,
    multi,
    script,
    sub,
    timer,
)
from tests.engine.interpreter.driving import Case
from tests.engine.interpreter.process_trees import choices, random_block, to_bpmn

STEPS = 40


def moved(case: Case, xml: bytes, **plan: str | None) -> Moved:
    """Moves the case to another version, by the proposed plan but for what is given; the case goes on there."""
    new = read_diagram(xml)
    proposed: dict[str, str | None] = {name: match.image for name, match in propose(case.diagram, new).items()}
    chosen = {name: image for name, image in {**proposed, **plan}.items() if image}
    found = move(case.diagram, new, case.machine.save(), chosen)
    case.diagram = new
    case.machine = Machine.load(new, found.state, host=case.host)
    case.machine.run()
    return found


def refused(case: Case, xml: bytes, **plan: str | None) -> str:
    """Why the case cannot move; it is as it was afterwards."""
    before = case.machine.save()
    with pytest.raises(CannotMove) as refusal:
        moved(case, xml, **plan)
    assert case.machine.save() == before
    return str(refusal.value)


# -- anywhere ---------------------------------------------------------------------------------


def renamed(xml: bytes) -> bytes:
    """The same diagram with other ids for all its nodes."""
    text = xml.decode()
    names = set(re.findall(r'<bpmn:\w+ id="([^"]+)"', text)) - {"definitions", "test"}
    attributes = "id|sourceRef|targetRef|default|attachedToRef"
    return re.sub(rf'\b({attributes})="([^"]+)"', lambda found: f'{found[1]}="{_new(found[2], names)}"', text).encode()


def _new(name: str, names: set[str]) -> str:
    return f"x_{name}" if name in names else name


def seen(case: Case) -> list[Any]:
    """All that the kernel sees of a case."""
    return [(one.token, one.step, one.kind, one.path, one.activity, dict(one.local)) for one in case.machine.waiting()]


@pytest.mark.parametrize("seed", range(80))
def test_moving_to_the_same_version_changes_nothing_at_any_point(seed: int) -> None:
    random = Random(seed)
    tree = random_block(random, 4, [0])
    values = choices(tree, random)
    tree.begin(values)
    case = Case(to_bpmn(tree), **values)
    same = {name: name for name in case.diagram.steps}
    for _ in range(STEPS):
        if not tree.open:
            break
        before = seen(case)
        found = move(case.diagram, case.diagram, case.machine.save(), same)
        assert not found.fresh and not found.dropped
        case.machine = Machine.load(case.diagram, found.state, host=case.host)
        assert seen(case) == before
        assert case.waits == sorted(tree.tasks())
        values = choices(tree, random)
        task = random.choice(tree.tasks())
        tree.complete(task, values)
        case.complete(task, **values)
    assert case.machine.ended is not tree.open


@pytest.mark.parametrize("seed", range(80))
def test_a_case_moved_to_renamed_steps_walks_on_to_the_same_end(seed: int) -> None:
    random = Random(seed)
    tree = random_block(random, 4, [0])
    values = choices(tree, random)
    tree.begin(values)
    case = Case(to_bpmn(tree), **values)
    turn, prefix = random.randrange(6), ""
    for step in range(STEPS):
        if not tree.open:
            break
        if step == turn:
            new = read_diagram(renamed(case.diagram.xml))
            found = move(case.diagram, new, case.machine.save(), {name: f"x_{name}" for name in case.diagram.steps})
            case.diagram, prefix = new, "x_"
            case.machine = Machine.load(new, found.state, host=case.host)
        assert case.waits == sorted(f"{prefix}{name}" for name in tree.tasks())
        values = choices(tree, random)
        task = random.choice(tree.tasks())
        tree.complete(task, values)
        case.complete(f"{prefix}{task}", **values)
    assert case.machine.ended is not tree.open
    assert case.machine.outcome == (f"{prefix}end" if case.machine.ended else None)


@pytest.mark.parametrize("seed", range(110))
def test_wherever_a_case_comes_to_was_counted_among_the_situations(seed: int) -> None:
    """A plan that leaves the gateways out has to prove each situation; every one that a case really reached holds."""
    random = Random(seed)
    tree = random_block(random, 3 if seed < 10 else 2, [0])  # deeper ones have too many situations
    values = choices(tree, random)
    tree.begin(values)
    case = Case(to_bpmn(tree), **values)
    plan = {name: name for name in standing(case.diagram)}
    widened = read_diagram(widen(case.diagram.xml))
    for _ in range(STEPS):
        if not tree.open:
            break
        assert move(case.diagram, widened, case.machine.save(), plan).state
        values = choices(tree, random)
        task = random.choice(tree.tasks())
        tree.complete(task, values)
        case.complete(task, **values)


def widen(xml: bytes) -> bytes:
    """The same diagram with one more task before the end: its flow is another, its situations hold the old ones."""
    text = xml.decode()
    [(flow, source)] = re.findall(r'<bpmn:sequenceFlow id="([^"]+)" sourceRef="([^"]+)" targetRef="end"', text)
    more = (
        '<bpmn:userTask id="last"/><bpmn:sequenceFlow id="to_last" sourceRef="last" targetRef="end"/>'
        f'<bpmn:sequenceFlow id="{flow}" sourceRef="{source}" targetRef="last"/>'
    )
    old = re.search(rf'<bpmn:sequenceFlow id="{flow}".*?</bpmn:sequenceFlow>', text)
    assert old is not None
    return text.replace(old[0], more).encode()


# -- steps ------------------------------------------------------------------------------------

LINE = diagram("start > user:a > user:b > end", element("a", name="受理"), element("b", name="审核"))


def test_a_removed_step_goes_where_the_plan_says() -> None:
    case = Case(LINE)
    moved(case, diagram("start > user:b > end", element("b", name="审核")), a="b")
    assert case.waits == ["b"]
    case.complete("b")
    assert case.machine.outcome == "end"


def test_a_removed_step_without_a_place_in_the_plan_keeps_the_case_and_names_the_step() -> None:
    assert "“受理”" in refused(Case(LINE), diagram("start > user:b > end", element("b", name="审核")))


def test_a_task_cannot_become_a_timer() -> None:
    other = diagram("start > catch:wait > user:b > end", catches_timer("wait", duration="PT1H"))
    assert "不是同一类环节" in refused(Case(LINE), other, a="wait")


def test_a_step_drawn_into_a_subprocess_keeps_the_case() -> None:
    other = diagram("start > sub:part > user:b > end", sub("part", "start > user:a > end"), element("part", name="受理阶段"))
    assert "子流程“受理阶段”之内" in refused(Case(LINE), other, a="a")


def test_a_step_inside_a_subprocess_moves_with_it() -> None:
    before = diagram("start > sub:part > end", sub("part", "start > user:a > user:c > end"))
    after = diagram("start > sub:stage > user:more > end", sub("stage", "start > user:a2 > end"))
    case = Case(before)
    [whole] = case.machine.tokens_of("part")
    moved(case, after, part="stage", a="a2", c=None)
    assert case.at("a2").path == (whole,)
    case.complete("a2").complete("more")
    assert case.machine.ended


# -- events on activities ---------------------------------------------------------------------

PLAIN = diagram("start > user:a > end")
TIMED = diagram("start > user:a > end", timer("a", "late", workingDays=5, role="deadline"), timer("a", "soon", beforeDeadline=2))


def test_an_activity_gains_events_that_begin_to_wait_and_end_with_it() -> None:
    case = Case(PLAIN)
    token = case.at("a").token
    found = moved(case, TIMED)
    assert [(one.element, one.beside) for one in found.fresh] == [("late", token), ("soon", token)]
    assert case.waits == ["a", "late", "soon"] and case.at("a").token == token
    assert {case.at("late").activity, case.at("soon").activity} == {token}
    case.fire("soon")
    assert case.waits == ["a", "late"]
    case.complete("a")
    assert case.machine.ended


def test_an_activity_loses_its_events() -> None:
    case = Case(TIMED)
    assert moved(case, PLAIN).dropped == ("late", "soon")
    assert case.waits == ["a"]
    case.complete("a")
    assert case.machine.ended


def test_a_reminder_that_has_rung_does_not_ring_again_but_a_new_one_does() -> None:
    case = Case(TIMED).fire("soon")
    moved(case, TIMED.replace(b'"late"', b'"end_of_time"'), late="end_of_time")
    assert case.waits == ["a", "end_of_time"]
    moved(case, TIMED, end_of_time="late", soon=None)
    assert case.waits == ["a", "late", "soon"]


def test_an_interrupting_event_that_was_added_interrupts() -> None:
    case = Case(PLAIN)
    moved(case, diagram("start > user:a > end", "stop > end:stopped", message("a", "stop", "withdraw")))
    case.deliver("withdraw")
    assert case.machine.outcome == "stopped"


def test_an_error_event_is_carried_over() -> None:
    before = diagram("start > sub:s > end", "fault > user:mend > end", sub("s", "start > user:a > end"), error("s", "fault", "E"))
    after = before.replace(b'"fault"', b'"fault2"')
    case = Case(before)
    moved(case, after, fault="fault2")
    case.machine.raise_error(case.at("a").token, "E")
    assert case.waits == ["mend"]


def test_an_event_cannot_move_to_another_activity() -> None:
    after = diagram("start > user:a > user:b > end", timer("b", "late", workingDays=5), timer("a", "soon", duration="PT1H"))
    assert "不在同一个环节上" in refused(Case(TIMED), after, late="late")


def test_what_a_reminder_opened_stays_beside_the_main_branch() -> None:
    before = diagram("start > user:a > end:done", "soon > user:look > end:looked", timer("a", "soon", duration="PT1H"))
    after = diagram(
        "start > user:a > user:b > end:done", "soon > user:look > end:looked", timer("a", "soon", duration="PT2H"))
    case = Case(before).fire("soon")
    moved(case, after)
    case.complete("look").complete("a").complete("b")
    assert case.machine.outcome == "done"


def test_a_main_branch_cannot_become_one_beside_it() -> None:
    after = diagram("start > user:a > end:done", "soon > user:b > end:looked", timer("a", "soon", duration="PT1H"))
    assert "走不到“审核”" in refused(Case(LINE).complete("a"), after.replace(b'id="b"', b'id="b" name="\xe5\xae\xa1\xe6\xa0\xb8"'))


# -- parallel branches ------------------------------------------------------------------------

BOTH = diagram("start > and:fork > user:a > and:join > user:c > end", "fork > user:b > join")
THREE = diagram("start > and:fork > user:a > and:join > user:c > end", "fork > user:b > join", "fork > user:d > join")


def test_a_branch_that_waits_at_its_join_goes_on_waiting() -> None:
    case = Case(BOTH).complete("a")
    moved(case, renamed(BOTH), **{name: f"x_{name}" for name in case.diagram.steps})
    assert case.waits == ["x_b"]
    case.complete("x_b")
    assert case.waits == ["x_c"]


@pytest.mark.parametrize("done", [None, "a"])
def test_a_branch_that_was_added_would_never_come(done: str | None) -> None:
    case = Case(BOTH)
    if done:
        case.complete(done)
    assert "“d”" in refused(case, THREE)


def test_a_branch_may_be_added_where_nobody_is_in_it() -> None:
    case = Case(BOTH).complete("a").complete("b")
    moved(case, THREE)
    assert case.waits == ["c"]


def test_a_branch_that_was_removed_is_let_go_when_it_is_done_and_not_while_it_runs() -> None:
    case = Case(THREE)
    assert "“d”" in refused(case, BOTH)
    case.complete("d")
    moved(case, BOTH)
    case.complete("a").complete("b")
    assert case.waits == ["c"]


def test_what_was_in_a_row_cannot_become_parallel_nor_the_other_way_round() -> None:
    row = diagram("start > user:a > user:b > user:c > end")
    assert "汇合处会一直等待" in refused(Case(row), BOTH)
    assert "不会同时在办" in refused(Case(BOTH), row)


def test_two_branches_cannot_become_one_task_twice() -> None:
    assert "不会同时在办" in refused(Case(BOTH), diagram("start > user:a > user:c > end"), b="a")


def test_an_inclusive_join_still_knows_for_whom_to_wait() -> None:
    def drawn(*more: str) -> bytes:
        return diagram(
            "start > or:fork", "fork [x] > user:a > or:join", "fork [y] > user:b > join", "fork [default] > user:z > join",
            "join > user:c > end", *more)

    case = Case(drawn(), x=True, y=True).complete("a")
    after = drawn().replace(b'"b"', b'"b2"')
    moved(case, after, b="b2")
    assert case.waits == ["b2"]
    case.complete("b2")
    assert case.waits == ["c"]


# -- several of the same ----------------------------------------------------------------------


def asked(xml_step: str = "ask", **more: Any) -> bytes:
    details: dict[str, Any] = {"over": "units", "into": "answers", "result": "answer", **more}
    return diagram(f"start > user:{xml_step} > user:c > end", multi(xml_step, **details))


def test_items_that_are_done_stay_done_and_the_others_stay_open() -> None:
    case = Case(asked(), units=["A", "B", "C"])
    case.complete("ask", local={"answer": "yes"})
    moved(case, asked("inquire"), ask="inquire")
    assert [one.local["item"] for one in case.all_at("inquire")] == ["B", "C"]
    case.complete("inquire", local={"answer": "no"}).complete("inquire", local={"answer": "well"})
    assert case.waits == ["c"] and case.host.variables["answers"] == ["yes", "no", "well"]


def test_sequential_items_go_on_with_the_next() -> None:
    case = Case(asked(sequential=True), units=["A", "B"])
    moved(case, asked("inquire", sequential=True), ask="inquire")
    case.complete("inquire", local={"answer": 1})
    assert [one.local["item"] for one in case.all_at("inquire")] == ["B"]


@pytest.mark.parametrize("more", [{"sequential": True}, {"over": "", "times": "2"}, {"item": "unit"}, {"result": "other"}])
def test_items_of_another_kind_keep_the_case(more: dict[str, Any]) -> None:
    assert "“ask”" in refused(Case(asked(), units=["A", "B"]), asked(**more))


def test_a_task_done_once_cannot_become_one_for_each() -> None:
    assert "不是同一类环节" in refused(Case(diagram("start > user:ask > user:c > end"), units=["A"]), asked())


def test_items_that_are_subprocesses_move_with_their_insides_and_gain_events() -> None:
    before = diagram("start > sub:each > end", multi("each", over="units"), sub("each", "start > user:a > user:b > end"))
    after = diagram(
        "start > sub:each > end", multi("each", over="units"), sub("each", "start > user:a > user:b2 > end"),
        timer("each", "late", workingDays=3))
    case = Case(before, units=["A", "B"]).complete("a")
    found = moved(case, after, b="b2")
    assert [one.element for one in found.fresh] == ["late"]
    assert case.waits == ["a", "b2", "late"] and case.at("b2").local["item"] == "A"
    case.complete("b2").complete("a").complete("b2")
    assert case.machine.ended


# -- calls, messages, races -------------------------------------------------------------------


def test_a_call_goes_on_waiting_for_its_child_and_only_for_one_of_the_same_process() -> None:
    before = diagram("start > call:ask > end", call("ask", "opinion"))
    case = Case(before)
    token = case.at("ask").token
    assert "调用的流程不同" in refused(case, diagram("start > call:ask > end", call("ask", "another")))
    moved(case, diagram("start > call:inquire > user:c > end", call("inquire", "opinion")), ask="inquire")
    assert case.at("inquire").token == token
    case.complete("inquire")
    assert case.waits == ["c"]


RACE = (
    "start > race:first", "first > catch:news > user:read > end", "first > catch:time > user:ask > end",
    catches_message("news", "news"), catches_timer("time", duration="PT1H"))


def test_events_that_race_go_on_racing_and_new_ones_join_in() -> None:
    after = diagram(*RACE, "first > catch:other > end:other_end", catches_message("other", "other"))
    case = Case(diagram(*RACE))
    token = case.at("time").token
    found = moved(case, after)
    assert [one.element for one in found.fresh] == ["other"] and case.at("time").token == token
    case.deliver("other")
    assert case.machine.ended and case.machine.outcome == "other_end"


def test_an_event_that_is_no_more_leaves_the_race() -> None:
    case = Case(diagram(*RACE))
    assert moved(case, diagram("start > catch:time > user:ask > end", catches_timer("time", duration="PT1H"))).dropped == ("news",)
    case.fire("time")
    assert case.waits == ["ask"]


def test_events_that_no_longer_race_keep_the_case() -> None:
    after = diagram(
        "start > catch:news > catch:time > end", catches_message("news", "news"), catches_timer("time", duration="PT1H"))
    assert "竞争" in refused(Case(diagram(*RACE)), after)


def test_an_end_that_a_branch_has_reached_must_be_there() -> None:
    before = diagram("start > and:fork > user:a > end:one", "fork > user:b > end:two")
    case = Case(before).complete("a")
    assert "“one”" in refused(case, diagram("start > and:fork > user:a > end:three", "fork > user:b > end:two"), one=None)


def test_the_order_in_which_things_were_written_counts_on() -> None:
    drawn = diagram("start > and:fork > user:a > and:join > script:s > user:c > end", "fork > user:b > join", script("s", "seen = x"))
    case = Case(drawn, x=0).complete("a", local={"x": 1})
    moved(case, drawn)
    case.complete("b", local={"x": 2})
    assert case.host.variables["seen"] == 2
