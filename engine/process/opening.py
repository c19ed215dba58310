"""Opening an instance: its number, title, parties and first data, in an open transaction.

Used by the command that a person starts a case with, and by the road when one process starts another.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day
from engine.history import Head
from engine.people.units import unit_by_id, unit_id_of
from engine.process.definitions import Deployed, hold_version
from engine.process.interpreter.expressions import ExpressionError, evaluate
from engine.process.operations import WORDS
from engine.process.rows import add_missing, next_number
from engine.process.searching import search_text
from engine.process.tables import Instance, Party
from engine.store.errors import NotFound
from engine.store.store import Work

TITLE_MAX = 300


@dataclass(frozen=True, slots=True)
class Under:
    """Under which instance a new one is opened; nothing for a case that a person starts."""

    parent_id: int | None = None
    parent_token: str | None = None
    """The call activity that waits for it, if one does."""
    source_id: int | None = None
    source_token: str | None = None
    """The activity whose missed deadline started it."""


def open_instance(
    work: Work, definition: Deployed, *, variables: Mapping[str, Any], at: datetime, unit_id: int | None,
    starter_id: int | None = None, subject_key: str | None = None, subject_name: str | None = None, under: Under = Under(),
    business_key: str | None = None,
) -> Instance:
    """A new instance of `definition`, numbered and titled, not yet run; received at `at`."""
    hold_version(work.session, definition.id)
    properties = definition.diagram.properties
    prefix = properties.get("numberPrefix") or definition.name
    year = shanghai_day(at).year
    number = f"{prefix}〔{year}〕{next_number(work.session, f'case:{prefix}:{year}')}号"
    data = {**variables}
    home = unit_by_id(work.session, unit_id) if unit_id is not None else None
    if home is not None:
        data.setdefault("applicant_unit", home.code)
    names = {**data, "subject_name": subject_name or "", "process_name": definition.name}
    title = title_over(work.session, definition, names)
    instance = Instance(
        definition_id=definition.id, process_key=definition.key, number=number, title=title, state="running",
        search=search_text(number, title, *((home.name, home.short) if home else ())),
        subject_key=subject_key, unit_id=unit_id, starter_id=starter_id, started_at=at, escalated=False, variables=data,
        saved=b"", supervised=False, history_seq=0, history_hash=Head().hash, parent_id=under.parent_id,
        parent_token=under.parent_token, source_id=under.source_id, source_token=under.source_token,
        business_key=business_key,
    )
    work.session.add(instance)
    work.session.flush()
    instance.variables = {**data, "case": {"id": instance.id, "number": number, "title": instance.title}}
    _add_parties(work, instance, properties.get("parties", ""), names)
    return instance


def title_over(session: Session, definition: Deployed, names: Mapping[str, Any]) -> str:
    """What a case with such data is called, by its version; `names` hold `subject_name` and `process_name` too."""
    text = definition.diagram.properties.get("title")
    return str((text and _over(session, text, names)) or names["subject_name"] or definition.name)[:TITLE_MAX]


def _add_parties(work: Work, instance: Instance, text: str, names: Mapping[str, Any]) -> None:
    """The units that may see the case from the start: the starter's, and those that the diagram names."""
    found = {instance.unit_id} if instance.unit_id is not None else set()
    for part in filter(None, (item.strip() for item in text.split(";"))):
        code = _over(work.session, part.partition("=")[2].strip(), names)
        with suppress(NotFound):
            found.add(unit_id_of(work.session, str(code or "")))
    add_missing(work.session, Party, [{"instance_id": instance.id, "unit_id": unit_id, "post": ""} for unit_id in sorted(found)])


def _over(session: Session, text: str, names: Mapping[str, Any]) -> Any:
    """An expression over the first data; what the case does not hold yet counts as absent."""
    words = {name: (lambda *arguments, function=function: function(session, *arguments)) for name, function in WORDS.items()}
    try:
        return evaluate(text, names, words)
    except ExpressionError:
        return None
