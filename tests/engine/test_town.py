"""The demo town: everybody is there, in the right posts, and loading it again changes nothing."""

from __future__ import annotations

from sqlalchemy import func, select

from engine.demo.town import load_town, town_data
from engine.people.accounts import holders
from engine.people.actor import load_actor
from engine.people.permissions import may
from engine.people.posts import BODIES, POSTS
from engine.people.sign_in import sign_in
from engine.people.tables import Account, Appointment, Unit, UnitBody
from engine.people.units import unit_id_of
from engine.sharing import catalogue, negative_list
from engine.sharing.catalogue import Resource
from engine.sharing.negative_list import NegativeListEntry
from engine.store.base import Base
from engine.store.store import Store


def counts(store: Store) -> dict[str, int]:
    with store.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in Base.metadata.sorted_tables
        }


def test_the_town_has_all_its_units_people_and_resources(store: Store) -> None:
    load_town(store, password=None)
    found = counts(store)
    assert (found["unit"], found["account"], found["resource"], found["negative_list_entry"]) == (29, 62, 43, 6)


def test_loading_it_again_keeps_what_is_there(store: Store) -> None:
    load_town(store, password=None)
    with store.work() as work:
        work.session.get_one(Unit, 1).name = "改了名的单位"
    before = counts(store)
    load_town(store, password=None)
    assert counts(store) == before
    with store.read() as session:
        assert session.get_one(Unit, 1).name == "改了名的单位"


def test_posts_and_bodies_are_ones_that_rights_are_given_for() -> None:
    town = town_data()
    assert {post for posts in town["posts"].values() for post in posts} <= POSTS.keys()
    assert town["bodies"].keys() <= BODIES.keys()
    assert {role for user in town["users"] for role in user["roles"]} == town["posts"].keys()


def test_everybody_signs_in_with_the_demo_password_and_no_two_hashes_are_alike(sqlite_store: Store) -> None:
    load_town(sqlite_store, password="demo")
    with sqlite_store.read() as session:
        hashes = session.scalars(select(Account.password_hash)).all()
    assert len(set(hashes)) == len(hashes) == 62
    assert sign_in(sqlite_store, "demo001", "demo")


def test_the_office_holds_its_powers_and_the_departments_do_not(sqlite_store: Store) -> None:
    load_town(sqlite_store, password=None)
    with sqlite_store.read() as session:
        logins = {login: account_id for account_id, login in session.execute(select(Account.id, Account.login))}
        supervising = {
            login for login, account_id in logins.items() if (actor := load_actor(session, account_id)) and may(actor, "supervise")
        }
        office = session.scalars(select(UnitBody.unit_id).where(UnitBody.body == "leadership_office")).one()
        assert session.get_one(Unit, office).code == "024"
    assert supervising == {"demo034", "demo035", "demo036", "demo037", "demo059", "demo060", "demo061", "demo062"}


def test_two_departments_and_the_office_have_deputies_so_that_leave_can_be_tried(sqlite_store: Store) -> None:
    load_town(sqlite_store, password=None)
    with sqlite_store.read() as session:
        for unit in ("007", "013"):
            for post in ("handler", "intake", "business_reviewer", "security_reviewer", "catalogue_reviewer", "head"):
                first, deputy = holders(session, unit_id_of(session, unit), post)
                assert first.name != deputy.name, "the first holder acts in the half year; the deputy waits to be tried"
        for post in ("handler", "reviewer", "head", "supervisor"):
            assert len(holders(session, unit_id_of(session, "024"), post)) == 2


def test_every_unit_that_has_people_can_sign_what_it_asks_for(sqlite_store: Store) -> None:
    load_town(sqlite_store, password=None)
    with sqlite_store.read() as session:
        asking = set(session.scalars(select(Appointment.unit_id).where(Appointment.post == "handler")))
        signing = set(session.scalars(select(Appointment.unit_id).where(Appointment.post == "head")))
    assert asking <= signing


def test_what_has_no_basis_is_blocked_and_all_else_is_published(sqlite_store: Store) -> None:
    load_town(sqlite_store, password=None)
    with sqlite_store.read() as session:
        blocked = session.scalars(select(Resource.name).where(Resource.state != "published")).all()
        assert [name[:8] for name in blocked] == ["公交线路实时位置"]
        states = session.scalars(select(NegativeListEntry.state)).all()
        assert sorted(states) == ["blocked", *["listed"] * 5]
        transport, civil_affairs = (load_actor(session, account_id) for account_id in (28, 1))
        assert transport and civil_affairs and (transport.unit_code, civil_affairs.unit_code) == ("014", "007")
        bus = negative_list.search(session, transport, state="blocked").lines
        assert [(line.state_label, line.basis) for line in bus] == [("依据不足 未发布", "")]
        assert negative_list.search(session, civil_affairs, state="blocked").lines == []
        assert catalogue.search(session, civil_affairs, text="公交线路").lines == []
