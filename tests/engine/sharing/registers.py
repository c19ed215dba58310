"""A small ground for tests of the registers: two departments, the office, a resource, a case, and a way to call an operation.

The rows stand in a real database; the operations are called as the road calls them, inside one unit of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any

from engine.people.actor import Actor, load_actor
from engine.people.tables import Account, Appointment, Unit, UnitBody
from engine.process.interpreter.model import Step
from engine.process.operations import OPERATIONS, Call
from engine.process.tables import Definition, Instance
from engine.sharing import registry
from engine.sharing.catalogue import Resource, add_resource
from engine.store.store import Store

assert registry  # imported so that its operations are known

#: code, name, short name, bodies
UNITS = (
    ("007", "市民政局", "民政", ()),
    ("013", "市住房和城乡建设局", "住建", ()),
    ("014", "市交通运输局", "交通", ()),
    ("024", "市经济发展和创新服务中心", "经发中心", ("leadership_office", "platform")),
)
#: login → unit, posts
PEOPLE = {
    "applicant": ("007", ("handler",)),
    "provider": ("013", ("intake", "business_reviewer")),
    "outsider": ("014", ("handler",)),
    "office": ("024", ("handler",)),
    "operator": ("024", ("platform_operator",)),
    "editor": ("024", ("process_admin",)),
}
HOUSING = "209001/000001"


class Registers:
    """The ground, laid in an empty database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.units: dict[str, int] = {}
        self._people: dict[str, int] = {}
        self._numbers = count(1)
        self.noted: list[tuple[str, Any]] = []
        """What operations said for the history: key and fact."""
        with store.work() as work:
            for code, name, short, bodies in UNITS:
                unit = Unit(code=code, name=name, short=short, kind="dept", area="211000")
                work.session.add(unit)
                work.session.flush()
                self.units[code] = unit.id
                work.session.add_all(UnitBody(body=body, unit_id=unit.id) for body in bodies)
            for login, (code, posts) in PEOPLE.items():
                account = Account(login=login, name=login, unit_id=self.units[code], created_at=work.now)
                work.session.add(account)
                work.session.flush()
                self._people[login] = account.id
                work.session.add_all(
                    Appointment(account_id=account.id, unit_id=account.unit_id, post=post) for post in posts
                )
            definition = Definition(
                key="story", version=1, rule_set="test", name="测试流程", digest="0" * 64, xml=b"", forms={}, documents={},
                deployed_at=work.now, deployed_by="init", approved_by="init", reason="", effective_at=work.now,
            )  # fmt: skip
            work.session.add(definition)
            work.session.flush()
            self._definition = definition.id
        self.resource(HOUSING, name="公租房保障对象")

    def person(self, login: str) -> Actor:
        """One of PEOPLE, as signed in now."""
        with self.store.read() as session:
            actor = load_actor(session, self._people[login])
        assert actor is not None
        return actor

    def resource(self, code: str, **elements: Any) -> None:
        """Enters a published, conditionally shared resource of 013; `elements` say what is different."""
        with self.store.work() as work:
            given = {
                "class_code": code.partition("/")[0], "kind": "theme", "name": code, "provider_id": self.units["013"],
                "format": "数据库", "sharing_class": "conditional", "conditions": "住房保障、救助核验", "method": "联机查询",
                "update_cycle": "每月", "update_deadline": "次月5日前", "open_to_public": False,
                "items": ["公民身份号码", "房源地址", "保障起止"], "state": "published",
            }  # fmt: skip
            add_resource(work, code=code, summary="初始编目", **{**given, **elements})

    def provider_of(self, code: str) -> int:
        with self.store.read() as session:
            return session.query(Resource).filter_by(code=code).one().provider_id

    def case(self, title: str = "一件") -> int:
        """A running case of 007; returns its id."""
        with self.store.work() as work:
            number = next(self._numbers)
            instance = Instance(
                definition_id=self._definition, process_key="story", number=f"测试〔2026〕{number}号", title=title, state="running",
                unit_id=self.units["007"], started_at=work.now, variables={}, saved=b"", history_seq=0, history_hash="",
            )  # fmt: skip
            work.session.add(instance)
            work.session.flush()
            return instance.id

    def call(
        self,
        name: str,
        case: int,
        /,
        *,
        at: datetime | None = None,
        cited: str | None = None,
        templates: Mapping[str, bytes] | None = None,
        variables: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> Any:
        """Runs an operation for a case in a transaction of its own, `at` the clock's time unless said otherwise."""
        with self.store.work() as work:
            instance = work.session.get_one(Instance, case)
            step = Step(id="Task_Issue", name="制发文书", kind="service", article=cited)
            found = dict(templates or {})
            call = Call(
                work, instance, step, at or work.now, dict(variables or {}), found.__getitem__,
                lambda key, fact: self.noted.append((key, fact)),
            )  # fmt: skip
            return OPERATIONS[name].run(call, **parameters)
