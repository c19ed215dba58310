"""Every difference is told once, to the attribute, in a sentence that an official would write; what is none is not told."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from typing import Any

import docx
import pytest
from lxml import etree

from engine.process.interpreter.model import DiagramError
from engine.process.package import Package
from engine.process.workshop.comparing.compare import Change, Comparison, compare
from tests.bpmn.shipped import NAMES, PROCESSES, package
from tests.engine.interpreter.diagrams import call, catches_timer, diagram, element, message, multi, script, sub, timer

REQUEST = "liaoyang_2018/conditional_share"


def request() -> Package:
    return package(REQUEST)


def changed(edit: Callable[[Any], None], of: Package | None = None) -> Comparison:
    """What a change of the request's XML tree comes to."""
    before = of or request()
    root = etree.fromstring(before.xml)
    edit(root)
    return compare(before, replace(before, xml=etree.tostring(root)))


def by_id(root: Any, identity: str) -> Any:
    [found] = root.xpath(f"//*[@id='{identity}']")
    return found


def texts(found: Comparison) -> list[str]:
    return [change.text for change in found.changes]


def drawn(*parts: object, **more: Any) -> Package:
    return Package("r", diagram(*parts), more.get("forms", {}), more.get("documents", {}))


def told(before: Package, after: Package) -> list[str]:
    return texts(compare(before, after))


# -- what is no difference ----------------------------------------------------------------------


@pytest.mark.parametrize("process", PROCESSES)
def test_every_shipped_diagram_is_the_same_as_itself(process: str) -> None:
    assert compare(package(process), package(process)).same


def test_another_hand_s_spelling_is_no_difference() -> None:
    """Prefixes, order of attributes, white space, comments, defaults written out, types of expressions, the writer's name."""
    text = request().xml.decode()
    for old, new in (("bpmn:", "semantic:"), ("xmlns:bpmn=", "xmlns:semantic="), ("spiffworkflow:", "s:"), ("xmlns:spiffworkflow=", "xmlns:s="),
                     ("sharing:", "x:"), ("xmlns:sharing=", "xmlns:x=")):
        text = text.replace(old, new)
    root = etree.fromstring(text.encode())
    etree.indent(root, space="\t")
    root.set("exporter", "Another Modeler")
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        attributes = sorted(node.attrib.items(), reverse=True)
        node.attrib.clear()
        node.attrib.update(attributes)
        if node.tag.endswith("}boundaryEvent") and "cancelActivity" not in node.attrib:
            node.set("cancelActivity", "true")
        if node.tag.endswith("}conditionExpression"):
            node.attrib.clear()
    root.append(etree.Comment("by hand"))
    assert compare(request(), replace(request(), xml=etree.tostring(root, encoding="utf-16"))).same


def test_ids_of_inner_elements_mean_nothing() -> None:
    def rename(root: Any) -> None:
        for node in root.iterfind(".//bpmn:timerEventDefinition", NAMES):
            node.set("id", node.get("id") + "_x")

    assert changed(rename).same


# -- limits and people --------------------------------------------------------------------------


def only(found: Comparison) -> Change:
    assert len(found.changes) == 1, texts(found)
    return found.changes[0]


def test_a_limit_is_told_by_its_activity_with_its_article() -> None:
    def five(root: Any) -> None:
        root.find(".//*[@id='TimerRule_ReplyDeadline']").set(f"{{{NAMES['sharing']}}}workingDays", "5")

    found = changed(five)
    change = only(found)
    assert (change.text, change.article) == ("“提供部门答复”答复时限 10 → 5 个工作日", "第十五条")
    assert (change.kind, change.group, change.before, change.after) == ("changed", "times", "10", "5")
    assert dict(found.changed) == {"BoundaryEvent_ReplyDeadline": "BoundaryEvent_ReplyDeadline"}
    assert not found.added and not found.removed and not found.moved


