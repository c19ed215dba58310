"""What operations, their parameters, subjects and words are called for the people who draw diagrams: Chinese, from JSON files.

The docstrings beside the code are for programmers; an official who draws reads these. The kernel brings the texts of its
own operations, and each floor above registers a file of its own, as it registers its operations. A test holds that
nothing registered is without a text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ParameterText:
    """A parameter of an operation as the panel shows it."""

    label: str
    help: str = ""
    offer: str | list[str] | Mapping[str, str] | None = None
    """What its field offers to choose from: the name of a list of the vocabulary (`units`, `posts`, `steps`, `processes`,
    `documents`), expressions, or expression → meaning. Anything else may be typed all the same."""


@dataclass(frozen=True, slots=True)
class OperationText:
    """An operation as the panel shows it. The parameter `*` speaks of further named values."""

    label: str
    description: str
    parameters: Mapping[str, ParameterText]
    result: str
    """What the variable named by `out` holds afterwards; empty where there is nothing to hold."""


@dataclass(slots=True)
class Texts:
    """All texts registered so far, by name."""

    operations: dict[str, OperationText] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    start_pages: dict[str, str] = field(default_factory=dict)
    """Places of the screens that offer to start a process (`startFrom`)."""
    units: dict[str, str] = field(default_factory=dict)
    """Expression that gives a unit → what it is called."""
    names: dict[str, str] = field(default_factory=dict)
    """Variables that a case has from its subject."""


TEXTS = Texts()


def describe(file: Path) -> None:
    """Registers the texts of a JSON file, which has the members of `Texts`; each may be absent."""
    given: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for name, text in given.get("operations", {}).items():
        parameters = {key: ParameterText(**value) for key, value in text["parameters"].items()}
        TEXTS.operations[name] = OperationText(text["label"], text["description"], parameters, text.get("result", ""))
    for kind in ("subjects", "words", "start_pages", "units", "names"):
        getattr(TEXTS, kind).update(given.get(kind, {}))


describe(Path(__file__).parent.parent / "operation_texts.json")
