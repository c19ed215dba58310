"""From early November on, the keepers of the calendar are reminded once a week that next year's notice is still missing.

The State Council publishes it between late October and early December; until it stands, every deadline that reaches over the
year's end is provisional.
"""

from __future__ import annotations

from calendars.statutory import LAST_YEAR
from engine.process.editions import edition_at
from engine.process.notices import notify_power
from engine.process.rows import next_number
from engine.process.tables import Sequence
from engine.store.clock import SHANGHAI
from engine.store.store import WORKER, Store, command

#: The month from whose first day on the notice is missed: by then it was public in most years.
FROM_MONTH = 11


@command
def remind_of_missing_notice(store: Store) -> int:
    """Tells those who keep the calendar, once in a calendar week; returns how many were told."""
    today = store.clock.now().astimezone(SHANGHAI).date()
    if today.month < FROM_MONTH or today.year + 1 > LAST_YEAR:
        return 0
    year, week, _ = today.isocalendar()
    mark = f"reminded:calendar:{today.year + 1}:{year}-{week:02}"
    with store.read() as session:
        if edition_at(session, store.clock.now()).covers(today.year + 1) or session.get(Sequence, mark) is not None:
            return 0
    with store.work(None, WORKER) as work:
        if next_number(work.session, mark) > 1:
            return 0  # another worker was there in the same minute
        return notify_power(
            work, "edit_diagrams", kind="calendar", title=f"请录入{today.year + 1}年放假安排",
            text=f"日历中还没有{today.year + 1}年的放假通知。跨年的截止日均为暂定；通知发布后请在“工作日历”中录入，经另一人确认后重新推算。",
        )