@pytest.mark.parametrize(("before", "after", "sentence"), [
    ({"limit": "3"}, {"limit": "5"}, "“复核”时限 3 → 5 个工作日"),
    ({"limit": "3", "statutoryMax": "5"}, {"limit": "3", "statutoryMax": "4"}, "用户任务“复核”的法定最长时限 5 → 4 个工作日"),
    ({"post": "handler"}, {"post": "head"}, "用户任务“复核”的岗位 经办 → 负责人"),
    ({"unit": "applicant_unit"}, {"unit": 'body("leadership_office")'}, "用户任务“复核”的承办单位 申请单位 → 政务信息资源共享工作领导小组办公室"),
    ({}, {"article": "第三条"}, "用户任务“复核”的条款 无 → 第三条"),
    ({"opinion": "optional"}, {"opinion": "required"}, "用户任务“复核”的意见 可填 → 必填"),
    ({"onPause": "pause"}, {"onPause": "restart"}, "用户任务“复核”的遇补正时 顺延 → 重新计算"),
    ({"clock": "pause"}, {}, "用户任务“复核”的停表 办理期间暂停计时 → 无"),
    ({"mine": "1"}, {"mine": "2"}, "用户任务“复核”的属性 mine 1 → 2"),
])  # fmt: skip
def test_a_task_s_property_is_told_in_the_words_of_the_domain(before: dict[str, str], after: dict[str, str], sentence: str) -> None:
    one, other = (drawn("start > user:a > end", element("a", name="复核", **given)) for given in (before, after))
    assert told(one, other) == [sentence]


@pytest.mark.parametrize(("before", "after", "sentence"), [
    ({"beforeDeadline": 2}, {"beforeDeadline": 3}, "“答复”“临期”：时限届满前 2 → 3 个工作日"),
    ({"workingDays": 2, "role": "timer"}, {"workingDays": 2, "role": "reminder"}, "“答复”“临期”的作用 一般定时 → 提醒"),
    ({"workingDays": 2, "onPause": "none"}, {"workingDays": 2, "onPause": "pause"}, "“答复”“临期”遇补正时 照常计算 → 顺延"),
    ({"workingDays": 2}, {"workingDays": 2, "statutoryMax": 5}, "“答复”“临期”法定最长时限 无 → 5 个工作日"),
])  # fmt: skip
def test_a_timer_s_attribute_is_told(before: dict[str, Any], after: dict[str, Any], sentence: str) -> None:
    def at(given: dict[str, Any]) -> Package:
        ring = timer("a", "t", **given)
        ring.attributes["name"] = "临期"
        return drawn("start > user:a > end", element("a", name="答复"), ring)

    assert told(at(before), at(after)) == [sentence]


# -- elements and flows -------------------------------------------------------------------------


def test_a_new_step_is_told_with_who_does_what() -> None:
    found = compare(
        drawn("start > user:a > end", element("a", name="申请")),
        drawn("start > user:a > user:b > end", element("a", name="申请"), element("b", name="复核", unit="provider_unit", post="head", limit="3")),
    )
    assert "新增用户任务“复核”（承办单位：提供单位，岗位：负责人，时限：3 个工作日）" in texts(found)
    assert "b" in found.added and "b" not in found.removed
    assert {change.group for change in found.changes} == {"steps", "flows"}


def test_a_lost_step_is_named_as_it_was() -> None:
    found = compare(drawn("start > user:a > user:b > end", element("b", name="复核")), drawn("start > user:a > end"))
    [change] = [change for change in found.changes if change.kind == "removed" and change.group == "steps"]
    assert (change.text, change.element, change.was) == ("删除用户任务“复核”", "b", "b")
    assert found.removed >= {"b"}


def test_another_kind_of_task_is_the_same_step() -> None:
    [sentence] = told(drawn("start > user:a > end", element("a", name="告知")), drawn("start > service:a > end", element("a", name="告知")))
    assert sentence == "“告知”由用户任务改为服务任务"


def test_a_condition_and_a_default_are_told_of_their_arrow() -> None:
    named = element("g", name="是否同意？")
    before = drawn("start > user:a > xor:g [x == 1] > user:b > end", "g [default] > end:no", named, element("b", name="供数"))
    after = drawn("start > user:a > xor:g [x == 2] > user:b > end", "g [default] > end:no", named, element("b", name="供数"))
    assert told(before, after) == ["流向“是否同意？→供数”的条件 x == 1 → x == 2"]


def test_the_order_in_which_conditions_are_asked_is_a_difference() -> None:
    before = drawn("start > user:a > xor:g [x] > end:one", "g [y] > end:two", "g [default] > end:three")
    root = etree.fromstring(before.xml)
    flows = root.xpath("//bpmn:sequenceFlow[@sourceRef='g']", namespaces=NAMES)
    flows[1].addnext(flows[0])
    found = only(compare(before, replace(before, xml=etree.tostring(root))))
    assert found.group == "flows" and "各分支的判断顺序" in found.text


