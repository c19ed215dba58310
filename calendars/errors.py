"""What can go wrong on this floor. The messages are shown to officials, so they are in Chinese.

All are `ValueError`s: the question asked was wrong, or lies beyond what the data can answer. None of
them is ever swallowed in favour of a guessed date.
"""


class CalendarError(ValueError):
    """A calendar question that cannot be answered as it was asked."""


class CalendarEnds(CalendarError):
    """The answer would lie outside the years for which any calendar can be known or computed."""


class NoticeError(CalendarError):
    """A holiday notice that does not add up, by itself or with those published before it."""
