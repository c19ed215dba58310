"""`diagram import`: a file from another tool through the tolerant pass; with a login, kept as a draft."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from engine.process.interpreter.model import Problem
    from engine.process.package import Package
    from engine.process.workshop.importing.foreign import Imported


def add(verbs: Any) -> None:
    parser = verbs.add_parser("import", help="a file from another tool: what was rewritten, what is to be filled in; --by keeps a draft")
    parser.add_argument("file", type=Path, metavar="FILE", help="a .bpmn file, or a folder of them to look at")
    parser.add_argument("--dry-run", action="store_true", help="keep nothing, whoever is named")
    parser.add_argument("--process", metavar="ID", help="which process is to run, where the file has several")
    parser.add_argument("--by", metavar="LOGIN", help="keep a draft, as this person's work; without it nothing is kept")
    parser.add_argument("--key", help="key of the process (default: as in the file)")
    parser.add_argument("--name", default="", help="name of the process (default: as in the file)")
    parser.add_argument("--rule-set", metavar="KEY", help="rule set of a new process (default: the installation's)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the rewritten diagram there")
    add_json(parser)
    parser.set_defaults(run=run_import)


def run_import(options: argparse.Namespace) -> int:
    """Exit 0 when a draft can be made of the file (of every file of a folder), 1 when not."""
    from engine.process.interpreter.model import DiagramError

    know_operations()
    if options.file.is_dir():
        return _run_folder(options)
    data = _bytes(options.file)
    try:
        found = _read(data, options.process)
        draft = _keep(data, options, found) if options.by and not options.dry_run else None
    except DiagramError as error:
        return _refused(options, error)
    if options.output is not None:
        options.output.write_bytes(found.xml)
    _show(options, found, draft)
    return 0


def _bytes(file: Path) -> bytes:
    """No more of a file than it takes to see that it is too large."""
    from engine.process.interpreter.document import MAX_BYTES

    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _read(data: bytes, process: str | None) -> Imported:
    """The file as this installation would take it; where there is none yet, by itself."""
    from engine.process.check import check
    from engine.process.definitions import known_processes
    from engine.process.workshop.drafts import base_package
    from engine.process.workshop.importing.foreign import read_foreign

    settings = reading_settings()
    if not has_database(settings):
        return read_foreign(data, process=process)
    with open_store(settings) as store:
        with store.read() as session:
            known = known_processes(session)

        def judge(package: Package, base: Package | None) -> list[Problem]:
            return check(package, known, base=base)

        def newest(key: str) -> Package | None:
            with store.read() as session:
                return base_package(session, key)

        return read_foreign(data, process=process, check=judge, package_of=newest)


def _keep(data: bytes, options: argparse.Namespace, found: Imported) -> int:
    from engine.process.workshop.importing.drafts import import_draft, suggested_key

    settings = reading_settings()
    key = options.key or suggested_key(found, options.file.name) or found.key
    with open_store(settings) as store:
        return import_draft(
            store, data, actor=person(store, options.by), key=key, name=options.name,
            rule_set=options.rule_set or settings.rule_set, process=options.process, origin=CLI,
        )  # fmt: skip


def _refused(options: argparse.Namespace, error: Any) -> int:
    from engine.process.check import as_json
    from engine.process.workshop.importing.drafts import sentence_of

    if options.json:
        emit({"problems": as_json(error.problems)})
    else:
        print(f"无法导入：{sentence_of(error)}")
    return FOUND_WRONG


def _show(options: argparse.Namespace, found: Imported, draft: int | None) -> None:
    from engine.process.workshop.importing.foreign import as_json

    if options.json:
        emit({**as_json(found), **({"draft": draft} if draft is not None else {})})
        return
    required = [gap for gap in found.to_fill_in if gap.required]
    optional = [gap for gap in found.to_fill_in if not gap.required]
    print(f"流程“{found.name}”（{found.key}）可以建立草稿" + (f"，已建立草稿 {draft}" if draft is not None else ""))
    for title, lines in (
        ("改写", [one.message for one in found.rewritten]), ("发布前须填写", [one.message for one in required]),
        ("请留意", [one.message for one in optional]), ("原样保留、在本系统不起作用", [f"{one.what}（{one.count}处）" for one in found.kept]),
    ):  # fmt: skip
        print(f"\n{title}（{len(lines)}）" if lines else f"\n{title}：无")
        print("\n".join(f"  {line}" for line in lines), end="\n" if lines else "")


def _run_folder(options: argparse.Namespace) -> int:
    """Every file of a folder: one line each, and the sum."""
    from engine.process.interpreter.model import DiagramError
    from engine.process.workshop.importing.foreign import as_json
    from engine.process.workshop.importing.drafts import sentence_of

    if options.by and not options.dry_run:
        raise CommandError("a folder is only looked at: import its files one by one")
    files = sorted(file for file in options.file.iterdir() if file.suffix.lower() in (".bpmn", ".xml") and file.is_file())
    if not files:
        raise CommandError(f"{options.file}: no .bpmn file in it")
    said: dict[str, Any] = {}
    for file in files:
        try:
            found = _read(_bytes(file), None)
        except DiagramError as error:
            said[file.name] = {"problem": sentence_of(error)}
            line = f"无法导入：{sentence_of(error)}"
        else:
            said[file.name] = as_json(found)
            required = sum(gap.required for gap in found.to_fill_in)
            line = f"改写{len(found.rewritten)}处，发布前须填写{required}项，请留意{len(found.to_fill_in) - required}项"
        if not options.json:
            print(f"{file.name}：{line}")
    good = sum("problem" not in one for one in said.values())
    if options.json:
        emit({"files": said, "importable": good})
    else:
        print(f"共{len(said)}个文件，{good}个可以建立草稿")
    return 0 if good == len(said) else FOUND_WRONG
