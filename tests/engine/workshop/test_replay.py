"""Past cases replayed against a draft: what was recorded is done again, and where the draft differs it says so."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.instances import terminate_instance
from engine.process.interpreter.model import OperationError
from engine.process.operations import OPERATIONS, Call, Operation
from tests.engine.interpreter.diagrams import call, catches_message, catches_timer, element, error, message, multi, script, sub, timer
from tests.engine.process.office import Office, choice, form, text
from tests.engine.workshop.replaying import findings, replayed_as_they_ran, told

A = {"unit": "'A'", "post": "handler"}
B = {"unit": "'B'", "post": "handler"}

#: A request: reviewed, then granted or refused.
CHAINS = ("start > user:review > xor:agreed", "agreed [verdict == 'for'] > user:grant > end:granted", "agreed [default] > end:refused")
STEPS = (element("review", name="审核", form="review", **B), element("grant", name="发放", **A))
FORMS = {"review": form(choice("verdict", "for", "against", required=True), text("note"))}


@pytest.fixture
def requests(office: Office) -> Office:
    """Three requests: 1 granted, 2 refused, 3 still under review."""
    office.deploy(*CHAINS, *STEPS, forms=FORMS)
    granted, refused, running = office.start(), office.start(), office.start()
    office.clock.to("2026-02-11 10:00")
    office.complete("dora", "review", verdict="for", note="够")
    office.complete("anna", "grant")
    office.complete("dora", "review", verdict="against")
    assert (granted, refused, running) == (1, 2, 3)
    return office


def test_against_the_very_same_diagram_nothing_differs(requests: Office) -> None:
    assert findings(requests.store, *CHAINS, *STEPS, forms=FORMS) == {}


def test_another_condition_sends_a_case_another_way(requests: Office) -> None:
    other = (*CHAINS[:1], "agreed [verdict == 'for' and not given(note)] > user:grant > end:granted", *CHAINS[2:])
    found = findings(requests.store, *other, *STEPS, forms=FORMS)
    assert {case: told(of) for case, of in found.items()} == {1: [("route", "refused")]}
    assert found[1][0].parts and "granted" in found[1][0].text and "refused" in found[1][0].text


def test_a_new_step_is_where_a_case_parts(requests: Office) -> None:
    found = findings(
        requests.store, "start > user:review > user:sign > xor:agreed", *CHAINS[1:], *STEPS,
        element("sign", name="会签", **A), forms=FORMS,
    )  # fmt: skip
    assert {case: told(of) for case, of in found.items()} == {1: [("gained_step", "sign")], 2: [("gained_step", "sign")]}
    assert found[1][0].parts and found[1][0].text == "“审核”之后增加“会签”环节，记录中没有办理"


def test_a_step_that_the_draft_has_no_longer_is_lost_and_the_rest_goes_on(requests: Office) -> None:
    found = findings(requests.store, *CHAINS[:1], "agreed [verdict == 'for'] > end:granted", CHAINS[2], STEPS[0], forms=FORMS)
    assert {case: told(of) for case, of in found.items()} == {1: [("lost_step", "grant")]}
    assert not found[1][0].parts


def test_a_step_that_is_passed_by_is_lost_too(requests: Office) -> None:
    chains = ("start > user:review > xor:agreed", "agreed [verdict == 'for'] > xor:small", "small [given(note)] > xor:on > end:granted",
              "small [default] > user:grant > on", CHAINS[2])
    found = findings(requests.store, *chains, *STEPS, forms=FORMS)
    assert {case: told(of) for case, of in found.items()} == {1: [("lost_step", "grant")]}
    assert found[1][0].text == "按草稿不再经过“发放”，记录中办理过"


def test_a_field_that_becomes_required_is_told_where_it_was_left_empty(requests: Office) -> None:
    forms = {"review": form(choice("verdict", "for", "against", required=True), {**text("note", required=True), "label": "理由"})}
    found = findings(requests.store, *CHAINS, *STEPS, forms=forms)
    assert {case: told(of) for case, of in found.items()} == {2: [("field", "review")]}
    assert "“理由”" in found[2][0].text and not found[2][0].parts


def test_an_answer_that_the_draft_does_not_take_is_told_without_the_answer(requests: Office) -> None:
    forms = {"review": form(choice("verdict", "for", "never", required=True), {**text("note"), "max_length": 10})}
    found = findings(requests.store, *CHAINS, *STEPS, forms=forms)
    assert {case: told(of) for case, of in found.items()} == {2: [("field", "review")]}
    assert "against" not in found[2][0].text


def test_an_opinion_that_becomes_required_is_told(requests: Office) -> None:
    steps = (element("review", name="审核", form="review", opinion="required", **B), STEPS[1])
    found = findings(requests.store, *CHAINS, *steps, forms=FORMS)
    assert {case: told(of) for case, of in found.items()} == {1: [("field", "review")], 2: [("field", "review")]}


def test_a_step_with_another_id_but_the_same_name_is_the_same_step(requests: Office) -> None:
    chains = tuple(chain.replace("user:review", "user:examine").replace("user:grant", "user:give") for chain in CHAINS)
    steps = (element("examine", name="审核", form="review", **B), element("give", name="发放", **A))
    assert findings(requests.store, *chains, *steps, forms=FORMS) == {}


def test_another_unit_for_a_step_is_told(requests: Office) -> None:
    steps = (STEPS[0], element("grant", name="发放", **B))
    found = findings(requests.store, *CHAINS, *steps, forms=FORMS)
    assert {case: told(of) for case, of in found.items()} == {1: [("route", "grant")]}
    assert found[1][0].text == "“发放”按草稿由另一单位承办" and not found[1][0].parts


def test_a_running_case_that_the_draft_would_have_ended(requests: Office) -> None:
    silence = timer("review", "silence", interrupting=True, workingDays=1)
    requests.clock.to("2026-02-12 09:00")
    found = findings(requests.store, *CHAINS, "silence > end:dropped", silence, *STEPS, forms=FORMS)
    assert {case: told(of) for case, of in found.items()} == {3: [("route", "dropped")]}
    assert found[3][0].text == "记录中仍在办理，按草稿已以“dropped”办结"


def test_a_case_that_was_ended_by_hand_is_not_held_against_the_draft(requests: Office) -> None:
    terminate_instance(requests.store, 3, actor=requests["gu"], reason="撤销")
    assert findings(requests.store, *CHAINS, *STEPS, forms=FORMS) == {}


# -- deadlines ------------------------------------------------------------------------------------


@pytest.fixture
def replies(office: Office) -> Office:
    """Requests of 10 February replied to after 3, 6 and 13 working days, one that waits; the Spring Festival lies between."""
    office.deploy("start > user:reply > end", timer("reply", "due", workingDays=10, role="deadline"), "due > end:told",
                  element("reply", name="答复", **B))
    for _ in range(4):
        office.start()
    for moment in ("2026-02-13 10:00", "2026-02-25 10:00", "2026-03-05 10:00"):
        office.sweep(moment)
        office.complete("dora", "reply")
    return office


def limit(office: Office, days: int, **more: Any) -> dict[int, list[tuple[str, str]]]:
    """What a limit of so many working days would have made of the replies, without dates that only move."""
    found = findings(office.store, "start > user:reply > end", timer("reply", "due", workingDays=days, role="deadline", **more),
                     "due > end:told", element("reply", name="答复", **B))
    return {case: told(of) for case, of in found.items() if {f.kind for f in of} != {"deadline_moved"}}


def test_a_shorter_limit_is_missed_by_exactly_those_that_took_longer(replies: Office) -> None:
    assert limit(replies, 10) == {}
    assert limit(replies, 5) == {2: [("deadline_missed", "reply")]}
    assert limit(replies, 2) == {1: [("deadline_missed", "reply")], 2: [("deadline_missed", "reply")]}


def test_a_longer_limit_is_met_by_those_that_were_late(replies: Office) -> None:
    assert limit(replies, 13) == {3: [("deadline_met", "reply")], 4: [("deadline_met", "reply")]}


def test_dates_that_only_move_are_told_with_both_days(replies: Office) -> None:
    found = findings(replies.store, "start > user:reply > end", timer("reply", "due", workingDays=9, role="deadline"),
                     "due > end:told", element("reply", name="答复", **B))
    assert {case: told(of) for case, of in found.items()} == {case: [("deadline_moved", "reply")] for case in (1, 2, 3, 4)}
    assert (found[1][0].before, found[1][0].after) == ("2026-03-02", "2026-02-28")


def test_a_limit_that_is_new_or_gone(replies: Office) -> None:
    gone = findings(replies.store, "start > user:reply > end", element("reply", name="答复", **B))
    assert told(gone[1]) == [("deadline_moved", "reply")] and told(gone[3]) == [("deadline_met", "reply")]
    assert (gone[3][0].before, gone[3][0].after) == ("2026-03-02", None)
    replies.deploy("start > user:reply > end", element("reply", name="答复", **B), key="free")
    case = replies.start(key="free")
    replies.sweep("2026-03-20 10:00")
    replies.complete("dora", "reply")
    new = findings(replies.store, "start > user:reply > end", element("reply", name="答复", limit=3, **B), key="free")
    assert told(new[case]) == [("deadline_missed", "reply")] and new[case][0].before is None


def test_a_pause_stops_the_draft_s_clock_as_well(office: Office) -> None:
    """Seven working days, three of them with the applicant for want of papers."""
    inside = ("start > user:check > xor:whole", "whole [state == 'whole'] > user:reply > end",
              "whole [default] > user:supplement > check")
    parts = ("start > sub:answer > end", element("check", form="check", **B), element("reply", **B),
             element("supplement", clock="pause", **A))
    forms = {"check": form(choice("state", "whole", "lacking", required=True))}

    def drawn(days: int) -> tuple[object, ...]:
        return ("start > sub:answer > end", sub("answer", *inside, *parts[1:]), "due > end:told",
                timer("answer", "due", workingDays=days, role="deadline"))

    office.deploy(*drawn(10), forms=forms)
    case = office.start()
    office.sweep("2026-02-11 10:00")
    office.complete("dora", "check", state="lacking")
    office.sweep("2026-02-25 10:00")
    office.complete("anna", "supplement")
    office.complete("dora", "check", state="whole")
    office.sweep("2026-02-26 10:00")
    office.complete("dora", "reply")
    assert findings(office.store, *drawn(10), forms=forms) == {}
    assert {f.kind for f in findings(office.store, *drawn(2), forms=forms)[case]} == {"deadline_moved"}
    assert told(findings(office.store, *drawn(1), forms=forms)[case]) == [("deadline_missed", "answer")]


def test_a_missed_deadline_that_calls_another_process_does_not_stop_the_replay(office: Office) -> None:
    office.deploy("start > user:explain > end", message("explain", "closed", "source_closed"), "closed > end:left",
                  element("explain", unit="source_unit", post="head"), key="watch")

    def drawn(days: int) -> tuple[object, ...]:
        return ("start > user:reply > user:after > end", "due > call:watching > end:watched", call("watching", "watch"),
                timer("reply", "due", workingDays=days, role="deadline"), element("reply", **B), element("after", **A))

    office.deploy(*drawn(5), also_known=("watch",))
    quick, late = office.start(), office.start()
    office.sweep("2026-02-13 10:00")
    office.complete("dora", "reply")
    office.complete("anna", "after")
    office.sweep("2026-03-05 10:00")
    office.complete("dora", "reply")
    office.complete("anna", "after")
    assert findings(office.store, *drawn(5)) == {}
    assert {case: told(of) for case, of in findings(office.store, *drawn(2)).items()} == {
        quick: [("deadline_missed", "reply")], late: [("deadline_moved", "reply")],
    }  # fmt: skip
    assert told(findings(office.store, *drawn(50))[late]) == [("deadline_met", "reply")]


# -- the shapes of diagrams -----------------------------------------------------------------------


def test_parallel_steps_in_any_order_and_one_after_the_other(office: Office) -> None:
    steps = (element("one", name="业务", **A), element("two", name="安全", **B), element("both", name="合并", **A))
    office.deploy("start > and:fork > user:one > and:join > user:both > end", "fork > user:two > join", *steps)
    case = office.start()
    office.complete("dora", "two")
    office.clock.to("2026-02-11 10:00")
    office.complete("anna", "one")
    office.complete("anna", "both")
    assert findings(office.store, "start > and:fork > user:one > and:join > user:both > end", "fork > user:two > join", *steps) == {}
    # Done one after the other the answers are the same, only given later.
    assert findings(office.store, "start > user:one > user:two > user:both > end", *steps) == {}
    three = ("start > and:fork > user:one > and:join > user:both > end", "fork > user:two > join", "fork > user:three > join")
    found = findings(office.store, *three, *steps, element("three", name="法制", **B))
    assert told(found[case]) == [("gained_step", "three")]


def test_a_call_brings_back_what_the_child_brought_on_record(office: Office) -> None:
    office.deploy("start > user:judge > end:judged", element("judge", form="judge", **B), key="child",
                  forms={"judge": form(choice("verdict", "for", "against", required=True))})
    steps = (call("ask", "child", out_answer="verdict", out_how="outcome"), element("read", **A))
    chains = ("start > call:ask > xor:which", "which [answer == 'for'] > user:read > end:read_it", "which [default] > end:dropped")
    office.deploy(*chains, *steps, also_known=("child",))
    answered, waiting = office.start(), office.start()
    office.complete("dora", "judge", verdict="for")
    office.complete("anna", "read")
    assert findings(office.store, *chains, *steps) == {}
    turned = (chains[0], "which [answer == 'against'] > user:read > end:read_it", chains[2])
    assert {case: told(of) for case, of in findings(office.store, *turned, *steps).items()} == {answered: [("route", "dropped")]}
    more = findings(office.store, "start > call:ask > call:again > xor:which", *chains[1:], *steps, call("again", "child", name="复问"))
    assert {case: told(of) for case, of in more.items()} == {answered: [("gained_step", "again")]}
    assert waiting not in more


def test_several_units_at_once_each_answer_their_own(office: Office) -> None:
    forms = {"opinion": form(choice("view", "for", "against", required=True))}
    steps = (script("who", "bodies = ['A', 'B']"), element("opinion", name="征求意见", form="opinion", unit="body", post="handler"),
             multi("opinion", over="bodies", item="body", into="views", result="view"))
    chains = ("start > script:who > user:opinion > xor:all", "all [views == ['for', 'against']] > end:mixed", "all [default] > end:odd")
    office.deploy(*chains, *steps, forms=forms)
    case = office.start()
    office.complete("anna", "opinion", view="for")
    office.complete("dora", "opinion", view="against")
    assert office.instance(case).outcome == "mixed"
    assert findings(office.store, *chains, *steps, forms=forms) == {}
    wider = (script("who", "bodies = ['A', 'B', 'O']"), *steps[1:])
    found = findings(office.store, *chains, *wider, forms=forms)
    assert told(found[case]) == [("gained_step", "opinion")]


def test_messages_come_when_they_came_with_what_they_brought(office: Office) -> None:
    chains = ("start > catch:wait > xor:what", "what [news == 'good'] > end:glad", "what [default] > end:sorry")
    office.deploy(*chains, catches_message("wait", "told"))
    case = office.start()
    office.tell(case, "told", news="good")
    assert office.instance(case).outcome == "glad"
    assert findings(office.store, *chains, catches_message("wait", "told")) == {}
    assert told(findings(office.store, *chains, catches_message("wait", "other"))[case]) == [("route", "wait")]


# -- operations -----------------------------------------------------------------------------------


@pytest.fixture
def lookup(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An operation `test.lookup` that gives 1, 2, 3 …, and fails with `none` at 3."""
    given: list[int] = []

    def run(call: Call) -> int:
        given.append(len(given) + 1)
        if len(given) == 3:
            raise OperationError("none", "没有")
        return len(given)

    monkeypatch.setitem(OPERATIONS, "test.lookup", Operation("test.lookup", {}, "", run))
    return given


