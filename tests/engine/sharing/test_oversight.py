"""The registers of oversight: what is entered once stays once, what makes no sense is refused, and who sees what."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.interpreter.model import OperationError
from engine.sharing import corrections, inconsistencies, rectification
from engine.store.clock import MovableClock
from tests.engine.sharing.registers import HOUSING, Registers

ORDER: dict[str, Any] = {
    "unit": "013", "grounds": ["（一）", "（六）"], "facts": "未更新。", "clause": "第十一条", "demand": "更新。", "days": 15,
}  # fmt: skip
DOUBT: dict[str, Any] = {"resource": HOUSING, "unit": "007", "kind": "error", "fields": ["保障起止"], "banner": "正在校核。"}


def orders(registers: Registers, login: str) -> list[rectification.OrderLine]:
    with registers.store.read() as session:
        return rectification.search(session, registers.person(login)).lines


def test_an_order_is_entered_once_and_seen_by_the_office_and_its_unit(registers: Registers) -> None:
    case = registers.case()
    first = registers.call("rectification.open", case, **ORDER)
    assert registers.call("rectification.open", case, **ORDER)["number"] == first["number"] == "整改〔2026〕1号"
    assert [len(orders(registers, login)) for login in ("office", "provider", "applicant", "outsider", "editor")] == [1, 1, 0, 0, 0]
    (line,) = orders(registers, "provider")
    assert (line.grounds, line.state_label, line.due_day) == (("（一）", "（六）"), "整改中", None)


def test_an_order_is_extended_once_and_ends(registers: Registers, clock: MovableClock) -> None:
    case = registers.case()
    registers.call("rectification.open", case, **ORDER)
    registers.call("rectification.extend", case, days=10)
    with pytest.raises(OperationError) as refused:
        registers.call("rectification.extend", case, days=5)
    assert (refused.value.code, orders(registers, "office")[0].extended_days) == ("extended-before", 10)
    clock.to("2026-03-02 10:00")
    registers.call("rectification.close", case)
    with registers.store.read() as session:
        counted = rectification.counts(session, registers.person("office"))
    assert counted == {"open": 0, "closed": 1, "overdue": 0, "reported": 0}
    assert orders(registers, "office")[0].ended_at == clock.now()


def test_a_check_closes_once_and_is_known_to_all(registers: Registers) -> None:
    case = registers.case()
    number = registers.call("corrections.open", case, **DOUBT)["number"]
    assert registers.call("corrections.open", case, **DOUBT)["number"] == number
    registers.call("corrections.close", case, result="unfounded", finding="无误。")
    registers.call("corrections.close", case, result="corrected", finding="改了主意。")
    for login, linked in (("office", True), ("applicant", True), ("provider", True), ("outsider", False)):
        with registers.store.read() as session:
            (line,) = corrections.corrections_of(session, registers.person(login), HOUSING)
        assert (line.state, line.number, line.instance_id is not None) == ("unfounded", number, linked)


def test_an_inconsistency_names_its_authority_on_every_resource_of_it(registers: Registers) -> None:
    registers.resource("209001/000009", name="另一个", provider_id=registers.units["014"])
    case = registers.case()
    registers.call("inconsistencies.open", case, resources=[{"code": HOUSING}, "209001/000009"], description="坐落不一致")
    registers.call("inconsistencies.settle", case, authority="014", finding="以登记为准")
    for code in (HOUSING, "209001/000009"):
        with registers.store.read() as session:
            (line,) = inconsistencies.inconsistencies_of(session, registers.person("editor"), code)
        assert (line.state_label, line.authority_name, line.instance_id) == ("已核实", "市交通运输局", None)
    both = [{"value": "013", "label": "甲"}, {"value": "014", "label": "乙"}]
    assert registers.call("inconsistencies.others", case, providers=both, authority="014") == both[:1]


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("rectification.open", {**ORDER, "grounds": []}, "no-grounds"),
        ("rectification.open", {**ORDER, "unit": "999"}, "unknown-unit"),
        ("rectification.close", {}, "no-order"),
        ("rectification.miss", {}, "no-order"),
        ("corrections.open", {**DOUBT, "kind": "rumour"}, "bad-kind"),
        ("corrections.open", {**DOUBT, "resource": "没有"}, "unknown-resource"),
        ("corrections.close", {"result": "corrected"}, "no-correction"),
        ("inconsistencies.settle", {"authority": "013"}, "no-inconsistency"),
        ("inconsistencies.close", {"result": "settled"}, "no-inconsistency"),
        ("misuse.suspend", {"grant": 999}, "unknown-grant"),
    ],
)
def test_what_makes_no_sense_is_refused(registers: Registers, operation: str, given: dict[str, Any], code: str) -> None:
    with pytest.raises(OperationError) as refused:
        registers.call(operation, registers.case(), **given)
    assert refused.value.code == code
