"""Proposals: asked for by one, approved by another, deployed in the same breath; stale, doubled and forbidden ones refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from engine.history import History
from engine.history_seal import seal, verify
from engine.process.definitions import NotDeployable, deployed, in_force
from engine.process.tables import Definition, Notice
from engine.process.workshop.blank import blank_diagram
from engine.process.workshop.drafts import DraftConflict, discard_draft, draft_sheet, save_draft, start_draft
from engine.process.workshop.proposal_sheets import ProposalSheet, decided, proposal_sheet, waiting
from engine.process.workshop.proposals import OwnWork, ProposalClosed, approve, propose, propose_rollback, refuse, withdraw
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, form, text
from tests.town import Town


@pytest.fixture
def version(office: Office) -> int:
    """The first version of a small process."""
    return office.deploy("start > user:a > end", element("a", form="f", unit="applicant_unit", post="handler"), forms={"f": form(text("x"))})


def changed(office: Office, version: int | None = None, *, by: str = "petra", label: str = "x2") -> int:
    """A draft with a change in its form; its revision is 2."""
    draft = start_draft(office.store, actor=office[by], definition_id=version or newest(office))
    save_draft(office.store, draft, actor=office[by], revision=1, forms={"f": form(text("x", label=label))})
    return draft


def newest(office: Office) -> int:
    with office.store.read() as session:
        found = session.scalar(select(Definition.id).order_by(Definition.id.desc()))
        assert found is not None
        return found


def asked(office: Office, draft: int, *, by: str = "petra", revision: int = 2, effective: str | None = None) -> int:
    when = shanghai(effective) if effective else None
    return propose(office.store, draft, actor=office[by], revision=revision, reason="测试修改", effective_at=when)


def sheet(office: Office, proposal: int, who: str = "paul") -> ProposalSheet:
    with office.store.read() as session:
        return proposal_sheet(session, office[who], proposal)


def agreed(office: Office, proposal: int, who: str = "paul") -> int:
    return approve(office.store, proposal, actor=office[who], note="同意", seen_base_id=sheet(office, proposal).base_id)


def label_in_force(office: Office) -> Any:
    with office.store.read() as session:
        return in_force(session, "test", office.clock.now()).forms["f"]["fields"][0]["label"]


def notices(office: Office, who: str) -> list[str]:
    with office.store.read() as session:
        return list(session.scalars(select(Notice.title).where(Notice.account_id == office[who].account_id).order_by(Notice.id)))


def test_what_a_second_person_approved_is_deployed(office: Office, version: int) -> None:
    draft = changed(office, version)
    proposal = asked(office, draft)
    assert notices(office, "paul") == ["发布申请待审批：测试流程"] and notices(office, "petra") == []
    assert label_in_force(office) == "x"
    definition = agreed(office, proposal)
    assert label_in_force(office) == "x2"
    with office.store.read() as session:
        row = session.get_one(Definition, definition)
        assert (row.version, row.deployed_by, row.approved_by, row.reason) == (2, "petra", "paul", "测试修改")
        assert draft_sheet(session, office["petra"], draft).state == "deployed"
    found = sheet(office, proposal)
    assert (found.line.state, found.line.version, found.line.decided_by, found.line.decision) == ("approved", 2, "Paul", "同意")
    assert found.base_version == 1 and found.package.digest == row.digest
    assert notices(office, "petra") == ["发布申请已批准：测试流程"]


def test_the_draft_may_go_on_and_only_what_was_proposed_is_deployed(office: Office, version: int) -> None:
    draft = changed(office, version)
    proposal = asked(office, draft)
    save_draft(office.store, draft, actor=office["petra"], revision=2, forms={"f": form(text("x", label="later"))})
    definition = agreed(office, proposal)
    assert label_in_force(office) == "x2"
    with office.store.read() as session:
        left = draft_sheet(session, office["petra"], draft)
    assert (left.state, left.base_id, left.base_version) == ("open", definition, 2)
    agreed(office, asked(office, draft, revision=left.revision))
    assert label_in_force(office) == "later"


def test_nobody_approves_their_own_work(office: Office, version: int) -> None:
    both = office.joins("bea", "O", "process_admin", "process_approver")
    office.joins("pia", "O", "process_admin", "process_approver")
    draft = changed(office, version)
    save_draft(office.store, draft, actor=both, revision=2, forms={"f": form(text("x", label="bea's"))})
    proposal = asked(office, draft, by="pia", revision=3)
    for who in ("bea", "pia"):  # who edited it; who proposed it
        assert not sheet(office, proposal, who).may_decide
        with pytest.raises(OwnWork):
            agreed(office, proposal, who)
        with pytest.raises(OwnWork):
            refuse(office.store, proposal, actor=office[who], reason="不好")
    assert notices(office, "bea") == notices(office, "pia") == []
    with pytest.raises(NotAllowed):
        agreed(office, proposal, "petra")
    assert sheet(office, proposal).may_decide and sheet(office, proposal).editors == ["Petra", "Bea"]
    agreed(office, proposal)


@pytest.mark.parametrize("who", ["anna", "gu", "otto", "paul"])
def test_only_process_admins_propose(office: Office, version: int, who: str) -> None:
    draft = changed(office, version)
    with pytest.raises(NotAllowed):
        asked(office, draft, by=who)
    with pytest.raises(NotAllowed):
        propose_rollback(office.store, version, actor=office[who], reason="退回")


def test_who_stands_outside_the_workshop_sees_no_proposal(office: Office, version: int) -> None:
    proposal = asked(office, changed(office, version))
    for who in ("anna", "gu", "otto"):
        with office.store.read() as session:
            for look in (lambda: waiting(session, office[who]), lambda: decided(session, office[who]),
                         lambda: proposal_sheet(session, office[who], proposal)):
                with pytest.raises(NotAllowed):
                    look()


def test_what_the_check_refuses_is_not_proposed_and_every_finding_is_told(office: Office, version: int) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=version)
    save_draft(office.store, draft, actor=office["petra"], revision=1, forms={"other": {"fields": [{"type": "x"}]}})
    with pytest.raises(NotDeployable) as refusal:
        asked(office, draft)
    assert {problem.rule for problem in refusal.value.problems} >= {"form-missing", "form-broken"}
    with office.store.read() as session:
        assert waiting(session, office["paul"]) == []


def test_nothing_new_is_nothing_to_propose(office: Office, version: int) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=version)
    with pytest.raises(Invalid, match="与最新的第1版完全相同"):
        asked(office, draft, revision=1)
    with pytest.raises(Invalid, match="与最新的第1版完全相同"):
        propose_rollback(office.store, version, actor=office["petra"], reason="退回")


def test_a_reason_is_wanted(office: Office, version: int) -> None:
    draft = changed(office, version)
    for reason in ("", "  ", "字" * 1001, "a\0b"):
        with pytest.raises(Invalid) as refusal:
            propose(office.store, draft, actor=office["petra"], revision=2, reason=reason)
        assert "reason" in refusal.value.fields
    proposal = asked(office, draft)
    with pytest.raises(Invalid):
        refuse(office.store, proposal, actor=office["paul"], reason=" ")


def test_who_has_not_seen_the_newest_save_cannot_propose_it(office: Office, version: int) -> None:
    with pytest.raises(DraftConflict):
        asked(office, changed(office, version), revision=1)


def test_one_proposal_of_a_process_waits_at_a_time(office: Office, version: int) -> None:
    asked(office, changed(office, version))
    office.clock.to("2026-02-11 10:00")
    with pytest.raises(Stale, match="已有Petra于2026-02-10 09:00提出的发布申请待审批"):
        asked(office, changed(office, version, label="x3"))


def test_a_refused_proposal_says_why_and_leaves_the_draft_open(office: Office, version: int) -> None:
    draft = changed(office, version)
    proposal = asked(office, draft)
    refuse(office.store, proposal, actor=office["paul"], reason="请补充依据")
    assert (sheet(office, proposal).line.state, sheet(office, proposal).line.decision) == ("refused", "请补充依据")
    assert notices(office, "petra") == ["发布申请未获批准：测试流程"] and label_in_force(office) == "x"
    save_draft(office.store, draft, actor=office["petra"], revision=2, forms={"f": form(text("x", label="x3"))})
    agreed(office, asked(office, draft, revision=3))
    assert label_in_force(office) == "x3"


def test_only_the_proposer_withdraws(office: Office, version: int) -> None:
    office.joins("pia", "O", "process_admin")
    proposal = asked(office, changed(office, version))
    with pytest.raises(NotAllowed):
        withdraw(office.store, proposal, actor=office["pia"])
    withdraw(office.store, proposal, actor=office["petra"])
    for act in (lambda: withdraw(office.store, proposal, actor=office["petra"]), lambda: agreed(office, proposal),
                lambda: refuse(office.store, proposal, actor=office["paul"], reason="迟了")):
        with pytest.raises(ProposalClosed):
            act()
    assert label_in_force(office) == "x"


def test_an_approval_of_what_was_compared_with_an_older_version_is_stale(office: Office, version: int) -> None:
    proposal = asked(office, changed(office, version))
    other = office.deploy(
        "start > user:a > end", element("a", form="f", unit="applicant_unit", post="handler"), at="2026-02-10",
        forms={"f": form(text("x", label="by command line"))},
    )
    with pytest.raises(Stale, match="又发布了新的版本"):
        approve(office.store, proposal, actor=office["paul"], seen_base_id=version)
    found = sheet(office, proposal)
    assert (found.base_id, found.base_version, found.base_moved) == (other, 2, True)
    agreed(office, proposal)
    assert label_in_force(office) == "x2"


def test_an_approval_of_what_is_already_deployed_is_stale(office: Office, version: int) -> None:
    proposal = asked(office, changed(office, version))
    with office.store.read() as session:
        package = proposal_sheet(session, office["paul"], proposal).package
    office.deploy(
        "start > user:a > end", element("a", form="f", unit="applicant_unit", post="handler"), forms=package.forms, at="2026-02-10"
    )
    with pytest.raises(Stale, match="已与第2版完全相同"):
        agreed(office, proposal)


def test_two_who_approve_at_once_deploy_once(office: Office, version: int) -> None:
    office.joins("quinn", "O", "process_approver")
    proposal = asked(office, changed(office, version))

    def one(who: str) -> object:
        try:
            return approve(office.store, proposal, actor=office[who], seen_base_id=version)
        except Refused as refusal:
            return type(refusal)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, ["paul", "quinn"]))
    assert results.count(ProposalClosed) == 1
    with office.store.read() as session:
        assert list(session.scalars(select(Definition.version).order_by(Definition.version))) == [1, 2]


def test_of_two_who_propose_at_once_one_waits_for_the_other(office: Office, version: int) -> None:
    office.joins("pia", "O", "process_admin")
    drafts = {"petra": changed(office, version), "pia": changed(office, version, by="pia", label="x3")}

    def one(who: str) -> object:
        try:
            return asked(office, drafts[who], by=who)
        except Refused as refusal:
            return type(refusal)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, drafts))
    assert results.count(Stale) == 1
    with office.store.read() as session:
        assert len(waiting(session, office["paul"])) == 1


def test_a_name_longer_than_lists_show_is_cut_there(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], key="leave", name="假", rule_set="test_rules")
    long = blank_diagram("leave", "假" * 300, "test_rules")
    save_draft(office.store, draft, actor=office["petra"], revision=1, xml=long)
    definition = agreed(office, asked(office, draft))
    with office.store.read() as session:
        assert session.get_one(Definition, definition).name == "假" * 200
        assert deployed(session, definition).diagram.xml == long


def test_a_version_waits_for_its_day(office: Office, version: int) -> None:
    agreed(office, asked(office, changed(office, version), effective="2026-03-01"))
    office.clock.to("2026-02-28 23:59")
    assert label_in_force(office) == "x"
    office.clock.to("2026-03-01 00:00")
    assert label_in_force(office) == "x2"


def test_a_day_that_passed_before_the_approval_means_now(office: Office, version: int) -> None:
    proposal = asked(office, changed(office, version), effective="2026-02-12")
    office.clock.to("2026-02-20 10:00")
    agreed(office, proposal)
    found = sheet(office, proposal).line
    assert (found.effective_at, found.in_force_at) == (shanghai("2026-02-12"), shanghai("2026-02-20 10:00"))
    assert label_in_force(office) == "x2"


def test_a_day_in_the_past_is_refused(office: Office, version: int) -> None:
    with pytest.raises(Invalid) as refusal:
        asked(office, changed(office, version), effective="2026-02-10")
    assert "effective_at" in refusal.value.fields


def test_a_coming_version_is_overtaken_by_another_of_the_same_day(office: Office, version: int) -> None:
    agreed(office, asked(office, changed(office, version), effective="2026-03-01"))
    agreed(office, asked(office, changed(office, label="x3"), effective="2026-03-01"))
    office.clock.to("2026-03-01 00:00")
    assert label_in_force(office) == "x3"


def test_an_earlier_version_comes_back_as_a_new_one(office: Office, version: int) -> None:
    agreed(office, asked(office, changed(office, version)))
    case = office.start()
    office.clock.to("2026-02-11 10:00")
    back = propose_rollback(office.store, version, actor=office["petra"], reason="新表单有误")
    assert sheet(office, back).line.back_to == 1
    with pytest.raises(NotAllowed):
        approve(office.store, back, actor=office["petra"], seen_base_id=newest(office))
    third = agreed(office, back)
    assert label_in_force(office) == "x"
    with office.store.read() as session:
        rows = session.execute(select(Definition.version, Definition.digest).order_by(Definition.version)).all()
        assert rows[0].digest == rows[2].digest != rows[1].digest and [row.version for row in rows] == [1, 2, 3]
        assert deployed(session, third).version == 3
        assert deployed(session, office.instance(case).definition_id).version == 2


def test_a_process_drawn_from_nothing_is_approved_and_runs(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], key="leave", name="请假", rule_set="test_rules")
    proposal = asked(office, draft, revision=1)
    assert (sheet(office, proposal).base_id, sheet(office, proposal).base_version) == (None, None)
    agreed(office, proposal)
    case = office.start(key="leave")
    office.complete("anna", "Task_Handle")
    assert office.instance(case).state == "completed"


def test_two_new_processes_of_one_key_do_not_become_versions_of_each_other(office: Office) -> None:
    first = start_draft(office.store, actor=office["petra"], key="leave", name="请假", rule_set="test_rules")
    second = start_draft(office.store, actor=office["petra"], key="leave", name="休假", rule_set="test_rules")
    agreed(office, asked(office, first, revision=1))
    with pytest.raises(Invalid, match="已由他人发布"):
        asked(office, second, revision=1)


def test_a_draft_given_up_cannot_be_proposed(office: Office, version: int) -> None:
    draft = changed(office, version)
    discard_draft(office.store, draft, actor=office["petra"], revision=2)
    with pytest.raises(Stale):
        asked(office, draft, revision=3)


def test_what_is_not_there_is_not_found(office: Office, version: int) -> None:
    for act in (lambda: propose(office.store, 99, actor=office["petra"], revision=1, reason="x"),
                lambda: propose_rollback(office.store, 99, actor=office["petra"], reason="x"),
                lambda: approve(office.store, 99, actor=office["paul"], seen_base_id=None),
                lambda: refuse(office.store, 99, actor=office["paul"], reason="x"),
                lambda: withdraw(office.store, 99, actor=office["petra"]),
                lambda: sheet(office, 99)):
        with pytest.raises(NotFound):
            act()


def test_the_history_holds_and_tells_the_whole_way(office: Office, version: int) -> None:
    draft = changed(office, version)
    first = asked(office, draft)
    refuse(office.store, first, actor=office["paul"], reason="请补充依据")
    withdraw(office.store, asked(office, draft), actor=office["petra"])
    agreed(office, asked(office, draft))
    with office.store.read() as session:
        acts = [
            list(session.scalars(select(History.act).where(History.stream == stream).order_by(History.seq)))
            for stream in ("definition:test", f"draft:{draft}")
        ]
        last = session.scalars(select(History).where(History.stream == "definition:test").order_by(History.seq.desc())).first()
    assert acts == [
        ["deployed", "proposed", "proposal_refused", "proposed", "proposal_withdrawn", "proposed", "deployed", "proposal_approved"],
        ["draft_started", "draft_proposed", "draft_proposed", "draft_proposed", "draft_deployed"],
    ]
    assert last is not None and (last.actor_name, last.definition_id) == ("Paul", newest(office))
    seal(office.store)
    assert verify(office.store).ok


def test_s41_the_running_case_keeps_its_version_and_a_later_one_follows_the_new(town: Town) -> None:
    editor, approver = town.officer("024", "process_admin"), town.officer("024", "process_approver")
    running = town.submits(at="2026-11-23 10:00")
    with town.store.read() as session:
        version = in_force(session, "conditional_share", town.now())
    draft = start_draft(town.store, actor=editor, definition_id=version.id)
    xml = version.diagram.xml.replace(b'sharing:workingDays="10"', b'sharing:workingDays="5"', 1)
    assert xml != version.diagram.xml
    save_draft(town.store, draft, actor=editor, revision=1, xml=xml)
    proposal = propose(town.store, draft, actor=editor, revision=2, reason="缩短答复时限")
    town.clock.to("2026-11-23 11:00")
    approve(town.store, proposal, actor=approver, seen_base_id=version.id)
    later = town.submits(at="2026-11-23 14:00")
    due = [town.view(case, "Task_Intake").due_day for case in (running, later)]
    assert due == [date(2026, 12, 7), date(2026, 11, 30)]
    assert [town.sheet(case).definition_id for case in (running, later)] == [version.id, sheet_of(town, proposal)]


def sheet_of(town: Town, proposal: int) -> int:
    """The version that a proposal became."""
    with town.store.read() as session:
        line = proposal_sheet(session, town.officer("024", "process_approver"), proposal).line
        found = session.scalar(select(Definition.id).where(Definition.key == line.key, Definition.version == line.version))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sharing:workingDays="10"', 'sharing:workingDays="15"', ["10", "只能缩短"]),
        ('<spiffworkflow:property name="form" value="reply" />', '<spiffworkflow:property name="form" value="gone" />', ["不存在"]),
        ('<spiffworkflow:property name="post" value="business_reviewer" />', "", ["岗位"]),
    ],
)
def test_s42_guard_rails(town: Town, old: str, new: str, words: list[str]) -> None:
    editor = town.officer("024", "process_admin")
    with town.store.read() as session:
        version = in_force(session, "conditional_share", town.now())
    draft = start_draft(town.store, actor=editor, definition_id=version.id)
    xml = version.diagram.xml.decode()
    assert old in xml
    save_draft(town.store, draft, actor=editor, revision=1, xml=xml.replace(old, new, 1).encode())
    with pytest.raises(NotDeployable) as refusal:
        propose(town.store, draft, actor=editor, revision=2, reason="调整")
    errors = [problem for problem in refusal.value.problems if problem.severity == "error"]
    assert any(all(word in problem.message for word in words) and problem.element for problem in errors), errors
