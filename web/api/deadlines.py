"""`deadline` and `calendar`: what the original does not have: why a deadline falls where it does, and when one would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calendars.deadline import explain, shanghai_day
from calendars.errors import CalendarError
from engine.process.calendar_tables import CITY
from engine.process.editions import edition_at, edition_of, known
from engine.process.sheets.deadline import ClockView, clocks_of, deadline_sheet
from engine.process.sheets.seeing import find_instance
from engine.process.timekeeping.keeping import kept_calendars
from engine.store.errors import NotAllowed, NotFound
from web.api import dates
from web.api.refusals import bad_request, missing
from web.api.routing import Call, route
from web.api.seeing import require_case
from web.api.shapes import flag, maybe, moment, number, record, text
from web.context import me, store

if TYPE_CHECKING:
    from datetime import date

DEADLINE = record({
    "id": text(), "activityName": text(), "state": text(only=("waiting", "paused", "fired", "past", "cancelled")), "startTime": text(), "due": maybe(text()),
    "lastDay": maybe(text()), "workingDays": {"type": ["integer", "null"]}, "workingDaysLeft": {"type": ["integer", "null"]}, "light": text(),
    "provisional": flag(), "statutory": flag(), "article": maybe(text()), "firedAt": maybe(text()), "explainable": flag(),
}, "a deadline of a case")  # fmt: skip


def _deadline(clock: ClockView) -> dict[str, Any]:
    return {
        "id": str(clock.timer_id), "activityName": clock.activity, "state": clock.state, "startTime": dates.write(clock.started_at),
        "due": dates.write(clock.due_at), "lastDay": _day(clock.last_day), "workingDays": clock.working_days, "workingDaysLeft": clock.working_days_left,
        "light": clock.light, "provisional": clock.provisional, "statutory": clock.statutory, "article": clock.article,
        "firedAt": dates.write(clock.fired_at), "explainable": clock.explainable,
    }  # fmt: skip


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


@route("GET", "/process-instance/<id>/deadlines", "The deadlines of a case", tag="deadline", scope="read", stands="own",
       answer={"type": "array", "items": DEADLINE})
def deadlines(call: Call) -> Any:
    instance_id = call.row("process instance")
    require_case(instance_id)
    with store().read() as session:
        return [_deadline(clock) for _, clock in clocks_of(session, find_instance(session, instance_id))]


EXPLAINED: Mapping[str, Any] = {
    "type": "object", "required": ["due", "last_day", "provisional", "counted", "skipped", "edition"],
    "properties": {"due": {"type": ["string", "null"]}, "last_day": {"type": ["string", "null"]}, "provisional": {"type": "boolean"},
                   "counted": {"type": "array", "items": {"type": "string"}}, "skipped": {"type": "array", "items": {"type": "object"}},
                   "edition": {"type": "string"}, "set_by_hand": {"type": ["object", "null"]}},
    "description": "every day that was counted or skipped, and why, as `sharing-bpm calendar due` tells it",
}  # fmt: skip


@route("GET", "/deadline/<id>", "How a deadline was counted, day by day", tag="deadline", scope="read", stands="own", answer=EXPLAINED,
       note="404 for a fixed date, of which no days are counted; `set_by_hand` is what counts instead, where somebody has set it")
def explained(call: Call) -> Any:
    timer_id = call.row("deadline")
    with store().read() as session:
        try:
            sheet = deadline_sheet(session, me(), timer_id)
        except (NotAllowed, NotFound):
            raise missing("deadline", timer_id) from None
    require_case(sheet.instance_id, "deadline", timer_id)
    if sheet.explanation is None:
        raise missing("counted deadline", timer_id)
    return {**sheet.explanation.as_json(), "processInstanceId": str(sheet.instance_id), "activityName": sheet.clock.activity,
            "article": sheet.clock.article, "kept_day": _day(sheet.kept_day), "statutory_max": sheet.statutory_max,
            "set_by_hand": {"due": dates.write(sheet.clock.due_at), "last_day": _day(sheet.clock.last_day), "by": sheet.set_by,
                            "at": dates.write(sheet.set_at)} if sheet.set_by else None}


@route("GET", "/calendar/due", "When a limit would end", tag="deadline", scope="read", stands="own", answer=EXPLAINED, refuses=(404,),
       query={"start": moment("when it was received"), "workingDays": number(most=2000), "calendar": text("a calendar beside the city's", most=64),
              "asOf": moment("as was known then")})
def would_be_due(call: Call) -> Any:
    if "start" not in call.query or "workingDays" not in call.query:
        raise bad_request("start and workingDays are required")
    calendar = call.query.get("calendar", CITY)
    as_of = shanghai_day(dates.read(call.query["asOf"]) if "asOf" in call.query else store().clock.now())
    with store().read() as session:
        if calendar not in {CITY, *(kept.key for kept in kept_calendars(session))}:
            raise missing("calendar", calendar)
        edition = edition_of(known(session), as_of, None if calendar == CITY else calendar)
    try:
        return explain(dates.read(call.query["start"]), call.query["workingDays"], edition).as_json()
    except CalendarError as error:
        raise bad_request(str(error)) from None


DAY = record({"day": text(), "works": flag(), "why": text(), "notice": maybe(text()), "provisional": flag()})


@route("GET", "/calendar/day/<day>", "Whether a day works, and since which notice", tag="deadline", scope="read", stands="own", answer=DAY,
       query={"calendar": text("a calendar beside the city's", most=64)})
def one_day(call: Call) -> Any:
    calendar = call.query.get("calendar", CITY)
    try:
        asked = shanghai_day(dates.read(f"{call.path['day']}T12:00+0800"))
    except ValueError:
        raise bad_request("a day is expected, such as 2026-03-02") from None
    with store().read() as session:
        if calendar not in {CITY, *(kept.key for kept in kept_calendars(session))}:
            raise missing("calendar", calendar)
        edition = edition_at(session, store().clock.now(), None if calendar == CITY else calendar)
    try:
        fact = edition.day(asked)
    except CalendarError as error:
        raise bad_request(str(error)) from None
    return {"day": asked.isoformat(), "works": fact.works, "why": fact.reason, "notice": fact.notice, "provisional": fact.provisional}
