"""Rule sets as files: which processes a folder of `bpmn/` ships, in the order of deployment.

A rule set that changes only some processes says `based_on`: the files of the other rule set count for the rest, and nothing
is kept twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


def process_folders(rule_set: Path) -> dict[str, Path]:
    """Process key → the folder of its files, in the order of deployment; each folder's parent is named after its rule set."""
    listing = json.loads((rule_set / "rule_set.json").read_text(encoding="utf-8"))
    folders = process_folders(rule_set.parent / listing["based_on"]) if "based_on" in listing else {}
    return folders | {entry["key"]: rule_set / entry["key"] for entry in listing["processes"]}


@dataclass(frozen=True, slots=True)
class RuleSetFiles:
    """A rule set as it ships: what it is called, and the processes that it has files of its own for."""

    key: str
    name: str
    processes: tuple[tuple[str, str], ...]
    """Key and name of each, in the order of deployment."""


def shipped_rule_sets(diagrams: Path) -> list[RuleSetFiles]:
    """The rule sets in a folder of rule sets, by key; what is no rule set is passed over."""
    found = []
    for listing in sorted(diagrams.glob("*/rule_set.json")):
        given = json.loads(listing.read_text(encoding="utf-8"))
        processes = tuple((entry["key"], entry.get("name", entry["key"])) for entry in given["processes"])
        found.append(RuleSetFiles(listing.parent.name, given.get("name", listing.parent.name), processes))
    return found
