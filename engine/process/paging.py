"""Pages of long lists by keyset: the cursor is the sort key of the last line, so the thousandth page costs what the first did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from engine.store.errors import Invalid

Line = TypeVar("Line")
Row = TypeVar("Row")

PAGE = 50
PAGE_MAX = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[Line]):
    """Some lines of a list, and where to go on; `next` is None at the end."""

    lines: list[Line]
    next: str | None
    partial: bool = False
    """Ends here only because enough was looked at for one request: there may be more, or nothing."""


def make_page(rows: Sequence[Row], limit: int, line: Callable[[Row], Line], cursor: Callable[[Row], str]) -> Page[Line]:
    """A page from `limit + 1` rows: the extra one only tells that there is more."""
    shown = rows[:limit]
    return Page([line(row) for row in shown], cursor(shown[-1]) if len(rows) > limit and shown else None)


def write_cursor(moment: datetime, row_id: int) -> str:
    """The cursor of a list sorted by (instant, id)."""
    return f"{moment.isoformat()}~{row_id}"


def read_cursor(text: str) -> tuple[datetime, int]:
    """The sort key in a cursor. Raises Invalid for what was not made by `write_cursor`."""
    moment, _, number = text.rpartition("~")
    try:
        found = datetime.fromisoformat(moment)
        if found.tzinfo is None:
            raise ValueError
        return found, int(number)
    except ValueError:
        raise Invalid({"after": "翻页位置无效，请从第一页重新打开"}) from None


def read_id_cursor(text: str) -> int:
    """The cursor of a list sorted by id. Raises Invalid."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid({"after": "翻页位置无效，请从第一页重新打开"})
    return int(text)
