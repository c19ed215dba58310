"""Answers set ahead 预填: what another program has filled in on an open task for whoever completes it.

They are kept on the task and are no data of the case. Its page shows them under what the person has typed; a program's
completion takes those that it does not send itself. Whoever gets the task next has them too; with the completion they are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.process.forms import FormDefinition, fields_of
from engine.process.tables import Task


@dataclass(frozen=True, slots=True)
class Prepared:
    """Answers that lie ready, by whom and since when."""

    values: Mapping[str, Any]
    by: str
    """The person's name, or that of whoever the program acts for."""
    at: datetime


def prepared_of(task: Task, form: FormDefinition | None) -> Prepared | None:
    """What was set ahead on a task, as far as its form asks for it (a migration may have changed it); None for nothing.

    One query, unless the row was read with it.
    """
    kept = task.prepared
    asked = {field["key"] for field in fields_of(form or {})}
    values = {name: value for name, value in kept["values"].items() if name in asked} if kept else {}
    return Prepared(values, kept["name"], datetime.fromisoformat(kept["at"])) if kept and values else None
