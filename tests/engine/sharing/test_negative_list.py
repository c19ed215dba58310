"""The negative list: only a statutory basis lists, an entry is closed and never deleted, nothing unfounded is published."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from engine.process.interpreter.model import OperationError
from engine.sharing import catalogue, negative_list
from engine.store.errors import Invalid, NotFound
from tests.engine.sharing.registers import HOUSING, Registers

LAW: dict[str, Any] = {"basis_type": "law", "basis": "中华人民共和国统计法", "article": "第二十八条", "reason": "可识别调查对象"}


def listed(registers: Registers, login: str = "outsider", **filters: Any) -> list[tuple[str, str]]:
    with registers.store.read() as session:
        page = negative_list.search(session, registers.person(login), **filters)
    return [(line.resource_code, line.state) for line in page.lines]


def sharing_class(registers: Registers) -> str:
    with registers.store.read() as session:
        return catalogue.resource_sheet(session, registers.person("office"), HOUSING).line.sharing_class


def test_listing_withholds_the_resource_and_shows_the_basis_to_everybody(registers: Registers) -> None:
    case = registers.case()
    registers.call("negative_list.list", case, resource={"code": HOUSING}, **LAW)
    assert sharing_class(registers) == "withheld"
    with registers.store.read() as session:
        line = negative_list.search(session, registers.person("outsider")).lines[0]
        sheet = negative_list.entry_sheet(session, registers.person("outsider"), line.id)
    assert (line.basis_type_label, line.basis, line.article) == ("法律", "中华人民共和国统计法", "第二十八条")
    assert [(change.act_label, change.instance_id) for change in sheet.changes] == [("列入", case)]


@pytest.mark.parametrize(
    "basis",
    [
        {"basis_type": "departmental_rule"},
        {"basis_type": "none"},
        {"basis_type": None},
        {"basis": " "},
        {"article": ""},
    ],
)
def test_nothing_but_law_regulation_or_central_policy_lists(registers: Registers, basis: dict[str, Any]) -> None:
    with pytest.raises(OperationError) as refused:
        registers.call("negative_list.list", registers.case(), resource=HOUSING, **{**LAW, **basis})
    assert refused.value.code == "no-basis"
    assert listed(registers, "office") == []
    assert sharing_class(registers) == "conditional"


def test_which_bases_are_admitted_is_the_diagram_s_to_say(registers: Registers) -> None:
    decided = {**LAW, "basis_type": "state_council_decision"}
    with pytest.raises(OperationError):
        registers.call("negative_list.list", registers.case(), resource=HOUSING, **decided)
    national = {"admitted": ["law", "administrative_regulation", "state_council_decision"]}
    with pytest.raises(OperationError) as refused:
        registers.call("negative_list.list", registers.case(), resource=HOUSING, **{**LAW, "basis_type": "central_policy"}, **national)
    assert "国务院决定" in refused.value.message and "政策" not in refused.value.message
    registers.call("negative_list.list", registers.case(), resource=HOUSING, **decided, **national)
    assert listed(registers) == [(HOUSING, "listed")]


def test_a_resource_is_listed_once(registers: Registers) -> None:
    registers.call("negative_list.list", registers.case(), resource=HOUSING, **LAW)
    with pytest.raises(OperationError) as refused:
        registers.call("negative_list.list", registers.case(), resource=HOUSING, **LAW)
    assert refused.value.code == "already-listed"


def test_a_closed_entry_stays_on_record_and_the_resource_is_shared_again(registers: Registers) -> None:
    first, last = registers.case(), registers.case()
    registers.call("negative_list.list", first, resource=HOUSING, **LAW)
    registers.call("negative_list.close", last, resource=HOUSING, sharing_class="conditional", reason="依据已修订")
    assert listed(registers) == [(HOUSING, "closed")]
    assert listed(registers, state="listed") == []
    assert sharing_class(registers) == "conditional"
    registers.call("negative_list.list", registers.case(), resource=HOUSING, **LAW)
    with registers.store.read() as session:
        entries = negative_list.entries_of(session, registers.person("outsider"), HOUSING)
        old = negative_list.entry_sheet(session, registers.person("outsider"), entries[1].id)
    assert [entry.state for entry in entries] == ["listed", "closed"]
    assert [(change.act_label, change.instance_id, change.note) for change in old.changes] == [
        ("列入", first, "可识别调查对象"),
        ("移出", last, "依据已修订"),
    ]


def test_what_is_not_listed_cannot_be_closed(registers: Registers) -> None:
    for code, sharing in (("not-listed", "conditional"), ("bad-class", "withheld")):
        with pytest.raises(OperationError) as refused:
            registers.call("negative_list.close", registers.case(), resource=HOUSING, sharing_class=sharing)
        assert refused.value.code == code


def test_an_entry_without_basis_is_shown_to_its_provider_and_the_office_until_it_has_one(registers: Registers) -> None:
    bus = "3070211000014/000002"
    registers.resource(bus, state="blocked", sharing_class="withheld", provider_id=registers.units["014"])
    with registers.store.work() as work:
        row = catalogue.lock_resource(work.session, bus)
        blocked = negative_list.enter(
            work.session, row, at=work.now, instance_id=None, note="", state="blocked", basis_type=None, basis="",
            article="", text="", reason="",
        )  # fmt: skip
        entry = blocked.id
    assert listed(registers, "applicant") == []
    assert listed(registers, "outsider") == listed(registers, "office") == [(bus, "blocked")]
    with registers.store.read() as session, pytest.raises(NotFound):
        negative_list.entry_sheet(session, registers.person("applicant"), entry)
    registers.call("negative_list.list", registers.case(), resource=bus, **LAW)
    assert listed(registers, "applicant") == [(bus, "listed")]
    assert found_in_catalogue(registers, bus) == "published"


def found_in_catalogue(registers: Registers, code: str) -> str:
    with registers.store.read() as session:
        return catalogue.resource_sheet(session, registers.person("applicant"), code).line.state


def test_a_cursor_that_no_list_gave_is_refused(registers: Registers) -> None:
    for after in ("x", "-1", "１", "9" * 30, "1 OR 1=1"):
        with pytest.raises(Invalid):
            listed(registers, after=after)


def test_two_cases_at_once_list_a_resource_once_and_the_second_is_told(registers: Registers) -> None:
    cases = [registers.case(), registers.case()]
    together = Barrier(2)

    def list_it(case: int) -> str:
        together.wait(timeout=30)
        try:
            registers.call("negative_list.list", case, resource=HOUSING, **LAW)
        except OperationError as refused:
            return refused.code
        return "listed"

    with ThreadPoolExecutor(2) as offices:
        assert sorted(offices.map(list_it, cases)) == ["already-listed", "listed"]
    assert listed(registers) == [(HOUSING, "listed")]
    with registers.store.read() as session:
        assert catalogue.resource_sheet(session, registers.person("office"), HOUSING).version == 2
