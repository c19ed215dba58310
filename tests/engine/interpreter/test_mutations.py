"""Broken files: whatever is torn out, doubled or rewired, the answer is a list of problems or a sound diagram."""

from __future__ import annotations

from random import Random

import pytest
from lxml import etree

from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import DiagramError, InterpreterError
from engine.process.interpreter.reader import check_structure, read_diagram
from tests.engine.interpreter.driving import Desk
from tests.engine.interpreter.test_machine import REQUEST, SERVICE, ask_units
from tests.engine.interpreter.test_state import CORRECTIONS

FILES = [REQUEST, SERVICE, CORRECTIONS, ask_units()]


def mutate(xml: bytes, random: Random) -> bytes:
    """One to three small accidents."""
    root = etree.fromstring(xml)
    for _ in range(random.randint(1, 3)):
        nodes = [node for node in root.iter() if node is not root]
        node = random.choice(nodes)
        parent = node.getparent()
        assert parent is not None
        match random.randrange(5):
            case 0:
                parent.remove(node)
            case 1:
                parent.append(etree.fromstring(etree.tostring(node)))
            case 2 if node.attrib:
                del node.attrib[random.choice(list(node.attrib))]
            case 3 if node.attrib:
                node.set(random.choice(list(node.attrib)), random.choice(["", "x", "a", "-1", "start", "中文"]))
            case _:
                node.tag = random.choice(nodes).tag
    return etree.tostring(root)


@pytest.mark.parametrize("seed", range(300))
def test_an_accident_is_refused_or_runs(seed: int) -> None:
    random = Random(seed)
    xml = mutate(random.choice(FILES), random)
    errors = [problem for problem in check_structure(xml) if problem.severity == "error"]
    if errors:
        with pytest.raises(DiagramError):
            read_diagram(xml)
        return
    host = Desk({"units": ["001"], "days": 1, "again": False, "reply": "yes"})
    machine = Machine.start(read_diagram(xml), host=host)
    try:
        machine.run()
        for _ in range(20):
            open_tokens = machine.waiting()
            if not open_tokens:
                break
            chosen = random.choice(open_tokens)
            machine = Machine.load(machine.diagram, machine.save(), host=host)
            match chosen.kind:
                case "timer":
                    machine.fire(chosen.token)
                case "message":
                    machine.deliver(chosen.message or "")
                case _:
                    machine.complete(chosen.token, local={"reply": "yes"})
    except (ExpressionError, InterpreterError):
        pass
