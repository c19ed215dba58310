"""A case by its business key: the key that the program which started it gave, or else its number, which names it always."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import or_

from engine.process.outside.listing import Condition, Filter
from engine.process.tables import Instance


def keyed(by: Callable[[Any], Filter], case: Any = Instance) -> Filter:
    """A filter over both; each has an index."""
    columns = (case.number, case.business_key)

    def condition(value: Any) -> Condition:
        ways = [way for column in columns if (way := by(column)(value)) is not None]
        return or_(*ways)

    return condition


def business_key(row: Any) -> str:
    """What a case is called outside; a row with `business_key` and `number`."""
    return str(row.business_key or row.number)