def test_an_arrow_that_leads_elsewhere_is_told_by_names() -> None:
    one, other = element("a", name="甲"), element("b", name="乙")

    def to(target: str) -> Package:
        return drawn("start > xor:g [x] > user:a > end", "g [default] > user:b > end", one, other, message("a", "m", "stop"), f"m > {target}")

    found = compare(to("a"), to("b"))
    assert {change.group for change in found.changes} == {"flows"}


def test_scripts_calls_loops_and_messages_are_compared_too() -> None:
    def at(text: str, process: str, over: str, name: str, days: int) -> Package:
        return drawn("start > script:s > call:c > user:m > catch:w > end", script("s", text), call("c", process), multi("m", over=over),
                     catches_timer("w", workingDays=days), message("m", "b", name))

    found = told(at("x = 1", "one", "[1]", "go", 1), at("x = 2", "two", "[1, 2]", "stop", 2))
    assert sorted(sentence.split(" ")[0] for sentence in found if "新增" not in sentence and "删除" not in sentence) == [
        "定时中间捕获事件“w”的时间", "消息边界事件“b”的消息", "用户任务“m”的多实例的名单", "脚本任务“s”的脚本", "调用环节“c”的调用的流程"]


def test_a_step_that_moved_into_a_subprocess_is_told() -> None:
    found = told(drawn("start > user:a > sub:s > end", sub("s", "start > user:b > end")),
                 drawn("start > sub:s > end", sub("s", "start > user:a > user:b > end")))
    assert any(sentence.startswith("用户任务“a”的所在位置 流程“测试流程” → 子流程“s”") for sentence in found)


def test_a_step_that_moved_to_another_lane_is_told_once() -> None:
    def move(root: Any) -> None:
        [reference] = root.xpath("//bpmn:flowNodeRef[text()='Task_Amend']", namespaces=NAMES)
        reference.getparent().remove(reference)
        by_id(root, "Lane_ApplicantHead").append(reference)

    assert texts(changed(move)) == ["用户任务“修改重报”的所在泳道 泳道“使用部门经办” → 泳道“使用部门负责人”"]


def test_a_redrawn_step_under_another_id_is_the_same_step() -> None:
    text = request().xml.replace(b"Task_Supplement", b"Activity_0abc1").replace(b"Flow_Supplement", b"Flow_0abc")
    found = compare(request(), replace(request(), xml=text))
    assert not found.added and not found.removed
    assert all("的编号" in sentence for sentence in texts(found)), texts(found)
    assert found.pairs["Task_Supplement"] == "Activity_0abc1"


def test_what_two_could_be_is_paired_with_neither() -> None:
    before = drawn("start > user:a > user:b > end", element("a", name="审核"), element("b", name="审核"))
    after = drawn("start > user:c > user:d > end", element("c", name="审核"), element("d", name="审核"))
    found = compare(before, after)
    assert found.removed >= {"a", "b"} and found.added >= {"c", "d"}


# -- process, forms, letters --------------------------------------------------------------------


def test_the_settings_of_the_process_are_told() -> None:
    def edit(root: Any) -> None:
        for item in root.find("bpmn:process", NAMES).iterfind("bpmn:extensionElements/spiffworkflow:properties/spiffworkflow:property", NAMES):
            if item.get("name") == "startPosts":
                item.set("value", "handler")
            if item.get("name") == "limitReminder":
                item.set("value", "3")

    assert texts(changed(edit)) == ["流程“有条件共享申请”的发起岗位 经办、县区联络员 → 经办", "流程“有条件共享申请”的临期提醒提前 2 → 3 个工作日"]


def with_form(name: str, edit: Callable[[dict[str, Any]], None]) -> list[str]:
    forms = deepcopy(dict(request().forms))
    edit(forms[name])
    return told(request(), replace(request(), forms=forms))


def field(form: dict[str, Any], key: str) -> dict[str, Any]:
    return next(item for item in form["fields"] if item.get("key") == key)


