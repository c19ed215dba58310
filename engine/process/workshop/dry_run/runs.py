"""Dry runs that are kept: each move is a row that names the one before it, so that every state of a run has an address.

Going back in the browser, reloading and sending somebody the address all work; undoing is going back to the move before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.definitions import THERE, deployed
from engine.process.package import Package
from engine.process.tables import Definition
from engine.process.workshop.drafts import draft_sheet, require_workshop
from engine.process.workshop.dry_run.script import MOVES_MAX, ScriptMove, read_move
from engine.process.workshop.dry_run.walk import Rehearsal, rehearse
from engine.process.workshop.tables import DryRunMove
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, command

#: Runs that nobody has gone on with for so long are thrown away.
KEPT = timedelta(weeks=8)


@dataclass(frozen=True, slots=True)
class Origins:
    """What is rehearsed: a draft, or a deployed version."""

    draft_id: int | None = None
    definition_id: int | None = None


@dataclass(frozen=True, slots=True)
class KeptMove:
    """A move with its address."""

    id: int
    move: ScriptMove


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list: where it stands is its newest move."""

    newest: int
    moves: int
    begun_by: str
    begun_at: datetime


def package_of(session: Session, actor: Actor, origins: Origins) -> Package:
    """What would run. Raises NotFound, NotAllowed."""
    require_workshop(actor)
    if origins.draft_id is not None:
        return draft_sheet(session, actor, origins.draft_id).package
    if origins.definition_id is None:
        raise NotFound("没有找到该流程版本")
    found = deployed(session, origins.definition_id)
    return Package(found.rule_set, found.diagram.xml, found.forms, found.documents)


@dataclass(frozen=True, slots=True)
class VersionPackage:
    """A deployed version, to be rehearsed."""

    id: int
    name: str
    package: Package


def version_of(session: Session, actor: Actor, key: str, version: int) -> VersionPackage:
    """A deployed version by key and number. Raises NotFound, NotAllowed."""
    require_workshop(actor)
    found = session.scalar(select(Definition.id).where(Definition.key == key, Definition.version == version, THERE))
    if found is None:
        raise NotFound("没有找到该流程版本")
    return VersionPackage(found, deployed(session, found).name, package_of(session, actor, Origins(definition_id=found)))


def script_to(session: Session, origins: Origins, move_id: int) -> list[KeptMove]:
    """The moves from the start up to this one. One query. Raises NotFound, also for a move of another draft."""
    if move_id >= 1 << 63:
        raise NotFound("没有找到该次试运行")  # no database has such a number
    this = select(func.coalesce(DryRunMove.run_id, DryRunMove.id)).where(DryRunMove.id == move_id).scalar_subquery()
    rows = {
        row.id: row
        for row in session.scalars(select(DryRunMove).where(or_(DryRunMove.run_id == this, DryRunMove.id == this)))
        if (row.draft_id, row.definition_id) == (origins.draft_id, origins.definition_id)
    }
    script: list[KeptMove] = []
    place: int | None = move_id
    while place is not None:
        row = rows.get(place)
        if row is None:
            raise NotFound("没有找到该次试运行，可能已超过保存期限")
        script.append(KeptMove(row.id, read_move(row.move)))
        place = row.parent_id
    return script[::-1]


def runs_of(session: Session, origins: Origins, limit: int = 10) -> list[RunLine]:
    """The newest runs of a draft or version."""
    run = func.coalesce(DryRunMove.run_id, DryRunMove.id)
    mine = DryRunMove.draft_id == origins.draft_id if origins.draft_id is not None else DryRunMove.definition_id == origins.definition_id
    newest = (
        select(run.label("run"), func.max(DryRunMove.id).label("newest"), func.count().label("moves"))
        .where(mine).group_by(run).order_by(func.max(DryRunMove.id).desc()).limit(limit).subquery()
    )  # fmt: skip
    rows = session.execute(
        select(newest.c.newest, newest.c.moves, Account.name, DryRunMove.created_at)
        .join(DryRunMove, DryRunMove.id == newest.c.run).join(Account, Account.id == DryRunMove.created_by)
        .order_by(newest.c.newest.desc())
    )  # fmt: skip
    return [RunLine(*row) for row in rows]


def make_move(
    store: Store, origins: Origins, after: int | None, move: ScriptMove, *, actor: Actor, origin: Origin = Origin()
) -> tuple[int | None, Rehearsal]:
    """Tries a move after another one (None: it begins a run) and keeps it if it can be made.

    Returns its address, or None where the move was refused: then the rehearsal says why and stands where it stood before.
    Raises NotFound, NotAllowed, NotRehearsable; Invalid for a run that is too long.
    """
    with store.read() as session:
        package = package_of(session, actor, origins)
        script = script_to(session, origins, after) if after is not None else []
    if len(script) >= MOVES_MAX:
        raise Invalid(message=f"试运行最多{MOVES_MAX}步，请重新开始")
    read_move(move.as_json())
    rehearsal = rehearse(store, package, [*(kept.move for kept in script), move], actor=actor)
    if rehearsal.stopped is not None:
        return None, rehearsal
    return _keep(store, origins, script, move, actor=actor, origin=origin), rehearsal


@command
def _keep(
    store: Store, origins: Origins, script: list[KeptMove], move: ScriptMove, *, actor: Actor, origin: Origin
) -> int:
    with store.work(actor, origin) as work:
        if not script:
            run = func.coalesce(DryRunMove.run_id, DryRunMove.id)
            left = select(run).group_by(run).having(func.max(DryRunMove.created_at) < work.now - KEPT)
            work.session.execute(delete(DryRunMove).where(run.in_(left)), execution_options={"synchronize_session": False})
        row = DryRunMove(
            run_id=script[0].id if script else None, parent_id=script[-1].id if script else None, draft_id=origins.draft_id,
            definition_id=origins.definition_id, move=move.as_json(), created_by=actor.account_id, created_at=work.now,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        return row.id
