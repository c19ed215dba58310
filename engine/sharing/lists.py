"""What the registers' lists have in common: how long a page may be, and how to look for what somebody typed."""

from __future__ import annotations

from engine.process.paging import PAGE_MAX, read_id_cursor
from engine.store.errors import Invalid

#: The largest key that both databases can hold.
_LARGEST_ID = 2**63 - 1


def capped(limit: int) -> int:
    """`limit` kept between one line and the longest page."""
    return max(1, min(limit, PAGE_MAX))


def containing(text: str) -> str:
    """The LIKE pattern (escape character: backslash) that finds `text` anywhere, its own % and _ taken literally."""
    for character in ("\\", "%", "_"):
        text = text.replace(character, "\\" + character)
    return f"%{text}%"


def id_after(after: str) -> int:
    """The key that a cursor stands for. Raises Invalid for one that no list of ours gave."""
    found = read_id_cursor(after)
    if found > _LARGEST_ID:
        raise Invalid({"after": "翻页位置无效，请从第一页重新打开"})
    return found
