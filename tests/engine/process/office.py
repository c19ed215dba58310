"""A small office for kernel tests: two units, six people, and processes drawn in a line of Python.

Anna and Ben are handlers of unit A, Clara is its head; Dora and Emil are handlers of unit B, Fritz is its head. Gu supervises
from the leadership office; Otto operates the system; Petra edits diagrams and Paul approves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.people.accounts import create_account
from engine.people.actor import Actor, load_actor
from engine.people.tables import Account, Appointment, Unit, UnitBody
from engine.process.definitions import deploy_in
from engine.process.outside.correlating import Sought, tell_case
from engine.process.package import Package
from engine.process.editions import load_shipped_notices
from engine.process.instances import start_instance
from engine.process.tables import Incident, Instance, Task, Timer
from engine.process.tasks import claim_task, complete_task
from engine.process.timers import fire_due
from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.engine.interpreter.diagrams import diagram

PEOPLE = {
    "anna": ("A", ["handler"]), "ben": ("A", ["handler"]), "clara": ("A", ["head"]),
    "dora": ("B", ["handler"]), "emil": ("B", ["handler"]), "fritz": ("B", ["head"]),
    "gu": ("O", ["supervisor", "head"]), "otto": ("O", ["system_admin"]),
    "petra": ("O", ["process_admin"]), "paul": ("O", ["process_approver"]),
}


class Office:
    """The people, the database, the clock; and the acts that a story is made of."""

    def __init__(self, store: Store, clock: MovableClock) -> None:
        self.store, self.clock = store, clock
        with store.work() as work:
            load_shipped_notices(work)
            units = {code: Unit(code=code, name=f"单位{code}", short=code, kind="dept", area="211000") for code in "ABO"}
            work.session.add_all(units.values())
            work.session.flush()
            work.session.add(UnitBody(body="leadership_office", unit_id=units["O"].id))
            accounts = {
                login: Account(login=login, name=login.title(), unit_id=units[unit].id, created_at=work.now)
                for login, (unit, _) in PEOPLE.items()
            }
            work.session.add_all(accounts.values())
            work.session.flush()
            for login, (unit, posts) in PEOPLE.items():
                for post in posts:
                    work.session.add(Appointment(account_id=accounts[login].id, unit_id=units[unit].id, post=post))
            self.units = {code: unit.id for code, unit in units.items()}
            ids = {login: account.id for login, account in accounts.items()}
        with store.read() as session:
            self.actors: dict[str, Actor] = {}
            for login, account_id in ids.items():
                actor = load_actor(session, account_id)
                assert actor is not None
                self.actors[login] = actor

    def __getitem__(self, login: str) -> Actor:
        return self.actors[login]

    def deploy(
        self, *parts: object, forms: Mapping[str, Any] | None = None, at: str = "2018-11-26", key: str = "test",
        also_known: tuple[str, ...] = (), **properties: object,
    ) -> int:
        """Deploys a process drawn in chains, effective from `at`; returns the definition's id."""
        properties = {"startPosts": "handler", **properties}
        package = Package("test_rules", diagram(*parts, key=key, **properties), dict(forms or {}))
        with self.store.work() as work:
            return deploy_in(work, package, by="petra", approved_by="paul", reason="测试", effective_at=shanghai(at),
                             also_known=also_known)

    def joins(self, login: str, unit: str, *posts: str) -> Actor:
        """A new colleague."""
        appointments = [(self.units[unit], post) for post in posts]
        account = create_account(self.store, login, login.title(), self.units[unit], actor=None, appointments=appointments)
        with self.store.read() as session:
            actor = load_actor(session, account)
        assert actor is not None
        self.actors[login] = actor
        return actor

    def start(self, who: str = "anna", key: str = "test", **answers: Any) -> int:
        return start_instance(self.store, key, actor=self[who], answers=answers)

    def claim(self, who: str, name: str) -> None:
        claim_task(self.store, self.task(name).id, actor=self[who])

    def complete(self, who: str, name: str, opinion: str = "", **answers: Any) -> None:
        """Completes the oldest open task with that step id."""
        complete_task(self.store, self.task(name).id, actor=self[who], answers=answers, opinion=opinion)

    def tell(self, case: int, message: str, *, by: str = "otto", **payload: Any) -> None:
        """A message from outside, for one case."""
        tell_case(self.store, case, Sought(message, case), payload, actor=self[by])

    def sweep(self, to: str | None = None) -> int:
        """Moves the clock and lets the worker fire what is due."""
        if to is not None:
            self.clock.to(to)
        return fire_due(self.store)

    # -- what one sees ------------------------------------------------------------------------

    def task(self, step: str, state: str = "open") -> Task:
        with self.store.read() as session:
            found = session.scalars(select(Task).where(Task.step == step, Task.state == state).order_by(Task.id)).first()
        assert found is not None, f"no {state} task {step}; open are {self.open_steps()}"
        return found

    def open_steps(self, instance_id: int | None = None) -> list[str]:
        query = select(Task.step).where(Task.state == "open").order_by(Task.step)
        if instance_id is not None:
            query = query.where(Task.instance_id == instance_id)
        with self.store.read() as session:
            return list(session.scalars(query))

    def instance(self, instance_id: int) -> Instance:
        with self.store.read() as session:
            found = session.get(Instance, instance_id)
            assert found is not None
            return found

    def instances(self, key: str) -> list[Instance]:
        with self.store.read() as session:
            return list(session.scalars(select(Instance).where(Instance.process_key == key).order_by(Instance.id)))

    def timers(self, **wanted: Any) -> list[Timer]:
        with self.store.read() as session:
            return list(session.scalars(select(Timer).filter_by(**wanted).order_by(Timer.id)))

    def incidents(self) -> list[Incident]:
        with self.store.read() as session:
            return list(session.scalars(select(Incident).where(Incident.resolved_at.is_(None)).order_by(Incident.id)))


def form(*fields: dict[str, Any], title: str = "表单", **more: Any) -> dict[str, Any]:
    return {"title": title, "fields": list(fields), **more}


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "text", "label": key, **more}


def choice(key: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "choice", "label": key, "options": [{"value": v, "label": v} for v in values], **more}
