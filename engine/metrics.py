"""What `/metrics` says of the installation, in the text format of Prometheus: tasks, timers, letters, incidents, workers.

A handful of indexed counts, asked when somebody scrapes. Nothing in it names a person or a case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from engine.outbox import OutboxLetter
from engine.process.tables import ExternalTask, Heartbeat, Incident, Instance, Task, Timer
from engine.store.store import Store

PREFIX = "sharing_bpm_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its samples: labels → value."""

    name: str
    kind: str
    """gauge · counter · histogram"""
    about: str
    samples: Iterable[tuple[str, Mapping[str, str], float]]
    """(suffix of the name, labels, value)"""


def written(metrics: Iterable[Metric]) -> str:
    """The text format, version 0.0.4."""
    lines = []
    for metric in metrics:
        lines += [f"# HELP {PREFIX}{metric.name} {metric.about}", f"# TYPE {PREFIX}{metric.name} {metric.kind}"]
        for suffix, labels, value in metric.samples:
            told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            number = str(int(value)) if float(value).is_integer() else repr(float(value))
            lines.append(f"{PREFIX}{metric.name}{suffix}{'{' + told + '}' if told else ''} {number}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def of_installation(store: Store) -> list[Metric]:
    """The state of the whole installation, as its database has it. Eight queries."""
    with store.read() as session:
        now = store.clock.now()
        return [*_work(session, now), *_upkeep(session, now)]


def _work(session: Session, now: datetime) -> Iterator[Metric]:
    light = case(
        (Task.due_at.is_(None), case((Task.paused, "paused"), else_="none")), (Task.due_at <= now, "red"), (Task.warn_at <= now, "yellow"),
        else_="green",
    )  # fmt: skip
    lights = _counts(session, light, Task.state == "open")
    yield _gauge("open_tasks", "Open tasks by the light of their deadline.",
                 [({"light": name}, lights.get(name, 0)) for name in ("green", "yellow", "red", "paused", "none")])
    states = _counts(session, Instance.state, Instance.state.in_(("running", "suspended")))
    yield _gauge("open_cases", "Cases that have not ended.", [({"state": name}, states.get(name, 0)) for name in ("running", "suspended")])
    external = case(
        (ExternalTask.retries == 0, "failed"), (ExternalTask.locked_until > now, "locked"), else_="waiting",
    )  # fmt: skip
    found = _counts(session, external, ExternalTask.state == "waiting")
    yield _gauge("external_tasks", "Steps for workers outside.", [({"state": name}, found.get(name, 0)) for name in ("waiting", "locked", "failed")])


def _upkeep(session: Session, now: datetime) -> Iterator[Metric]:
    waiting = Timer.state == "waiting"
    due, oldest = session.execute(select(func.count(), func.min(Timer.wake_at)).where(waiting, Timer.wake_at <= now)).one()
    yield _gauge("timers_due", "Timers that are due and have not fired yet.", [({}, due)])
    yield _gauge("timers_late_seconds", "For how long the oldest of them has been due.", [({}, _seconds(oldest, now))])
    letters = session.execute(
        select(OutboxLetter.channel, OutboxLetter.state, func.count()).where(OutboxLetter.state.in_(("waiting", "dead")))
        .group_by(OutboxLetter.channel, OutboxLetter.state).order_by(OutboxLetter.channel, OutboxLetter.state)
    ).all()  # fmt: skip
    yield _gauge("outbox_letters", "Letters that wait to leave, or could not be delivered.",
                 [({"channel": channel, "state": state}, count) for channel, state, count in letters])
    first = session.scalar(select(func.min(OutboxLetter.next_at)).where(OutboxLetter.state == "waiting", OutboxLetter.next_at <= now))
    yield _gauge("outbox_late_seconds", "For how long the oldest letter that may leave has waited.", [({}, _seconds(first, now))])
    open_ = session.scalar(select(func.count()).where(Incident.resolved_at.is_(None)))
    yield _gauge("incidents_open", "Failed steps that wait for an operator or for another try.", [({}, open_ or 0)])
    beat = session.scalar(select(func.max(Heartbeat.beat_at)))
    yield _gauge("worker_silent_seconds", "Since when no worker has beaten; -1: none ever has.", [({}, _seconds(beat, now) if beat else -1)])


def _counts(session: Session, by: Any, which: ColumnElement[bool]) -> dict[str, int]:
    kinds = select(by.label("kind")).where(which).subquery()
    return {str(name): count for name, count in session.execute(select(kinds.c.kind, func.count()).group_by(kinds.c.kind))}


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def _gauge(name: str, about: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    return Metric(name, "gauge", about, [("", labels, value) for labels, value in samples])
