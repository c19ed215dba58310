"""Loads the demo town: its units, the bodies they are, its people and posts, its catalogue and negative list.

Everything comes from `demo_town.json`. Loading it again adds what is missing and changes nothing that is there. A real
installation never calls this: its units and people are its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.passwords import hash_password
from engine.people.tables import Account, Appointment, Unit, UnitBody
from engine.sharing import negative_list
from engine.sharing.catalogue import Resource, add_resource
from engine.store.clock import shanghai
from engine.store.store import Store, Work, command

#: What stands in the data where the items of a withheld resource are not even told to us.
_NOT_SHOWN = "（不展示数据项）"


@cache
def town_data() -> Mapping[str, Any]:
    """The town as written in its file; not to be changed."""
    data: Mapping[str, Any] = json.loads(Path(__file__).with_name("demo_town.json").read_text(encoding="utf-8"))
    return data


@command
def load_town(store: Store, *, password: str | None) -> None:
    """Loads what is missing of the town; all new accounts get `password`, each with its own salt.

    Without a password (None) nobody can sign in.
    """
    with store.read() as session:
        present = set(session.scalars(select(Account.login)))
    fresh = [given["account"] for given in town_data()["users"] if given["account"] not in present]
    # Hashing is slow on purpose and lets other threads run: all at once, and before the transaction is open.
    with ThreadPoolExecutor() as threads:
        hashes = dict(zip(fresh, threads.map(hash_password, [password] * len(fresh)), strict=True)) if password else {}
    with store.work() as work:
        units = _load_units(work.session)
        _load_people(work, units, hashes)
        _load_catalogue(work, units)


def _load_units(session: Session) -> dict[str, int]:
    """Adds the units and the bodies that they are; returns unit code → id."""
    present = {unit.code: unit for unit in session.scalars(select(Unit))}
    for given in town_data()["departments"]:
        if given["no"] not in present:
            unit = Unit(
                code=given["no"], name=given["name"], short=given["short"], kind=given["kind"], area=given["area"]
            )
            session.add(unit)
            present[unit.code] = unit
    session.flush()
    assigned = set(session.scalars(select(UnitBody.body)))
    for body, code in town_data()["bodies"].items():
        if body not in assigned:
            session.add(UnitBody(body=body, unit_id=present[code].id))
    session.flush()
    return {code: unit.id for code, unit in present.items()}


def _load_people(work: Work, units: Mapping[str, int], hashes: Mapping[str, str]) -> None:
    posts = town_data()["posts"]
    present = set(work.session.scalars(select(Account.login)))
    for given in town_data()["users"]:
        if given["account"] in present:
            continue
        account = Account(
            login=given["account"],
            name=given["name"],
            password_hash=hashes.get(given["account"]),
            unit_id=units[given["dept"]],
            created_at=work.now,
            password_at=work.now if hashes else None,
        )
        work.session.add(account)
        work.session.flush()
        held = dict.fromkeys(post for role in given["roles"] for post in posts[role])
        work.session.add_all(Appointment(account_id=account.id, unit_id=account.unit_id, post=post) for post in held)
    work.session.flush()


def _load_catalogue(work: Work, units: Mapping[str, int]) -> None:
    words = town_data()["words"]
    present = set(work.session.scalars(select(Resource.code)))
    for given in town_data()["resources"]:
        if given["code"] in present:
            continue
        resource = add_resource(
            work,
            code=given["code"],
            summary="初始编目",
            class_code=given["class_code"],
            kind=words["kind"][given["kind"]],
            name=given["name"],
            provider_id=units[given["provider"]],
            format=given["format"],
            sharing_class=words["share_type"][given["share_type"]],
            conditions=given["share_condition"],
            method=given["share_method"],
            update_cycle=given["update_cycle"],
            update_deadline=given["update_deadline"],
            open_to_public=given["open_to_public"],
            items=[item for item in given["items"] if item != _NOT_SHOWN],
            state=words["state"][given["state"]],
        )
        if resource.sharing_class == "withheld":
            _load_entry(work.session, resource, given["not_shared_basis"])


def _load_entry(session: Session, resource: Resource, key: str) -> None:
    """The negative-list entry of a withheld resource; without a basis it is blocked."""
    basis = next(basis for basis in town_data()["legal_bases"] if basis["key"] == key)
    negative_list.enter(
        session,
        resource,
        at=_listed_at(),
        instance_id=None,
        note="随目录初始载入",
        state="listed" if basis["type"] in negative_list.BASIS_TYPES else "blocked",
        basis_type=basis["type"],
        basis=basis["law"],
        article=basis["article"],
        text=basis["text"],
        reason=basis["reason"],
    )


def _listed_at() -> datetime:
    return shanghai(town_data()["listed_on"])
