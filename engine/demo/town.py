"""Loads the demo town: its units, the bodies they are, its people and posts, its catalogue and negative list.

Everything comes from `demo_town.json`. Loading it again adds what is missing and changes nothing that is there. A real
installation never calls this: its units and people are its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.accounts import create_account
from engine.people.passwords import hash_password
from engine.people.tables import Account, UnitBody
from engine.people.units import create_unit, set_body, unit_codes
from engine.sharing import negative_list
from engine.sharing.catalogue import Resource, add_resource
from engine.store.clock import shanghai
from engine.store.store import Store, command

#: What stands in the data where the items of a withheld resource are not even told to us.
_NOT_SHOWN = "（不展示数据项）"


@cache
def town_data() -> Mapping[str, Any]:
    """The town as written in its file; not to be changed."""
    data: Mapping[str, Any] = json.loads(Path(__file__).with_name("demo_town.json").read_text(encoding="utf-8"))
    return data


def load_town(store: Store, *, password: str | None) -> None:
    """Loads what is missing of the town; new accounts get `password`, each with its own salt. Without one nobody can sign in."""
    units = _load_units(store)
    _load_people(store, units, password)
    _load_catalogue(store, units)


def _load_units(store: Store) -> dict[str, int]:
    """Adds the units and the bodies that they are; returns unit code → id."""
    with store.read() as session:
        units = {code: unit_id for unit_id, code in unit_codes(session).items()}
        assigned = set(session.scalars(select(UnitBody.body)))
    for given in town_data()["departments"]:
        if given["no"] not in units:
            units[given["no"]] = create_unit(
                store,
                given["no"],
                given["name"],
                actor=None,
                short=given["short"],
                kind=given["kind"],
                area=given["area"],
            )
    for body, code in town_data()["bodies"].items():
        if body not in assigned:
            set_body(store, body, units[code], actor=None)
    return units


def _load_people(store: Store, units: Mapping[str, int], password: str | None) -> None:
    with store.read() as session:
        present = set(session.scalars(select(Account.login)))
    fresh = [given for given in town_data()["users"] if given["account"] not in present]
    with ThreadPoolExecutor() as threads:  # hashing is slow on purpose, and lets other threads run
        hashes = list(threads.map(hash_password, [password] * len(fresh))) if password else [None] * len(fresh)
    posts = town_data()["posts"]
    for given, password_hash in zip(fresh, hashes, strict=True):
        home = units[given["dept"]]
        held = dict.fromkeys(post for role in given["roles"] for post in posts[role])
        create_account(
            store,
            given["account"],
            given["name"],
            home,
            actor=None,
            password_hash=password_hash,
            appointments=[(home, post) for post in held],
        )


@command
def _load_catalogue(store: Store, units: Mapping[str, int]) -> None:
    """Enters the resources that are missing, each withheld one with its entry of the negative list."""
    words = town_data()["words"]
    with store.work() as work:
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
        at=shanghai(town_data()["listed_on"]),
        instance_id=None,
        note="随目录初始载入",
        state="listed" if basis["type"] in negative_list.BASIS_TYPES else "blocked",
        basis_type=basis["type"],
        basis=basis["law"],
        article=basis["article"],
        text=basis["text"],
        reason=basis["reason"],
    )
