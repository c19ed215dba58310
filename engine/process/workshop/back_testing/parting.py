"""What a replay differs in from the record, and the point where the two part.

A case parts where the draft waits for something that nobody did on record, ends elsewhere, or cannot go on: what was
recorded after that says nothing about the draft, and is not held against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from engine.process.interpreter.model import Step
from engine.process.tables import OPEN_STATES, Timer
from engine.process.workshop.back_testing.record import Clock
from engine.process.workshop.back_testing.replay import Finding, Held, Replay
from engine.process.workshop.back_testing.trial import Stop


def findings_of(run: Replay, until: datetime) -> list[Finding]:
    """Everything that would have gone differently, in order of time; empty where nothing would."""
    found = list(run.findings)
    found += _lost(run)
    unmet = _unmet(run)
    extra = [] if run.stopped_at is not None else [_extra(run, stop) for stop in unmet]
    parted_at, skipped = _unanswered(run, unmet)
    found += extra + skipped
    if run.stopped_at is None and not extra:
        found += _end(run, parted_at, until)
    found += _elsewhere(run)
    left = min((at for at in (parted_at, run.stopped_at) if at is not None), default=None)
    found += _deadlines(run, left)
    return sorted(found, key=lambda finding: finding.at)


# -- steps ----------------------------------------------------------------------------------------


def _lost(run: Replay) -> Iterator[Finding]:
    """Completions of steps that the draft no longer has."""
    for move in run.gone:
        name = str(move.data.get("name") or _called(run, move.definition_id, move.passed) or move.step or "")
        yield Finding("lost_step", move.step or "", name, move.at, f"草稿没有“{name}”环节，记录中办理过")


def _called(run: Replay, definition_id: int, passed: Sequence[Sequence[str]]) -> str:
    steps = run.pairings[definition_id].ran.diagram.steps
    names = [steps[element].name for element, how in passed if how == "completed" and element in steps]
    return names[0] if names else ""


def _unmet(run: Replay) -> list[Stop]:
    """Where the trial waits at the end for something that the record knows nothing of."""
    record = run.record
    if record.state == "terminated":
        return []  # somebody ended it by hand: whatever was open then stayed open
    still: Counter[tuple[str, int]] = Counter()
    own = run.pairings[record.definition_id]
    for task in record.tasks.values():
        if task.state == "open" and task.step in own.to_draft:
            still[own.to_draft[task.step], task.unit_id] += 1
    loose = Counter(step for step, _ in still.elements())
    calls = Counter(child.process_key for child in record.children.values() if child.state in OPEN_STATES)
    outside = {own.to_draft[step] for step in record.outside if step in own.to_draft}
    unmet = []
    for stop in run.trial.open_stops():
        if stop.step.topic is not None:
            if stop.step.id in outside:
                continue  # it waits on record too
        elif stop.row is None:
            if calls[stop.step.called or ""]:
                calls[stop.step.called or ""] -= 1
                continue
        elif loose[stop.step.id] and (not stop.step.multi or still[stop.step.id, stop.row.unit_id]):
            loose[stop.step.id] -= 1
            still[stop.step.id, stop.row.unit_id] -= 1
            continue
        unmet.append(stop)
    return unmet


def _extra(run: Replay, stop: Stop) -> Finding:
    """A step at which the draft waits and the record does not: a new one, or another way."""
    own = run.pairings[run.record.definition_id]
    name, cause = _said(stop.step), stop.cause
    ran = own.to_ran.get(stop.step.id)
    when = f"“{cause.name}”到期后" if cause.timer else f"“{cause.name}”之后"
    if ran is None:
        text = f"{when}增加“{name}”环节，记录中没有办理"
        return Finding("gained_step", stop.step.id, name, stop.opened_at, text, parts=True)
    times = sum(task.step == ran for task in run.record.tasks.values())
    withdrawn = any(task.step == ran and task.state == "cancelled" for task in run.record.tasks.values())
    if withdrawn and name in cause.opened:
        text = f"记录中“{name}”未办理即撤销，按草稿仍须办理"
    elif times:
        text = f"{when}须再次或另由他人办理“{name}”，记录中没有"
        return Finding("gained_step", stop.step.id, name, stop.opened_at, text, parts=True)
    elif cause.opened and not cause.timer:
        text = f"{when}记录转入“{'”“'.join(cause.opened)}”，按草稿转入“{name}”"
    else:
        text = f"{when}按草稿转入“{name}”，记录中没有"
    return Finding("route", stop.step.id, name, stop.opened_at, text, parts=True)


def _unanswered(run: Replay, unmet: list[Stop]) -> tuple[datetime | None, list[Finding]]:
    """When the record had to be left, and the steps that the draft passes by where it follows the record otherwise."""
    if run.stopped_at is not None:
        return run.stopped_at, []
    waits_from = min((stop.opened_at for stop in unmet), default=None)
    followed_to = max((stop.opened_at for stop in run.trial.stops if stop.state == "done"), default=None)
    parted: list[datetime] = []
    skipped: list[Finding] = []
    for held in run.held:
        child = run.record.children.get(held.move.data.get("child", 0))
        if child is not None and child.source_id is not None:
            continue  # a missed deadline had led to it: that the draft's is met is told already
        at, ended = held.move.at, run.trial.ended_at
        if waits_from is not None and waits_from <= at:
            parted.append(at)
        elif ended is not None and ended <= at and not _same_end(run):
            parted.append(at)
        elif ended is not None or (followed_to is not None and followed_to >= at):
            name = _name_of(run, held)
            skipped.append(Finding("lost_step", held.step, name, at, f"按草稿不再经过“{name}”，记录中办理过"))
        else:
            parted.append(at)
    return min(parted, default=None), skipped


def _name_of(run: Replay, held: Held) -> str:
    return _said(run.plan.diagram.steps[held.step])


# -- how it ends ----------------------------------------------------------------------------------


def _end(run: Replay, parted_at: datetime | None, until: datetime) -> Iterator[Finding]:
    """The case would end elsewhere, earlier, or not yet."""
    record, trial = run.record, run.trial
    end = trial.end
    if trial.ended_at is not None:
        name = _said(end)
        if record.state == "completed" and not _same_end(run):
            text = f"记录以“{record.outcome_name or record.outcome}”办结，按草稿以“{name}”办结"
            yield Finding("route", end.id if end else "", name, trial.ended_at, text, parts=True)
        elif record.state in OPEN_STATES:
            text = f"记录中仍在办理，按草稿已以“{name}”办结"
            yield Finding("route", end.id if end else "", name, trial.ended_at, text, parts=True)
    elif record.state == "completed":
        waiting = _waiting_for(run)
        name = _said(waiting)
        at = parted_at or record.ended_at or until
        text = f"记录以“{record.outcome_name or record.outcome}”办结，按草稿此时仍在等待“{name}”"
        yield Finding("route", waiting.id if waiting else "", name, at, text, parts=True)
    elif parted_at is not None:
        waiting = _waiting_for(run)
        name = _said(waiting)
        text = f"记录已往下办理，按草稿此时仍在等待“{name}”"
        yield Finding("route", waiting.id if waiting else "", name, parted_at, text, parts=True)


def _said(step: Step | None) -> str:
    return (step.name or step.id) if step is not None else ""


def _same_end(run: Replay) -> bool:
    """Whether both ended the same way: by the key that programs know, or by the name that people read."""
    end = run.trial.end
    if run.record.state != "completed" or end is None:
        return False
    same_name = bool(end.name) and run.record.outcome_name == end.name
    return run.record.outcome == end.properties.get("outcome", end.id) or same_name


def _waiting_for(run: Replay) -> Step | None:
    """The event or step at which the trial stands."""
    steps = run.plan.diagram.steps
    waiting = [steps[token.step] for token in run.trial.machine.waiting()]
    return next((step for step in waiting if step.attached_to is None), waiting[0] if waiting else None)


def _elsewhere(run: Replay) -> Iterator[Finding]:
    """Steps that another unit or post would have had to do, where the draft says so on purpose."""
    told: set[str] = set()
    for task_id, stop in run.matched.items():
        task = run.record.tasks[task_id]
        assert stop.row is not None
        before = run.pairings[run.record.definition_id].ran.diagram.steps.get(task.step)
        if before is None or stop.step.id in told or (before.unit, before.post) == (stop.step.unit, stop.step.post):
            continue
        if (task.unit_id, task.post) != (stop.row.unit_id, stop.row.post):
            told.add(stop.step.id)
            what = "单位" if task.unit_id != stop.row.unit_id else "岗位"
            text = f"“{stop.step.name}”按草稿由另一{what}承办"
            yield Finding("route", stop.step.id, stop.step.name, stop.opened_at, text)


# -- deadlines ------------------------------------------------------------------------------------


def _deadlines(run: Replay, left: datetime | None) -> Iterator[Finding]:
    """Deadlines missed, met, moved, added and dropped, activity by activity in the order in which they ran."""
    record, trial = run.record, run.trial
    before: defaultdict[str, list[Clock]] = defaultdict(list)
    for clock in record.deadlines:
        activity = _activity_of(run, clock)
        if activity is not None:
            before[activity].append(clock)
    after: defaultdict[str, list[Timer]] = defaultdict(list)
    for timer in trial.deadlines:
        after[trial.activity_of(timer) or ""].append(timer)
    entered_before = Counter(
        run.pairings[move.definition_id].to_draft.get(element, "")
        for move in record.moves for element, how in move.passed if how == "entered"
    )  # fmt: skip
    entered_after = Counter(passed.step for passed in trial.passed() if passed.how == "entered")
    for activity in [*before, *(other for other in after if other not in before)]:
        step = run.plan.diagram.steps.get(activity)
        if step is None:
            continue
        old, new = before[activity], after[activity]
        for k in range(max(len(old), len(new))):
            if k >= len(new) and entered_after[activity] <= k or k >= len(old) and entered_before[activity] <= k:
                continue  # the activity itself was not entered on the other side
            found = _deadline(step, old[k] if k < len(old) else None, new[k] if k < len(new) else None, left)
            if found is not None:
                yield found


def _activity_of(run: Replay, clock: Clock) -> str | None:
    """The draft's element whose deadline a recorded clock was; a case that was migrated has clocks of several versions."""
    for pairing in run.pairings.values():
        rule = pairing.ran.diagram.timers.get(clock.element) if clock.kind == "machine" else None
        activity = rule.attached_to if rule is not None else clock.element
        if activity is not None and activity in pairing.to_draft:
            return pairing.to_draft[activity]
    return None


