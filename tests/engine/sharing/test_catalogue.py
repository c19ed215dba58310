"""The catalogue: finding resources, hiding what is withheld, keeping every version."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sharing import catalogue
from engine.sharing.catalogue import change_resource, lock_resource
from engine.store.errors import NotFound
from tests.engine.sharing.registers import HOUSING, Registers


def found(registers: Registers, login: str = "outsider", **filters: Any) -> list[str]:
    with registers.store.read() as session:
        return [line.code for line in catalogue.search(session, registers.person(login), **filters).lines]


def test_a_resource_is_found_by_a_part_of_its_name_or_code(registers: Registers) -> None:
    registers.resource("203001/000001", name="养老保险参保信息")
    assert found(registers, text="公租房") == [HOUSING]
    assert found(registers, text="203001/") == ["203001/000001"]
    assert found(registers, text="  ") == ["203001/000001", HOUSING]
    assert found(registers, text="没有这个") == []


def test_what_is_typed_is_no_pattern(registers: Registers) -> None:
    registers.resource("203001/000001", name="完成率100%统计")
    assert found(registers, text="100%") == ["203001/000001"]
    assert found(registers, text="%") == ["203001/000001"]
    assert found(registers, text="_") == []
    assert found(registers, text="\\") == []


def test_filters_narrow_the_list_together(registers: Registers) -> None:
    registers.resource("102001/000001", kind="basic", sharing_class="unconditional", provider_id=registers.units["014"])
    assert found(registers, kind="basic") == ["102001/000001"]
    assert found(registers, sharing_class="conditional", provider="013") == [HOUSING]
    assert found(registers, kind="basic", provider="013") == []
    assert found(registers, class_code="2090") == [HOUSING]
    assert found(registers, kind="no such kind") == []


def test_pages_follow_each_other_without_gap_or_repeat(registers: Registers) -> None:
    for number in range(2, 8):
        registers.resource(f"209001/{number:06}")
    seen: list[str] = []
    after: str | None = None
    with registers.store.read() as session:
        while True:
            page = catalogue.search(session, registers.person("outsider"), after=after, limit=3)
            seen += [line.code for line in page.lines]
            after = page.next
            if after is None:
                break
    assert seen == [f"209001/{number:06}" for number in range(1, 8)]


def test_items_of_a_withheld_resource_are_for_its_provider_and_the_office(registers: Registers) -> None:
    registers.resource("202001/000003", sharing_class="withheld", items=["病例编号"])
    with registers.store.read() as session:
        seen = {
            login: catalogue.resource_sheet(session, registers.person(login), "202001/000003").items
            for login in ("applicant", "outsider", "operator", "editor", "provider", "office")
        }
    assert seen == dict.fromkeys(("applicant", "outsider", "operator", "editor")) | dict.fromkeys(
        ("provider", "office"), ("病例编号",)
    )


def test_a_blocked_resource_is_there_for_its_provider_and_the_office_only(registers: Registers) -> None:
    registers.resource("3070211000014/000002", state="blocked", sharing_class="withheld", provider_id=registers.units["014"])
    assert found(registers, "applicant") == [HOUSING]
    assert found(registers, "outsider") == [HOUSING, "3070211000014/000002"]
    assert found(registers, "office") == [HOUSING, "3070211000014/000002"]
    with registers.store.read() as session:
        with pytest.raises(NotFound):
            catalogue.resource_sheet(session, registers.person("applicant"), "3070211000014/000002")
        sheet = catalogue.resource_sheet(session, registers.person("outsider"), "3070211000014/000002")
    assert sheet.line.state_label == "依据不足 未发布"
    assert not sheet.line.on_request


def test_a_change_makes_a_version_that_names_its_case_and_keeps_what_stood_before(registers: Registers) -> None:
    case = registers.case()
    with registers.store.work() as work:
        row = lock_resource(work.session, HOUSING)
        change_resource(
            work.session, row, at=work.now, summary="变更共享方式", instance_id=case, method="批量下载", format="数据库"
        )
        change_resource(work.session, row, at=work.now, summary="没有变化", instance_id=case, method="批量下载")
    with registers.store.read() as session:
        sheet = catalogue.resource_sheet(session, registers.person("outsider"), HOUSING)
        first = session.get_one(catalogue.ResourceVersion, (session.query(catalogue.Resource.id).scalar(), 1))
        assert first.elements["method"] == "联机查询"
    assert sheet.version == 2
    assert sheet.line.method == "批量下载"
    assert [(version.version, version.summary, version.instance_id) for version in sheet.versions] == [
        (2, "变更共享方式", case),
        (1, "初始编目", None),
    ]


def test_agreed_conditions_stand_with_the_resource_once(registers: Registers) -> None:
    for conditions in ("按人核验", "按人核验 ", "", None, "仅限本月"):
        registers.call("sharing.publish_conditions", registers.case(), resource={"code": HOUSING}, conditions=conditions)
    with registers.store.read() as session:
        sheet = catalogue.resource_sheet(session, registers.person("outsider"), HOUSING)
    assert [condition.text for condition in sheet.published_conditions] == ["按人核验", "仅限本月"]
