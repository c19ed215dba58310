"""`calendar due` and `calendar show`: what the calendar knows, with a database and without one; the other verbs by name."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from engine.commands import calendar_notices
from engine.commands.common import add_json, emit, has_database, reading_settings

if TYPE_CHECKING:
    from calendars.notices import Notice


def add(commands: Any) -> None:
    verbs = commands.add_parser("calendar", help="working days and deadlines").add_subparsers(metavar="VERB", required=True)
    due = verbs.add_parser("due", help="when a limit ends, with every day counted and skipped (JSON)")
    due.add_argument("start", metavar="START", help="a date or an instant; Shanghai time unless it carries an offset")
    due.add_argument("--days", required=True, metavar="N", help="how many working days")
    due.add_argument("--as-of", metavar="DATE", help="the calendar as it was known on that day")
    due.add_argument("--pause", action="append", default=[], metavar="FROM..TO", help="days on which the clock stood; may be repeated")
    due.add_argument("--restart-at", metavar="INSTANT", help="count anew from there")
    due.add_argument("--office-hours", action="store_true", help="what comes in after office hours comes in on the next working day")
    add_json(due)
    due.set_defaults(run=run_due)
    show = verbs.add_parser("show", help="a year, day by day")
    show.add_argument("year", metavar="YEAR")
    show.add_argument("--as-of", metavar="DATE", help="the calendar as it was known on that day")
    add_json(show)
    show.set_defaults(run=run_show)
    calendar_notices.add(verbs)


def run_due(options: argparse.Namespace) -> None:
    from calendars.command import due_as_json

    emit(due_as_json(
        options.start, options.days, options.as_of, options.pause, options.restart_at, options.office_hours, installed_notices()
    ))


def run_show(options: argparse.Namespace) -> None:
    from calendars.command import year_as_json, year_as_text

    if options.json:
        emit(year_as_json(options.year, options.as_of, installed_notices()))
    else:
        print(year_as_text(options.year, options.as_of, installed_notices()))


def installed_notices() -> tuple[Notice, ...] | None:
    """The notices of the installation; None (those that ship with the product) before `init`.

    A database that cannot be reached is an error, never a reason to answer from less than it may know.
    """
    settings = reading_settings()
    if not has_database(settings):
        return None
    from sqlalchemy import inspect

    from engine.process.editions import notices
    from engine.process.tables import CalendarNotice
    from engine.store.store import Store

    store = Store(settings.database_url, pool_size=1)
    try:
        if not inspect(store.engine).has_table(CalendarNotice.__tablename__):
            return None
        with store.read() as session:
            return notices(session) or None
    finally:
        store.close()
