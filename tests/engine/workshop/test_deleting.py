"""Deleting a version that no case ever followed: gone from everything that goes on, and still there for the record."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from engine.history import History
from engine.history_seal import verify
from engine.process.definitions import Deleted, all_in_force, in_force, known_processes, newest_versions, require_open_key
from engine.process.instances import start_instance
from engine.process.opening import open_instance
from engine.process.outside import versions as programs
from engine.process.outside.listing import Cut
from engine.process.tables import Definition, Notice
from engine.process.workshop.deleting import VersionStays, delete_version
from engine.process.workshop.drafts import newest_id, start_draft
from engine.process.workshop.dry_run.runs import version_of
from engine.process.workshop.migrating.commands import plan_migration, withdraw_migration
from engine.process.workshop.migrating.sheets import processes as with_versions
from engine.process.workshop.proposals import propose_rollback
from engine.process.workshop.versions import changes, process_sheet, version_sheet
from engine.process.workshop.vocabulary import _processes as callable_processes
from engine.store.clock import MovableClock
from engine.store.errors import Invalid, NotAllowed, NotFound
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office

WORK = {"unit": "'B'", "post": "handler"}


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


def version(office: Office, name: str, *, at: str = "2018-11-26", key: str = "test") -> int:
    return office.deploy("start > user:reply > end", element("reply", name=name, **WORK), at=at, key=key)


@pytest.fixture
def three(office: Office) -> tuple[int, int, int]:
    """Three versions: the first, the one in force, and one that is to come."""
    return version(office, "答复"), version(office, "回复"), version(office, "复函", at="2026-03-01")


def deletes(office: Office, definition: int, who: str = "petra", reason: str = "不再需要", **more: Any) -> None:
    delete_version(office.store, definition, actor=office[who], reason=reason, **more)


def numbers(office: Office, key: str = "test") -> list[int]:
    """The versions as a program finds them."""
    with office.store.read() as session:
        return sorted(row.version for row in programs.definitions(session, {"key": key}, Cut()).rows)


def test_an_unused_version_is_gone_from_all_that_goes_on_and_stays_on_record(office: Office, three: tuple[int, int, int]) -> None:
    first, current, coming = three
    deletes(office, coming)
    assert numbers(office) == [1, 2]
    office.clock.to("2026-03-02 09:00")
    office.start()
    now = office.clock.now()
    with office.store.read() as session:
        assert in_force(session, "test", now).id == current == programs.id_in_force(session, "test")
        assert [each.id for each in all_in_force(session, now)] == [current]
        assert (newest_id(session, "test"), newest_versions(session)) == (current, {"test": 2})
        assert programs.count_definitions(session, {"key": "test"}) == programs.count_deployments(session, {}) == 2
        assert [row.id for row in programs.definitions(session, {"latestVersion": True}, Cut()).rows] == [current]
        assert len(programs.all_definitions(session)) == 2
        with pytest.raises(NotFound):
            programs.one_definition(session, coming)
        petra = office["petra"]
        assert [line.version for line in with_versions(session, petra)[0].versions] == [2, 1]
        sheet = process_sheet(session, petra, "test", now)
        assert [(line.version, line.state) for line in sheet.versions] == [(3, "deleted"), (2, "in_force"), (1, "never")]
        assert sheet.newest.version == 2
        assert version_sheet(session, petra, "test", 3, now).line.deleted_at is not None, "its page is still there"
        for look in (lambda: changes(session, petra, "test", 3), lambda: version_of(session, petra, "test", 3)):
            with pytest.raises(NotFound):
                look()
        assert session.get_one(Definition, coming).xml, "the row keeps what was approved"
        entry = session.scalars(select(History).where(History.act == "version_deleted")).one()
        told = session.scalars(select(Notice.account_id).where(Notice.title == "流程版本已删除")).all()
    assert (entry.stream, entry.definition_id, entry.data["version"], entry.data["reason"]) == ("definition:test", coming, 3, "不再需要")
    assert told == [office["paul"].account_id] and verify(office.store).ok
    acts: list[Callable[[], Any]] = [
        lambda: start_draft(office.store, actor=petra, definition_id=coming),
        lambda: propose_rollback(office.store, coming, actor=petra, reason="x"),
        lambda: plan_migration(office.store, actor=petra, from_id=current, to_id=coming, reason="x"),
        lambda: deletes(office, coming),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(NotFound):
            act()
    again = version(office, "复函")
    assert again != coming and numbers(office) == [1, 2, 4], "the same content again is another version; its number never comes back"


def test_what_any_case_followed_stays_for_good(office: Office, three: tuple[int, int, int]) -> None:
    _, current, _ = three
    case = office.start()
    office.complete("dora", "reply")
    version(office, "回函")
    for direct in (False, True):
        with pytest.raises(VersionStays, match="已有办件"):
            deletes(office, current, direct=direct)
    assert office.instance(case).state == "completed" and numbers(office) == [1, 2, 3, 4]


def test_what_a_migration_names_stays(office: Office, three: tuple[int, int, int]) -> None:
    _, current, coming = three
    office.start()
    migration = plan_migration(office.store, actor=office["petra"], from_id=current, to_id=coming, reason="x")
    with pytest.raises(VersionStays, match=f"编号{migration}"):
        deletes(office, coming)
    withdraw_migration(office.store, migration, actor=office["petra"])
    deletes(office, coming)
    assert numbers(office) == [1, 2]


def test_the_version_in_force_and_the_first_stay(office: Office, three: tuple[int, int, int]) -> None:
    first, current, coming = three
    with pytest.raises(VersionStays, match="现行"):
        deletes(office, current)
    with pytest.raises(VersionStays, match="首个版本"):
        deletes(office, first)
    with pytest.raises(VersionStays, match="首个版本"):
        deletes(office, first, direct=True)
    for who in ("anna", "gu", "otto", "paul"):
        with pytest.raises(NotAllowed):
            deletes(office, coming, who)
    for reason in ("", "  ", "x" * 1001, "\x00"):
        with pytest.raises(Invalid):
            deletes(office, coming, reason=reason)
    with pytest.raises(NotFound):
        deletes(office, 999)
    assert numbers(office) == [1, 2, 3]


def test_where_versions_are_deployed_at_once_the_one_in_force_goes_and_the_one_before_comes_back(office: Office, three: tuple[int, int, int]) -> None:
    first, current, coming = three
    deletes(office, coming, direct=True)
    deletes(office, current, direct=True)
    case = office.start()
    assert office.instance(case).definition_id == first
    lone = version(office, "询问", key="lone")
    deletes(office, lone, direct=True)
    with office.store.read() as session:
        assert "lone" not in known_processes(session) and [each["value"] for each in callable_processes(session)] == ["test"]
        require_open_key(session, "lone")
        with pytest.raises(NotFound):
            in_force(session, "lone", office.clock.now())
        with pytest.raises(NotFound):
            process_sheet(session, office["petra"], "lone", office.clock.now())
    version(office, "询问", key="lone")
    assert numbers(office, "lone") == [2]


def test_another_process_of_ours_that_knows_the_version_does_not_start_it(office: Office, three: tuple[int, int, int]) -> None:
    first, current, coming = three
    office.clock.to("2026-03-02 09:00")
    with closing(Store(office.store.url.render_as_string(hide_password=False), office.clock)) as other:
        with other.read() as session:
            assert in_force(session, "test", office.clock.now()).id == coming, "parsed and remembered"
        deletes(office, coming, direct=True)
        case = start_instance(other, "test", actor=office["anna"], answers={})
    assert office.instance(case).definition_id == current


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_case_that_is_being_started_and_a_version_that_is_being_deleted_wait_for_each_other(
    office: Office, three: tuple[int, int, int]
) -> None:
    first, current, coming = three
    office.clock.to("2026-03-02 09:00")
    started = Event()
    with ThreadPoolExecutor(1) as pool:
        with office.store.work(office["petra"]) as work:
            row = work.session.scalars(select(Definition).where(Definition.id == coming).with_for_update()).one()
            row.deleted_at = work.now
            work.session.flush()
            late = pool.submit(lambda: (started.set(), office.start())[1])
            started.wait()
            with pytest.raises(TimeoutError):
                late.result(timeout=1)
        with pytest.raises(Deleted):
            late.result()
        assert office.instances("test") == []
        with office.store.work() as work:
            open_instance(work, in_force(work.session, "test", work.now), variables={}, at=work.now, unit_id=None)
            slow = pool.submit(deletes, office, current, direct=True)
            with pytest.raises(TimeoutError):
                slow.result(timeout=1)
        with pytest.raises(VersionStays):
            slow.result()
