"""What programs ask for, on both databases: filters, conditions over data, orders, pages, and who sees what."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engine.process.outside import cases, once, records, seen, statistics, todo, versions
from engine.process.outside.listing import Cut
from engine.store.clock import shanghai
from engine.store.errors import Invalid
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form, text

REQUEST = {"request": form(text("basis"), choice("use", "work", "play"), {"key": "amount", "type": "number", "label": "数量"},
                           {"key": "urgent", "type": "boolean", "label": "紧急"})}  # fmt: skip


@pytest.fixture
def asked(office: Office) -> Office:
    """Three cases of unit A, whose handlers check them; the last is a step further, at the head."""
    office.deploy(
        "start > user:check > user:sign > end", element("check", name="核对", unit="'A'", post="handler"),
        element("sign", name="签批", unit="'A'", post="head", limit="5"), startForm="request", forms=REQUEST,
    )  # fmt: skip
    for basis, amount, urgent in (("甲", 3, True), ("乙", 20, False), ("第二十", 100, True)):
        office.start("anna", basis=basis, use="work", amount=amount, urgent=urgent)
    office.complete("anna", "check")
    return office


def ids(office: Office, who: str, cut: Cut = Cut(), **asked: Any) -> list[int]:
    with office.store.read() as session:
        return sorted(row.instance_id for row in todo.open_tasks(session, office[who], asked, cut).rows)


def condition(name: str, operator: str, value: Any) -> list[dict[str, Any]]:
    return [{"name": name, "operator": operator, "value": value}]


def test_data_are_asked_by_their_types(asked: Office) -> None:
    for operator, value, found in (("eq", 3, [1]), ("gt", 3, [2, 3]), ("lteq", 20.0, [1, 2]), ("neq", 3, [2, 3]), ("eq", "3", []), ("eq", True, [])):
        assert ids(asked, "anna", processVariables=condition("amount", operator, value)) == found, (operator, value)
    assert ids(asked, "anna", processVariables=condition("basis", "eq", "乙")) == [2]
    assert ids(asked, "anna", processVariables=condition("basis", "like", "第%")) == [3]
    assert ids(asked, "anna", processVariables=condition("basis", "gt", 5)) == [], "a text is no number, and that is no failure"
    assert ids(asked, "anna", processVariables=condition("basis", "eq", True)) == []
    assert ids(asked, "anna", processVariables=condition("urgent", "eq", True)) == [1, 3]
    assert ids(asked, "anna", processVariables=condition("urgent", "gt", False)) == []
    assert ids(asked, "anna", processVariables=condition("no'such\"name", "eq", 1)) == []
    assert ids(asked, "anna", processVariables=condition("amount", "eq", None)) == []


def test_every_filter_and_every_order_is_one_that_the_database_knows(asked: Office) -> None:
    samples: dict[str, Any] = {"variables": condition("amount", "gt", 1), "processVariables": condition("amount", "gt", 1), "taskVariables": condition("amount", "gt", 1),
                               "delegationState": "PENDING", "incidentType": "failedJob"}

    def sample(name: str) -> Any:
        if name in samples:
            return samples[name]
        if name.endswith(("In", "Ids", "Groups")) and not name.startswith(("assigned", "with")) or name == "keysIn":
            return ["1", "A/handler"]
        if any(word in name.lower() for word in ("before", "after", "createdon", "duedate", "deployedat", "timestamp")) and "without" not in name.lower():
            return asked.clock.now()
        return 1 if name == "version" or name.lower().endswith("priority") else "1" if not name.startswith(("with", "active", "susp", "finish", "unfin", "assigned", "una")) else True

    lists: list[tuple[Any, Any, Any]] = [
        (todo.open_tasks, todo.FILTERS, todo.SORTS), (todo.past_tasks, todo.PAST_FILTERS, todo.PAST_SORTS),
        (cases.open_cases, cases.FILTERS, cases.SORTS), (cases.past_cases, cases.PAST_FILTERS, cases.PAST_SORTS),
        (cases.executions, cases.EXECUTION_FILTERS, cases.SORTS),
        (records.operations, records.FILTERS, records.SORTS),
    ]  # fmt: skip
    with asked.store.read() as session:
        for who in ("anna", "gu", "otto"):
            for listed, filters, sorts in lists:
                for name in filters:
                    listed(session, asked[who], {name: sample(name)}, Cut())
                for name in sorts:
                    for down in (False, True):
                        page = listed(session, asked[who], {}, Cut(most=1, order=((name, down),)))
                        if page.next:
                            listed(session, asked[who], {}, Cut(most=1, after=page.next, order=((name, down),)))
        for name in versions.FILTERS:
            versions.definitions(session, {name: sample(name)}, Cut())


def test_pages_go_on_where_the_last_ended_in_every_order(asked: Office) -> None:
    for order in ((), (("created", True),), (("dueDate", False), ("name", True)), (("assignee", True), ("id", True))):
        found, after = [], None
        while True:
            with asked.store.read() as session:
                page = todo.open_tasks(session, asked["gu"], {}, Cut(most=1, after=after, order=order))
            found += [row.instance_id for row in page.rows]
            after = page.next
            if after is None:
                break
        assert sorted(found) == [1, 2, 3], order
    with pytest.raises(Invalid), asked.store.read() as session:
        todo.open_tasks(session, asked["gu"], {}, Cut(after="bm9uc2Vuc2U"))


def test_lists_show_what_the_pages_show(asked: Office) -> None:
    assert ids(asked, "anna") == ids(asked, "clara") == ids(asked, "gu") == [1, 2, 3], "the unit's, and the supervisor's"
    assert ids(asked, "dora") == ids(asked, "otto") == ids(asked, "petra") == [], "another unit, and who administers"
    for who, few in (("anna", [1]), ("dora", [])):
        assert ids(asked, who, processInstanceId="1") == few, "asked for one, each is looked up"
    with asked.store.read() as session:
        assert cases.count_open(session, asked["anna"], {}) == 3 and cases.count_past(session, asked["dora"], {}) == 0
        assert todo.count_open(session, asked["clara"], {"candidateGroup": "A/head"}) == 1
        assert todo.count_open(session, asked["clara"], {"candidateUser": "clara"}) == 1
        assert [row.act for row in records.operations(session, asked["anna"], {"operationType": "Complete"}, Cut()).rows] == ["completed"]
        assert versions.count_definitions(session, {"latestVersion": True}) == 1


def test_work_on_one_case_shows_no_other(asked: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.deploy("start > user:answer > end", element("answer", name="答复", unit="'B'", post="handler"), key="other", startPosts="head")
    own = asked.start("fritz", "other")
    asked.claim("dora", "answer")
    for many in (seen.MANY, 1):
        monkeypatch.setattr(seen, "MANY", many)
        assert ids(asked, "dora") == ids(asked, "fritz") == [own]
        assert ids(asked, "dora", processInstanceId="1") == ids(asked, "fritz", processInstanceIdIn=["1", "2"]) == []
        assert ids(asked, "anna") == [1, 2, 3]
        with asked.store.read() as session:
            assert [row.id for row in cases.open_cases(session, asked["dora"], {}, Cut()).rows] == [own]
            assert cases.open_cases(session, asked["dora"], {"processInstanceIds": ["1"]}, Cut()).rows == []
            assert records.visible(session, asked["dora"], [1, own]) == [own]


def test_two_retries_at_once_do_it_once(asked: Office) -> None:
    task = asked.task("sign").id
    same = once.Once("retry", "d" * 64)
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(once.complete(asked.store, task, actor=asked["clara"], answers={}, once=same).again)
        except Exception as error:
            answers.append(error)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [False, True, True, True]
    assert asked.open_steps() == ["check", "check"]
    with pytest.raises(once.KeyReused):
        once.complete(asked.store, task, actor=asked["clara"], answers={}, once=once.Once("retry", "e" * 64))
    asked.clock.to("2026-02-20 09:00")
    assert once.forget_answers(asked.store) == 1


def test_both_databases_count_alike(asked: Office) -> None:
    with asked.store.read() as session:
        version = statistics.by_version(session, asked["otto"], failed=True, incidents=True)[-1][0]
        standing = {row.key: found.instances for row, found in statistics.by_version(session, asked["anna"], failed=True, incidents=False)}
        steps = statistics.by_step(session, asked["otto"], version.id, failed=True, incidents=True)
        spans = {"startedAfter": shanghai("2026-02-01"), "startedBefore": shanghai("2026-03-01")}
        passed = statistics.passed_by_step(session, asked["gu"], version.id, spans)
        assert statistics.passed_by_step(session, asked["gu"], version.id, {"finishedAfter": shanghai("2026-02-01")}) == {}
    assert standing == {"test": 3} and {step: found.instances for step, found in steps.items()} == {"check": 2, "sign": 1}
    assert {step: (line.instances, line.finished) for step, line in passed.items()} == {"check": (2, 1), "sign": (1, 0)}


def test_both_databases_say_how_long_cases_took(office: Office) -> None:
    office.deploy("start > user:check > end", element("check", name="核对", unit="'A'", post="handler"))
    for begun, done in (("2026-02-28 23:30", "2026-03-01 00:30"), ("2026-03-10 09:00", "2026-03-12 09:00"), ("2026-03-31 23:59", "2026-04-01 00:09"),
                        ("2026-04-01 08:00", "2026-04-01 09:00")):  # fmt: skip
        office.clock.to(begun)
        office.start()
        office.clock.to(done)
        office.complete("anna", "check")
    office.start()
    hour = 3600_000

    def took(who: str, *, quarters: bool = False, **asked: Any) -> list[tuple[int, int, int, int]]:
        with office.store.read() as session:
            return [(one.period, one.least, one.most, one.average) for one in statistics.durations(session, office[who], asked, quarters=quarters)]

    long, short = 48 * hour, hour // 6
    assert took("gu") == [(2, hour, hour, hour), (3, short, long, (long + short) // 2), (4, hour, hour, hour)], "by the months of Shanghai"
    assert took("gu", quarters=True) == [(1, short, long, (long + short + hour) // 3), (2, hour, hour, hour)]
    assert took("gu", processDefinitionKeyIn=["other"]) == took("dora") == [], "only what one may see"
    assert [each[0] for each in took("anna", startedAfter=shanghai("2026-03-01"), startedBefore=shanghai("2026-04-01"))] == [3]
