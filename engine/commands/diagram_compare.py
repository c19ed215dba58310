"""`diagram compare A B`: what differs between two versions, each a file, a process folder, or `key@version` of the database."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.common import CommandError, add_json, emit, open_store, reading_settings

if TYPE_CHECKING:
    from engine.process.package import Package

#: `conditional_share@2`, `conditional_share@newest`.
_VERSION = re.compile(r"([A-Za-z_][\w.-]*)@([1-9][0-9]{0,8}|newest)")


def add(verbs: Any, diagram: Callable[[str], Path], read_file: Callable[[Path], Package]) -> None:
    """Hooks the verb in; `diagram` finds the file that a path means, `read_file` reads its package."""
    compare = verbs.add_parser("compare", help="what B changes in A, to the attribute")
    for name in ("a", "b"):
        compare.add_argument(name, metavar=name.upper(), help="a diagram or its folder, or key@version (key@newest) of the database")
    add_json(compare)

    def run(options: argparse.Namespace) -> int:
        return run_compare(options, lambda text: read_file(diagram(text)))

    compare.set_defaults(run=run)


def run_compare(options: argparse.Namespace, read: Callable[[str], Package]) -> int:
    """Exit 0 whether or not they differ: a difference is no fault."""
    from engine.process.interpreter.model import DiagramError
    from engine.process.workshop.comparing.compare import compare

    packages = []
    for text in (options.a, options.b):
        version = _VERSION.fullmatch(text)
        packages.append(_deployed(version[1], version[2]) if version and not Path(text).exists() else _read(text, read))
    try:
        found = compare(*packages)
    except DiagramError as error:
        raise CommandError(str(error)) from error
    if options.json:
        emit({
            "changes": [asdict(change) for change in found.changes],
            "added": sorted(found.added), "removed": sorted(found.removed),
            "changed": dict(sorted(found.changed.items())), "moved": dict(sorted(found.moved.items())),
        })  # fmt: skip
        return 0
    for heading, changes in found.grouped():
        print(heading)
        for change in changes:
            print(f"  {change.text}" + (f"（{change.article}）" if change.article else ""))
    if found.same:
        print("没有任何不同")
    return 0


def _read(text: str, read: Callable[[str], Package]) -> Package:
    try:
        return read(text)
    except FileNotFoundError as error:
        raise CommandError(f"{text}: no such file") from error


def _deployed(key: str, version: str) -> Package:
    from sqlalchemy import select

    from engine.process.definitions import THERE
    from engine.process.tables import Definition
    from engine.process.workshop.drafts import version_package

    with open_store(reading_settings()) as store, store.read() as session:
        query = select(Definition.id).where(Definition.key == key, THERE)
        if version == "newest":
            query = query.order_by(Definition.version.desc()).limit(1)
        else:
            query = query.where(Definition.version == int(version))
        package = version_package(session, session.scalar(query))
    if package is None:
        raise CommandError(f"{key}@{version}: no such version is deployed")
    return package
