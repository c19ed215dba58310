"""How every list is asked for: the same filters by GET and by POST, sorting, pages by number, and pages by keyset.

By GET a list is written with commas, a condition over data as `name_operator_value`. Keyset paging is ours: the answer's
header `X-Next-After` goes into the next request as `after`, and the page behind the last row costs what the first did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.process.outside.listing import FURTHEST, MOST, Cut, Listed
from engine.process.outside.variables import OPERATORS
from web.api import dates
from web.api.refusals import bad_request
from web.api.routing import Answer, Call
from web.api.shapes import Shape, body, many, number, text
from web.api.values import CONDITIONS

PAGING: Mapping[str, Shape] = {
    "firstResult": number("the first row, counted from 0", most=FURTHEST),
    "maxResults": number(f"at most so many rows; without it a list of more than {MOST} is refused", most=MOST),
    "after": text("go on behind the last row of a page: its X-Next-After", most=1000),
}
_ROWS = ("firstResult", "maxResults")


@dataclass(frozen=True, slots=True)
class Asking:
    """What a list may be asked: filters with their shapes, names of sorts, and which filters are conditions over data."""

    filters: Mapping[str, Shape]
    sorts: tuple[str, ...]
    over_data: tuple[str, ...] = ()
    either: bool = False

    @property
    def query(self) -> dict[str, Shape]:
        """The parameters of GET."""
        conditions = {name: many(text("name_operator_value", most=1000), most=50) for name in self.over_data}
        return {**self.filters, **conditions, **self.sorting, **PAGING}

    @property
    def sorting(self) -> dict[str, Shape]:
        return {"sortBy": text(only=self.sorts), "sortOrder": text(only=("asc", "desc"))}

    @property
    def counting(self) -> dict[str, Shape]:
        """The parameters of a count by GET."""
        return {name: shape for name, shape in self.query.items() if name not in (*PAGING, *self.sorting)}

    @property
    def paged(self) -> Shape:
        """The body of POST: some clients repeat there which rows they want."""
        return body({**self.body["properties"], **{name: PAGING[name] for name in _ROWS}})

    @property
    def body(self) -> Shape:
        """The body of POST for a count, and of a query that is kept."""
        conditions = {name: CONDITIONS for name in self.over_data}
        own = {**self.filters, **conditions}
        if self.either:
            own["orQueries"] = many(body({**self.filters, **conditions}), "each joined by OR", most=10)
        sorting = body({"sortBy": text(only=self.sorts), "sortOrder": text(only=("asc", "desc"))}, required=("sortBy", "sortOrder"))
        return body({**own, "sorting": many(sorting, most=5)})

    def asked(self, call: Call) -> dict[str, Any]:
        """The filters of a request, ready for the engine: instants read, conditions parsed, what is null left out."""
        found = {name: value for name, value in call.asked.items() if name not in (*PAGING, *self.sorting, "sorting")}
        if "orQueries" in found:
            found["orQueries"] = [self._ready(_given(group)) for group in found["orQueries"]]
        return self._ready(found)

    def _ready(self, found: dict[str, Any]) -> dict[str, Any]:
        for name, value in found.items():
            if name in self.over_data:
                found[name] = [_condition(each) for each in value]
            elif self.filters.get(name, {}).get("format") == "sharing-date-time":
                found[name] = dates.read(value)
        return found

    def cut(self, call: Call) -> Cut:
        """Which part of the list. Raises 400 for half a sorting."""
        query = call.query
        order: list[tuple[str, bool]] = []
        if ("sortBy" in query) != ("sortOrder" in query):
            raise bad_request("Only a single sorting parameter specified. sortBy and sortOrder required")
        if "sortBy" in query:
            order.append((query["sortBy"], query["sortOrder"] == "desc"))
        sent = call.body if isinstance(call.body, dict) else {}
        order += [(each["sortBy"], each["sortOrder"] == "desc") for each in sent.get("sorting") or []]
        if len({name for name, _ in order}) < len(order):
            raise bad_request("sorting: one name twice")
        rows = {name: query.get(name, sent.get(name)) for name in _ROWS}
        if wrong := [name for name in _ROWS if sent.get(name) not in (None, rows[name])]:
            raise bad_request(f"{wrong[0]}: another one stands in the address")
        return Cut(int(rows["firstResult"] or 0), rows["maxResults"], query.get("after"), tuple(order))


def answer(listed: Listed, line: Callable[[Any], Any]) -> Answer:
    """The rows as JSON, and where to go on."""
    return Answer([line(row) for row in listed.rows], headers={"X-Next-After": listed.next} if listed.next else {})


def _given(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if value is not None}


def _condition(each: Any) -> Mapping[str, Any]:
    if not isinstance(each, str):
        found: Mapping[str, Any] = each
        return found
    for operator in OPERATORS:
        name, mark, value = each.partition(f"_{operator}_")
        if mark and name:
            return {"name": name, "operator": operator, "value": value}
    raise bad_request(f"{each[:100]}: a condition is written name_operator_value, with one of {', '.join(OPERATORS)}")
