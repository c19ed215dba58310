"""What an account may not see is not there: one question for every address that names a case or something of it."""

from __future__ import annotations

from typing import Any

from engine.process.outside import todo
from engine.store.errors import NotAllowed, NotFound
from web.api.refusals import missing
from web.context import store
from web.looks import look_at_part


def require_case(instance_id: int, what: str = "process instance", number: object = None) -> None:
    """Goes on where the account may see the case; an auditor's look goes on record. Raises 404, naming `what` was asked for."""
    try:
        look_at_part(instance_id)
    except (NotAllowed, NotFound):
        raise missing(what, number if number is not None else instance_id) from None


def open_task(task_id: int) -> Any:
    """An open task of a case that the account may see. Raises 404."""
    with store().read() as session:
        try:
            row = todo.open_task(session, task_id)
        except NotFound:
            raise missing("task", task_id) from None
    require_case(row.instance_id, "task", task_id)
    return row
