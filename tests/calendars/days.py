"""Small words for the calendar's tests: a day, an instant in Shanghai, and an edition as known on some day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from calendars.deadline import SHANGHAI
from calendars.edition import Edition, edition_for
from calendars.notices import shipped_notices


def d(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    """An instant, as a clock on the wall in Shanghai shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def utc(text: str) -> datetime:
    return at(text).astimezone(UTC)


def known_on(text: str) -> Edition:
    """The calendar as known on that day."""
    return edition_for(shipped_notices(), d(text))


def newest() -> Edition:
    return edition_for(shipped_notices())


def every_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
