"""The history: chained, sealed, closed to change, and telling where it was touched all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from engine.history import (
    Entry,
    Head,
    History,
    HistoryHead,
    HistorySeal,
    HistorySealItem,
    append,
    chain,
    digest,
    insert_rows,
    instance_stream,
    move_head,
    try_head,
)
from engine.history_seal import SEALS, seal, verify
from engine.process.tables import Definition, Instance
from engine.store.append_only import APPEND_ONLY
from engine.store.clock import MovableClock, shanghai
from engine.store.store import Origin, Store, Work

HISTORY, SEAL, ITEM, HEAD = (
    table.__table__ for table in (History, HistorySeal, HistorySealItem, HistoryHead)
)


def say(store: Store, stream: str, *acts: str) -> None:
    with store.work(origin=Origin("10.0.0.7", "r1")) as work:
        append(work, stream, [Entry(act, data={"步骤": act, "n": 1.5}) for act in acts])


@contextmanager
def as_owner_of_the_database(store: Store) -> Iterator[Connection]:
    """What somebody with all rights on the database could do: switch triggers and foreign keys off, and write."""
    with store.engine.connect() as connection:
        if store.sqlite:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA foreign_keys = OFF")
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
        connection.commit()
        if store.sqlite:
            raw.execute("PRAGMA foreign_keys = ON")


def instance(store: Store, *acts: str) -> int:
    """An instance row with a stream of its own, its head kept on the row as the kernel does."""
    with store.work() as work:
        definition = Definition(
            key="leave", version=1, rule_set="test", name="请假", digest="", xml=b"", forms={}, documents={},
            deployed_at=work.now, deployed_by="x", approved_by="y", reason="", effective_at=work.now,
        )  # fmt: skip
        work.session.add(definition)
        work.session.flush()
        row = Instance(
            definition_id=definition.id, process_key="leave", number="1", title="请假", state="running", variables={},
            started_at=work.now, saved=b"", revision=1, history_seq=0, history_hash="",
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        rows, head = chain(Head(), instance_stream(row.id), [Entry(act) for act in acts], work, instance_id=row.id)
        insert_rows(work.session, rows)
        row.history_seq, row.history_hash = head.seq, head.hash
        return row.id


# -- chaining ---------------------------------------------------------------------------------


def test_entries_say_who_when_from_where_what_and_under_which_rules(store: Store) -> None:
    due = shanghai("2026-02-09")
    with store.work(origin=Origin("10.0.0.7", "r1")) as work:
        entry = Entry("fired", at=due, step="reply", article="某条", definition_id=3, edition="2026-1", data={"天": [1, 2]})
        append(work, "system", [entry])
    with store.read() as session:
        row = session.scalars(select(History)).one()
    assert (row.act, row.step, row.article, row.definition_id, row.edition) == ("fired", "reply", "某条", 3, "2026-1")
    assert (row.at, row.recorded_at) == (due, shanghai("2026-02-10 09:00"))
    assert (row.address, row.request_id, row.actor_id, row.data) == ("10.0.0.7", "r1", None, {"天": [1, 2]})
    assert (row.seq, row.prev_hash) == (1, "")


def test_a_stream_goes_on_where_it_ended(store: Store) -> None:
    say(store, "account:5", "a", "b")
    say(store, "account:6", "a")
    say(store, "account:5", "c")
    with store.read() as session:
        rows = session.scalars(select(History).where(History.stream == "account:5").order_by(History.seq)).all()
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.prev_hash for row in rows] == ["", rows[0].hash, rows[1].hash]
    assert verify(store).ok


def test_what_the_database_gives_back_has_the_hash_that_was_written(store: Store) -> None:
    odd = {"b": 1.0, "a": 1e-7, "大": 2**62, "z": [None, True, {"y": "\u0000 引号\" \\"}], "when": datetime(2026, 2, 10, tzinfo=UTC)}
    with store.work() as work:
        append(work, "system", [Entry("odd", at=work.now + timedelta(microseconds=7), data=odd)])
    with store.read() as session:
        row = session.execute(select(HISTORY)).mappings().one()
    assert digest(row) == row["hash"]
    assert verify(store).ok


def test_a_column_added_later_leaves_old_hashes_valid(store: Store) -> None:
    say(store, "system", "a")
    with store.read() as session:
        row = dict(session.execute(select(HISTORY)).mappings().one())
    assert digest(row | {"new_column": None}) == row["hash"]


def test_data_that_is_no_json_is_refused_and_nothing_is_kept(store: Store) -> None:
    with pytest.raises(TypeError), store.work() as work:
        append(work, "system", [Entry("fine"), Entry("bad", data={"x": {1, 2}})])
    assert verify(store).entries == 0


def test_a_rolled_back_act_leaves_no_entry_and_no_gap(store: Store) -> None:
    say(store, "system", "a")
    with pytest.raises(ZeroDivisionError), store.work() as work:
        append(work, "system", [Entry("b")])
        raise ZeroDivisionError
    say(store, "system", "c")
    assert verify(store).ok
    with store.read() as session:
        assert list(session.scalars(select(History.act).order_by(History.seq))) == ["a", "c"]


# -- closed to change -------------------------------------------------------------------------


@pytest.mark.parametrize("table", sorted(set(APPEND_ONLY) - {"history_removed"}))  # that one: process/test_removing.py
@pytest.mark.parametrize("verb", ["update", "delete", "replace", "truncate"])
def test_the_database_refuses_to_change_what_was_written(store: Store, table: str, verb: str) -> None:
    say(store, "system", "a", "b")
    assert seal(store) == 2
    column = {"history": "act", "history_seal": "hash", "history_seal_item": "seal_id"}[table]
    statement = {
        "update": f"UPDATE {table} SET {column} = {column}",
        "delete": f"DELETE FROM {table}",
        # SQLite's way of deleting without saying so, and PostgreSQL's of updating.
        "replace": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" if store.sqlite
        else f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT "
        f"({'history_id' if table == 'history_seal_item' else 'id'}) DO UPDATE SET {column} = excluded.{column}",
        "truncate": f"DELETE FROM {table}" if store.sqlite else f"TRUNCATE {table} CASCADE",
    }[verb]
    with pytest.raises(DBAPIError, match="is append-only"), store.engine.begin() as connection:
        connection.execute(text(statement))
    assert verify(store).ok


# -- sealing ----------------------------------------------------------------------------------


def test_sealing_takes_everything_once_in_batches(store: Store) -> None:
    say(store, "account:1", "a", "b", "c")
    say(store, "account:2", "d", "e")
    assert [seal(store, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    verdict = verify(store)
    assert (verdict.ok, verdict.entries, verdict.seals) == (True, 5, 3)
    assert verdict.anchor.startswith("3:")


def test_an_empty_history_holds(store: Store) -> None:
    assert seal(store) == 0
    verdict = verify(store)
    assert (verdict.ok, verdict.entries, verdict.seals, verdict.anchor) == (True, 0, 0, "")


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_an_entry_that_is_committed_after_a_later_one_is_sealed_too(store: Store, clock: MovableClock) -> None:
    with store.work() as slow:
        append(slow, "account:1", [Entry("took its id first")])
        say(store, "account:2", "committed first")
        assert seal(store) == 1
    assert seal(store) == 1
    assert verify(store).ok


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_sealer_that_was_away_for_days_misses_nothing(store: Store, clock: MovableClock) -> None:
    with store.work() as slow:
        append(slow, "account:1", [Entry("took its id first")])
        say(store, "account:2", "committed first")
        assert seal(store) == 1
    clock.to("2026-02-14 09:00")
    say(store, "account:3", "much later")
    assert seal(store) == 2
    assert verify(store).ok


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_of_two_sealers_one_steps_back(store: Store) -> None:
    say(store, "system", "a")
    seal(store)
    say(store, "system", "b")
    with store.work() as other:
        assert try_head(other.session, SEALS, skip_locked=True) is not None
        assert seal(store) == 0
    assert seal(store) == 1


def test_writers_and_the_sealer_go_on_while_a_verification_reads(store: Store) -> None:
    def write(number: int) -> None:
        for _ in range(15):
            say(store, f"account:{number}", "a", "b")
            seal(store)

    verdicts = []
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, number) for number in range(2)]
        while not all(writer.done() for writer in writers):
            verdicts.append(verify(store))
        for writer in writers:
            writer.result()
    assert [verdict.first_broken for verdict in verdicts if not verdict.ok] == []
    assert verify(store).entries == 60


# -- what is found ----------------------------------------------------------------------------

Tamper = Callable[[Connection], Any]


def first(connection: Connection, act: str) -> int:
    found = connection.scalar(select(HISTORY.c.id).where(HISTORY.c.act == act))
    assert found is not None
    return found


@pytest.fixture
def told(store: Store, clock: MovableClock) -> Store:
    """Three sealed batches over two streams, and entries not sealed yet."""
    say(store, "account:1", "a1", "a2", "a3")
    seal(store)
    say(store, "account:2", "b1", "b2")
    seal(store)
    clock.to("2026-02-10 12:00")
    say(store, "account:1", "a4")
    seal(store)
    say(store, "account:2", "b3", "b4")
    assert verify(store).ok
    return store


CHANGES: dict[str, Any] = {
    "stream": "account:9", "instance_id": 77, "seq": 40, "at": shanghai("2020-01-01"), "recorded_at": shanghai("2020-01-01"),
    "actor_id": 99, "actor_name": "别人", "address": "1.1.1.1", "request_id": "r9", "act": "never", "step": "other",
    "article": "另一条", "definition_id": 4, "edition": "1900", "data": {"步骤": "b3", "n": 1.6}, "prev_hash": "0" * 64,
    "hash": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("act", ["a2", "b3"])
def test_any_changed_field_of_any_entry_is_found(told: Store, act: str) -> None:
    with told.read() as session:
        before = dict(session.execute(select(HISTORY).where(HISTORY.c.act == act)).mappings().one())
    this = update(HISTORY).where(HISTORY.c.id == before["id"])
    unnoticed = []
    for column, value in CHANGES.items():
        with as_owner_of_the_database(told) as connection:
            connection.execute(this.values({column: value}))
        if verify(told).ok:
            unnoticed.append(column)
        with as_owner_of_the_database(told) as connection:
            connection.execute(this.values({column: before[column]}))
    assert unnoticed == []
    assert verify(told).ok


def test_every_column_of_an_entry_is_covered() -> None:
    assert set(CHANGES) == {column.name for column in HISTORY.c} - {"id"}


def rehashed(connection: Connection, act: str, /, **changes: Any) -> None:
    """Changes an entry and makes its own hash right again."""
    row = dict(connection.execute(select(HISTORY).where(HISTORY.c.act == act)).mappings().one()) | changes
    connection.execute(update(HISTORY).where(HISTORY.c.id == row["id"]).values(**changes, hash=digest(row)))


def whole_stream_rehashed(connection: Connection, stream: str) -> None:
    """Makes all hashes of a stream and its head right again, as a careful forger would."""
    head = Head()
    for row in connection.execute(select(HISTORY).where(HISTORY.c.stream == stream).order_by(HISTORY.c.seq)).mappings().all():
        changed = dict(row) | {"seq": head.seq + 1, "prev_hash": head.hash}
        head = Head(changed["seq"], digest(changed))
        values = {"seq": head.seq, "prev_hash": changed["prev_hash"], "hash": head.hash}
        connection.execute(update(HISTORY).where(HISTORY.c.id == row["id"]).values(values))
    connection.execute(update(HEAD).where(HEAD.c.stream == stream).values(seq=head.seq, hash=head.hash))


def _delete(connection: Connection, table: Table, condition: Any) -> None:
    connection.execute(table.delete().where(condition))


def _swap(connection: Connection) -> None:
    rows = {row.act: row for row in connection.execute(select(HISTORY).where(HISTORY.c.act.in_(("a2", "a3"))))}
    connection.execute(update(HISTORY).where(HISTORY.c.id == rows["a2"].id).values(seq=1000))
    connection.execute(update(HISTORY).where(HISTORY.c.id == rows["a3"].id).values(seq=2))
    connection.execute(update(HISTORY).where(HISTORY.c.id == rows["a2"].id).values(seq=3))


def _forge_below_the_mark(connection: Connection) -> None:
    row = dict(connection.execute(select(HISTORY).where(HISTORY.c.act == "a1")).mappings().one())
    row |= {"id": -1, "stream": "account:3", "act": "forged"}
    row["hash"] = digest(row)
    connection.execute(insert(HISTORY).values(row))
    connection.execute(insert(HEAD).values(stream="account:3", seq=1, hash=row["hash"]))


def _cut_sealed_tail(connection: Connection) -> None:
    _delete(connection, HISTORY, HISTORY.c.act == "a4")
    whole_stream_rehashed(connection, "account:1")


def _rewrite_stream(connection: Connection) -> None:
    connection.execute(update(HISTORY).where(HISTORY.c.act == "a2").values(act="never"))
    whole_stream_rehashed(connection, "account:1")


def _drop_last_seal(connection: Connection) -> None:
    _delete(connection, ITEM, ITEM.c.seal_id == 3)
    _delete(connection, SEAL, SEAL.c.id == 3)


def _reseal(connection: Connection) -> None:
    connection.execute(update(SEAL).where(SEAL.c.id == 2).values(sealed_at=shanghai("2020-01-01")))


TAMPERS: dict[str, tuple[Tamper, str]] = {
    "an entry with its own hash made right": (lambda c: rehashed(c, "a2", act="never"), "account:1第3条（编号3）与前一条不衔接"),
    "a last entry with its own hash made right": (lambda c: rehashed(c, "b4", act="never"), "account:2第4条之后的办理记录与链头不符"),
    "a whole stream and its head written anew": (_rewrite_stream, "第1号封存与其中的办理记录不符"),
    "an entry deleted": (lambda c: _delete(c, HISTORY, HISTORY.c.act == "a2"), "account:1第2条办理记录缺失"),
    "two entries in another order": (_swap, "account:1第2条（编号3）与前一条不衔接"),
    "a tail cut off": (lambda c: _delete(c, HISTORY, HISTORY.c.act.in_(("b3", "b4"))), "account:2第2条之后的办理记录与链头不符"),
    "a sealed tail cut off, the stream made right": (_cut_sealed_tail, "第3号封存与其中的办理记录不符"),
    "a whole stream deleted": (lambda c: _delete(c, HISTORY, HISTORY.c.stream == "account:2"), "account:2的办理记录已全部被删除"),
    "an entry slipped in with a stream of its own": (_forge_below_the_mark, "编号-1的办理记录是封存之后插入的"),
    "a batch removed": (lambda c: _delete(c, SEAL, SEAL.c.id == 2), "第2号封存缺失"),
    "the last batch removed": (_drop_last_seal, "第2号之后的封存被删除"),
    "a batch changed": (_reseal, "第2号封存被改动"),
    "the entry's place in a batch removed": (lambda c: _delete(c, ITEM, ITEM.c.history_id == 2), "第1号封存与其中的办理记录不符"),
    "an entry moved into another batch": (
        lambda c: c.execute(update(ITEM).where(ITEM.c.history_id == 2).values(seal_id=2)), "第1号封存与其中的办理记录不符",
    ),
    "a head set back": (lambda c: c.execute(update(HEAD).where(HEAD.c.stream == "account:1").values(seq=3)), "与链头不符"),
}  # fmt: skip


@pytest.mark.parametrize("story", sorted(TAMPERS))
def test_what_was_done_to_it_is_found_and_named(told: Store, story: str) -> None:
    tamper, found = TAMPERS[story]
    with as_owner_of_the_database(told) as connection:
        tamper(connection)
    verdict = verify(told)
    assert not verdict.ok
    assert found in str(verdict.first_broken)


def test_an_anchor_kept_outside_finds_even_a_history_written_wholly_anew(told: Store) -> None:
    anchor = verify(told).anchor
    assert verify(told, anchor).ok
    with as_owner_of_the_database(told) as connection:
        _drop_last_seal(connection)
        last = connection.execute(select(SEAL.c.id, SEAL.c.hash).where(SEAL.c.id == 2)).one()
        connection.execute(update(HEAD).where(HEAD.c.stream == SEALS).values(seq=last.id, hash=last.hash))
    assert verify(told).ok
    verdict = verify(told, anchor)
    assert not verdict.ok and anchor in str(verdict.first_broken)


# -- instances --------------------------------------------------------------------------------


def test_an_instances_stream_is_held_against_the_instance_row(store: Store) -> None:
    this = instance(store, "started", "completed", "ended")
    assert verify(store).ok
    with as_owner_of_the_database(store) as connection:
        _delete(connection, HISTORY, HISTORY.c.act == "ended")
    assert f"instance:{this}第2条之后" in str(verify(store).first_broken)


def test_an_instance_whose_whole_stream_is_gone_is_found(store: Store) -> None:
    this = instance(store, "started")
    with as_owner_of_the_database(store) as connection:
        _delete(connection, HISTORY, HISTORY.c.act == "started")
    assert f"instance:{this}的办理记录已全部被删除" in str(verify(store).first_broken)


def test_a_stream_of_an_instance_that_is_not_there_is_found(store: Store) -> None:
    this = instance(store, "started")
    with as_owner_of_the_database(store) as connection:
        connection.execute(Instance.__table__.delete().where(Instance.__table__.c.id == this))  # type: ignore[attr-defined]
    assert f"instance:{this}第1条之后" in str(verify(store).first_broken)


def test_many_streams_are_walked_in_bounded_pieces(store: Store) -> None:
    with store.work() as work:
        for number in range(1203):
            _quick(work, f"account:{number}")
    assert seal(store) == 1203
    assert verify(store).entries == 1203
    with as_owner_of_the_database(store) as connection:
        connection.execute(update(HEAD).where(HEAD.c.stream == "account:77").values(hash="0" * 64))
    assert "account:77第1条之后" in str(verify(store).first_broken)


def _quick(work: Work, stream: str) -> None:
    rows, head = chain(Head(), stream, [Entry("a")], work)
    insert_rows(work.session, rows)
    work.session.execute(insert(HEAD).values(stream=stream, seq=0, hash=""))
    move_head(work.session, stream, head)


def test_the_stored_text_is_the_text_that_was_hashed(store: Store) -> None:
    say(store, "system", "a")
    with store.engine.connect() as connection:
        stored = connection.scalar(text("SELECT data FROM history"))
    assert stored == json.dumps({"n": 1.5, "步骤": "a"}, ensure_ascii=False, separators=(",", ":"))
