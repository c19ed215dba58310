"""What a dry run 试运行 says of the registers of data sharing, and what it keeps back.

Whoever edits diagrams sees no case; what they rehearse with are real resources. So the items that a resource withholds are
replaced before a dry run sees them, existing rows of registers that not everybody reads are told without names, and a run
about a grant is about one that is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from engine.process.tables import Definition, Instance
from engine.process.workshop.dry_run.registers import Register, begin_with, cover, describe, make_up
from engine.sharing import (
    corrections,
    elements,
    evaluation,
    grants,
    inconsistencies,
    maintenance,
    negative_list,
    objections,
    projects,
    rectification,
    reports,
    rule_documents,
    supervision,
)
from engine.sharing.catalogue import PublishedCondition, Resource, ResourceVersion, shareable
from engine.sharing.documents import Document
from engine.sharing.duties import OpenedDuty, facts_of_next
from engine.sharing.letter_text import plain, read
from engine.sharing.misuse import GrantSuspension
from engine.store.errors import Invalid
from engine.store.store import Work

_RESOURCE = {"resource_id": "信息资源"}
_BY = {"instance_id": "办件"}

describe(Resource, Register(
    "信息资源目录", {"code": "资源代码", **elements.LABELS, "version": "版本"}, lambda row: row.name, public=True,
    values={
        "kind": elements.KINDS, "sharing_class": elements.SHARING_CLASSES, "state": elements.STATES, "source": elements.SOURCES,
        "open_to_public": {True: "可以开放", False: "不开放"},
    },
))  # fmt: skip
describe(ResourceVersion, Register(
    "目录版本", {**_RESOURCE, "version": "版本", "summary": "变更摘要", **_BY}, lambda row: f"第{row.version}版", public=True,
))
describe(PublishedCondition, Register(
    "公开的共享条件", {**_RESOURCE, "text": "条件", **_BY}, lambda row: "共享条件", public=True,
))
describe(negative_list.NegativeListEntry, Register(
    "负面清单",
    {**_RESOURCE, "state": "状态", "basis_type": "依据类型", "basis": "依据", "article": "条款", "text": "条文", "reason": "理由",
     "valid_until": "有效期至", "listed_at": "列入时间", "closed_at": "移出时间"},
    lambda row: row.basis or "清单条目", public=True,
    values={"state": negative_list.STATES, "basis_type": negative_list.BASIS_TYPES},
))
describe(negative_list.NegativeListChange, Register(
    "负面清单变动", {"entry_id": "条目", "act": "变动", "note": "说明", **_BY},
    lambda row: negative_list.ACTS.get(row.act, "变动"), public=True, values={"act": negative_list.ACTS},
))
describe(negative_list.Objection, Register(
    "负面清单异议",
    {"entry_id": "条目", "unit_id": "提出单位", "ground": "理由", "new_basis": "新依据", "state": "状态", "document": "文书", **_BY},
    lambda row: "异议", values={"ground": objections.GROUNDS, "state": objections.STATES},
))
describe(grants.Grant, Register(
    "共享授权",
    {"number": "编号", **_RESOURCE, "unit_id": "使用单位", "fields": "授权信息项", "use": "用途", "method": "共享方式",
     "conditions": "使用条件", "valid_until": "有效期至", "state": "状态", "end_reason": "终止原因", **_BY},
    lambda row: row.number, values={"state": grants.STATES},
))
describe(GrantSuspension, Register(
    "授权暂停",
    {"grant_id": "共享授权", "reason": "原因", "suspended_at": "暂停时间", "lifted_at": "恢复或终止时间", "outcome": "结果", **_BY},
    lambda row: "暂停",
))
describe(corrections.DataCorrection, Register(
    "数据校核",
    {"number": "编号", **_RESOURCE, "unit_id": "提出单位", "kind": "类型", "fields": "信息项", "state": "状态", "banner": "目录提示",
     "finding": "结论", **_BY},
    lambda row: row.number, values={"kind": corrections.KINDS, "state": corrections.STATES},
))
describe(inconsistencies.DataInconsistency, Register(
    "数据不一致核实",
    {"number": "编号", "unit_id": "提出单位", "state": "状态", "description": "情况", "authority_id": "以谁为准", "finding": "结论", **_BY},
    lambda row: row.number, values={"state": inconsistencies.STATES},
))
describe(inconsistencies.InconsistentResource, Register(
    "数据不一致涉及的资源", {"inconsistency_id": "核实事项", **_RESOURCE}, lambda row: "涉及资源",
))
describe(supervision.SupervisionCase, Register(
    "督办件",
    {"number": "编号", "level": "级别", "source_id": "来源办件", "source_step_name": "逾期环节", "unit_id": "逾期单位",
     "raised_at": "升级时间", "closed_at": "销号时间", **_BY},
    lambda row: row.number, values={"level": supervision.LEVELS},
))
describe(rectification.RectificationOrder, Register(
    "整改通知",
    {"number": "编号", "unit_id": "整改单位", "grounds": "情形", "facts": "事实", "clause": "条款", "demand": "要求", "days": "期限（工作日）",
     "extended_days": "延长（工作日）", "state": "状态", "served_at": "送达时间", "ended_at": "结束时间", "reported_at": "上报时间",
     "instruction": "批示", "instructed_by": "批示人", "instructed_on": "批示日期", "source_id": "来源办件", **_BY},
    lambda row: row.number, values={"state": rectification.STATES},
))
describe(reports.Report, Register(
    "报告",
    {"unit_id": "报送单位", "label": "期间", "due_day": "截止日", "state": "状态", "submitted_at": "报送时间", "accepted_at": "接收时间", **_BY},
    lambda row: row.label, values={"state": reports.STATES},
))
describe(evaluation.Evaluation, Register(
    "共享评价",
    {"unit_id": "被评价单位", "label": "期间", "automatic": "自动得分", "adjustment": "调整分", "reason": "调整理由", "total": "总分",
     "grade": "等次", "state": "状态", "concluded_at": "公布时间", **_BY},
    lambda row: row.label, values={"state": evaluation.STATES},
))
describe(maintenance.Maintenance, Register(
    "目录维护", {"unit_id": "单位", "due_day": "截止日", "completed_at": "完成时间", **_BY}, lambda row: "定期维护",
))
describe(projects.Project, Register(
    "项目目录",
    {"name": "项目名称", "unit_id": "建设单位", "budget": "预算（万元）", "gaps": "未编目内容", "state": "状态", "approved_at": "批准时间",
     "accepted_at": "验收时间", **_BY},
    lambda row: row.name, values={"state": projects.STATES},
))
describe(rule_documents.RuleDocument, Register(
    "制度文件",
    {"unit_id": "单位", "kind": "类别", "title": "名称", "number": "文号", "issued_on": "印发日期", "note": "说明", "result": "清理结果",
     "result_note": "清理说明"},
    lambda row: row.title, public=True, values={"kind": rule_documents.KINDS, "result": rule_documents.RESULTS},
))
describe(OpenedDuty, Register("定期事项", {"unit_id": "单位", "due_day": "截止日", **_BY}, lambda row: "定期事项"))
describe(Document, Register("文书", {}, lambda row: row.number, letter=lambda row: plain(read(row.docx))))


def _masked(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The elements of a resource with other names in place of the items that it withholds; empty where it withholds none."""
    items = list(kept.get("items") or ())
    secret = items if kept.get("sharing_class") == "withheld" else list(kept.get("withheld_items") or ())
    if not secret:
        return {}
    names = {item: f"不予共享信息项{number}" for number, item in enumerate(secret, 1)}
    return {
        "items": [names.get(item, item) for item in items],
        "withheld_items": [names.get(item, item) for item in kept.get("withheld_items") or ()],
        "item_types": {names.get(item, item): kind for item, kind in (kept.get("item_types") or {}).items()},
        "identifier": names.get(str(kept.get("identifier") or ""), kept.get("identifier") or ""),
    }


