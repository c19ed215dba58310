"""What `init --demo` loads: the town, and half a year of cases up to now."""

from __future__ import annotations

from datetime import datetime, time

from calendars.deadline import SHANGHAI, shanghai_day
from engine.demo.half_year import first_day, live_half_year
from engine.demo.town import load_town
from engine.sharing import registry
from engine.store.clock import MovableClock
from engine.store.settings import Settings
from engine.store.store import Store

assert registry  # imported so that the diagrams' operations are known


def load_demo(store: Store, settings: Settings) -> None:
    """Loads the town and lives its half year. The rule set must be deployed, with an effective day before it."""
    now = store.clock.now()
    with store.read() as session:
        begins = datetime.combine(first_day(session, shanghai_day(now), now), time(), SHANGHAI)
    clock = MovableClock(begins)
    past = Store(store.url.render_as_string(hide_password=False), clock)
    try:
        load_town(past, password=settings.demo_password)
        live_half_year(past, clock, now)
    finally:
        past.close()
