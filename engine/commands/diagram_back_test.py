"""`diagram rehearse FILE --back-test FROM..UNTIL`: what a diagram would have made of the cases received in a period.

The same replay as the back-test of the workshop, here and now, with the numbers first; nothing is stored. Exit 0 where every
case would have gone alike, 1 where one would not or the diagram has faults.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from engine.commands.common import FOUND_WRONG, CommandError, emit, know_operations, open_store, reading_settings, table

if TYPE_CHECKING:
    from engine.process.workshop.back_testing.commands import Replayed

#: Characters of the bar that shows progress on a terminal.
BAR = 40
#: Cases told one by one; all of them stand in the JSON.
CASES_TOLD = 50


def extend(parser: argparse.ArgumentParser) -> None:
    """Gives the verb `rehearse` its other way: without the option it does what it did."""
    parser.add_argument(
        "--back-test", type=_period, metavar="FROM..UNTIL",
        help="replay the cases received from one day through another (2026-01-01..2026-06-30); exit 1 where one would differ",
    )  # fmt: skip
    walk: Callable[[argparse.Namespace], int] = parser.get_default("run")

    def run(options: argparse.Namespace) -> int:
        return run_back_test(options) if options.back_test else walk(options)

    parser.set_defaults(run=run)


def _period(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last)
        days[1] + timedelta(days=1)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no period such as 2026-01-01..2026-06-30") from None
    if not dots or days[0] > days[1]:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return days


def run_back_test(options: argparse.Namespace) -> int:
    from engine.process.check import as_json, check
    from engine.process.definitions import known_processes
    from engine.process.interpreter.reader import read_diagram
    from engine.process.workshop.back_testing.commands import CASES_MAX, replay_period
    from engine.process.workshop.back_testing.replay import Plan
    from engine.process.workshop.back_testing.sheets import cases_in
    from engine.store.clock import SHANGHAI

    know_operations()
    package = options.read(options.file)
    since, last = (datetime.combine(day, time(), SHANGHAI) for day in options.back_test)
    with open_store(reading_settings()) as store:
        with store.read() as session:
            problems = check(package, known_processes(session))
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            if options.json:
                emit({"problems": as_json(errors)})
            else:
                print("\n".join(f"错误 [{problem.rule}] {problem.message}" for problem in errors))
            return FOUND_WRONG
        diagram = read_diagram(package.xml)
        until = min(last + timedelta(days=1), store.clock.now())
        with store.read() as session:
            [total] = cases_in(session, diagram.key, [(since, until)])
        if total > CASES_MAX:
            raise CommandError(f"{total} cases are more than {CASES_MAX}: take a shorter period")
        pages = replay_period(store, Plan(diagram, package.forms), diagram.key, since, until)
        return _tell(options.json, total, _watched(pages, total))


def _watched(pages: Iterable[list[Replayed]], total: int) -> Iterable[list[Replayed]]:
    """The pages, with a bar on the terminal while they come."""
    done, shown = 0, sys.stderr.isatty()
    for page in pages:
        done += len(page)
        if shown:
            filled = BAR * done // max(total, 1)
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}")
            sys.stderr.flush()
        yield page
    if shown:
        sys.stderr.write("\n")


def _tell(as_json: bool, total: int, pages: Iterable[list[Replayed]]) -> int:
    from engine.process.workshop.back_testing.commands import counted

    counts: Mapping[str, Any] = counted({}, [])
    different: list[Replayed] = []
    done = 0
    for page in pages:
        done += len(page)
        found = [case for case in page if case.findings]
        different += found
        counts = counted(counts, found)
    if as_json:
        emit(_facts(done, counts, different))
    else:
        print("\n".join(_lines(done, counts, different)))
    return FOUND_WRONG if different else 0


def _facts(done: int, counts: Mapping[str, Any], different: list[Replayed]) -> dict[str, Any]:
    from engine.process.workshop.back_testing.commands import as_kept

    cases = [
        {"number": case.number, "kinds": case.kinds, "findings": [as_kept(finding) for finding in case.findings]} for case in different
    ]
    return {"replayed": done, "different": counts["cases"], "kinds": counts["kinds"], "steps": counts["steps"], "cases": cases}


def _lines(done: int, counts: Mapping[str, Any], different: list[Replayed]) -> list[str]:
    from engine.process.workshop.back_testing.sheets import KINDS
    from engine.store.clock import SHANGHAI

    lines = [f"回放{done}件，有差别{counts['cases']}件"]
    kinds = [kind for kind in KINDS if kind in counts["kinds"]]
    if kinds:
        head = ["环节", *(KINDS[kind] for kind in kinds)]
        rows = [[step["name"], *(str(step["kinds"].get(kind, "")) for kind in kinds)] for step in counts["steps"].values()]
        lines += ["", table(head, [["合计", *(str(counts["kinds"][kind]) for kind in kinds)], *rows]), ""]
    for case in different[:CASES_TOLD]:
        lines.append(case.number)
        for finding in case.findings:
            moves = f"（{finding.before or '无'} → {finding.after or '无'}）" if finding.before or finding.after else ""
            parts = "，由此分开" if finding.parts else ""
            lines.append(f"   {finding.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} {finding.text}{moves}{parts}")
    if len(different) > CASES_TOLD:
        lines.append(f"另有{len(different) - CASES_TOLD}件，用 --json 查看全部")
    return lines
