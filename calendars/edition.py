"""A calendar edition: which day works, who says so, and whether that is final.

An edition is built from the notices published by a given day and never changes. A new notice makes a
new edition; the old one can be rebuilt at any time by asking for the calendar as of a past day.

Every day has a fact, in this order: a notice says it (off, or made up); a year without a notice falls back to the festivals
that the decree fixes; Saturdays and Sundays are off; all else works. Provisional (暂定) are:

* every day of a year whose yearly notice is not among the edition's notices, and
* the last seven days of a year (25 to 31 December) until the *next* year's notice is known: the New Year
  holiday of 2019 and 2023 began in the old year (30 and 31 December 2018, 31 December 2022), with a make-up
  Saturday on 29 December 2018. Seven days take in any bridge before 1 January and the weekend that pays for it.

The arithmetic is a lookup: one array holds how many working days lie before each day, another the
day of each working ordinal. Building both for all of 2008 to 2050 takes a few milliseconds.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, chain, compress

from calendars.errors import CalendarEnds, CalendarError
from calendars.notices import Notice, arrange, in_order
from calendars.statutory import (
    FIRST_YEAR,
    LAST_YEAR,
    Decree,
    Festival,
    festivals,
    known_decrees,
)

FIRST_DAY = date(FIRST_YEAR, 1, 1)
LAST_DAY = date(LAST_YEAR, 12, 31)
_FIRST = FIRST_DAY.toordinal()
_SIZE = LAST_DAY.toordinal() - _FIRST + 1
_YEAR_END = (12, 25)
"""Month and day from which a year's end hangs on the next year's notice."""
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class DayFact:
    """What an edition says about one day."""

    date: date
    works: bool
    reason: str
    """Why, in Chinese: 工作日, 周六, 春节放假, 调休上班, 国庆节放假（依法定节日推算）…"""
    notice: str | None
    """The number of the notice (or local order) that says so; None where the week or the decree decides."""
    provisional: bool
    """True while a notice still to come may change this day."""
    festival: str | None = None
    """The festival around which a day off stands, such as 春节."""
    basis: str | None = None
    """The decree and article, for a day off that is computed."""

    @property
    def ordinary(self) -> bool:
        """True when only the week decides: a plain working day or a plain weekend day."""
        return self.notice is None and self.basis is None


class Edition:
    """One immutable edition of the working calendar, for 2008 to 2050.

    Make one with `Edition.of`, or `edition_for` when the same notices come again and again. Two editions with
    the same content are equal.
    """

    __slots__ = (
        "_decrees", "_doubt", "_local_docs", "_off", "_upto", "_work", "_working", "_works",
        "_years", "fingerprint", "id", "local", "notices", "number", "published",
    )  # fmt: skip

    def __init__(
        self, notices: tuple[Notice, ...], known: tuple[Decree, ...], local: tuple[Notice, ...] = ()
    ) -> None:
        """Use `Edition.of`: it puts the notices in order and leaves out those not yet published."""
        arrangement = arrange(notices, local)
        self.notices = notices
        self.local = local
        self.number = len(notices)
        """How many national notices it holds: the edition's number."""
        self.published: date | None = max(
            (n.published for n in chain(notices, local)), default=None
        )
        """When the newest notice in it was published; None when it holds none."""
        self.fingerprint = _fingerprint(notices, known, local)
        """A hash of everything that the edition was made from."""
        self.id = self._name()
        """The short, stable name that is written into history, such as `e11-20251104`."""
        self._decrees = known
        self._off, self._work, self._years = arrangement.off, arrangement.work, arrangement.years
        self._local_docs = frozenset(order.doc for order in local)
        self._works = self._lay_out()
        self._upto = array("i", accumulate(self._works, initial=0))
        self._working = array("i", compress(range(_SIZE), self._works))
        self._doubt = array("i", accumulate(self._provisional_days(), initial=0))

    @classmethod
    def of(
        cls, notices: Iterable[Notice], as_of: date | None = None, local: Iterable[Notice] = ()
    ) -> "Edition":
        """The calendar as known at the end of the day `as_of` (from all notices when None).

        `local` are orders of the city or county, laid over the national notices.
        Raises NoticeError where the notices contradict each other, CalendarEnds for an `as_of` before 2008.
        """
        if as_of is not None and as_of < FIRST_DAY:
            raise CalendarEnds(f"日历数据始于{FIRST_DAY}，无法还原{as_of}所知的日历")

        def known(notice: Notice) -> bool:
            return as_of is None or notice.published <= as_of

        return cls(
            tuple(filter(known, in_order(notices))),
            known_decrees(as_of),
            tuple(filter(known, in_order(local))),
        )

    @property
    def title(self) -> str:
        """The edition's name for people."""
        if self.published is None:
            return "第0版（尚无放假通知，按法定节日推算）"
        newest = max(chain(self.notices, self.local), key=lambda n: (n.published, n.signed))
        return f"第{self.number}版（{self.published}，{newest.doc}）"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edition) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"<Edition {self.id}>"

    # -- questions about one day ------------------------------------------------------------

    def works(self, day: date) -> bool:
        """Whether offices work on that day."""
        return bool(self._works[self._offset(day)])

    def provisional(self, day: date) -> bool:
        """Whether a notice still to come may change that day."""
        at = self._offset(day)
        return self._doubt[at + 1] > self._doubt[at]

    def covers(self, year: int) -> bool:
        """Whether that year's yearly notice is part of this edition."""
        return year in self._years

    def day(self, day: date) -> DayFact:
        """Everything known about one day. Raises CalendarEnds outside 2008 to 2050."""
        works, doubt = self.works(day), self.provisional(day)
        if doc := self._work.get(day):
            reason = "本地安排上班" if doc in self._local_docs else "调休上班"
            return DayFact(day, works, reason, doc, doubt)
        if doc := self._off.get(day):
            if doc in self._local_docs:
                return DayFact(day, works, "本地安排停止办公", doc, doubt)
            festival = self._festival_around(day)
            return DayFact(day, works, f"{festival or ''}放假", doc, doubt, festival)
        if not self.covers(day.year) and (found := self._festivals(day.year).get(day)):
            reason = f"{found.name}放假（依法定节日推算）"
            return DayFact(day, works, reason, None, doubt, found.name, found.basis)
        reason = "工作日" if works else f"周{_WEEKDAYS[day.weekday()]}"
        return DayFact(day, works, reason, None, doubt)

    def days(self, first: date, last: date) -> list[DayFact]:
        """The facts of all days from `first` to `last`, both included."""
        return [
            self.day(first + timedelta(days=n)) for n in range((last - first).days + 1)
        ]

    def year(self, year: int) -> list[DayFact]:
        """The facts of all days of a year. Raises CalendarEnds outside 2008 to 2050."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise CalendarEnds(f"日历数据只有{FIRST_YEAR}年至{LAST_YEAR}年，没有{year}年")
        return self.days(date(year, 1, 1), date(year, 12, 31))

    # -- arithmetic, each a lookup ----------------------------------------------------------

    def working_days_between(self, day: date, until: date) -> int:
        """How many working days lie after `day`, up to and including `until`; negative if `until` is earlier."""
        return self._upto[self._offset(until) + 1] - self._upto[self._offset(day) + 1]

    def nth_working_day_after(self, day: date, n: int) -> date:
        """The nth working day after `day`, which itself does not count; `day` for n = 0.

        Raises CalendarEnds where the calendar stops before that day.
        """
        if n <= 0:
            return self._no_days(day, n)
        try:
            return date.fromordinal(
                self._working[self._upto[self._offset(day) + 1] + n - 1] + _FIRST
            )
        except IndexError:
            raise CalendarEnds(
                f"从{day}起的第{n}个工作日超出日历数据（止于{LAST_DAY}）"
            ) from None

    def nth_working_day_before(self, day: date, n: int) -> date:
        """The nth working day before `day`, which itself does not count; `day` for n = 0.

        Raises CalendarEnds where the calendar begins after that day.
        """
        if n <= 0:
            return self._no_days(day, n)
        at = self._upto[self._offset(day)] - n
        if at < 0:
            raise CalendarEnds(f"{day}之前的第{n}个工作日早于日历数据（始于{FIRST_DAY}）")
        return date.fromordinal(self._working[at] + _FIRST)

    def working_day_from(self, day: date) -> date:
        """`day` itself if it works, else the next working day."""
        return day if self.works(day) else self.nth_working_day_after(day, 1)

    def working_day_until(self, day: date) -> date:
        """`day` itself if it works, else the last working day before it."""
        return day if self.works(day) else self.nth_working_day_before(day, 1)

    def doubtful_between(self, day: date, until: date) -> bool:
        """Whether any day after `day`, up to and including `until`, is provisional."""
        return self._doubt[self._offset(until) + 1] > self._doubt[self._offset(day) + 1]

    # -- how it is built --------------------------------------------------------------------

    def _offset(self, day: date) -> int:
        at = day.toordinal() - _FIRST
        if 0 <= at < _SIZE:
            return at
        raise CalendarEnds(f"{day:%Y-%m-%d}超出日历数据的范围（{FIRST_DAY}至{LAST_DAY}）")

    def _no_days(self, day: date, n: int) -> date:
        if n < 0:
            raise CalendarError(f"工作日数不能为负：{n}")
        self._offset(day)
        return day

    def _name(self) -> str:
        stamp = f"{self.published:%Y%m%d}" if self.published else self.fingerprint[:8]
        # Local orders are no part of the national number; their content tells such editions apart.
        return f"e{self.number}-{stamp}" + (f"-{self.fingerprint[:8]}" if self.local else "")

    def _lay_out(self) -> bytearray:
        week = bytes(
            (FIRST_DAY + timedelta(days=n)).weekday() < 5 for n in range(7)
        )
        works = bytearray((week * (_SIZE // 7 + 1))[:_SIZE])
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            if year not in self._years:
                for day in self._festivals(year):
                    works[day.toordinal() - _FIRST] = 0
        for days, value in ((self._off, 0), (self._work, 1)):
            for day in days:
                works[self._offset(day)] = value
        return works

    def _provisional_days(self) -> bytearray:
        doubt = bytearray(b"\x01" * _SIZE)
        for year in self._years:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                continue
            start = date(year, 1, 1).toordinal() - _FIRST
            settled = date(year, 12, 31) if year + 1 in self._years else date(year, *_YEAR_END)
            end = settled.toordinal() - _FIRST + (year + 1 in self._years)
            doubt[start:end] = bytes(end - start)
        return doubt

    def _festivals(self, year: int) -> dict[date, Festival]:
        return festivals(year, self._decrees)

    def _festival_around(self, day: date) -> str | None:
        """The festivals within the unbroken row of free days around `day`, in order, joined by 、."""
        first = last = at = self._offset(day)
        while first > 0 and not self._works[first - 1]:
            first -= 1
        while last < _SIZE - 1 and not self._works[last + 1]:
            last += 1
        names: dict[str, None] = {}
        for n in range(first - at, last - at + 1):
            near = day + timedelta(days=n)
            if found := self._festivals(near.year).get(near):
                names.update(dict.fromkeys(found.name.split("、")))
        return "、".join(names) or None


def _fingerprint(
    notices: Sequence[Notice], known: Sequence[Decree], local: Sequence[Notice]
) -> str:
    content = [
        [n.as_json() for n in notices],
        [d.number for d in known],
        [n.as_json() for n in local],
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def edition_for(
    notices: tuple[Notice, ...], as_of: date | None = None, local: tuple[Notice, ...] = ()
) -> Edition:
    """`Edition.of`, remembered by content."""
    return Edition.of(notices, as_of, local)
