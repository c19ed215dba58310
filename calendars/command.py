"""The `calendar` command: what is typed goes in as text, what comes out is ready to print.

These functions are pure, like the floor that they stand on: whoever calls them says which notices count. Every
wrong input is refused with a sentence that quotes it (CalendarError).
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from calendars import year as years
from calendars.deadline import SHANGHAI, OfficeHours, Pause, explain
from calendars.edition import Edition, edition_for
from calendars.errors import CalendarError
from calendars.notices import Notice, shipped_notices

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")


def due_as_json(
    start_text: str,
    days: int | str,
    as_of: str | None = None,
    pauses: Sequence[str] = (),
    restart_at: str | None = None,
    office_hours: bool = False,
    notices: Sequence[Notice] | None = None,
) -> dict[str, Any]:
    """`calendar due START --days N`: the deadline with every day that was counted or skipped.

    `start_text` and `restart_at` are a date or an instant (Shanghai time unless they carry an offset); `as_of` is the date as of
    which notices count; a pause is `FROM..TO`, or `FROM..` while it lasts. Without `notices`, the shipped ones.
    """
    explanation = explain(
        instant(start_text),
        _number(days, "工作日数"),
        _edition(as_of, notices),
        pauses=[pause(text) for text in pauses],
        restart_at=None if restart_at is None else instant(restart_at),
        office_hours=OfficeHours() if office_hours else None,
    )
    return explanation.as_json()


def year_as_json(
    year: int | str, as_of: str | None = None, notices: Sequence[Notice] | None = None
) -> dict[str, Any]:
    """`calendar show YEAR --json`."""
    return years.year_as_json(_number(year, "年份"), _edition(as_of, notices))


def year_as_text(
    year: int | str, as_of: str | None = None, notices: Sequence[Notice] | None = None
) -> str:
    """`calendar show YEAR`."""
    return years.year_as_text(_number(year, "年份"), _edition(as_of, notices))


def day(text: str) -> date:
    """A date written as 2026-02-10."""
    try:
        if _DATE.fullmatch(text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise CalendarError(f"“{text}”不是有效日期，应写作2026-02-10")


def instant(text: str) -> datetime:
    """A date, or an ISO instant; Shanghai time unless it carries an offset. A bare date is that day's 00:00."""
    text = text.strip()
    if _DATE.fullmatch(text):
        return datetime.combine(day(text), time(), SHANGHAI)
    try:
        if _INSTANT.fullmatch(text):
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)
    except ValueError:
        pass
    raise CalendarError(
        f"“{text}”不是有效时间，应写作2026-02-10、2026-02-10T09:30或2026-02-10T09:30+08:00"
    )


def pause(text: str) -> Pause:
    """A pause written as FROM..TO, both dates; FROM.. while it lasts."""
    first, dots, last = text.partition("..")
    if not dots:
        raise CalendarError(f"“{text}”不是有效的暂停期间，应写作2026-05-06..2026-05-08")
    return Pause(day(first), day(last) if last.strip() else None)


def _number(value: int | str, what: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise CalendarError(f"{what}应为整数：“{value}”") from None


def _edition(as_of: str | None, notices: Sequence[Notice] | None) -> Edition:
    known = shipped_notices() if notices is None else tuple(notices)
    return edition_for(known, None if as_of is None else day(as_of))
