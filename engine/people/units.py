"""Units and the bodies they carry: commands and the lookups that every floor above asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.people.posts import BODIES
from engine.people.tables import Unit, UnitBody
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, Work, command


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """A unit as a value."""

    id: int
    code: str
    name: str
    short: str
    kind: str
    area: str
    parent_id: int | None
    active: bool


# -- commands ---------------------------------------------------------------------------------


@command
def create_unit(
    store: Store,
    code: str,
    name: str,
    *,
    actor: Actor | None,
    short: str = "",
    kind: str = "",
    area: str = "",
    parent_id: int | None = None,
    origin: Origin = Origin(),
) -> int:
    """A new unit; returns its id. Actor None is the system itself (the installer, the command line).

    Raises NotAllowed without the power to manage accounts, Invalid for an empty name or a code that is taken.
    """
    allow(actor, "manage_accounts")
    code, name = code.strip(), name.strip()
    missing = {key: "请填写" for key, value in (("code", code), ("name", name)) if not value}
    if missing:
        raise Invalid(missing)
    with store.work(actor, origin) as work:
        unit = Unit(code=code, name=name, short=short.strip() or name, kind=kind, area=area, parent_id=parent_id, active=True)
        work.session.add(unit)
        try:
            work.session.flush()
        except IntegrityError as error:
            raise Invalid({"code": "该单位编号已被使用，或上级单位不存在"}) from error
        _record(work, unit.id, "unit_created", code=code, name=name)
        return unit.id


@command
def rename_unit(
    store: Store, unit_id: int, name: str, *, actor: Actor | None, short: str = "", origin: Origin = Origin()
) -> None:
    """Gives a unit another name; its code and its past stay. Raises NotAllowed, NotFound, Invalid."""
    allow(actor, "manage_accounts")
    name = name.strip()
    if not name:
        raise Invalid({"name": "请填写"})
    with store.work(actor, origin) as work:
        unit = work.session.get(Unit, unit_id, with_for_update=True)
        if unit is None:
            raise NotFound("没有找到该单位")
        before, unit.name, unit.short = unit.name, name, short.strip() or name
        _record(work, unit_id, "unit_renamed", before=before, after=name)


@command
def set_body(store: Store, body: str, unit_id: int, *, actor: Actor | None, origin: Origin = Origin()) -> None:
    """Makes a unit the one that carries a body, in place of whichever did before.

    Powers tied to the body move with it, so this asks for the power over grants of posts.
    Raises NotAllowed, NotFound, and ValueError for a body that `posts.json` does not know.
    """
    allow(actor, "manage_grants_of_posts")
    if body not in BODIES:
        raise ValueError(f"unknown body {body!r}")
    with store.work(actor, origin) as work:
        if work.session.get(Unit, unit_id) is None:
            raise NotFound("没有找到该单位")
        row = work.session.get(UnitBody, body, with_for_update=True)
        before = row.unit_id if row else None
        if row is None:
            work.session.add(UnitBody(body=body, unit_id=unit_id))
        else:
            row.unit_id = unit_id
        _record(work, unit_id, "body_set", body=body, before=before)


def allow(actor: Actor | None, power: str) -> None:
    """For commands of this floor: the system itself (actor None) may, a person needs the power. Raises NotAllowed."""
    if actor is not None:
        require(actor, power)


def _record(work: Work, unit_id: int, act: str, **data: Any) -> None:
    append(work, f"unit:{unit_id}", [Entry(act, data=data)])


# -- lookups ----------------------------------------------------------------------------------

_COLUMNS = (Unit.id, Unit.code, Unit.name, Unit.short, Unit.kind, Unit.area, Unit.parent_id, Unit.active)
# Built once: every step of every case asks them.
_BY_ID = select(*_COLUMNS).where(Unit.id == bindparam("wanted"))
_BY_CODE = select(*_COLUMNS).where(Unit.code == bindparam("wanted"))
_BODIES = select(UnitBody.body, *_COLUMNS).join(Unit, Unit.id == UnitBody.unit_id)


def all_units(session: Session, *, active_only: bool = True) -> list[UnitFacts]:
    """The units in order of their codes. One query."""
    query = select(*_COLUMNS).order_by(Unit.code)
    if active_only:
        query = query.where(Unit.active)
    return [UnitFacts(*row) for row in session.execute(query)]


def unit_by_id(session: Session, unit_id: int) -> UnitFacts | None:
    """One unit; None where there is none."""
    return _one(session, _BY_ID, unit_id)


def unit_by_code(session: Session, code: str) -> UnitFacts | None:
    """One unit by the code that diagrams use; None where there is none."""
    return _one(session, _BY_CODE, code)


def unit_id_of(session: Session, code: str) -> int:
    """The id of the unit with this code, remembered by the process: neither ever changes. Raises NotFound."""
    cache = _cache(session)
    if ("unit", code) not in cache:
        found = unit_by_code(session, code)
        if found is None:
            raise NotFound(f"没有编号为“{code}”的单位")
        cache["unit", code] = found.id
    return cast(int, cache["unit", code])


def unit_codes(session: Session) -> dict[int, str]:
    """Unit id → code, of all units."""
    return {row.id: row.code for row in session.execute(select(Unit.id, Unit.code))}


def body_unit(session: Session, body: str) -> UnitFacts:
    """The unit that carries a body. All bodies are read at once and remembered for this transaction.

    Raises NotFound where no unit carries it: the installation is not complete.
    """
    bodies: dict[str, UnitFacts] | None = session.info.get("bodies")
    if bodies is None:
        bodies = session.info["bodies"] = {row[0]: UnitFacts(*row[1:]) for row in session.execute(_BODIES)}
    if body not in bodies:
        raise NotFound(f"尚未指定哪个单位承担“{BODIES.get(body, body)}”")
    return bodies[body]


def _one(session: Session, query: Select[*tuple[Any, ...]], wanted: int | str) -> UnitFacts | None:
    row = session.execute(query, {"wanted": wanted}).first()
    return UnitFacts(*row) if row else None


def _cache(session: Session) -> dict[Any, Any]:
    """The store's memory; for a session of nobody's store, one that dies with the session."""
    store: Store | None = session.info.get("store")
    return store.cache if store is not None else session.info.setdefault("units", {})
