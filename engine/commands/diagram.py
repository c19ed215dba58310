"""`diagram check`, `deploy` and `export`: process definitions between files and the database."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands import diagram_back_test, diagram_compare, diagram_import, diagram_migrate, diagram_rehearse
from engine.commands.common import (
    CLI,
    FOUND_WRONG,
    CommandError,
    add_json,
    emit,
    has_database,
    know_operations,
    open_store,
    person,
    reading_settings,
)

if TYPE_CHECKING:
    from engine.process.package import Package
    from engine.process.interpreter.model import Problem
    from engine.store.store import Store

#: A diagram is drawn by people; a larger file is something else.
BYTES_MAX = 5 * 1024 * 1024


def add(commands: Any) -> None:
    verbs = commands.add_parser("diagram", help="process definitions").add_subparsers(metavar="VERB", required=True)
    check = verbs.add_parser("check", help="may this diagram be deployed? exit 0, or 1 with the problems")
    check.add_argument(
        "file", type=_diagram, metavar="FILE", help="the diagram, or its folder; forms/ and documents/ beside it belong to it"
    )
    add_json(check)
    check.set_defaults(run=run_check)
    diagram_compare.add(verbs, _diagram, read_file)
    diagram_import.add(verbs)
    diagram_migrate.add(verbs)
    diagram_back_test.extend(diagram_rehearse.add(verbs, _diagram, read_file))
    deploy = verbs.add_parser("deploy", help="store a new version, approved by a second person")
    deploy.add_argument("file", type=_diagram, metavar="FILE", help="the diagram, or its folder, of whichever rule set")
    deploy.add_argument("--reason", required=True, help="why; it stays on record")
    deploy.add_argument("--by", required=True, metavar="LOGIN", help="who changed the diagram")
    deploy.add_argument("--approved-by", required=True, metavar="LOGIN", help="who approves it: somebody else")
    deploy.add_argument("--effective", metavar="DATE", help="from when cases follow it (default: now)")
    add_json(deploy)
    deploy.set_defaults(run=run_deploy)
    export = verbs.add_parser("export", help="write the newest deployed versions as files")
    export.add_argument("folder", type=Path, metavar="DIR", help="receives <rule set>/<process>/diagram.bpmn, forms/ and documents/")
    add_json(export)
    export.set_defaults(run=run_export)


def _diagram(text: str) -> Path:
    """The diagram that a path means: the file, or the one of a process folder such as bpmn/national_2025/conditional_share."""
    given = Path(text)
    return given / "diagram.bpmn" if given.is_dir() else given


# -- check ------------------------------------------------------------------------------------


def run_check(options: argparse.Namespace) -> int:
    from engine.process.check import as_json

    know_operations()
    problems = _checked(options.file, read_file(options.file))
    wrong = any(problem.severity == "error" for problem in problems)
    if options.json:
        emit({"problems": as_json(problems)})
    else:
        print("\n".join(map(_line, problems)) or "没有发现问题，可以发布")
    return FOUND_WRONG if wrong else 0


def _checked(file: Path, package: Package) -> list[Problem]:
    """The findings, made in a process apart: against the installation's own versions where there is one."""
    from engine.process.definitions import base_of, known_processes
    from engine.process.interpreter.reader import key_of
    from engine.process.workshop.checking import checked, refused_early

    early = refused_early(package.xml)
    if early is not None:
        return [early]
    settings = reading_settings()
    if not has_database(settings):
        return checked(package, _neighbours(file))
    with open_store(settings) as store, store.read() as session:
        known = known_processes(session)
        base = base_of(session, key_of(package.xml), package.rule_set)
    return checked(package, _neighbours(file) | known, base=base)


def _line(problem: Problem) -> str:
    kind = "错误" if problem.severity == "error" else "提示"
    article = f"（{problem.article}）" if problem.article else ""
    return f"{kind} [{problem.rule}] {problem.message}{article}"


def read_file(file: Path) -> Package:
    """The diagram with the forms and documents beside it. Raises CommandError for a form that is no JSON."""
    from engine.process.package import Package, read_templates

    if file.stat().st_size > BYTES_MAX:
        raise CommandError(f"{file}: too large for a diagram")
    forms = {}
    for form in sorted(file.parent.glob("forms/*.json")):
        try:
            forms[form.stem] = json.loads(form.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise CommandError(f"{form}: not JSON: {error}") from error
    return Package(_rule_set(file), file.read_bytes(), forms, read_templates(file.parent))


def _listing(file: Path) -> dict[str, Any]:
    """The rule_set.json of the folder that a process folder stands in; empty for a file that stands elsewhere."""
    listing = file.absolute().parent.parent / "rule_set.json"
    try:
        found = json.loads(listing.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError as error:
        raise CommandError(f"{listing}: not JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def _rule_set(file: Path) -> str:
    return str(_listing(file).get("key") or reading_settings().rule_set)


def _neighbours(file: Path) -> set[str]:
    """The processes that are deployed together with this one."""
    from engine.process.rule_sets import process_folders

    return set(process_folders(file.absolute().parent.parent)) if "processes" in _listing(file) else set()


# -- deploy and export ------------------------------------------------------------------------


def run_deploy(options: argparse.Namespace) -> int:
    from calendars.command import instant
    from engine.process.check import as_json
    from engine.process.definitions import NotDeployable, deploy, deployed

    package = read_file(options.file)
    effective = instant(options.effective) if options.effective else None
    with open_store(reading_settings()) as store:
        by, approved_by = person(store, options.by), person(store, options.approved_by)
        try:
            definition_id = deploy(
                store, package, actor=by, approved_by=approved_by, reason=options.reason, effective_at=effective, origin=CLI
            )
        except NotDeployable as error:
            if options.json:
                emit({"problems": as_json(error.problems)})
            else:
                print("\n".join(map(_line, error.problems)))
            return FOUND_WRONG
        with store.read() as session:
            found = deployed(session, definition_id)
    facts = {"key": found.key, "version": found.version, "effective_at": found.effective_at.isoformat()}
    if options.json:
        emit(facts)
    else:
        print(f"{found.key} version {found.version} is deployed, effective from {facts['effective_at']}")
    return 0


def run_export(options: argparse.Namespace) -> None:
    with open_store(reading_settings()) as store:
        packages = newest_packages(store)
    written = [str(_write(options.folder / package.rule_set / key, package)) for key, package in packages.items()]
    if options.json:
        emit({"written": written})
    else:
        print("\n".join(written))


def newest_packages(store: Store) -> dict[str, Package]:
    """Process key → its newest version, also where that is not in force yet."""
    from sqlalchemy import select
    from sqlalchemy.orm import undefer

    from engine.process.definitions import THERE
    from engine.process.package import Package, from_text
    from engine.process.tables import Definition

    everything = (undefer(Definition.xml), undefer(Definition.forms), undefer(Definition.documents))
    with store.read() as session:
        rows = session.scalars(select(Definition).where(THERE).options(*everything).order_by(Definition.key, Definition.version))
        return {row.key: Package(row.rule_set, row.xml, row.forms, from_text(row.documents)) for row in rows}


def _write(folder: Path, package: Package) -> Path:
    """Writes a process folder such that reading it back gives the same package."""
    (folder / "forms").mkdir(parents=True, exist_ok=True)
    (folder / "documents").mkdir(exist_ok=True)
    (folder / "diagram.bpmn").write_bytes(package.xml)
    for name, form in package.forms.items():
        (folder / "forms" / f"{name}.json").write_text(json.dumps(form, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for name, template in package.documents.items():
        (folder / "documents" / f"{name}.docx").write_bytes(template)
    return folder / "diagram.bpmn"
