"""Signing in and out, and who is behind a cookie.

A sign-in is a row; the cookie holds a random token and the row its hash. Every sign-in makes a new token and ends the
one that the browser brought along, so a token planted before the sign-in is worth nothing after it.

The way in has two steps on purpose: the password is checked (`_known`), then the person is admitted (`_admit`). A
second factor will stand between them.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, or_, select, update

from engine.history import Entry, append
from engine.people.accounts import LOGIN, end_sign_ins, lock_account_row
from engine.people.actor import Actor, actor_from, actor_query, load_actor
from engine.people.passwords import hash_password, matches, outdated, require_strong
from engine.people.tables import Account, SignIn
from engine.store.errors import Invalid, Refused
from engine.store.settings import Settings
from engine.store.store import Origin, Store, Work, command


@dataclass(frozen=True, slots=True)
class SignInRules:
    """How long a sign-in lasts and how many wrong passwords are borne."""

    idle: timedelta = timedelta(minutes=30)
    """Signed out after this long without a request (to the minute)."""
    lifetime: timedelta = timedelta(hours=12)
    """Signed out after this long in any case."""
    failures: int = 5
    """Wrong passwords in a row that lock the account out."""
    lockout: timedelta = timedelta(minutes=15)


RULES = SignInRules()
#: How fine `seen_at` is: one write a minute and browser, not one a request.
SEEN_EVERY = timedelta(minutes=1)


class SignInRefused(Refused):
    """登录名或密码不正确，或账号暂停使用。连续多次输错密码将暂停登录一段时间，请稍后再试或联系系统管理员。"""

    # One message for every case: it must not tell which accounts exist, nor that a password was right.


@dataclass(frozen=True, slots=True)
class _Known:
    """An account whose password was right a moment ago. `fresh_hash` replaces a hash made with old parameters."""

    account_id: int
    password_hash: str
    fresh_hash: str | None


def rules_of(settings: Settings) -> SignInRules:
    """The rules that an installation has set."""
    return SignInRules(idle=timedelta(minutes=settings.idle_minutes), lifetime=timedelta(hours=settings.session_hours))


@command
def sign_in(
    store: Store, login: str, password: str, origin: Origin = Origin(), *, replaces: str | None = None,
    rules: SignInRules = RULES,
) -> str:  # fmt: skip
    """Signs a person in and returns the token for the cookie.

    `replaces` is the token that the browser brought along, which ends. Each failure is counted and recorded before it
    is refused. Raises SignInRefused.
    """
    account_id, known = _known(store, login, password)
    with store.work(None, origin) as work:
        token = _admit(work, known, replaces, rules) if known else None
        if token is None:
            _count_failure(work, account_id, rules)
    if token is None:
        raise SignInRefused
    return token


@command
def change_password(
    store: Store, current: str, password: str, *, actor: Actor, token: str, origin: Origin = Origin(),
    rules: SignInRules = RULES,
) -> None:  # fmt: skip
    """Changes one's own password and signs out every other browser.

    A wrong current password counts as a failed sign-in, so that a stolen browser is no place to guess.
    Raises Invalid with a message at `current` or `password`.
    """
    require_strong(actor.login, password)
    _, known = _known(store, actor.login, current)
    fresh = hash_password(password)
    with store.work(actor, origin) as work:
        account = lock_account_row(work, actor.account_id)
        right = known is not None and known.password_hash == account.password_hash and _open_for(account, work.now)
        if right:
            account.password_hash, account.password_at, account.failed = fresh, work.now, 0
            end_sign_ins(work, account.id, keep=_hash(token))
            append(work, f"account:{account.id}", [Entry("password_changed")])
        else:
            _count_failure(work, actor.account_id, rules)
    if not right:
        raise Invalid({"current": "原密码不正确"})


# Built once: every request asks it.
_BEHIND = actor_query(SignIn.seen_at).join(SignIn, SignIn.account_id == Account.id).where(
    SignIn.token_hash == bindparam("token_hash"),
    SignIn.expires_at > bindparam("now"),
    SignIn.seen_at > bindparam("still_there"),
    ~Account.locked,
)


def actor_of(store: Store, token: str, *, rules: SignInRules = RULES, there: bool = True) -> Actor | None:
    """Who is behind a token; None where nobody is: unknown, signed out, idle too long, expired, locked or gone.

    One query; once a minute also one small write, which notes that the person is there: not where `there` is False, as for a
    script that asks by itself.
    """
    now, token_hash = store.clock.now(), _hash(token)
    with store.read() as session:
        rows = session.execute(_BEHIND, {"token_hash": token_hash, "now": now, "still_there": now - rules.idle}).all()
    actor = actor_from(rows)
    if there and actor is not None and rows[0].seen_at <= now - SEEN_EVERY:
        with store.work(actor) as work:
            # Of several requests at once only the first writes.
            seen = SignIn.token_hash == token_hash, SignIn.seen_at <= now - SEEN_EVERY
            work.session.execute(update(SignIn).where(*seen).values(seen_at=now))
    return actor


@dataclass(frozen=True, slots=True)
class Proof:
    """That a program knew the password of an account; holds as long as that password does."""

    account_id: int
    password_hash: str


@command
def prove(store: Store, login: str, password: str, origin: Origin = Origin(), *, rules: SignInRules = RULES) -> Proof:
    """Checks a password for one who makes no sign-in, such as a program with HTTP Basic; takes tens of milliseconds.

    Failures are counted, recorded and lead to the same lockout as at the sign-in page. Raises SignInRefused.
    """
    account_id, known = _known(store, login, password)
    with store.work(None, origin) as work:
        account = lock_account_row(work, known.account_id) if known else None
        right = known is not None and account is not None and account.password_hash == known.password_hash and _open_for(account, work.now)
        if not right:
            _count_failure(work, account_id, rules)
        elif account is not None and account.failed:
            account.failed, account.locked_until = 0, None
    if known is None or not right:
        raise SignInRefused
    return Proof(known.account_id, known.password_hash)


_PROVEN = actor_query().where(
    Account.id == bindparam("account"), Account.password_hash == bindparam("password_hash"), ~Account.locked,
    or_(Account.locked_until.is_(None), Account.locked_until <= bindparam("now")),
)  # fmt: skip


def actor_proven(store: Store, proof: Proof) -> Actor | None:
    """The person behind a proof as known now; None where the password changed, the account was locked or has left. One query."""
    with store.read() as session:
        names = {"account": proof.account_id, "password_hash": proof.password_hash, "now": store.clock.now()}
        return actor_from(session.execute(_PROVEN, names).all())


@command
def sign_out(store: Store, token: str, origin: Origin = Origin()) -> None:
    """Ends one sign-in; an unknown token is no error."""
    with store.work(None, origin) as work:
        ended = work.session.scalar(delete(SignIn).where(SignIn.token_hash == _hash(token)).returning(SignIn.account_id))
        if ended is not None:
            append(work, f"account:{ended}", [Entry("signed_out", actor=load_actor(work.session, ended))])


@command
def sign_out_everywhere(store: Store, account_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Ends every sign-in of one's own account; others are ended by locking or a new password."""
    if actor.account_id != account_id:
        raise Refused("只能退出自己的全部登录")
    with store.work(actor, origin) as work:
        end_sign_ins(work, account_id)
        append(work, f"account:{account_id}", [Entry("signed_out_everywhere")])


