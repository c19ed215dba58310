"""Accounts and appointments: a verb each. Actor None is the system itself: the installer and the command line.

The three administrators are separate persons (三员分立): one manages accounts, one grants posts, one reads the logs.
So accounts ask for one power and posts for another, nobody grants a post to themselves, and an administrator's post
stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.passwords import hash_password, require_strong
from engine.people.posts import POSTS, post_label
from engine.people.tables import Account, Appointment, SignIn, Unit
from engine.people.units import allow
from engine.store.errors import Invalid, NotAllowed, NotFound, Refused
from engine.store.store import Origin, Store, Work, command

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class PostNotAlone(Refused):
    """系统管理员、安全管理员、审计管理员应由专人担任，不能与其他岗位兼任。"""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a post: whom a notice goes to."""

    account_id: int
    name: str
    email: str | None


# -- commands ---------------------------------------------------------------------------------


@command
def create_account(
    store: Store,
    login: str,
    name: str,
    unit_id: int,
    *,
    actor: Actor | None,
    password: str | None = None,
    password_hash: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    appointments: Iterable[tuple[int, str]] = (),
    origin: Origin = Origin(),
) -> int:
    """A new account, with its posts as (unit id, post) pairs; returns its id.

    `password_hash` takes a ready hash instead of a password (many demo accounts with one password); with neither,
    nobody can sign in until a password is set. Raises NotAllowed, Invalid, PostNotAlone, NotFound.
    """
    allow(actor, "manage_accounts")
    posts = list(appointments)
    if posts:
        allow(actor, "manage_grants_of_posts")
    login = login.strip().lower()
    _check_identity(login, name)
    if password is not None:
        require_strong(login, password)
        password_hash = hash_password(password)
    with store.work(actor, origin) as work:
        account = Account(
            login=login, name=name.strip(), unit_id=unit_id, password_hash=password_hash, phone=phone, email=email,
            active=True, locked=False, failed=0, created_at=work.now, password_at=work.now if password_hash else None,
        )  # fmt: skip
        work.session.add(account)
        try:
            work.session.flush()
        except IntegrityError as error:
            raise Invalid({"login": "该登录名已被使用，或所选单位不存在"}) from error
        _record(work, account.id, "account_created", login=login, name=account.name, unit=unit_id)
        for post_unit, post in posts:
            _appoint(work, account.id, post_unit, post)
        return account.id


@command
def set_password(
    store: Store, account_id: int, password: str, *, actor: Actor | None, origin: Origin = Origin()
) -> None:
    """An administrator sets somebody's password and signs them out everywhere. (One's own: `sign_in.change_password`.)

    Also ends a lockout. Raises NotAllowed, NotFound, Invalid.
    """
    allow(actor, "manage_accounts")
    with store.read() as session:
        login = session.scalar(select(Account.login).where(Account.id == account_id))
    require_strong(login or "", password)
    fresh = hash_password(password)
    with store.work(actor, origin) as work:
        account = lock_account_row(work, account_id)
        account.password_hash, account.password_at = fresh, work.now
        account.failed, account.locked_until = 0, None
        end_sign_ins(work, account_id)
        _record(work, account_id, "password_set")


@command
def deactivate(store: Store, account_id: int, *, actor: Actor | None, reason: str = "", origin: Origin = Origin()) -> None:
    """Ends an account for good: signed out, every post given up; its past stays. Raises NotAllowed, NotFound."""
    _allow_over_others(actor, account_id)
    with store.work(actor, origin) as work:
        account = lock_account_row(work, account_id)
        account.active = False
        end_sign_ins(work, account_id)
        held = work.session.execute(
            delete(Appointment).where(Appointment.account_id == account_id).returning(Appointment.unit_id, Appointment.post)
        )
        given_up = sorted([unit_id, post] for unit_id, post in held)
        _record(work, account_id, "account_deactivated", reason=reason, posts=given_up)


@command
def lock_account(store: Store, account_id: int, *, actor: Actor | None, reason: str = "", origin: Origin = Origin()) -> None:
    """Keeps a person out until unlocked, and signs them out now. Raises NotAllowed, NotFound."""
    _allow_over_others(actor, account_id)
    with store.work(actor, origin) as work:
        lock_account_row(work, account_id).locked = True
        end_sign_ins(work, account_id)
        _record(work, account_id, "account_locked", reason=reason)


