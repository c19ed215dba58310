"""Looks that go on record: the views say what was looked at, the engine's rights say whether that must be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.people.permissions import must_log_look
from engine.process.looks import record_look
from engine.process.sheets.case import CaseSheet
from engine.process.sheets.seeing import find_instance, require_sight
from engine.store.errors import NotAllowed
from web.context import me, origin, store


@contextmanager
def looking_at(instance_id: int) -> Iterator[None]:
    """A look at a case that is refused inside goes on record, and stays refused."""
    try:
        yield
    except NotAllowed:
        record_look(store(), instance_id, actor=me(), refused=True, origin=origin())
        raise


def looked_at(case: CaseSheet) -> None:
    """Puts a look at a case on record where the reader's post asks for that."""
    if case.must_log:
        record_look(store(), case.instance_id, actor=me(), origin=origin())


def look_at_part(instance_id: int) -> None:
    """The same for a file or document of a case. Raises NotAllowed where the reader may not see the case."""
    with looking_at(instance_id), store().read() as session:
        _, facts = require_sight(session, me(), find_instance(session, instance_id))
    if must_log_look(me(), facts):
        record_look(store(), instance_id, actor=me(), origin=origin())
