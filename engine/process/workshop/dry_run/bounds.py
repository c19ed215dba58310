"""How long a dry run may take: it holds locks that officers wait for, so whatever a draft does, it ends after seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from engine.store.errors import Refused
from engine.store.store import Work

#: Seconds of one walk, counted from when its transaction began.
SECONDS_MAX = 6.0


class TooMuch(Refused):
    """试运行耗时过长，已停止：请检查流程图是否反复执行同一段。"""


@contextmanager
def bounded(work: Work, seconds: float = SECONDS_MAX) -> Iterator[None]:
    """Lets nothing be asked of the database once the time is over: the next statement raises TooMuch, once.

    What computes without the database is bounded by the interpreter's own budget of steps.
    """
    end = time.monotonic() + seconds
    over = False

    def watch(*_: Any) -> None:
        nonlocal over
        if not over and time.monotonic() > end:
            over = True  # the way back out needs the database too
            raise TooMuch

    connection = work.session.connection()
    event.listen(connection, "before_cursor_execute", watch)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", watch)
