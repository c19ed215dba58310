"""What all replayed cases of a run ask of the world around them, each thing once: words, units, the calendar as it was known.

Words and units answer as they do today; the calendar answers as it did then: a notice counts from the moment when this
installation had it, so that a case of those days is not held against what nobody could know.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars.deadline import SHANGHAI, shanghai_day
from calendars.edition import Edition
from engine.people.tables import Unit
from engine.process.editions import Known, edition_of, known
from engine.process.operations import WORDS
from engine.process.tables import CalendarNotice
from engine.store.errors import NotFound


class Surroundings:
    """One for each run; `use` it with the session of each page."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._said: dict[tuple[str, bytes], Any] = {}
        self._units: dict[str, int] = {}
        self._editions: dict[tuple[int, str | None], Edition] = {}
        self._moments: list[datetime] = []
        self._since: dict[str, datetime] = {}
        self.calendars = Known()
        self.words: Mapping[str, Callable[..., Any]] = {name: self._word(name) for name in WORDS}

    def use(self, session: Session) -> None:
        """Asks `session` from now on. What was found before is kept: a run sees one world from its beginning to its end."""
        first, self._session = self._session is None, session
        if first:
            self._units = {code: unit_id for code, unit_id in session.execute(select(Unit.code, Unit.id))}
            self.calendars = known(session)
            rows = session.execute(
                select(CalendarNotice.doc, CalendarNotice.published, CalendarNotice.loaded_at, CalendarNotice.confirmed_by)
            )
            for doc, published, loaded_at, confirmed_by in rows:
                # A moment before midnight: what is published on a day is known all day long.
                morning = datetime.combine(published, time(), SHANGHAI) - timedelta(microseconds=1)
                # What ships with the product was known to whoever came before it.
                self._since[doc] = morning if confirmed_by is None else max(morning, loaded_at)
            self._moments = sorted(set(self._since.values()))

    def unit_id(self, code: str) -> int:
        """Raises NotFound."""
        if code not in self._units:
            raise NotFound(f"没有代码为“{code}”的单位")
        return self._units[code]

    def stage(self, at: datetime) -> int:
        """How many times the calendar had changed before `at`: a number that rises with each notice."""
        return bisect_left(self._moments, at)

    def edition(self, at: datetime, calendar: str | None = None) -> Edition:
        """A calendar (None: the city's) as known then."""
        key = (self.stage(at), calendar)
        if key not in self._editions:
            everything, had = self.calendars, {doc for doc, since in self._since.items() if since < at}
            then = replace(
                everything, national=tuple(notice for notice in everything.national if notice.doc in had),
                local={name: tuple(order for order in orders if order.doc in had) for name, orders in everything.local.items()},
            )  # fmt: skip
            self._editions[key] = edition_of(then, shanghai_day(at), calendar)
        return self._editions[key]

    def _word(self, name: str) -> Callable[..., Any]:
        def ask(*arguments: Any) -> Any:
            assert self._session is not None
            key = (name, orjson.dumps(arguments, default=str))
            if key not in self._said:
                self._said[key] = WORDS[name](self._session, *arguments)
            return self._said[key]

        return ask
