"""放假安排的录入与发布: a notice is read and checked, a second person compares it with the paper, and open deadlines follow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from calendars.command import day as read_day
from calendars.difference import changes, years_touched
from calendars.edition import Edition
from calendars.errors import CalendarError
from calendars.notice_files import FILE_MAX, Heading, as_text, read_days, read_file
from calendars.notices import Notice
from calendars.reading import Reading
from engine.people.permissions import powers, require
from engine.process.editions import Known, edition_of, known
from engine.process.timekeeping import keeping, publishing
from engine.process.timekeeping.preview import Preview, preview_of
from engine.store.errors import Invalid
from web.context import is_swap, me, origin, store
from web.downloads import spreadsheet
from web.pages.calendars import today
from web.year_sheet import Sheet, year_sheet

page = Blueprint("calendar_notices", __name__)

_TYPED = ("doc", "signed", "published", "for_year", "calendar", "policy", "accepted", "source", "days_off", "days_worked")
_LINE = re.compile(r"(?:([\u4e00-\u9fff、]+)[:：\s]+)?(\d{4}-\d{1,2}-\d{1,2})(?:\s*(?:\.\.|至|到|~)\s*(\d{4}-\d{1,2}-\d{1,2}))?")


# -- bringing a notice in ---------------------------------------------------------------------


@page.get("/calendars/import")
def form() -> str:
    """Where a notice is pasted, uploaded or entered by hand."""
    require(me(), "edit_diagrams")
    return _page({"policy": "keep", "published": today().isoformat()}, None, {})


@page.post("/calendars/import")
def read() -> ResponseReturnValue:
    """Reads what was given and shows it; with `propose` it goes to a second person."""
    require(me(), "edit_diagrams")
    typed = {name: request.form.get(name, "") for name in _TYPED}
    given = request.files.get("file")
    data = given.read(FILE_MAX + 1) if given is not None and given.filename else b""
    if data:
        typed["source"] = as_text(data) or ""
    try:
        reading = _reading(typed, data)
    except CalendarError as error:
        return _page(typed, None, {"": str(error)}), 422
    if "propose" not in request.form:
        return _page(typed, reading, {}), 422 if reading.errors else 200
    try:
        proposal = publishing.propose_notice(
            store(), reading, actor=me(), calendar=typed["calendar"] or None, source=typed["source"], accepted=typed["accepted"],
            policy=typed["policy"] or "keep", origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        return _page(typed, reading, refusal.fields or {"": refusal.message}), 422
    flash("已提交，请另一人对照原文确认。", "success")
    return redirect(f"/calendars/proposals/{proposal}", 303)


def _reading(typed: Mapping[str, str], data: bytes) -> Reading:
    """What was given, read. Raises CalendarError for a date that is none."""
    signed, published = (read_day(typed[name]) if typed[name].strip() else None for name in ("signed", "published"))
    year = int(typed["for_year"]) if typed["for_year"].strip().isdigit() else None
    heading = Heading(typed["doc"].strip(), signed, published, year)
    with store().read() as session:
        everything = known(session)
    days = [*_days(typed["days_off"], free=True), *_days(typed["days_worked"], free=False)]
    if typed["calendar"]:
        return _order(days, heading, everything, typed["calendar"])
    if days:
        return read_days(days, everything.national, replace(heading, for_year=year or days[0][1].year))
    return read_file(data or typed["source"].encode(), everything.national, heading=heading)


def _order(days: list[tuple[str, date, bool]], heading: Heading, everything: Known, calendar: str) -> Reading:
    """An order of the city or a county: its days are entered by hand, as no two are worded alike."""
    if not days:
        raise CalendarError("请逐行填写停止办公或上班的日期")
    off, worked = (tuple(sorted({day for _, day, free in days if free is wanted})) for wanted in (True, False))
    signed = heading.signed or heading.published
    made = Reading(heading.doc, days[0][1].year, signed, heading.published or signed, add_off=off, add_work=worked)
    return publishing.read_with(made, everything, calendar)


def _days(text: str, *, free: bool) -> Iterator[tuple[str, date, bool]]:
    """Lines such as “2027-02-05..2027-02-11” or “春节：2027-02-05至2027-02-11”. Raises CalendarError quoting the line."""
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _LINE.fullmatch(line)
        if found is None:
            raise CalendarError(f"“{line[:60]}”看不懂，应写作2027-02-05或2027-02-05至2027-02-11，每行一段")
        first = read_day(_padded(found[2]))
        last = read_day(_padded(found[3])) if found[3] else first
        if not 0 <= (last - first).days <= 31:
            raise CalendarError(f"“{line[:60]}”前后颠倒或过长")
        for ahead in range((last - first).days + 1):
            yield found[1] or ("放假" if free else "上班"), first + timedelta(days=ahead), free


def _padded(text: str) -> str:
    year, month, day = text.split("-")
    return f"{year}-{int(month):02}-{int(day):02}"


def _page(typed: Mapping[str, str], reading: Reading | None, errors: Mapping[str, str]) -> str:
    with store().read() as session:
        calendars = keeping.kept_calendars(session)
        years = _drawn(known(session), reading.notice(), typed["calendar"] or None) if reading and not reading.errors else []
    return render_template(
        "calendar_notices/import.html", typed=typed, reading=reading, errors=errors, calendars=calendars, years=years,
        policies=list(publishing.POLICIES.items()),
    )  # fmt: skip


def _drawn(everything: Known, notice: Notice, calendar: str | None) -> list[tuple[int, list[Sheet]]]:
    """The years that a notice touches, with the days marked that it changes."""
    before = edition_of(everything, today(), calendar)
    after_known = publishing.hypothetical(everything, notice, calendar, "keep")
    try:
        after = Edition.of(after_known.national, None, after_known.orders(calendar))
    except CalendarError:
        return []
    years = years_touched(before, after) or [notice.for_year]
    return [(year, year_sheet(after, year, changed=[c.day for c in changes(before, after, year) if c.moves])) for year in years[:3]]


# -- the second person ------------------------------------------------------------------------


@page.get("/calendars/proposals/<int:proposal_id>")
def proposal(proposal_id: int) -> str:
    """What was read, what it changes in the calendar, and which open deadlines it would move."""
    with store().read() as session:
        sheet = publishing.proposal_sheet(session, me(), proposal_id)
        open_ = sheet.state == "open" and not sheet.complaints
        foreseen = preview_of(session, me(), sheet) if open_ else None
        years = _drawn(known(session), sheet.notice, sheet.calendar) if open_ else []
    held = powers(me())
    return render_template(
        "calendar_notices/proposal.html", sheet=sheet, foreseen=foreseen, years=years, policies=publishing.POLICIES,
        may_confirm="approve_diagrams" in held and sheet.proposed_by != me().account_id, own=sheet.proposed_by == me().account_id,
        may_refuse="approve_diagrams" in held or sheet.proposed_by == me().account_id,
    )  # fmt: skip


@page.post("/calendars/proposals/<int:proposal_id>/confirm")
def confirm(proposal_id: int) -> ResponseReturnValue:
    """The notice counts from now on."""
    run = publishing.confirm_notice(store(), proposal_id, actor=me(), note=request.form.get("note", ""), origin=origin())
    flash("已发布。在办时限正在后台重新推算。", "success")
    return redirect(f"/calendars/recounts/{run}", 303)


@page.post("/calendars/proposals/<int:proposal_id>/refuse")
def refuse(proposal_id: int) -> ResponseReturnValue:
    """The proposal goes back to whoever made it, or is withdrawn by them."""
    publishing.refuse_notice(store(), proposal_id, actor=me(), reason=request.form.get("reason", ""), origin=origin())
    flash("已退回。", "success")
    return redirect(f"/calendars/proposals/{proposal_id}", 303)


@page.get("/calendars/proposals/<int:proposal_id>/preview.csv")
def preview_csv(proposal_id: int) -> Response:
    """All dates that would move, for a spreadsheet."""
    with store().read() as session:
        sheet = publishing.proposal_sheet(session, me(), proposal_id)
        foreseen = preview_of(session, me(), sheet, lines=None)
    return spreadsheet("时限变化预览", _preview_rows(foreseen))


# -- after the publication --------------------------------------------------------------------


@page.get("/calendars/recounts/<int:recount_id>")
def recount(recount_id: int) -> str:
    """How far the counting is, and what it moved; only the progress where htmx asks for it."""
    after = request.args.get("after", "0")
    with store().read() as session:
        sheet = keeping.recount_sheet(session, me(), recount_id, after=int(after) if after.isdigit() else 0)
    if is_swap() and request.args.get("after"):
        return render_template("calendar_notices/_moves.html", sheet=sheet)
    return render_template("calendar_notices/_progress.html" if is_swap() else "calendar_notices/recount.html", sheet=sheet, policies=publishing.POLICIES)


@page.get("/calendars/recounts/<int:recount_id>/moves.csv")
def recount_csv(recount_id: int) -> Response:
    """All that moved, for a spreadsheet."""
    with store().read() as session:
        sheet = keeping.recount_sheet(session, me(), recount_id, limit=None)
    rows = [["办件", "时限", "承办单位", "原截止日", "现截止日", "按新日历", "备注"], *(
        [*(str(cell or "") for cell in line[:-1]), "暂定" if line[-1] else ""] for line in sheet.moves
    )]
    return spreadsheet("时限变化", rows)


def _preview_rows(foreseen: Preview) -> list[list[str]]:
    head = ["办件", "时限", "种类", "承办单位", "原日期", "新日期", "按新日历", "处理", "备注"]
    return [head, *(
        [line.number, line.activity, line.role, line.units, str(line.from_day or ""), str(line.to_day or ""), str(line.computed_day or ""),
         "保留" if line.kept else "变更", "暂定" if line.provisional else ""]
        for line in foreseen.lines
    )]  # fmt: skip
