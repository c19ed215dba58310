"""What a diagram's nodes would write and catch, for who looks at a diagram without running it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.process.interpreter.events import Boundary
from engine.process.interpreter.model import Diagram
from engine.process.interpreter.multi import Multi
from engine.process.interpreter.network import Network
from engine.process.interpreter.nodes import Node, Script, Service


def written_by(diagram: Diagram) -> frozenset[str]:
    """The variables that service tasks, scripts and multi-instance activities write. Forms and calls are the kernel's."""
    names: set[str] = set()
    for node in _nodes(diagram):
        if isinstance(node, Multi):
            names.update([node.loop.output] if node.loop.output else [])
            names.update([node.loop.sign.result] if node.loop.sign else [])
            node = node.inner
        if isinstance(node, Service) and node.out:
            names.add(node.out)
        elif isinstance(node, Script):
            names.update(name for name, _ in node.lines)
    return frozenset(names)


def errors_caught(diagram: Diagram) -> dict[str, str | None]:
    """Error boundary events by element, with the code that each catches; None where it catches all."""
    return {
        node.name: node.code for node in _nodes(diagram) if isinstance(node, Boundary) and node.event == "error"
    }  # fmt: skip


def _nodes(diagram: Diagram) -> Iterator[Node]:
    network: Network = diagram.spec
    for spec in (network.root, *network.subprocesses.values()):
        yield from (node for node in spec.task_specs.values() if isinstance(node, Node))
