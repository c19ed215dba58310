"""`diagram migrate`: running cases to another version; shows what would become of each, or plans and starts the migration.

The worker moves the cases. Who plans and who agrees are two people here as in the browser.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from engine.commands.common import CLI, FOUND_WRONG, CommandError, add_json, emit, know_operations, open_store, person, reading_settings

if TYPE_CHECKING:
    from engine.people.actor import Actor
    from engine.process.workshop.migrating.preview import CasePreview
    from engine.store.store import Store


def add(verbs: Any) -> None:
    parser = verbs.add_parser("migrate", help="running cases to another version; without --approved-by only shows what would become of them")
    parser.add_argument("key", metavar="PROCESS", help="key of the process")
    parser.add_argument("--from", dest="before", type=int, required=True, metavar="N", help="the version on which they run")
    parser.add_argument("--to", dest="after", type=int, required=True, metavar="N", help="the version to which they go")
    parser.add_argument("--map", dest="maps", action="append", default=[], metavar="OLD=NEW", help="overrules the proposal; OLD= for none")
    parser.add_argument("--by", required=True, metavar="LOGIN", help="who plans it")
    parser.add_argument("--approved-by", metavar="LOGIN", help="who starts it: somebody else")
    parser.add_argument("--reason", default="", help="why; it stays on the record of each case")
    add_json(parser)
    parser.set_defaults(run=run_migrate)


def run_migrate(options: argparse.Namespace) -> int:
    """Exit 0 when all cases can move (or the migration is under way), 1 when some would stay."""
    from engine.people.permissions import require
    from engine.process.workshop.migrating.commands import plan_migration, start_migration

    know_operations()
    chosen = dict(_pair(text) for text in options.maps)
    with open_store(reading_settings()) as store:
        by = person(store, options.by)
        before, after = (_version(store, options.key, number) for number in (options.before, options.after))
        if options.approved_by is None:
            return _show(options, _cases(store, by, before, after, chosen))
        approver = person(store, options.approved_by)
        require(approver, "approve_diagrams")
        if approver.account_id == by.account_id:
            raise CommandError("--by and --approved-by must be two people")
        made = plan_migration(store, actor=by, from_id=before, to_id=after, chosen=chosen, reason=options.reason, origin=CLI)
        start_migration(store, made, actor=approver, origin=CLI)
    if options.json:
        emit({"migration": made})
    else:
        print(f"migration {made} is under way; the worker moves the cases")
    return 0


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not old:
        raise CommandError(f"--map {text!r}: expected OLD=NEW")
    return old, new


def _version(store: Store, key: str, number: int) -> int:
    from sqlalchemy import select

    from engine.process.definitions import THERE
    from engine.process.tables import Definition

    with store.read() as session:
        found = session.scalar(select(Definition.id).where(Definition.key == key, Definition.version == number, THERE))
    if found is None:
        raise CommandError(f"process {key!r} has no version {number}")
    return found


def _cases(store: Store, by: Actor, before: int, after: int, chosen: dict[str, str]) -> list[CasePreview]:
    from engine.process.workshop.migrating.preview import preview

    lines: list[CasePreview] = []
    following: str | None = None
    while True:
        page = preview(store, actor=by, from_id=before, to_id=after, chosen=chosen, after=following)
        lines += page.lines
        following = page.next
        if following is None:
            return lines


def _show(options: argparse.Namespace, lines: list[CasePreview]) -> int:
    if options.json:
        emit({"cases": [
            {"number": line.number, "stays": line.stays,
             "tasks": [{"from": task.before.name, "to": task.after.name} for task in line.tasks],
             "deadlines": [{"activity": move.activity, "from": _iso(move.from_day), "to": _iso(move.to_day), "why": move.why}
                           for move in line.deadlines]}
            for line in lines
        ]})  # fmt: skip
    else:
        for line in lines:
            moves = "；".join(f"“{move.activity}”{_iso(move.from_day)} → {_iso(move.to_day)}" for move in line.deadlines)
            print(f"{line.number}  {'保持原版本：' + line.stays if line.stays else '可以迁移  ' + moves}")
    return FOUND_WRONG if any(line.stays for line in lines) else 0


def _iso(day: Any) -> str | None:
    return day.isoformat() if day is not None else None