LOOKS = ("start > service:look > xor:found", "found [number == 1] > user:again > look", "found [default] > user:done > end:found_it",
         "nothing > end:none")
LOOK_STEPS = (element("look", operation="test.lookup", out="number"), error("look", "nothing", "none"),
              element("again", name="重查", **A), element("done", **A))


def test_operations_are_not_run_again_but_give_what_they_gave_each_time(office: Office, lookup: list[int]) -> None:
    office.deploy(*LOOKS, *LOOK_STEPS)
    twice = office.start()
    office.complete("anna", "again")
    office.complete("anna", "done")
    none = office.start()
    assert [office.instance(case).outcome for case in (twice, none)] == ["found_it", "none"]
    assert findings(office.store, *LOOKS, *LOOK_STEPS) == {}
    assert len(lookup) == 3


def test_a_condition_on_what_was_never_recorded_is_told(office: Office, lookup: list[int]) -> None:
    office.deploy("start > user:done > end", element("done", name="办理", **A))
    case = office.start()
    office.complete("anna", "done")
    quiet = findings(office.store, "start > user:done > service:look > end", element("done", name="办理", **A), LOOK_STEPS[0])
    assert quiet == {}
    found = findings(office.store, "start > user:done > service:look > xor:found", "found [number == 1] > end", "found [default] > end:other",
                     element("done", name="办理", **A), LOOK_STEPS[0])
    assert told(found[case]) == [("failed", "done")]
    assert "记录中没有“number”的值" in found[case][0].text and found[case][0].parts


