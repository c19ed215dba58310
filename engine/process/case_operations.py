"""Operations on the case itself that any process may need, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select

from calendars import deadline
from engine.people.tables import Account, Unit
from engine.people.units import unit_by_code
from engine.process.clocks import lengthen, whole_days
from engine.process.definitions import deployed
from engine.process.editions import calendar_of, current_edition
from engine.process.instances import start_by_system
from engine.process.interpreter.model import OperationError
from engine.process.migrating import earlier_names
from engine.process.operations import Call, operation
from engine.process.rows import add_missing
from engine.process.tables import Instance, Party, Task, Timer


@operation("cases.escalate", {}, repeatable=True)
def escalate(call: Call) -> bool:
    """Brings the case before the leading group: from now on those who see escalated cases see it."""
    call.instance.escalated = True
    return True


@operation(
    "cases.start",
    {"process": "key of the process", "units": "codes of the units, one case each", "given": "values that each case starts with"},
)
def start(call: Call, *, process: str, units: Any, given: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Starts a case of another process for each unit and does not wait for them, unlike a call activity.

    They are shown as cases of this one, are about the same subject, and know it as `source_instance`, `source_number` and
    `source_title`. Returns `id`, `number` and `unit` of each.
    """
    this = call.instance
    source = {"source_instance": this.id, "source_number": this.number, "source_title": this.title}
    started = []
    for code in dict.fromkeys(str(unit) for unit in units):
        made = start_by_system(
            call.work, process, unit_code=code, variables={**source, **(given or {})}, at=call.at,
            subject_key=this.subject_key,
        )
        case = call.work.session.get_one(Instance, made)
        case.parent_id = this.id
        started.append({"id": made, "number": case.number, "unit": code})
    call.work.session.flush()
    return started


@operation("cases.answers", {"step": "element id of a task, such as one done by several units at once"}, repeatable=True)
def answers(call: Call, *, step: str) -> list[dict[str, Any]]:
    """What was answered at a step of this case, each time that it was done: the form's values, `opinion`, `unit` and `person`.

    For a letter that brings together what several units said; the units and people go by their names.
    """
    call.work.session.flush()
    # Where the case has changed its version, the step may have been done under another name.
    names = [step, *earlier_names(call.work.session, call.instance.id, step)]
    rows = call.work.session.execute(
        select(Task.answers, Task.opinion, Unit.name, Account.name)
        .join(Unit, Unit.id == Task.unit_id).join(Account, Account.id == Task.completed_by)
        .where(Task.instance_id == call.instance.id, Task.step.in_(names), Task.state == "done", Task.main_id.is_(None)).order_by(Task.id)
    )
    return [{**(given or {}), "opinion": said or "", "unit": unit, "person": person} for given, said, unit, person in rows]


@operation("cases.admit", {"unit": "code of the unit"}, repeatable=True)
def admit(call: Call, *, unit: str) -> bool:
    """Makes a unit a party of the case: from now on all its case-working posts see it, not only those with a task in it.

    Raises OperationError `no-such-unit`.
    """
    found = unit_by_code(call.work.session, unit)
    if found is None:
        raise OperationError("no-such-unit", f"没有代码为“{unit}”的单位")
    add_missing(call.work.session, Party, [{"instance_id": call.instance.id, "unit_id": found.id, "post": ""}])
    return True


@operation("cases.due_day", {"days": "working days from now on", "unit": "code of the unit by whose calendar it counts"},
           repeatable=True)
def due_day(call: Call, *, days: Any, unit: Any = None) -> str:
    """The ISO date of the last day of a limit that begins now, so that a letter can name the day before the clock runs.

    It is the day that the deadline of an activity entered in the same move will have.
    """
    return last_day(call, days, str(unit) if unit else None)[0].isoformat()


def last_day(call: Call, days: Any, unit: str | None) -> tuple[date, bool]:
    """The last day of a limit that begins now by the calendar of a unit (its code; None: the city's); whether it is provisional."""
    found_unit = unit_by_code(call.work.session, unit) if unit else None
    calendar = calendar_of(call.work.session, found_unit.id if found_unit else None)
    found = deadline.due(call.at, whole_days(days, call.step.id), current_edition(call.work, calendar))
    assert found.last_day is not None  # nothing stops a clock that is not there yet
    return found.last_day, found.provisional


@operation("cases.extend", {"activity": "element id of the activity around this step", "days": "working days to add"})
def extend(call: Call, *, activity: str, days: Any) -> dict[str, Any]:
    """Adds working days to the running deadline of an activity; returns the new last day (`due_day`, in words `due_text`) and the old one.

    The clock stays one clock: its explanation shows all its days. A reminder that has fired already will remind again.
    Raises OperationError `no-deadline` where no deadline of that activity runs (any more).
    """
    session, added = call.work.session, whole_days(days, call.step.id)
    rules = deployed(session, call.instance.definition_id).diagram.timers
    own = [
        timer for timer in session.scalars(select(Timer).where(Timer.instance_id == call.instance.id).order_by(Timer.id))
        if timer.kind == "machine" and timer.element in rules and rules[timer.element].attached_to == activity
    ]
    lengthened = lengthen(own, added, call.at, partial(current_edition, call.work))
    if lengthened is None:
        raise OperationError("no-deadline", "该环节没有可以延长的时限")
    call.note("extended", {"activity": lengthened.name, "days": added, "by": call.step.name})
    # The road counts the clocks of this activity again as soon as the interpreter has come to rest.
    call.work.notes.setdefault(f"recount:{call.instance.id}", set()).add(lengthened.activity)
    return lengthened.told(added)
