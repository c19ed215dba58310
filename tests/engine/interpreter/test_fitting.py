"""The proposal which element of one version stands for which of another."""

from __future__ import annotations

from engine.process.interpreter.fitting import propose
from engine.process.interpreter.reader import read_diagram
from tests.engine.interpreter.diagrams import diagram, element, timer


def test_the_proposal_is_one_to_one_and_says_how_sure_it_is_and_why() -> None:
    old = read_diagram(diagram(
        "start > user:a > user:b > user:gone > end", element("a", name="受理"), element("b", name="审核"),
        element("gone", name="会签"), timer("a", "late", workingDays=10, role="deadline")))
    new = read_diagram(diagram(
        "start > user:a > user:review > end", element("a", name="登记"), element("review", name="审核"),
        timer("a", "until", workingDays=5, role="deadline")))
    found = {name: (match.image, match.sure) for name, match in propose(old, new).items()}
    assert found == {
        "start": ("start", True), "a": ("a", True), "b": ("review", True), "gone": (None, False), "end": ("end", True),
        "late": ("until", False),
    }


def test_two_steps_of_one_name_are_told_apart_by_their_neighbours_or_left_open() -> None:
    def drawn(prefix: str) -> bytes:
        return diagram(
            f"start > user:{prefix}1 > user:mid > user:{prefix}2 > end", element(f"{prefix}1", name="签字"),
            element(f"{prefix}2", name="签字"))

    found = propose(read_diagram(drawn("p")), read_diagram(drawn("q")))
    assert {name: match.image for name, match in found.items() if name.startswith("p")} == {"p1": "q1", "p2": "q2"}
    assert not found["p1"].sure
