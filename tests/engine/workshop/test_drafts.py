"""Drafts: begun, saved by two people at once, given up; faults are allowed, danger is not."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from engine.history import History
from engine.process.check import check
from engine.process.definitions import in_force
from engine.process.package import Package
from engine.process.workshop.blank import blank_diagram, under_key
from engine.process.workshop.drafts import (
    DraftConflict,
    DraftSheet,
    add_draft,
    discard_draft,
    draft_sheet,
    open_drafts,
    save_draft,
    start_draft,
)
from engine.process.workshop.tables import Draft
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.process.office import Office, form, text
from tests.town import Town

def drawn(office: Office, *, key: str = "test") -> int:
    """A version of a small process; returns its id."""
    return office.deploy("start > user:a > end", element("a", form="f", unit="applicant_unit", post="handler"),
                         forms={"f": form(text("x"))}, key=key)


def sheet(office: Office, draft_id: int, who: str = "petra") -> DraftSheet:
    with office.store.read() as session:
        return draft_sheet(session, office[who], draft_id)


def acts(office: Office, stream: str) -> list[str]:
    with office.store.read() as session:
        return list(session.scalars(select(History.act).where(History.stream == stream).order_by(History.seq)))


def test_a_draft_begins_as_a_copy_of_a_version(office: Office) -> None:
    version = drawn(office)
    found = sheet(office, start_draft(office.store, actor=office["petra"], definition_id=version))
    with office.store.read() as session:
        deployed = in_force(session, "test", office.clock.now())
    assert (found.key, found.base_id, found.base_version, found.revision, found.state) == ("test", version, 1, 1, "open")
    assert found.package.xml == deployed.diagram.xml and found.package.forms == {"f": form(text("x"))}
    assert (found.updated_by, found.updated_at) == ("Petra", office.clock.now())


def test_a_new_process_may_be_deployed_as_it_begins(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], key="leave", name="请假 <审批> & 备案", rule_set="test_rules")
    found = sheet(office, draft)
    assert (found.key, found.name, found.base_id) == ("leave", "请假 <审批> & 备案", None)
    assert [problem for problem in check(found.package, set()) if problem.severity == "error"] == []


def test_a_new_process_is_laid_out_for_the_modeler() -> None:
    xml = blank_diagram("leave", "请假", "rules").decode()
    for part in ("Participant_leave", "Lane_ApplicantHandler", "StartEvent_Start", "Task_Handle", "EndEvent_Done", "Flow_Start_Handle"):
        assert xml.count(f'bpmnElement="{part}"') == 1, part
    assert 'bpmnElement="Collaboration_leave"' in xml and '"new"' not in xml


@pytest.mark.parametrize("key", ["", "Leave", "1leave", "leave-1", "请假", "x" * 65, "leave\n"])
def test_a_key_that_nothing_can_name_is_refused(office: Office, key: str) -> None:
    with pytest.raises(Invalid) as refusal:
        start_draft(office.store, actor=office["petra"], key=key, name="请假", rule_set="test_rules")
    assert "流程标识" in refusal.value.fields["key"]


@pytest.mark.parametrize("rule_set", ["", "x" * 65, "a\0b"])
def test_a_rule_set_that_cannot_be_kept_is_refused(office: Office, rule_set: str) -> None:
    with pytest.raises(Invalid) as refusal:
        start_draft(office.store, actor=office["petra"], key="leave", name="请假", rule_set=rule_set)
    assert "rule_set" in refusal.value.fields


def test_the_key_of_another_process_is_refused(office: Office) -> None:
    version = drawn(office)
    drawn(office, key="other")
    with pytest.raises(Invalid):
        start_draft(office.store, actor=office["petra"], key="test", name="请假", rule_set="test_rules")
    with pytest.raises(Invalid):
        start_draft(office.store, actor=office["petra"], definition_id=version, key="other")
    draft = start_draft(office.store, actor=office["petra"], key="leave", name="请假", rule_set="test_rules")
    with pytest.raises(Invalid) as refusal:
        save_draft(office.store, draft, actor=office["petra"], revision=1, xml=blank_diagram("test", "请假", "test_rules"))
    assert "已属于" in refusal.value.fields["key"]
    assert sheet(office, draft).key == "leave"


def test_the_key_of_a_version_stays_and_a_copy_takes_another(office: Office) -> None:
    version = drawn(office)
    draft = start_draft(office.store, actor=office["petra"], definition_id=version)
    with pytest.raises(Invalid, match="流程标识不能由“test”改为“test_2”"):
        save_draft(office.store, draft, actor=office["petra"], revision=1, xml=under_key(sheet(office, draft).package.xml, "test_2"))
    copy = sheet(office, start_draft(office.store, actor=office["petra"], definition_id=version, key="test_2", name="另一流程"))
    assert (copy.key, copy.name, copy.base_id) == ("test_2", "另一流程", None)
    assert [problem for problem in check(copy.package, set()) if problem.severity == "error"] == []


def test_who_saves_over_an_unseen_change_learns_whose_it_is_and_loses_nothing(office: Office) -> None:
    other = office.joins("pia", "O", "process_admin")
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    mine = sheet(office, draft).package.xml.replace(b'id="definitions"', b'id="mine"')
    theirs = mine.replace(b'id="mine"', b'id="theirs"')
    office.clock.to("2026-03-02 10:15")
    assert save_draft(office.store, draft, actor=other, revision=1, xml=theirs) == 2
    with pytest.raises(DraftConflict, match="Pia已于2026-03-02 10:15保存过此草稿") as conflict:
        save_draft(office.store, draft, actor=office["petra"], revision=1, xml=mine)
    assert (conflict.value.revision, conflict.value.updated_by) == (2, "Pia")
    assert sheet(office, draft).package.xml == theirs
    assert save_draft(office.store, draft, actor=office["petra"], revision=2, xml=mine) == 3


def test_a_save_whose_answer_was_lost_may_be_sent_again(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    xml = sheet(office, draft).package.xml.replace(b'id="definitions"', b'id="mine"')
    assert [save_draft(office.store, draft, actor=office["petra"], revision=1, xml=xml) for _ in range(3)] == [2, 2, 2]


def test_who_edits_a_form_is_not_in_the_way_of_who_draws(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    xml = sheet(office, draft).package.xml.replace(b'id="definitions"', b'id="mine"')
    forms = {"f": form(text("x"), text("y"))}
    assert save_draft(office.store, draft, actor=office["petra"], revision=1, forms=forms) == 2
    assert save_draft(office.store, draft, actor=office["petra"], revision=1, xml=xml) == 3
    with pytest.raises(DraftConflict):
        save_draft(office.store, draft, actor=office["petra"], revision=1, forms={})
    assert sheet(office, draft).package.forms == forms


def test_a_revision_from_the_future_is_refused(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    with pytest.raises(DraftConflict):
        save_draft(office.store, draft, actor=office["petra"], revision=9, forms={})


def test_a_draft_may_be_unfinished(office: Office) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    half = diagram("start > user:a", element("a", form="missing"), key="test")
    assert save_draft(office.store, draft, actor=office["petra"], revision=1, xml=half, forms={}) == 2
    assert sheet(office, draft).package.xml == half


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (b"", "不是正确的XML"), (b"<a", "不是正确的XML"), (b"<a/>", "不是BPMN"), (b"\x00\xff", "不是正确的XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"), (b" " * 3_000_000, "MB"),
        (b"<a>" * 100_000, "不是正确的XML"),
    ],
)
def test_what_is_not_safe_to_open_is_not_kept(office: Office, xml: bytes, words: str) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    with pytest.raises(Invalid, match=words):
        save_draft(office.store, draft, actor=office["petra"], revision=1, xml=xml)
    with pytest.raises(Invalid, match=words), office.store.work(office["petra"]) as work:
        add_draft(work, Package("test_rules", xml), actor=office["petra"])
    assert sheet(office, draft).revision == 1


def nested(levels: int) -> dict[str, Any]:
    return {"a": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "forms",
    [
        {"../x": {}}, {"X": {}}, {"x": []}, {"x": None}, {"x": {"a": float("nan")}}, {"x": {"a": "\0"}}, {"x": {"a": "\ud800"}},
        {"x": nested(50)}, {"x": {"a": "字" * 400_000}}, {f"x{number}": {} for number in range(300)}, {"x": {"a": b"1"}},
    ],
)
def test_forms_that_cannot_be_kept_are_refused(office: Office, forms: dict[str, Any]) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    with pytest.raises(Invalid):
        save_draft(office.store, draft, actor=office["petra"], revision=1, forms=forms)


def letter(*names: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [("reply", b"not a file"), ("reply", letter("a.txt")), ("Reply", letter("[Content_Types].xml", "word/document.xml")),
     ("reply", b"PK" + b"\0" * 3_000_000)],
)
def test_letters_that_no_word_processor_opens_are_refused(office: Office, kind: str, content: bytes) -> None:
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    with pytest.raises(Invalid):
        save_draft(office.store, draft, actor=office["petra"], revision=1, documents={kind: content})
    assert save_draft(
        office.store, draft, actor=office["petra"], revision=1, documents={"reply": letter("[Content_Types].xml", "word/document.xml")}
    ) == 2


def test_the_list_says_who_edits_what(office: Office) -> None:
    other = office.joins("pia", "O", "process_admin")
    first = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    second = start_draft(office.store, actor=office["petra"], key="leave", name="请假", rule_set="test_rules")
    office.clock.to("2026-03-02 10:15")
    save_draft(office.store, first, actor=other, revision=1, forms={})
    with office.store.read() as session:
        lines = open_drafts(session, office["paul"])
        assert [(line.id, line.key, line.base_version, line.created_by, line.updated_by) for line in lines] == [
            (first, "test", 1, "Petra", "Pia"), (second, "leave", None, "Petra", "Petra"),
        ]
        assert [line.id for line in open_drafts(session, office["petra"], "leave")] == [second]


def test_a_draft_given_up_is_closed_and_the_history_says_so(office: Office) -> None:
    other = office.joins("pia", "O", "process_admin")
    draft = start_draft(office.store, actor=office["petra"], definition_id=drawn(office))
    for number in range(3):
        save_draft(office.store, draft, actor=other, revision=number + 1, forms={"f": form(text(f"x{number}"))})
    with pytest.raises(DraftConflict):
        discard_draft(office.store, draft, actor=office["petra"], revision=1)
    discard_draft(office.store, draft, actor=office["petra"], revision=4)
    with office.store.read() as session:
        assert open_drafts(session, office["petra"]) == []
        row = session.get(Draft, draft)
        assert row is not None and row.editors == [office["petra"].account_id, other.account_id]
    for act in (lambda: save_draft(office.store, draft, actor=other, revision=5, forms={}),
                lambda: discard_draft(office.store, draft, actor=other, revision=5)):
        with pytest.raises(Stale, match="已放弃"):
            act()
    assert acts(office, f"draft:{draft}") == ["draft_started", "draft_joined", "draft_discarded"]


def test_only_process_admins_edit_and_only_the_workshop_reads(office: Office) -> None:
    version = drawn(office)
    draft = start_draft(office.store, actor=office["petra"], definition_id=version)
    assert sheet(office, draft, "paul").id == draft
    for who in ("anna", "gu", "otto"):
        with pytest.raises(NotAllowed):
            sheet(office, draft, who)
        with office.store.read() as session, pytest.raises(NotAllowed):
            open_drafts(session, office[who])
    for who in ("anna", "gu", "otto", "paul"):
        with pytest.raises(NotAllowed):
            start_draft(office.store, actor=office[who], definition_id=version)
        with pytest.raises(NotAllowed):
            save_draft(office.store, draft, actor=office[who], revision=1, forms={})
        with pytest.raises(NotAllowed):
            discard_draft(office.store, draft, actor=office[who], revision=1)


def test_what_is_not_there_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        start_draft(office.store, actor=office["petra"], definition_id=4711)
    with pytest.raises(NotFound):
        sheet(office, 4711)
    with pytest.raises(NotFound):
        save_draft(office.store, 4711, actor=office["petra"], revision=1, forms={})


def test_every_shipped_diagram_can_be_copied_under_another_key(town: Town) -> None:
    editor = town.officer("024", "process_admin")
    with town.store.read() as session:
        version = in_force(session, "conditional_share", town.now())
    draft = start_draft(town.store, actor=editor, definition_id=version.id, key="my_share", name="本局共享申请")
    with town.store.read() as session:
        found = draft_sheet(session, editor, draft)
        known = set(session.scalars(select(Draft.key)))
    assert found.key == "my_share" and found.package.documents == version.documents
    errors = [problem.rule for problem in check(found.package, known) if problem.severity == "error"]
    assert set(errors) <= {"called-process-missing"}
