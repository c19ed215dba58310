"""目录全面维护: once a year every unit goes through all of its entries (article 11). Dates of 2026."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from engine.people.units import unit_id_of
from engine.sharing.catalogue import Resource
from engine.sharing.maintenance import Maintenance
from tests.engine.processes.cataloguing import PERMITS, changes
from tests.engine.processes.duties import opened_for, sweep, texts
from tests.engine.processes.oversight import told
from tests.town import Town


def opened(town: Town, unit: str = "013") -> int:
    sweep(town, "2026-10-01 08:00")
    return opened_for(town, unit, "catalogue_maintenance", "2026")


def kept(town: Town, case: int) -> Maintenance:
    with town.store.read() as session:
        return session.scalars(select(Maintenance).where(Maintenance.instance_id == case)).one()


def test_it_opens_on_the_first_of_october_and_is_due_by_the_end_of_the_year(town: Town) -> None:
    case = opened(town)
    assert town.view(case, "Task_Check").due_day == date(2026, 12, 31)
    with town.store.read() as session:
        own = session.scalars(select(Resource.code).where(Resource.provider_id == unit_id_of(session, "013"))).all()
    assert sorted(entry["code"] for entry in kept(town, case).entries) == sorted(own)


def test_what_is_all_in_order_is_confirmed_signed_and_reported(town: Town) -> None:
    case = opened(town)
    town.does(case, "Task_Check", at="2026-10-20 09:00", all_checked=True)
    town.does(case, "Task_Sign", sign="return", opinion="请再核")
    town.does(case, "Task_Check", all_checked=True)
    town.does(case, "Task_Sign", sign="agree")
    assert town.sheet(case).outcome == "maintained"
    assert {entry["action"] for entry in kept(town, case).entries} == {"confirm"}
    assert kept(town, case).completed_at is not None
    assert "目录全面维护完成" in told(town, "024", "handler")


def test_what_must_change_is_begun_before_the_report_is_signed(town: Town) -> None:
    case = opened(town)
    town.does(case, "Task_Check", at="2026-10-20 09:00", changed=[PERMITS], all_checked=True)
    town.does(case, "Task_BeginChanges", followed_up=True)
    assert town.sheet(case).current_steps == ["Task_BeginChanges"]  # said, and not done
    changes(town, at="2026-10-20 10:00")
    town.does(case, "Task_BeginChanges", followed_up=True)
    town.does(case, "Task_Sign", sign="agree")
    assert town.sheet(case).outcome == "maintained"


def test_the_basis_of_a_withheld_entry_is_checked_again(town: Town) -> None:
    case = opened(town, "021")  # 市统计局 withholds by law
    town.does(case, "Task_Check", at="2026-10-20 09:00", all_checked=True)
    withheld = [entry["code"] for entry in kept(town, case).entries if entry["basis"]]
    assert withheld
    town.does(case, "Task_CheckBasis", rebased=withheld[:1], basis_checked=True)
    assert town.sheet(case).current_steps == ["Task_BeginChanges"]


def test_it_is_supervised_when_the_year_is_over(town: Town) -> None:
    case = opened(town)
    town.passes_until("2026-12-31 23:59")
    assert town.children(case, "supervision") == []
    assert any("最后工作日为2026年12月31日（暂定）" in text for text in texts(town, "013", "cataloguer"))
    town.passes_until("2027-01-01 00:00")
    assert len(town.children(case, "supervision")) == 1
