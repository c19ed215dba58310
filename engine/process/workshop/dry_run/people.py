"""Who acts in a dry run: people who hold the post, or a stand-in; and the files that they pretend to upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.accounts import account_id_of
from engine.people.actor import Actor, load_actor
from engine.people.posts import post_label
from engine.people.tables import Account, Appointment, Unit, UnitBody
from engine.process.assigning import MADE_UP
from engine.process.definitions import Deployed
from engine.process.instances import start_body, start_posts
from engine.process.tables import Attachment
from engine.store.errors import NotFound
from engine.store.store import Work

#: The name of who stands in where nobody is chosen, and how such logins begin: no real one can.
STAND_IN, STAND_IN_LOGIN = "虚拟承办人", MADE_UP


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be chosen to act."""

    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Starter:
    """Somebody who may start the process, and for which unit."""

    unit_code: str
    unit_name: str
    login: str
    name: str
    post_label: str


def somebody(work: Work, login: str, unit_id: int, post: str) -> Actor:
    """The person of that login; without one, a stand-in made for this run who holds the post. Raises NotFound."""
    if login:
        actor = load_actor(work.session, account_id_of(work.session, login))
        if actor is None:
            raise NotFound("该账号已停用，请另选经办人")
        return actor
    name = f"{STAND_IN_LOGIN}{unit_id}.{post}"[:64]
    found = work.session.scalar(select(Account.id).where(Account.login == name))
    if found is None:
        account = Account(login=name, name=STAND_IN, unit_id=unit_id, created_at=work.now)
        work.session.add(account)
        work.session.flush()
        work.session.add(Appointment(account_id=account.id, unit_id=unit_id, post=post))
        work.session.flush()
        found = account.id
    actor = load_actor(work.session, found)
    assert actor is not None
    return actor


def people_of(session: Session, unit_id: int, post: str) -> list[Person]:
    """Who holds a post in a unit now, by name."""
    query = (
        select(Account.login, Account.name).join(Appointment, Appointment.account_id == Account.id)
        .where(Appointment.unit_id == unit_id, Appointment.post == post, Account.active).order_by(Account.name, Account.id)
    )  # fmt: skip
    return [Person(login, name) for login, name in session.execute(query) if not login.startswith(STAND_IN_LOGIN)]


def person_of(session: Session, account_id: int | None) -> list[Person]:
    """The person that a task was given to; nobody where it is a post's."""
    account = session.get(Account, account_id) if account_id is not None else None
    return [Person(account.login, account.name)] if account is not None else []


def starters(session: Session, definition: Deployed) -> list[Starter]:
    """Everybody who may start the process, by unit. One query."""
    query = (
        select(Unit.code, Unit.name, Account.login, Account.name, Appointment.post)
        .join(Appointment, Appointment.unit_id == Unit.id).join(Account, Account.id == Appointment.account_id)
        .where(Appointment.post.in_(start_posts(definition)), Account.active, Unit.active)
        .order_by(Unit.code, Account.name, Account.id)
    )  # fmt: skip
    body = start_body(definition)
    if body is not None:
        query = query.where(Unit.id.in_(select(UnitBody.unit_id).where(UnitBody.body == body)))
    return [Starter(code, unit, login, name, post_label(post)) for code, unit, login, name, post in session.execute(query)]


def pretended_files(
    work: Work, person: Actor, files: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[int]], list[int]]:
    """Rows for files that nobody uploads: field → ids for the answers, and all ids. Without bytes, and gone with the run."""
    rows: dict[str, list[Attachment]] = {
        field: [
            Attachment(name=name[:200], media_type="", size=0, digest="", stored="", uploaded_by=person.account_id, uploaded_at=work.now)
            for name in names if name
        ]
        for field, names in files.items()
    }  # fmt: skip
    work.session.add_all([row for group in rows.values() for row in group])
    work.session.flush()
    ids = {field: [row.id for row in group] for field, group in rows.items()}
    return {field: found for field, found in ids.items() if field != "attachments"}, [one for group in ids.values() for one in group]
