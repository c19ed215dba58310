"""What the walks need to know of the processes of the catalogue: compile and publish, change, compare, take without asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import Start

ENTRY = "liaoyang_2018/catalogue_entry"
CHANGE = "liaoyang_2018/catalogue_change"
COMPARISON = "liaoyang_2018/change_comparison"
ACCESS = "liaoyang_2018/unconditional_access"

PERMITS: Mapping[str, Any] = {
    "code": "209001/000002", "name": "商品房预售许可", "kind": "theme", "sharing_class": "unconditional", "provider": "013",
    "items": ["许可证号", "项目名称"], "conditions": "", "method": "批量下载",
}
OWN: Mapping[str, Any] = {
    "applicant_unit": "013", "provider_unit": "013", "resource": PERMITS, "listed": False, "written": {},
    "case": {"id": 1, "number": "目录变更〔2026〕1号", "title": "变更目录“商品房预售许可”"},
}
NEW: Mapping[str, Any] = {
    "applicant_unit": "013", "provider_unit": "013", "case": {"id": 1, "number": "目录编制〔2026〕1号", "title": "编制目录"},
}
TAKEN: Mapping[str, Any] = {**OWN, "applicant_unit": "007"}
TOLD: Mapping[str, Any] = {**TAKEN, "change_type": "adjust", "notice_number": "住建变更〔2026〕1号", "change_text": "共享方式：甲 → 乙"}

STARTS: Mapping[str, list[Start]] = {
    ENTRY: [
        Start(NEW, {"sharing_class": "unconditional"}),
        Start(NEW, {"kind": "theme", "sharing_class": "withheld"}),
        Start(NEW, {"kind": "basic", "sharing_class": "conditional"}),
    ],
    CHANGE: [
        Start(OWN, {"trigger": "law", "change_type": "adjust", "sharing_class": "conditional"}),
        Start(OWN, {"trigger": "element", "change_type": "adjust", "sharing_class": "withheld"}),
        Start(OWN, {"trigger": "element", "change_type": "withdraw"}),
        Start({**OWN, "listed": True}, {"trigger": "law", "change_type": "adjust", "sharing_class": "withheld"}),
    ],
    COMPARISON: [Start(TOLD), Start({**TOLD, "change_type": "withdraw"})],
    ACCESS: [Start(TAKEN), Start({**TAKEN, "resource": {**PERMITS, "kind": "business"}})],
}
OUTCOMES: Mapping[str, set[str]] = {
    ENTRY: {"published", "returned"},
    CHANGE: {"changed", "abandoned"},
    COMPARISON: {"compared"},
    ACCESS: {"subscribed"},
}
