"""Gateways that decide by the tokens which are there, not by the history of the process.

SpiffWorkflow's joins count tasks of earlier loop iterations, merge the stale copies of the last finisher
over newer values, and predict the whole future once per branch. Here a parallel join follows the BPMN
standard literally: it fires when every incoming flow holds a token, and takes exactly one from each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.model import NoPath, Step
from engine.process.interpreter.nodes import Node
from engine.process.interpreter.tokens import WRITTEN, Token


class Exclusive(Node):
    """Takes the first flow whose condition holds, in the order of the file, else the default flow."""

    #: (condition, target) in order; the condition of the default flow is None. Set by the network.
    choices: tuple[tuple[str | None, Node], ...] = ()

    def leave(self, token: Token) -> None:
        engine = token.process.script_engine
        default: Node | None = None
        for condition, target in self.choices:
            if condition is None:
                default = target
            elif engine.evaluate(token, condition):
                token.spawn(target)
                return
        if default is None:
            raise no_path(self)
        token.spawn(default)


def no_path(gateway: Node) -> NoPath:
    """The error of a gateway at which no flow can be taken."""
    title = gateway.step.name if gateway.step is not None else ""
    return NoPath(f"网关“{title}”（{gateway.name}）没有一个条件成立，也没有默认流向")


class _Join(Node):
    """What parallel and inclusive gateways share: gathering tokens by the flow that they came by."""

    def waiting(self, my_task: Token) -> dict[str, list[Token]]:
        """Live tokens at this gateway by the node that they came from, oldest first."""
        found: dict[str, list[Token]] = {}
        for token in my_task.workflow.tasks.values():
            if token.task_spec is self and token.live:
                found.setdefault(token.parent.task_spec.name, []).append(token)
        return found

    def gather(self, my_task: Token, others: list[Token]) -> None:
        """Let `my_task` go on for all: the newest written value of each name wins, whoever arrives last."""
        merged = _merge([token.data for token in [*others, my_task]])
        if any("side" not in token.internal_data for token in others):
            my_task.internal_data.pop("side", None)
        for token in others:
            token._set_state(TaskState.CANCELLED)
        my_task.data = merged


def _merge(parts: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    written: dict[str, int] = {}
    for data in parts:
        times: Mapping[str, int] = data.get(WRITTEN, {})
        for key, value in data.items():
            if key != WRITTEN and times.get(key, 0) >= written.get(key, -1):
                merged[key] = value
                written[key] = times.get(key, 0)
    kept = {key: moment for key, moment in written.items() if moment}
    return {**merged, WRITTEN: kept} if kept else merged


class Parallel(_Join):
    """One token from every incoming flow; one token to every outgoing flow."""

    def _update(self, my_task: Token) -> None:
        if len(self._inputs) > 1:
            my_task._set_state(TaskState.WAITING)
            arrived = self.waiting(my_task)
            others: list[Token] = []
            needed: Counter[str] = Counter(self._inputs)
            for name, count in needed.items():
                tokens = arrived.get(name, [])
                if len(tokens) < count:
                    return
                chosen = tokens[:count]
                if my_task in tokens and my_task not in chosen:
                    chosen[-1] = my_task
                others += [token for token in chosen if token is not my_task]
            self.gather(my_task, others)
        my_task._ready()


class Inclusive(_Join):
    """Waits for every token that may still come; then takes every flow whose condition holds, else the default."""

    choices: tuple[tuple[str | None, Node], ...] = ()
    #: For each incoming node: the nodes whose tokens may still arrive by it. Set by the network.
    sources: Mapping[str, frozenset[str]]

    def _update(self, my_task: Token) -> None:
        if len(self._inputs) > 1:
            # Decided when everything automatic has run: see `settle`.
            my_task._set_state(TaskState.WAITING)
        else:
            my_task._ready()

    def settle(self, my_task: Token) -> bool:
        """Go on unless a live token elsewhere may still come by a flow that has none yet."""
        arrived = self.waiting(my_task)
        missing: set[str] = set()
        for name, nodes in self.sources.items():
            if name not in arrived:
                missing |= nodes
        scope = my_task.workflow
        if any(token.live and token.task_spec.name in missing for token in scope.tasks.values()):
            return False
        first = [tokens[0] for tokens in arrived.values()]
        going = my_task if my_task in first else first[0]
        self.gather(going, [token for token in first if token is not going])
        going._ready()
        return True

    def leave(self, token: Token) -> None:
        engine = token.process.script_engine
        chosen = [target for condition, target in self.choices if condition and engine.evaluate(token, condition)]
        if not chosen:
            chosen = [target for condition, target in self.choices if condition is None]
        if not chosen:
            raise no_path(self)
        for target in chosen:
            token.spawn(target)


class EventGateway(Node):
    """Waits for several events; the first that happens withdraws the others.

    Each event is a token of its own, so that two timers do not share one value as they do in SpiffWorkflow.
    """

    def __init__(self, process: Any, name: str, step: Step) -> None:
        super().__init__(process, name, step)
