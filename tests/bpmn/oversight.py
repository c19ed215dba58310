"""What the walks need to know of the processes of oversight: rectification, correction, inconsistency, misuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import NO_FORM, Start

RECTIFICATION, CORRECTION, INCONSISTENCY, MISUSE = (
    f"liaoyang_2018/{key}" for key in ("rectification", "data_correction", "data_inconsistency", "misuse")
)

#: The office puts 市住房和城乡建设局 under an order, of its own accord or because a reply is late.
ORDERED: Mapping[str, Any] = {
    "applicant_unit": "024",
    "units": [{"value": "013", "label": "市住房和城乡建设局"}, {"value": "902", "label": "白塔区人民政府"}],
    "case": {"id": 1, "number": "整改件〔2026〕1号", "title": "整改：市住房和城乡建设局"},
}
#: Another process has found the unit and the ground, and leaves the wording to the office.
FOUND: Mapping[str, Any] = {
    **{name: value for name, value in ORDERED.items() if name != "units"},
    "rectified_unit": "013",
    "suggested_grounds": ["（四）"],
    "suggested_facts": "将共享信息用于履行职责以外的目的。",
}

#: 市民政局 doubts what it gets from 市住房和城乡建设局.
DOUBTED: Mapping[str, Any] = {
    "applicant_unit": "007", "provider_unit": "013",
    "resource": {
        "code": "209001/000001", "name": "公租房保障对象", "kind": "theme", "sharing_class": "conditional", "provider": "013",
        "items": ["公民身份号码", "房源地址", "保障起止"], "conditions": "", "method": "联机查询",
    },
    "case": {"id": 1, "number": "数据校核〔2026〕1号", "title": "公租房保障对象"},
}  # fmt: skip

#: 市民政局 finds that two departments say different things.
CONTRADICTED: Mapping[str, Any] = {
    "applicant_unit": "007", "resource_codes": "209001/000001", "resource_names": "公租房保障对象、不动产登记结果核验",
    "resources": [DOUBTED["resource"], {**DOUBTED["resource"], "code": "3070211000011/000001", "provider": "011"}],
    "providers": [{"value": "011", "label": "市自然资源局"}, {"value": "013", "label": "市住房和城乡建设局"}],
    "case": {"id": 1, "number": "信息核实〔2026〕1号", "title": "信息不一致"},
}  # fmt: skip

#: 市住房和城乡建设局 reports that 市民政局 hands on what it gets.
MISUSED: Mapping[str, Any] = {
    **DOUBTED, "applicant_unit": "013", "user_unit": "007",
    "grant": {"id": 1, "number": "共享授权〔2026〕1号", "fields": ["公民身份号码"], "use": "数据校核"},
}  # fmt: skip

STARTS: Mapping[str, list[Start]] = {
    RECTIFICATION: [Start(ORDERED), Start(FOUND, NO_FORM)],
    CORRECTION: [Start(DOUBTED)],
    MISUSE: [Start(MISUSED)],
    INCONSISTENCY: [Start(CONTRADICTED)],
}
OUTCOMES: Mapping[str, set[str]] = {
    RECTIFICATION: {"closed", "reported", "dropped"},
    CORRECTION: {"corrected", "unfounded"},
    MISUSE: {"rejected", "unfounded", "restored", "ended"},
    INCONSISTENCY: {"settled", "consistent", "rejected"},
}
#: What a child may come back with.
CALLS: Mapping[str, list[Mapping[str, Any]]] = {
    "rectification": [{"outcome": "closed"}, {"outcome": "dropped"}, {"outcome": "reported"}],
}
