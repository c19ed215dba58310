"""What somebody has read out of a published notice, before anybody relies on it: the days, where each stands, and what is wrong.

Whatever form a notice comes in (its text, a file, days entered by hand), reading it ends in a `Reading`. It is checked
against the decree and against what stands already, and becomes a `Notice` only when nothing is left to complain of.

Two kinds of complaint: an *error* can never be a notice (a weekday that is not that day's, a clause that nobody could read);
a *doubt* is unlike every notice so far, and most likely a lost line, but somebody who has the paper before them may say that it is so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from calendars.errors import CalendarEnds, NoticeError
from calendars.notices import Notice, arrange, in_order
from calendars.statutory import festivals, known_decrees

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a notice as it was read, with the words that it is about."""

    what: str
    quote: str = ""
    """The clause itself, as it stands in the text; empty where the fault is that something is missing."""
    doubt: bool = False
    """Unlike every notice so far, but possible: whoever has checked the original may accept it."""

    def __str__(self) -> str:
        return f"{self.what}：“{self.quote}”" if self.quote else self.what


@dataclass(frozen=True, slots=True)
class Span:
    """The days of one festival, as the notice gives them."""

    name: str
    off: tuple[date, ...]
    work: tuple[date, ...]
    said: str = ""
    """The clause that says so."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A notice as it was read. `notice` is what it changes; None while there are errors."""

    doc: str
    for_year: int
    signed: date | None
    published: date | None
    amends: str | None = None
    spans: tuple[Span, ...] = ()
    add_off: tuple[date, ...] = ()
    add_work: tuple[date, ...] = ()
    cancel_off: tuple[date, ...] = ()
    cancel_work: tuple[date, ...] = ()
    remarks: tuple[str, ...] = ()
    """Clauses with a date that arrange nothing, such as an advice to take leave."""
    complaints: tuple[Complaint, ...] = field(default=())

    @property
    def errors(self) -> tuple[Complaint, ...]:
        return tuple(complaint for complaint in self.complaints if not complaint.doubt)

    @property
    def doubts(self) -> tuple[Complaint, ...]:
        return tuple(complaint for complaint in self.complaints if complaint.doubt)

    def notice(self) -> Notice:
        """The notice. Raises NoticeError with every error; doubts do not stop it."""
        if self.errors:
            raise NoticeError("；".join(map(str, self.errors)))
        assert self.signed is not None and self.published is not None  # their absence is an error
        return Notice(
            self.doc, self.for_year, self.signed, self.published, self.amends,
            self.add_off, self.add_work, self.cancel_off, self.cancel_work,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Plain values for a page or the command line."""
        days = {name: [day.isoformat() for day in getattr(self, name)] for name in ("add_off", "add_work", "cancel_off", "cancel_work")}
        return {
            "doc": self.doc, "for_year": self.for_year, "amends": self.amends, **days,
            "signed": self.signed.isoformat() if self.signed else None,
            "published": self.published.isoformat() if self.published else None,
            "festivals": [
                {"name": span.name, "off": [d.isoformat() for d in span.off], "work": [d.isoformat() for d in span.work], "said": span.said}
                for span in self.spans
            ],
            "remarks": list(self.remarks),
            "complaints": [{"what": c.what, "quote": c.quote, "doubt": c.doubt} for c in self.complaints],
        }  # fmt: skip


def checked(reading: Reading, known: Sequence[Notice] = (), *, local: bool = False) -> Reading:
    """The reading with everything that is wrong with it: by itself, by the decree, and against the `known` notices.

    A `local` order closes or opens single days; the decree's festivals are not its business.
    """
    complaints = list(reading.complaints)
    complaints += _head(reading)
    if not any(not complaint.doubt for complaint in complaints):
        complaints += _sense(reading, known, local)
    return replace(reading, complaints=tuple(dict.fromkeys(complaints)))


def _head(reading: Reading) -> Iterator[Complaint]:
    if not reading.doc.strip():
        yield Complaint("没有文号：请填写通知的文号")
    if reading.signed is None:
        yield Complaint("没有成文日期：请填写通知落款的日期")
    if reading.published is None:
        yield Complaint("没有发布日期：请填写通知发布的日期")
    if reading.signed and reading.published and reading.signed > reading.published:
        yield Complaint(f"成文日期{reading.signed}晚于发布日期{reading.published}")


def _sense(reading: Reading, known: Sequence[Notice], local: bool) -> Iterator[Complaint]:
    """What only a notice without errors can be asked: whether it is one, fits what stands, and is like the decree."""
    try:
        notice = reading.notice()
        if not local:
            arrange([*in_order(other for other in known if other.published <= notice.published), notice])
    except NoticeError as error:
        yield Complaint(str(error))
        return
    if notice.amends is None and not local:
        yield from _by_decree(notice)


def _by_decree(notice: Notice) -> Iterator[Complaint]:
    """Every festival is there, and the weekdays off are paid for: both held in every yearly notice from 2018 to 2026."""
    try:
        fixed = festivals(notice.for_year, known_decrees(notice.published))
    except CalendarEnds as error:
        yield Complaint(str(error))
        return
    missing = {found.name: day for day, found in fixed.items() if day not in notice.add_off}
    for name, day in missing.items():
        yield Complaint(f"{name}的法定放假日{day}没有列入放假", doubt=True)
    gained = sum(day.weekday() < _SATURDAY for day in notice.add_off) - len(notice.add_work)
    due = sum(len(found.name.split("、")) for found in fixed.values())
    if gained != due:
        yield Complaint(
            f"放假与调休的天数不平衡：工作日放假{gained + len(notice.add_work)}天，周末上班{len(notice.add_work)}天，相抵{gained}天，"
            f"而{notice.for_year}年法定节假日共{due}天",
            doubt=True,
        )  # fmt: skip
