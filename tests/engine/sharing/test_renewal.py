"""续期: a grant is followed by a new one, agreed anew; the earlier one ends with it and stays on record."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.process.interpreter.model import OperationError
from engine.process.notifying.reading import notices
from engine.process.sheets.case import case_sheet
from engine.sharing.expiry import expire
from engine.sharing.grants import Grant
from engine.store.clock import shanghai
from engine.store.errors import Invalid
from tests.engine.processes.test_negotiation import MET, TERMS
from tests.engine.sharing.registers import HOUSING, Registers
from tests.town import Town


def granted(town: Town, *, at: str = "2026-02-10 09:30", **answers: Any) -> int:
    """市民政局 obtains 公租房保障对象 until 2026-06-30, its request done; returns the grant's id."""
    case = town.submits(at=at, **{"valid_until": "2026-06-30", "requested_fields": ["房源地址"], **answers})
    agreed(town, case)
    town.does(case, "Task_SupplyByPlatform")
    town.does(case, "Task_Accept")
    return all_grants(town)[-1].id


def agreed(town: Town, case: int, **answers: Any) -> None:
    town.reviews(case)
    town.does(case, "Task_Reply", **answers)


def all_grants(town: Town) -> list[Grant]:
    with town.store.read() as session:
        return list(session.scalars(select(Grant).order_by(Grant.id)))


def refused(town: Town, **how: Any) -> str:
    with pytest.raises(Invalid) as refusal:
        town.asks(**how)
    assert list(refusal.value.fields) == ["grant"]
    return refusal.value.fields["grant"]


def test_what_is_agreed_starts_and_the_earlier_grant_ends_with_it(town: Town) -> None:
    first = granted(town)
    case = town.asks(at="2026-06-16 09:00", renews=first, valid_until="2027-06-30")
    town.signs(case)
    assert [grant.state for grant in all_grants(town)] == ["active"], "until the provider agrees nothing changes"
    agreed(town, case)
    old, new = all_grants(town)
    assert (old.state, old.end_reason, old.ended_by_id) == ("ended", f"续期，见{new.number}", case)
    assert (new.state, new.instance_id, str(new.valid_until), str(old.valid_until)) == ("active", case, "2027-06-30", "2026-06-30")
    assert old.ended_at == new.granted_at and new.fields == ["房源地址"]
    with town.store.read() as session:
        handler = town.officer("007", "handler")
        assert case_sheet(session, handler, case).title.endswith("申请续期“公租房保障对象”")
        told = [notice.text for notice in notices(session, handler).lines if notice.title == "共享申请已答复：同意续期"]
    assert len(told) == 1 and f"原授权{old.number}终止" in told[0]


def test_the_form_starts_from_what_was_asked_and_granted(town: Town) -> None:
    first = granted(town, basis="《社会救助暂行办法》第五条第二款", volume=37, frequency="每季度")
    case = town.asks(at="2026-06-16 09:00", renews=first, valid_until="2027-06-30")
    with town.store.read() as session:
        asked = case_sheet(session, town.officer("007", "handler"), case).variables
    assert (asked["requested_fields"], asked["basis"], asked["volume"], asked["frequency"]) == (
        ["房源地址"], "《社会救助暂行办法》第五条第二款", 37, "每季度"
    )  # fmt: skip


def test_a_refused_renewal_leaves_the_grant_to_its_end(town: Town) -> None:
    first = granted(town)
    case = town.asks(at="2026-06-16 09:00", renews=first, valid_until="2027-06-30")
    town.signs(case)
    agreed(town, case, decision="refuse", refusal_type="necessity", refusal_reason="业务已停办。", supply_by=None)
    assert [grant.state for grant in all_grants(town)] == ["active"]
    town.passes_until("2026-07-01 08:00")
    expire(town.store)
    assert all_grants(town)[0].end_reason == "有效期届满"


