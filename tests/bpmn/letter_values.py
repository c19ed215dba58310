"""What the shipped letters are filled with for looking at them: one value for every name that a template uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

#: Hostile and long on purpose: it comes from a text field that somebody filled in.
FREE = "公租房“保障对象”<一览> & 明细，按人核验。\n第二段：" + "情况说明，" * 60 + "完毕。"

AGREED: Mapping[str, Any] = {
    "agreed": True, "agreed_conditions": FREE, "agreed_fields": ["姓名", "保障方式"], "agreed_method": "核验式返回", "agreed_text": FREE,
    "agreed_until": "2027-06-30", "itemised": True,
}
VALUES: Mapping[str, Any] = {
    **AGREED,
    "unit": {"code": "024", "name": "市经济发展和创新服务中心", "short": "经发中心"},
    "article": "第十五条",
    "year": 2026,
    "serial": 3,
    "issued_at": datetime(2026, 3, 2, 1, tzinfo=UTC),
    "case_number": "共享申请〔2026〕12号",
    "case_title": "公租房保障对象",
    "resource": {
        "code": "209001/000001", "name": "公租房保障对象", "kind": "theme", "sharing_class": "conditional", "provider": "013",
        "items": ["公民身份号码", "房源地址", "保障起止"], "conditions": "住房保障、救助核验", "method": "联机查询",
    },
    "recipient": "市民政局",
    "applicant": "市民政局",
    "provider": "市住房和城乡建设局",
    "entry": {"basis": "中华人民共和国统计法", "article": "第二十八条", "basis_type": "law", "text": FREE, "reason": FREE},
    "objection": {"id": 1, "ground": "依据不足"},
    "expert_opinions": [
        {"unit": "市司法局", "person": "周某", "opinion": "", "expert_finding": "部分数据项可以共享", "expert_note": FREE},
        {"unit": "市保密局", "person": "吴某", "opinion": "", "expert_finding": "不宜共享", "expert_note": "详见附件"},
    ],
    "statements": [{"unit": "市公安局", "statement": FREE}, {"unit": "市民政局", "statement": "以登记为准"}],
    "changes": [{"label": "共享方式", "before": "批量下载", "after": "联机查询"}],
    "notice": {"id": 1, "number": "经发中心整改〔2026〕1号"},
    "overdue_report": {"id": 2, "number": "经发中心整改报告〔2026〕1号"},
    "order": {"number": "整改〔2026〕1号", "served_day": "2026-10-12", "due_day": "2026-11-02", "due_text": "2026年11月2日"},
    "missed": {"number": "整改〔2026〕1号", "served_day": "2026-10-12", "due_day": "2026-11-02"},
    "inconsistency": {"id": 1, "number": "核实〔2026〕1号"},
    "correction": {"id": 1, "number": "校核〔2026〕1号"},
    "suspension": {"numbers": ["共享授权〔2026〕1号", "共享授权〔2026〕7号"]},
    "evaluation": {
        "text": "目录更新及时率（20分）：20\n答复及时率（30分）：27", "automatic": 87, "total": 85, "grade": "良好", "adjustment": -2, "reason": FREE,
    },
    "maintenance": {"count": 43},
    "result": {"confirmed": 40, "changed": 2, "withdrawn": 1, "rebased": 0, "text": FREE},
    "project": {"count": 2, "names": ["城市生命线监测点", "燃气管网巡检"]},
    # choices, by their keys
    "basis_type": "law", "change_type": "change", "coordination_outcome": "share", "decision": "conditional", "finding": "corrected",
    "group_outcome": "share", "new_class": "conditional", "reason_type": "necessity", "review_outcome": "share",
    "sharing_class": "conditional", "source": "own", "trigger": "law",
    # short texts and numbers
    "authority_name": "市公安局", "basis": "中华人民共和国统计法", "basis_article": "第二十八条", "clause": "第十一条", "duty": "社会救助",
    "duty_basis": "《社会救助暂行办法》第五条", "extended_days": 10, "level_name": "蓝色", "limit_article": "第十五条",
    "method": "联机查询", "period_label": "2026年第一季度", "project_name": "城市生命线安全工程",
    "provider_name": "市住房和城乡建设局", "rectified_name": "市交通运输局",
    "rectify_days": 15, "resource_names": "居民基本信息、婚姻登记信息", "review_article": "第五条", "review_basis": "戒毒条例",
    "shared_method": "联机查询", "source_activity": "提供部门答复", "source_number": "共享申请〔2026〕12号", "source_title": "公租房保障对象",
    "supervision_number": "督办〔2026〕1号", "use": "行政依据",
    # days
    "coordinated_on": "2026-05-06", "corrected_on": "2026-05-06", "deadline_day": "2026-03-02", "effective": "2026-04-01",
    "listed_until": "2027-12-31", "met_on": "2026-05-06", "occurred_on": "2026-05-06", "supply_by": "2026-04-01",
    "valid_until": "2027-06-30",
    # lists
    "doubted_fields": ["姓名", "住址"], "fields": ["公民身份号码", "房源地址"], "grounds": ["（一）", "（四）"], "listed_fields": ["住址"],
    "needed_content": ["姓名", "住址"], "requested_fields": ["公民身份号码", "房源地址"],
}  # fmt: skip

#: Names that mean different things in different processes: process → its own.
OF: Mapping[str, Mapping[str, Any]] = {
    "periodic_report": {
        "report": {"text": "目录内信息资源（项）：43\n按时答复率：100%", "drawn_on": "2026-04-10", "missing": ["市财政局"]},
    },
    "data_inconsistency": {"finding": "inconsistent"},
}


def values_for(process: str, asked: frozenset[str]) -> dict[str, Any]:
    """A value for each name that is asked for: its own, or free text."""
    own = OF.get(process.rpartition("/")[2], {})
    return {name: own.get(name, VALUES.get(name, FREE)) for name in asked | {"unit", "year", "serial", "article", "issued_at"}}
