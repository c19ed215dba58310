"""The dry run: a draft walked with the real engine to its end, and nothing real is touched."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from engine.process.package import Package
from engine.process.workshop.dry_run.bounds import TooMuch, bounded
from engine.process.workshop.dry_run.people import STAND_IN
from engine.process.workshop.dry_run.script import read_script
from engine.process.workshop.dry_run.walk import NotRehearsable, rehearse
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed
from tests.engine.interpreter.diagrams import call, catches_message, catches_timer, element, error, multi, timer
from tests.engine.process.office import Office, choice, form, text
from tests.engine.workshop.dry_walks import asked, drawn, fingerprint, shipped
from tests.town import Town

#: The limit of a provider's reply, as the diagram writes it.
REPLY = 'sharing:role="deadline" sharing:workingDays="10"'
A, B = {"unit": "'A'", "post": "handler"}, {"unit": "'B'", "post": "handler"}


def test_a_request_is_walked_to_its_grant_and_nothing_real_is_touched(town: Town) -> None:
    town.submits(at="2026-02-10 09:10")
    before, memory = fingerprint(town.store), dict(town.store.cache)
    walk = asked(town)
    for step in ("Task_Intake", "Task_BusinessReview", "Task_SecurityReview"):
        walk.does(step)
    found = walk.does("Task_Reply")
    [change] = found.moves[-1].effects.registers
    assert (change.register, change.act, change.title) == ("共享授权", "new", "共享授权〔2026〕1号")
    told = {column.label: column.after for column in change.columns}
    assert told["使用单位"] == "市民政局（演示）" and told["信息资源"] == "公租房保障对象" and told["状态"] == "有效"
    [letter] = found.moves[-1].effects.letters
    assert letter.title == "共享答复函" and "同意共享" in letter.text
    [notice] = found.moves[-1].effects.notices
    assert notice.people == ("演示钱甲", "演示陈己") and "已答复" in notice.title
    assert [entry.title for entry in found.moves[-1].effects.record] == ["办结“负责人答复”"]
    walk.does("Task_SupplyByPlatform")
    end = walk.does("Task_Accept")
    assert (end.cases[0].sheet.outcome_name, end.cases[0].tokens, walk.open(), end.next) == ("已共享", {}, [], None)
    assert fingerprint(town.store) == before
    assert {key: value for key, value in town.store.cache.items() if key in memory} == memory
    assert {key if isinstance(key, str) else key[0] for key in set(town.store.cache) - set(memory)} <= {"unit", "findings"}


def test_silence_leads_to_the_supervision_case_whose_tasks_can_be_done_too(town: Town) -> None:
    walk = asked(town)
    assert walk.now is not None and walk.now.next is not None
    assert walk.now.next.at == shanghai("2026-02-13 00:00")
    found = walk.until("2026-03-03 00:00")
    late = found.moves[-1].effects
    assert [change.register for change in late.registers] == ["督办件"]
    assert "督办单" in [letter.title for letter in late.letters]
    assert any("临近答复时限" in notice.title for notice in late.notices)
    assert [(case.sheet.process_key, case.drafted) for case in found.cases] == [("conditional_share", True), ("supervision", False)]
    assert walk.task("Task_Intake").view.light == "red"
    answer = walk.does("Task_Explain", case=1)
    assert answer.moves[-1].title == "办结“情况说明”" and answer.stopped is None


def test_a_refusal_without_reasons_is_refused_at_its_field_and_changes_nothing(town: Town) -> None:
    walk = asked(town)
    for step in ("Task_Intake", "Task_BusinessReview", "Task_SecurityReview"):
        walk.does(step)
    refused = walk.does("Task_Reply", decision="refuse", supply_by=None)
    assert refused.stopped is not None and refused.stopped.number == 6 and not refused.stopped.fault
    assert refused.stopped.fields and all("请" in sentence for sentence in refused.stopped.fields.values())
    assert [task.step for task in refused.cases[0].tasks] == ["Task_Reply"]
    assert walk.does("Task_Reply").stopped is None


def test_a_shortened_limit_shows_the_new_deadline_day_by_day(town: Town) -> None:
    limit = shipped("conditional_share")
    shorter = Package(limit.rule_set, limit.xml.replace(REPLY.encode(), REPLY.replace("10", "5").encode()), limit.forms, limit.documents)
    assert limit.xml.count(REPLY.encode()) == 1
    as_is, tried = asked(town, limit).task("Task_Intake"), asked(town, shorter).task("Task_Intake")
    assert (as_is.view.due_day, tried.view.due_day) == (date(2026, 3, 2), date(2026, 2, 24))
    assert tried.clock is not None and tried.clock.explanation is not None
    assert len(tried.clock.explanation.counted) == 5
    assert any("春节" in look.why for look in tried.clock.explanation.skipped)


def test_days_of_a_year_without_its_notice_are_provisional(town: Town) -> None:
    assert asked(town, at="2027-09-24 09:00").task("Task_Intake").view.provisional
    assert not asked(town).task("Task_Intake").view.provisional


def test_who_sees_no_case_may_rehearse_only_with_the_power_over_diagrams(town: Town) -> None:
    script = read_script([{"do": "start", "unit": "007"}])
    rehearse(town.store, shipped("conditional_share"), script, actor=town.officer("024", "process_approver"))
    with pytest.raises(NotAllowed):
        rehearse(town.store, shipped("conditional_share"), script, actor=town.officer("007", "handler"))


def test_the_draft_of_a_called_process_is_entered_by_the_process_that_calls_it(town: Town) -> None:
    package = shipped("supervision")
    changed = Package(package.rule_set, package.xml.replace("情况说明".encode(), "情况报告".encode()), package.forms, package.documents)
    walk = asked(town)
    walk.package, walk.script[0] = changed, {**walk.script[0], "process": "conditional_share"}
    found = walk.until("2026-03-03 00:00")
    assert [case.drafted for case in found.cases] == [False, True]
    assert "情况报告" in [task.view.name for task in found.cases[1].tasks]


# -- what a draft can do ----------------------------------------------------------------------


def test_an_operation_that_fails_takes_the_way_that_the_diagram_draws(office: Office) -> None:
    parts = (
        "start > service:admit > user:done > end:fine", "amiss > user:mend > end:mended",
        element("admit", operation="cases.admit", in_unit="'X'"), error("admit", "amiss", "no-such-unit"),
        element("done", **A), element("mend", **B),
    )  # fmt: skip
    walk = drawn(office, *parts)
    found = walk.starts("A", "anna")
    assert found.stopped is None and walk.open() == ["mend"]
    assert found.cases[0].tokens == {"mend": 1} and "amiss" in found.cases[0].sheet.passed_steps


def test_an_error_that_nothing_catches_is_told_and_nothing_has_happened(office: Office) -> None:
    walk = drawn(office, "start > user:ask > service:admit > end", element("ask", **A), element("admit", operation="cases.admit", in_unit="'X'"))
    walk.starts("A", "anna")
    found = walk.does("ask")
    assert found.stopped is not None and found.stopped.fault and "没有代码为“X”的单位" in found.stopped.message
    assert [task.step for task in found.cases[0].tasks] == ["ask"]


def test_several_at_once_are_several_tokens_and_tasks(office: Office) -> None:
    walk = drawn(
        office, "start > script:who > user:opinion > end:both",
        element("who", body="<bpmn:script>bodies = ['A', 'B']</bpmn:script>"),
        element("opinion", form="opinion", unit="body_code", post="handler"),
        multi("opinion", over="bodies", item="body_code", into="opinions", result="view"),
        forms={"opinion": form(choice("view", "for", "against", required=True))},
    )  # fmt: skip
    found = walk.starts("A", "anna")
    assert found.cases[0].tokens == {"opinion": 2}
    assert [[person.login for person in task.people] for task in found.cases[0].tasks] == [["anna", "ben"], ["dora", "emil"]]
    walk.does("opinion", nth=1, by="emil", view="against")
    found = walk.does("opinion", view="for")
    assert [(change.name, change.after) for change in found.moves[-1].effects.variables] == [("opinions", ["for", "against"])]
    assert found.cases[0].sheet.outcome == "both"


def test_a_circle_that_never_waits_is_told_in_a_sentence(office: Office) -> None:
    walk = drawn(
        office, "start > user:ask > xor:again > script:count > xor:enough", "enough [tries < 0] > end", "enough [default] > again",
        element("ask", **A), element("count", body="<bpmn:script>tries = 1</bpmn:script>"),
    )  # fmt: skip
    walk.starts("A", "anna")
    found = walk.does("ask")
    assert found.stopped is not None and found.stopped.fault and "从不等待" in found.stopped.message


def test_a_clock_that_winds_itself_up_ends_the_walk_and_the_time_stands_where_it_stood(office: Office) -> None:
    walk = drawn(
        office, "start > xor:again > catch:tick > xor:enough", "enough [case == 1] > end", "enough [default] > again",
        catches_timer("tick", duration="PT1M"),
    )  # fmt: skip
    started = walk.starts("A", "anna")
    assert started.next is not None and (started.next.at - started.now).total_seconds() == 60
    found = walk.until("2026-12-31 00:00")
    assert found.stopped is not None and found.stopped.message.startswith(("定时触发过多", "试运行耗时过长"))
    assert found.now == started.now and found.next == started.next


def test_what_asks_the_database_for_ever_is_stopped(office: Office) -> None:
    walk = drawn(office, "start > user:ask > end", element("ask", **A))
    with office.store.rehearsal(office.clock.now()) as work, pytest.raises(TooMuch), bounded(work, seconds=-1):
        work.session.connection().exec_driver_sql("SELECT 1")
    assert walk.starts("A", "anna").stopped is None


def test_a_timer_behind_which_the_diagram_fails_is_an_incident_and_time_goes_on(office: Office) -> None:
    walk = drawn(
        office, "start > user:ask > end:done", "soon > service:admit > end:told", element("ask", **A), timer("ask", "soon", duration="PT1H"),
        "later > user:look > end:seen", timer("ask", "later", duration="PT2H"), element("look", **B),
        element("admit", operation="cases.admit", in_unit="'X'"),
    )  # fmt: skip
    walk.starts("A", "anna")
    found = walk.until("2026-02-10 12:00")
    assert found.stopped is None and len(found.moves[-1].faults) == 1
    assert "没有代码为“X”的单位" in found.moves[-1].faults[0]
    assert walk.open() == ["ask", "look"]
    assert [timer.failed for timer in found.cases[0].timers] == [True]


def test_a_message_reaches_who_waits_for_it(office: Office) -> None:
    walk = drawn(office, "start > catch:reply > user:read > end", catches_message("reply", "answer"), element("read", **A))
    found = walk.starts("A", "anna")
    assert found.cases[0].messages == ["answer"]
    found = walk.makes(do="message", message="answer", given={"said": "yes"})
    assert walk.open() == ["read"] and found.cases[0].sheet.variables["said"] == "yes"


def test_a_post_that_nobody_holds_is_shown_and_a_stand_in_does_the_work(office: Office) -> None:
    walk = drawn(office, "start > user:check > end", element("check", unit="'B'", post="legal_reviewer"))
    found = walk.starts("A", "anna")
    assert found.cases[0].tasks[0].people == []
    found = walk.does("check")
    assert (found.moves[-1].person, found.cases[0].sheet.state) == (STAND_IN, "completed")


def test_files_are_pretended_by_their_names(office: Office) -> None:
    files = form({"key": "proof", "type": "file", "label": "证明", "required": True})
    walk = drawn(office, "start > user:ask > end", element("ask", form="ask", **A), forms={"ask": files})
    walk.starts("A", "anna")
    assert (stopped := walk.does("ask").stopped) is not None and list(stopped.fields) == ["proof"]
    found = walk.makes(do="complete", step="ask", by="anna", files={"proof": ["证明.pdf"], "attachments": ["附件.docx"]})
    assert [file.name for file in found.cases[0].sheet.files] == ["证明.pdf", "附件.docx"]


def test_a_process_that_nobody_starts_is_given_its_first_data(office: Office) -> None:
    walk = drawn(office, "start > user:ask > end", element("ask", unit="whom", post="handler"), startPosts="")
    found = walk.starts("A", given={"whom": "B"})
    assert found.cases[0].tasks[0].view.unit_name == "单位B"


def test_a_draft_with_errors_is_not_walked_but_its_findings_are_told(office: Office) -> None:
    with pytest.raises(NotRehearsable) as refused:
        drawn(office, "start > user:ask > end", element("ask", form="missing", **A)).starts("A", "anna")
    assert [problem.rule for problem in refused.value.problems] == ["form-missing"]


def test_the_same_script_tries_the_next_revision_and_stops_where_it_no_longer_fits(office: Office) -> None:
    walk = drawn(office, "start > user:ask > user:read > end", element("ask", **A), element("read", **B))
    walk.starts("A", "anna")
    walk.does("ask")
    shorter = drawn(office, "start > user:read > end", element("read", **B))
    found = rehearse(office.store, shorter.package, read_script(walk.script), actor=office["petra"])
    assert found.stopped is not None and (found.stopped.number, len(found.moves)) == (2, 1)
    assert "没有环节“ask”的待办" in found.stopped.message


def test_a_version_deployed_afterwards_is_not_mistaken_for_the_draft(office: Office) -> None:
    drawn(office, "start > user:ask > end", element("ask", name="草稿环节", **A)).starts("A", "anna")
    office.deploy("start > user:ask > end", element("ask", name="发布环节", **A))
    office.start()
    assert office.task("ask").name == "发布环节"


def test_a_version_that_takes_effect_later_does_not_overtake_the_draft(office: Office) -> None:
    office.deploy("start > user:old > end", element("old", **A), key="child", at="2018-11-26")
    office.deploy("start > user:planned > end", element("planned", **A), key="child", at="2026-03-01")
    office.deploy("start > catch:wait > call:sub > end", catches_timer("wait", duration="P30D"), call("sub", "child"))
    walk = drawn(office, "start > user:tried > end", element("tried", **A), key="child", startPosts="")
    walk.starts("A", "anna", process="test")
    walk.until("2026-03-20 00:00")
    assert walk.open() == ["tried"]


def test_people_rehearse_while_an_officer_works(office: Office) -> None:
    office.deploy("start > user:ask > user:read > end", element("ask", **A), element("read", **B))
    cases = [office.start() for _ in range(6)]
    faults: list[BaseException] = []

    def rehearses() -> None:
        try:
            for _ in range(6):
                walk = drawn(office, "start > user:ask > user:read > end", element("ask", **A), element("read", **B))
                walk.starts("A", "anna")
                assert walk.does("ask").stopped is None and len(walk.now.cases if walk.now else ()) == 1
        except BaseException as fault:  # noqa: BLE001 - told by the test's own thread
            faults.append(fault)

    people = [threading.Thread(target=rehearses) for _ in range(2)]
    for person in people:
        person.start()
    for _ in cases:
        office.complete("anna", "ask")
    for person in people:
        person.join()
    assert faults == []
    assert office.open_steps() == ["read"] * 6
    assert [case.number for case in office.instances("test")] == [f"测试流程〔2026〕{number}号" for number in range(1, 7)]


@pytest.mark.parametrize(
    "script",
    [
        {}, [], [{"do": "fly"}], [{"do": "timer"}], [{"do": "start", "unit": 7}], [{"do": "start", "units": "A"}],
        [{"do": "start", "at": "soon"}], [{"do": "start"}, {"do": "start"}], [{"do": "start"}, {"do": "complete", "case": -1}],
        [{"do": "start", "files": {"a": "b"}}], [{"do": "start", "answers": {"a": "x" * 70_000}}], [{"do": "start"}] * 201,
    ],
)  # fmt: skip
def test_what_is_no_script_is_refused_with_a_sentence(script: object) -> None:
    with pytest.raises(Invalid) as refused:
        read_script(script)
    assert any("\u4e00" <= sign <= "\u9fff" for sign in refused.value.message)


def test_answers_of_a_field_that_is_gone_are_told(office: Office) -> None:
    walk = drawn(office, "start > user:ask > end", element("ask", form="ask", **A), forms={"ask": form(text("why"))})
    walk.starts("A", "anna")
    found = walk.makes(do="complete", step="ask", by="anna", answers={"gone": "x"})
    assert found.stopped is not None and "gone" in found.stopped.fields
