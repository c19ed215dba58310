"""What the stories of oversight have in common: starting a case as its page offers it, letters, and what people were told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.people.actor import Actor
from engine.process.definitions import in_force
from engine.process.forms import prefill
from engine.process.instances import find_subject, start_form, start_instance
from engine.process.notifying.reading import notices
from engine.sharing import documents
from engine.sharing.documents import DocumentLine
from tests.town import Town


def starts(
    town: Town, process: str, unit: str, post: str, *, at: str | None = None, about: Mapping[str, Any] | None = None,
    **answers: Any,
) -> int:  # fmt: skip
    """Whoever holds the post starts a case `about` what a link names, taking what the form offers but for `answers`."""
    if at is not None:
        town.passes_until(at)
    given = dict(about or {})
    with town.store.read() as session:
        definition = in_force(session, process, town.now())
        subject = find_subject(session, definition, {**given, "applicant_unit": unit})
        offered = prefill(start_form(definition) or {}, {**(subject.variables if subject else {}), "applicant_unit": unit})
    filled = {**offered, "promise_no_secrets": True, **answers}
    return start_instance(
        town.store, process, actor=town.officer(unit, post), variables=given,
        answers={key: value for key, value in filled.items() if value is not None},
    )  # fmt: skip


def letters(town: Town, case: int, reader: Actor | None = None) -> dict[str, DocumentLine]:
    """The documents of a case by kind; of several of a kind the last."""
    with town.store.read() as session:
        return {line.kind: line for line in documents.documents_of(session, reader or town.officer("024", "handler"), case)}


def text_of(town: Town, case: int, kind: str, reader: Actor | None = None) -> str:
    """What the document of that kind says."""
    someone = reader or town.officer("024", "handler")
    with town.store.read() as session:
        return documents.document_sheet(session, someone, letters(town, case, someone)[kind].id).words


def told(town: Town, unit: str, post: str) -> list[str]:
    """The headings of somebody's notices."""
    with town.store.read() as session:
        return [notice.title for notice in notices(session, town.officer(unit, post)).lines]
