"""What processes do to the negative list besides listing and closing: narrow, release, uphold, objections, and grants by agreement."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.interpreter.model import OperationError
from engine.process.tables import Instance
from engine.sharing import catalogue, negative_list, objections
from engine.store.errors import Invalid
from tests.engine.sharing.registers import HOUSING, Registers

LAW: dict[str, Any] = {"basis_type": "law", "basis": "统计法", "article": "第二十八条", "reason": "可识别调查对象"}
ITEMS = ("公民身份号码", "房源地址", "保障起止")


@pytest.fixture
def listed(registers: Registers) -> int:
    """The entry of the listed housing resource."""
    entry: dict[str, Any] = registers.call("negative_list.list", registers.case(), resource=HOUSING, **LAW)
    return int(entry["id"])


def seen_by(registers: Registers, login: str) -> tuple[str, tuple[str, ...] | None]:
    with registers.store.read() as session:
        sheet = catalogue.resource_sheet(session, registers.person(login), HOUSING)
    return sheet.line.sharing_class, sheet.items


def test_a_narrowed_entry_stands_and_shares_only_what_was_released(registers: Registers, listed: int) -> None:
    registers.call("negative_list.narrow", registers.case(), resource=HOUSING, fields=["保障起止"], conditions="脱敏", reason="")
    assert seen_by(registers, "applicant") == ("conditional", ("保障起止",))
    assert seen_by(registers, "provider") == ("conditional", ITEMS)
    case = registers.case()
    registers.call("sharing.grant", case, resource=HOUSING, applicant_unit="007", fields=["保障起止"])
    with pytest.raises(OperationError) as refused:
        registers.call("sharing.grant", case, resource=HOUSING, applicant_unit="007", fields=["房源地址"])
    assert refused.value.code == "unknown-fields"
    with registers.store.read() as session:
        (line,) = negative_list.entries_of(session, registers.person("outsider"), HOUSING)
    assert (line.id, line.state) == (listed, "listed")


@pytest.mark.parametrize("fields", [[], list(ITEMS), ""])
def test_narrowing_leaves_something_on_both_sides(registers: Registers, listed: int, fields: Any) -> None:
    with pytest.raises(Invalid):
        registers.call("negative_list.narrow", registers.case(), resource=HOUSING, fields=fields)
    assert seen_by(registers, "applicant") == ("withheld", None)


def test_where_the_catalogue_tells_no_items_narrowing_names_them(registers: Registers) -> None:
    code = "3070211000013/000009"
    registers.resource(code, items=[])
    registers.call("negative_list.list", registers.case(), resource=code, **LAW)
    registers.call("negative_list.narrow", registers.case(), resource=code, fields="汇总数\n同比")
    with registers.store.read() as session:
        assert catalogue.resource_sheet(session, registers.person("applicant"), code).items == ("汇总数", "同比")


def test_listing_again_withholds_all_of_it(registers: Registers, listed: int) -> None:
    registers.call("negative_list.narrow", registers.case(), resource=HOUSING, fields=["保障起止"])
    registers.call("negative_list.close", registers.case(), resource=HOUSING, sharing_class="conditional")
    assert seen_by(registers, "applicant") == ("conditional", ITEMS)
    registers.call("negative_list.list", registers.case(), resource=HOUSING, **LAW)
    assert seen_by(registers, "applicant") == ("withheld", None)


def test_release_shares_what_is_withheld_with_or_without_an_entry(registers: Registers, listed: int) -> None:
    code = "3070211000013/000008"
    registers.resource(code, sharing_class="withheld")
    for resource in (HOUSING, code):
        registers.call(
            "negative_list.release", registers.case(), resource=resource, sharing_class="unconditional", method="批量下载"
        )
        with registers.store.read() as session:
            sheet = catalogue.resource_sheet(session, registers.person("applicant"), resource)
            entries = negative_list.entries_of(session, registers.person("applicant"), resource)
        assert (sheet.line.sharing_class, sheet.line.method) == ("unconditional", "批量下载")
        assert [entry.state for entry in entries] == (["closed"] if resource == HOUSING else [])
    with pytest.raises(OperationError) as refused:
        registers.call("negative_list.release", registers.case(), resource=HOUSING, sharing_class="withheld")
    assert refused.value.code == "bad-class"


def test_withheld_data_is_granted_by_agreement_only_and_stays_withheld(registers: Registers, listed: int) -> None:
    case = registers.case()
    given: dict[str, Any] = {"resource": HOUSING, "applicant_unit": "007", "fields": ["保障起止"]}
    with pytest.raises(OperationError) as refused:
        registers.call("sharing.grant", case, **given)
    assert refused.value.code == "not-shared"
    assert registers.call("sharing.grant", case, agreement="民政协商纪要〔2026〕1号", **given)["number"]
    assert seen_by(registers, "applicant") == ("withheld", None)


def test_an_objection_is_registered_taken_up_and_ends_with_the_act_that_decides_it(registers: Registers, listed: int) -> None:
    case = registers.case()
    filed = registers.call(
        "negative_list.file_objection", case, resource=HOUSING, unit="007", ground="insufficient", new_basis=" 新法 "
    )
    assert filed["ground"] == "依据不足"
    assert [line.under_review for line in entries(registers)] == [False]
    registers.call("negative_list.take_up_objection", case)
    assert [line.under_review for line in entries(registers)] == [True]
    registers.call("negative_list.uphold", case, resource=HOUSING, reason="依据成立", document="决定〔2026〕1号")
    assert [line.under_review for line in entries(registers)] == [False]
    with registers.store.read() as session:
        (line,) = objections.objections_of(session, listed)
        sheet = negative_list.entry_sheet(session, registers.person("outsider"), listed)
    assert (line.unit_name, line.state_label, line.document, line.instance_id) == ("市民政局", "维持", "决定〔2026〕1号", case)
    assert [change.act_label for change in sheet.changes] == ["列入", "审核维持"]


def test_a_mark_dies_with_its_case(registers: Registers, listed: int) -> None:
    case = registers.case()
    registers.call("negative_list.file_objection", case, resource=HOUSING, unit="007", ground="lapsed")
    registers.call("negative_list.take_up_objection", case)
    with registers.store.work() as work:
        work.session.get_one(Instance, case).state = "terminated"
    assert [line.under_review for line in entries(registers)] == [False]


def test_an_objection_needs_a_listed_entry_a_ground_and_its_registration(registers: Registers, listed: int) -> None:
    other = "3070211000013/000007"
    registers.resource(other)
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("not-listed", "negative_list.file_objection", {"resource": other, "unit": "007", "ground": "lapsed"}),
        ("bad-ground", "negative_list.file_objection", {"resource": HOUSING, "unit": "007", "ground": "dislike"}),
        ("no-objection", "negative_list.take_up_objection", {}),
        ("no-objection", "negative_list.dismiss_objection", {}),
        ("not-listed", "negative_list.uphold", {"resource": other}),
    ]
    for code, name, given in attempts:
        with pytest.raises(OperationError) as refused:
            registers.call(name, registers.case(), **given)
        assert refused.value.code == code


def entries(registers: Registers) -> list[negative_list.EntryLine]:
    with registers.store.read() as session:
        return negative_list.entries_of(session, registers.person("outsider"), HOUSING)
