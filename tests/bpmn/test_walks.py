"""A walk through every path of every shipped diagram, with its real forms and letters, and the stories that it must tell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.bpmn import cataloguing, disputes, duties, national, oversight
from tests.bpmn.shipped import PROCESSES, diagram, package
from tests.bpmn.walker import NO_FORM, Explored, Start, Walk, explore

SHARE, SUPERVISION, LISTING = (
    f"liaoyang_2018/{key}" for key in ("conditional_share", "supervision", "negative_list_entry")
)

#: 市民政局 asks 市住房和城乡建设局 for this one.
HOUSING: Mapping[str, Any] = {
    "code": "209001/000001", "name": "公租房保障对象", "kind": "business", "sharing_class": "conditional", "provider": "013",
    "items": ["姓名", "公民身份号码", "保障方式"], "conditions": "", "method": "系统对接",
}
REQUEST: Mapping[str, Any] = {
    "applicant_unit": "007", "provider_unit": "013", "resource": HOUSING,
    "case": {"id": 1, "number": "共享申请〔2026〕1号", "title": "公租房保障对象"},
}
#: What a request names that renews a grant.
RENEWED: Mapping[str, Any] = {
    "id": 1, "number": "共享授权〔2026〕1号", "fields": ["姓名"], "use": "行政依据", "method": "系统对接", "valid_until": "2026-06-30",
    "asked": {},
}
MISSED: Mapping[str, Any] = {
    **REQUEST, "source_instance": 1, "source_number": "共享申请〔2026〕1号", "source_title": "公租房保障对象",
    "source_process": "conditional_share", "source_step": "BoundaryEvent_ReplyDeadline", "source_step_name": "受理",
    "source_activity": "提供部门答复", "source_unit": "013", "deadline_day": "2026-03-02", "source_article": "第十五条",
}
#: What the listing case gets from a refusal that names no law.
BASELESS: Mapping[str, Any] = {
    **REQUEST, "listed_fields": ["姓名"], "basis_type": "none", "basis": "", "basis_article": "", "basis_text": "",
    "partial_reason": "内部管理口径调整", "request_number": "共享申请〔2026〕1号",
}

STARTS: Mapping[str, list[Start]] = {
    **cataloguing.STARTS,
    **disputes.STARTS,
    **duties.STARTS,
    **oversight.STARTS,
    SHARE: [Start(REQUEST), Start({**REQUEST, "resource": {**HOUSING, "kind": "basic"}, "renewed": RENEWED})],
    SUPERVISION: [Start(MISSED), Start({**MISSED, "source_article": None, "deadline_day": None})],
    LISTING: [
        Start(REQUEST),
        Start({**REQUEST, "provider_unit": "024"}),
        Start(BASELESS, NO_FORM),
        Start(REQUEST, fails_with={"negative_list.list": "already-listed"}),
    ],
}
#: What a child may come back with.
CALLS: Mapping[str, list[Mapping[str, Any]]] = {
    **disputes.CALLS,
    **oversight.CALLS,
    "supervision": [{"outcome": "closed"}],
    "negative_list_entry": [
        {"outcome": "listed", "decision_reason": "依据成立"},
        {"outcome": "rejected", "decision_reason": "没有依据"},
    ],
}
OUTCOMES = {
    **cataloguing.OUTCOMES,
    **disputes.OUTCOMES,
    **duties.OUTCOMES,
    **oversight.OUTCOMES,
    SHARE: {"shared", "refused", "withdrawn"}, SUPERVISION: {"closed"}, LISTING: {"listed", "rejected"},
}


@cache
def explored(process: str) -> Explored:
    """All states of a process, found once."""
    return explore(process, national.starts_of(process, STARTS), CALLS)


@pytest.mark.parametrize("process", PROCESSES)
class TestEveryPath:
    def test_it_takes_every_step_and_every_flow(self, process: str) -> None:
        assert set(diagram(process).steps) - explored(process).steps == set()
        assert set(diagram(process).flows) - explored(process).flows == set()

    def test_it_reaches_the_promised_outcomes_and_no_other(self, process: str) -> None:
        assert explored(process).outcomes == national.outcomes_of(process, OUTCOMES)

    def test_an_end_can_be_reached_from_wherever_it_stands(self, process: str) -> None:
        assert explored(process).dead == []


def request() -> Walk:
    """A request that the applicant's head has signed: it lies with the provider."""
    return Walk(SHARE, STARTS[SHARE][0]).complete("Task_ApplicantSign", sign="agree")


def reviewed() -> Walk:
    """A request that wants only the reply of the provider's head."""
    walk = request().complete("Task_Intake", completeness="complete")
    return walk.complete("Task_BusinessReview").complete("Task_SecurityReview")


