"""What the walks need to know of the second rule set: a process of it begins and ends as its counterpart does, unless it says otherwise here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import Start

NATIONAL, FOUNDING = "national_2025", "liaoyang_2018"

#: Process key → what fails in the last way of starting it.
FAILING: Mapping[str, Mapping[str, str]] = {
    "conditional_share": {"cases.extend": "no-deadline"},
    "catalogue_change": {"cases.extend": "no-deadline"},
}
#: Process key → its outcomes, where they differ.
OUTCOMES: Mapping[str, set[str]] = {
    "unconditional_access": {"subscribed", "declined"},
}


def counterpart(process: str) -> str:
    """The process of the founding document that does the same."""
    return process.replace(f"{NATIONAL}/", f"{FOUNDING}/")


def starts_of(process: str, starts: Mapping[str, list[Start]]) -> list[Start]:
    """What to start a process with, of whichever rule set."""
    found = starts[counterpart(process)]
    if counterpart(process) == process:
        return found
    *others, last = found
    return [*others, Start(last.given, last.answers, {**last.fails_with, **FAILING.get(process.partition("/")[2], {})})]


def outcomes_of(process: str, outcomes: Mapping[str, Any]) -> set[str]:
    """How it may end."""
    key = process.partition("/")[2]
    own = OUTCOMES.get(key) if counterpart(process) != process else None
    return own or outcomes[counterpart(process)]