def test_a_field_that_went_names_the_step_and_the_article() -> None:
    forms = deepcopy(dict(request().forms))
    forms["reply"]["fields"] = [item for item in forms["reply"]["fields"] if item.get("key") != "refusal_reason"]
    found = compare(request(), replace(request(), forms=forms))
    change = only(found)
    assert (change.text, change.kind, change.element, change.article) == (
        "表单“负责人答复”删除一项“理由”（必填）", "removed", "Task_Reply", "第十五条")
    assert dict(found.changed) == {"Task_Reply": "Task_Reply"}


def test_a_field_s_attributes_are_told_one_by_one() -> None:
    def edit(form: dict[str, Any]) -> None:
        item = field(form, "conditions")
        item.update(label="共享条件", required=False, max_length=500)
        field(form, "decision")["options"][0]["label"] = "准予"
        form["title"] = "答复"
        form["fields"].append({"key": "extra", "type": "text", "label": "备注"})

    assert with_form("reply", edit) == [
        "表单“答复”的标题 负责人答复 → 答复", "表单“答复”新增一项“备注”", "表单“答复”“答复结论”的选项：“同意”改称“准予”",
        "表单“答复”“附加条件”的名称 附加条件 → 共享条件", "表单“答复”“附加条件”的必填 是 → 否", "表单“答复”“附加条件”的最多字数 2000 → 500"]


def test_a_moved_field_is_one_difference_not_many() -> None:
    def first(form: dict[str, Any]) -> None:
        item = field(form, "conditions")
        form["fields"].remove(item)
        form["fields"].insert(0, item)

    assert with_form("reply", first) == ["表单“负责人答复”“附加条件”移到最前"]


def test_forms_that_came_and_went_are_named() -> None:
    forms = {"new": {"title": "新表", "fields": [{"key": "a", "type": "text", "label": "甲"}]}}
    assert told(drawn("start > end", forms={"old": {"title": "旧表", "fields": []}}), drawn("start > end", forms=forms)) == [
        "删除表单“旧表”（old）", "新增表单“新表”（new）：甲"]


def letter(*paragraphs: str, bold: bool = False) -> bytes:
    document, file = docx.Document(), BytesIO()
    for text in paragraphs:
        document.add_paragraph().add_run(text).bold = bold
    document.save(file)
    return file.getvalue()


def test_a_letter_is_compared_by_its_paragraphs() -> None:
    def at(template: bytes) -> Package:
        return drawn("start > end", documents={"reply": template})

    before = at(letter("答复函", "同意共享。", "特此函复。"))
    assert told(before, at(letter("答复函", "同意按条件共享。", "特此函复。"))) == ["公文模板“reply”第2段：同意共享。 → 同意按条件共享。"]
    assert told(before, at(letter("答复函", "同意共享。", "特此函复。", bold=True))) == ["公文模板“reply”的版式或格式有改动，文字未变"]
    assert told(before, at(letter("答复函", "同意共享。"))) == ["公文模板“reply”删去原第3段“特此函复。”"]
    assert told(before, at(b"no word file")) == ["公文模板“reply”已更换"]
    assert told(before, drawn("start > end")) == ["删除公文模板“reply”"]


# -- the drawing --------------------------------------------------------------------------------


def test_moved_shapes_are_one_line_and_their_places_apart() -> None:
    def shift(root: Any) -> None:
        for shape in root.iterfind(".//bpmndi:BPMNShape", NAMES):
            if shape.get("bpmnElement") in ("Task_Intake", "Task_Reply"):
                box = shape.find("dc:Bounds", NAMES)
                box.set("x", str(float(box.get("x")) + 30))

    found = changed(shift)
    assert texts(found) == ["2个图形移动或改了大小，不影响办理"]
    assert set(found.moved) == {"Task_Intake", "Task_Reply"}


def test_a_file_that_is_no_diagram_cannot_be_compared() -> None:
    with pytest.raises(DiagramError):
        compare(request(), replace(request(), xml=b"<html/>"))


def test_half_a_diagram_can_be_compared_all_the_same() -> None:
    """A draft may lack arrows, ends, ids: it is compared as it stands."""
    text = request().xml.replace(b' id="Task_Reply"', b"", 1)
    found = compare(request(), replace(request(), xml=text))
    assert found.pairs["Task_Reply"] and any("负责人答复" in sentence for sentence in texts(found))
