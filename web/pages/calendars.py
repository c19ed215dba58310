"""工作日历: which day works and since which notice; when a limit would end; which unit counts by which calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from calendars.command import day as read_day
from calendars.command import instant, pause
from calendars.deadline import Explanation, OfficeHours, explain, shanghai_day
from calendars.errors import CalendarError
from calendars.statutory import FIRST_YEAR, LAST_YEAR
from engine.people.permissions import powers, require
from engine.people.units import all_units
from engine.process.calendar_tables import CITY
from engine.process.editions import edition_at, edition_of, known
from engine.process.timekeeping import keeping, publishing
from engine.store.errors import Invalid, NotFound
from web import day_grid
from web.context import me, origin, store
from web.year_sheet import year_sheet

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

page = Blueprint("calendars", __name__)

KEEPERS = frozenset({"edit_diagrams", "approve_diagrams"})
_ASKED = ("start", "days", "calendar", "as_of", "pauses", "restart_at", "office_hours")


def today() -> date:
    """Today in Shanghai, by the installation's clock."""
    return shanghai_day(store().clock.now())


def named(calendar: str) -> str | None:
    """How the engine names a calendar: None for the city's."""
    return None if calendar in ("", CITY) else calendar


@page.get("/calendars")
def overview() -> ResponseReturnValue:
    """This year of the city's calendar."""
    return redirect(f"/calendars/years/{CITY}/{today().year}")


@page.get("/calendars/years/<calendar>/<int:year>")
def year(calendar: str, year: int) -> str:
    """A year of a calendar, with the notices that stand behind it."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound(f"日历数据只有{FIRST_YEAR}年至{LAST_YEAR}年，没有{year}年")
    held = powers(me())
    with store().read() as session:
        calendars = keeping.kept_calendars(session)
        kept = next((found for found in calendars if found.key == calendar), None)
        if kept is None:
            raise NotFound("没有这个日历")
        edition = edition_at(session, store().clock.now(), named(calendar))
        return render_template(
            "calendars/year.html", year=year, kept=kept, calendars=calendars, edition=edition, sheets=year_sheet(edition, year),
            working_days=sum(fact.works for fact in edition.year(year)), covered=edition.covers(year),
            notices=[line for line in keeping.standing_notices(session) if line.calendar in (None, CITY, calendar)],
            first=FIRST_YEAR, last=LAST_YEAR, keeper=bool(held & KEEPERS), may_edit="edit_diagrams" in held,
            proposals=publishing.proposals(session, me(), limit=10) if held & KEEPERS else [],
            recounts=keeping.recent_recounts(session) if held & KEEPERS else [],
        )  # fmt: skip


@page.get("/calendars/what-if")
def what_if() -> ResponseReturnValue:
    """When a limit would end, for any start and rule: as a page, or as JSON with `format=json`."""
    asked = {name: request.args.get(name, "").strip() for name in _ASKED}
    explanation, wrong = None, ""
    with store().read() as session:
        calendars = keeping.kept_calendars(session)
        if asked["start"] or asked["days"]:
            try:
                explanation = _explained(session, asked, {found.key for found in calendars})
            except CalendarError as error:
                wrong = str(error)
    if request.args.get("format") == "json":
        return (jsonify(explanation.as_json()), 200) if explanation else (jsonify({"message": wrong or "请填写起算日期和工作日数"}), 422)
    shown = render_template(
        "calendars/what_if.html", asked=asked, calendars=calendars, now=store().clock.now(), explanation=explanation, wrong=wrong,
        months=day_grid.months(explanation) if explanation else [],
    )  # fmt: skip
    return shown, 422 if wrong else 200


def _explained(session: Session, asked: Mapping[str, str], calendars: set[str]) -> Explanation:
    if asked["calendar"] and asked["calendar"] not in calendars:
        raise CalendarError("没有这个日历")
    if not asked["days"].isascii() or not asked["days"].isdigit():
        raise CalendarError(f"工作日数应为整数：“{asked['days']}”")
    edition = edition_of(known(session), read_day(asked["as_of"]) if asked["as_of"] else today(), named(asked["calendar"]))
    return explain(
        instant(asked["start"]), int(asked["days"]), edition,
        pauses=[pause(text) for text in asked["pauses"].replace("；", " ").replace("，", " ").replace("\n", " ").split()],
        restart_at=instant(asked["restart_at"]) if asked["restart_at"] else None,
        office_hours=OfficeHours() if asked["office_hours"] else None,
    )  # fmt: skip


@page.get("/calendars/bindings")
def bindings() -> str:
    """The calendars beside the city's, and the units that count by them."""
    require(me(), "edit_diagrams")
    return _bindings({}, {})


@page.post("/calendars/bindings")
def bind() -> ResponseReturnValue:
    """Makes a calendar, or binds a unit to one."""
    require(me(), "edit_diagrams")
    typed = {name: request.form.get(name, "").strip() for name in ("key", "name", "unit", "calendar")}
    try:
        if "create" in request.form:
            follows = bool(request.form.get("follows_city"))
            keeping.create_calendar(store(), typed["key"], typed["name"], actor=me(), follows_city=follows, origin=origin())
            flash(f"已建立日历“{typed['name']}”。", "success")
        else:
            if not typed["unit"].isdigit():
                raise Invalid({"unit": "请选择单位"})
            keeping.bind_unit(store(), int(typed["unit"]), typed["calendar"], actor=me(), origin=origin())
            flash("已绑定。正在计算的时限仍按原日历，新开始的时限按新日历。", "success")
    except Invalid as refusal:
        return _bindings(typed, refusal.fields), 422
    return redirect("/calendars/bindings", 303)


def _bindings(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    with store().read() as session:
        calendars = keeping.kept_calendars(session)
        units = all_units(session)
    return render_template("calendars/bindings.html", calendars=calendars, units=units, typed=typed, errors=errors)
