"""`diagram rehearse`: what a diagram would do, before anybody deploys it. Nothing real is touched.

With `--answers` it is walked as a dry run: a JSON list of moves, the same that the page keeps, such as
`[{"do": "start", "unit": "007", "by": "demo001", "about": {"resource_code": "…"}, "answers": {…}}, {"do": "timer"}]`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.common import FOUND_WRONG, CommandError, add_json, emit, know_operations, open_store, reading_settings

if TYPE_CHECKING:
    from engine.process.package import Package
    from engine.process.workshop.dry_run.walk import Rehearsal, Told

#: A script of two hundred moves is far smaller.
SCRIPT_BYTES_MAX = 4 * 1024 * 1024


def add(verbs: Any, path: Callable[[str], Path], read: Callable[[Path], Package]) -> argparse.ArgumentParser:
    """Adds the verb; `path` and `read` are how the other verbs take a diagram. Returns its parser for further options."""
    parser: argparse.ArgumentParser = verbs.add_parser("rehearse", help="walk a diagram on a virtual clock; exit 1 where it stops")
    parser.add_argument(
        "file", type=path, metavar="FILE", help="the diagram, or its folder; forms/ and documents/ beside it belong to it"
    )
    parser.add_argument("--answers", type=Path, metavar="FILE", help="a JSON list of the moves of a dry run")
    add_json(parser)
    parser.set_defaults(run=run_rehearse, read=read)
    return parser


def run_rehearse(options: argparse.Namespace) -> int:
    from engine.process.check import as_json
    from engine.process.workshop.dry_run.script import read_script
    from engine.process.workshop.dry_run.walk import NotRehearsable, rehearse

    know_operations()
    package = options.read(options.file)
    script = read_script(_moves(options.answers)) if options.answers else []
    with open_store(reading_settings()) as store:
        try:
            found = rehearse(store, package, script, actor=None)
        except NotRehearsable as refusal:
            if options.json:
                emit({"problems": as_json(refusal.problems)})
            else:
                print("\n".join(f"错误 [{problem.rule}] {problem.message}" for problem in refusal.problems))
            return FOUND_WRONG
    if options.json:
        emit(as_facts(found))
    else:
        print("\n".join(_lines(found)) or "没有发现错误，可以试运行：用 --answers 给出步骤")
    return FOUND_WRONG if found.stopped is not None or any(move.faults for move in found.moves) else 0


def _moves(file: Path) -> Any:
    if not file.is_file():
        raise CommandError(f"{file}: no such file")
    if file.stat().st_size > SCRIPT_BYTES_MAX:
        raise CommandError(f"{file}: too large for a script")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file}: not JSON: {error}") from error


def as_facts(found: Rehearsal) -> dict[str, Any]:
    """A dry run as JSON."""
    return {
        "now": found.now.isoformat(),
        "moves": [_move(move) for move in found.moves],
        "stopped": {"move": found.stopped.number, "message": found.stopped.message, "fields": dict(found.stopped.fields)}
        if found.stopped else None,
        "cases": [
            {
                "number": case.sheet.number, "process": case.sheet.process_key, "draft": case.drafted, "state": case.sheet.state,
                "outcome": case.sheet.outcome, "tokens": dict(case.tokens),
                "tasks": [
                    {"step": task.step, "name": task.view.name, "unit": task.view.unit_name, "post": task.view.post_label,
                     "people": [person.login for person in task.people], "due": task.view.due_at.isoformat() if task.view.due_at else None,
                     "provisional": task.view.provisional}
                    for task in case.tasks
                ],
                "timers": [
                    {"element": timer.element, "role": timer.role, "due": timer.due_at.isoformat() if timer.due_at else None}
                    for timer in case.timers
                ],
            }
            for case in found.cases
        ],
        "next_timer": found.next.at.isoformat() if found.next else None,
    }  # fmt: skip


def _move(move: Told) -> dict[str, Any]:
    did = move.effects
    return {
        "title": move.title, "person": move.person, "at": move.at.isoformat(), "faults": list(move.faults),
        "record": [{"case": entry.number, "title": entry.title, "details": entry.details} for entry in did.record],
        "registers": [
            {"register": change.register, "act": change.act, "title": change.title,
             "columns": [{"label": one.label, "before": one.before, "after": one.after} for one in change.columns]}
            for change in did.registers
        ],
        "letters": [{"title": letter.title, "number": letter.number, "text": letter.text} for letter in did.letters],
        "notices": [{"people": list(sent.people), "title": sent.title, "text": sent.text} for sent in did.notices],
        "variables": [{"case": one.number, "name": one.name, "before": one.before, "after": one.after} for one in did.variables],
    }  # fmt: skip


def _lines(found: Rehearsal) -> list[str]:
    from engine.store.clock import SHANGHAI

    lines = []
    for move in found.moves:
        lines.append(f"{move.number}. {move.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} {move.title} {move.person}".rstrip())
        did = move.effects
        lines += [f"   {entry.number} {entry.title}" + "".join(f"\n      {detail}" for detail in entry.details) for entry in did.record]
        lines += [f"   台账 {change.register} {change.title}" for change in did.registers]
        lines += [f"   文书 {letter.title} {letter.number}" for letter in did.letters]
        lines += [f"   消息 {sent.title}：{'、'.join(sent.people)}" for sent in did.notices]
        lines += [f"   异常 {fault}" for fault in move.faults]
    if found.stopped is not None:
        lines.append(f"第{found.stopped.number}步不能进行：{found.stopped.message}")
    for case in found.cases:
        lines.append(f"{case.sheet.number} {case.sheet.title}：{case.sheet.outcome_name or '办理中'}")
        lines += [f"   待办 {task.view.name}（{task.view.unit_name} {task.view.post_label}）" for task in case.tasks]
    return lines
