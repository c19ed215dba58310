"""Units by code, id and body. Looked up once per session: a transaction names the same few units again and again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.tables import Unit, UnitBody


def unit_by_code(session: Session, code: str) -> Unit | None:
    """The unit with that code, dissolved ones included; None when there is none."""
    return _remembered(session, ("unit code", code), lambda: session.scalars(select(Unit).where(Unit.code == code)).first())


def unit_by_id(session: Session, unit_id: int) -> Unit | None:
    """The unit with that id, or None."""
    return session.get(Unit, unit_id)


def body_unit(session: Session, body: str) -> Unit | None:
    """The unit that carries a body, such as the leadership office; None when no unit does."""
    query = select(Unit).join(UnitBody, UnitBody.unit_id == Unit.id).where(UnitBody.body == body)
    return _remembered(session, ("unit body", body), lambda: session.scalars(query).first())


def _remembered(session: Session, key: tuple[str, str], find: object) -> Unit | None:
    """What this session has found before. Only hits are kept: a unit may be created later in the same transaction."""
    if key not in session.info:
        found = find()  # type: ignore[operator]
        if found is None:
            return None
        session.info[key] = found
    unit: Unit = session.info[key]
    return unit
