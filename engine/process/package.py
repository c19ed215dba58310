"""What is deployed together: a diagram with the forms and document templates that it names, under one digest."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Package:
    """A deployment as it is checked, approved and stored."""

    rule_set: str
    xml: bytes
    forms: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """Kind → template, a word processor's .docx."""

    @property
    def digest(self) -> str:
        """SHA-256 over everything in it."""
        rest = json.dumps([self.rule_set, self.forms, as_text(self.documents)], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(self.xml + b"\0" + rest.encode()).hexdigest()


def as_text(documents: Mapping[str, bytes]) -> dict[str, Any]:
    """Templates as JSON can keep them."""
    return {kind: {"docx": base64.b64encode(template).decode()} for kind, template in documents.items()}


def from_text(kept: Mapping[str, Any]) -> dict[str, bytes]:
    """Templates out of their JSON."""
    return {kind: base64.b64decode(text["docx"]) for kind, text in kept.items()}


def read_package(folder: Path, rule_set: str) -> Package:
    """A process folder of `bpmn/<rule set>/`: diagram.bpmn, forms/*.json, documents/*.docx."""
    forms = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("forms/*.json"))}
    return Package(rule_set, (folder / "diagram.bpmn").read_bytes(), forms, read_templates(folder))


def read_templates(folder: Path) -> dict[str, bytes]:
    """The document templates of a process folder."""
    return {file.stem: file.read_bytes() for file in sorted(folder.glob("documents/*.docx"))}
