"""Sealing and proving the history.

Streams are chained each by itself so that writers never queue. To make one global order out of them, the worker seals
what has been committed since: a batch is a row with a digest over its entries, chained to the batch before. `verify`
walks all of it and says where it first does not hold.

What it proves: a changed, removed, inserted or reordered entry, a cut tail, a removed batch. What no chain inside a
database can prove is that its owner did not rewrite all of it, heads included; for that, keep `Verdict.anchor` outside
(print it, file it) and give it back to `verify` later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, column, exists, func, insert, inspect, select, table

from engine.history import (
    Head,
    History,
    HistoryHead,
    HistorySeal,
    HistorySealItem,
    digest,
    instance_stream,
    make_head,
    move_head,
    try_head,
)
from engine.store.store import Store, Work

#: No transaction lives longer than this. An id taken before a batch may be committed after it, but not later than this,
#: so only batches older than this settle what lies below them.
LAG = timedelta(hours=1)
#: The chain of batches keeps its head as a stream of this name.
SEALS = "seals"

# Where the kernel keeps the heads of instance streams. Named by hand: that floor stands above this one.
_INSTANCE = table("instance", column("id"), column("history_seq"), column("history_hash"))
_INSTANCE_STREAM = re.compile(r"instance:[0-9]{1,18}")

_entry = History.__table__.c
_head = HistoryHead.__table__.c
_seal = HistorySeal.__table__.c
_item = HistorySealItem.__table__.c


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `entries` and `seals` were walked before it ended; `first_broken` says in Chinese what does not hold.

    `anchor` is the last batch as "number:hash", empty when nothing is sealed yet.
    """

    ok: bool
    entries: int
    seals: int
    first_broken: str | None
    anchor: str


# -- sealing ----------------------------------------------------------------------------------


def seal(store: Store, limit: int = 5000) -> int:
    """Seals up to `limit` committed entries into one batch; returns how many. Call again while it returns `limit`.

    Only one sealer works at a time: the head of the chain is locked, and whoever finds it locked does nothing (returns
    0). Ids may be committed out of order, so the batch is not "everything after the last id": it is everything not yet
    sealed above the settled mark, which lags behind (see `LAG`).
    """
    with store.work() as work:
        make_head(work.session, SEALS)
        head = try_head(work.session, SEALS, skip_locked=True)
        if head is None:
            return 0
        settled = _settled(work, head)
        found = work.session.execute(_unsealed(settled, limit)).all()
        if not found:
            return 0
        if store.sqlite:
            settled = found[-1].id  # one writer at a time: ids are committed in their order
        elif len(found) < limit:  # a cut batch may have left older ones unsealed; then the mark stays
            settled = max(settled, _old_enough(work))
        row = _seal_row(head, [(entry.id, entry.hash) for entry in found], settled, work.now)
        work.session.execute(insert(HistorySeal).values(row))
        work.session.execute(insert(HistorySealItem), [{"history_id": entry.id, "seal_id": row["id"]} for entry in found])
        move_head(work.session, SEALS, Head(row["id"], row["hash"]))
        return len(found)


def _settled(work: Work, head: Head) -> int:
    return work.session.scalar(select(_seal.settled_id).where(_seal.id == head.seq)) or 0


def _old_enough(work: Work) -> int:
    """The greatest id that stood in a batch so long ago that whatever was being written then has long been committed."""
    return work.session.scalar(select(func.max(_seal.last_id)).where(_seal.sealed_at < work.now - LAG)) or 0


def _unsealed(settled: int, limit: int) -> Any:
    sealed = exists().where(_item.history_id == _entry.id)
    return select(_entry.id, _entry.hash).where(_entry.id > settled, ~sealed).order_by(_entry.id).limit(limit)


def _seal_row(head: Head, entries: list[tuple[int, str]], settled: int, now: datetime) -> dict[str, Any]:
    running = hashlib.sha256()
    for entry_id, entry_hash in entries:
        running.update(f"{entry_id}:{entry_hash}\n".encode())
    row: dict[str, Any] = {
        "id": head.seq + 1,
        "sealed_at": now,
        "count": len(entries),
        "last_id": entries[-1][0],
        "settled_id": settled,
        "entries_digest": running.hexdigest(),
        "prev_hash": head.hash,
    }
    return row | {"hash": _seal_hash(row)}


