"""Multi-instance activities: the same task, call or subprocess once for each item.

The container token stands for the whole activity (boundary events sit on it), each instance is a token
of its own inside, with the item as local data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.countersign import Countersign, Tally
from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.model import Decided, Step
from engine.process.interpreter.nodes import Node
from engine.process.interpreter.tokens import Token

MAX_INSTANCES = 1000


@dataclass(frozen=True, slots=True)
class Loop:
    """How often and over what, as written in multiInstanceLoopCharacteristics."""

    sequential: bool
    collection: str | None = None
    """Expression giving a list (loopDataInputRef)."""
    cardinality: str | None = None
    """Expression giving a number (loopCardinality)."""
    item: str | None = None
    """Local name of the item (inputDataItem)."""
    output: str | None = None
    """Case variable that gets the list of results (loopDataOutputRef)."""
    output_item: str | None = None
    """Name whose value each instance contributes (outputDataItem)."""
    condition: str | None = None
    """Expression that ends the activity early (completionCondition)."""
    sign: Countersign | None = None
    """The votes that decide it, and end it early."""


class Multi(Node):
    """The container of a multi-instance activity."""

    reports_entering = True
    trace_kind = "subprocess"

    def __init__(self, process: Any, name: str, step: Step, loop: Loop, inner: Node) -> None:
        super().__init__(process, name, step)
        self.loop = loop
        self.inner = inner

    def _update(self, my_task: Token) -> None:
        items = self._items(my_task)
        my_task._set_state(TaskState.STARTED)
        my_task.internal_data.update(count=len(items), done=0, out=[])
        if self.loop.sign is not None:
            self._put(my_task, self._opened(my_task, self.loop.sign, len(items)))
        if not items:
            my_task._set_state(TaskState.READY)
        elif self.loop.sequential:
            my_task.internal_data["left"] = items[1:]
            self._begin(my_task, 0, items[0])
        else:
            for index, item in enumerate(items):
                self._begin(my_task, index, item)

    def _items(self, container: Token) -> list[Any]:
        engine = container.process.script_engine
        if self.loop.collection is not None:
            found = engine.evaluate(container, self.loop.collection)
            if not isinstance(found, list | tuple):
                raise ExpressionError(f"多实例“{self.name}”的集合“{self.loop.collection}”不是列表")
            items = list(found)
        else:
            count = engine.evaluate(container, self.loop.cardinality)
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise ExpressionError(f"多实例“{self.name}”的次数不是非负整数")
            if count > MAX_INSTANCES:
                raise ExpressionError(f"多实例“{self.name}”超过{MAX_INSTANCES}个")
            items = list(range(count))
        if len(items) > MAX_INSTANCES:
            raise ExpressionError(f"多实例“{self.name}”超过{MAX_INSTANCES}个")
        return items

    def _begin(self, container: Token, index: int, item: Any) -> None:
        child = Token(container.workflow, self.inner, container)
        child.internal_data["index"] = index
        local: dict[str, Any] = {"loopCounter": index}
        if self.loop.item:
            local[self.loop.item] = item
        child.data = {**child.data, **local}
        self.inner._update(child)

    def instance_done(self, container: Token, child: Token) -> None:
        """Collect its result; go on with the next, or end when all are done or the condition holds."""
        state = container.internal_data
        state["done"] += 1
        if self.loop.output_item:
            host = container.process.host
            value = child.local.get(self.loop.output_item, host.variables.get(self.loop.output_item))
            state["out"] = [*state["out"], [child.internal_data["index"], value]]
        sign = self._sign(container)
        if sign is not None:
            self._put(container, self._tally(container).with_vote(sign.approves(child.local.get(sign.vote))))
        if state["done"] == state["count"] or self._enough(container, child):
            for other in container.children:
                other.cancel()
            container._set_state(TaskState.READY)
        elif self.loop.sequential:
            item, *state["left"] = state["left"]
            self._begin(container, state["done"], item)

    # -- votes ----------------------------------------------------------------------------------

    def _sign(self, container: Token) -> Countersign | None:
        """The countersign of a container; None also for one that was opened and saved before there were any."""
        return self.loop.sign if "sign" in container.internal_data else None

    def _opened(self, container: Token, sign: Countersign, total: int) -> Tally:
        """No vote yet. What an earlier round decided stands no longer."""
        if sign.result in container.process.host.variables:
            container.process.host.variables[sign.result] = None
        ratio = container.process.script_engine.evaluate(container, sign.ratio) if sign.ratio else None
        return Tally(sign.needed(total, ratio), total)

    @staticmethod
    def _put(container: Token, tally: Tally) -> None:
        container.internal_data["sign"] = [tally.needed, tally.yes, tally.no]

    @staticmethod
    def _tally(container: Token) -> Tally:
        needed, yes, no = container.internal_data["sign"]
        return Tally(needed, container.internal_data["count"], yes, no)

    def _decide(self, container: Token, sign: Countersign) -> None:
        """The result becomes the case's, and is told."""
        tally = self._tally(container)
        container.process.host.variables[sign.result] = tally.result()
        assert self.step is not None
        container.process.decided.append(
            Decided(self.step.id, self.step.name, sign.mode, tally.passed, tally.yes, tally.no, tally.total)
        )

    # -- the end --------------------------------------------------------------------------------

    def _enough(self, container: Token, child: Token) -> bool:
        if self._sign(container) is not None:
            return self._tally(container).certain
        if self.loop.condition is None:
            return False
        state = container.internal_data
        known: dict[str, Any] = {
            **child.local,
            "nrOfInstances": state["count"],
            "nrOfCompletedInstances": state["done"],
            "nrOfActiveInstances": 1 if self.loop.sequential else state["count"] - state["done"],
        }
        if self.loop.output:
            known[self.loop.output] = self._results(container)
        return bool(container.process.script_engine.environment.evaluate(self.loop.condition, known))

    @staticmethod
    def _results(container: Token) -> list[Any]:
        return [value for _, value in sorted(container.internal_data["out"], key=lambda pair: int(pair[0]))]

    def _run_hook(self, my_task: Token) -> bool:
        if self.loop.output:
            # Replaced, never appended to: a second pass of a loop starts afresh.
            my_task.process.host.variables[self.loop.output] = self._results(my_task)
        sign = self._sign(my_task)
        if sign is not None:
            self._decide(my_task, sign)
        return True