def _deadline(step: Step, old: Clock | None, new: Timer | None, left: datetime | None) -> Finding | None:
    due = new.due_at if new is not None else None
    missed_before = old is not None and old.missed
    missed_after = new is not None and new.fired_at is not None
    # Past the point where the record was left nobody knows when the draft's case would have gone on.
    unknown = left is not None and due is not None and due > left
    before = _day(old.last_day, old.due_at) if old is not None else None
    after = _day(new.last_day, new.due_at) if new is not None else None
    at = due or (old.due_at if old is not None else None)
    if at is None:
        return None  # both stand still
    name = step.name
    if missed_after and not missed_before and not unknown:
        return Finding("deadline_missed", step.id, name, at, f"“{name}”按草稿将逾期，记录中未逾期", before, after)
    if missed_before and not missed_after and not unknown:
        what = "按草稿不再逾期" if new is not None else "按草稿没有时限"
        return Finding("deadline_met", step.id, name, at, f"“{name}”记录中逾期，{what}", before, after)
    if before == after or (old is not None and new is not None and None in (before, after)):
        return None
    what = "按草稿增加时限" if old is None else "按草稿不再有时限" if new is None else "的截止日将变动"
    return Finding("deadline_moved", step.id, name, at, f"“{name}”{what}", before, after)


def _day(last_day: object, due_at: datetime | None) -> str | None:
    """The last day of a deadline as ISO text; the instant where it counts no days."""
    return str(last_day) if last_day is not None else due_at.isoformat() if due_at is not None else None
