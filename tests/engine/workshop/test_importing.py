"""Diagrams drawn elsewhere: whatever a file holds, it opens, loses nothing, runs after what is listed is filled in, and is left alone the second time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from engine.process.check import check
from engine.process.interpreter.document import BPMN
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.interpreter.reader import read_diagram
from engine.process.package import Package, read_package
from engine.process.workshop.importing.foreign import Imported, as_json, read_foreign
from engine.process.workshop.importing.reading import read_tree
from engine.process.workshop.importing.sheet import ORIGINAL
from engine.sharing import registry
from tests.engine.workshop.foreign import CORPUS, END, START, arrow, file, filled, node, way
from tests.engine.workshop.modeler import reserialised
from tests.machine import ROOT

assert registry  # imported for the operations that diagrams may name

NAMES = sorted(CORPUS)


def judge(package: Package, base: Package | None) -> list[Problem]:
    """The check, in an installation that has a process `other`."""
    return check(package, {"other"}, base=base)


def brought(name: str) -> Imported:
    """A file of the corpus after the import."""
    return read_foreign(CORPUS[name], check=judge)


def words(root: etree._Element) -> set[str]:
    """Everything that a file says: tags, attributes' values, texts; a tag that was replaced is named by its original."""
    found: set[str] = set()
    for item in root.iter():
        found.add(etree.QName(item).localname)
        found |= {" ".join(str(value).split()) for name, value in item.attrib.items() if name != "isExecutable"}
        found |= {" ".join(text.split()) for text in (item.text, item.tail) if text and text.strip()}
    found |= {item.get("tag") or "" for item in root.iter(f"{{{ORIGINAL}}}original")}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_finding_of_the_check_is_listed_before_anybody_checks(name: str) -> None:
    found = brought(name)
    listed = {(gap.element, gap.rule) for gap in found.to_fill_in}
    problems = check(Package("", found.xml, found.forms), {"other"})
    assert {(problem.element, problem.rule) for problem in problems} <= listed
    required = {gap.rule for gap in found.to_fill_in if gap.required}
    assert {problem.rule for problem in problems if problem.severity == "error"} <= required


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_file_says_is_lost(name: str) -> None:
    root, _ = read_tree(CORPUS[name])
    assert words(root) - words(etree.fromstring(brought(name).xml)) == set()


@pytest.mark.parametrize("name", NAMES)
def test_with_the_gaps_filled_the_draft_may_be_deployed(name: str) -> None:
    found = brought(name)
    package = Package("", found.xml, found.forms)
    for _ in range(4):  # what the structure hides shows when it is mended
        again = read_foreign(package.xml, check=judge, package_of=lambda key, now=package: now)  # type: ignore[misc]
        if not any(gap.required for gap in again.to_fill_in):
            break
        package = Package("", filled(package.xml, again.to_fill_in), found.forms)
    assert [problem.message for problem in check(package, {"other"}) if problem.severity == "error"] == []
    assert read_diagram(package.xml).key == found.key


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_was_imported_is_left_alone_the_second_time(name: str) -> None:
    found = brought(name)
    package = Package("", found.xml, found.forms)
    again = read_foreign(found.xml, check=judge, package_of=lambda key: package)
    assert [one.message for one in again.rewritten] == []
    assert read_foreign(again.xml, check=judge, package_of=lambda key: package).xml == again.xml


@pytest.mark.parametrize("name", NAMES)
def test_every_step_and_arrow_has_a_place_in_the_drawing(name: str) -> None:
    root = etree.fromstring(brought(name).xml)
    process = next(item for item in root.iter(f"{{{BPMN}}}process") if item.get("isExecutable") == "true")
    drawn = {item.get("bpmnElement") for item in root.iter("{*}BPMNShape", "{*}BPMNEdge")}
    kinds = ("Task", "Event", "Gateway", "subProcess", "callActivity", "sequenceFlow")
    steps = {
        item.get("id") for item in process.iter(f"{{{BPMN}}}*")
        if etree.QName(item).localname.endswith(kinds) and not any(around.tag == f"{{{ORIGINAL}}}original" for around in item.iterancestors())
    }  # fmt: skip
    assert steps and steps - drawn == set()


