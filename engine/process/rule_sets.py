"""Rule sets as files: which processes a folder of `bpmn/` ships, in the order of deployment.

A rule set that changes only some processes says `based_on`: the files of the other rule set count for the rest, and nothing
is kept twice.
"""

from __future__ import annotations

import json
from pathlib import Path


def process_folders(rule_set: Path) -> dict[str, Path]:
    """Process key → the folder of its files, in the order of deployment; each folder's parent is named after its rule set."""
    listing = json.loads((rule_set / "rule_set.json").read_text(encoding="utf-8"))
    folders = process_folders(rule_set.parent / listing["based_on"]) if "based_on" in listing else {}
    return folders | {entry["key"]: rule_set / entry["key"] for entry in listing["processes"]}
