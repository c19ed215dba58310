"""Where a diagram comes from that nobody has drawn yet: a new process with the least that runs, and a copy under another key.

Works on text and XML only; whether the result may be deployed is the check's to say.
"""

from __future__ import annotations

import re

from lxml import etree

from engine.process.interpreter.document import BPMN, parse

#: What a process key looks like: it stands in addresses, in calls of other diagrams and on the command line.
KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
KEY_WORDS = "流程标识须以小写字母开头，只含小写字母、数字和下划线，不超过64个字符"
NAME_MAX = 200

_BLANK = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
    xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"
    xmlns:sharing="urn:sharing-bpm:diagram:1" id="Definitions_new" targetNamespace="urn:sharing-bpm:new">
  <bpmn:collaboration id="Collaboration_new">
    <bpmn:participant id="Participant_new" name="new" processRef="new" />
  </bpmn:collaboration>
  <bpmn:process id="new" name="new" isExecutable="true">
    <bpmn:extensionElements>
      <spiffworkflow:properties>
        <spiffworkflow:property name="ruleSet" value="" />
        <spiffworkflow:property name="startPosts" value="handler" />
      </spiffworkflow:properties>
    </bpmn:extensionElements>
    <bpmn:laneSet id="LaneSet_new">
      <bpmn:lane id="Lane_ApplicantHandler" name="申请单位经办">
        <bpmn:extensionElements>
          <spiffworkflow:properties>
            <spiffworkflow:property name="unit" value="applicant_unit" />
            <spiffworkflow:property name="post" value="handler" />
          </spiffworkflow:properties>
        </bpmn:extensionElements>
        <bpmn:flowNodeRef>StartEvent_Start</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Task_Handle</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>EndEvent_Done</bpmn:flowNodeRef>
      </bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="StartEvent_Start" name="发起">
      <bpmn:outgoing>Flow_Start_Handle</bpmn:outgoing>
    </bpmn:startEvent>
    <bpmn:userTask id="Task_Handle" name="办理">
      <bpmn:incoming>Flow_Start_Handle</bpmn:incoming>
      <bpmn:outgoing>Flow_Handle_Done</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:endEvent id="EndEvent_Done" name="办结">
      <bpmn:incoming>Flow_Handle_Done</bpmn:incoming>
    </bpmn:endEvent>
    <bpmn:sequenceFlow id="Flow_Start_Handle" sourceRef="StartEvent_Start" targetRef="Task_Handle" />
    <bpmn:sequenceFlow id="Flow_Handle_Done" sourceRef="Task_Handle" targetRef="EndEvent_Done" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="BPMNDiagram_new">
    <bpmndi:BPMNPlane id="BPMNPlane_new" bpmnElement="Collaboration_new">
      <bpmndi:BPMNShape id="Participant_new_di" bpmnElement="Participant_new" isHorizontal="true">
        <dc:Bounds x="160" y="80" width="640" height="220" />
      </bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="Lane_ApplicantHandler_di" bpmnElement="Lane_ApplicantHandler" isHorizontal="true">
        <dc:Bounds x="190" y="80" width="610" height="220" />
      </bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="StartEvent_Start_di" bpmnElement="StartEvent_Start">
        <dc:Bounds x="252" y="172" width="36" height="36" />
        <bpmndi:BPMNLabel><dc:Bounds x="259" y="215" width="22" height="14" /></bpmndi:BPMNLabel>
      </bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="Task_Handle_di" bpmnElement="Task_Handle">
        <dc:Bounds x="420" y="150" width="100" height="80" />
      </bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="EndEvent_Done_di" bpmnElement="EndEvent_Done">
        <dc:Bounds x="652" y="172" width="36" height="36" />
        <bpmndi:BPMNLabel><dc:Bounds x="659" y="215" width="22" height="14" /></bpmndi:BPMNLabel>
      </bpmndi:BPMNShape>
      <bpmndi:BPMNEdge id="Flow_Start_Handle_di" bpmnElement="Flow_Start_Handle">
        <di:waypoint x="288" y="190" /><di:waypoint x="420" y="190" />
      </bpmndi:BPMNEdge>
      <bpmndi:BPMNEdge id="Flow_Handle_Done_di" bpmnElement="Flow_Handle_Done">
        <di:waypoint x="520" y="190" /><di:waypoint x="652" y="190" />
      </bpmndi:BPMNEdge>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
"""


def blank_diagram(key: str, name: str, rule_set: str) -> bytes:
    """A new process: one pool, one lane (the handlers of whoever applies), a start, a task and an end, laid out."""
    root = parse(_BLANK.encode())
    for node in root.iter("{*}property"):
        if node.get("name") == "ruleSet":
            node.set("value", rule_set)
    _rename(root, "new", key, name)
    for node in root.iter():
        for attribute in ("id", "bpmnElement", "targetNamespace"):
            value = node.get(attribute) or ""
            if value.endswith(("_new", "_new_di", ":new")):
                node.set(attribute, value.replace("_new", f"_{key}").replace(":new", f":{key}"))
    return _text(root)


def under_key(xml: bytes, key: str, name: str | None = None) -> bytes:
    """The same diagram as another process: its key (and name) changed wherever the file itself refers to it.

    Raises DiagramError for what is no BPMN file, and for one without a process.
    """
    root = parse(xml)
    found = key_and_name(xml)
    if found is not None:
        _rename(root, found[0], key, name or found[1])
    return _text(root)


def key_and_name(xml: bytes) -> tuple[str, str] | None:
    """Key and name of the process that would run; None where a half-drawn file has none with an id.

    Raises DiagramError for anything but plain bounded BPMN.
    """
    for process in parse(xml).findall(f"{{{BPMN}}}process"):
        key = process.get("id") or ""
        if key and process.get("isExecutable", "true") != "false":
            return key, (process.get("name") or key)[:NAME_MAX]
    return None


def _rename(root: etree._Element, old: str, key: str, name: str) -> None:
    for process in root.findall(f"{{{BPMN}}}process"):
        if process.get("id") == old:
            process.set("id", key)
            process.set("name", name)
    for participant in root.iter(f"{{{BPMN}}}participant"):
        if participant.get("processRef") == old:
            participant.set("processRef", key)
            participant.set("name", name)
    for drawn in root.iter("{*}BPMNPlane"):
        if drawn.get("bpmnElement") == old:
            drawn.set("bpmnElement", key)


def _text(root: etree._Element) -> bytes:
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text
