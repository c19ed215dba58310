"""What a dry run keeps from who sees no case: withheld items, and the rows of registers that not everybody reads."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from engine.process.workshop.dry_run.effects import HIDDEN
from engine.process.workshop.dry_run.registers import COVERS, MADE_UP, REGISTERS
from engine.process.workshop.dry_run.samples import sample_answers
from engine.process.workshop.dry_run.start import as_lines, first_data, fitting, start_offer
from engine.sharing.catalogue import Resource, ResourceVersion
from engine.sharing.grants import Grant
from engine.store.base import Base
from tests.engine.workshop.dry_walks import asked, fingerprint, of_town, shipped
from tests.town import HOUSING, Town


def test_every_register_is_described_by_columns_that_it_has() -> None:
    kept = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("engine.sharing")]
    assert {table.__name__ for table in kept} == {table.__name__ for table in REGISTERS}
    for table, register in REGISTERS.items():
        assert set(register.columns) | set(register.values) <= set(table.__table__.c.keys()), register.name
        assert all("\u4e00" <= word[0] <= "\u9fff" for word in (register.name, *register.columns.values()))


def test_the_items_that_a_resource_withholds_are_never_seen(town: Town) -> None:
    code, items = _withheld(town)
    admin, package = town.officer("024", "process_admin"), shipped("withheld_need")
    offer = start_offer(town.store, package, actor=admin, unit="007", about={"resource_code": code})
    assert offer.subject is not None and offer.subject.variables["itemised"]
    assert "不予共享信息项1" in repr(offer)
    assert [item for item in items if item in repr(offer)] == []
    walk = of_town(town, package)
    found = walk.starts("007", town.officer("007", "handler").login, about={"resource_code": code}, answers={
        "needed_content": "需要核对", "duty_basis": "职责", "why_needed": "核对", "use": "行政依据", "safeguards": ["核验式返回，不提供明细"],
        "wanted_until": "2027-12-31", "promise_no_secrets": True, "promise_no_third_party": True,
    })  # fmt: skip
    assert [item for item in items if item in repr(found)] == []
    with town.store.read() as session:
        assert session.scalars(select(Resource).where(Resource.code == code)).one().items == items


def test_an_existing_row_of_a_register_that_not_everybody_reads_is_told_without_names(town: Town) -> None:
    case = town.submits(at="2026-02-10 09:10")
    town.reviews(case)
    for step in ("Task_Reply", "Task_SupplyByPlatform", "Task_Accept"):
        town.does(case, step)
    with town.store.read() as session:
        real = session.scalars(select(Grant)).one()
    walk = asked(town, about={"resource_code": HOUSING, "grant": str(real.id)})
    for step in ("Task_Intake", "Task_BusinessReview", "Task_SecurityReview"):
        walk.does(step)
    walk.does("Task_Reply")
    walk.does("Task_SupplyByPlatform")
    walk.does("Task_Accept")
    assert walk.now is not None
    grants = [change for move in walk.now.moves for change in move.effects.registers if change.register == "共享授权"]
    assert {(change.act, change.title == f"现有记录{HIDDEN}") for change in grants} == {("new", False), ("changed", True)}
    [ended] = [change for change in grants if change.act == "changed"]
    told = {column.label: (column.before, column.after) for column in ended.columns}
    assert told["状态"] == ("有效", "已终止") and told["终止原因"] == (HIDDEN, HIDDEN)
    assert real.number not in repr(ended)


def test_only_resources_that_the_unit_can_ask_for_are_offered(town: Town) -> None:
    admin, package = town.officer("024", "process_admin"), shipped("conditional_share")
    offer = start_offer(town.store, package, actor=admin, unit="007")
    assert (offer.asks, offer.subject, offer.problem) == ({"resource_code"}, None, "")
    assert "007" in {starter.unit_code for starter in offer.starters}
    secret, _ = _withheld(town)
    fit = fitting(town.store, package, actor=admin, process="conditional_share", unit="007", name="resource_code",
                  values=[HOUSING, secret, "none/000001"])  # fmt: skip
    assert fit == [HOUSING]


def test_a_run_about_a_grant_is_about_one_that_is_made_up(town: Town) -> None:
    admin, package = town.officer("024", "process_admin"), shipped("misuse")
    before = fingerprint(town.store)
    about = {"resource_code": HOUSING, "grant": MADE_UP}
    offer = start_offer(town.store, package, actor=admin, unit="007", about=about)
    assert offer.subject is not None and offer.subject.name == "公租房保障对象" and offer.form is not None
    walk = of_town(town, package)
    found = walk.starts("007", about=about, answers=sample_answers(offer.form, offer.subject.variables, date(2026, 2, 10)))
    assert found.stopped is None, found.stopped
    assert [case.place for case in found.cases] == [0] and found.moves[0].effects.registers == ()
    assert fingerprint(town.store) == before


def test_what_a_unit_did_in_real_cases_is_not_counted(town: Town) -> None:
    town.submits(at="2026-02-10 09:10")
    walk = of_town(town, shipped("periodic_report"))
    offer = start_offer(town.store, walk.package, actor=walk.admin, unit="007")
    found = walk.starts("007", given=first_data(as_lines(offer.given)))
    assert found.stopped is None, found.stopped
    [made] = [value for value in found.cases[0].sheet.variables.values() if isinstance(value, dict) and "figures" in value]
    assert set(made["figures"]["period"].values()) == {0}


def test_what_is_covered_are_tables_with_items() -> None:
    assert set(COVERS) == {Resource, ResourceVersion}


def _withheld(town: Town) -> tuple[str, list[str]]:
    """A withheld resource of which the catalogue knows items, which read like nothing else."""
    with town.store.work() as work:
        row = work.session.scalars(
            select(Resource).where(Resource.sharing_class == "withheld", Resource.state == "published").order_by(Resource.code)
        ).first()
        assert row is not None
        row.items = ["机密项甲", "机密项乙"]
        return row.code, list(row.items)
