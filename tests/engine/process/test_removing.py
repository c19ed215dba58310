"""Retention and removal 保管与销毁: kept as the diagram says, removed by two people, proved ever after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from engine.history import History, HistoryRemoved, instance_stream, removed_stream
from engine.history_seal import seal, verify
from engine.outbox import post
from engine.people.actor import Actor
from engine.process.case import Removed
from engine.process.check import check
from engine.process.desk.copies import copy_case
from engine.process.desk.drafts import save_draft
from engine.process.outside.cases import count_past
from engine.process.outside.remarks import attach, comment_task
from engine.process.package import Package
from engine.process.queries import cases
from engine.process.removing import clearing, running
from engine.process.removing.commands import approve_removal, propose_removal, refuse_removal, stop_removal, withdraw_removal
from engine.process.removing.running import remove_waiting
from engine.process.removing.tables import RemovalItem
from engine.process.removing.times import set_removal_time
from engine.process.retention import BadRetention, read_retention, removal_time, time_to_live
from engine.process.sheets.case import case_sheet
from engine.process.tables import Instance, Notice, Task
from engine.sharing import registry
from engine.store.base import Base
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.settings import Settings
from tests.engine.interpreter.diagrams import call, diagram, element
from tests.engine.process.office import Office
from tests.engine.process.removing import SECRET, deploy, ended, everything, reasons, removal, removes

assert registry  # imported so that every table is known


# -- how long ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("says", "end", "removal"), [
    ("10y", "2026-03-05 17:00", "2036-03-06 00:00"), ("1y", "2028-02-29 00:00", "2029-03-02 00:00"), ("30d", "2026-02-10 23:59", "2026-03-13 00:00"),
    ("permanent", "2026-02-10 09:00", None), ("", "2026-02-10 09:00", None), (None, "2026-02-10 09:00", None),
])  # fmt: skip
def test_the_time_is_counted_from_the_day_of_the_end_and_its_last_day_counts_in_full(says: str | None, end: str, removal: str | None) -> None:
    properties = {} if says is None else {"retention": says}
    assert removal_time(properties, shanghai(end)) == (shanghai(removal) if removal else None)


def test_the_days_that_other_programs_are_told() -> None:
    assert [time_to_live({"retention": says}) for says in ("10y", "30y", "180d", "permanent")] == [3653, 10958, 180, None]
    assert time_to_live({}) is None


@pytest.mark.parametrize("says", ["0y", "-1y", "10", "y", "10 y", "10Y", "1000y", "P10Y", "１0y", "10y; drop", "forever"])
def test_what_is_no_period_is_a_finding(says: str) -> None:
    with pytest.raises(BadRetention):
        read_retention(says)
    package = Package("test_rules", diagram("start > user:reply > end", element("reply", unit="'B'", post="handler"), retention=says, startPosts="handler"), {})
    found = [problem for problem in check(package, set()) if problem.rule == "retention-unknown"]
    assert [(problem.severity, says in problem.message) for problem in found] == [("error", True)]


def test_a_case_gets_its_time_when_it_ends_by_whatever_end(kept: Office) -> None:
    deploy(kept, key="ever")
    first, other = ended(kept), kept.start(key="ever", why="x")
    assert kept.instance(first).removal_at == shanghai("2036-02-11 00:00")
    assert kept.instance(other).removal_at is None
    kept.complete("dora", "reply", reply="x")
    assert kept.instance(other).removal_at is None


# -- two people -------------------------------------------------------------------------------


def test_nobody_removes_alone_and_only_who_has_the_right(kept: Office) -> None:
    ended(kept)
    kept.clock.to("2036-02-11 09:00")
    for login in ("anna", "clara", "otto", "petra", "paul"):
        with pytest.raises(NotAllowed):
            propose_removal(kept.store, actor=kept[login], reason="x")
    with pytest.raises(Invalid):
        propose_removal(kept.store, actor=kept["gu"], reason=" ")
    number = propose_removal(kept.store, actor=kept["gu"], reason="x")
    for login in ("anna", "clara", "otto", "gu"):  # Gu heads the office too, and must not approve what he proposed
        with pytest.raises(NotAllowed):
            approve_removal(kept.store, number, actor=kept[login])
    assert remove_waiting(kept.store, Path("/nowhere")) == 0
    with kept.store.read() as session:
        told = session.scalars(select(Notice.account_id).where(Notice.title == "办件销毁待审批")).all()
    assert told == [kept["hu"].account_id]


def test_what_was_decided_is_decided_once(kept: Office) -> None:
    ended(kept)
    kept.clock.to("2036-02-11 09:00")
    number = propose_removal(kept.store, actor=kept["gu"], reason="x")
    with pytest.raises(Invalid, match="没有"):
        propose_removal(kept.store, actor=kept["hu"], reason="x")  # it is in a list already
    with pytest.raises(NotAllowed):
        withdraw_removal(kept.store, number, actor=kept["hu"])
    with pytest.raises(Invalid):
        refuse_removal(kept.store, number, actor=kept["hu"], decision="")
    refuse_removal(kept.store, number, actor=kept["hu"], decision="仍有查考价值")
    for again in (approve_removal, withdraw_removal):
        with pytest.raises(Stale):
            again(kept.store, number, actor=kept["hu" if again is approve_removal else "gu"])
    with pytest.raises(NotFound):
        approve_removal(kept.store, 99, actor=kept["hu"])
    second = propose_removal(kept.store, actor=kept["gu"], reason="x")
    withdraw_removal(kept.store, second, actor=kept["gu"])
    with pytest.raises(Stale):
        stop_removal(kept.store, second, actor=kept["gu"])
    with kept.store.read() as session:
        acts = session.execute(select(History.stream, History.act).where(History.stream.like("removal:%")).order_by(History.id)).all()
    assert [tuple(row) for row in acts] == [
        ("removal:1", "removal_proposed"), ("removal:1", "removal_refused"), ("removal:2", "removal_proposed"), ("removal:2", "removal_withdrawn"),
    ]  # fmt: skip


def test_a_list_that_was_touched_between_the_two_is_not_approved(kept: Office) -> None:
    ended(kept)
    other = kept.start(why="x")
    kept.clock.to("2036-02-11 09:00")
    number = propose_removal(kept.store, actor=kept["gu"], reason="x")
    with kept.store.engine.begin() as connection:
        connection.execute(insert(RemovalItem).values(removal_id=number, instance_id=other, state="waiting"))
    with pytest.raises(Stale, match="不一致"):
        approve_removal(kept.store, number, actor=kept["hu"])


# -- what goes and what stays -----------------------------------------------------------------


def test_all_that_a_case_held_is_gone_and_its_line_stays(kept: Office, settings: Settings) -> None:
    case = kept.start(why=SECRET)
    task = kept.task("reply").id
    comment_task(kept.store, task, actor=kept["dora"], text=SECRET)
    attach(kept.store, settings, task, actor=kept["dora"], name=f"{SECRET}.txt", stream=BytesIO(SECRET.encode()))
    copy_case(kept.store, case, actor=kept["dora"], people=[kept["emil"].account_id], note=SECRET, task_id=task)
    save_draft(kept.store, task, actor=kept["dora"], answers={"reply": SECRET}, opinion=SECRET)
    with kept.store.work() as work:
        post(work, "mail", "a@b", {"subject": SECRET, "path": f"/tasks/{task}"}, "dead-one")
        post(work, "mail", "a@b", {"subject": "另一件", "path": f"/tasks/{task + 1}"}, "dead-other")
        work.session.execute(text("UPDATE outbox SET state = 'dead'"))
    kept.complete("dora", "reply", opinion=SECRET, reply=SECRET)
    other = ended(kept, why="另一件")
    before = kept.instance(case)
    assert SECRET in everything(kept.store)
    assert [file.read_text() for file in settings.uploads.glob("??/*")] == [SECRET]
    kept.clock.to("2036-02-11 09:00")
    set_removal_time(kept.store, [other], actor=kept["gu"])

    number = removes(kept, settings.uploads, None)
    left = everything(kept.store)
    assert SECRET not in left and "另一件" in left
    assert list(settings.uploads.glob("??/*")) == []
    row = kept.instance(case)
    same = ("number", "process_key", "definition_id", "unit_id", "state", "outcome", "started_at", "ended_at", "removal_at", "history_seq", "history_hash")
    assert [getattr(row, name) for name in same] == [getattr(before, name) for name in same]
    assert (row.title, row.variables, row.subject_key, row.starter_id, row.removed_at, row.removal_id) == ("", {}, None, None, kept.clock.now(), number)
    with kept.store.read() as session:
        assert session.scalar(select(func.count()).select_from(Task).where(Task.instance_id == case)) == 0
        cover = session.scalars(select(History).where(History.stream == removed_stream(case))).one()
        tombstones = session.scalars(select(HistoryRemoved).where(HistoryRemoved.stream == instance_stream(case)).order_by(HistoryRemoved.seq)).all()
        item = session.scalars(select(RemovalItem).where(RemovalItem.instance_id == case)).one()
    assert (cover.data["entries"], cover.data["hash"], cover.data["removal"]) == (len(tombstones), row.history_hash, number)
    assert (cover.data["proposed_by"], cover.data["approved_by"], cover.data["number"]) == ("Gu", "Hu", row.number)
    assert (item.state, item.entries) == ("removed", len(tombstones)) and len(tombstones) > 3
    assert (removal(kept, number).state, removal(kept, number).removed) == ("done", 1)
    verdict = verify(kept.store)
    assert (verdict.ok, verdict.removed) == (True, len(tombstones)), verdict.first_broken
    while seal(kept.store):
        pass
    assert verify(kept.store, verdict.anchor).ok  # what was printed before still holds


def test_nobody_finds_a_removed_case_and_nobody_writes_to_it(kept: Office, settings: Settings) -> None:
    case, other = ended(kept), ended(kept, why="x")
    kept.clock.to("2036-02-11 09:00")
    set_removal_time(kept.store, [other], actor=kept["gu"])
    removes(kept, settings.uploads, None)
    gu: Actor = kept["gu"]
    with kept.store.read() as session:
        for login in ("gu", "anna", "dora"):
            assert case not in [line.instance_id for line in cases(session, kept[login]).lines]
        assert count_past(session, gu, {}) == 1
        with pytest.raises(Removed, match="第1号"):
            case_sheet(session, gu, case)
    for act in (lambda: copy_case(kept.store, case, actor=gu, people=[kept["hu"].account_id]), lambda: set_removal_time(kept.store, [case], actor=gu)):
        with pytest.raises(Removed):
            act()


def test_what_runs_or_is_kept_or_belongs_to_such_stays_with_the_reason(kept: Office, settings: Settings) -> None:
    kept.deploy("start > call:ask > end", call("ask", "child"), key="parent", also_known=("child",), retention="1y")
    deploy(kept, key="child", retention="10y", startPosts="")
    parent = kept.start(key="parent")
    kept.complete("dora", "reply", reply="x")
    (child,) = kept.instances("child")
    lonely = ended(kept)
    number = removes(kept, settings.uploads, "2027-06-01 09:00")
    assert reasons(kept, number) == {parent: f"与仍须保管的办件{child.number}关联"}
    assert (removal(kept, number).state, removal(kept, number).removed, removal(kept, number).stayed) == ("done", 0, 1)
    kept.clock.to("2036-02-11 09:00")
    listed = propose_removal(kept.store, actor=kept["gu"], reason="x")
    set_removal_time(kept.store, [lonely], actor=kept["gu"], at=shanghai("2040-01-01"))  # after it was listed
    approve_removal(kept.store, listed, actor=kept["hu"])
    while seal(kept.store):
        pass
    remove_waiting(kept.store, settings.uploads)
    assert reasons(kept, listed) == {lonely: "办件保管期未满"}
    assert all(kept.instance(each).removed_at for each in (parent, child.id))
    assert verify(kept.store).ok


def test_a_register_may_keep_its_case(kept: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    case = ended(kept)
    monkeypatch.setattr(clearing, "KEEPERS", [lambda session, instance: "授权尚未终止" if instance == case else None])
    assert reasons(kept, removes(kept, settings.uploads)) == {case: "授权尚未终止"}


def test_what_is_not_sealed_waits(kept: Office, settings: Settings) -> None:
    case = ended(kept)
    kept.clock.to("2036-02-11 09:00")
    number = propose_removal(kept.store, actor=kept["gu"], reason="x")
    approve_removal(kept.store, number, actor=kept["hu"])
    assert remove_waiting(kept.store, settings.uploads) == 0 and removal(kept, number).state == "running"
    while seal(kept.store):
        pass
    assert remove_waiting(kept.store, settings.uploads) == 1
    assert kept.instance(case).removed_at is not None and verify(kept.store).ok


#: Registers of their own, and what names a case by its number only: their rows outlive it.
STAY = {
    "instance", "removal_item", "migration_item", "catalogue_maintenance", "data_correction", "data_inconsistency", "document", "evaluation",
    "grant_suspension", "negative_list_change", "negative_list_objection", "opened_duty", "project", "published_condition", "rectification_order",
    "report", "resource_version", "sharing_grant", "supervision_case",
}  # fmt: skip


def test_whoever_adds_a_table_about_cases_says_whether_it_goes_with_them() -> None:
    about = {
        table.name for table in Base.metadata.sorted_tables
        if any(key.target_fullname in ("instance.id", "task.id", "timer.id") for key in table.foreign_keys)
    }
    gone = {table.__tablename__ for table in clearing._ROWS} | {"task_draft", "signal"}
    assert about == gone | STAY and not gone & STAY


# -- the worker -------------------------------------------------------------------------------


def test_a_worker_that_dies_in_the_middle_leaves_whole_cases_and_another_goes_on(
    kept: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = [ended(kept) for _ in range(4)]
    real, seen = running.clear, 0

    def dies(*given: Any) -> list[str]:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(running, "clear", dies)
    with pytest.raises(KeyboardInterrupt):
        removes(kept, settings.uploads)
    assert [kept.instance(case).removed_at is not None for case in done] == [True, True, False, False]
    assert verify(kept.store).ok
    assert remove_waiting(kept.store, settings.uploads) == 2
    assert all(kept.instance(case).removed_at for case in done) and verify(kept.store).ok


def test_one_case_that_fails_stops_nobody_else(kept: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = ended(kept), ended(kept)
    real = running.clear

    def fails(session: Any, instance: Instance) -> list[str]:
        if instance.id == bad:
            raise ValueError("broken")
        return real(session, instance)

    monkeypatch.setattr(running, "clear", fails)
    number = removes(kept, settings.uploads)
    assert "ValueError" in str(reasons(kept, number)[bad])
    assert kept.instance(bad).removed_at is None and kept.instance(good).removed_at is not None
    assert verify(kept.store).ok


def test_two_workers_share_the_work(kept: Office, settings: Settings) -> None:
    done = [ended(kept) for _ in range(12)]
    kept.clock.to("2036-02-11 09:00")
    approve_removal(kept.store, propose_removal(kept.store, actor=kept["gu"], reason="x"), actor=kept["hu"])
    while seal(kept.store):
        pass
    with ThreadPoolExecutor(2) as pool:
        dealt = sum(pool.map(lambda _: remove_waiting(kept.store, settings.uploads), range(2)))
    remove_waiting(kept.store, settings.uploads)
    assert dealt == 12 and all(kept.instance(case).removed_at for case in done)
    assert removal(kept, 1).state == "done" and verify(kept.store).ok


def test_somebody_stops_it(kept: Office, settings: Settings) -> None:
    ended(kept)
    kept.clock.to("2036-02-11 09:00")
    number = propose_removal(kept.store, actor=kept["gu"], reason="x")
    approve_removal(kept.store, number, actor=kept["hu"])
    with pytest.raises(NotAllowed):
        stop_removal(kept.store, number, actor=kept["anna"])
    stop_removal(kept.store, number, actor=kept["hu"])
    assert remove_waiting(kept.store, settings.uploads) == 0
    assert list(reasons(kept, number).values()) == ["销毁已由Hu停止"]
    assert propose_removal(kept.store, actor=kept["gu"], reason="x")  # it may be listed again


# -- longer, never shorter --------------------------------------------------------------------


def test_a_person_may_keep_a_case_longer_and_nobody_shorter(kept: Office) -> None:
    deploy(kept, key="ever")
    case, ever, open_ = ended(kept), ended(kept, key="ever"), kept.start(why="x")
    gu, at = kept["gu"], shanghai("2050-01-01")
    assert set_removal_time(kept.store, [case], actor=gu, at=at) == 1
    assert kept.instance(case).removal_at == at
    assert set_removal_time(kept.store, [case], actor=gu) == 1
    assert kept.instance(case).removal_at is None
    assert set_removal_time(kept.store, [case, case], actor=gu, calculated=True) == 1
    assert set_removal_time(kept.store, [case, ever], actor=gu, calculated=True) == 0
    assert kept.instance(case).removal_at == shanghai("2036-02-11 00:00")
    refused: list[tuple[list[int], dict[str, Any], type[Exception]]] = [
        ([case], {"at": shanghai("2030-01-01")}, Invalid), ([case, ever], {"at": at}, Invalid), ([open_], {}, Invalid), ([99], {}, NotFound),
    ]  # fmt: skip
    for ids, given, error in refused:
        with pytest.raises(error):
            set_removal_time(kept.store, ids, actor=gu, **given)
    with pytest.raises(NotAllowed):
        set_removal_time(kept.store, [case], actor=kept["anna"])
    assert kept.instance(case).removal_at == shanghai("2036-02-11 00:00")  # the list that was refused changed nothing
    with kept.store.read() as session:
        told = [entry.title for entry in case_sheet(session, gu, case).timeline if "保管期限" in entry.title]
    assert told == ["保管期限改为2049年12月31日24时止", "保管期限改为永久", "保管期限改为2036年2月10日24时止"]
