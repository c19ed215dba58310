"""Filters that programs keep, and sums over time, in both databases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.process.desk.filters import keep_filter, kept_filters
from engine.process.outside import filters, sums
from engine.process.outside.listing import Cut
from engine.process.tables import Instance, Task
from tests.engine.desk.crowd import crowd
from tests.town import Town


def test_a_programs_filter_comes_back_as_it_was_sent(town: Town) -> None:
    actor = town.joins("reader", "007", "handler")
    query = {"nameLike": "%审签", "processVariables": [{"name": "volume", "operator": "gteq", "value": 1.5}], "orQueries": [{"assigned": True}]}
    first = filters.keep(town.store, actor=actor, name="乙", query=query, properties={"z": 1, "a": [None, "😀"]}, shared=True)
    second = filters.keep(town.store, actor=actor, name="甲", query={}, properties={}, shared=False)
    keep_filter(town.store, actor=actor, name="甲", tab="mine", given={"light": ["red"]}, shared=False)
    colleague = town.joins("colleague", "007", "head")
    with town.store.read() as session:
        row = filters.one_filter(session, actor, first)
        assert row.query == {"query": query, "properties": {"z": 1, "a": [None, "😀"]}} and row.owner == "reader"
        page = filters.filters(session, actor, {}, Cut(most=1, order=(("filterId", True),)))
        assert [found.id for found in page.rows] == [second]
        behind = filters.filters(session, actor, {}, Cut(after=page.next, order=(("filterId", True),)))
        assert [found.id for found in behind.rows] == [first]
        assert filters.count_filters(session, actor, {"owner": "reader", "nameLike": "甲"}) == 1
        assert [found.id for found in filters.filters(session, colleague, {}, Cut()).rows] == [first]
        assert [kept.tab for kept in kept_filters(session, actor)] == ["mine"]
    filters.drop(town.store, first, actor=actor)
    with town.store.read() as session:
        assert filters.count_filters(session, colleague, {}) == 0


def test_sums_are_those_of_looking_at_each_row(town: Town) -> None:
    actor = town.joins("reader", "007", "handler", "head", "intake")
    crowd(town.store, actor, [town.joins("other", "007", "handler")])
    operator = town.joins("operator", "007", "system_admin")
    with town.store.read() as session:
        done = [task for task in session.scalars(select(Task)) if task.state == "done" and task.completed_at]
        cases = [case for case in session.scalars(select(Instance)) if case.parent_token is None]
        instants = sorted({task.completed_at for task in done if task.completed_at} | {case.started_at for case in cases})
        assert len({task.completed_by for task in done}) > 1 and len(instants) > 1
        for since, until in [(None, None), (instants[0], instants[-1]), (instants[1], None), (None, instants[-2]), (instants[0], instants[0])]:
            def within(at: datetime | None, since: datetime | None = since, until: datetime | None = until) -> bool:
                return at is not None and (since is None or at >= since) and (until is None or at < until)

            assert sums.total(session, operator, "process-instances", since, until) == sum(within(case.started_at) for case in cases)
            people = {task.completed_by for task in done if within(task.completed_at)}
            assert sums.total(session, operator, "task-users", since, until) == len(people)
