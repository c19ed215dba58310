"""One case under another version of its process: its tokens are moved, then its rows are made to say the same.

Only the road calls it (`advance.Migrate`). Rows stay the rows that they were, so that claims, attachments and drafts live on:
an open task gets the step, name, unit and post of the new version; a clock keeps its beginning, its pauses and what was
added to it, and takes the numbers of the new rule. Where the rule says what it said before, its numbers are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from calendars.deadline import end_of, shanghai_day
from engine.history import History
from engine.people.actor import load_actor
from engine.process import incidents
from engine.process.belonging import may_work
from engine.process.case import Case
from engine.process.clocks import bound_by_law, latest_by_law, resolve, rule_as_counted, set_by_hand
from engine.process.definitions import Deployed
from engine.process.interpreter.fitting import CannotMove
from engine.process.interpreter.model import Diagram, Step, TimerRule, Waiting
from engine.process.interpreter.moving import Fresh, move
from engine.process.projection import assignment, edition_for, limit_rules, name_of, open_limit, open_timer, pause, resume
from engine.process.suspension import MARK
from engine.process.tables import Task, Timer

#: The parts of a rule that are numbers and dates: evaluated when the clock began, kept while the diagram says the same.
_NUMBERS = ("working_days", "before", "after", "calendar_date", "count_from", "seconds")
_TEXTS = ("working_days", "before_deadline", "after_deadline", "calendar_date", "count_from", "duration")


def migrate(case: Case, to: Deployed, plan: Mapping[str, str], said: dict[str, Any]) -> None:
    """Moves an open case to another version; `project` must follow. What changed goes into `said`.

    Raises CannotMove, and whatever evaluating the new version's expressions may raise; the transaction must then be undone.
    """
    if to.key != case.definition.key:
        raise CannotMove("不能迁移到另一个流程")
    _Moving(case, to, plan, said).run()


class _Moving:
    def __init__(self, case: Case, to: Deployed, plan: Mapping[str, str], said: dict[str, Any]) -> None:
        self.case, self.said, self.plan = case, said, plan
        self.before, self.after = case.definition, to
        self.old: Diagram = case.definition.diagram
        self.new: Diagram = to.diagram
        self.were: dict[str, Waiting] = {token.token: token for token in case.machine.waiting()}
        self.waiting: dict[str, Waiting] = {}
        self.touched: set[str] = set()
        """Activities whose clocks are counted again."""

    def run(self) -> None:
        case, work = self.case, self.case.work
        moved = move(self.old, self.new, case.machine.save(), self.plan)
        enclosing = _enclosing(case)
        machine = case.go_on_under(self.after, moved.state)
        machine.run()
        self.waiting = {token.token: token for token in machine.waiting()}
        self.said.update(
            from_version=self.before.version, to_version=self.after.version, from_definition=self.before.id,
            to_definition=self.after.id, renamed={old: new for old, new in self.plan.items() if old != new},
        )  # fmt: skip
        # What was done stays what it was: its step and form are read in the version in which it was done.
        work.session.execute(
            update(Task).where(Task.instance_id == case.instance.id, Task.state == "done", Task.definition_id.is_(None))
            .values(definition_id=self.before.id).execution_options(synchronize_session=False)
        )
        self.tokens()
        pausing = [task for task in case.tasks.values() if self.task(task)]
        self.timers()
        for event in moved.fresh:
            self.begin(event, enclosing)
        self.touched |= pause(case, self.waiting, pausing, self.said)
        work.notes.setdefault(f"recount:{case.instance.id}", set()).update(self.touched)

    def tokens(self) -> None:
        """Puts on record where each token went that stands at another step now, or at one of another name."""
        for token, was in self.were.items():
            now = self.waiting.get(token)
            if now is None or was.kind == "timer":
                continue
            before, after = self.old.steps[was.step], self.new.steps[now.step]
            if (before.id, before.name) != (after.id, after.name):
                fact = {"step": before.id, "name": before.name, "to_step": after.id, "to_name": after.name}
                self.said.setdefault("moved", []).append(fact)

    # -- tasks --------------------------------------------------------------------------------

    def task(self, task: Task) -> bool:
        """Brings an open task in line; True where it stops the clocks around it from now on."""
        before, token = self.old.steps[task.step], self.waiting[task.token]
        step = self.new.steps[token.step]
        task.step, task.name, task.process_name = step.id, name_of(step), self.after.name
        if (before.unit, before.post) != (step.unit, step.post):
            self.assign(task, step, token)
        for signature in self.case.signatures.get(task.id, ()):
            signature.step, signature.name, signature.process_name, signature.post = step.id, step.name, self.after.name, task.post
        self.limits(task, before, step, token)
        paused, pauses = (one.properties.get("clock") == "pause" for one in (before, step))
        if paused and not pauses:
            self.touched |= resume(self.case, task.token, self.said)
        return pauses and not paused

    def assign(self, task: Task, step: Step, token: Waiting) -> None:
        """Unit and post of the new version; a claim stays only with somebody who may still work on the task."""
        unit_id, post = assignment(self.case, step, token)
        if (unit_id, post) == (task.unit_id, task.post):
            return
        fact = {"name": step.name, "from_unit": task.unit_id, "from_post": task.post, "unit": unit_id, "post": post}
        if unit_id != task.unit_id:  # who was to sign works in the unit that had it: whoever has it now asks anew
            for signature in self.case.signatures.pop(task.id, ()):
                signature.state = "cancelled"
            task.signatures, task.completed_by = 0, None
        task.unit_id, task.post = unit_id, post
        if task.assignee_id is not None:
            person = load_actor(self.case.work.session, task.assignee_id)
            if person is None or not may_work(person, task):
                fact["released"] = person.name if person else None
                task.assignee_id = task.for_id = task.owner_id = task.delegation = task.completed_by = None
        self.case.admit([task])
        for timer in self.case.timers:
            if timer.token == task.token:
                self.case.keep(timer)  # it counts by the calendar of the unit that has it now
                self.touched.add(task.token)
        self.said.setdefault("reassigned", []).append(fact)

    def limits(self, task: Task, before: Step, step: Step, token: Waiting) -> None:
        """The common frame of a task: what the new version says of it, from the same beginning."""
        rules = limit_rules(self.case, step, token)
        same = _limit_text(self.before, before) == _limit_text(self.after, step)
        present = {
            timer.role: timer for timer in self.case.timers
            if timer.kind == "limit" and timer.token == task.token and timer.element == before.id
        }  # fmt: skip
        for role, timer in present.items():
            timer.element, timer.activity_name = step.id, step.name
            if role not in rules:
                self.drop(timer)
            elif timer.state != "fired":
                self.follow(timer, rules[role], same=same, extended=_literal(timer, before.limit))
        if same:
            return  # what of it is not there any more has had its time
        missing = [role for role in rules if role not in present and not _before_it_begins(rules, role)]
        rung = self.fired(task.token) if missing and present else set()
        for role in missing:
            if role not in rung:
                self.added(open_limit(self.case, step, token, role, rules[role], task.opened_at), step.parent)

    def fired(self, token: str) -> set[str]:
        """The roles of a task's frame that have rung, or were passed over because their moment lay before its beginning."""
        states = select(Timer.role).where(
            Timer.instance_id == self.case.instance.id, Timer.kind == "limit", Timer.token == token,
            Timer.state.in_(("fired", "past")),
        )  # fmt: skip
        return set(self.case.work.session.scalars(states))

    # -- timers of the diagram ----------------------------------------------------------------

    def timers(self) -> None:
        """Clocks that go on under the rule of the new version, and those that it no longer has."""
        for timer in list(self.case.timers):
            rule = self.old.timers.get(timer.element)
            if rule is None:
                continue  # of a task's frame
            spent = timer.kind == "limit" or timer.state == "fired"
            found = self.plan.get(timer.element) if spent else self.went(timer)
            image = self.new.timers.get(found) if found else None
            if image is None:
                self.drop(timer)
                continue
            host = self.new.steps[image.attached_to or image.element]
            timer.element, timer.activity_name = image.element, host.name or image.name
            if timer.state == "fired":
                continue
            if not spent and timer.role != image.role:
                timer.role = image.role
                self.touched.add(timer.activity or timer.token)
            same = all(getattr(rule, name) == getattr(image, name) for name in _TEXTS)
            where = self.waiting.get(timer.token)
            rules = _standing(image) if same else resolve(image, lambda text, at=where: self.case.evaluate(text, at))
            self.follow(timer, rules, same=same, extended=_literal(timer, rule.working_days))
            if self.old.steps[rule.attached_to or rule.element].unit != host.unit:
                self.case.keep(timer)

    def went(self, timer: Timer) -> str | None:
        token = self.waiting.get(timer.token)
        return token.step if token is not None and token.kind == "timer" else None

    def follow(self, timer: Timer, rule: dict[str, Any], *, same: bool, extended: int) -> None:
        """A clock goes on under a rule: its numbers where the diagram changed them, with what had been added."""
        stored = {**rule}
        if same:
            stored |= {name: timer.rule[name] for name in (*_NUMBERS, "extended", "kept_day") if name in timer.rule}
        elif extended and "working_days" in stored:
            stored |= {"working_days": stored["working_days"] + extended, "extended": extended}
        if "set" in timer.rule:
            stored["set"] = timer.rule["set"] if same else {**timer.rule["set"], "kept_day": None}
        if stored == timer.rule:
            return
        numbers = ({name: of[name] for name in _NUMBERS if name in of} for of in (timer.rule, stored))
        before, after = numbers
        if before != after:
            fact = {"what": "changed", "role": timer.role, "activity": timer.activity_name, "from": before, "to": after}
            self.said.setdefault("timers", []).append({**fact, "extended": extended} if extended else fact)
        timer.rule = stored
        self.touched.add(timer.activity or timer.token)
        if not same and self.beyond_law(timer):
            timer.rule = rule_as_counted(timer)
            self.said.setdefault("timers", []).append({"what": "counted", "role": timer.role, "activity": timer.activity_name})

    def beyond_law(self, timer: Timer) -> bool:
        """Whether the statutory maximum of the new version does not let a hand-set date stand, or its clock stands and nobody can tell."""
        by_hand = set_by_hand(timer)
        if by_hand is None or not bound_by_law(timer.rule):
            return False
        latest = latest_by_law(timer, edition_for(self.case, timer)) if timer.state == "waiting" else None
        return latest is None or by_hand.at > end_of(latest)

    def drop(self, timer: Timer) -> None:
        """The new version has no such clock: it rings no more, and one that had rung colours nothing any longer."""
        self.case.timers.remove(timer)
        timer.state, timer.wake_at = "past" if timer.state == "fired" else "cancelled", None
        if timer.attempts:
            incidents.resolve(self.case.work, timer_id=timer.id)
        self.touched.add(timer.activity or timer.token)
        fact = {"what": "removed", "role": timer.role, "activity": timer.activity_name}
        self.said.setdefault("timers", []).append(fact)

    def begin(self, event: Fresh, enclosing: Mapping[str, str]) -> None:
        """A timer that the new version adds to what is under way: its clock began when that began."""
        token = self.waiting.get(event.token)
        if token is None or token.kind != "timer":
            return
        was = self.were.get(event.beside)
        element = was.step if was else enclosing.get(event.beside)
        timer = open_timer(self.case, token, self.beginning(event.beside, element))
        host = self.old.steps.get(element or "")
        self.added(timer, host.id if host is not None and host.kind == "subprocess" else host.parent if host else None)

    def added(self, timer: Timer, scope: str | None) -> None:
        """A new row of a clock that has been running: it stood still whenever the others of its activity did."""
        home = timer.activity or timer.token
        policy = timer.rule["on_pause"]
        like = next(
            (other for other in self.case.timers
             if other is not timer and (other.activity or other.token) == home and other.rule["on_pause"] == policy
             and other.started_at == timer.started_at), None,
        )  # fmt: skip
        if like is not None:
            timer.pauses, timer.restart_at = list(like.pauses), like.restart_at
        else:
            if policy != "none":
                self.stood(timer, scope)
            self.suspended(timer)
        self.touched.add(home)
        self.said.setdefault("timers", []).append({"what": "added", "role": timer.role, "activity": timer.activity_name})

    def suspended(self, timer: Timer) -> None:
        """The days on which the whole case stood still; it runs now, so each suspension has its end."""
        rows = self.case.work.session.execute(
            select(History.act, History.at).where(
                History.instance_id == self.case.instance.id, History.act.in_(("suspended", "resumed")), History.at >= timer.started_at
            ).order_by(History.seq)
        ).all()
        stops = [shanghai_day(at).isoformat() for act, at in rows if act == "suspended"]
        goes = [shanghai_day(at).isoformat() for act, at in rows if act == "resumed"]
        spans = [[stop, go, MARK] for stop, go in zip(stops, goes, strict=True)]
        timer.pauses = sorted([*timer.pauses, *spans], key=lambda span: str(span[0]))

    def stood(self, timer: Timer, scope: str | None) -> None:
        """The pauses of a clock that nobody kept: while a pausing task of its scope was open."""
        pausing = [
            step.id for step in self.old.steps.values() if step.properties.get("clock") == "pause" and step.parent == scope
        ]
        if not pausing:
            return
        rows = self.case.work.session.execute(
            select(Task.token, Task.opened_at, Task.completed_at, Task.state)
            .where(Task.instance_id == self.case.instance.id, Task.state.in_(("open", "done")), Task.opened_at >= timer.started_at,
                   Task.token != timer.token, Task.step.in_({*pausing, *(self.plan.get(step, step) for step in pausing)}))
            .order_by(Task.id)
        ).all()
        timer.pauses = [
            [shanghai_day(opened).isoformat(), shanghai_day(done).isoformat() if done else None, token]
            for token, opened, done, _ in rows
        ]
        ends = [done for _, _, done, _ in rows if done is not None]
        if timer.rule["on_pause"] == "restart" and ends:
            timer.restart_at, timer.pauses = max(ends), [pause for pause in timer.pauses if pause[1] is None]

    def beginning(self, token: str, element: str | None) -> datetime:
        """When an activity that is under way was entered."""
        if token in self.case.tasks:
            return self.case.tasks[token].opened_at
        clocks = [timer.started_at for timer in self.case.timers if token in (timer.activity, timer.token) and timer.kind == "machine"]
        if clocks:
            return min(clocks)
        return entered_at(self.case.work.session, self.case.instance.id, element) or self.case.instance.started_at


