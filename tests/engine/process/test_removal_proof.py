"""That a removal 销毁 is proved: the chain holds around what is gone, and whoever helps themselves is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from engine.cli import main
from engine.history import Entry, History, HistoryRemoved, HistorySealItem, append, instance_stream, removal_stream, removed_stream
from engine.history_seal import seal, verify
from engine.process.removing.times import set_removal_time
from engine.process.tables import Instance
from engine.store.append_only import APPEND_ONLY
from engine.store.settings import Settings
from tests.engine.process.office import Office
from tests.engine.process.removing import ended, removes
from tests.engine.test_history import as_owner_of_the_database, whole_stream_rehashed

ENTRY, GONE, ITEM = History.__table__, HistoryRemoved.__table__, HistorySealItem.__table__


@pytest.fixture
def removed(kept: Office, settings: Settings) -> tuple[Office, int]:
    """One case removed, another kept, all sealed."""
    case, other = ended(kept), ended(kept, why="x")
    kept.clock.to("2036-02-11 09:00")
    set_removal_time(kept.store, [other], actor=kept["gu"])
    removes(kept, settings.uploads, None)
    while seal(kept.store):
        pass
    assert verify(kept.store).ok
    return kept, case


@pytest.mark.parametrize("statement", [
    "UPDATE history_removed SET hash = hash", "DELETE FROM history_removed", "DELETE FROM history", "DELETE FROM history_seal_item",
    "UPDATE history SET act = act", "DELETE FROM history_seal",
])  # fmt: skip
def test_the_database_refuses_all_but_what_has_a_tombstone(removed: tuple[Office, int], statement: str) -> None:
    store = removed[0].store
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(text(statement))
    assert verify(store).ok and "history_removed" in APPEND_ONLY


@pytest.mark.parametrize("wrong", ["hash", "prev_hash", "stream"])
def test_a_tombstone_that_says_something_else_opens_no_door(kept: Office, wrong: str) -> None:
    ended(kept)
    while seal(kept.store):
        pass
    with pytest.raises(DBAPIError, match="append-only"), kept.store.engine.begin() as connection:
        row = dict(connection.execute(select(ENTRY).order_by(ENTRY.c.id)).mappings().first() or {})
        place = {name: row[name] for name in ("stream", "seq", "prev_hash", "hash")} | {wrong: "0" * 64}
        batch = connection.scalar(select(ITEM.c.seal_id).where(ITEM.c.history_id == row["id"]))
        connection.execute(insert(GONE).values(history_id=row["id"], seal_id=batch, removal_id=1, **place))
        connection.execute(delete(ITEM).where(ITEM.c.history_id == row["id"]))
        connection.execute(delete(ENTRY).where(ENTRY.c.id == row["id"]))


def _bury(connection: Connection, stream: str, *, removal: int = 1, most: int = 99) -> None:
    """What somebody with access to the database can do: tombstones of their own, and then delete."""
    rows = connection.execute(
        select(ENTRY, ITEM.c.seal_id).join(ITEM, ITEM.c.history_id == ENTRY.c.id).where(ENTRY.c.stream == stream).order_by(ENTRY.c.seq).limit(most)
    ).mappings().all()
    for row in rows:
        place = {name: row[name] for name in ("stream", "seq", "prev_hash", "hash", "seal_id")}
        connection.execute(insert(GONE).values(history_id=row["id"], removal_id=removal, **place))
        connection.execute(delete(ITEM).where(ITEM.c.history_id == row["id"]))
        connection.execute(delete(ENTRY).where(ENTRY.c.id == row["id"]))


def _where(stream: str) -> Any:
    return GONE.c.stream == stream


def _last(connection: Connection, stream: str) -> Any:
    return GONE.c.history_id == connection.scalar(select(func.max(GONE.c.history_id)).where(_where(stream)))


def _double(connection: Connection, gone: str, kept: str) -> None:
    """A tombstone for an entry that is still there."""
    row = connection.execute(select(ENTRY, ITEM.c.seal_id).join(ITEM, ITEM.c.history_id == ENTRY.c.id).where(ENTRY.c.stream == kept)).mappings().first()
    assert row is not None
    place = {name: row[name] for name in ("prev_hash", "hash", "seal_id")}
    connection.execute(insert(GONE).values(history_id=row["id"], removal_id=1, stream=gone, seq=99, **place))


def _say(connection: Connection, stream: str, **changed: Any) -> None:
    """Writes the covering entry anew, its own hash, stream and head made right, as a careful forger would."""
    data = connection.scalar(select(ENTRY.c.data).where(ENTRY.c.stream == stream))
    connection.execute(update(ENTRY).where(ENTRY.c.stream == stream).values(data={**(data or {}), **changed}))
    whole_stream_rehashed(connection, stream)


TAMPERS: dict[str, tuple[Callable[[Connection, str, str], Any], str]] = {
    "another case deleted, with tombstones and without approval": (lambda c, gone, kept: _bury(c, kept), "没有经批准的销毁"),
    "another case deleted in part": (lambda c, gone, kept: _bury(c, kept, most=2), "有一部分被删除"),
    "an entry of another case deleted without tombstone": (
        lambda c, gone, kept: c.execute(delete(ENTRY).where(ENTRY.c.stream == kept, ENTRY.c.seq == 2)), "第2条办理记录缺失"),
    "a register of people deleted with tombstones": (lambda c, gone, kept: _bury(c, removal_stream(1)), "不是经批准的销毁"),
    "a tombstone deleted": (lambda c, gone, kept: c.execute(delete(GONE).where(_where(gone), GONE.c.seq == 1)), "第1条办理记录缺失"),
    "the last tombstone deleted": (lambda c, gone, kept: c.execute(delete(GONE).where(_last(c, gone))), "与链头不符"),
    "all tombstones deleted": (lambda c, gone, kept: c.execute(delete(GONE)), "已全部被删除"),
    "a tombstone's hash changed": (
        lambda c, gone, kept: c.execute(update(GONE).where(_where(gone), GONE.c.seq == 1).values(hash="0" * 64)), "与前一条不衔接"),
    "a tombstone moved into another batch": (lambda c, gone, kept: c.execute(
        update(GONE).where(_where(gone), GONE.c.seq == 1).values(seal_id=2)), "号封存与其中的办理记录不符"),
    "a tombstone for what is there": (_double, "缺失"),
    "the covering entry deleted": (lambda c, gone, kept: c.execute(delete(ENTRY).where(ENTRY.c.act == "case_removed")), "已被删除|没有经批准的销毁"),
    "the covering entry says another number": (
        lambda c, gone, kept: _say(c, gone.replace("instance", "removed"), entries=1), "销毁记录与被删除的办理记录不符"),
    "the covering entry says another hash": (
        lambda c, gone, kept: _say(c, gone.replace("instance", "removed"), hash="0" * 64), "销毁记录与被删除的办理记录不符"),
    "the covering entry names another removal": (
        lambda c, gone, kept: _say(c, gone.replace("instance", "removed"), removal=7), "销毁记录与被删除的办理记录不符"),
    "tombstones of a removal that nobody approved": (
        lambda c, gone, kept: c.execute(update(GONE).where(_where(gone)).values(removal_id=7)), "没有经批准的销毁"),
    "tombstones of two removals": (
        lambda c, gone, kept: c.execute(update(GONE).where(_where(gone), GONE.c.seq == 2).values(removal_id=7)), "有一部分被删除"),
    "the row of the case set right for less": (lambda c, gone, kept: c.execute(
        update(Instance).where(Instance.removed_at.is_not(None)).values(history_seq=1)), "与链头不符"),
}  # fmt: skip


@pytest.mark.parametrize("story", sorted(TAMPERS))
def test_what_was_done_to_it_is_found_and_named(removed: tuple[Office, int], story: str) -> None:
    office, case = removed
    with office.store.read() as session:
        other = session.scalar(select(Instance.id).where(Instance.id != case))
    tamper, found = TAMPERS[story]
    with as_owner_of_the_database(office.store) as connection:
        tamper(connection, instance_stream(case), instance_stream(int(other or 0)))
    verdict = verify(office.store)
    assert not verdict.ok
    assert any(words in str(verdict.first_broken) for words in found.split("|")), verdict.first_broken


def test_a_forged_cover_for_another_case_is_found_by_its_missing_approval(removed: tuple[Office, int]) -> None:
    office, case = removed
    with office.store.read() as session:
        other = session.scalars(select(Instance).where(Instance.id != case)).one()
    with office.store.work() as work:
        facts = {"removal": 7, "entries": other.history_seq, "hash": other.history_hash}
        append(work, removed_stream(other.id), [Entry("case_removed", data=facts)])
    with as_owner_of_the_database(office.store) as connection:
        _bury(connection, instance_stream(other.id), removal=7)
    assert "没有经批准的销毁" in str(verify(office.store).first_broken)


def test_the_command_says_how_many_went_by_approved_removals(
    removed: tuple[Office, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = removed[0].store
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", store.url.render_as_string(hide_password=False))
    assert main(["history", "verify"]) == 0
    assert "，另有2条已随办件经批准销毁，封存" in capsys.readouterr().out
    with as_owner_of_the_database(store) as connection:
        connection.execute(delete(ENTRY).where(ENTRY.c.act == "removal_approved"))
    assert main(["history", "verify"]) != 0
    assert "办理记录不完整" in capsys.readouterr().out