# -- drafts that misbehave ------------------------------------------------------------------------


def test_a_draft_that_goes_round_in_circles_is_told_for_each_case_and_stops_nothing(requests: Office) -> None:
    ways = ("start > xor:again", "again [1 == 2] > end")
    circles = findings(requests.store, *ways, "again [default] > script:count > again", script("count", "n = 1"))
    winding = findings(requests.store, *ways, "again [default] > catch:tick > again", catches_timer("tick", duration="PT1S"))
    for found in (circles, winding):
        assert {case: (of[0].kind, of[0].text) for case, of in found.items()} == dict.fromkeys(
            (1, 2, 3), ("failed", "按草稿无法继续：流程反复循环，从不停下")
        )


def test_a_fault_tells_the_expression_but_not_the_value(requests: Office) -> None:
    chains = ("start > user:review > script:sum > xor:agreed", *CHAINS[1:])
    found = findings(requests.store, *chains, *STEPS, script("sum", "amount = int(note)"), forms=FORMS)
    assert told(found[1]) == [("failed", "review")]
    assert "int(note)" in found[1][0].text and "够" not in found[1][0].text


def test_a_unit_that_does_not_exist_is_told(requests: Office) -> None:
    found = findings(requests.store, *CHAINS, STEPS[0], element("grant", name="发放", unit="'Z'", post="handler"), forms=FORMS)
    assert told(found[1]) == [("failed", "review")] and "承办单位不存在" in found[1][0].text


def test_one_case_of_every_shape_is_silent_against_itself(requests: Office) -> None:
    assert replayed_as_they_ran(requests.store) == {}
