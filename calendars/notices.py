"""Holiday notices: what one says, and how several in order of publication add up.

Each November the State Council's General Office publishes next year's arrangement; now and then a second
notice changes it mid-year. Both are read as a *delta*: days off and make-up working days added, and those
that an amending notice takes back. A delta is checked twice: by itself when it is made (`Notice`), and
against what stood before it when it is applied (`arrange`).

Notices are read from JSON here. Other forms of the same notice (its text, ICS) belong beside
`notice_from_json`: whatever the form, the outcome is a `Notice`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from calendars.errors import NoticeError

_DATA = Path(__file__).with_name("data") / "holiday_notices.json"
_DAY_FIELDS = ("add_off", "add_work", "cancel_off", "cancel_work")
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """One published notice, as the change that it makes to the calendar.

    Raises NoticeError when the notice contradicts itself: a make-up working day that is not on a
    weekend, a day both off and worked, a day given twice, or a day that no notice for `for_year` could
    mean (they reach from the December before to the January after).
    """

    doc: str
    """The document number, such as 国办发明电〔2025〕7号; a local order's number for a local closure."""
    for_year: int
    signed: date
    published: date
    """From this day on, the calendar as known includes this notice."""
    amends: str | None = None
    """The number of the notice that this one changes; None for the yearly arrangement itself."""
    add_off: tuple[date, ...] = ()
    add_work: tuple[date, ...] = ()
    cancel_off: tuple[date, ...] = ()
    cancel_work: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if not self.doc.strip():
            raise NoticeError("通知缺少文号")
        if self.signed > self.published:
            raise NoticeError(f"{self.doc}：成文日期{self.signed}晚于发布日期{self.published}")
        for name in _DAY_FIELDS:
            # A notice is a set of days: kept sorted, so that equal notices are equal.
            object.__setattr__(self, name, tuple(sorted(getattr(self, name))))
            self._check_days(getattr(self, name))
        for first, second in (
            ("add_off", "add_work"),
            ("add_off", "cancel_off"),
            ("add_work", "cancel_work"),
            ("cancel_off", "cancel_work"),
        ):
            for day in set(getattr(self, first)) & set(getattr(self, second)):
                raise NoticeError(f"{self.doc}：{day}同时列入{_LABELS[first]}和{_LABELS[second]}")
        for day in self.add_work:
            if day.weekday() < _SATURDAY:
                raise NoticeError(f"{self.doc}：调休上班日{day}不是周六或周日")
        if not any(getattr(self, name) for name in _DAY_FIELDS):
            raise NoticeError(f"{self.doc}：没有任何放假或上班的日期")

    def _check_days(self, days: Sequence[date]) -> None:
        earliest = date(self.for_year - 1, 12, 1)
        latest = date(self.for_year + 1, 1, 31)
        for place, day in enumerate(days):
            if place and day == days[place - 1]:
                raise NoticeError(f"{self.doc}：{day}重复列出")
            if not earliest <= day <= latest:
                raise NoticeError(f"{self.doc}：{day}不属于{self.for_year}年的节假日安排")

    def as_json(self) -> dict[str, Any]:
        """The same notice as plain JSON values; `notice_from_json` reads it back."""
        return {
            "doc": self.doc,
            "for_year": self.for_year,
            "signed": self.signed.isoformat(),
            "published": self.published.isoformat(),
            "amends": self.amends,
            **{name: [day.isoformat() for day in getattr(self, name)] for name in _DAY_FIELDS},
        }


_LABELS = {
    "add_off": "放假日",
    "add_work": "调休上班日",
    "cancel_off": "取消的放假日",
    "cancel_work": "取消的上班日",
}


def notice_from_json(value: object) -> Notice:
    """Read one notice from parsed JSON. Unknown or missing keys and wrong types are refused by name."""
    if not isinstance(value, Mapping):
        raise NoticeError("通知应为一个 JSON 对象")
    known = {field.name for field in fields(Notice)}
    if unknown := sorted(map(str, set(value) - known)):
        raise NoticeError(f"通知含有未知字段：{'、'.join(unknown)}")
    if missing := sorted({"doc", "for_year", "signed", "published"} - set(value)):
        raise NoticeError(f"通知缺少字段：{'、'.join(missing)}")
    doc, year, amends = value["doc"], value["for_year"], value.get("amends")
    if not isinstance(doc, str):
        raise NoticeError("通知文号应为文字")
    if not isinstance(year, int) or isinstance(year, bool) or not 1949 <= year <= 9998:
        raise NoticeError(f"{doc}：年份应为整数")
    if amends is not None and not isinstance(amends, str):
        raise NoticeError(f"{doc}：所修改通知的文号应为文字")
    return Notice(
        doc=doc,
        for_year=year,
        signed=_day(doc, value["signed"]),
        published=_day(doc, value["published"]),
        amends=amends,
        **{name: _days(doc, name, value.get(name, [])) for name in _DAY_FIELDS},
    )


