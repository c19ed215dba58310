"""What the stories of duties have in common: the worker's sweep, and finding the case that it opened for a unit."""

from __future__ import annotations

from sqlalchemy import select

from engine.process.notifying.reading import notices
from engine.sharing import duties
from engine.sharing.duties import OpenedDuty
from engine.people.units import unit_id_of
from tests.town import Town


def sweep(town: Town, at: str) -> int:
    """Time passes until `at`, and a worker looks what the calendar demands; returns how many duties it opened."""
    town.passes_until(at)
    return duties.open_due(town.store)


def opened_for(town: Town, unit: str, duty: str, period: str) -> int:
    """The case of a unit's duty."""
    with town.store.read() as session:
        found = session.scalar(
            select(OpenedDuty.instance_id).where(
                OpenedDuty.unit_id == unit_id_of(session, unit), OpenedDuty.duty == duty, OpenedDuty.period == period
            )
        )
    assert found is not None, f"nothing opened for {unit}: {duty} {period}"
    return found


def units_with(town: Town, duty: str, period: str) -> int:
    """How many units have a duty of a period."""
    with town.store.read() as session:
        return len(session.scalars(select(OpenedDuty.unit_id).where(OpenedDuty.duty == duty, OpenedDuty.period == period)).all())


def texts(town: Town, unit: str, post: str) -> list[str]:
    """What somebody's notices say, newest first."""
    with town.store.read() as session:
        return [notice.text for notice in notices(session, town.officer(unit, post)).lines]
