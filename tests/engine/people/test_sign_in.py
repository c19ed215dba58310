"""Signing in: who gets in, how long, and what wrong passwords bring."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, func, select

from engine.history import History
from engine.history_seal import verify
from engine.people import passwords
from engine.people.accounts import appoint, deactivate, dismiss, lock_account, set_password, unlock_account
from engine.people.sign_in import SignInRefused, actor_of, change_password, sign_in, sign_out, sign_out_everywhere
from engine.people.tables import Account, SignIn
from engine.store.clock import MovableClock
from engine.store.errors import Invalid, Refused
from engine.store.store import Origin, Store
from tests.engine.people.conftest import PASSWORD, REAL, Cast


def acts(store: Store, stream: str) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(History.act).where(History.stream == stream).order_by(History.seq)))


def guess(store: Store, login: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            sign_in(store, login, "wrong-guess-1")


def test_the_right_password_lets_a_person_in_with_their_posts(cast: Cast) -> None:
    token = sign_in(cast.store, " Alice ", PASSWORD, Origin("10.0.0.7", "r1"))
    actor = actor_of(cast.store, token)
    assert actor is not None
    assert (actor.login, actor.name, actor.unit_code, actor.unit_name) == ("alice", "钱甲", "007", "市民政局")
    assert actor.appointments == {(cast.civil, "handler"), (cast.civil, "cataloguer")}
    with cast.store.read() as session:
        entry = session.scalars(select(History).where(History.act == "signed_in")).one()
    assert (entry.actor_id, entry.actor_name, entry.address, entry.request_id) == (cast.alice, "钱甲", "10.0.0.7", "r1")


def test_the_database_keeps_neither_the_token_nor_the_password(cast: Cast) -> None:
    token = sign_in(cast.store, "alice", PASSWORD)
    with cast.store.read() as session:
        kept = session.execute(select(SignIn.token_hash, Account.password_hash).join(Account)).one()
    assert token not in kept[0]
    assert kept[1].startswith("$argon2id$") and PASSWORD not in kept[1]


def test_a_body_of_the_unit_comes_with_the_post(cast: Cast) -> None:
    assert cast.actor(cast.system).bodies == {(cast.office, "leadership_office"), (cast.office, "platform")}
    assert cast.actor(cast.alice).bodies == frozenset()


@pytest.mark.parametrize("login", ["nobody", "", "a\x00b", "x" * 5000, "' OR 1=1 --", "钱甲"])
def test_an_unknown_login_reads_like_a_wrong_password(cast: Cast, login: str) -> None:
    with pytest.raises(SignInRefused) as unknown:
        sign_in(cast.store, login, PASSWORD)
    with pytest.raises(SignInRefused) as wrong:
        sign_in(cast.store, "alice", "wrong-guess-1")
    assert unknown.value.message == wrong.value.message
    assert acts(cast.store, "sign_in") == ["sign_in_failed"]
    assert login == "" or login not in str(_everything_recorded(cast.store))


def _everything_recorded(store: Store) -> list[object]:
    with store.read() as session:
        return [(row.actor_name, row.data) for row in session.scalars(select(History).where(History.stream == "sign_in"))]


def test_an_unknown_login_takes_as_long_as_a_wrong_password(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", REAL)
    set_password(cast.store, cast.alice, "taizihe-2026", actor=None)

    def quickest(login: str) -> float:
        def once() -> float:
            begin = time.process_time()
            with pytest.raises(SignInRefused):
                sign_in(cast.store, login, "wrong-guess-1")
            return time.process_time() - begin

        return min(once() for _ in range(3))

    passwords._decoy.cache_clear()
    assert quickest("nobody") > quickest("alice") / 3


def test_five_wrong_passwords_lock_out_for_fifteen_minutes_even_with_the_right_one(cast: Cast, clock: MovableClock) -> None:
    guess(cast.store, "alice", 5)
    with pytest.raises(SignInRefused):
        sign_in(cast.store, "alice", PASSWORD)
    clock.to("2026-02-10 09:14:59")
    with pytest.raises(SignInRefused):
        sign_in(cast.store, "alice", PASSWORD)
    clock.to("2026-02-10 09:15")
    assert sign_in(cast.store, "alice", PASSWORD)
    assert acts(cast.store, f"account:{cast.alice}").count("locked_out") == 1


def test_a_success_forgets_the_failures_before_it(cast: Cast) -> None:
    guess(cast.store, "alice", 4)
    sign_in(cast.store, "alice", PASSWORD)
    guess(cast.store, "alice", 4)
    assert sign_in(cast.store, "alice", PASSWORD)


def test_a_lockout_does_not_throw_out_who_is_in(cast: Cast) -> None:
    token = sign_in(cast.store, "alice", PASSWORD)
    guess(cast.store, "alice", 5)
    assert actor_of(cast.store, token) is not None


def test_guesses_sent_at_once_are_all_counted(cast: Cast) -> None:
    def attempt(number: int) -> bool:
        with pytest.raises(SignInRefused):
            sign_in(cast.store, "alice", f"wrong-guess-{number}")
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(attempt, range(6)))
    with pytest.raises(SignInRefused):
        sign_in(cast.store, "alice", PASSWORD)
    assert acts(cast.store, f"account:{cast.alice}").count("sign_in_failed") == 7
    assert verify(cast.store).ok


def test_an_administrator_ends_a_lockout(cast: Cast) -> None:
    guess(cast.store, "alice", 5)
    unlock_account(cast.store, cast.alice, actor=cast.actor(cast.system))
    assert sign_in(cast.store, "alice", PASSWORD)


def test_a_new_sign_in_ends_the_one_that_the_browser_brought(cast: Cast) -> None:
    planted = sign_in(cast.store, "bob", PASSWORD)
    token = sign_in(cast.store, "alice", PASSWORD, replaces=planted)
    assert actor_of(cast.store, planted) is None
    elsewhere = sign_in(cast.store, "alice", PASSWORD)
    assert len({planted, token, elsewhere}) == 3
    assert actor_of(cast.store, token) is not None and actor_of(cast.store, elsewhere) is not None


def test_idle_for_half_an_hour_signs_out_and_a_click_keeps_in(cast: Cast, clock: MovableClock) -> None:
    token = sign_in(cast.store, "alice", PASSWORD)
    for moment in ("09:29", "09:58", "10:27"):
        clock.to(f"2026-02-10 {moment}")
        assert actor_of(cast.store, token) is not None
    clock.to("2026-02-10 10:57")
    assert actor_of(cast.store, token) is None


def test_twelve_hours_sign_out_the_busiest_and_the_row_is_swept_away(cast: Cast, clock: MovableClock) -> None:
    token = sign_in(cast.store, "alice", PASSWORD)
    for quarter in range(1, 48):
        clock.to(f"2026-02-10 {9 + quarter // 4:02}:{quarter % 4 * 15:02}")
        assert actor_of(cast.store, token) is not None
    clock.to("2026-02-10 21:00")
    assert actor_of(cast.store, token) is None
    sign_in(cast.store, "bob", PASSWORD)
    with cast.store.read() as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 1


def test_a_request_costs_one_query_and_at_most_one_write_a_minute(cast: Cast, clock: MovableClock) -> None:
    token = sign_in(cast.store, "alice", PASSWORD)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement.split()[0])

    for engine in {cast.store.engine, cast.store.reading}:
        event.listen(engine, "before_cursor_execute", note)
    for _ in range(3):
        actor_of(cast.store, token)
    clock.to("2026-02-10 09:01")
    for _ in range(3):
        actor_of(cast.store, token)
    assert [verb for verb in statements if verb != "BEGIN"] == ["SELECT"] * 4 + ["UPDATE"] + ["SELECT"] * 2


def test_signing_out_ends_this_browser_only(cast: Cast) -> None:
    here, there = sign_in(cast.store, "alice", PASSWORD), sign_in(cast.store, "alice", PASSWORD)
    sign_out(cast.store, here)
    sign_out(cast.store, here)
    assert actor_of(cast.store, here) is None
    assert actor_of(cast.store, there) is not None
    assert acts(cast.store, f"account:{cast.alice}")[-1] == "signed_out"


def test_signing_out_everywhere_is_for_oneself(cast: Cast) -> None:
    tokens = [sign_in(cast.store, "alice", PASSWORD) for _ in range(2)]
    with pytest.raises(Refused):
        sign_out_everywhere(cast.store, cast.alice, actor=cast.actor(cast.bob))
    sign_out_everywhere(cast.store, cast.alice, actor=cast.actor(cast.alice))
    assert [actor_of(cast.store, token) for token in tokens] == [None, None]


def test_a_new_password_of_ones_own_signs_out_the_other_browsers(cast: Cast) -> None:
    here, there = sign_in(cast.store, "alice", PASSWORD), sign_in(cast.store, "alice", PASSWORD)
    change_password(cast.store, PASSWORD, "taizihe-2026", actor=cast.actor(cast.alice), token=here)
    assert actor_of(cast.store, here) is not None
    assert actor_of(cast.store, there) is None
    guess(cast.store, "alice", 1)
    assert sign_in(cast.store, "alice", "taizihe-2026")


def test_a_stolen_browser_is_no_place_to_guess_the_password(cast: Cast) -> None:
    token, alice = sign_in(cast.store, "alice", PASSWORD), cast.actor(cast.alice)
    for _ in range(5):
        with pytest.raises(Invalid) as refused:
            change_password(cast.store, "wrong-guess-1", "taizihe-2026", actor=alice, token=token)
        assert refused.value.fields == {"current": "原密码不正确"}
    with pytest.raises(Invalid):
        change_password(cast.store, PASSWORD, "taizihe-2026", actor=alice, token=token)


def test_an_administrators_new_password_signs_out_everywhere(cast: Cast) -> None:
    token = sign_in(cast.store, "alice", PASSWORD)
    set_password(cast.store, cast.alice, "taizihe-2026", actor=cast.actor(cast.system))
    assert actor_of(cast.store, token) is None
    assert sign_in(cast.store, "alice", "taizihe-2026")


def test_locking_and_deactivating_take_effect_with_the_next_click(cast: Cast) -> None:
    alice, bob = sign_in(cast.store, "alice", PASSWORD), sign_in(cast.store, "bob", PASSWORD)
    admin = cast.actor(cast.system)
    lock_account(cast.store, cast.alice, actor=admin, reason="调查")
    deactivate(cast.store, cast.bob, actor=admin, reason="调离")
    for login, token in (("alice", alice), ("bob", bob)):
        assert actor_of(cast.store, token) is None
        with pytest.raises(SignInRefused):
            sign_in(cast.store, login, PASSWORD)
    unlock_account(cast.store, cast.alice, actor=admin)
    assert sign_in(cast.store, "alice", PASSWORD)


def test_a_dismissal_takes_effect_with_the_next_click(cast: Cast) -> None:
    token, security = sign_in(cast.store, "alice", PASSWORD), cast.actor(cast.security)
    dismiss(cast.store, cast.alice, cast.civil, "handler", actor=security)
    appoint(cast.store, cast.alice, cast.housing, "intake", actor=security)
    actor = actor_of(cast.store, token)
    assert actor is not None
    assert actor.appointments == {(cast.civil, "cataloguer"), (cast.housing, "intake")}


def test_an_account_without_a_password_lets_nobody_in(cast: Cast) -> None:
    with cast.store.work() as work:
        account = work.session.get(Account, cast.alice)
        assert account is not None
        account.password_hash = None
    for attempt in ("", "None", PASSWORD):
        with pytest.raises(SignInRefused):
            sign_in(cast.store, "alice", attempt)


def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=4))
    sign_in(cast.store, "alice", PASSWORD)
    with cast.store.read() as session:
        renewed = session.scalar(select(Account.password_hash).where(Account.login == "alice"))
    assert renewed is not None and "t=4" in renewed
    assert sign_in(cast.store, "alice", PASSWORD)
