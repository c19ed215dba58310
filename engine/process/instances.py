"""Commands on process instances 办件: start, terminate, suspend, resume. One transaction each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.units import unit_by_code, unit_by_id
from engine.process.advance import advance
from engine.process.attachments import take_attachments
from engine.process.case import lock_instance
from engine.process.definitions import Deployed, deployed, in_force, require_active
from engine.process.forms import FormDefinition, answers_of, validate
from engine.process.moves import Begin, Resume, Suspend, Terminate
from engine.process.opening import open_instance
from engine.process.operations import SUBJECTS, Subject
from engine.process.tables import BUSINESS_KEY_MAX, Instance
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning
from engine.store.store import Origin, Store, Work, command


def start_posts(definition: Deployed) -> frozenset[str]:
    """The posts whose holders may start the process, from the diagram."""
    text = definition.diagram.properties.get("startPosts", "")
    return frozenset(filter(None, (post.strip() for post in text.split(","))))


def start_body(definition: Deployed) -> str | None:
    """The body whose unit alone may start the process, from the diagram; None where any unit may."""
    return definition.diagram.properties.get("startBody") or None


def start_form(definition: Deployed) -> FormDefinition | None:
    """The form that a start asks for, or None."""
    name = definition.diagram.properties.get("startForm")
    return definition.forms[name] if name else None


def find_subject(session: Session, definition: Deployed, answers: Mapping[str, Any]) -> Subject | None:
    """What the new case is about, by the diagram's `subject`. Raises Invalid when a case about it cannot be started."""
    name = definition.diagram.properties.get("subject")
    return SUBJECTS[name](session, answers) if name else None


def may_start_again(session: Session, actor: Actor, instance: Instance) -> bool:
    """Whether the actor holds a post that may start such a case for its unit now."""
    definition = deployed(session, instance.definition_id)
    return instance.unit_id is not None and permissions.may_start(actor, start_posts(definition), instance.unit_id, start_body(definition))


