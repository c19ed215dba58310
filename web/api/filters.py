"""`filter`: queries of tasks that a program keeps under a name. Those of the inbox's page are others, and not here."""

from __future__ import annotations

from itertools import islice
from typing import Any

from engine.process.desk.filters import KEPT_MAX, NAME_MAX
from engine.process.outside import filters, todo
from engine.store.errors import NotFound
from web.api import tasks
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import COMPLAINTS_MAX, Call, route
from web.api.shapes import ANYTHING, COUNT, body, complaints, flag, maybe, number, record, table, text
from web.api.tasks import ID, NAME, PATTERN
from web.context import me, store

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


def _question(row: Any, paging: dict[str, Any], more: Any = None) -> Call:
    """What a kept filter asks, judged anew: it may be older than what is covered now; `more` goes before it. Raises 400."""
    query = row.query["query"]
    wrong = list(islice(complaints(tasks.ASKING.body, query, "query"), COMPLAINTS_MAX))
    if wrong:
        raise bad_request(f"this filter asks what is not covered any more: {'; '.join(wrong)}")
    return Call({}, paging, {**query, **{name: value for name, value in (more or {}).items() if value is not None}})


@route("POST", "/filter/create", "Keeps a query of tasks under a name", tag=_T, scope="work", body=CREATED, answer=FILTER, stands="partly",
       note=f"resourceType Task alone; the owner is the caller, `office.shared` shows it to the colleagues of the unit;"
            f" at most {KEPT_MAX} for each person, beside those of the inbox's page; no expressions")
def create(call: Call) -> Any:
    given = {name: value for name, value in call.body.items() if value is not None}
    if given.get("owner", me().login) != me().login:
        raise bad_request("owner: a filter belongs to who makes it")
    query = {name: value for name, value in given.get("query", {}).items() if value is not None}
    tasks.ASKING.cut(Call({}, {}, query))  # a sorting that nobody could ask for later is refused now
    shared = bool((given.get("office") or {}).get("shared"))
    made = filters.keep(store(), actor=me(), name=given["name"], query=query, properties=given.get("properties", {}), shared=shared)
    with store().read() as session:
        return _json(filters.one_filter(session, me(), made))


@route("GET", "/filter", "Filters that programs keep: one's own, and those shared in one's unit", tag=_T, scope="read", query=ASKING.query,
       answer={"type": "array", "items": FILTER}, stands="partly", note="without itemCount: it would count for each; ask for the one filter")
def search(call: Call) -> Any:
    with store().read() as session:
        return answer(filters.filters(session, me(), ASKING.asked(call), ASKING.cut(call)), _json)


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


@route("PUT", "/filter/<id>", "Changes one", tag=_T, scope="work", stands="501", note="delete it, and keep another")
def change(call: Call) -> None:
    raise not_covered("a filter is not changed: delete it, and keep another")


@route("DELETE", "/filter/<id>", "Deletes a filter of one's own", tag=_T, scope="work")
def delete(call: Call) -> None:
    number = call.row("filter")
    try:
        filters.drop(store(), number, actor=me())
    except NotFound:
        raise missing("filter", number) from None


_WIDER = "what the body asks goes before what the filter asks"


@route("POST", "/filter/<id>/list", "The tasks that it finds, asked for more", tag=_T, scope="read", query=PAGING, body=tasks.ASKING.body, stands="better",
       answer={"type": "array", "items": tasks.TASK}, note=f"{_WIDER}; keyset paging with `after`")
@route("GET", "/filter/<id>/list", "The tasks that it finds, for who asks", tag=_T, scope="read", query=PAGING, stands="better",
       answer={"type": "array", "items": tasks.TASK}, note="keyset paging with `after`; of a shared filter everybody gets the tasks that they may see")
def listed(call: Call) -> Any:
    with store().read() as session:
        asked = _question(_found(session, call), dict(call.query), call.body)
        found = todo.open_tasks(session, me(), tasks.ASKING.asked(asked), tasks.ASKING.cut(asked))
        return answer(found, lambda row: tasks.task_json(row, tasks.form_of(session, row)))


@route("POST", "/filter/<id>/count", "How many it finds, asked for more", tag=_T, scope="read", body=tasks.ASKING.body, answer=COUNT, note=_WIDER)
@route("GET", "/filter/<id>/count", "How many tasks it finds, for who asks", tag=_T, scope="read", answer=COUNT)
def counted(call: Call) -> Any:
    with store().read() as session:
        return {"count": todo.count_open(session, me(), tasks.ASKING.asked(_question(_found(session, call), {}, call.body)))}
