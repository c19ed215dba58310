"""Alembic's environment: online only, the address comes from `engine.store.migrate`.

The list of modules with tables is found by scanning the packages, so that this floor names none of those above it.
"""

from __future__ import annotations

import importlib
import pkgutil

import engine
from alembic import context
from engine.store.base import Base
from engine.store.migrate import engine_for


def import_tables() -> None:
    """Imports every module of the engine, so that all tables are in the metadata."""
    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        if ".migrations" not in module.name and not module.name.endswith(("cli", "worker")):
            importlib.import_module(module.name)


def run() -> None:
    import_tables()
    connectable = engine_for(context.config.attributes["url"])
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=False, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    connectable.dispose()


run()
