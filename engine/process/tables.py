"""The kernel's tables: definitions and instances, and the rows that every question people ask is answered from.

One JSON state per instance, without the diagram, plus projected rows (`task`, `timer`, `party`): the interpreter's
state is never searched, the rows are. Inbox columns (`number`, `title`, `process_key`) are copied onto the task so that
a page of the inbox is one indexed read without a join.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id, Json

#: Where nothing limits a task it sorts behind everything that has a deadline.
FAR = "9999-12-31T00:00:00+00:00"
#: States of a case that has not ended.
OPEN_STATES = ("running", "suspended")
#: Characters of the key by which another system knows a case.
BUSINESS_KEY_MAX = 200


class Definition(Base):
    """One immutable version of a process definition: diagram, forms and document templates, deployed together."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("key", "version"), Index(None, "key", "effective_at"))

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    rule_set: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of diagram, forms and documents: what was approved is what runs."""
    xml: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    forms: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    documents: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
    deployed_at: Mapped[datetime]
    deployed_by: Mapped[str] = mapped_column(String(64))
    approved_by: Mapped[str] = mapped_column(String(64))
    """The second person; for the rule set that ships with the product the installer is both."""
    reason: Mapped[str] = mapped_column(Text)
    effective_at: Mapped[datetime]
    """Cases received from this instant on follow this version; older ones keep theirs."""
    retention: Mapped[str | None] = mapped_column(String(16))
    """For how long the record of its cases is kept, as the diagram says it."""
    suspended: Mapped[bool] = mapped_column(default=False, server_default=false())
    """No case may be started by it until it is activated again; running ones go on."""
    deleted_at: Mapped[datetime | None]
    """When it was deleted, as no case ever followed it. The row stays: its number never comes back, and others name it."""


_UNSEARCHED = text("search = ''")
_REMOVABLE = text("removal_at IS NOT NULL AND removed_at IS NULL")
_GOING = text("ended_at IS NULL")
_KEYED = text("business_key IS NOT NULL")


class Instance(Base):
    """A process instance 办件: pinned to its definition version, with its data and the interpreter's state."""

    __tablename__ = "instance"
    __table_args__ = (
        Index(None, "subject_key", "id"),
        Index(None, "starter_id", "id"),
        Index(None, "parent_id"),
        Index("ix_instance_source", "source_id", "source_token", sqlite_where=text("state = 'running'"),
              postgresql_where=text("state = 'running'")),
        Index("ix_instance_state", "state", "id"),
        Index("ix_instance_process", "process_key", "id", "ended_at"),
        # What programs list (process/outside): open cases in the order of their ids, all by their start, each with what is mostly
        # asked. SQLite reads a case's row with its data and state in it, a page of the disk, to see one column.
        Index("ix_instance_open", "id", "process_key", "definition_id", "number", "state", "ended_at", "business_key", sqlite_where=_GOING, postgresql_where=_GOING),
        Index("ix_instance_started", "started_at", "id", "ended_at", "removed_at"),
        Index("ix_instance_version", "definition_id", "id", sqlite_where=text("state = 'running'"),
              postgresql_where=text("state = 'running'")),
        Index("ix_instance_unsearched", "id", sqlite_where=_UNSEARCHED, postgresql_where=_UNSEARCHED),
        Index("ix_instance_removal", "removal_at", "id", sqlite_where=_REMOVABLE, postgresql_where=_REMOVABLE),
        Index("ix_instance_business_key", "business_key", "id", sqlite_where=_KEYED, postgresql_where=_KEYED),
        Index("ix_instance_escalated", "id", sqlite_where=text("escalated IS 1"), postgresql_where=text("escalated IS true")),
    )

    id: Mapped[Id]
    definition_id: Mapped[int] = mapped_column(ForeignKey("definition.id"))
    process_key: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(16))
    """running · suspended · completed · terminated"""
    outcome: Mapped[str | None] = mapped_column(String(64))
    outcome_name: Mapped[str | None] = mapped_column(String(200))
    subject_key: Mapped[str | None] = mapped_column(String(200))
    """What the case is about, e.g. a resource code; lets a register's page list its cases."""
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    search: Mapped[str] = mapped_column(String(700), default="", server_default="")
    """Number, title and unit, plain and by pinyin initials (`searching`): what the free text of a list is looked for in."""
    starter_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    """None where the system started it (a timer)."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    escalated: Mapped[bool] = mapped_column(default=False)
    """Shown to the leading group: the case went past the leadership office."""
    variables: Mapped[dict[str, Any]] = mapped_column(Json)
    saved: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """The interpreter's state, slim and pruned; only the interpreter reads it."""
    undo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """How the case stood before its last completion, for as long as that may be taken back (undoing.py)."""
    revision: Mapped[int] = mapped_column()
    """Rises with every saved step; a writer that read an older one is refused."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    parent_token: Mapped[str | None] = mapped_column(String(36))
    """The waiting call activity of the parent; None where the parent does not wait."""
    source_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    source_token: Mapped[str | None] = mapped_column(String(36))
    """The activity whose missed deadline started this instance; when it is left, `source_closed` is delivered here."""
    supervised: Mapped[bool] = mapped_column(default=False)
    """A missed deadline of it started another instance: leaving an activity must look for those to close."""
    history_seq: Mapped[int]
    history_hash: Mapped[str] = mapped_column(String(64))
    removal_at: Mapped[datetime | None]
    """From when on its record may be removed 销毁 (`retention`); None: never, or it has not ended."""
    removed_at: Mapped[datetime | None]
    """When it was removed: this row is what is left, the line of the destruction list 销毁清册."""
    removal_id: Mapped[int | None]
    """By which removal."""
    business_key: Mapped[str | None] = mapped_column(String(BUSINESS_KEY_MAX))
    """The key 外部编号 by which the program that started it knows it; several cases may have the same."""

    __mapper_args__ = {"version_id_col": revision}


class Party(Base):
    """Which unit takes part in an instance, hence may see it. `post` is empty for every case-working post of the unit."""

    __tablename__ = "party"
    __table_args__ = (Index(None, "unit_id", "post", "instance_id"),)

    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), primary_key=True, autoincrement=False)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, autoincrement=False)
    post: Mapped[str] = mapped_column(String(64), primary_key=True, default="")


_OPEN = text("state = 'open'")
_POOLED = text("state = 'open' AND assignee_id IS NULL")
_HAD = text("state = 'open' AND assignee_id IS NOT NULL")
_DONE = text("state = 'done'")
_SIGNATURE = text("main_id IS NOT NULL")
_STAND_IN = text("state = 'open' AND for_id IS NOT NULL")


class Task(Base):
    """A task 待办: one waiting step for a unit and post, later the record of who did it and what they answered."""

    __tablename__ = "task"
    __table_args__ = (
        # With all that a list is filtered by (and, for SQLite, what it would read the row for): a filter that matches
        # rarely goes through a hundred thousand entries of this index, and not through as many rows.
        Index("ix_task_pooled", "unit_id", "post", "sort_at", "id", "process_key", "case_unit_id", "warn_at", "paused", "search",
              "state", "assignee_id", sqlite_where=_POOLED, postgresql_where=_POOLED),
        Index("ix_task_unsearched", "id", sqlite_where=_UNSEARCHED, postgresql_where=_UNSEARCHED),
        # Without what nobody has: SQLite would take it for a search for those, and read half of all tasks one by one.
        Index("ix_task_mine", "assignee_id", "sort_at", "id", sqlite_where=_HAD, postgresql_where=_HAD),
        Index("ix_task_done", "completed_by", "completed_at", "id", sqlite_where=_DONE, postgresql_where=_DONE),
        Index("ix_task_urgent", "sort_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        # With `state`, so that SQLite counts from the index alone: it would read each row to see that it is open.
        Index("ix_task_board", "unit_id", "process_key", "sort_at", "warn_at", "state", sqlite_where=_OPEN, postgresql_where=_OPEN),
        # What programs list (process/outside), as for cases: open tasks in the order of their ids, all by when they were opened.
        Index("ix_task_open", "id", "instance_id", "opened_at", "step", "name", "state", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_task_opened", "opened_at", "id", "completed_at", "state"),
        Index(None, "instance_id", "state"),
        Index("ix_task_signatures", "main_id", sqlite_where=_SIGNATURE, postgresql_where=_SIGNATURE),
        Index("ix_task_stand_in", "for_id", sqlite_where=_STAND_IN, postgresql_where=_STAND_IN),
    )

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    token: Mapped[str] = mapped_column(String(36))
    """The waiting token of the interpreter; a signature has its own, which the interpreter does not know."""
    step: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(200))
    process_key: Mapped[str] = mapped_column(String(64))
    process_name: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(300))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    post: Mapped[str] = mapped_column(String(64))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(16))
    """open · done · cancelled; a signature that opens only when its step's task is completed is `planned` until then"""
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When it is late (UTC, exclusive end: 00:00 after the last day); None where nothing limits it or its clock stands."""
    due_day: Mapped[date | None]
    """The last day on which it is in time."""
    warn_at: Mapped[datetime | None]
    """From when it counts as due soon."""
    provisional: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    sort_at: Mapped[datetime]
    """`due_at`, or the far future: the order of urgency."""
    completed_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    """Of an open task: who has completed it as far as they are concerned; it waits for signatures (`signing`)."""
    completed_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    """Completed after its deadline 逾期办结."""
    opinion: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[dict[str, Any] | None] = mapped_column(Json)
    definition_id: Mapped[int | None]
    """The version in which it was done, where its case has gone on under another since; None: the case's own."""
    local: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """What only this instance of a multi-instance step knows, such as its item; None for any other step."""
    search: Mapped[str] = mapped_column(String(700), default="", server_default="")
    """The case's own `search`, copied."""
    case_unit_id: Mapped[int | None]
    """The unit whose case it is, copied."""
    # How it came to be where it is.
    sent_how: Mapped[str | None] = mapped_column(String(16))
    """returned · withdrawn · transferred · delegated · handed_back · added · objected (a signer disagreed) · refused (held
    answers were no longer valid) · stand_in · came_back (from leave); None where the process itself came here."""
    sent_by: Mapped[int | None]
    sent_note: Mapped[str | None] = mapped_column(Text)
    """What that person wrote for whoever has it now."""
    # Delegation 委派: the assignee works on it and hands it back; `owner_id` answers for it.
    owner_id: Mapped[int | None]
    """Who delegated it; stays after it was handed back."""
    delegation: Mapped[str | None] = mapped_column(String(16))
    """pending · resolved (handed back)"""
    for_id: Mapped[int | None]
    """In whose stead the assignee has it, or has done it: somebody on leave."""
    # Added signatures 加签: tasks of their own beside the step's, which the interpreter does not know.
    main_id: Mapped[int | None]
    """The step's task that this signature was added to; None for the step's own task."""
    signing: Mapped[str | None] = mapped_column(String(8))
    """Of a signature: before · beside · after the step's own task is completed."""
    signatures: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many signatures it still waits for."""
    urges: Mapped[int] = mapped_column(default=0, server_default="0")
    urged_at: Mapped[datetime | None]
    """When it was last urged 催办."""
    # What other programs lay onto an open task. Last and deferred: no list reads it, and most tasks have none.
    prepared: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    """Answers set ahead of the completion: {"values", "by" (login), "name", "at" (ISO)}; gone once it is completed."""
    notes: Mapped[dict[str, Any] | None] = mapped_column(Json, deferred=True)
    """Local variables: what programs note on the task, by name. No part of the case."""


_WAITING = text("state = 'waiting'")
_LIVE = text("state IN ('waiting', 'paused')")
#: What still matters to its case. Timers at rest are many in a long case, and no step looks at them.
_HELD = text("state IN ('waiting', 'paused', 'fired')")


class Timer(Base):
    """A timer 定时: the truth about when something must happen. APScheduler only beats the time.

    `kind` is `machine` for a timer event of the diagram and `limit` for the short form on a task.
    """

    __tablename__ = "timer"
    __table_args__ = (
        Index("ix_timer_wake", "wake_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_timer_live", "instance_id", sqlite_where=_HELD, postgresql_where=_HELD),
        Index("ix_timer_edition", "calendar", "edition", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_timer_instance", "instance_id", "id"),
    )

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    kind: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(16))
    """deadline · reminder · escalation · timer"""
    token: Mapped[str] = mapped_column(String(36))
    """The interpreter's token of the event; for a limit, of the task."""
    activity: Mapped[str | None] = mapped_column(String(36))
    """Token of the activity whose clock this is."""
    element: Mapped[str] = mapped_column(String(128))
    activity_name: Mapped[str] = mapped_column(String(200))
    rule: Mapped[dict[str, Any]] = mapped_column(Json)
    """The rule with its numbers evaluated: working_days | before | after | calendar_date | duration, on_pause, …"""
    started_at: Mapped[datetime]
    pauses: Mapped[list[Any]] = mapped_column(Json)
    """[[from day, to day or null], …] ISO dates: the days after the first up to and including the second do not count."""
    restart_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    last_day: Mapped[date | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    edition: Mapped[str | None] = mapped_column(String(64))
    """The calendar edition that `due_at` was counted with; None where no calendar was needed."""
    calendar: Mapped[str | None] = mapped_column(String(64))
    """By which calendar its days are counted: the responsible unit's; None for the city's."""
    state: Mapped[str] = mapped_column(String(16))
    """waiting · paused · fired (its activity still goes on) · past (fired, and the activity was left) · cancelled"""
    wake_at: Mapped[datetime | None]
    """When the worker looks at it: `due_at`, or later after a failure (backoff)."""
    attempts: Mapped[int] = mapped_column(default=0)
    fired_at: Mapped[datetime | None]
    """When it really fired; `due_at` says when it ought to have."""


class ExternalTask(Base):
    """An external task: a service task with a topic, which waits for a worker outside; later the record of who did it."""

    __tablename__ = "external_task"
    __table_args__ = (
        Index("ix_external_task_waiting", "topic", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_external_task_instance", "instance_id", "id"),
    )

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    token: Mapped[str] = mapped_column(String(36))
    """The waiting token of the interpreter."""
    step: Mapped[str] = mapped_column(String(128))
    topic: Mapped[str] = mapped_column(String(128))
    process_key: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))
    """waiting · done · cancelled"""
    worker: Mapped[str | None] = mapped_column(String(200))
    """Who fetched it last; only this worker may finish it while its lock holds."""
    locked_until: Mapped[datetime | None]
    """Until then nobody else gets it; afterwards the next worker does, and the slow one is refused."""
    retries: Mapped[int | None]
    """How often it may still be tried; None until a worker reported a failure, 0: an incident waits for the operator."""
    error: Mapped[str | None] = mapped_column(String(666))
    details: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    given: Mapped[dict[str, Any]] = mapped_column(Json)
    """What the diagram hands to the worker (`in.*`), as it was when the step was reached."""


