"""What expressions may look up, and which resource a case may be about."""

from __future__ import annotations

import pytest

from engine.process.interpreter.model import OperationError
from engine.process.operations import SUBJECTS, WORDS
from engine.store.errors import Invalid
from tests.engine.sharing.registers import HOUSING, Registers


def test_basic_and_theme_data_come_from_the_platform_and_business_data_from_its_department(registers: Registers) -> None:
    with registers.store.read() as session:
        suppliers = {
            kind: WORDS["supplier"](session, {"kind": kind, "provider": "013"}) for kind in ("basic", "theme", "business")
        }
    assert suppliers == {"basic": "024", "theme": "024", "business": "013"}


def test_bodies_and_units_are_known_by_name_and_nothing_else_is(registers: Registers) -> None:
    with registers.store.read() as session:
        assert WORDS["body"](session, "leadership_office") == "024"
        assert WORDS["unit_name"](session, "007") == "市民政局"
        for word, unknown in (("body", "secrecy"), ("unit_name", "999")):
            with pytest.raises(OperationError):
                WORDS[word](session, unknown)


def test_a_case_knows_the_resource_that_it_is_about(registers: Registers) -> None:
    with registers.store.read() as session:
        subject = SUBJECTS["resource"](session, {"resource_code": f" {HOUSING} "})
    assert (subject.key, subject.name, subject.variables["provider_unit"]) == (HOUSING, "公租房保障对象", "013")
    assert subject.variables["resource"]["items"] == ["公民身份号码", "房源地址", "保障起止"]
    assert subject.variables["resource"]["kind"] == "theme"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("", "请选择"),
        ("999999/000001", "目录中没有"),
        ("102001/000001", "无条件共享"),
        ("202001/000003", "不予共享"),
        ("3070211000014/000002", "依据不足"),
    ],
)
def test_only_what_is_shared_on_conditions_can_be_asked_for(registers: Registers, code: str, sentence: str) -> None:
    registers.resource("102001/000001", sharing_class="unconditional")
    registers.resource("202001/000003", sharing_class="withheld")
    registers.resource("3070211000014/000002", sharing_class="withheld", state="blocked")
    with registers.store.read() as session, pytest.raises(Invalid) as refused:
        SUBJECTS["resource"](session, {"resource_code": code})
    assert sentence in refused.value.fields["resource_code"]


def test_a_unit_acts_on_its_own_resources_only(registers: Registers) -> None:
    with registers.store.read() as session:
        own = SUBJECTS["own_resource"](session, {"resource_code": HOUSING, "applicant_unit": "013"})
        assert own.key == HOUSING
        with pytest.raises(Invalid):
            SUBJECTS["own_resource"](session, {"resource_code": HOUSING, "applicant_unit": "007"})
