"""Reads a notice from a file: ours or holiday-cn's JSON, iCalendar, the notice's own text, or days entered by hand.

A file says which days of a year are off and which are worked instead; what that changes in the calendar depends on what
stands already. Where the year has its notice, the file is read as an amendment of it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

import icalendar

from calendars.errors import NoticeError
from calendars.notice_text import FESTIVALS, read_text
from calendars.notices import Notice, arrange, in_order, notice_from_json
from calendars.reading import Complaint, Reading, Span, checked

Kind = Literal["text", "json", "ics"]
FILE_MAX = 1024 * 1024
"""Bytes; a year's notice is a few kilobytes."""
_DAYS_MAX = 200
_WORK_WORDS = re.compile(r"班|补班|上班|调休上班|工作日")
_OFF_WORDS = re.compile(r"休|假|放假|停止办公")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands on the notice and not in the file: the person who brings it in says so."""

    doc: str = ""
    signed: date | None = None
    published: date | None = None
    for_year: int | None = None


def kind_of(data: bytes) -> Kind:
    """What a file is, by its first characters."""
    head = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:20]
    if head.startswith((b"{", b"[")):
        return "json"
    return "ics" if head.upper().startswith(b"BEGIN:VCALENDAR") else "text"


def read_file(data: bytes, known: Sequence[Notice] = (), *, kind: Kind | None = None, heading: Heading = Heading()) -> Reading:
    """The reading of a file of any of the known kinds (found by its content unless said). Never raises for its content."""
    if len(data) > FILE_MAX:
        return _refused(f"文件超过{FILE_MAX // 1024}KB，不像是一份放假通知", heading)
    text = as_text(data)
    if text is None:
        return _refused("文件不是文字：请使用UTF-8或GB18030编码的文本、JSON或ICS文件", heading)
    match kind or kind_of(data):
        case "json":
            return read_json(text, known, heading)
        case "ics":
            return read_ics(text, known, heading)
    found = read_text(text, known, doc=heading.doc, published=heading.published, for_year=heading.for_year)
    return found if heading.signed is None or found.signed else checked(replace(found, signed=heading.signed), known)


def read_json(text: str, known: Sequence[Notice] = (), heading: Heading = Heading()) -> Reading:
    """One notice in our own JSON, or a year of holiday-cn (`{"year", "papers", "days": [{"name", "date", "isOffDay"}]}`)."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f"：第{error.lineno}行第{error.colno}字处有误" if isinstance(error, json.JSONDecodeError) else ""
        return _refused(f"不是有效的JSON{place}", heading)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping) and "days" in value:
        return _holiday_cn(value, known, heading)
    try:
        notice = notice_from_json(value)
    except NoticeError as error:
        return _refused(str(error), heading)
    return checked(
        Reading(
            notice.doc, notice.for_year, notice.signed, notice.published, notice.amends, (),
            notice.add_off, notice.add_work, notice.cancel_off, notice.cancel_work,
        ),
        known,
    )  # fmt: skip


def read_ics(text: str, known: Sequence[Notice] = (), heading: Heading = Heading()) -> Reading:
    """The all-day events of an iCalendar file (RFC 5545): 春节（休）, 春节 班, 国庆节放假, 补班 …; DTEND is exclusive."""
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError):
        return _refused("不是有效的日历文件（ICS）", heading)
    days: list[tuple[str, date, bool]] = []
    complaints: list[Complaint] = []
    for event in calendar.walk("VEVENT"):
        summary = str(event.get("summary", "")).strip()
        span = _event_days(event)
        if not span or event.get("rrule"):
            complaints.append(Complaint("不是写明日期的全天日程", summary or "（没有标题）"))
            continue
        works = bool(_WORK_WORDS.search(summary))
        name = next((found for word, found in FESTIVALS.items() if word in summary), "")
        if not works and not _OFF_WORDS.search(summary) and not name:
            complaints.append(Complaint(f"{span[0]}的日程看不出是放假还是上班", summary or "（没有标题）"))
            continue
        days += [(name or summary, day, not works) for day in span]
    year = heading.for_year or _year_of(day for _, day, _ in days)
    return read_days(days, known, replace(heading, for_year=year), complaints)