class Incident(Base):
    """An incident 异常: a step that failed. The instance stays as it was before it; the others go on."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_open", "id", sqlite_where=text("resolved_at IS NULL"),
                            postgresql_where=text("resolved_at IS NULL")),)

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), index=True)
    # Indexed, as what names a task or a timer is looked for whenever one is removed with its case.
    timer_id: Mapped[int | None] = mapped_column(ForeignKey("timer.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)
    external_id: Mapped[int | None]
    """The external task whose worker gave up."""
    delivery_id: Mapped[int | None]
    """The signal on its way to the case (`signal_delivery`) that could not be heard."""
    error: Mapped[str] = mapped_column(String(500))
    detail: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    failed_at: Mapped[datetime]
    attempts: Mapped[int]
    resolved_at: Mapped[datetime | None]


class Notice(Base):
    """A notice 消息 to one person, shown in the page; other channels carry it through the outbox."""

    __tablename__ = "notice"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "instance_id"),
                      Index("ix_notice_unread", "account_id", sqlite_where=text("read_at IS NULL"),
                            postgresql_where=text("read_at IS NULL")),
                      Index("ix_notice_digest", "account_id", "id", sqlite_where=text("digest"), postgresql_where=text("digest")))

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    task_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(32), default="case", server_default="case")
    """What it is about; people choose by it what reaches them where (`notifying`)."""
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    digest: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Waits to be gathered into the person's next digest."""
    restricted: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Its content never leaves the product: outside it only says that there is something."""


class Attachment(Base):
    """An uploaded file. Its bytes lie outside the web root under `stored`; until a step is completed it is its uploader's."""

    __tablename__ = "attachment"

    id: Mapped[Id]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"), index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    stored: Mapped[str] = mapped_column(String(100))
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    uploaded_at: Mapped[datetime]


class Sequence(Base):
    """Gapless numbers, one row a series; the row lock makes writers of the same series take turns."""

    __tablename__ = "sequence"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    last: Mapped[int]


class CalendarNotice(Base):
    """A published holiday notice, in order of publication; the editions of the calendar are built from these rows."""

    __tablename__ = "calendar_notice"

    id: Mapped[Id]
    doc: Mapped[str] = mapped_column(String(64), unique=True)
    published: Mapped[date]
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    loaded_at: Mapped[datetime]
    calendar: Mapped[str | None] = mapped_column(String(64))
    """None for a national notice; else the calendar whose own order it is: a closure, a special working day."""
    policy: Mapped[str] = mapped_column(String(8), default="keep", server_default="keep")
    """What becomes of an open deadline that would fall earlier by it: keep · move"""
    confirmed_by: Mapped[int | None]
    """The account of the second person; None for what ships with the product."""


class Heartbeat(Base):
    """When each worker last beat; /readyz and the operator's page read it."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(String(100), primary_key=True)
    beat_at: Mapped[datetime]
