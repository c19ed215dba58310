"""`calendar import` and `calendar publish`: a notice read from a file, and its publication by a second person."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.common import CLI, FOUND_WRONG, CommandError, add_json, emit, has_database, open_store, person, reading_settings, table

if TYPE_CHECKING:
    from calendars.notices import Notice
    from calendars.reading import Reading
    from engine.process.timekeeping.preview import Preview


def add(verbs: Any) -> None:
    bring = verbs.add_parser("import", help="read a holiday notice; exit 0, or 1 with every complaint")
    bring.add_argument("file", type=Path, metavar="FILE", help="the notice's text, its JSON, or an iCalendar file")
    bring.add_argument("--as", dest="kind", choices=("text", "json", "ics"), help="what the file is (default: found by its content)")
    bring.add_argument("--doc", default="", metavar="NUMBER", help="the document number, where the file does not say it")
    bring.add_argument("--published", metavar="DATE", help="when it was published (default: the day of its signature)")
    bring.add_argument("--signed", metavar="DATE", help="the day of its signature, where the file does not say it")
    bring.add_argument("--dry-run", action="store_true", help="read and judge only; nothing is written")
    bring.add_argument("--by", metavar="LOGIN", help="who brings it in; somebody else publishes it")
    bring.add_argument("--accept", default="", metavar="REASON", help="why its doubts are accepted")
    bring.add_argument("--policy", choices=("keep", "move"), default="keep", help="deadlines that would fall earlier: keep the later one (default) or move")
    add_json(bring)
    bring.set_defaults(run=run_import)
    publish = verbs.add_parser("publish", help="publish what was brought in, with the deadlines that move; without a number: what waits")
    publish.add_argument("proposal", nargs="?", type=int, metavar="N", help="the number that `calendar import` gave")
    publish.add_argument("--by", required=True, metavar="LOGIN", help="the second person, who has compared it with the paper")
    publish.add_argument("--dry-run", action="store_true", help="show which deadlines would move; nothing is written")
    add_json(publish)
    publish.set_defaults(run=run_publish)


def run_import(options: argparse.Namespace) -> int:
    from calendars.command import day
    from calendars.notice_files import Heading, read_file
    from engine.process.timekeeping.publishing import propose_notice

    signed, published = (day(text) if text else None for text in (options.signed, options.published))
    heading = Heading(options.doc, signed, published)
    reading = read_file(options.file.read_bytes(), standing(), kind=options.kind, heading=heading)
    wrong = bool(reading.errors or (reading.doubts and not options.accept))
    proposal = None
    if not options.dry_run and not wrong:
        if not options.by:
            raise CommandError("say who brings the notice in (--by LOGIN), or --dry-run")
        with open_store(reading_settings()) as store:
            proposal = propose_notice(
                store, reading, actor=person(store, options.by), source=options.file.read_text(encoding="utf-8", errors="replace"),
                accepted=options.accept, policy=options.policy, origin=CLI,
            )  # fmt: skip
    if options.json:
        emit({**reading.as_json(), **({"proposal": proposal} if proposal else {})})
    else:
        print("\n".join(_lines(reading)))
        if proposal:
            print(f"已提交确认，编号{proposal}：由另一人执行 sharing-bpm calendar publish {proposal} --by LOGIN")
    return FOUND_WRONG if wrong else 0


def standing() -> tuple[Notice, ...]:
    """The notices of the installation; before `init`, those that ship with the product."""
    from calendars.notices import shipped_notices
    from engine.process.editions import notices

    settings = reading_settings()
    if not has_database(settings):
        return shipped_notices()
    with open_store(settings) as store, store.read() as session:
        return notices(session)


def _lines(reading: Reading) -> list[str]:
    head = f"{reading.doc or '（无文号）'}　{reading.for_year}年　放假{len(reading.add_off)}天，上班{len(reading.add_work)}天"
    lines = [head, *(f"  {span.name}：{span.said}" for span in reading.spans if span.said)]
    lines += [f"错误 {complaint}" for complaint in reading.errors]
    lines += [f"疑点 {complaint}" for complaint in reading.doubts]
    return lines if reading.complaints else [*lines, "核对无误"]


def run_publish(options: argparse.Namespace) -> int:
    from engine.process.timekeeping.preview import preview_of
    from engine.process.timekeeping.publishing import confirm_notice, proposal_sheet, proposals
    from engine.process.timekeeping.recounting import recount

    with open_store(reading_settings()) as store:
        actor = person(store, options.by)
        with store.read() as session:
            if options.proposal is None:
                waiting = [line for line in proposals(session, actor) if line[3] == "open"]
                return _show_waiting(waiting, as_json=options.json)
            sheet = proposal_sheet(session, actor, options.proposal)
            foreseen = preview_of(session, actor, sheet, lines=None)
        run = None
        if not options.dry_run:
            run = confirm_notice(store, options.proposal, actor=actor, origin=CLI)
            while recount(store):
                pass
        _show_moves(foreseen, run, as_json=options.json)
    return 0


def _show_waiting(waiting: list[Any], *, as_json: bool) -> int:
    if as_json:
        emit([{"proposal": line[0], "doc": line[1], "calendar": line[2], "by": line[4], "at": line[5]} for line in waiting])
    else:
        print(table(["编号", "文号", "录入人"], [[str(line[0]), line[1], line[4]] for line in waiting]) if waiting else "没有待确认的日历变更")
    return 0


def _show_moves(foreseen: Preview, run: int | None, *, as_json: bool) -> None:
    numbers = {"cases": foreseen.cases, "later": foreseen.later, "earlier": foreseen.earlier, "kept": foreseen.kept, "settled": foreseen.settled}
    moves = [
        {"number": line.number, "activity": line.activity, "role": line.role, "units": line.units, "from": line.from_day, "to": line.to_day,
         "kept": line.kept, "provisional": line.provisional}
        for line in foreseen.lines
    ]  # fmt: skip
    if as_json:
        emit({**numbers, "moves": moves, **({"recount": run} if run else {})})
        return
    print(f"涉及办件{foreseen.cases}：推后{foreseen.later}，提前{foreseen.earlier}，保留{foreseen.kept}，不再暂定{foreseen.settled}")
    if moves:
        print(table(["办件", "时限", "种类", "原日期", "新日期"], [
            [line.number, line.activity, line.role, str(line.from_day or ""), "保留" if line.kept else str(line.to_day or "")] for line in foreseen.lines
        ]))
    print("已发布，在办时限已重新推算" if run else "未发布（试算）")
