"""Instants as the API writes and reads them.

Written as the original does, with milliseconds and an offset without a colon: `2026-03-02T00:00:00.000+0800`. Read in any
form of ISO 8601 that names its offset, because a client elsewhere must not be off by hours in silence.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from engine.store.clock import SHANGHAI

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+\- ]\d\d(?::?\d\d)?)", re.ASCII | re.IGNORECASE
)


def write(moment: datetime | None) -> str | None:
    """An instant in Shanghai time; None stays None."""
    if moment is None:
        return None
    here = moment.astimezone(SHANGHAI)
    return f"{here:%Y-%m-%dT%H:%M:%S}.{here.microsecond // 1000:03d}{here:%z}"


def read(text: str) -> datetime:
    """The instant (UTC) of ISO 8601 text with an offset. Raises ValueError for anything else.

    A space before the offset is a plus sign that a client left unescaped in an address.
    """
    found = _FORM.fullmatch(text.strip()) if len(text) < 64 else None
    if found is None:
        raise ValueError(text)
    day, minutes, seconds, fraction, offset = found.groups()
    zone = "+0000" if offset in "Zz" else (offset.replace(" ", "+").replace(":", "") + "00")[:5]
    moment = datetime.fromisoformat(f"{day}T{minutes}:{seconds or '00'}.{(fraction or '0')[:6].ljust(6, '0')}{zone}")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
