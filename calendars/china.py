"""The working calendar behind workalendar's interface.

workalendar's own China holds hand-written tables up to 2023, raises after that, and leaves out some make-up days before. This
class takes its days from an edition and keeps the interface, so that whatever speaks workalendar works with it.
Use it for that; the program's own deadlines use `calendars.deadline`, which explains itself and knows pauses.
"""

from collections.abc import Iterable
from datetime import date

from workalendar.core import SAT, SUN, Calendar, cleaned_date

from calendars.edition import Edition

Days = Iterable[date] | None


class ChinaWorkingCalendar(Calendar):  # type: ignore[misc]  # workalendar has no type hints
    """China, with the make-up working days"""

    WEEKEND_DAYS = (SAT, SUN)

    def __init__(self, edition: Edition) -> None:
        super().__init__()
        self.edition = edition

    def get_calendar_holidays(self, year: int) -> list[tuple[date, str]]:
        """The days off that a notice or the decree gives, with the festival's name; plain weekends are not among them.

        Raises CalendarEnds outside 2008 to 2050.
        """
        return [
            (fact.date, fact.festival or fact.reason)
            for fact in self.edition.year(year)
            if not fact.works and not fact.ordinary
        ]

    def is_working_day(
        self,
        day: date,
        extra_working_days: Days = None,
        extra_holidays: Days = None,
    ) -> bool:
        """Whether that day works. The extra lists go before the edition, the working days before the holidays."""
        day = cleaned_date(day)
        if extra_working_days and day in map(cleaned_date, extra_working_days):
            return True
        if extra_holidays and day in map(cleaned_date, extra_holidays):
            return False
        return self.edition.works(day)

    def add_working_days(
        self,
        day: date,
        delta: int,
        extra_working_days: Days = None,
        extra_holidays: Days = None,
        keep_datetime: bool = False,
    ) -> date:
        """The day `delta` working days later (earlier when negative): a lookup where no extra days are given."""
        if extra_working_days or extra_holidays:
            moved: date = super().add_working_days(
                day, delta, extra_working_days, extra_holidays, keep_datetime
            )
            return moved
        plain = cleaned_date(day)
        if delta >= 0:
            found = self.edition.nth_working_day_after(plain, delta)
        else:
            found = self.edition.nth_working_day_before(plain, -delta)
        result: date = cleaned_date(day, keep_datetime) + (found - plain)
        return result

    def get_working_days_delta(
        self,
        start: date,
        end: date,
        include_start: bool = False,
        extra_working_days: Days = None,
        extra_holidays: Days = None,
    ) -> int:
        """Working days after the earlier date up to and including the later: a lookup where no extra days are given."""
        if extra_working_days or extra_holidays:
            counted: int = super().get_working_days_delta(
                start, end, include_start, extra_working_days, extra_holidays
            )
            return counted
        first, last = sorted((cleaned_date(start), cleaned_date(end)))
        if first == last:
            return 0
        return self.edition.working_days_between(first, last) + (
            include_start and self.edition.works(first)
        )

    def find_following_working_day(self, day: date) -> date:
        """That day if it works, else the next that does. Unlike the base class, it knows holidays and make-up days."""
        return self.edition.working_day_from(cleaned_date(day))