def submitted_again(session: Session, definition: Deployed, instance: Instance, values: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a start that is submitted again with `values`. Raises Invalid where it is about something else now."""
    found: Subject | None = None
    if definition.diagram.properties.get("subject"):
        unit = unit_by_id(session, instance.unit_id) if instance.unit_id is not None else None
        asked = {"applicant_unit": unit.code if unit else None, "resource_code": instance.subject_key, **values}
        try:
            found = find_subject(session, definition, asked)
        except Invalid as wrong:
            if set(wrong.fields) & set(values):
                raise
            # It was named outside of the form: it stays what it was.
        if found is not None and found.key != (instance.subject_key or ""):
            raise Invalid(message="不能改为办理另一事项，请撤回该办件后重新发起")
    return {**_data(definition, values), **(found.variables if found else {}), **values}


@command
def start_instance(
    store: Store, key: str, *, actor: Actor, answers: Mapping[str, Any], variables: Mapping[str, Any] | None = None,
    unit_id: int | None = None, attachments: Sequence[int] = (), origin: Origin = Origin(),
) -> int:
    """Starts a case for the actor's unit under the version in force now; returns its id.

    `answers` are what the start form asks for; `variables` name the subject (such as `resource_code`) and are trusted
    no more than answers. Raises NotAllowed when the actor holds no post that may start it, Invalid with a message
    per field, NotFound when the process is not in force.
    """
    with store.work(actor, origin) as work:
        return start_in(work, key, actor=actor, answers=answers, variables=variables, unit_id=unit_id, attachments=attachments)


def start_in(
    work: Work, key: str, *, actor: Actor, answers: Mapping[str, Any], variables: Mapping[str, Any] | None = None,
    unit_id: int | None = None, attachments: Sequence[int] = (), business_key: str | None = None,
) -> int:  # fmt: skip
    """`start_instance` in the caller's transaction, whose actor is `actor`.

    `business_key` is how the program that starts it knows the case. Raises Invalid for one that is another case's number.
    """
    if business_key is not None:
        _check_key(work.session, business_key)
    definition = in_force(work.session, key, work.now)
    home = actor.unit_id if unit_id is None else unit_id
    if not permissions.may_start(actor, start_posts(definition), home, start_body(definition)):
        raise NotAllowed("您的岗位不能发起该流程")
    require_active(work.session, definition.id)
    unit = unit_by_id(work.session, home)
    base: dict[str, Any] = {**(variables or {}), "applicant_unit": unit.code if unit else None}
    subject = find_subject(work.session, definition, {**base, **answers})
    if subject is not None:
        base.update(subject.variables)
    values = _validated(definition, answers, base)
    instance = open_instance(
        work, definition, variables={**_data(definition, values), **base, **values}, at=work.now, unit_id=home, starter_id=actor.account_id,
        subject_key=(subject.key or None) if subject else None, subject_name=subject.name if subject else None, business_key=business_key,
    )
    taken = take_attachments(work, attachments, instance_id=instance.id, actor=actor)
    more = {"attachments": taken or None, "business_key": business_key}
    advance(work, instance, Begin({"answers": values, **{name: value for name, value in more.items() if value is not None}}))
    return instance.id


def _check_key(session: Session, business_key: str) -> None:
    """Raises Invalid for a key that cannot be kept, or that already names a case as its number: it would mean two."""
    if not business_key.strip() or not business_key.isprintable() or len(business_key) > BUSINESS_KEY_MAX:
        raise Invalid({"businessKey": f"外部编号应为1到{BUSINESS_KEY_MAX}个可见字符"})
    if session.scalar(select(Instance.id).where(Instance.number == business_key)) is not None:
        raise Invalid({"businessKey": f"“{business_key}”已是另一办件的编号"})


def start_by_system(
    work: Work, key: str, *, unit_code: str | None, variables: Mapping[str, Any], at: datetime | None = None,
    subject_key: str | None = None, subject_name: str | None = None, said: Mapping[str, Any] | None = None,
) -> int:
    """Starts a case that nobody asked for: a duty that the calendar brings, a signal. In the caller's transaction; returns its id.

    It belongs to the unit with that code and is received at `at` (now when None); `said` is what the record says of its start. Raises NotFound when the process is
    not in force then or the unit does not exist.
    """
    moment = at or work.now
    definition = in_force(work.session, key, moment)
    unit = unit_by_code(work.session, unit_code) if unit_code is not None else None
    if unit_code is not None and unit is None:
        raise NotFound(f"没有代码为“{unit_code}”的单位")
    instance = open_instance(
        work, definition, variables=variables, at=moment, unit_id=unit.id if unit else None,
        subject_key=subject_key, subject_name=subject_name,
    )
    advance(work, instance, Begin(said or {}), at=moment)
    return instance.id


def _validated(definition: Deployed, answers: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    form = start_form(definition)
    if form is None:
        if answers:
            raise Invalid({key: f"表单中没有“{key}”这一项" for key in answers})
        return {}
    checked = validate(form, answers, names)
    if checked.errors:
        raise Invalid(checked.errors)
    return checked.values


def _data(definition: Deployed, values: Mapping[str, Any]) -> dict[str, Any]:
    form = start_form(definition)
    return answers_of(form, values) if form else {}


@command
def terminate_instance(store: Store, instance_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Ends a running case before its time 终止, with a reason that stays on record.

    Allowed to those who supervise all cases; a starter's withdrawal is a step of the diagram instead. Raises NotAllowed, NotRunning, Invalid without a reason.
    """
    said = _reason(reason, "请填写终止理由")
    permissions.require(actor, "supervise")
    with store.work(actor, origin) as work:
        instance = lock_instance(work, instance_id)
        if instance.state == "suspended" and instance.parent_token is not None:
            # What waits for it stands still as well and would never hear of it.
            raise NotRunning("该办件随上级办件一同暂停，请在上级办件上恢复或终止")
        advance(work, instance, Terminate(said))


@command
def suspend_instance(store: Store, instance_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Stops a case 暂停办理 with all that it has started, with a reason that stays on record; its clocks stand still.

    Raises NotAllowed, NotRunning, Invalid without a reason, or where another case has started it: that one is to be stopped.
    """
    _set_going(store, instance_id, Suspend(_reason(reason, "请填写暂停理由")), actor, origin)


@command
def resume_instance(store: Store, instance_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Lets a suspended case go on 恢复办理; the working days that were left are left. Raises as `suspend_instance`."""
    _set_going(store, instance_id, Resume(_reason(reason, "请填写恢复理由")), actor, origin)


@command
def set_all_going(
    store: Store, instance_ids: Collection[int], *, suspended: bool, actor: Actor, reason: str, origin: Origin = Origin()
) -> None:
    """Stops several cases, or lets them go on: all or none. One that stands so already is passed over. Raises as `suspend_instance`, NotFound."""
    permissions.require(actor, "supervise")
    said = _reason(reason, "请填写理由")
    with store.work(actor, origin) as work:
        for instance_id in sorted(set(instance_ids)):  # in one order, so that two of them never wait for each other
            instance = lock_instance(work, instance_id)
            if instance.state != ("suspended" if suspended else "running"):
                _stop_or_go(work, instance, Suspend(said) if suspended else Resume(said))


def _set_going(store: Store, instance_id: int, move: Suspend | Resume, actor: Actor, origin: Origin) -> None:
    permissions.require(actor, "supervise")
    with store.work(actor, origin) as work:
        _stop_or_go(work, lock_instance(work, instance_id), move)


def _stop_or_go(work: Work, instance: Instance, move: Suspend | Resume) -> None:
    if instance.parent_id is not None:
        raise Invalid(message=f"办件{instance.number}由另一办件启动，请在其上级办件上暂停或恢复")
    advance(work, instance, move)


def _reason(given: str, missing: str) -> str:
    if not given.strip():
        raise Invalid({"reason": missing})
    return given.strip()
