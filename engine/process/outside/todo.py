"""Tasks as other programs ask for them: the open ones, and those of the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, false, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from engine.people.actor import Actor
from engine.people.tables import Account, Appointment, Unit
from engine.process.outside import variables
from engine.process.outside.keys import keyed
from engine.process.outside.listing import (
    Condition, Cut, Filter, Listed, Rows, after, among, any_of, before, conditions, definition, ident, idents, like, not_among, nothing,
    other, same, when,
)  # fmt: skip
from engine.process.outside.seen import seen, sees_many
from engine.process.tables import FAR, Definition, Instance, Task
from engine.store.errors import NotFound

_assignee, _owner, _doer = aliased(Account), aliased(Account), aliased(Account)
#: Every task has it: deadlines order what is to be done, nobody's judgement of what matters.
PRIORITY = 50
# Looked up by themselves, not joined.
_case, _home = aliased(Instance), aliased(Unit)
_group: Any = Unit.code + "/" + Task.post
_pooled = Task.assignee_id.is_(None)

#: With one of these a query looks at few tasks.
_SELECTIVE = frozenset({"taskId", "taskIdIn", "processInstanceId", "processInstanceIdIn", "processInstanceBusinessKey", "assignee", "executionId"})


def _in_group(value: str) -> Condition:
    unit, _, post = value.partition("/")
    return and_(Task.unit_id == select(_home.id).where(_home.code == unit).scalar_subquery(), Task.post == post)


def _in_groups(values: list[str]) -> Condition:
    return or_(*(_in_group(value) for value in values))


def _due_before(moment: datetime) -> Condition:
    """By the order of urgency, which has an index; there a task that nothing limits stands at the far end."""
    return Task.sort_at < min(moment, datetime.fromisoformat(FAR))


def _of_person(login: str) -> Condition:
    held = select(Appointment.unit_id, Appointment.post).join(Account, Account.id == Appointment.account_id).where(Account.login == login)
    return tuple_(Task.unit_id, Task.post).in_(held)


def _numbered(by: Callable[[Any], Filter]) -> Filter:
    """Of cases by their business key, which has an index; the number of a task is a copy."""

    def condition(value: Any) -> Condition:
        numbered = keyed(by, _case)(value)
        assert numbered is not None
        return Task.instance_id.in_(select(_case.id).where(numbered))

    return condition


def _whole(column: Any) -> dict[str, Filter]:
    """The filters of the case that a task belongs to."""
    return {
        "processInstanceId": ident(column), "processInstanceIdIn": idents(column), "executionId": ident(column),
        "processInstanceBusinessKey": _numbered(same), "processInstanceBusinessKeyIn": _numbered(among),
        "processInstanceBusinessKeyLike": _numbered(like), "processDefinitionId": definition(Instance.definition_id),
        "processDefinitionKey": same(Task.process_key), "processDefinitionKeyIn": among(Task.process_key),
        "processDefinitionName": same(Task.process_name), "processDefinitionNameLike": like(Task.process_name),
        "taskDefinitionKey": same(Task.step), "taskDefinitionKeyIn": among(Task.step), "processVariables": variables.holds,
    }  # fmt: skip


def _if(holds: bool) -> Condition:
    return true() if holds else false()


_STANDING: Mapping[str, Filter] = {
    "priority": lambda value: _if(value == PRIORITY), "minPriority": lambda value: _if(value <= PRIORITY), "maxPriority": lambda value: _if(value >= PRIORITY),
}  # fmt: skip

FILTERS: Mapping[str, Filter] = {
    **_whole(Task.instance_id),
    "taskId": ident(Task.id), "taskIdIn": idents(Task.id), "activityInstanceIdIn": among(Task.token), "assignee": same(_assignee.login),
    "assigneeLike": like(_assignee.login), "assigneeIn": among(_assignee.login), "assigneeNotIn": not_among(_assignee.login),
    "owner": same(_owner.login), "candidateGroup": _in_group, "candidateGroups": _in_groups, "candidateGroupLike": like(_group),
    "candidateUser": _of_person, "involvedUser": lambda login: or_(_assignee.login == login, _owner.login == login),
    "assigned": when(Task.assignee_id.is_not(None)), "unassigned": when(_pooled), "withCandidateGroups": when(_pooled),
    "withoutCandidateGroups": when(Task.assignee_id.is_not(None)), "withoutCandidateUsers": lambda _value: None, "withCandidateUsers": nothing,
    "taskDefinitionKeyLike": like(Task.step), "taskVariables": lambda asked: variables.holds(asked, Task.notes),
    "name": same(Task.name), "nameNotEqual": other(Task.name),
    "nameLike": like(Task.name), "nameNotLike": like(Task.name, negated=True), "dueDate": same(Task.due_at), "dueAfter": after(Task.due_at),
    "dueBefore": _due_before, "withoutDueDate": when(Task.due_at.is_(None)), "createdOn": same(Task.opened_at),
    "createdAfter": after(Task.opened_at), "createdBefore": before(Task.opened_at),
    "delegationState": lambda state: Task.delegation == state.lower(), "active": when(Instance.state == "running"),
    "suspended": when(Instance.state == "suspended"), "parentTaskId": ident(Task.main_id), **_STANDING,
    # Nothing is put off to a later day, and the diagram's words are the name.
    "followUpDate": nothing, "followUpAfter": nothing, "followUpBefore": nothing, "followUpBeforeOrNotExistent": lambda _value: true(),
    "description": nothing, "descriptionLike": nothing,
}  # fmt: skip

SORTS: Mapping[str, Any] = {
    "id": Task.id, "instanceId": Task.instance_id, "executionId": Task.instance_id, "created": Task.opened_at, "dueDate": Task.sort_at,
    "name": Task.name, "nameCaseInsensitive": func.lower(Task.name, type_=String()), "taskDefinitionKey": Task.step, "caseInstanceId": Task.id,
    "assignee": func.coalesce(_assignee.login, ""), "priority": Task.id,
}  # fmt: skip

#: What a group finds is what nobody has claimed, unless one asks for all.
_GROUPS = frozenset({"candidateGroup", "candidateGroups", "candidateGroupLike", "candidateUser"})


ROWS = Rows(Task.id, (
    Task.id, Task.name, Task.instance_id, Task.token, Task.step, Task.state, Task.opened_at, Task.completed_at, Task.due_at, Task.due_day, Task.warn_at,
    Task.delegation, Task.main_id, Task.paused, Task.provisional, Task.late, Task.number, Task.title, Task.post, Task.urges,
    Task.process_key, Task.process_name, Unit.code.label("unit_code"), Unit.name.label("unit_name"), _assignee.login.label("assignee"),
    _owner.login.label("owner"), Instance.state.label("case_state"), Instance.revision,
    func.coalesce(Task.definition_id, Instance.definition_id).label("definition_id"), Definition.version, _doer.login.label("doer"),
), (
    (Instance, Instance.id == Task.instance_id), (Definition, Definition.id == func.coalesce(Task.definition_id, Instance.definition_id)),
    (Unit, Unit.id == Task.unit_id), (_assignee, _assignee.id == Task.assignee_id), (_owner, _owner.id == Task.owner_id),
    (_doer, _doer.id == Task.completed_by),
))  # fmt: skip


def _asked(session: Session, actor: Actor, asked: Mapping[str, Any], *, counted: bool = False) -> list[Condition]:
    asked = dict(asked)
    everybody = asked.pop("includeAssignedTasks", False)
    groups = asked.pop("orQueries", [])
    few = bool(_SELECTIVE & asked.keys()) or (not counted and sees_many(session, actor))
    found = [Task.state == "open", seen(actor, Task.instance_id, few=few), *conditions(FILTERS, asked)]
    if _GROUPS & asked.keys() and not everybody:
        found.append(_pooled)
    either = any_of(FILTERS, groups)
    return found if either is None else [*found, either]


def open_tasks(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Open tasks of cases that the actor may see. One query."""
    return ROWS.page(session, _asked(session, actor, asked), SORTS, cut)


