"""A small cast on a real database: two departments, the office, and the administrators."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher

from engine.people import passwords
from engine.people.accounts import create_account
from engine.people.actor import Actor, load_actor
from engine.people.units import create_unit, set_body
from engine.store.store import Store

PASSWORD = "liaohe-2018"

#: The same algorithm for a hundredth of the price; what depends on the price sets the real one.
CHEAP = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
REAL = passwords.HASHER


@dataclass(frozen=True)
class Cast:
    """The people of the stories, by account id, and their units."""

    store: Store
    civil: int
    housing: int
    office: int
    alice: int
    """Handler and cataloguer at civil affairs."""
    bob: int
    """Head of civil affairs."""
    system: int
    security: int

    def actor(self, account_id: int) -> Actor:
        with self.store.read() as session:
            found = load_actor(session, account_id)
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def _cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", CHEAP)


@pytest.fixture
def cast(store: Store) -> Cast:
    password_hash = CHEAP.hash(PASSWORD)
    civil = create_unit(store, "007", "市民政局", short="民政", kind="dept", area="211000", actor=None)
    housing = create_unit(store, "013", "市住房和城乡建设局", short="住建", kind="dept", area="211000", actor=None)
    office = create_unit(store, "024", "市经济发展和创新服务中心", short="经发中心", kind="office", area="211000", actor=None)
    set_body(store, "leadership_office", office, actor=None)
    set_body(store, "platform", office, actor=None)

    def person(login: str, name: str, unit: int, *posts: str) -> int:
        held = [(unit, post) for post in posts]
        return create_account(store, login, name, unit, actor=None, password_hash=password_hash, appointments=held)

    return Cast(
        store=store,
        civil=civil,
        housing=housing,
        office=office,
        alice=person("alice", "钱甲", civil, "handler", "cataloguer"),
        bob=person("bob", "李甲", civil, "head"),
        system=person("system", "王戊", office, "system_admin"),
        security=person("security", "冯戊", office, "security_admin"),
    )