def tasks(walk: Walk) -> list[str]:
    return sorted(waiting.step for waiting in walk.machine.waiting() if waiting.kind == "task")


class TestTheRequest:
    def test_nothing_is_decided_because_time_ran_out(self) -> None:
        walk = request()
        for _ in range(2):
            for waiting in walk.machine.waiting():
                if waiting.kind == "timer" and waiting.step in walk.waits:
                    walk.fire(waiting.step)
        assert set(walk.operations()) == {"notices.send"}
        assert tasks(walk) == ["Task_Intake"]
        assert "CallActivity_ReplySupervision" in walk.waits

    def test_supervision_does_not_hold_up_the_reply(self) -> None:
        walk = reviewed().fire("BoundaryEvent_ReplyDeadline").complete("Task_Reply", decision="agree")
        assert tasks(walk) == ["Task_SupplyByProvider"]
        walk.returned("CallActivity_ReplySupervision", outcome="closed")
        walk.complete("Task_SupplyByProvider").complete("Task_Accept", acceptance="accepted")
        assert walk.outcome == "shared"

    def test_agreement_is_answered_by_letter_granted_and_its_conditions_published(self) -> None:
        walk = reviewed().complete("Task_Reply", decision="conditional", conditions="按人核验")
        assert walk.operations() == ["documents.issue", "sharing.grant", "sharing.publish_conditions", "notices.send"]
        by_name = dict(walk.host.done)
        assert by_name["documents.issue"]["kind"] == "reply_letter"
        assert by_name["sharing.grant"]["conditions"] == by_name["sharing.publish_conditions"]["conditions"] == "按人核验"
        assert by_name["sharing.grant"]["applicant_unit"] == "007"

    def test_both_reviews_come_before_the_reply(self) -> None:
        walk = request().complete("Task_Intake", completeness="complete")
        assert tasks(walk) == ["Task_BusinessReview", "Task_SecurityReview"]
        assert tasks(walk.complete("Task_SecurityReview")) == ["Task_BusinessReview"]
        assert tasks(walk.complete("Task_BusinessReview")) == ["Task_Reply"]

    def test_a_supplement_is_asked_for_once_and_stops_the_clock(self) -> None:
        walk = request().complete("Task_Intake", completeness="supplement").complete("Task_Supplement")
        assert tasks(walk) == ["Task_SupplementReceipt"]
        form = package(SHARE).forms["supplement_receipt"]
        field = next(field for field in form["fields"] if field.get("key") == "completeness")
        assert [option["value"] for option in field["options"]] == ["complete"]
        assert tasks(walk.complete("Task_SupplementReceipt")) == ["Task_BusinessReview", "Task_SecurityReview"]
        pausing = [step.id for step in diagram(SHARE).steps.values() if step.properties.get("clock") == "pause"]
        assert pausing == ["Task_Supplement"]

    def test_a_supplement_that_never_comes_counts_as_withdrawal_even_while_supervised(self) -> None:
        walk = request().fire("BoundaryEvent_ReplyDeadline").complete("Task_Intake", completeness="supplement")
        walk.fire("BoundaryEvent_SupplementLimit")
        assert walk.waits == ["CallActivity_ReplySupervision"]
        walk.returned("CallActivity_ReplySupervision", outcome="closed")
        assert (walk.outcome, walk.diagram.steps[str(walk.machine.outcome)].name) == ("withdrawn", "视为撤回")

    def test_the_platform_supplies_basic_and_theme_resources(self) -> None:
        for kind, supplier in (("business", "Provider"), ("basic", "Platform"), ("theme", "Platform")):
            walk = reviewed()
            walk.host.variables["resource"] = {**HOUSING, "kind": kind}
            assert tasks(walk.complete("Task_Reply", decision="agree")) == [f"Task_SupplyBy{supplier}"]

    def test_what_is_not_accepted_goes_back_to_the_supplier_with_the_reason(self) -> None:
        walk = reviewed().complete("Task_Reply", decision="agree").complete("Task_SupplyByProvider")
        walk.complete("Task_Accept", acceptance="rejected", acceptance_problem="缺少字段")
        assert tasks(walk) == ["Task_SupplyByProvider"]
        assert walk.host.variables["acceptance_problem"] == "缺少字段"

    def test_a_refusal_for_changed_conditions_leaves_the_list_to_the_office_and_comes_back(self) -> None:
        walk = reviewed().complete(
            "Task_Reply", decision="refuse", refusal_type="conditions_changed", refusal_basis_type="none"
        )
        assert walk.operations() == ["documents.issue", "notices.send"]
        assert walk.waits == ["CallActivity_NegativeList"]
        walk.returned("CallActivity_NegativeList", outcome="rejected", decision_reason="没有依据")
        assert tasks(walk) == ["Task_ReplyAgain"]
        assert walk.diagram.steps["Task_ReplyAgain"].limit == "5"
        assert walk.host.variables["listing_reason"] == "没有依据"
        walk.complete("Task_ReplyAgain", decision="agree")
        assert tasks(walk) == ["Task_SupplyByProvider"]

    def test_a_refused_applicant_takes_note_or_the_file_closes_by_itself(self) -> None:
        refused = reviewed().complete("Task_Reply", decision="refuse", refusal_type="necessity")
        assert tasks(refused) == ["Task_RefusalReceipt"]
        assert refused.copy().complete("Task_RefusalReceipt", refusal_answer="accept").outcome == "refused"
        assert refused.copy().fire("BoundaryEvent_RefusalFiled").outcome == "refused"

    def test_a_returned_request_may_be_amended_or_withdrawn(self) -> None:
        returned = Walk(SHARE, STARTS[SHARE][0]).complete("Task_ApplicantSign", sign="return")
        assert tasks(returned) == ["Task_Amend"]
        assert returned.copy().complete("Task_Amend", amend_action="withdraw").outcome == "withdrawn"
        assert tasks(returned.complete("Task_Amend", amend_action="resubmit")) == ["Task_ApplicantSign"]