def _day(doc: str, value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == len("2026-01-01"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise NoticeError(f"{doc}：{value!r}不是有效日期（应写作 2026-01-01）")


def _days(doc: str, name: str, value: object) -> tuple[date, ...]:
    if not isinstance(value, list | tuple):
        raise NoticeError(f"{doc}：{name}应为日期列表")
    return tuple(_day(doc, item) for item in value)


def notices_from_json(text: str) -> tuple[Notice, ...]:
    """Read a JSON file of notices: a list, or an object with the list under `notices`."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise NoticeError(f"不是有效的 JSON：{error}") from error
    if isinstance(value, Mapping):
        value = value.get("notices")
    if not isinstance(value, list):
        raise NoticeError("文件中没有通知列表 notices")
    return tuple(notice_from_json(item) for item in value)


@cache
def shipped_notices() -> tuple[Notice, ...]:
    """The notices that come with the program: 2018 to 2026."""
    return notices_from_json(_DATA.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Several notices added up: which days are off or worked, each with the notice that last said so."""

    off: Mapping[date, str]
    work: Mapping[date, str]
    years: frozenset[int]
    """The years whose yearly notice is among them."""


def in_order(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The notices as they were published, the order in which they apply."""
    return tuple(sorted(notices, key=lambda notice: (notice.published, notice.signed)))


def arrange(notices: Sequence[Notice], local: Sequence[Notice] = ()) -> Arrangement:
    """Add the notices up in the order given, then the local orders on top of them.

    A national notice must fit what stands: it may not take back what was never given, nor turn a
    make-up working day into a day off without cancelling it. A local order overrides: a closure by
    snow may fall on a make-up Saturday, and the city does not amend the State Council's notice to say so.

    Raises NoticeError where the notices do not fit together.
    """
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    seen: dict[str, Notice] = {}
    years: dict[int, str] = {}
    for notice in notices:
        _check_place(notice, seen, years)
        _take_back(notice, off, work)
        for day in notice.add_off:
            if day in off or day in work:
                raise NoticeError(f"{notice.doc}：{day}已由{off.get(day) or work[day]}作出安排，未先取消")
            off[day] = notice.doc
        for day in notice.add_work:
            if day in off or day in work:
                raise NoticeError(f"{notice.doc}：{day}已由{off.get(day) or work[day]}作出安排，未先取消")
            work[day] = notice.doc
        seen[notice.doc] = notice
        if notice.amends is None:
            years[notice.for_year] = notice.doc
    for order in local:
        _take_back(order, off, work)
        for day in order.add_off:
            work.pop(day, None)
            off[day] = order.doc
        for day in order.add_work:
            off.pop(day, None)
            work[day] = order.doc
    return Arrangement(off, work, frozenset(years))


def _check_place(notice: Notice, seen: Mapping[str, Notice], years: Mapping[int, str]) -> None:
    if notice.doc in seen:
        raise NoticeError(f"{notice.doc}：同一文号的通知已经存在")
    if notice.amends is None and notice.for_year in years:
        raise NoticeError(
            f"{notice.doc}：{notice.for_year}年已有{years[notice.for_year]}，修改它的通知应写明所修改的文号"
        )
    if notice.amends is not None and notice.amends not in seen:
        raise NoticeError(f"{notice.doc}：所修改的通知{notice.amends}不在其前")


def _take_back(notice: Notice, off: dict[date, str], work: dict[date, str]) -> None:
    for days, standing, label in (
        (notice.cancel_off, off, "放假日"),
        (notice.cancel_work, work, "调休上班日"),
    ):
        for day in days:
            if standing.pop(day, None) is None:
                raise NoticeError(f"{notice.doc}：要取消的{label}{day}从未安排过")
