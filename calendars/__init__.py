"""The working calendar: dates in, dates out.

This floor is pure. It knows no database, no web and no process engine, so that every date it gives can be
proved by a test that needs nothing but the notices in `calendars/data`.

notices.py       what one holiday notice says (a delta), and in which order notices apply
statutory.py     the days off that the State Council's decree fixes, for years without a notice
edition.py       an immutable calendar edition, with working-day arithmetic as a lookup
deadline.py      from a rule to a moment, and the explanation of every day
china.py         the same edition behind workalendar's interface
year.py          one year of an edition, for a screen or a terminal
command.py       the `calendar` command: text in, JSON out
"""
