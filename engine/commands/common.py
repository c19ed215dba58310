"""What all commands share: how they refuse, how they print, how they reach the database."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.store.settings import PREFIX, Settings, read_settings
from engine.store.store import Origin, Store, store_of

if TYPE_CHECKING:
    from engine.people.actor import Actor

#: Exit codes: a check that found something wrong; a command that could not be carried out as it was typed.
FOUND_WRONG, BAD_INPUT = 1, 2

#: From where the command line acts, for the history.
CLI = Origin("", "cli")


class CommandError(Exception):
    """The command cannot be carried out; the message is one line for the person who typed it."""


class Parser(argparse.ArgumentParser):
    """Refuses what was typed wrongly in one line."""

    def error(self, message: str) -> Any:
        raise CommandError(f"{message} (try: {self.prog} --help)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """For reading commands: the answer as JSON."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def emit(data: Any) -> None:
    """Prints JSON as people can read it too."""
    print(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lines with aligned columns; a Chinese character is two columns wide."""
    widths = [max(_width(line[column]) for line in [head, *rows]) for column in range(len(head))]
    lines = []
    for line in [head, *rows]:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if ord(sign) >= 0x2E80 else 1 for sign in text)


def reading_settings() -> Settings:
    """The settings for a command that needs no secret; unlike `read_settings` it leaves no file behind on a fresh machine."""
    given = os.environ.get(f"{PREFIX}SECRET_KEY", "").strip()
    return read_settings({**os.environ, f"{PREFIX}SECRET_KEY": given or "-" * 32})


def database_file(settings: Settings) -> Path | None:
    """The file of an embedded database, whether it is there or not; None for PostgreSQL."""
    scheme = "sqlite:///"
    return Path(settings.database_url.removeprefix(scheme)) if settings.database_url.startswith(scheme) else None


def has_database(settings: Settings) -> bool:
    """Whether there is a database to ask, without making one."""
    file = database_file(settings)
    return file is None or file.exists()


def know_operations() -> None:
    """Registers what diagrams may call: the kernel's own operations and those of all registers."""
    from engine.process import notices
    from engine.sharing import registry

    assert notices and registry, "imported for what they register"


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The installation's database, with everything registered that its diagrams call.

    Raises CommandError where there is none, or one of another version.
    """
    from engine.store.migrate import is_current

    if not has_database(settings):
        raise CommandError("there is no database yet; run: sharing-bpm init")
    know_operations()
    store = store_of(settings)
    try:
        if not is_current(store.engine):
            raise CommandError("the database does not have this version's tables; run: sharing-bpm init")
        yield store
    finally:
        store.close()


def person(store: Store, login: str) -> Actor:
    """Who has this login. Raises NotFound; CommandError where the account is no longer active."""
    from engine.people.accounts import account_id_of
    from engine.people.actor import load_actor

    with store.read() as session:
        actor = load_actor(session, account_id_of(session, login))
    if actor is None:
        raise CommandError(f"the account {login!r} is no longer active")
    return actor
