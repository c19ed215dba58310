"""The ground that the other tests stand on: fresh databases that know nothing of each other, and survive a crash."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.database import Cluster


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    names = inspect(engine).get_table_names()
    engine.dispose()
    return names


@pytest.mark.parametrize("time", ["first", "second"])
def test_what_one_test_leaves_no_other_test_finds(empty_database_url: str, time: str) -> None:
    assert tables(empty_database_url) == []
    execute(empty_database_url, "CREATE TABLE left_behind (id INTEGER)")


def test_a_migrated_database_has_our_tables(database_url: str) -> None:
    assert {"instance", "task", "timer"} <= set(tables(database_url))


@pytest.mark.postgresql
@pytest.mark.usefixtures("cluster")  # says so where there is no PostgreSQL
def test_what_was_committed_survives_a_crash_of_the_server() -> None:
    with Cluster(durable=True) as durable:
        url = durable.url(durable.create())
        execute(url, "CREATE TABLE kept (id INTEGER)", "INSERT INTO kept VALUES (1)")
        durable.kill()
        durable.start()
        assert tables(url) == ["kept"]
