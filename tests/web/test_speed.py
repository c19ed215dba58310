"""Few round trips: what each page may ask of the database. A list costs the same whatever its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from engine.process.timekeeping.recounting import recount
from engine.store.clock import MovableClock
from tests.web.cast import Cast
from tests.web.desk import Desk
from tests.web.test_calendars import bring_in
from tests.web.test_proposals import asked

Desks = Callable[[str], Desk]

#: Page → the most statements, the sign-in's look-up and the counts of the frame included.
MOST = {
    "/inbox/mine": 6, "/inbox/posts": 6, "/inbox/done": 6, "/inbox/started": 6, "/inbox/copies": 6,
    "/inbox/posts?q=gzf&process=conditional_share&due=week": 7, "/catalogue": 5, "/negative-list": 4, "/notices": 4, "/notices/settings": 5, "/live": 3,
    "/cases": 5, "/cases/1": 21, "/tasks/2": 22, "/catalogue/209001/000001": 30, "/deadlines/1": 8,
    "/start/conditional_share?resource_code=209001/000001": 8,
    "/diagrams": 7, "/diagrams/conditional_share": 7, "/diagrams/conditional_share/versions/1": 5, "/proposals": 4, "/drafts/1": 3,
    "/drafts/1/forms": 4, "/drafts/1/forms/intake": 4,
    "/proposals/1": 8,
    "/calendars/years/city/2026": 8, "/calendars/what-if?start=2026-02-10&days=10": 5, "/calendars/import": 5, "/calendars/bindings": 6,
    "/calendars/proposals/2": 10, "/calendars/recounts/1": 4,
}  # fmt: skip


#: What only those who change or approve diagrams open.
WORKSHOP = ("/diagrams", "/drafts", "/proposals", "/calendars")


@contextmanager
def counted(cast: Cast) -> Iterator[list[str]]:
    """The statements that the block sends to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement != "BEGIN":
            sent.append(statement)

    event.listen(cast.store.engine, "before_cursor_execute", note)
    yield sent
    event.remove(cast.store.engine, "before_cursor_execute", note)


def closures(editor: Desk, approver: Desk, cast: Cast) -> None:
    """An order of the city that is in force, and one that waits for a second person and would move an open deadline."""
    for number, days in ((8, "2026-02-26"), (9, "2026-02-25")):
        order = {"source": "", "calendar": "city", "doc": f"辽市政办发〔2026〕{number}号", "published": "2026-02-10", "days_off": days}
        assert bring_in(editor, propose="1", **order).status_code == 303
    approver.get("/calendars/proposals/1")
    assert approver.post("/calendars/proposals/1/confirm").status_code == 303
    recount(cast.store)


def test_a_page_costs_few_statements(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    provider, asker, editor = desk("provider"), desk("asker"), desk("editor")
    asked(editor, cast)
    closures(editor, desk("approver"), cast)
    cost = {}
    for path in MOST:
        person = asker if path.startswith("/start") else editor if path.startswith(WORKSHOP) else provider  # nobody asks themselves
        person.get(path)  # the first look fills what a process remembers: definitions, the calendar
        with counted(cast) as sent:
            assert person.get(path).status_code == 200, path
        cost[path] = len(sent)
    assert {path: found for path, found in cost.items() if found > MOST[path]} == {}, cost