def _enclosing(case: Case) -> dict[str, str]:
    """Tokens of the running activities that wait for nobody themselves (subprocesses) → their elements."""
    return {token: step.id for step in case.diagram.steps.values() if step.kind == "subprocess" or step.multi
            for token in case.machine.tokens_of(step.id)}  # fmt: skip


def _standing(rule: TimerRule) -> dict[str, Any]:
    """What of a rule is no number: it holds from now on."""
    stored: dict[str, Any] = {"on_pause": rule.on_pause}
    if rule.office_hours:
        stored["office_hours"] = True
    return stored | {name: value for name in ("statutory_max", "article") if (value := getattr(rule, name)) is not None}


def _limit_text(definition: Deployed, step: Step) -> tuple[str | None, ...]:
    """All that a version says of the frame of a task, as written."""
    names = ("limitReminder", "limitEscalation")
    return (step.limit, *(definition.diagram.properties.get(name) for name in names))


def _before_it_begins(rules: Mapping[str, Mapping[str, Any]], role: str) -> bool:
    """Whether a reminder would lie before its clock began: it reminds of nothing."""
    ahead = rules[role].get("before")
    return ahead is not None and int(rules["deadline"]["working_days"]) <= int(ahead)


def _literal(timer: Timer, text: str | None) -> int:
    """The working days that were added to a clock; of a row from before they were kept apart, what exceeds a literal rule."""
    if "extended" in timer.rule:
        return int(timer.rule["extended"])
    if text is not None and text.strip().isdigit() and "working_days" in timer.rule:
        return max(0, int(timer.rule["working_days"]) - int(text))
    return 0


# -- what a case remembers of its versions ------------------------------------------------------


def entered_at(session: Session, instance_id: int, element: str | None) -> datetime | None:
    """When the case last entered an element, by its record; None where the record does not say. Follows renamed elements."""
    rows = session.execute(
        select(History.act, History.at, History.data).where(History.instance_id == instance_id).order_by(History.seq.desc())
    )
    for act, at, data in rows:
        if [element, "entered"] in data.get("passed", ()):
            found: datetime = at
            return found
        if act == "migrated":
            element = {new: old for old, new in data.get("renamed", {}).items()}.get(element, element)
    return None


def earlier_names(session: Session, instance_id: int, element: str) -> list[str]:
    """What an element of the case's version was called in those that the case followed before; empty for most cases."""
    names: list[str] = []
    migrated = session.scalars(
        select(History.data).where(History.instance_id == instance_id, History.act == "migrated").order_by(History.seq.desc())
    )
    for data in migrated:
        known = {element, *names}
        names += [old for old, new in data.get("renamed", {}).items() if new in known and old not in known]
    return names
