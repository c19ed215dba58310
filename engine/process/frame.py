"""The common frame around a limited task: a reminder before the limit, supervision at it, a word to the head after it.

The numbers and the process that is started stand in the diagram (`limitReminder`, `limitSupervision`, `limitEscalation`,
`limitNotifyUnit`, `limitNotifyPost`); here is only what they mean. Firing such a timer never touches the interpreter.
"""

from __future__ import annotations

from typing import Any

from engine.people.units import unit_by_code, unit_by_id
from engine.process.belonging import delegated, held_up_by
from engine.process.case import Case
from engine.process.clocks import day_in_words
from engine.process.notices import notify_person, notify_post
from engine.process.tables import Task, Timer


def fire_limit(case: Case, timer: Timer) -> str | None:
    """Does what the due timer of a task's limit says; returns the key of the process to start, if any.

    The reminder of an extended deadline comes here as well: it reminds whoever holds the activity up.
    """
    task = case.tasks.get(timer.token) or late_task(case, timer)
    if task is None:
        return None
    if timer.role == "deadline":
        return case.process_property("limitSupervision")
    if timer.role == "reminder":
        _remind(case, task, f"{case.instance.number}《{case.instance.title}》的“{task.name}”{_when(case, timer)}到期，请及时办理。")
    else:
        _tell_head(case, task)
    return None


def _remind(case: Case, task: Task, text: str) -> None:
    """Tells those for whom the task waits, and who answers for it where it is delegated."""
    title = f"临期提醒：{task.name}"
    for late in held_up_by(task, case.signatures.get(task.id, ())):
        notify_post(case.work, late.unit_id, late.post, assignee_id=late.assignee_id, instance_id=case.instance.id, kind="reminder",
                    task_id=late.id, title=title, text=text)  # fmt: skip
    if delegated(task) and task.owner_id is not None:
        notify_person(case.work, task.owner_id, instance_id=case.instance.id, kind="reminder", task_id=task.id, title=title, text=text)


def _when(case: Case, reminder: Timer) -> str:
    """On which day the deadline of a reminder falls, in words."""
    home = reminder.activity or reminder.token
    due = next((timer for timer in case.timers if timer.role == "deadline" and home == (timer.activity or timer.token)), None)
    return f"将于{day_in_words(due.last_day, due.provisional)}" if due is not None and due.last_day else "即将"


def _tell_head(case: Case, task: Task) -> None:
    unit_text, post = case.process_property("limitNotifyUnit"), case.process_property("limitNotifyPost")
    unit = unit_by_code(case.work.session, str(case.evaluate(unit_text))) if unit_text else None
    if unit is not None and post:
        notify_post(
            case.work, unit.id, post, instance_id=case.instance.id, kind="escalation", task_id=task.id, title=f"逾期升级：{task.name}",
            text=f"{case.instance.number}《{case.instance.title}》的“{task.name}”已逾期仍未办结，可按规定发起整改。",
        )


def deadline_facts(case: Case, timer: Timer) -> dict[str, Any]:
    """What the started process learns of the deadline that was missed: the source case, the step, the late unit."""
    late = late_task(case, timer)
    unit = unit_by_id(case.work.session, late.unit_id) if late else None
    return {
        "source_instance": case.instance.id, "source_number": case.instance.number, "source_title": case.instance.title,
        "source_process": case.instance.process_key, "source_step": timer.element,
        "source_step_name": late.name if late else timer.activity_name, "source_activity": timer.activity_name,
        "source_unit": unit.code if unit else None, "deadline_day": timer.last_day.isoformat() if timer.last_day else None,
        "source_article": timer.rule.get("article"),
    }


def late_task(case: Case, timer: Timer) -> Task | None:
    """The open task that makes the activity late: the task itself, or the oldest open one inside the subprocess."""
    home = timer.activity or timer.token
    if home in case.tasks:
        return case.tasks[home]
    inside = [w.token for w in case.machine.waiting() if home in w.path and w.token in case.tasks]
    return min((case.tasks[token] for token in inside), key=lambda task: task.id, default=None)
