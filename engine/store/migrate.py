"""Bringing a database to the current schema, by Alembic, from code: `init`, tests and operators use the same door."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from engine.store.store import open_engine

_HERE = Path(__file__).with_name("migrations")


def config(url: str) -> Config:
    """Alembic's configuration for a database address."""
    found = Config()
    found.set_main_option("script_location", str(_HERE))
    found.attributes["url"] = url
    return found


def upgrade(url: str) -> None:
    """Creates or migrates the schema; a current one is left alone."""
    command.upgrade(config(url), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly this version's schema."""
    newest = ScriptDirectory(str(_HERE)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def new_revision(url: str, message: str) -> None:
    """For developers: writes a migration from the difference between the tables and a database at the current head."""
    command.revision(config(url), message, autogenerate=True)


def engine_for(url: str) -> Engine:
    """An engine with the store's settings, for migrations."""
    return open_engine(make_url(url), pool_size=1)
