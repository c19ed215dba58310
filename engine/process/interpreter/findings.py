"""Collects the problems of a file, each naming its element."""

from __future__ import annotations

from engine.process.interpreter.document import Element
from engine.process.interpreter.model import Problem, Severity


class Findings:
    """A list of problems to add to."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def add(self, element: Element | None, rule: str, text: str, severity: Severity = "error") -> None:
        """`text` goes on from the element's name: «任务“业务审核”（Task_x）：…»."""
        if element is None:
            self.problems.append(Problem(None, None, rule, text, severity=severity))
        else:
            message = f"{element.label()}：{text}"
            article = element.properties.get("article")
            self.problems.append(Problem(element.id, element.name or None, rule, message, article, severity))

    def warn(self, element: Element | None, rule: str, text: str) -> None:
        """Runs as drawn, but somebody should look at it."""
        self.add(element, rule, text, "warning")
