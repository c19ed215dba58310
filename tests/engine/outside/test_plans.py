"""How a page of a long list is found: in one table, along an index, whatever a row is shown with. Plans, never times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event

from engine.process.outside import cases, seen, todo
from engine.process.outside.listing import Cut
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office

NOW = datetime.fromisoformat("2026-02-10T00:00:00+00:00")
DAY = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


@pytest.fixture
def town(office: Office) -> Office:
    """Four cases of unit A at three stages, one of them ended, one suspended."""
    office.deploy("start > user:check > user:sign > end", element("check", name="核对", unit="'A'", post="handler"),
                  element("sign", name="签批", unit="'A'", post="head", limit="5"))  # fmt: skip
    for _ in range(4):
        office.start("anna")
    for _ in range(2):
        office.complete("anna", "check")
    office.complete("clara", "sign")
    return office


@contextmanager
def asked(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """What goes to the database meanwhile."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement != "BEGIN":
            found.append((statement, values))

    event.listen(store.reading, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(store.reading, "before_cursor_execute", note)


def plan(office: Office, who: str, listed: Any, filters: dict[str, Any], order: Sequence[tuple[str, bool]] = (), **cut: Any) -> str:
    """How the database finds a page; PostgreSQL, which looks through a few rows one by one, is told to use an index if it can."""
    with office.store.read() as session, asked(office.store) as statements:
        listed(session, office[who], filters, Cut(most=2, order=tuple(order), **cut))
    statement, values = statements[-1]
    with office.store.reading.connect() as connection:
        if office.store.sqlite:
            return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            connection.exec_driver_sql(f"SET {setting} = off")
        try:
            return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))
        finally:
            connection.exec_driver_sql("RESET ALL")


@pytest.mark.parametrize(("listed", "filters", "order", "index"), [
    (cases.open_cases, {}, (), "ix_instance_open"),
    (cases.open_cases, {"businessKeyLike": "X%"}, (), "ix_instance_open"),
    (cases.open_cases, {"processDefinitionKey": "bench"}, (), "ix_instance_process"),
    (cases.past_cases, {"startedAfter": DAY}, (("startTime", True),), "ix_instance_started"),
    (todo.open_tasks, {}, (), "ix_task_open"),
    (todo.open_tasks, {"unassigned": True}, (), "ix_task_open"),
    (todo.open_tasks, {}, (("created", True),), "ix_task_opened"),
    (todo.open_tasks, {"dueBefore": NOW}, (("dueDate", False),), "ix_task_urgent"),
    (todo.open_tasks, {"processInstanceBusinessKey": "X"}, (), "ix_task_instance_id_state"),
    (todo.past_tasks, {"startedAfter": DAY}, (("startTime", True),), "ix_task_opened"),
])  # fmt: skip
def test_who_sees_everything_walks_along_an_index(town: Office, listed: Any, filters: dict[str, Any], order: Any, index: str) -> None:
    found = plan(town, "gu", listed, filters, order)
    page = found.split("SCAN page")[0] if town.store.sqlite else found
    if town.store.sqlite:  # its plans depend on nothing but the schema; PostgreSQL weighs a handful of rows
        assert index in page, found
    if "BusinessKey" not in str(filters):
        assert "TEMP B-TREE" not in page and "Sort" not in page, f"sorted before it is cut:\n{found}"
    assert "Seq Scan on task" not in page and "Seq Scan on instance" not in page, found


def test_who_sees_little_begins_with_the_unit_s_part_in_cases(town: Office) -> None:
    for listed, filters in ((cases.open_cases, {}), (cases.past_cases, {}), (todo.open_tasks, {}), (todo.open_tasks, {"candidateGroup": "B/head"}), (todo.past_tasks, {})):
        found = plan(town, "anna", listed, filters)
        assert ("ix_party_unit_id_post_instance_id" if town.store.sqlite else "on party") in found, found


def test_a_page_is_found_without_what_only_shows_its_rows(town: Office) -> None:
    for who in ("gu", "anna"):
        for listed, filters, order, joins in (
            (cases.past_cases, {}, (("startTime", True),), 0), (cases.past_cases, {"startedBy": "anna"}, (), 1),
            (todo.open_tasks, {"candidateGroup": "A/head"}, (("created", True),), 0), (todo.open_tasks, {"suspended": True}, (), 1),
            (todo.past_tasks, {}, (("assignee", True),), 1), (todo.open_tasks, {"processDefinitionId": "k:1:1"}, (), 1),
        ):  # fmt: skip
            with town.store.read() as session, asked(town.store) as statements:
                listed(session, town[who], filters, Cut(most=2, order=order))
            inner = statements[-1][0].partition("JOIN (SELECT")[2]
            assert inner.count(" JOIN ") == joins, (filters, inner)
            assert len(statements) == (1 if who == "gu" else 2), "the page, and once how much the actor sees"


def test_pages_and_counts_agree_however_one_comes_to_see_a_case(town: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asks: list[tuple[Any, Any, dict[str, Any]]] = [
        *((cases.open_cases, cases.count_open, each) for each in ({}, {"active": True}, {"suspended": True}, {"withIncident": True}, {"businessKeyLike": "%"})),
        *((cases.past_cases, cases.count_past, each) for each in ({}, {"finished": True}, {"startedBy": "anna"}, {"processDefinitionNameLike": "%"})),
        *((todo.open_tasks, todo.count_open, each) for each in ({}, {"candidateUser": "clara"}, {"suspended": True}, {"active": True}, {"dueBefore": NOW.replace(year=9999)},
                                                                {"dueBefore": DAY}, {"candidateGroups": ["A/head", "A/handler"]}, {"processInstanceBusinessKeyLike": "%"})),
        *((todo.past_tasks, todo.count_past, each) for each in ({}, {"finished": True}, {"processFinished": True}, {"taskAssignee": "anna"})),
    ]  # fmt: skip
    found: dict[str, list[list[int]]] = {}
    for many in (20_000, 1):
        monkeypatch.setattr(seen, "MANY", many)
        for who in ("anna", "gu", "dora", "otto"):
            for listed, counted, filters in asks:
                with town.store.read() as session:
                    rows = [row.id for row in listed(session, town[who], filters, Cut()).rows]
                    assert len(set(rows)) == len(rows) == counted(session, town[who], filters), (who, filters)
                    found.setdefault(f"{listed.__name__} {filters}", []).append(rows)
    for name, (anna, gu, dora, otto, *again) in found.items():
        assert again == [anna, gu, dora, otto], name
        assert anna == gu and dora == otto == [], name
    assert [len(found[f"{listed.__name__} {{}}"][0]) for listed in (cases.open_cases, cases.past_cases, todo.open_tasks, todo.past_tasks)] == [3, 4, 3, 6]
    assert len(found[f"open_tasks {asks[13][2]}"][0]) == 1, "of three only the head's has a limit"
