"""Sealing and proving the history.

Streams are chained each by itself so that writers never queue. To make one global order out of them, the worker seals
what has been committed since: a batch is a row with a digest over its entries, chained to the batch before. `verify`
walks all of it and says where it first does not hold.

What it proves: a changed, removed, inserted or reordered entry, a cut tail, a removed batch. The entries of a case that was
removed 销毁 are tombstones, and count only as far as an approved removal covers them. What no chain inside a
database can prove is that its owner did not rewrite all of it, heads included; for that, keep `Verdict.anchor` outside
(print it, file it) and give it back to `verify` later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, String, and_, cast, column, exists, func, insert, inspect, literal, null, select, table, union_all

from engine.history import (
    Head,
    History,
    HistoryHead,
    HistoryRemoved,
    HistorySeal,
    HistorySealItem,
    digest,
    instance_stream,
    make_head,
    move_head,
    removal_stream,
    removed_stream,
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
_gone = HistoryRemoved.__table__.c
#: Streams whose ends are compared at once.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `entries` and `seals` were walked before it ended; `first_broken` says in Chinese what does not hold.

    `removed` entries are gone by approved removals. `anchor` is the last batch as "number:hash", empty when nothing is sealed yet.
    """

    ok: bool
    entries: int
    seals: int
    first_broken: str | None
    anchor: str
    removed: int = 0


# -- sealing ----------------------------------------------------------------------------------


def seal(store: Store, limit: int = 5000) -> int:
    """Seals up to `limit` committed entries into one batch; returns how many. Call again while it returns `limit`.

    Only one sealer works at a time: the head of the chain is locked, and whoever finds it locked does nothing (returns
    0). Ids may be committed out of order, so the batch is not "everything after the last id": it is everything not yet
    sealed above the settled mark, which lags behind (see `LAG`).
    """
    if not _waits(store):
        return 0
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


def _waits(store: Store) -> bool:
    """Whether any entry is unsealed: looked at first, as most turns find none and a transaction that may write makes others wait."""
    last = select(HistoryHead.seq).where(HistoryHead.stream == SEALS).scalar_subquery()
    with store.read() as session:
        settled = session.scalar(select(_seal.settled_id).where(_seal.id == last)) or 0
        return session.execute(_unsealed(settled, 1)).first() is not None


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
            return Verdict(False, walked.entries, walked.seals, str(broken), walked.anchor, walked.removed)
    return Verdict(True, walked.entries, walked.seals, None, walked.anchor, walked.removed)


@dataclass(slots=True)
class _End:
    """A stream that was walked to its end."""

    stream: str
    head: Head = Head()
    kept: int = 0
    removals: set[int] = field(default_factory=set)
    """Of its tombstones."""


