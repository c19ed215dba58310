"""What the properties panel offers: every registered thing by a Chinese name, the draft's own forms, the deployed processes."""

from __future__ import annotations

import re
from pathlib import Path

from engine.process.operations import OPERATIONS, SUBJECTS, WORDS
from engine.process.package import Package, read_package
from engine.process.workshop.texts import TEXTS
from engine.process.workshop.vocabulary import vocabulary
from engine.sharing import registry
from engine.store.settings import ROOT
from tests.town import RULES, Town

assert registry

CHINESE = re.compile("[\u4e00-\u9fff]")


def test_every_operation_and_parameter_is_explained_in_chinese() -> None:
    # Other tests of the same process may have registered operations of their own.
    operations = {name: operation for name, operation in OPERATIONS.items() if not name.startswith("test.")}
    assert set(TEXTS.operations) == set(operations)
    for name, operation in operations.items():
        text = TEXTS.operations[name]
        assert set(text.parameters) == set(operation.parameters), name
        for words in (text.label, text.description, *(parameter.label for parameter in text.parameters.values())):
            assert CHINESE.search(words), (name, words)
    labels = [text.label for text in TEXTS.operations.values()]
    assert len(set(labels)) == len(labels), "two operations by one name cannot be told apart in a list"


def test_every_subject_and_word_is_explained_in_chinese() -> None:
    assert set(TEXTS.subjects) == set(SUBJECTS)
    assert set(TEXTS.words) == set(WORDS)


def test_every_page_that_a_shipped_process_starts_from_has_a_name() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "bpmn").rglob("diagram.bpmn"))
    pages = {page for value in re.findall(r'"startFrom" value="([^"]*)"', texts) for page in value.split(",")}
    processes = {file.parent.name for file in (ROOT / "bpmn").rglob("diagram.bpmn")}
    assert pages - processes <= set(TEXTS.start_pages)


def test_the_panel_offers_what_is_there(town: Town) -> None:
    package = read_package(Path(RULES) / "conditional_share", "liaoyang_2018")
    with town.store.read() as session:
        offered = vocabulary(session, package)
    posts = {post["value"]: post["label"] for post in offered["posts"]}
    assert posts["head"] == "负责人"
    assert "process_admin" not in posts, "no task of a case can be given to an administrator"
    assert {"value": 'body("leadership_office")', "label": TEXTS.units['body("leadership_office")']} in offered["units"]
    assert {"value": "supervision", "label": "督办"} in offered["processes"]
    reply = next(form for form in offered["forms"] if form["value"] == "reply")
    assert reply["label"] == package.forms["reply"]["title"]
    decision = next(field for field in reply["fields"] if field["value"] == "decision")
    assert (decision["type"], decision["required"], decision["options"][0]) == ("choice", True, {"value": "agree", "label": "同意"})
    assert {"value": "return", "label": "退回"} in offered["actions"]
    assert next(word["label"] for word in offered["words"] if word["value"] == "holders").startswith("holders(单位代码")
    assert offered["documents"] == ["refusal_letter", "reply_letter"]
    names = {name["value"]: name["label"] for name in offered["names"]}
    assert names["basis"] == "使用依据" and "applicant_unit" in names and "provider_unit" in names
    assert {"value": 'decision == "agree"', "label": "答复结论：同意"} in offered["answers"]
    grant = next(entry for entry in offered["operations"] if entry["name"] == "sharing.grant")
    assert grant["label"] == "授权共享"
    assert [entry["name"] for entry in grant["parameters"] if entry["required"]] == ["resource", "applicant_unit"]
    assert not any(entry["name"] == "*" for operation in offered["operations"] for entry in operation["parameters"])


def test_broken_forms_of_a_draft_do_not_stop_the_panel(town: Town) -> None:
    forms = {"list": [], "words": "x", "odd": {"title": "", "fields": [1, {"key": 2}, {"key": "reason"}]}, "none": {"fields": None}}
    with town.store.read() as session:
        offered = vocabulary(session, Package("liaoyang_2018", b"<", forms))
    assert [form["value"] for form in offered["forms"]] == ["list", "none", "odd", "words"]
    assert {"value": "reason", "label": "reason"} in offered["names"]
