"""Accounts, posts and units: who may change them, and what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.history import History
from engine.history_seal import verify
from engine.people.accounts import (
    Holder,
    PostNotAlone,
    account_id_of,
    appoint,
    create_account,
    deactivate,
    dismiss,
    holders,
    lock_account,
    set_password,
    unlock_account,
)
from engine.people.actor import load_actor
from engine.people.units import (
    all_units,
    body_unit,
    create_unit,
    rename_unit,
    set_body,
    unit_by_code,
    unit_by_id,
    unit_codes,
    unit_id_of,
)
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.people.conftest import Cast


def test_only_their_administrators_change_accounts_units_and_posts(cast: Cast) -> None:
    store = cast.store
    for who in (cast.alice, cast.bob, cast.security):
        actor = cast.actor(who)
        for command in (
            lambda actor=actor: create_account(store, "new", "新人", cast.civil, actor=actor),
            lambda actor=actor: set_password(store, cast.bob, "taizihe-2026", actor=actor),
            lambda actor=actor: deactivate(store, cast.alice, actor=actor),
            lambda actor=actor: lock_account(store, cast.alice, actor=actor),
            lambda actor=actor: unlock_account(store, cast.alice, actor=actor),
            lambda actor=actor: create_unit(store, "099", "新单位", actor=actor),
            lambda actor=actor: rename_unit(store, cast.civil, "新名称", actor=actor),
        ):
            with pytest.raises(NotAllowed):
                command()
    for who in (cast.alice, cast.bob, cast.system):
        actor = cast.actor(who)
        for command in (
            lambda actor=actor: appoint(store, cast.bob, cast.civil, "handler", actor=actor),
            lambda actor=actor: dismiss(store, cast.bob, cast.civil, "head", actor=actor),
            lambda actor=actor: set_body(store, "audit", cast.civil, actor=actor),
        ):
            with pytest.raises(NotAllowed):
                command()


def test_the_one_who_makes_accounts_cannot_give_them_posts(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        create_account(cast.store, "new", "新人", cast.civil, actor=cast.actor(cast.system), appointments=[(cast.civil, "head")])
    made = create_account(cast.store, "New.Man", "新人", cast.civil, actor=cast.actor(cast.system), password="taizihe-2026")
    assert cast.actor(made).login == "new.man"
    assert cast.actor(made).appointments == frozenset()


def test_nobody_gives_themselves_a_post_or_shuts_themselves_out(cast: Cast) -> None:
    security, system = cast.actor(cast.security), cast.actor(cast.system)
    with pytest.raises(NotAllowed):
        appoint(cast.store, cast.security, cast.office, "audit_admin", actor=security)
    with pytest.raises(NotAllowed):
        deactivate(cast.store, cast.system, actor=system)
    with pytest.raises(NotAllowed):
        lock_account(cast.store, cast.system, actor=system)


@pytest.mark.parametrize("post", ["audit_admin", "system_admin", "handler"])
def test_an_administrators_post_stands_alone(cast: Cast, post: str) -> None:
    with pytest.raises(PostNotAlone):
        appoint(cast.store, cast.security, cast.office, post, actor=None)
    with pytest.raises(PostNotAlone):
        appoint(cast.store, cast.alice, cast.office, "system_admin", actor=None)


def test_every_change_is_in_the_history_with_who_did_it(cast: Cast) -> None:
    security = cast.actor(cast.security)
    appoint(cast.store, cast.bob, cast.civil, "handler", actor=security)
    appoint(cast.store, cast.bob, cast.civil, "handler", actor=security)  # already held: nothing happens
    dismiss(cast.store, cast.bob, cast.civil, "head", actor=security)
    rename_unit(cast.store, cast.civil, "市民政和社会事务局", actor=cast.actor(cast.system))
    with cast.store.read() as session:
        query = select(History.act, History.actor_name, History.data).order_by(History.id)
        account = session.execute(query.where(History.stream == f"account:{cast.bob}")).all()
        unit = session.execute(query.where(History.stream == f"unit:{cast.civil}")).all()
    assert [(row.act, row.actor_name) for row in account] == [
        ("account_created", None), ("appointed", None), ("appointed", "冯戊"), ("dismissed", "冯戊"),
    ]  # fmt: skip
    assert (unit[-1].act, unit[-1].data) == ("unit_renamed", {"before": "市民政局", "after": "市民政和社会事务局"})
    assert verify(cast.store).ok


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"login": "alice"}, "login"),
        ({"login": "ALICE "}, "login"),
        ({"login": "a b"}, "login"),
        ({"login": ""}, "login"),
        ({"name": "  "}, "name"),
        ({"password": "short-1"}, "password"),
        ({"password": "1234567890"}, "password"),
        ({"password": "carol-carol-1"}, "password"),
        ({"password": "x1" * 101}, "password"),
        ({"unit_id": 9999}, "login"),
    ],
)
def test_a_wrong_value_is_named_at_its_field_and_nothing_is_kept(cast: Cast, changes: dict[str, object], field: str) -> None:
    values = {"login": "carol", "name": "丙", "unit_id": cast.civil, "password": "taizihe-2026"} | changes
    with pytest.raises(Invalid) as refused:
        create_account(cast.store, **values, actor=None)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {field}
    with cast.store.read() as session, pytest.raises(NotFound):
        account_id_of(session, "carol")


def test_what_does_not_exist_is_said_so(cast: Cast) -> None:
    with pytest.raises(NotFound):
        appoint(cast.store, 9999, cast.civil, "handler", actor=None)
    with pytest.raises(NotFound):
        appoint(cast.store, cast.alice, 9999, "handler", actor=None)
    with pytest.raises(Invalid):
        appoint(cast.store, cast.alice, cast.civil, "emperor", actor=None)
    with pytest.raises(NotFound):
        deactivate(cast.store, 9999, actor=None)
    with cast.store.read() as session:
        assert load_actor(session, 9999) is None


def test_notices_find_the_active_holders_of_a_post(cast: Cast) -> None:
    appoint(cast.store, cast.bob, cast.civil, "handler", actor=None)
    with cast.store.read() as session:
        found = holders(session, cast.civil, "handler")
    assert sorted(found, key=lambda one: one.account_id) == [Holder(cast.alice, "钱甲", None), Holder(cast.bob, "李甲", None)]
    deactivate(cast.store, cast.alice, actor=None)
    with cast.store.read() as session:
        assert [one.account_id for one in holders(session, cast.civil, "handler")] == [cast.bob]
        assert load_actor(session, cast.alice) is None


def test_units_are_found_by_code_and_bodies_by_name(cast: Cast) -> None:
    with cast.store.read() as session:
        housing = unit_by_code(session, "013")
        assert housing is not None and housing.name == "市住房和城乡建设局"
        assert unit_by_id(session, cast.housing) == housing
        assert unit_by_code(session, "404") is None and unit_by_id(session, 404) is None
        assert unit_id_of(session, "013") == unit_id_of(session, "013") == cast.housing
        assert unit_codes(session) == {cast.civil: "007", cast.housing: "013", cast.office: "024"}
        assert [unit.code for unit in all_units(session)] == ["007", "013", "024"]
        assert body_unit(session, "leadership_office").code == body_unit(session, "platform").code == "024"
        with pytest.raises(NotFound):
            unit_id_of(session, "404")
        with pytest.raises(NotFound, match="审计机关"):
            body_unit(session, "audit")


def test_a_body_moves_to_another_unit_with_its_powers(cast: Cast) -> None:
    set_body(cast.store, "leadership_office", cast.civil, actor=cast.actor(cast.security))
    with cast.store.read() as session:
        assert body_unit(session, "leadership_office").code == "007"
    assert cast.actor(cast.bob).bodies == {(cast.civil, "leadership_office")}
    with pytest.raises(ValueError, match="parliament"):
        set_body(cast.store, "parliament", cast.civil, actor=None)


@pytest.mark.parametrize(("code", "name", "field"), [("007", "重名", "code"), ("", "无号", "code"), ("050", " ", "name")])
def test_a_unit_needs_a_free_code_and_a_name(cast: Cast, code: str, name: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_unit(cast.store, code, name, actor=None)
    assert set(refused.value.fields) == {field}
