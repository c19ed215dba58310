"""An imported file becomes a draft: as a new process, or as the next version of the one that it came from. And the same from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.process.check import check
from engine.process.definitions import known_processes
from engine.process.interpreter.model import DiagramError
from engine.process.workshop.drafts import DraftSheet, draft_sheet, save_draft
from engine.process.workshop.importing.drafts import import_draft, look_at, suggested_key
from engine.sharing import registry
from engine.store.errors import Invalid, NotAllowed
from tests.engine.process.office import Office
from tests.engine.workshop.foreign import CORPUS, filled
from tests.engine.workshop.modeler import reserialised
from tests.machine import ROOT

assert registry

SUPERVISION = ROOT / "bpmn/liaoyang_2018/supervision"


def kept(office: Office, data: bytes, **given: Any) -> DraftSheet:
    """What petra makes a draft of."""
    draft_id = import_draft(office.store, data, actor=office.actors["petra"], **given)
    with office.store.read() as session:
        return draft_sheet(session, office.actors["petra"], draft_id)


def test_a_file_becomes_a_draft_that_remembers_what_is_to_be_done(office: Office) -> None:
    sheet = kept(office, CORPUS["camunda"], key="purchase", name="采购申请", rule_set="liaoyang_2018")
    assert (sheet.key, sheet.name, sheet.rule_set, sheet.base_id, sheet.state) == ("purchase", "采购申请", "liaoyang_2018", None, "open")
    assert set(sheet.package.forms) == {"fill", "s"}
    assert sheet.imported is not None
    rules = {gap["rule"] for gap in sheet.imported["to_fill_in"] if gap["required"]}
    assert {"no-assignee", "service-without-operation"} <= rules and sheet.imported["rewritten"]
    with office.store.read() as session:
        problems = check(sheet.package, known_processes(session))
    assert {(p.element, p.rule) for p in problems} <= {(g["element"], g["rule"]) for g in sheet.imported["to_fill_in"]}


def test_the_gaps_filled_the_draft_may_be_deployed(office: Office) -> None:
    sheet = kept(office, CORPUS["pools"], key="reviews", rule_set="liaoyang_2018")
    found = look_at(office.store, sheet.package.xml, actor=office.actors["petra"])
    xml = filled(sheet.package.xml, found.to_fill_in)
    save_draft(office.store, sheet.id, actor=office.actors["petra"], revision=sheet.revision, xml=xml)
    with office.store.read() as session:
        now = draft_sheet(session, office.actors["petra"], sheet.id)
        assert [p.message for p in check(now.package, known_processes(session)) if p.severity == "error"] == []


def test_an_exported_diagram_that_comes_back_is_the_next_version_with_its_forms_and_letters(office: Office) -> None:
    from engine.process.definitions import deploy_in
    from engine.process.package import read_package

    package = read_package(SUPERVISION, "liaoyang_2018")
    with office.store.work() as work:
        version = deploy_in(work, package, by="petra", approved_by="paul", reason="初版")
    sheet = kept(office, reserialised(package.xml, elsewhere=True), key="supervision", rule_set="national_2025")
    assert (sheet.base_id, sheet.base_version, sheet.rule_set) == (version, 1, "liaoyang_2018")
    assert sheet.package.forms == package.forms and sheet.package.documents == package.documents
    assert sheet.imported is not None and sheet.imported["rewritten"] == []
    assert [gap for gap in sheet.imported["to_fill_in"] if gap["required"]] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [({"key": "Not A Key"}, "key"), ({"key": ""}, "key"), ({"name": "长" * 201}, "name"), ({"rule_set": ""}, "rule_set"), ({"name": "a\x01"}, "name")],
)
def test_a_bad_key_or_name_is_refused_at_its_field(office: Office, given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        kept(office, CORPUS["links"], **{"key": "links", "name": "", "rule_set": "liaoyang_2018", **given})
    assert list(refusal.value.fields) == [field]


def test_who_may_not_edit_diagrams_may_not_import_them(office: Office) -> None:
    for login in ("anna", "paul", "otto"):
        with pytest.raises(NotAllowed):
            look_at(office.store, CORPUS["links"], actor=office.actors[login])
        with pytest.raises(NotAllowed):
            import_draft(office.store, CORPUS["links"], actor=office.actors[login], key="links", rule_set="x")


def test_a_file_that_is_no_diagram_makes_no_draft(office: Office) -> None:
    with pytest.raises(DiagramError):
        kept(office, b"PK\x03\x04", key="links", rule_set="liaoyang_2018")


@pytest.mark.parametrize(
    ("name", "file_name", "key"),
    [("camunda", "采购.bpmn", ""), ("camunda", "Purchase Order.bpmn", "purchase_order"), ("pools", "x.bpmn", "gives"), ("odd-ids", "a/b.xml", "b")],
)
def test_a_key_is_suggested_where_a_person_could_say_it(office: Office, name: str, file_name: str, key: str) -> None:
    found = look_at(office.store, CORPUS[name], actor=office.actors["petra"])
    assert suggested_key(found, file_name) == key


# -- command line -----------------------------------------------------------------------------------


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without an installation."""
    monkeypatch.setenv("SHARING_BPM_HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_command_line_lists_what_was_rewritten_and_what_to_fill_in(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = alone / "pools.bpmn"
    file.write_bytes(CORPUS["pools"])
    assert main(["diagram", "import", str(file), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"task-to-user-task", "start-by-person"} <= {one["rule"] for one in told["rewritten"]}
    assert {"no-assignee"} == {gap["rule"] for gap in told["to_fill_in"] if gap["required"]}
    assert main(["diagram", "import", str(file), "--output", str(alone / "out.bpmn")]) == 0
    words = capsys.readouterr().out
    assert "可以建立草稿" in words and "发布前须填写（2）" in words and "原为未定类型的任务" in words
    assert (alone / "out.bpmn").read_bytes().startswith(b"<?xml")
    assert not (alone / "home").exists()


def test_the_command_line_says_why_a_file_is_none_and_ends_with_one(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = alone / "picture.bpmn"
    file.write_bytes(b"\x89PNG\r\n")
    assert main(["diagram", "import", str(file), "--dry-run"]) == 1
    assert "无法导入：这是图片" in capsys.readouterr().out
    assert main(["diagram", "import", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["rule"] == "not-xml"
    assert main(["diagram", "import", str(alone / "missing.bpmn")]) == 2


def test_a_folder_is_looked_at_file_by_file(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data in CORPUS.items():
        (alone / f"{name}.bpmn").write_bytes(data)
    assert main(["diagram", "import", str(alone), "--dry-run"]) == 0
    assert f"共{len(CORPUS)}个文件，{len(CORPUS)}个可以建立草稿" in capsys.readouterr().out
    (alone / "broken.bpmn").write_bytes(b"<a>")
    assert main(["diagram", "import", str(alone), "--dry-run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["importable"] == len(CORPUS) and "problem" in told["files"]["broken.bpmn"]
    assert main(["diagram", "import", str(alone), "--by", "petra"]) == 2


def test_the_command_line_keeps_a_draft_for_who_is_named(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_kind: str
) -> None:
    monkeypatch.setenv("SHARING_BPM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", office.store.engine.url.render_as_string(hide_password=False))
    file = tmp_path / "links.bpmn"
    file.write_bytes(CORPUS["links"])
    assert main(["diagram", "import", str(file), "--by", "petra", "--name", "连线", "--json"]) == 0
    draft = json.loads(capsys.readouterr().out)["draft"]
    with office.store.read() as session:
        sheet = draft_sheet(session, office.actors["petra"], draft)
    assert (sheet.key, sheet.name, sheet.rule_set) == ("links", "连线", "liaoyang_2018")
    assert main(["diagram", "import", str(file), "--by", "anna"]) != 0
