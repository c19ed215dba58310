"""What is deployed together: a diagram with the forms and document templates that it names, under one digest."""

from __future__ import annotations

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
    documents: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over everything in it."""
        rest = json.dumps([self.rule_set, self.forms, self.documents], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(self.xml + b"\0" + rest.encode()).hexdigest()


def read_package(folder: Path, rule_set: str) -> Package:
    """A process folder of `bpmn/<rule set>/`: diagram.bpmn, forms/*.json, documents/*.html."""
    forms = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("forms/*.json"))}
    documents = {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("documents/*.html"))}
    return Package(rule_set, (folder / "diagram.bpmn").read_bytes(), forms, documents)
