"""`filter`: queries of tasks that a program keeps under a name. Those of the inbox's page are others, and not here."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.process.desk.filters import KEPT_MAX, NAME_MAX
from engine.process.outside import filters, todo
from engine.store.errors import NotFound
from web.api import tasks
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import ApiError, bad_request, missing
from web.api.routing import COMPLAINTS_MAX, Call, route
from web.api.shapes import ANYTHING, COUNT, body, complaints, flag, maybe, number, record, table, text
from web.api.tasks import ID, NAME, PATTERN
from web.context import me, store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_T = "filter"
_TASK = text("filters of tasks alone", only=("Task",))
ASKING = Asking({"filterId": ID, "resourceType": _TASK, "name": NAME, "nameLike": PATTERN, "owner": text("a login", most=64)}, tuple(filters.SORTS))
#: What is shown by the client: kept as it came.
_PROPERTIES = table(ANYTHING, "the client's own: how it shows the filter")
CREATED = body({
    "resourceType": _TASK, "name": text("no other of one's own filters has it", least=1, most=NAME_MAX), "owner": text("the caller, or left out", most=64),
    "query": {**tasks.ASKING.body, "description": "as the body of POST /task"}, "properties": _PROPERTIES,
    "office": body({"shared": flag("colleagues of one's unit find it too")}),
}, required=("resourceType", "name"))  # fmt: skip
_FIELDS = {
    "id": text(), "resourceType": text(), "name": text(), "owner": text("a login"), "query": {"type": "object"}, "properties": {"type": "object"},
    "office": record({"shared": flag("colleagues of the owner's unit find it too")}),
}
FILTER = record(_FIELDS, "a query of tasks under a name")
ONE = {**FILTER, "properties": {**_FIELDS, "itemCount": maybe(number())}}


def _json(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id), "resourceType": "Task", "name": row.name, "owner": row.owner, "query": row.query["query"],
        "properties": row.query["properties"], "office": {"shared": row.unit_id is not None},
    }  # fmt: skip


def _found(session: Any, call: Call) -> Any:
    number = call.row("filter")
    try:
        return filters.one_filter(session, me(), number)
    except NotFound:
        raise missing("filter", number) from None


def _question(row: Any, paging: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> Call:
    """What a kept filter asks, judged anew: it may be older than what is covered now; with what is asked beside it. Raises 400."""
    query = row.query["query"]
    wrong = list(islice(complaints(tasks.ASKING.body, query, "query"), COMPLAINTS_MAX))
    if wrong:
        raise bad_request(f"this filter asks what is not covered any more: {'; '.join(wrong)}")
    return Call({}, dict(paging), _together(query, more or {}))


def _together(query: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """One query of two: conditions and groups of both, of any other filter the second's; sorted as the first, then as the second."""
    found = {**query, **{name: value for name, value in more.items() if value is not None}}
    for name in (*tasks.ASKING.over_data, "orQueries"):
        both = [*(query.get(name) or ()), *(more.get(name) or ())]
        if both:
            found[name] = both
    order = {each["sortBy"]: each for each in (*(more.get("sorting") or ()), *(query.get("sorting") or ()))}
    names = dict.fromkeys(each["sortBy"] for each in (*(query.get("sorting") or ()), *(more.get("sorting") or ())))
    return {**found, "sorting": [order[name] for name in names]} if names else found


@route("POST", "/filter/create", "Keeps a query of tasks under a name", tag=_T, scope="work", body=CREATED, answer=FILTER, stands="partly",
       note=f"resourceType Task alone; the owner is the caller, `office.shared` shows it to the colleagues of the unit;"
            f" at most {KEPT_MAX} for each person, beside those of the inbox's page; no expressions")
def create(call: Call) -> Any:
    made = filters.keep(store(), actor=me(), **_given(call))
    with store().read() as session:
        return _json(filters.one_filter(session, me(), made))


@route("PUT", "/filter/<id>", "Replaces a filter of one's own", tag=_T, scope="work", body=CREATED, stands="partly", note="as create; what is left out is gone")
def change(call: Call) -> None:
    number = call.row("filter")
    try:
        filters.change(store(), number, actor=me(), **_given(call))
    except NotFound:
        raise missing("filter", number) from None


