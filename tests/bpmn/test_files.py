"""Every shipped process is complete: what it names exists, what exists is named, and a deployment would take it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

import engine.process.notices
import engine.sharing.registry  # noqa: F401  (with the line above: makes operations, words and subjects known)
from engine.people.posts import POSTS
from engine.process.check import check
from engine.process.forms import TYPES
from engine.process.interpreter.expressions import WORDS as LANGUAGE
from engine.process.interpreter.reader import check_structure
from engine.process.interpreter.structure_events import TIMER_ATTRIBUTES
from engine.process.operations import OPERATIONS, SUBJECTS, WORDS
from engine.process.rule_sets import process_folders
from tests.bpmn.letters import words_of
from tests.bpmn.shipped import BPMN_FOLDER, NAMES, PROCESSES, diagram, keys_of, own_keys, package, rule_set, rule_sets, tree

every_process = pytest.mark.parametrize("process", PROCESSES)

NUMERALS = {numeral: value for value, numeral in enumerate("一二三四五六七八九", 1)}


def number_of(article: str) -> int:
    """15 of 第十五条 (up to 99)."""
    tens, ten, units = re.fullmatch(r"第([一二三四五六七八九]?)(十?)([一二三四五六七八九]?)条", article).groups()  # type: ignore[union-attr]
    if not ten:
        return NUMERALS[tens or units]
    return NUMERALS.get(tens, 1) * 10 + NUMERALS.get(units, 0)


def test_article_numbers_are_read() -> None:
    assert [number_of(text) for text in ("第九条", "第十条", "第十五条", "第二十条", "第三十二条")] == [9, 10, 15, 20, 32]


@pytest.mark.parametrize("name", rule_sets())
def test_a_rule_set_lists_exactly_the_processes_in_its_folder(name: str) -> None:
    folders = {file.parent.name for file in (BPMN_FOLDER / name).glob("*/diagram.bpmn")}
    assert own_keys(name) == folders
    for entry in rule_set(name)["processes"]:
        shipped = diagram(f"{name}/{entry['key']}")
        assert (shipped.key, shipped.name, shipped.properties["article"]) == (entry["key"], entry["name"], entry["article"])
        assert shipped.properties["ruleSet"] == rule_set(name)["key"] == name


def test_the_founding_document_is_named_as_published() -> None:
    founding = rule_set("liaoyang_2018")
    assert founding["name"] == "辽阳市政务信息资源共享管理暂行办法"
    assert (founding["document_number"], founding["issued_on"]) == ("辽市政发〔2018〕35号", "2018-11-26")


def test_the_second_rule_set_has_every_process_of_the_first() -> None:
    assert keys_of("national_2025") == keys_of("liaoyang_2018")
    folders = process_folders(BPMN_FOLDER / "national_2025")
    assert {key for key, folder in folders.items() if folder.parent.name == "national_2025"} == own_keys("national_2025")


def test_the_second_rule_set_is_named_as_published_and_is_not_what_an_installation_begins_with() -> None:
    national = rule_set("national_2025")
    assert (national["name"], national["document_number"]) == ("政务数据共享条例", "国务院令第809号")
    assert (national["in_force_from"], national["active"]) == ("2025-08-01", False)


@every_process
def test_the_structure_has_no_fault_and_no_warning(process: str) -> None:
    assert check_structure(package(process).xml, words=set(WORDS)) == []


@every_process
def test_a_deployment_would_take_it(process: str) -> None:
    assert check(package(process), keys_of(process.partition("/")[0])) == []


@every_process
def test_no_form_and_no_letter_is_left_over(process: str) -> None:
    steps = diagram(process).steps.values()
    forms = {step.form for step in steps if step.form} | {diagram(process).properties.get("startForm")} - {None}
    letters = {step.properties["in.kind"].strip('"') for step in steps if step.operation == "documents.issue"}
    assert set(package(process).forms) == forms
    assert set(package(process).documents) == letters


@every_process
def test_every_task_says_who_does_what_with_which_form(process: str) -> None:
    for step in diagram(process).steps.values():
        if step.kind in ("user", "manual"):
            assert step.name and step.lane and step.form, step.id
            assert step.unit and step.post and step.post in POSTS and POSTS[step.post].works_cases, step.id


@every_process
def test_ids_are_unique_and_speak(process: str) -> None:
    ids = [element.get("id") for element in tree(process).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for step in diagram(process).steps.values():
        kind, _, name = step.id.partition("_")
        assert kind in {"Task", "Gateway", "SubProcess", "CallActivity", "StartEvent", "EndEvent", "BoundaryEvent", "Event"}
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name), step.id


@every_process
def test_whoever_reads_the_diagram_finds_a_chinese_name_on_everything_but_plain_gateways(process: str) -> None:
    for step in diagram(process).steps.values():
        choosing = step.kind == "gateway" and any(diagram(process).flows[flow].condition for flow in step.outgoing)
        if step.kind != "gateway" or choosing:
            assert re.search(r"[\u4e00-\u9fff]", step.name), step.id
        if choosing:
            assert all(diagram(process).flows[flow].name for flow in step.outgoing), step.id


@every_process
def test_every_article_cited_exists_in_the_regulation(process: str) -> None:
    name = process.partition("/")[0]
    texts = [package(process).xml.decode(), *map(words_of, package(process).documents.values())]
    texts += [json.dumps(form, ensure_ascii=False) for form in package(process).forms.values()]
    cited = {article for text in texts for article in re.findall(r"第[一二三四五六七八九十]+条", text)}
    assert cited
    assert {article for article in cited if not 1 <= number_of(article) <= rule_set(name)["articles"]} == set()


#: The working days that each regulation fixes, by article; only these may be called statutory.
STATUTORY: Mapping[str, Mapping[str, set[int]]] = {
    "liaoyang_2018": {"第十五条": {10}, "第十条": {15}, "第十一条": {2}},
    "national_2025": {"第十七条": {10, 2}, "第二十一条": {10, 1}, "第二十二条": {20}, "第二十六条": {10}},
}


@every_process
def test_a_statutory_limit_is_the_law_s_and_cites_it(process: str) -> None:
    found = [(rule.article, rule.statutory_max, rule.working_days) for rule in diagram(process).timers.values()]
    found += [
        (step.article, int(step.properties["statutoryMax"]), step.limit)
        for step in diagram(process).steps.values()
        if "statutoryMax" in step.properties
    ]
    for article, most, days in found:
        if most is not None:
            assert most in STATUTORY[process.partition("/")[0]][str(article)] and int(str(days)) <= most


def test_the_reply_to_a_conditional_request_is_due_in_ten_working_days() -> None:
    timers = diagram("liaoyang_2018/conditional_share").timers
    reply = timers["BoundaryEvent_ReplyDeadline"]
    assert (reply.working_days, reply.statutory_max, reply.article) == ("10", 10, "第十五条")
    assert (reply.attached_to, reply.interrupting, reply.on_pause) == ("SubProcess_Reply", False, "pause")
    assert timers["BoundaryEvent_ReplyReminder"].before_deadline == "2"
    assert timers["BoundaryEvent_ReplyEscalation"].after_deadline == "3"


@every_process
def test_other_modelers_find_a_standard_timer_too(process: str) -> None:
    for definition in tree(process).iterfind(".//bpmn:timerEventDefinition", NAMES):
        assert re.fullmatch(r"P\d+D", definition.findtext("bpmn:timeDuration", namespaces=NAMES))


def test_the_handbook_names_every_word_of_the_language() -> None:
    handbook = (BPMN_FOLDER / "README.md").read_text(encoding="utf-8")
    shipped = {name for name in OPERATIONS if not name.startswith("test.")}  # what other tests register is their own
    spoken = {*shipped, *WORDS, *LANGUAGE, *SUBJECTS} | {f"sharing:{name}" for name in TIMER_ATTRIBUTES} | set(TYPES)
    spoken |= {post.key for post in POSTS.values() if post.works_cases}
    assert sorted(word for word in spoken if f"`{word}" not in handbook) == []
