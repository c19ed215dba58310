"""The register of supervision: opened once, raised and never lowered, closed with the case it watches."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.interpreter.model import OperationError
from engine.sharing import supervision
from engine.store.clock import MovableClock, shanghai
from tests.engine.sharing.registers import Registers

LATE: dict[str, Any] = {"source_step": "SubProcess_Reply", "source_step_name": "提供部门答复", "unit": "013"}


def lines(registers: Registers, login: str = "office", **filters: Any) -> list[supervision.SupervisionLine]:
    with registers.store.read() as session:
        return supervision.search(session, registers.person(login), **filters).lines


def test_a_supervision_case_names_what_was_late_and_whose_it_was(registers: Registers) -> None:
    source, case = registers.case("申请共享"), registers.case("督办")
    given = registers.call(
        "sharing.open_supervision", case, at=shanghai("2026-03-03"), source_instance=source, level="blue", **LATE
    )
    (line,) = lines(registers)
    assert given["number"] == line.number == "督办〔2026〕1号"
    assert (line.source_id, line.source_title, line.source_step_name) == (source, "申请共享", "提供部门答复")
    assert (line.unit_code, line.level_label, line.open) == ("013", "蓝色", True)
    assert line.opened_at == shanghai("2026-03-03")  # when the deadline passed, not when the worker came round


def test_the_office_sees_all_and_a_unit_its_own(registers: Registers) -> None:
    registers.call("sharing.open_supervision", registers.case(), source_instance=registers.case(), **LATE)
    assert [len(lines(registers, login)) for login in ("office", "provider", "applicant", "editor")] == [1, 1, 0, 0]


def test_it_is_opened_once_however_often_the_step_runs(registers: Registers) -> None:
    source, case = registers.case(), registers.case()
    first = registers.call("sharing.open_supervision", case, source_instance=source, **LATE)
    assert registers.call("sharing.open_supervision", case, source_instance=source, **LATE) == first
    assert len(lines(registers)) == 1


def test_it_goes_up_and_never_down(registers: Registers, clock: MovableClock) -> None:
    case = registers.case()
    registers.call("sharing.open_supervision", case, source_instance=registers.case(), **LATE)
    clock.to("2026-03-06 00:00")
    assert registers.call("sharing.raise_supervision", case, level="orange")["level_name"] == "橙色"
    assert registers.call("sharing.raise_supervision", case, level="blue")["level"] == "orange"
    assert registers.call("sharing.raise_supervision", case)["level"] == "red"
    assert registers.call("sharing.raise_supervision", case)["level"] == "red"
    (line,) = lines(registers, level="red")
    assert line.raised_at == clock.now()
    with registers.store.read() as session:
        assert supervision.open_counts(session, registers.person("office")) == {"blue": 0, "orange": 0, "red": 1}


def test_what_is_closed_stays_closed(registers: Registers, clock: MovableClock) -> None:
    case = registers.case()
    registers.call("sharing.open_supervision", case, source_instance=registers.case(), **LATE)
    clock.to("2026-03-04 10:00")
    registers.call("sharing.close_supervision", case)
    clock.to("2026-03-05 10:00")
    registers.call("sharing.close_supervision", case)
    registers.call("sharing.raise_supervision", case, level="red")
    assert lines(registers, open_only=True) == []
    (line,) = lines(registers)
    assert (line.closed_at, line.level) == (shanghai("2026-03-04 10:00"), "blue")


def test_what_makes_no_sense_is_refused(registers: Registers) -> None:
    case = registers.case()
    for name, parameters, code in (
        ("sharing.close_supervision", {}, "no-supervision"),
        ("sharing.raise_supervision", {}, "no-supervision"),
        ("sharing.open_supervision", {"source_instance": case, **LATE, "level": "purple"}, "bad-level"),
        ("sharing.open_supervision", {"source_instance": case, **LATE, "unit": "999"}, "unknown-unit"),
    ):
        with pytest.raises(OperationError) as refused:
            registers.call(name, case, **parameters)
        assert refused.value.code == code