def test_a_refused_renewal_may_be_negotiated(town: Town) -> None:
    first = granted(town)
    case = town.asks(at="2026-06-16 09:00", renews=first, valid_until="2027-06-30")
    town.signs(case)
    agreed(town, case, decision="refuse", refusal_type="necessity", refusal_reason="必要性不足。", supply_by=None)
    town.does(case, "Task_RefusalReceipt", refusal_answer="negotiate")
    (talks,) = town.children(case, "negotiation")
    town.does(talks, "Task_Position", position="partly", position_note="只提供房源地址。", offered_fields=["房源地址"])
    terms = {**TERMS, "agreed_text": None, "agreed_fields": ["房源地址"]}
    town.does(talks, "Task_Minutes", negotiation_outcome="agreed", **MET, **terms)
    town.does(talks, "Task_Confirm", confirmation="confirm")
    old, new = all_grants(town)
    assert (old.state, old.ended_by_id, new.state, new.instance_id) == ("ended", talks, "active", talks)


def test_only_an_own_grant_of_the_resource_that_is_in_force_is_renewed(town: Town) -> None:
    first = granted(town)
    number = all_grants(town)[0].number
    at = "2026-06-16 09:00"
    assert refused(town, at=at, unit="014", renews=first) == "只能续期本单位的共享授权"
    assert refused(town, renews=999) == "只能续期本单位的共享授权"
    with town.store.work() as work:
        work.session.get_one(Grant, first).state = "suspended"
    assert refused(town, renews=first) == f"{number}已暂停，不能续期"
    with town.store.work() as work:
        work.session.get_one(Grant, first).state = "active"
    town.passes_until("2026-07-01 08:00")
    assert refused(town, renews=first) == f"{number}已到期，不能续期"
    expire(town.store)
    assert refused(town, renews=first) == f"{number}已终止，不能续期"


def test_a_grant_of_another_resource_is_refused(town: Town) -> None:
    first = granted(town)
    other = all_grants(town)[0]
    with town.store.work() as work:
        work.session.get_one(Grant, first).resource_id = other.resource_id + 1 if other.resource_id > 1 else 2
    assert refused(town, at="2026-06-16 09:00", renews=first) == f"{other.number}不是“公租房保障对象”的共享授权"


def test_a_second_running_renewal_is_told_of_the_first(town: Town) -> None:
    first = granted(town)
    case = town.asks(at="2026-06-16 09:00", renews=first, valid_until="2027-06-30")
    with town.store.read() as session:
        running = case_sheet(session, town.officer("007", "handler"), case).number
    assert running in refused(town, renews=first, valid_until="2027-06-30")
    town.does(case, "Task_ApplicantSign", sign="return", opinion="期限过长")
    town.does(case, "Task_Amend", amend_action="withdraw")
    assert town.asks(renews=first, valid_until="2026-12-31") > case, "the first was withdrawn"


def test_a_grant_that_ran_out_meanwhile_keeps_that_end(town: Town) -> None:
    first = granted(town)
    case = town.asks(at="2026-06-29 09:00", renews=first, valid_until="2027-06-30")
    town.signs(case)
    town.passes_until("2026-07-01 08:00")
    expire(town.store)
    agreed(town, case)
    old, new = all_grants(town)
    assert (old.ended_at, old.end_reason, new.state) == (shanghai("2026-07-01 00:00"), "有效期届满", "active")


def test_what_was_suspended_or_ended_by_a_case_is_not_renewed_after_all(registers: Registers) -> None:
    terms: dict[str, Any] = {"resource": {"code": HOUSING}, "fields": ["公民身份号码"], "valid_until": "2026-12-31"}
    first = registers.call("sharing.grant", registers.case(), applicant_unit="007", **terms)
    with pytest.raises(OperationError) as foreign:
        registers.call("sharing.grant", registers.case(), applicant_unit="014", renews=first, **terms)
    registers.call("sharing.end_grant", registers.case(), grant=first, reason="违规使用")
    with pytest.raises(OperationError) as ended:
        registers.call("sharing.grant", registers.case(), applicant_unit="007", renews=first["id"], **terms)
    assert foreign.value.code == ended.value.code == "not-renewable"
