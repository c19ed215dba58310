"""Alembic's environment: online only, the address comes from `engine.store.migrate`.

The list of modules with tables is found by scanning the packages, so that this floor names none of those above it.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator

import engine
from engine.store.base import Base, BigId, Json, UtcDateTime
from engine.store.migrate import engine_for


def import_tables() -> None:
    """Imports every module of the engine, so that all tables are in the metadata."""
    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        if ".migrations" not in module.name and not module.name.endswith(("cli", "worker")):
            importlib.import_module(module.name)


def render(kind: str, value: Any, made: AutogenContext) -> str | Literal[False]:
    """Our own column types by name, so that a migration reads as the tables do; a decorated text is text to a migration."""
    if kind != "type":
        return False
    for known, name in ((BigId, "BigId"), (Json, "Json")):
        if repr(value) == repr(known):
            made.imports.add(f"from engine.store.base import {name}")
            return name
    if isinstance(value, UtcDateTime):
        made.imports.add("from engine.store.base import UtcDateTime")
        return "UtcDateTime()"
    if isinstance(value, TypeDecorator):
        return "sa.Text()"
    return False


def run() -> None:
    import_tables()
    connectable = engine_for(context.config.attributes["url"])
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, render_item=render)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    connectable.dispose()


run()