def _seal_hash(row: dict[str, Any]) -> str:
    fields = {name: value for name, value in row.items() if name != "hash"}
    fields["sealed_at"] = row["sealed_at"].astimezone(UTC)
    return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


# -- proving ----------------------------------------------------------------------------------


class _Broken(Exception):
    """The first thing that does not hold, in Chinese."""


def verify(store: Store, anchor: str | None = None) -> Verdict:
    """Walks every stream and every batch and says whether the history is whole; stops at the first thing that is not.

    Reads one consistent state while others go on writing; memory stays bounded. `anchor` ("number:hash") is a batch
    noted down earlier, which must still be there.
    """
    with store.engine.connect() as connection:
        if not store.sqlite:  # SQLite reads from one snapshot anyway
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        walked = _Walk(connection)
        try:
            walked.streams()
            walked.lost_streams()
            walked.batches(anchor)
            walked.leftovers()
        except _Broken as broken:
            return Verdict(False, walked.entries, walked.seals, str(broken), walked.anchor)
    return Verdict(True, walked.entries, walked.seals, None, walked.anchor)


class _Walk:
    """The walk of one `verify`, counting as it goes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # Without the kernel's tables (a database of people only) there are no instance streams to compare.
        self.instances = inspect(connection).has_table(_INSTANCE.name)
        self.entries = 0
        self.seals = 0
        self.settled = 0
        self.anchor = ""

    def streams(self) -> None:
        """Each stream from its first entry to its head: numbers without gaps, each hash right, each chained to the last."""
        query = select(History.__table__).order_by(_entry.stream, _entry.seq)
        stream, head = "", Head()
        ends: list[tuple[str, Head]] = []
        with closing(_rows(self.connection, query)) as rows:
            for row in rows:
                if row["stream"] != stream:
                    if stream:
                        ends.append((stream, head))
                    stream, head = row["stream"], Head()
                if len(ends) >= 500:
                    self.compare_heads(ends)
                    ends = []
                head = _follow(head, row)
                self.entries += 1
        if stream:
            ends.append((stream, head))
        self.compare_heads(ends)

    def compare_heads(self, ends: list[tuple[str, Head]]) -> None:
        """The last entries of some streams against the heads that their writers keep."""
        kept = self.kept_heads([stream for stream, _ in ends])
        for stream, head in ends:
            if kept.get(stream) != head and (self.instances or not _INSTANCE_STREAM.fullmatch(stream)):
                raise _Broken(f"{stream}第{head.seq}条之后的办理记录与链头不符：末尾被删除或追加")

    def kept_heads(self, streams: list[str]) -> dict[str, Head]:
        """The heads of these streams, from `history_head` and from the instance rows."""
        rows = self.connection.execute(select(_head.stream, _head.seq, _head.hash).where(_head.stream.in_(streams)))
        kept = {row.stream: Head(row.seq, row.hash) for row in rows}
        if self.instances:
            ids = [int(name.partition(":")[2]) for name in streams if _INSTANCE_STREAM.fullmatch(name)]
            rows = self.connection.execute(select(_INSTANCE).where(_INSTANCE.c.id.in_(ids)))
            kept.update({instance_stream(row.id): Head(row.history_seq, row.history_hash) for row in rows})
        return kept

    def lost_streams(self) -> None:
        """Heads whose entries are all gone."""
        heads = HistoryHead.__table__
        gone = ~exists().where(_entry.stream == _head.stream)
        lost = self.connection.scalar(select(_head.stream).select_from(heads).where(_head.seq > 0, _head.stream != SEALS, gone).limit(1))
        if lost is not None:
            raise _Broken(f"{lost}的办理记录已全部被删除")
        if not self.instances:
            return
        gone = ~exists().where(_entry.instance_id == _INSTANCE.c.id)
        lost = self.connection.scalar(select(_INSTANCE.c.id).where(_INSTANCE.c.history_seq > 0, gone).limit(1))
        if lost is not None:
            raise _Broken(f"{instance_stream(lost)}的办理记录已全部被删除")

    def batches(self, anchor: str | None) -> None:
        """Each batch against its entries and the batch before; the last against the head of the chain."""
        head, met = Head(), anchor is None
        with closing(_batches(self.connection)) as batches:
            for row, running, count in batches:
                if row["id"] != head.seq + 1 or row["prev_hash"] != head.hash:
                    raise _Broken(f"第{head.seq + 1}号封存缺失或与前一封存不衔接")
                if _seal_hash(row) != row["hash"]:
                    raise _Broken(f"第{row['id']}号封存被改动")
                if count != row["count"] or running != row["entries_digest"]:
                    raise _Broken(f"第{row['id']}号封存与其中的办理记录不符：记录被删除、替换或改序")
                head = Head(row["id"], row["hash"])
                met = met or anchor == f"{head.seq}:{head.hash}"
                self.seals, self.settled, self.anchor = head.seq, row["settled_id"], f"{head.seq}:{head.hash}"
        stored = self.connection.execute(select(_head.seq, _head.hash).where(_head.stream == SEALS)).first()
        if (Head(*stored) if stored else Head()) != head:
            raise _Broken(f"第{head.seq}号之后的封存被删除")
        if not met:
            raise _Broken(f"留存的封存凭证{anchor}与数据库不符")

    def leftovers(self) -> None:
        """Entries that slipped in below the settled mark, and marks of batches that are gone."""
        sealed = exists().where(_item.history_id == _entry.id)
        extra = self.connection.scalar(select(_entry.id).where(_entry.id <= self.settled, ~sealed).order_by(_entry.id).limit(1))
        if extra is not None:
            raise _Broken(f"编号{extra}的办理记录是封存之后插入的")
        orphan = self.connection.scalar(select(_item.seal_id).where(_item.seal_id > self.seals).limit(1))
        if orphan is not None:
            raise _Broken(f"第{orphan}号封存被删除")


def _rows(connection: Connection, query: Any) -> Generator[dict[str, Any], None, None]:
    """The rows of a query as dicts, fetched piece by piece. To be closed: the cursor lives on the server."""
    with connection.execute(query, execution_options={"yield_per": 1000}) as result:
        for row in result:
            yield dict(row._mapping)


def _follow(head: Head, row: dict[str, Any]) -> Head:
    where = f"{row['stream']}第{row['seq']}条（编号{row['id']}）"
    if row["seq"] != head.seq + 1:
        raise _Broken(f"{row['stream']}第{head.seq + 1}条办理记录缺失")
    if row["prev_hash"] != head.hash:
        raise _Broken(f"{where}与前一条不衔接")
    if digest(row) != row["hash"]:
        raise _Broken(f"{where}的内容被改动")
    instance_id = row["instance_id"]
    if instance_id is not None and row["stream"] != instance_stream(instance_id):
        raise _Broken(f"{where}不属于该办件")
    return Head(row["seq"], row["hash"])


def _batches(connection: Connection) -> Generator[tuple[dict[str, Any], str, int], None, None]:
    """Each batch in order with the digest and number of the entries that are really there."""
    seals = HistorySeal.__table__
    query = (
        select(seals, _entry.id.label("entry_id"), _entry.hash.label("entry_hash"))
        .select_from(
            seals.outerjoin(HistorySealItem.__table__, _item.seal_id == _seal.id)
            .outerjoin(History.__table__, _entry.id == _item.history_id)
        )
        .order_by(_seal.id, _item.history_id)
    )
    current: dict[str, Any] | None = None
    running, count = hashlib.sha256(), 0
    with closing(_rows(connection, query)) as rows:
        for row in rows:
            entry_id, entry_hash = row.pop("entry_id"), row.pop("entry_hash")
            if current is None or row["id"] != current["id"]:
                if current is not None:
                    yield current, running.hexdigest(), count
                current, running, count = row, hashlib.sha256(), 0
            if entry_id is not None:
                running.update(f"{entry_id}:{entry_hash}\n".encode())
                count += 1
    if current is not None:
        yield current, running.hexdigest(), count
