"""Starting a case and completing a task, by command and over HTTP, beside the sum of the floors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from sqlalchemy import select

from benchmarks.browser import Browser, served
from benchmarks.floors import durable_transaction, interpreter_acts
from benchmarks.ground import REVIEW, SHARE, Ground, Statements
from benchmarks.measure import WARM_UP, Act, Times, in_turns
from benchmarks.report import Table, ms
from engine.process.tables import Task
from engine.process.tasks import complete_task
from tests.town import HOUSING, WELL

_DECISION = {"decision": "yes"}
_SIGN = dict(WELL["Task_ApplicantSign"])
_INTERPRETER, _TRANSACTION, _REQUEST = "interpreter (stock, in memory)", "durable transaction", "bare Flask request"


def run(ground: Ground, rounds: int) -> list[Table]:
    """Figures of one database."""
    turns = rounds + WARM_UP
    by_command = _review_tasks(ground, turns)
    by_request = _review_tasks(ground, turns)
    to_sign = _tasks(ground, [ground.start_share() for _ in range(turns)])
    to_sign_by_request = _tasks(ground, [ground.start_share() for _ in range(turns)])
    start_floor, complete_floor = interpreter_acts()
    with durable_transaction(ground.url) as transaction, served(ground.url, ground.folder) as (person, bare):
        acts: dict[str, Act] = {
            "floor start": start_floor,
            "floor complete": complete_floor,
            _TRANSACTION: transaction,
            _REQUEST: lambda: bare.get("/"),
            "start, command": ground.start_review,
            "start, HTTP": lambda: person.post(f"/start/{REVIEW}", {}),
            "complete, command": lambda: _complete(ground, by_command.popleft(), _DECISION),
            "complete, HTTP": lambda: person.post(f"/tasks/{by_request.popleft()}", _DECISION),
            "start 共享申请, command": ground.start_share,
            "start 共享申请, HTTP": lambda: _apply(person, ground),
            "sign 共享申请, command": lambda: _complete(ground, to_sign.popleft(), _SIGN),
            "sign 共享申请, HTTP": lambda: person.post(f"/tasks/{to_sign_by_request.popleft()}", _SIGN),
        }
        found = in_turns(rounds, acts)
    return [_table(ground, found), _statements(ground)]


def _table(ground: Ground, found: Mapping[str, Times]) -> Table:
    request, transaction = found[_REQUEST].p50, found[_TRANSACTION].p50
    sums = {act: found[f"floor {act}"].p50 + transaction + request for act in ("start", "complete")}
    table = Table(
        f"Start and complete, {ground.kind}", ("", "p50 ms", "p95 ms", "× sum of floors"),
        "One client, everything committed. The sum of the floors is interpreter + durable transaction + bare request.",
    )  # fmt: skip
    names = {"floor start": f"{_INTERPRETER}: start, save", "floor complete": f"{_INTERPRETER}: load, complete, save"}
    for name, times in found.items():
        act = "start" if name.startswith("start") else "complete"
        ratio = "" if name in names or name in (_TRANSACTION, _REQUEST) else f"{times.p50 / sums[act]:.2f}"
        table.add(names.get(name, name), ms(times.p50), ms(times.p95), ratio)
        if name == _REQUEST:
            table.add("sum of floors: start", ms(sums["start"]), "", "1.00")
            table.add("sum of floors: complete", ms(sums["complete"]), "", "1.00")
    return table


def _statements(ground: Ground) -> Table:
    table = Table(f"What an act costs the database, {ground.kind}", ("", "statements"), "The commit is counted, rows of one INSERT are not.")
    review, share = _review_tasks(ground, 2), _tasks(ground, [ground.start_share() for _ in range(2)])
    acts: Mapping[str, Callable[[], object]] = {
        "start": ground.start_review,
        "complete": lambda: _complete(ground, review.popleft(), _DECISION),
        "start 共享申请": ground.start_share,
        "sign 共享申请": lambda: _complete(ground, share.popleft(), _SIGN),
    }
    for name, act in acts.items():
        act()
        with Statements(ground.store) as statements:
            act()
        table.add(name, statements.count)
    return table


def _complete(ground: Ground, task_id: int, answers: Mapping[str, object]) -> None:
    complete_task(ground.store, task_id, actor=ground.actor, answers=dict(answers))


def _apply(person: Browser, ground: Ground) -> None:
    shown = {key: "true" if value is True else value for key, value in ground.application.items()}
    person.post(f"/start/{SHARE}", {"resource_code": HOUSING, **shown})


def _review_tasks(ground: Ground, count: int) -> deque[int]:
    return _tasks(ground, [ground.start_review() for _ in range(count)])


def _tasks(ground: Ground, cases: list[int]) -> deque[int]:
    """The open task of each case."""
    with ground.store.read() as session:
        return deque(session.scalars(select(Task.id).where(Task.instance_id.in_(cases), Task.state == "open").order_by(Task.id)))