class _Walk:
    """The walk of one `verify`, counting as it goes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # Without the kernel's tables (a database of people only) there are no instance streams to compare.
        self.instances = inspect(connection).has_table(_INSTANCE.name)
        self.entries = 0
        self.removed = 0
        self.seals = 0
        self.settled = 0
        self.anchor = ""

    def streams(self) -> None:
        """Each stream from its first entry to its head: numbers without gaps, each hash right, each chained to the last."""
        end = _End("")
        ends: list[_End] = []
        with closing(_rows(self.connection, _walked())) as rows:
            for row in rows:
                if row["stream"] != end.stream:
                    if len(ends) >= AT_ONCE:
                        self.compare(ends)
                        ends = []
                    end = _End(row["stream"])
                    ends.append(end)
                removal = row.pop("removal_id")
                end.head = _follow(end.head, row, removed=removal is not None)
                if removal is None:
                    end.kept += 1
                    self.entries += 1
                else:
                    end.removals.add(removal)
                    self.removed += 1
        self.compare(ends)

    def compare(self, ends: list[_End]) -> None:
        """The last entries of some streams against the heads that their writers keep, and tombstones against what covers them."""
        kept = self.kept_heads([end.stream for end in ends])
        for end in ends:
            if kept.get(end.stream) != end.head and (self.instances or not _INSTANCE_STREAM.fullmatch(end.stream)):
                raise _Broken(f"{end.stream}第{end.head.seq}条之后的办理记录与链头不符：末尾被删除或追加")
        removed = [end for end in ends if end.removals]
        if removed:
            self.covered(removed)

    def covered(self, ends: list[_End]) -> None:
        """Streams with tombstones: whole, of a case, as many as the record of one approved removal says, up to the same hash."""
        streams: dict[str, str] = {}
        for end in ends:
            if end.kept or len(end.removals) > 1 or not _INSTANCE_STREAM.fullmatch(end.stream):
                raise _Broken(f"{end.stream}的办理记录有一部分被删除，不是经批准的销毁")
            streams[end.stream] = removed_stream(int(end.stream.partition(":")[2]))
        rows = self.connection.execute(
            select(_entry.stream, _entry.data).where(_entry.stream.in_(streams.values()), _entry.act == "case_removed")
        ).all()
        said = {stream: data for stream, data in rows}
        asked = {removal_stream(removal) for end in ends for removal in end.removals}
        query = select(_entry.stream).where(_entry.stream.in_(asked), _entry.act == "removal_approved")
        approved = set(self.connection.scalars(query))
        for end in ends:
            facts, (removal,) = said.get(streams[end.stream]), end.removals
            if facts is None or removal_stream(removal) not in approved:
                raise _Broken(f"{end.stream}的办理记录被删除，没有经批准的销毁")
            if (facts.get("removal"), facts.get("entries"), facts.get("hash")) != (removal, end.head.seq, end.head.hash):
                raise _Broken(f"{end.stream}的销毁记录与被删除的办理记录不符：应有{end.head.seq}条")

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
        gone = and_(~exists().where(_entry.stream == _head.stream), ~exists().where(_gone.stream == _head.stream))
        lost = self.connection.scalar(select(_head.stream).select_from(heads).where(_head.seq > 0, _head.stream != SEALS, gone).limit(1))
        if lost is not None:
            raise _Broken(f"{lost}的办理记录已全部被删除")
        if not self.instances:
            return
        stream = literal(instance_stream(0)[:-1]) + cast(_INSTANCE.c.id, String)
        gone = and_(~exists().where(_entry.instance_id == _INSTANCE.c.id), ~exists().where(_gone.stream == stream))
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
        """Entries that slipped in below the settled mark, marks of batches that are gone, and tombstones of what is still there."""
        sealed = exists().where(_item.history_id == _entry.id)
        extra = self.connection.scalar(select(_entry.id).where(_entry.id <= self.settled, ~sealed).order_by(_entry.id).limit(1))
        if extra is not None:
            raise _Broken(f"编号{extra}的办理记录是封存之后插入的")
        orphan = self.connection.scalar(select(_item.seal_id).where(_item.seal_id > self.seals).limit(1))
        if orphan is not None:
            raise _Broken(f"第{orphan}号封存被删除")
        marked = select(_item.history_id).join(HistoryRemoved.__table__, _gone.history_id == _item.history_id).limit(1)
        both = self.connection.scalar(marked)
        if both is not None:
            raise _Broken(f"编号{both}的办理记录标为已销毁，却仍在封存之中")


def _walked() -> Any:
    """All entries and tombstones, stream by stream in order; `removal_id` is None for an entry. Both sides come from an index."""
    places = {"id": _gone.history_id, "stream": _gone.stream, "seq": _gone.seq, "prev_hash": _gone.prev_hash, "hash": _gone.hash}
    tombstones = [places.get(each.name, null()).label(each.name) for each in History.__table__.columns]
    kept = select(History.__table__, null().label("removal_id"))
    return union_all(kept, select(*tombstones, _gone.removal_id)).order_by("stream", "seq")


def _rows(connection: Connection, query: Any) -> Generator[dict[str, Any], None, None]:
    """The rows of a query as dicts, fetched piece by piece. To be closed: the cursor lives on the server."""
    with connection.execute(query, execution_options={"yield_per": 1000}) as result:
        for row in result:
            yield dict(row._mapping)


def _follow(head: Head, row: dict[str, Any], *, removed: bool = False) -> Head:
    """The head behind an entry. Of a removed one only its place can be proved; what follows it proves its hash."""
    where = f"{row['stream']}第{row['seq']}条（编号{row['id']}）"
    if row["seq"] != head.seq + 1:
        raise _Broken(f"{row['stream']}第{head.seq + 1}条办理记录缺失")
    if row["prev_hash"] != head.hash:
        raise _Broken(f"{where}与前一条不衔接")
    if removed:
        return Head(row["seq"], row["hash"])
    if digest(row) != row["hash"]:
        raise _Broken(f"{where}的内容被改动")
    instance_id = row["instance_id"]
    if instance_id is not None and row["stream"] != instance_stream(instance_id):
        raise _Broken(f"{where}不属于该办件")
    return Head(row["seq"], row["hash"])


def _batches(connection: Connection) -> Generator[tuple[dict[str, Any], str, int], None, None]:
    """Each batch in order with the digest and number of the entries and tombstones that are really there."""
    entries = select(_item.seal_id, _item.history_id, _entry.hash).join(History.__table__, _entry.id == _item.history_id)
    sealed = union_all(entries, select(_gone.seal_id, _gone.history_id, _gone.hash)).order_by("seal_id", "history_id")
    seals = select(HistorySeal.__table__).order_by(_seal.id)
    with closing(_rows(connection, seals)) as batches, closing(_rows(connection, sealed)) as rows:
        row = next(rows, None)
        for batch in batches:
            running, count = hashlib.sha256(), 0
            while row is not None and row["seal_id"] <= batch["id"]:
                if row["seal_id"] == batch["id"]:
                    running.update(f"{row['history_id']}:{row['hash']}\n".encode())
                    count += 1
                row = next(rows, None)
            yield batch, running.hexdigest(), count
