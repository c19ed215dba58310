"""Whatever a tired editor or a broken tool makes of a shipped process, the check and the comparison answer; they never fall."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

import engine.sharing.registry  # noqa: F401  (makes operations, words and subjects known)
from engine.process.check import check
from engine.process.interpreter.model import DiagramError
from engine.process.package import Package
from engine.process.workshop.comparing.compare import compare
from tests.bpmn.shipped import PROCESSES, keys_of, package

MUTANTS = 4
TEXTS = ["", "x y", "9" * 270, "a[", "Task_Reply", '"', "²", "None", "-1", "a +", "x = 1"]
VALUES: list[Any] = [None, 1, [], {}, "x +", {"a": [1]}, True, "²"]


def mutant(of: Package, chance: random.Random) -> Package:
    """A few things lost, doubled, emptied or filled with nonsense, in the diagram and in a form."""
    root, forms = etree.fromstring(of.xml), deepcopy(dict(of.forms))
    for _ in range(chance.randint(1, 4)):
        node = chance.choice([node for node in root.iter() if node.getparent() is not None])
        match chance.randint(0, 4):
            case 0:
                node.getparent().remove(node)
            case 1 if node.attrib:
                del node.attrib[chance.choice(list(node.attrib))]
            case 2 if node.attrib:
                node.set(chance.choice(list(node.attrib)), chance.choice(TEXTS))
            case 3:
                node.getparent().append(deepcopy(node))
            case _:
                node.text = chance.choice(TEXTS)
    if forms:
        field = chance.choice(forms[chance.choice(list(forms))]["fields"])
        field[chance.choice(list(field))] = chance.choice(VALUES)
    return replace(of, xml=etree.tostring(root), forms=forms)


@pytest.mark.parametrize("process", PROCESSES)
def test_a_mutant_is_judged_and_compared(process: str) -> None:
    chance, sound = random.Random(process), package(process)
    for _ in range(MUTANTS):
        found = mutant(sound, chance)
        for problem in check(found, keys_of(process.partition("/")[0]), base=sound, held={"head"}):
            assert problem.message and problem.rule
        try:
            there, back = compare(sound, found), compare(found, sound)
        except DiagramError:
            continue
        assert (there.added, there.removed) == (back.removed, back.added)
        assert all(change.text for change in there.changes)
