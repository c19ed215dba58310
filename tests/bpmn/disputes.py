"""What the walks need to know of the processes about what is withheld: objection, removal, negotiation, need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import Start

OBJECTION = "liaoyang_2018/negative_list_objection"
REMOVAL = "liaoyang_2018/negative_list_removal"
NEGOTIATION = "liaoyang_2018/negotiation"
NEED = "liaoyang_2018/withheld_need"

#: 市民政局 disputes this one of 市税务局.
TAXES: Mapping[str, Any] = {
    "code": "3070211000026/000001", "name": "企业纳税明细信息", "kind": "business", "sharing_class": "withheld", "provider": "026",
    "items": [], "conditions": "", "method": "",
}
DISPUTED: Mapping[str, Any] = {
    "applicant_unit": "007", "provider_unit": "026", "resource": TAXES, "all_items": ["税种", "税额"], "itemised": True,
    "entry": {"id": 1, "basis_type": "law", "basis": "税收征收管理法", "article": "第八条", "text": "保密", "reason": "商业秘密"},
    "experts_offered": [{"value": "008", "label": "市司法局"}, {"value": "025", "label": "市委网信办"}],
    "case": {"id": 1, "number": "清单异议〔2026〕1号", "title": "企业纳税明细信息"},
}  # fmt: skip
#: The office is a party itself, the catalogue tells no items, and nobody can be asked for an expert opinion.
CONFLICT: Mapping[str, Any] = {**DISPUTED, "provider_unit": "024", "all_items": [], "itemised": False, "experts_offered": []}

STARTS: Mapping[str, list[Start]] = {
    OBJECTION: [Start(DISPUTED), Start(CONFLICT)],
    NEED: [Start(DISPUTED), Start({**CONFLICT, "entry": None})],
    NEGOTIATION: [Start(DISPUTED), Start(CONFLICT)],
    REMOVAL: [Start({**DISPUTED, "applicant_unit": "026"}), Start({**CONFLICT, "applicant_unit": "024"})],
}
OUTCOMES: Mapping[str, set[str]] = {
    OBJECTION: {"upheld", "narrowed", "removed", "not_accepted"},
    NEED: {"shareable", "withheld", "not_accepted"},
    NEGOTIATION: {"agreed", "withheld", "decided"},
    REMOVAL: {"removed", "upheld"},
}
#: What a negotiation comes back with to the process that called it.
CALLS: Mapping[str, list[Mapping[str, Any]]] = {
    "negotiation": [
        {"outcome": "agreed", "agreed_fields": ["姓名"]},
        {"outcome": "withheld"},
        {"outcome": "decided", "group_outcome": "share", "agreed_fields": ["姓名"]},
        {"outcome": "decided", "group_outcome": "withhold"},
    ],
}