def _mask_resource(row: Resource) -> Mapping[str, Any]:
    names = ("items", "withheld_items", "item_types", "identifier", "sharing_class")
    return _masked({name: getattr(row, name) for name in names})


def _mask_version(row: ResourceVersion) -> Mapping[str, Any]:
    masked = _masked(row.elements)
    return {"elements": {**row.elements, **masked}} if masked else {}


cover(Resource, _mask_resource)
cover(ResourceVersion, _mask_version)


def _made_up_grant(work: Work, about: Mapping[str, str], unit_id: int) -> str:
    """A grant of the resource that `about` names, to the unit; with the case that would have made it.

    Which unit uses what is not for everybody to know, so a run about a grant is about this one.
    """
    session = work.session
    resource = session.scalar(select(Resource).where(Resource.code == about.get("resource_code", "")))
    if resource is None:
        raise Invalid({"resource_code": "请选择信息资源"})
    definition = session.execute(select(Definition.id, Definition.key).order_by(Definition.id).limit(1)).one()
    number = f"试运行前置〔{resource.id}〕{session.scalar(select(func.count()).select_from(grants.Grant))}号"
    case = Instance(
        definition_id=definition.id, process_key=definition.key, number=number, title=resource.name, state="completed",
        unit_id=unit_id, started_at=work.now, ended_at=work.now, escalated=False, variables={}, saved=b"", supervised=False,
        history_seq=0, history_hash="",
    )  # fmt: skip
    session.add(case)
    session.flush()
    grant = grants.Grant(
        number=number, resource_id=resource.id, unit_id=unit_id, fields=shareable(resource), use="试运行", method=resource.method,
        conditions="", valid_until=None, state="active", granted_at=work.now, instance_id=case.id,
    )  # fmt: skip
    session.add(grant)
    session.flush()
    return str(grant.id)


make_up("grant", _made_up_grant)
begin_with(facts_of_next)