def _given(call: Call) -> dict[str, Any]:
    """What a filter is to be. Raises 400."""
    given = {name: value for name, value in call.body.items() if value is not None}
    if given.get("owner", me().login) != me().login:
        raise bad_request("owner: a filter belongs to who makes it")
    query = {name: value for name, value in given.get("query", {}).items() if value is not None}
    tasks.ASKING.cut(Call({}, {}, query))  # a sorting that nobody could ask for later is refused now
    shared = bool((given.get("office") or {}).get("shared"))
    return {"name": given["name"], "query": query, "properties": given.get("properties", {}), "shared": shared}


@route("GET", "/filter", "Filters that programs keep: one's own, and those shared in one's unit", tag=_T, scope="read",
       query={**ASKING.query, "itemCount": flag("with the number of tasks that each finds; null for one that asks what is not covered any more")},
       answer={"type": "array", "items": ONE}, note=f"itemCount counts for each, for at most {KEPT_MAX} filters at a time")
def search(call: Call) -> Any:
    counts = call.query.get("itemCount", False)
    asked = Call({}, {name: value for name, value in call.query.items() if name != "itemCount"})
    with store().read() as session:
        found = filters.filters(session, me(), ASKING.asked(asked), ASKING.cut(asked))
        if counts and len(found.rows) > KEPT_MAX:
            raise bad_request(f"itemCount: ask for at most {KEPT_MAX} filters at a time (maxResults)")
        return answer(found, lambda row: {**_json(row), "itemCount": _item_count(session, row)} if counts else _json(row))


def _item_count(session: Session, row: Any) -> int | None:
    try:
        return todo.count_open(session, me(), tasks.ASKING.asked(_question(row, {})))
    except ApiError:
        return None


@route("GET", "/filter/count", "How many filters", tag=_T, scope="read", query=ASKING.counting, answer=COUNT)
def count(call: Call) -> Any:
    with store().read() as session:
        return {"count": filters.count_filters(session, me(), ASKING.asked(call))}


@route("GET", "/filter/<id>", "One filter", tag=_T, scope="read", query={"itemCount": flag("with the number of tasks that it finds")}, answer=ONE)
def one(call: Call) -> Any:
    with store().read() as session:
        row = _found(session, call)
        if not call.query.get("itemCount"):
            return _json(row)
        return {**_json(row), "itemCount": todo.count_open(session, me(), tasks.ASKING.asked(_question(row, {})))}


@route("DELETE", "/filter/<id>", "Deletes a filter of one's own", tag=_T, scope="work")
def delete(call: Call) -> None:
    number = call.row("filter")
    try:
        filters.drop(store(), number, actor=me())
    except NotFound:
        raise missing("filter", number) from None


_MORE = "a body narrows it: its filters stand beside the kept ones, and instead of those of the same name"


@route("POST", "/filter/<id>/list", "The tasks that it finds, narrowed", tag=_T, scope="read", query=PAGING, body=tasks.ASKING.body, stands="better",
       answer={"type": "array", "items": tasks.TASK}, note=_MORE)
@route("GET", "/filter/<id>/list", "The tasks that it finds, for who asks", tag=_T, scope="read", query=PAGING, stands="better",
       answer={"type": "array", "items": tasks.TASK}, note="keyset paging with `after`; of a shared filter everybody gets the tasks that they may see")
def listed(call: Call) -> Any:
    with store().read() as session:
        asked = _question(_found(session, call), call.query, call.body)
        found = todo.open_tasks(session, me(), tasks.ASKING.asked(asked), tasks.ASKING.cut(asked))
        return answer(found, lambda row: tasks.task_json(row, tasks.form_of(session, row)))


@route("POST", "/filter/<id>/count", "How many it finds, narrowed", tag=_T, scope="read", body=tasks.ASKING.body, answer=COUNT, note=_MORE)
@route("GET", "/filter/<id>/count", "How many tasks it finds, for who asks", tag=_T, scope="read", answer=COUNT)
def counted(call: Call) -> Any:
    with store().read() as session:
        return {"count": todo.count_open(session, me(), tasks.ASKING.asked(_question(_found(session, call), {}, call.body)))}