@command
def unlock_account(store: Store, account_id: int, *, actor: Actor | None, origin: Origin = Origin()) -> None:
    """Lets a person in again, whether an administrator locked them out or wrong passwords did. Raises NotAllowed, NotFound."""
    allow(actor, "manage_accounts")
    with store.work(actor, origin) as work:
        account = lock_account_row(work, account_id)
        account.locked, account.failed, account.locked_until = False, 0, None
        _record(work, account_id, "account_unlocked")


@command
def appoint(
    store: Store, account_id: int, unit_id: int, post: str, *, actor: Actor | None, origin: Origin = Origin()
) -> None:
    """Gives a person a post in a unit; already held, nothing happens. Raises NotAllowed, NotFound, PostNotAlone, Invalid."""
    _allow_grant(actor, account_id)
    with store.work(actor, origin) as work:
        if not lock_account_row(work, account_id).active:
            raise NotFound("该账号已停用")
        _appoint(work, account_id, unit_id, post)


@command
def dismiss(
    store: Store, account_id: int, unit_id: int, post: str, *, actor: Actor | None, origin: Origin = Origin()
) -> None:
    """Takes a post in a unit from a person; not held, nothing happens. Raises NotAllowed, NotFound."""
    _allow_grant(actor, account_id)
    with store.work(actor, origin) as work:
        lock_account_row(work, account_id)
        row = work.session.get(Appointment, (account_id, unit_id, post))
        if row is not None:
            work.session.delete(row)
            _record(work, account_id, "dismissed", unit=unit_id, post=post)


# -- parts that sign_in shares ----------------------------------------------------------------


def lock_account_row(work: Work, account_id: int) -> Account:
    """The account row, locked until the transaction ends. Raises NotFound."""
    account = work.session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise NotFound("没有找到该账号")
    return account


def end_sign_ins(work: Work, account_id: int, *, keep: str | None = None) -> None:
    """Signs the person out everywhere, but for the sign-in with the token hash `keep`."""
    work.session.execute(delete(SignIn).where(SignIn.account_id == account_id, SignIn.token_hash != (keep or "")))


# -- lookups ----------------------------------------------------------------------------------


def holders(session: Session, unit_id: int, post: str) -> list[Holder]:
    """The active people who hold a post in a unit, by name. One query."""
    query = (
        select(Account.id, Account.name, Account.email)
        .join(Appointment, Appointment.account_id == Account.id)
        .where(Appointment.unit_id == unit_id, Appointment.post == post, Account.active)
        .order_by(Account.name, Account.id)
    )
    return [Holder(*row) for row in session.execute(query)]


def account_id_of(session: Session, login: str) -> int:
    """The id of an account by its login. Raises NotFound."""
    found = session.scalar(select(Account.id).where(Account.login == login.strip().lower()))
    if found is None:
        raise NotFound("没有找到该账号")
    return found


# -- within -----------------------------------------------------------------------------------


def _check_identity(login: str, name: str) -> None:
    fields = {}
    if not LOGIN.fullmatch(login):
        fields["login"] = "登录名由小写字母、数字及“.”“_”“-”组成，不超过64个字符"
    if not name.strip():
        fields["name"] = "请填写姓名"
    if fields:
        raise Invalid(fields)


def _allow_over_others(actor: Actor | None, account_id: int) -> None:
    allow(actor, "manage_accounts")
    if actor is not None and actor.account_id == account_id:
        raise NotAllowed("不能停用或锁定自己的账号")


def _allow_grant(actor: Actor | None, account_id: int) -> None:
    allow(actor, "manage_grants_of_posts")
    if actor is not None and actor.account_id == account_id:
        raise NotAllowed("不能变更自己的岗位")


def _appoint(work: Work, account_id: int, unit_id: int, post: str) -> None:
    if post not in POSTS:
        raise Invalid({"post": f"没有“{post_label(post)}”这个岗位"})
    if work.session.get(Unit, unit_id) is None:
        raise NotFound("没有找到该单位")
    rows = work.session.execute(
        select(Appointment.unit_id, Appointment.post).where(Appointment.account_id == account_id)
    )
    held = {(held_unit, held_post) for held_unit, held_post in rows}
    if (unit_id, post) in held:
        return
    others = {other for _, other in held if other != post}
    if others and (POSTS[post].alone or any(other in POSTS and POSTS[other].alone for other in others)):
        raise PostNotAlone
    work.session.execute(insert(Appointment).values(account_id=account_id, unit_id=unit_id, post=post))
    _record(work, account_id, "appointed", unit=unit_id, post=post)


def _record(work: Work, account_id: int, act: str, **data: Any) -> None:
    append(work, f"account:{account_id}", [Entry(act, data=data)])