def read_days(
    days: Iterable[tuple[str, date, bool]], known: Sequence[Notice], heading: Heading, complaints: Sequence[Complaint] = ()
) -> Reading:
    """Days of one year, each with the festival's name and whether it is off: read as a notice, or as what it changes.

    What stands already and is not among the days is taken back, so all days of the year must be given.
    """
    given = list(days)[: _DAYS_MAX * 10]
    found = list(complaints)
    year = heading.for_year or 0
    off = {day for _, day, free in given if free}
    work = {day for _, day, free in given if not free}
    found += [Complaint(f"{day}既列为放假又列为上班") for day in sorted(off & work)]
    if not given and not found:
        found.append(Complaint("没有任何放假或上班的日期"))
    elif not year:
        found.append(Complaint("看不出是哪一年的安排：请填写年份"))
    names = dict.fromkeys(name for name, _, _ in given)
    spans = tuple(
        Span(name, tuple(sorted(d for n, d, free in given if n == name and free)), tuple(sorted(d for n, d, free in given if n == name and not free)))
        for name in names
    )
    published = heading.published or heading.signed
    made = Reading(heading.doc.strip(), year, heading.signed or published, published, None, spans,
                   tuple(sorted(off)), tuple(sorted(work)), complaints=tuple(found))  # fmt: skip
    before = [notice for notice in in_order(known) if published is None or notice.published <= published]
    latest = next((notice for notice in reversed(before) if notice.for_year == year), None)
    return checked(made if latest is None else _change(made, before, latest), known)


def _change(made: Reading, before: Sequence[Notice], latest: Notice) -> Reading:
    """The given days of a year that has its notice, as the difference to what stands."""
    arrangement = arrange(before)
    own = {notice.doc for notice in before if notice.for_year == made.for_year}
    free = {day for day, doc in arrangement.off.items() if doc in own}
    worked = {day for day, doc in arrangement.work.items() if doc in own}
    off, work = set(made.add_off), set(made.add_work)
    return replace(
        made, amends=latest.doc, add_off=tuple(sorted(off - free)), add_work=tuple(sorted(work - worked)),
        cancel_off=tuple(sorted(free - off)), cancel_work=tuple(sorted(worked - work)),
    )  # fmt: skip


def _holiday_cn(value: Mapping[str, Any], known: Sequence[Notice], heading: Heading) -> Reading:
    days: list[tuple[str, date, bool]] = []
    complaints: list[Complaint] = []
    listed = value["days"] if isinstance(value["days"], list) else []
    for item in listed[: _DAYS_MAX * 10]:
        try:
            days.append((str(item["name"]), date.fromisoformat(item["date"]), _truth(item["isOffDay"])))
        except (KeyError, TypeError, ValueError):
            complaints.append(Complaint("这一天看不懂（应有name、date、isOffDay）", json.dumps(item, ensure_ascii=False)[:120]))
    if not isinstance(value["days"], list):
        complaints.append(Complaint("days应为日期的列表"))
    year = value.get("year")
    named = year if isinstance(year, int) and not isinstance(year, bool) and 1949 <= year <= 9998 else None
    return read_days(days, known, replace(heading, for_year=heading.for_year or named), complaints)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _event_days(event: Any) -> list[date]:
    """The days of an all-day event; empty where it is none, or longer than any holiday."""
    start, end = event.get("dtstart"), event.get("dtend")
    first = getattr(start, "dt", None)
    if not isinstance(first, date) or isinstance(first, datetime):
        return []
    after = getattr(end, "dt", None) if end is not None else first + timedelta(days=1)
    if not isinstance(after, date) or isinstance(after, datetime) or not 0 < (after - first).days <= 31:
        return []
    return [first + timedelta(days=n) for n in range((after - first).days)]


def _year_of(days: Iterable[date]) -> int | None:
    """The year that most days lie in."""
    years = [day.year for day in days]
    return max(set(years), key=years.count) if years else None


def as_text(data: bytes) -> str | None:
    """A file's text in UTF-8 (with or without a mark), UTF-16 with its mark, or the GB18030 of Chinese office machines; None for no text."""
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None


def _refused(what: str, heading: Heading) -> Reading:
    return Reading(heading.doc, heading.for_year or 0, heading.signed, heading.published, complaints=(Complaint(what),))