@pytest.mark.parametrize("name", NAMES)
def test_another_modeler_keeps_what_the_import_kept(name: str) -> None:
    """bpmn.io's own reader and writer, as any modeler built on it would save the file."""
    found = brought(name)
    saved = reserialised(found.xml)
    again = read_foreign(saved, check=judge, package_of=lambda key: Package("", b"", found.forms))
    lost = words(etree.fromstring(found.xml)) - words(etree.fromstring(again.xml))
    # It writes formalExpression as an expression of that type, and knows no script inside a global task.
    assert lost - {"formalExpression"} == set()
    assert [gap for gap in again.to_fill_in if gap.required] == [gap for gap in found.to_fill_in if gap.required]


def test_the_lists_are_json_for_the_command_line_and_the_draft() -> None:
    told = as_json(brought("camunda"))
    assert {"rewritten", "to_fill_in", "kept", "forms", "processes"} <= told.keys()
    assert {"element", "name", "rule", "message", "required"} <= told["to_fill_in"][0].keys()
    assert {"what": "camunda:taskListener", "count": 1} in told["kept"]


# -- encodings and what is no diagram -------------------------------------------------------------

PLAIN = file(START, node("userTask", "t", name="审核"), END, way("s", "t", "e"))
TEXT = PLAIN.decode().replace('<?xml version="1.0" encoding="UTF-8"?>', "")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN, b"\xef\xbb\xbf" + PLAIN, b"\r\n  " + PLAIN, TEXT.encode(), f'<?xml version="1.0" encoding="UTF-16"?>{TEXT}'.encode("utf-16"),
        f'<?xml version="1.0" encoding="GBK"?>{TEXT}'.encode("gbk"), f'<?xml version="1.0" encoding="gb2312"?>{TEXT}'.encode("gbk"),
    ],
    ids=["utf-8", "mark", "blank-line", "no-declaration", "utf-16", "gbk", "gb2312"],
)  # fmt: skip
def test_a_file_is_read_in_the_encoding_that_it_declares(data: bytes) -> None:
    found = read_foreign(data)
    assert "审核" in found.xml.decode("utf-8") and "encoding" not in {one.rule for one in found.rewritten}


@pytest.mark.parametrize(
    "data",
    [
        f'<?xml version="1.0" encoding="utf-16"?>{TEXT}'.encode(), f'<?xml version="1.0" encoding="UTF-8"?>{TEXT}'.encode("gbk"),
        TEXT.encode("gb18030"),
    ],
    ids=["utf-8-as-utf-16", "gbk-as-utf-8", "gbk-undeclared"],
)  # fmt: skip
def test_a_wrong_declaration_is_seen_through_and_said(data: bytes) -> None:
    found = read_foreign(data)
    assert "审核" in found.xml.decode("utf-8") and "encoding" in {one.rule for one in found.rewritten}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "空的"), (b"PK\x03\x04rest", "压缩包"), (b"\x89PNG\r\n", "图片"), (b"\xff\xd8\xff\xe0", "图片"), (b"%PDF-1.7", "PDF"),
        (b'{"nodes": []}', "JSON"), (b"\xd0\xcf\x11\xe0\xa1", "旧格式"), (b"just words", "不是正确的XML"), (b"<a><b></a>", "不是正确的XML"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "图片"), (b"<html/>", "网页"), (b"<mxfile/>", "draw.io"),
        (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "DMN"), (b"<a/>", "不是BPMN"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DOCTYPE"), (b" " * (2 * 1024 * 1024 + 1), "2MB"),
        (b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><collaboration/></definitions>', "没有流程"),
        (file(), "没有任何步骤"),
    ],
)  # fmt: skip
def test_what_is_no_diagram_is_refused_with_a_word_of_help(data: bytes, said: str) -> None:
    with pytest.raises(DiagramError) as refusal:
        read_foreign(data)
    assert len(refusal.value.problems) == 1 and said in refusal.value.problems[0].message


def _many(count: int) -> bytes:
    names = [f"t{number}" for number in range(count)]
    return file(START, *(node("task", name) for name in names), END, way("s", *names, "e"))


def _twins() -> bytes:
    return file(START, *(node("task", "same") for _ in range(20_000)), END)


def _starts() -> bytes:
    return file(*(node("startEvent", f"s{number}", "<messageEventDefinition/>") for number in range(900)), node("task", "t"), END)


def _deep() -> bytes:
    inside = node("task", "t")
    for number in range(30):
        inside = node("subProcess", f"p{number}", inside)
    return file(inside)


def _pools() -> bytes:
    body = "".join(f'<process id="p{number}"><task id="t{number}"/></process>' for number in range(9000))
    return file(START, END, way("s", "e")).replace(b"</definitions>", body.encode() + b"</definitions>")


