"""What a file may not contain. (The rules by topic stand in structure_*.py.)"""

from __future__ import annotations

from engine.process.interpreter.document import Document
from engine.process.interpreter.model import Problem, TimerRule


def problems_of(document: Document, timers: dict[str, TimerRule]) -> list[Problem]:
    """All findings of a document."""
    return list(document.problems)
