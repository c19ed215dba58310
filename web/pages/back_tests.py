"""回测: what a draft would have made of past cases: asked for, watched while the worker is at it, read, taken away as a table."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from calendars.deadline import SHANGHAI, shanghai_day
from engine.process.workshop.back_testing import sheets
from engine.process.workshop.back_testing.commands import CASES_MAX, NotTestable, cancel_back_test, order_back_test
from engine.process.workshop.drafts import draft_sheet
from engine.store.errors import Invalid
from web import screen
from web.context import is_swap, me, origin, store
from web.downloads import spreadsheet

page = Blueprint("back_tests", __name__)

#: Months that the page offers, with their words.
PERIODS = ((3, "近三个月"), (6, "近半年"), (12, "近一年"))
OWN = "own"


@dataclass(frozen=True, slots=True)
class Offer:
    """A period that may be chosen, and how many cases were received in it."""

    value: str
    label: str
    since: date
    count: int


@page.get("/drafts/<int:draft_id>/back-tests")
def of_draft(draft_id: int) -> ResponseReturnValue:
    """What was tested of a draft, and where a test is asked for."""
    return _of_draft(draft_id)


@page.post("/drafts/<int:draft_id>/back-tests")
def order(draft_id: int) -> ResponseReturnValue:
    """Asks for a back-test."""
    try:
        since, until = _period()
        test_id = order_back_test(
            store(), draft_id, actor=me(), received_from=since, received_until=until, origin=origin()
        )
    except NotTestable as refusal:
        return _of_draft(draft_id, refusal=refusal)
    except Invalid as refusal:
        return _of_draft(draft_id, refusal=refusal)
    return redirect(f"/back-tests/{test_id}", 303)


def _of_draft(draft_id: int, refusal: Invalid | None = None) -> ResponseReturnValue:
    today = shanghai_day(store().clock.now())
    begins = [_months_before(today, months) for months, _ in PERIODS]
    with store().read() as session:
        draft = draft_sheet(session, me(), draft_id)
        tests = sheets.back_tests_of(session, me(), draft_id)
        counts = sheets.cases_in(session, draft.key, [(_morning(day), store().clock.now()) for day in begins])
    offers = [
        Offer(str(months), label, day, count) for (months, label), day, count in zip(PERIODS, begins, counts, strict=True)
    ]
    chosen = request.form.get("period") or next((offer.value for offer in offers if offer.count), OWN)
    html = render_template(
        "back_tests/order.html", draft=draft, tests=tests, offers=offers, chosen=chosen, today=today, most=CASES_MAX,
        typed=request.form, wrong=refusal.fields if refusal else {}, states=sheets.STATES,
        problems=refusal.problems if isinstance(refusal, NotTestable) else [],
        alert=refusal.message if refusal and not refusal.fields else "",
    )  # fmt: skip
    return html, 422 if refusal else 200


def _period() -> tuple[datetime, datetime]:
    """The period that was chosen. Raises Invalid for days that are none."""
    now = store().clock.now()
    chosen = request.form.get("period", "")
    months = {str(months): months for months, _ in PERIODS}
    if chosen in months:
        return _morning(_months_before(shanghai_day(now), months[chosen])), now
    if chosen != OWN:
        raise Invalid({"period": "请选择期间"})
    days: dict[str, date] = {}
    wrong: dict[str, str] = {}
    for name, words in (("received_from", "起始日期"), ("received_until", "截止日期")):
        try:
            days[name] = date.fromisoformat(request.form.get(name, "").strip())
            _morning(days[name] + timedelta(days=1))
        except (ValueError, OverflowError):
            wrong[name] = f"请填写{words}，例如2026-03-02"
    if wrong:
        raise Invalid(wrong)
    return _morning(days["received_from"]), _morning(days["received_until"] + timedelta(days=1))


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _months_before(day: date, months: int) -> date:
    """The same day some months ago, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# -- one back-test ------------------------------------------------------------------------------


@page.get("/back-tests/<int:test_id>")
def one(test_id: int) -> str:
    """A back-test: how far it is, its numbers, and the cases; further lines of them for htmx."""
    kind, after = request.args.get("kind", ""), request.args.get("after", "")
    with store().read() as session:
        test = sheets.back_test_sheet(session, me(), test_id)
        found = sheets.back_test_cases(session, me(), test_id, kind=kind, after=int(after) if after.isdigit() else 0)
        draft = None if is_swap() else draft_sheet(session, me(), test.draft_id)
    template = "back_tests/page.html" if not is_swap() else "back_tests/_rows.html" if after else "back_tests/_result.html"
    return render_template(
        template, test=test, found=found, draft=draft, kind=kind, kinds=sheets.KINDS, states=sheets.STATES
    )  # fmt: skip


@page.post("/back-tests/<int:test_id>/cancel")
def cancel(test_id: int) -> ResponseReturnValue:
    """Stops a back-test."""
    cancel_back_test(store(), test_id, actor=me(), origin=origin())
    return redirect(f"/back-tests/{test_id}", 303)


@page.get("/back-tests/<int:test_id>/cases.csv")
def table(test_id: int) -> Response:
    """All findings of a back-test as a table for a spreadsheet."""
    with store().read() as session:
        test = sheets.back_test_sheet(session, me(), test_id)
        return spreadsheet(f"back-test-{test.key}-{test.id}", _lines(sheets.every_case(session, me(), test_id)))


def _lines(cases: Iterator[sheets.CaseLine]) -> Iterator[tuple[str, ...]]:
    yield "办件编号", "差别", "环节", "时间", "说明", "记录中的日期", "按草稿的日期", "由此分开"
    for case in cases:
        for found in case.findings:
            yield (
                case.number, sheets.KINDS.get(found.kind, found.kind), found.name, screen.moment(found.at), found.text,
                _when(found.before), _when(found.after), "是" if found.parts else "",
            )  # fmt: skip


def _when(moment: date | datetime | None) -> str:
    return screen.moment(moment) if isinstance(moment, datetime) else moment.isoformat() if moment else ""


@page.app_template_filter("when_due")
def when_due(moment: date | datetime | None) -> str:
    """A date that moves, for reading: a day, or an instant where no days are counted."""
    return screen.moment(moment) if isinstance(moment, datetime) else screen.day(moment)
