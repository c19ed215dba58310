"""A page of a register's list, by keyset: the next page starts after the last line's key, however deep one reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.store.errors import Invalid

Row = TypeVar("Row")
Line = TypeVar("Line")

#: More lines than this never leave the database at once, whatever is asked for.
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[Line]):
    """Some lines of a list; `next` is where the following page starts (opaque), None on the last page."""

    lines: tuple[Line, ...]
    next: str | None


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], str | int], line: Callable[[Row], Line]) -> Page[Line]:
    """The page made of `rows`, which were read with one row more than `limit` to learn whether others follow."""
    shown = rows[:limit]
    return Page(tuple(line(row) for row in shown), str(key(shown[-1])) if len(rows) > limit else None)


def capped(limit: int) -> int:
    """`limit` kept between one line and the longest page."""
    return max(1, min(limit, LONGEST))


def id_after(after: str | None) -> int | None:
    """The numeric key that a cursor stands for. Raises Invalid for a cursor that no list of ours gave."""
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise Invalid({"after": "翻页位置无效，请从第一页重新查看"})
    return int(after)


def containing(text: str) -> str:
    """The LIKE pattern (escape character: backslash) that finds `text` anywhere, its own % and _ taken literally."""
    for character in ("\\", "%", "_"):
        text = text.replace(character, "\\" + character)
    return f"%{text}%"
