"""The saved state: small, bounded by what is open and not by what has been, exact after any number of reloads."""

from __future__ import annotations

import threading
from random import Random

import orjson
import pytest

from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import StateError
from engine.process.interpreter.reader import read_diagram
from tests.engine.interpreter.diagrams import diagram, sub, timer
from tests.engine.interpreter.driving import Case, Desk
from tests.engine.interpreter.process_trees import choices, random_block, to_bpmn

CORRECTIONS = diagram(
    "start > and:fork > user:file > end:filed",
    "fork > xor:entry > user:check > xor:complete",
    "complete [again] > sub:correction > entry",
    "complete [default] > end:accepted",
    sub("correction", "start > user:correct > end", timer("correct", "overdue", workingDays=5)),
    timer("check", "limit", workingDays=10, role="deadline"),
    timer("check", "reminder", beforeDeadline=2, role="reminder"),
)


def test_a_thousand_rounds_leave_no_trace_in_the_state() -> None:
    case = Case(CORRECTIONS)
    first = len(case.machine.save())
    for _ in range(1000):
        case.complete("check", again=True)
        case.complete("correct")
    assert len(case.machine.save()) <= first + 100
    assert case.waits == ["check", "file", "limit", "reminder"]
    case.complete("check", again=False).complete("file")
    assert case.machine.ended


def test_boundary_timers_are_still_there_after_reloads() -> None:
    case = Case(CORRECTIONS)
    tokens = {case.at("limit").token, case.at("reminder").token}
    for _ in range(3):
        case.reload()
    assert {case.at("limit").token, case.at("reminder").token} == tokens
    assert case.fire("limit").trace == ["limit:fired"]
    assert case.waits == ["check", "file", "reminder"]


@pytest.mark.parametrize("seed", range(60))
def test_a_walk_with_reloads_equals_one_without(seed: int) -> None:
    random = Random(seed)
    tree = random_block(random, 4, [0])
    values = choices(tree, random)
    reloaded, kept = Case(to_bpmn(tree), **values), Case(to_bpmn(tree), **values)
    for _ in range(30):
        assert reloaded.waits == kept.waits
        if kept.machine.ended:
            break
        step = random.choice(kept.waits)
        values = choices(tree, random)
        reloaded.complete(step, **values)
        kept.host.variables.update(values)
        kept.machine.complete(kept.at(step).token)


def test_saving_changes_nothing() -> None:
    machine = Case(CORRECTIONS).machine
    assert machine.save() == machine.save()
    assert [waiting.step for waiting in machine.waiting()] == [
        waiting.step for waiting in Machine.load(machine.diagram, machine.save(), host=Desk()).waiting()
    ]


def test_case_data_does_not_go_into_the_state() -> None:
    case = Case(CORRECTIONS, essay="字" * 10_000)
    assert len(case.machine.save()) < 1500


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"v":99}', b'{"v":1,"s":[[null,[]]],"w":0,"o":[null,0],"c":false}'])
def test_a_damaged_state_is_refused(damage: bytes) -> None:
    with pytest.raises(StateError):
        Machine.load(read_diagram(CORRECTIONS), damage, host=Desk())


def test_a_state_of_another_diagram_is_refused() -> None:
    state = Case(CORRECTIONS).machine.save()
    with pytest.raises(StateError, match="没有"):
        Machine.load(read_diagram(diagram("start > user:a > end")), state, host=Desk())


def test_the_state_is_plain_json() -> None:
    assert orjson.loads(Case(CORRECTIONS).machine.save())["v"] == 1


def test_one_diagram_serves_many_threads() -> None:
    """The parsed diagram is shared by a whole web process: machines on it must not disturb each other."""
    drawn = read_diagram(CORRECTIONS)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            case = Case(drawn)
            for _ in range(40):
                case.complete("check", again=True)
                case.complete("correct")
            assert case.waits == ["check", "file", "limit", "reminder"]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
