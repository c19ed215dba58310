"""`user`: accounts and posts from the command line, for the first administrator and for emergencies.

Whoever can run this owns the machine; what it does is recorded in the history as done by the system.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import asdict, dataclass
from typing import Any

from engine.commands.common import CLI, CommandError, add_json, emit, open_store, reading_settings, table
from engine.store.store import Store


@dataclass(frozen=True, slots=True)
class Person:
    """One line of `user list`."""

    login: str
    name: str
    unit: str
    posts: list[str]
    """As <unit code>/<post>."""
    state: str
    """active · locked · no password · left"""


def add(commands: Any) -> None:
    verbs = commands.add_parser("user", help="accounts and posts").add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="all accounts with their posts")
    add_json(listing)
    listing.set_defaults(run=run_list)
    new = verbs.add_parser("add", help="a new account; the password is asked for, or read from standard input")
    _login(new)
    new.add_argument("--name", required=True, help="the person's name")
    new.add_argument("--unit", required=True, metavar="CODE", help="where the person works")
    new.add_argument("--post", action="append", default=[], metavar="POST", help="a post in that unit; may be repeated")
    new.add_argument("--email")
    new.add_argument("--phone")
    new.set_defaults(run=run_add)
    password = verbs.add_parser("password", help="set a password, which is asked for or read from standard input")
    _login(password)
    password.set_defaults(run=run_password)
    for verb, about, run in (
        ("lock", "keep a person out until unlocked, signed out at once", run_lock),
        ("unlock", "let a person in again", run_unlock),
        ("deactivate", "end an account for good", run_deactivate),
    ):
        parser = verbs.add_parser(verb, help=about)
        _login(parser)
        if run is not run_unlock:
            parser.add_argument("--reason", default="", help="why; it stays on record")
        parser.set_defaults(run=run)
    for verb, about, run in (("appoint", "give a post", run_appoint), ("dismiss", "take a post away", run_dismiss)):
        parser = verbs.add_parser(verb, help=about)
        _login(parser)
        parser.add_argument("post", metavar="POST", help="a post's key, such as handler")
        parser.add_argument("--unit", metavar="CODE", help="in which unit (default: the person's own)")
        parser.set_defaults(run=run)


def _login(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("login", metavar="LOGIN")


def run_list(options: argparse.Namespace) -> None:
    with open_store(reading_settings()) as store:
        people = everybody(store)
    if options.json:
        emit([asdict(person) for person in people])
    else:
        rows = [[person.login, person.name, person.unit, person.state, " ".join(person.posts)] for person in people]
        print(table(["login", "name", "unit", "state", "posts"], rows))


def everybody(store: Store) -> list[Person]:
    """All accounts by login, those who left last."""
    from sqlalchemy import select

    from engine.people.tables import Account, Appointment, Unit
    from engine.people.units import unit_codes

    with store.read() as session:
        codes = unit_codes(session)
        posts: dict[int, list[str]] = {}
        for account_id, unit_id, post in session.execute(
            select(Appointment.account_id, Appointment.unit_id, Appointment.post).order_by(Appointment.unit_id, Appointment.post)
        ):
            posts.setdefault(account_id, []).append(f"{codes[unit_id]}/{post}")
        rows = session.execute(
            select(Account, Unit.name).join(Unit, Unit.id == Account.unit_id).order_by(Account.active.desc(), Account.login)
        )
        return [
            Person(account.login, account.name, unit, posts.get(account.id, []), _state(account, store)) for account, unit in rows
        ]


def _state(account: Any, store: Store) -> str:
    if not account.active:
        return "left"
    if account.locked or (account.locked_until is not None and account.locked_until > store.clock.now()):
        return "locked"
    return "active" if account.password_hash else "no password"


def run_add(options: argparse.Namespace) -> None:
    from engine.people.accounts import create_account
    from engine.people.units import unit_id_of

    with open_store(reading_settings()) as store:
        with store.read() as session:
            unit_id = unit_id_of(session, options.unit)
        create_account(
            store, options.login, options.name, unit_id, actor=None, password=_new_password(), phone=options.phone,
            email=options.email, appointments=[(unit_id, post) for post in options.post], origin=CLI,
        )
    print(f"{options.login} can sign in")


def run_password(options: argparse.Namespace) -> None:
    from engine.people.accounts import set_password

    with open_store(reading_settings()) as store:
        account_id = _account(store, options.login)
        set_password(store, account_id, _new_password(), actor=None, origin=CLI)
    print(f"{options.login} has a new password and is signed out everywhere")


def run_lock(options: argparse.Namespace) -> None:
    from engine.people.accounts import lock_account

    with open_store(reading_settings()) as store:
        lock_account(store, _account(store, options.login), actor=None, reason=options.reason, origin=CLI)
    print(f"{options.login} is locked")


def run_unlock(options: argparse.Namespace) -> None:
    from engine.people.accounts import unlock_account

    with open_store(reading_settings()) as store:
        unlock_account(store, _account(store, options.login), actor=None, origin=CLI)
    print(f"{options.login} is unlocked")


def run_deactivate(options: argparse.Namespace) -> None:
    from engine.people.accounts import deactivate

    with open_store(reading_settings()) as store:
        deactivate(store, _account(store, options.login), actor=None, reason=options.reason, origin=CLI)
    print(f"{options.login} is deactivated and holds no posts")


def run_appoint(options: argparse.Namespace) -> None:
    from engine.people.accounts import appoint

    with open_store(reading_settings()) as store:
        account_id, unit_id = _place(store, options)
        appoint(store, account_id, unit_id, options.post, actor=None, origin=CLI)
    print(f"{options.login} holds {options.post}")


def run_dismiss(options: argparse.Namespace) -> None:
    from engine.people.accounts import dismiss

    with open_store(reading_settings()) as store:
        account_id, unit_id = _place(store, options)
        dismiss(store, account_id, unit_id, options.post, actor=None, origin=CLI)
    print(f"{options.login} does not hold {options.post}")


def _account(store: Store, login: str) -> int:
    from engine.people.accounts import account_id_of

    with store.read() as session:
        return account_id_of(session, login)


def _place(store: Store, options: argparse.Namespace) -> tuple[int, int]:
    """The account and the unit that an appointment is about."""
    from engine.people.tables import Account
    from engine.people.units import unit_id_of

    account_id = _account(store, options.login)
    with store.read() as session:
        if options.unit:
            return account_id, unit_id_of(session, options.unit)
        account = session.get(Account, account_id)
        assert account is not None, "it was just found"
        return account_id, account.unit_id


def _new_password() -> str:
    """Never an argument: those stand in the shell's history and in the list of processes."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise CommandError("the two passwords differ")
    return first
