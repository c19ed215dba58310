"""Random processes walked in random order, compared at every step with a reference that knows no tokens."""

from __future__ import annotations

from random import Random

import pytest
from SpiffWorkflow.exceptions import WorkflowException

from tests.engine.interpreter.driving import Case
from tests.engine.interpreter.process_trees import choices, random_block, to_bpmn
from tests.engine.interpreter.stock import StockCase

STEPS = 40


@pytest.mark.parametrize("seed", range(250))
def test_exactly_the_right_tasks_are_open_all_the_way(seed: int) -> None:
    random = Random(seed)
    tree = random_block(random, 4, [0])
    first = choices(tree, random)
    tree.begin(first)
    case = Case(to_bpmn(tree), **first)
    for _ in range(STEPS):
        assert case.waits == sorted(tree.tasks())
        if not tree.open:
            break
        values = choices(tree, random)
        task = random.choice(tree.tasks())
        tree.complete(task, values)
        case.complete(task, **values)
    assert case.machine.ended is not tree.open


def test_stock_goes_astray_on_such_walks() -> None:
    """The reference is no formality: stock SpiffWorkflow opens wrong tasks or crashes on some of them."""
    astray = 0
    for seed in range(60):
        random = Random(seed)
        tree = random_block(random, 3, [0])
        values = choices(tree, random)
        tree.begin(values)
        try:
            case = StockCase(to_bpmn(tree), **values)
            for _ in range(STEPS):
                if case.waits != sorted(tree.tasks()):
                    astray += 1
                    break
                if not tree.open:
                    break
                values = choices(tree, random)
                task = random.choice(tree.tasks())
                tree.complete(task, values)
                case.complete(task, **values)
        except (WorkflowException, AttributeError, RecursionError):
            astray += 1
    assert astray > 0
