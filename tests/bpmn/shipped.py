"""What ships in `bpmn/`: the rule sets, their processes, and the files of each."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from engine.process.package import Package, read_package
from engine.process.rule_sets import process_folders
from engine.process.interpreter.model import Diagram
from engine.process.interpreter.reader import read_diagram

BPMN_FOLDER = Path(__file__).parents[2] / "bpmn"

NAMES = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "spiffworkflow": "http://spiffworkflow.org/bpmn/schema/1.0/core",
    "sharing": "urn:sharing-bpm:diagram:1",
}


@cache
def rule_set(name: str) -> dict[str, Any]:
    """The listing of a rule set."""
    found: dict[str, Any] = json.loads((BPMN_FOLDER / name / "rule_set.json").read_text(encoding="utf-8"))
    return found


def rule_sets() -> list[str]:
    return sorted(listing.parent.name for listing in BPMN_FOLDER.glob("*/rule_set.json"))


#: Every process folder, as `rule set/process`.
PROCESSES = [f"{name}/{entry['key']}" for name in rule_sets() for entry in rule_set(name)["processes"]]


@cache
def package(process: str) -> Package:
    """Diagram, forms and documents of `rule set/process`, as they would be deployed."""
    return read_package(BPMN_FOLDER / process, process.partition("/")[0])


@cache
def diagram(process: str) -> Diagram:
    return read_diagram(package(process).xml)


@cache
def tree(process: str) -> Any:
    """The file as XML."""
    return etree.fromstring(package(process).xml)


def own_keys(name: str) -> set[str]:
    """The processes whose files the rule set has itself."""
    return {entry["key"] for entry in rule_set(name)["processes"]}


def keys_of(name: str) -> set[str]:
    """The processes of a rule set, its own and those of the one that it is based on."""
    return set(process_folders(BPMN_FOLDER / name))
