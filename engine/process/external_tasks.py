"""External tasks: the rows of the steps that a worker outside does, kept in line with the interpreter.

A service task with a `topic` waits like a user task. What the worker gets is what the diagram hands over (`in.*`), and what
the case takes back is what the diagram names (`out.*`, `out`): a worker sees and writes nothing else. Fetching, locks and
failures are `engine/process/outside`; this is what the road needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from engine.process import incidents
from engine.process.clocks import BadRule
from engine.process.interpreter.expressions import ExpressionError
from engine.process.interpreter.model import Step, Waiting
from engine.process.tables import ExternalTask
from engine.store.errors import Invalid

if TYPE_CHECKING:
    from engine.process.case import Case

#: Between these a priority is a number that every database keeps.
PRIORITY_MAX = 2**31 - 1
#: What an error event may take beside the worker's variables.
OF_ERROR = frozenset({"errorCode", "errorMessage"})
_OPEN = select(ExternalTask).where(ExternalTask.instance_id == bindparam("instance"), ExternalTask.state == "waiting").order_by(ExternalTask.id)


def bring_in_line(case: Case, said: dict[str, Any]) -> None:
    """Opens a row for every topic that begins to wait and closes those whose token is gone.

    Costs nothing in a process without topics, one statement in any other.
    """
    if not case.external and not any(step.topic for step in case.diagram_steps.values()):
        return
    rows = _rows(case)
    waiting = {token.token: token for token in case.machine.waiting() if token.kind == "topic"}
    for gone in rows.keys() - waiting.keys():
        row = rows.pop(gone)
        if row.state != "waiting":
            continue
        row.state = "cancelled"
        if row.retries == 0:
            incidents.resolve(case.work, external_id=row.id)
        step = case.diagram_steps.get(row.step)
        said.setdefault("cancelled", []).append({"step": row.step, "name": step.name if step else row.topic, "topic": row.topic})
    for token in waiting.values():
        step = case.diagram_steps[token.step]
        if token.token in rows:  # a migration may have renamed its step
            rows[token.token].step, rows[token.token].topic = step.id, str(step.topic)
        else:
            rows[token.token] = _open(case, step, token)
            said.setdefault("outside", []).append({"step": step.id, "name": step.name, "topic": step.topic})


def _rows(case: Case) -> dict[str, ExternalTask]:
    if case.external is None:
        case.external = {row.token: row for row in case.work.session.scalars(_OPEN, {"instance": case.instance.id})}
    return case.external


def _open(case: Case, step: Step, token: Waiting) -> ExternalTask:
    given = {name.removeprefix("in."): case.evaluate(text, token) for name, text in step.properties.items() if name.startswith("in.")}
    row = ExternalTask(
        instance_id=case.instance.id, token=token.token, step=step.id, topic=str(step.topic), process_key=case.instance.process_key,
        priority=_priority(case, step, token), state="waiting", created_at=case.at, given=given,
    )  # fmt: skip
    case.work.session.add(row)
    return row


def _priority(case: Case, step: Step, token: Waiting) -> int:
    text = step.properties.get("priority")
    if not text:
        return 0
    found = case.evaluate(text, token)
    number = int(found) if isinstance(found, float) and found.is_integer() else found  # what a form asked for is a float
    if isinstance(number, bool) or not isinstance(number, int) or abs(number) > PRIORITY_MAX:
        raise BadRule(f"环节“{step.name}”（{step.id}）的优先级“{text}”应当是整数，实际为“{found}”")
    return number


def finish(case: Case, row: ExternalTask, given: Mapping[str, Any], error: str | None, said: dict[str, Any]) -> None:
    """The worker is done: the case takes what the diagram names, or goes the way of the BPMN error and takes what its event names.
    The interpreter moves.

    Raises Invalid where a result lacks what the diagram takes, or where nothing catches the error.
    """
    step = case.diagram_steps[row.step]
    _rows(case).pop(row.token, None)
    row.state = "done"
    if row.retries == 0:
        incidents.resolve(case.work, external_id=row.id)
    if error is not None:
        catcher = case.diagram_steps.get(case.machine.catcher(row.token, error) or "")
        if catcher is None:
            raise Invalid({"errorCode": f"环节“{step.name}”没有处理错误“{error}”的边界事件"})
        if catcher.attached_to == step.id:  # one further out knows no worker
            values = taken(case, catcher, {**given, "errorCode": error, "errorMessage": said.get("message") or ""})
            case.variables.update(values)
            said |= {"values": values} if values else {}
        case.machine.raise_error(row.token, error)
        return
    values = said["values"] = taken(case, step, given)
    if not step.multi:
        case.variables.update(values)
    case.machine.complete(row.token, local=values if step.multi else None)


def taken(case: Case, step: Step, given: Mapping[str, Any]) -> dict[str, Any]:
    """The case data that a worker's variables become, by the diagram's `out.*` (expressions over them) and `out` (all of them)."""
    values: dict[str, Any] = {}
    for name, text in step.properties.items():
        if name.startswith("out."):
            try:
                values[name.removeprefix("out.")] = case.evaluate_over(text, given)
            except ExpressionError as error:
                raise Invalid({name: f"办理结果不能用于“{name.removeprefix('out.')}”：{error}"}) from error
    if step.properties.get("out"):
        values[step.properties["out"]] = dict(given)
    return values
