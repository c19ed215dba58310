"""`init`: from nothing, or from an older version, to an installation that can serve. Running it again changes nothing."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from engine.commands.common import CLI, CommandError, database_file, know_operations
from engine.store.settings import Settings, read_settings
from engine.store.store import Store, store_of


def add(commands: Any) -> None:
    init = commands.add_parser("init", help="create or migrate the database, load the notices, deploy the rule set")
    init.add_argument("--demo", action="store_true", help="also load the demo town with its past half year, where there is no case yet")
    init.set_defaults(run=run_init)


def run_init(options: argparse.Namespace) -> None:
    know_operations()
    settings = read_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    file = database_file(settings)
    if options.demo and file is not None and not file.exists():
        told = _make_aside(file, settings)
    else:
        told = _make(settings, demo=options.demo)
    print(f"The database is ready: {file or make_url(settings.database_url).render_as_string(hide_password=True)}{told}")


def _make(settings: Settings, *, demo: bool) -> str:
    """Brings a database to this version; returns what there is to tell of the demo."""
    from engine.store.migrate import upgrade

    upgrade(settings.database_url)
    store = store_of(settings)
    try:
        install(store, settings)
        return _load_demo(store, settings) if demo else ""
    finally:
        store.close()


def _make_aside(file: Path, settings: Settings) -> str:
    """Makes a new embedded database with the demo town under another name, and puts it in place when it is whole.

    The half year takes a while; whoever interrupts it would otherwise keep half a town for good.
    """
    aside = file.with_name(f"{file.name}.new")
    for left in file.parent.glob(f"{aside.name}*"):  # by an earlier try, with SQLite's files beside it
        left.unlink()
    told = _make(replace(settings, database_url=f"sqlite:///{aside}"), demo=True)
    os.replace(aside, file)
    return told


def install(store: Store, settings: Settings) -> None:
    """Loads the shipped notices and deploys the rule set: what is there already is left alone."""
    from engine.process.definitions import deploy_rule_set
    from engine.process.editions import load_shipped_notices

    folder = settings.diagrams / settings.rule_set
    in_force_from = _in_force_from(folder)
    with store.work(None, CLI) as work:
        load_shipped_notices(work)
        deploy_rule_set(work, folder, in_force_from)


def _in_force_from(folder: Path) -> datetime:
    """Since when the rules of a rule set hold: a case received on that day or later may follow them."""
    from calendars.command import instant

    listing = folder / "rule_set.json"
    try:
        return instant(str(json.loads(listing.read_text(encoding="utf-8"))["in_force_from"]))
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(f"{listing}: it must say in_force_from, a date ({error})") from error


def _load_demo(store: Store, settings: Settings) -> str:
    """Loads the demo town where there is no case yet; returns what to tell."""
    from sqlalchemy import select

    from engine.process.tables import Instance

    with store.read() as session:
        if session.scalar(select(Instance.id).limit(1)) is not None:
            return "; there are cases already, so no demo town is loaded"
    from engine.demo.load import load_demo

    load_demo(store, settings)
    return ", with the demo town"
