"""Grants: what was agreed, for whom, and who may see it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.process.interpreter.model import OperationError
from engine.sharing import grants
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import NotFound
from tests.engine.sharing.registers import HOUSING, Registers

AGREED: dict[str, Any] = {
    "resource": {"code": HOUSING},
    "applicant_unit": "007",
    "fields": ["公民身份号码", "保障起止"],
    "use": ["行政依据", "数据校核"],
    "method": "联机查询",
    "conditions": "按人核验",
    "valid_until": "2026-12-31",
}
TODAY = date(2026, 3, 2)


def seen_by(registers: Registers, login: str, **filters: Any) -> list[str]:
    with registers.store.read() as session:
        return [line.number for line in grants.search(session, registers.person(login), today=TODAY, **filters).lines]


def test_a_grant_says_who_may_use_which_fields_for_what_and_until_when(registers: Registers) -> None:
    case = registers.case()
    given = registers.call("sharing.grant", case, **AGREED)
    with registers.store.read() as session:
        line = grants.grant_sheet(session, registers.person("applicant"), given["id"], today=TODAY)
        assert grants.grants_of_case(session, case, today=TODAY) == [line]
    assert line.number == given["number"] == "共享授权〔2026〕1号"
    assert line.fields == ("公民身份号码", "保障起止")
    assert (line.use, line.method, line.conditions) == ("行政依据、数据校核", "联机查询", "按人核验")
    assert (line.valid_until, line.state, line.instance_id) == (date(2026, 12, 31), "active", case)


def test_only_those_concerned_see_a_grant(registers: Registers) -> None:
    given = registers.call("sharing.grant", registers.case(), **AGREED)
    for login in ("applicant", "provider", "office", "operator"):
        assert seen_by(registers, login) == [given["number"]]
    for login in ("outsider", "editor"):
        assert seen_by(registers, login) == []
        with registers.store.read() as session, pytest.raises(NotFound):
            grants.grant_sheet(session, registers.person(login), given["id"], today=TODAY)


def test_newest_first_with_filters_and_pages(registers: Registers) -> None:
    for unit in ("007", "014", "007"):
        registers.call("sharing.grant", registers.case(), **{**AGREED, "applicant_unit": unit})
    with registers.store.read() as session:
        first = grants.search(session, registers.person("office"), today=TODAY, limit=2)
        rest = grants.search(session, registers.person("office"), today=TODAY, limit=2, after=first.next)
    assert [line.number[-2] for line in (*first.lines, *rest.lines)] == ["3", "2", "1"]
    assert rest.next is None
    assert len(seen_by(registers, "office", unit="007")) == 2
    assert len(seen_by(registers, "office", resource="203001/000001")) == 0


def test_what_the_resource_does_not_hold_cannot_be_granted(registers: Registers) -> None:
    with pytest.raises(OperationError) as refused:
        registers.call("sharing.grant", registers.case(), **{**AGREED, "fields": ["公民身份号码", "婚姻状况"]})
    assert refused.value.code == "unknown-fields" and "婚姻状况" in refused.value.message
    assert seen_by(registers, "office") == []


def test_what_was_withheld_meanwhile_cannot_be_granted(registers: Registers) -> None:
    registers.call(
        "negative_list.list", registers.case(), resource=HOUSING, basis_type="law", basis="某法", article="某条"
    )
    with pytest.raises(OperationError) as refused:
        registers.call("sharing.grant", registers.case(), **AGREED)
    assert refused.value.code == "not-shared"


def test_a_grant_expires_on_the_page_without_anybody_doing_anything(registers: Registers) -> None:
    given = registers.call("sharing.grant", registers.case(), **{**AGREED, "valid_until": "2026-03-02"})
    with registers.store.read() as session:
        on_time = grants.grant_sheet(session, registers.person("office"), given["id"], today=date(2026, 3, 2))
        late = grants.grant_sheet(session, registers.person("office"), given["id"], today=date(2026, 3, 3))
    assert (on_time.state_label, late.state_label) == ("有效", "已到期")


def test_an_ended_grant_stays_on_record_with_its_first_end(registers: Registers, clock: MovableClock) -> None:
    given = registers.call("sharing.grant", registers.case(), **AGREED)
    registers.call("sharing.end_grant", registers.case(), grant=given, reason="业务已停办")
    clock.to("2026-02-11 09:00")
    registers.call("sharing.end_grant", registers.case(), grant=given["id"], reason="再次终止")
    with registers.store.read() as session:
        line = grants.grant_sheet(session, registers.person("office"), given["id"], today=TODAY)
    assert (line.state_label, line.end_reason, line.ended_at) == ("已终止", "业务已停办", shanghai("2026-02-10 09:00"))


def test_a_failed_case_leaves_no_hole_in_the_numbers(registers: Registers) -> None:
    registers.call("sharing.grant", registers.case(), **AGREED)
    with pytest.raises(OperationError):
        registers.call("sharing.grant", registers.case(), **{**AGREED, "applicant_unit": "999"})
    assert registers.call("sharing.grant", registers.case(), **AGREED)["number"] == "共享授权〔2026〕2号"


def test_numbers_start_again_with_the_year_on_shanghais_calendar(registers: Registers) -> None:
    last = registers.call("sharing.grant", registers.case(), at=shanghai("2026-12-31 23:59"), **AGREED)
    first = registers.call("sharing.grant", registers.case(), at=shanghai("2027-01-01 00:00"), **AGREED)
    assert (last["number"], first["number"]) == ("共享授权〔2026〕1号", "共享授权〔2027〕1号")