@pytest.mark.parametrize("make", [_many, _twins, _starts, _deep, _pools], ids=lambda make: make.__name__)
def test_a_file_of_any_size_gets_its_answer_without_a_long_wait(make: Callable[..., bytes]) -> None:
    """Each of these would take minutes if anything were looked for once for each of its neighbours."""
    data = make(5000) if make is _many else make()
    try:
        assert read_foreign(data).xml
    except DiagramError as refusal:
        assert len(refusal.problems) == 1


def test_a_diagram_of_a_thousand_steps_is_the_most() -> None:
    assert len(read_foreign(_many(990)).to_fill_in) >= 990
    with pytest.raises(DiagramError):
        read_foreign(_many(1001))


# -- our own files ----------------------------------------------------------------------------------


SHIPPED = sorted(str(found.parent.relative_to(ROOT)) for found in ROOT.glob("bpmn/*/*/diagram.bpmn"))


@pytest.mark.parametrize("folder", SHIPPED)
def test_an_exported_diagram_comes_back_from_another_modeler_as_it_was(folder: str) -> None:
    """S46: limits, assignees, forms and article references survive unchanged."""
    package = read_package(ROOT / folder, (ROOT / folder).parent.name)
    keys = {found.parent.name for found in ROOT.glob("bpmn/*/*/diagram.bpmn")}
    edited = reserialised(package.xml, elsewhere=True)
    assert edited != package.xml and b"modeler:mark" in edited
    found = read_foreign(edited, check=lambda now, base: check(now, keys, base=base), package_of=lambda key: package)
    assert [one.message for one in found.rewritten] == []
    assert [gap.message for gap in found.to_fill_in if gap.required] == []
    before, after = read_diagram(package.xml), read_diagram(found.xml)
    assert (before.key, before.name, before.properties, before.flows, before.timers) == (
        after.key, after.name, after.properties, after.flows, after.timers
    )  # fmt: skip
    assert {name: _facts(step) for name, step in before.steps.items()} == {name: _facts(step) for name, step in after.steps.items()}


def _facts(step: object) -> tuple[object, ...]:
    names = ("name", "kind", "lane", "unit", "post", "form", "article", "limit", "properties", "parent", "timers", "called", "message")
    return tuple(getattr(step, name) for name in names)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_remarks_that_are_not_kept_are_counted(encoding: str) -> None:
    text = CORPUS["pools"].decode()
    start = text.index("?>") + 2 if text.startswith("<?xml") else 0
    remarked = "<!-- 备注 <![CDATA[ --><?tool now?>" + text[start:].replace("<process ", "<!-- two --><process ", 1)
    found = read_foreign(f'<?xml version="1.0" encoding="{encoding}"?>{remarked}'.encode(encoding))
    assert [one.message for one in found.rewritten if one.rule == "remarks-dropped"] == ["文件里有3处XML注释或处理指令，图上看不到，没有保留"]
    assert "remarks-dropped" not in {one.rule for one in read_foreign(found.xml).rewritten}


def test_the_process_with_most_steps_runs_unless_another_is_chosen() -> None:
    found = brought("pools")
    assert (found.key, found.name) == ("Gives", "审核部门")
    assert [(choice.id, choice.nodes, choice.chosen) for choice in found.processes] == [("Asks", 2, False), ("Gives", 4, True)]
    assert read_foreign(CORPUS["pools"], process="Asks").key == "Asks"
    with pytest.raises(DiagramError):
        read_foreign(CORPUS["pools"], process="Nobody")


def test_an_arrow_that_leads_nowhere_is_taken_out_and_said() -> None:
    found = read_foreign(file(START, node("userTask", "t"), END, way("s", "t", "e"), arrow("t", "gone")))
    assert "arrow-without-end" in {one.rule for one in found.rewritten}
    assert "several-outgoing" not in {gap.rule for gap in found.to_fill_in}


def test_all_that_is_missing_is_listed_at_once() -> None:
    """Faults of the structure hide none of single steps: nobody shall fill in a list and be told of more."""
    found = read_foreign(file(START, node("serviceTask", "v"), node("callActivity", "c", calledElement="gone"), END, way("s", "v", "c", "e")))
    assert {("v", "service-without-operation"), ("c", "called-process-missing")} <= {
        (gap.element, gap.rule) for gap in found.to_fill_in if gap.required
    }
