"""The road's part of correcting 更正: the data, and what lists show of them. Who may, and into what, was asked before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from engine.people.units import unit_by_id
from engine.process.belonging import held
from engine.process.case import Case
from engine.process.moves import Correct
from engine.process.searching import search_text
from engine.process.tables import Task


def put_right(case: Case, move: Correct, said: dict[str, Any]) -> None:
    """Puts the case's data right, and its title where that is said by them. The interpreter is not asked, and no clock."""
    data = case.variables
    for task in case.tasks.values():
        if task.answers and not held(task):
            # What was given back to be corrected lies ready as it was answered: it must not undo this.
            task.answers = {name: move.values[name] if name in move.values and value == data.get(name) else value for name, value in task.answers.items()}
    for name in move.gone:
        data.pop(name, None)
    data.update(move.values)
    if move.title is not None:
        _retitle(case, move.title, said)


def _retitle(case: Case, title: str, said: dict[str, Any]) -> None:
    """The title stands in the case, in its data, and copied on every task of it."""
    instance, session = case.instance, case.work.session
    said["title"] = title
    home = unit_by_id(session, instance.unit_id) if instance.unit_id is not None else None
    instance.title, instance.search = title, search_text(instance.number, title, *((home.name, home.short) if home else ()))
    case.variables["case"] = {**case.variables.get("case", {}), "title": title}
    session.execute(update(Task).where(Task.instance_id == instance.id).values(title=title, search=instance.search))
