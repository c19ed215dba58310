"""What the walks need to know of the processes of oversight: rectification, correction, inconsistency, misuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import NO_FORM, Start

RECTIFICATION = "liaoyang_2018/rectification"

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

STARTS: Mapping[str, list[Start]] = {
    RECTIFICATION: [Start(ORDERED), Start(FOUND, NO_FORM)],
}
OUTCOMES: Mapping[str, set[str]] = {
    RECTIFICATION: {"closed", "reported", "dropped"},
}
#: What a child may come back with.
CALLS: Mapping[str, list[Mapping[str, Any]]] = {
    "rectification": [{"outcome": "closed"}, {"outcome": "dropped"}, {"outcome": "reported"}],
}