class TestTheListing:
    def test_without_a_basis_the_office_can_only_reject(self) -> None:
        walk = Walk(LISTING, Start(BASELESS, NO_FORM)).complete("Task_FirstReview").complete("Task_LegalReview")
        walk.complete("Task_Decide")
        assert walk.outcome == "rejected"
        assert "negative_list.list" not in walk.operations()

    def test_the_office_does_not_judge_its_own_entries(self) -> None:
        walk = Walk(LISTING, Start({**REQUEST, "provider_unit": "024"})).complete("Task_LegalReview")
        assert tasks(walk) == ["Task_GroupDecide"]
        walk.complete("Task_GroupDecide", decision="list")
        issued = dict(walk.host.done)["documents.issue"]
        assert (walk.outcome, issued["unit"]) == ("listed", "001")

    def test_a_basis_that_holds_is_listed_and_announced(self) -> None:
        walk = Walk(LISTING, Start(REQUEST)).complete("Task_FirstReview").complete("Task_LegalReview")
        walk.complete("Task_Decide", decision="list")
        assert walk.operations() == [
            "negative_list.list", "documents.issue", "notices.send", "negative_list.tell_applicants"
        ]
        assert walk.outcome == "listed"

    def test_only_law_regulation_and_central_policy_can_be_chosen(self) -> None:
        field = next(field for field in package(LISTING).forms["entry"]["fields"] if field.get("key") == "basis_type")
        assert [option["label"] for option in field["options"]] == ["法律", "行政法规", "党中央、国务院政策"]


class TestTheSupervision:
    def test_it_lands_on_the_office_s_desk_and_on_the_late_head_s_without_any_act(self) -> None:
        walk = Walk(SUPERVISION, Start(MISSED))
        assert tasks(walk) == ["Task_Explain", "Task_FollowUp"]
        assert walk.operations() == ["sharing.open_supervision", "documents.issue"]
        late, office = (walk.diagram.steps[step] for step in ("Task_Explain", "Task_FollowUp"))
        assert (late.unit, late.post) == ("source_unit", "head")
        assert (walk.machine.evaluate(str(office.unit)), office.post) == ("024", "supervisor")

    def test_it_closes_by_itself_when_the_source_does_whatever_else_is_open(self) -> None:
        walk = Walk(SUPERVISION, Start(MISSED))
        assert walk.machine.deliver("source_closed")
        assert (walk.outcome, walk.operations()[-1]) == ("closed", "sharing.close_supervision")

    def test_it_waits_for_the_source_when_both_tasks_are_done(self) -> None:
        walk = Walk(SUPERVISION, Start(MISSED)).complete("Task_Explain").complete("Task_FollowUp")
        walk.fire("Event_RaiseOrange").fire("Event_RaiseRed")
        raised = [parameters["level"] for name, parameters in walk.host.done if name == "sharing.raise_supervision"]
        assert (raised, walk.waits) == (["orange", "red"], ["Event_SourceClosed"])

    def test_it_never_supervises_itself(self) -> None:
        assert "limitSupervision" not in diagram(SUPERVISION).properties
        assert not [step.id for step in diagram(SUPERVISION).steps.values() if step.kind == "call"]