def count_open(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return ROWS.number(session, _asked(session, actor, asked, counted=True))


def open_task(session: Session, task_id: int) -> Any:
    """One open task, whoever may see it: the caller asks. Raises NotFound. One query."""
    row = session.execute(ROWS.columns().where(Task.id == task_id, Task.state == "open")).first()
    if row is None:
        raise NotFound(f"No matching task with id {task_id}")
    return row


def task_case(session: Session, task_id: int) -> int | None:
    """The case of a task in whatever state; None where there is no such task. One query."""
    return session.scalar(select(Task.instance_id).where(Task.id == task_id))


#: Why a task is over, as the original says it → states.
DELETE_REASONS: Mapping[str, tuple[str, ...]] = {"completed": ("done",), "deleted": ("cancelled", "held")}


def _ended_by(reason: str) -> Condition:
    return Task.state.in_(DELETE_REASONS.get(reason, ()))


def _had(by: Callable[[Any], Filter], value: str) -> Condition:
    """Who did it, or has it while it is open."""
    done, has = by(_doer.login)(value), by(_assignee.login)(value)
    assert done is not None and has is not None
    return or_(done, and_(Task.state == "open", has))


PAST_FILTERS: Mapping[str, Filter] = {
    **_whole(Task.instance_id),
    "taskId": ident(Task.id), "activityInstanceIdIn": among(Task.token), "taskName": same(Task.name), "taskNameLike": like(Task.name),
    "taskAssignee": lambda login: _had(same, login), "taskAssigneeLike": lambda pattern: _had(like, pattern), "taskOwner": same(_owner.login),
    "taskOwnerLike": like(_owner.login), "taskInvolvedUser": lambda login: or_(_doer.login == login, _assignee.login == login, _owner.login == login),
    "taskHadCandidateUser": _of_person, "taskHadCandidateGroup": _in_group, "taskParentTaskId": ident(Task.main_id),
    "taskDeleteReason": lambda why: _ended_by(why), "taskPriority": _STANDING["priority"], "taskDescription": nothing, "taskDescriptionLike": nothing,
    "taskFollowUpDate": nothing, "taskFollowUpDateAfter": nothing, "taskFollowUpDateBefore": nothing,
    "finished": when(Task.state != "open"), "unfinished": when(Task.state == "open"), "processFinished": when(Instance.ended_at.is_not(None)),
    "processUnfinished": when(Instance.ended_at.is_(None)), "taskDueDate": same(Task.due_at), "taskDueDateBefore": before(Task.due_at),
    "taskDueDateAfter": after(Task.due_at), "withoutTaskDueDate": when(Task.due_at.is_(None)), "startedBefore": before(Task.opened_at),
    "startedAfter": after(Task.opened_at), "finishedBefore": before(Task.completed_at), "finishedAfter": after(Task.completed_at),
    "assigned": when(Task.assignee_id.is_not(None)), "unassigned": when(_pooled), "taskInvolvedGroup": _in_group,
}  # fmt: skip

PAST_SORTS: Mapping[str, Any] = {
    "taskId": Task.id, "processInstanceId": Task.instance_id, "taskName": Task.name, "startTime": Task.opened_at, "dueDate": Task.sort_at,
    "endTime": func.coalesce(Task.completed_at, Task.opened_at), "taskDefinitionKey": Task.step, "assignee": func.coalesce(_doer.login, ""),
}  # fmt: skip


def _past(session: Session, actor: Actor, asked: Mapping[str, Any], *, counted: bool = False) -> list[Condition]:
    few = bool(_SELECTIVE & asked.keys()) or (not counted and sees_many(session, actor))
    return [seen(actor, Task.instance_id, few=few), *conditions(PAST_FILTERS, asked)]


def past_tasks(session: Session, actor: Actor, asked: Mapping[str, Any], cut: Cut) -> Listed:
    """Tasks in whatever state, of cases that the actor may see. One query."""
    return ROWS.page(session, _past(session, actor, asked), PAST_SORTS, cut)


def count_past(session: Session, actor: Actor, asked: Mapping[str, Any]) -> int:
    """How many they are. One query."""
    return ROWS.number(session, _past(session, actor, asked, counted=True))