def _known(store: Store, login: str, password: str) -> tuple[int | None, _Known | None]:
    """The account of a login, if any, and the proof that the password was right. Hashing happens here, in no transaction."""
    login = login.strip().lower()
    found = None
    if LOGIN.fullmatch(login):
        with store.read() as session:
            found = session.execute(select(Account.id, Account.password_hash).where(Account.login == login)).first()
    password_hash: str | None = found.password_hash if found else None
    if not matches(password_hash, password) or found is None or password_hash is None:
        return (found.id if found else None), None
    return found.id, _Known(found.id, password_hash, hash_password(password) if outdated(password_hash) else None)


def _open_for(account: Account, now: datetime) -> bool:
    return account.active and not account.locked and (account.locked_until is None or account.locked_until <= now)


def _admit(work: Work, known: _Known, replaces: str | None, rules: SignInRules) -> str | None:
    """Makes the sign-in; None where the account is closed, or changed since the password was checked.

    Asked again here under the row lock, so that many guesses sent at once get no more tries than one after another.
    """
    account = lock_account_row(work, known.account_id)
    if account.password_hash != known.password_hash or not _open_for(account, work.now):
        return None
    account.failed, account.locked_until = 0, None
    if known.fresh_hash:
        account.password_hash = known.fresh_hash
    stale = [SignIn.expires_at <= work.now]
    if replaces:
        stale.append(SignIn.token_hash == _hash(replaces))
    for condition in stale:
        work.session.execute(delete(SignIn).where(condition))
    token = secrets.token_urlsafe(32)
    work.session.execute(insert(SignIn).values(
        token_hash=_hash(token), account_id=account.id, created_at=work.now, seen_at=work.now,
        expires_at=work.now + rules.lifetime, address=work.origin.address[:64],
    ))  # fmt: skip
    append(work, f"account:{account.id}", [Entry("signed_in", actor=load_actor(work.session, account.id))])
    return token


def _count_failure(work: Work, account_id: int | None, rules: SignInRules) -> None:
    """Records a failed attempt and locks the account out after too many.

    Attempts during a lockout do not prolong it. What was typed as an unknown login is not kept: it may be a password.
    """
    if account_id is None:
        append(work, "sign_in", [Entry("sign_in_failed")])
        return
    account = lock_account_row(work, account_id)
    entries = [Entry("sign_in_failed")]
    if _open_for(account, work.now):
        account.failed += 1
        if account.failed >= rules.failures:
            account.failed, account.locked_until = 0, work.now + rules.lockout
            entries.append(Entry("locked_out", data={"until": account.locked_until}))
    append(work, f"account:{account_id}", entries)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
