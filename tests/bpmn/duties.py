"""What the walks need to know of the duties that come by themselves: reports, evaluation, maintenance, projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import Start

REPORT = "liaoyang_2018/periodic_report"

QUARTER: Mapping[str, Any] = {
    "applicant_unit": "007", "unit_kind": "dept", "duty": "unit_report", "report_scope": "unit", "year_from": "",
    "period": "2026-Q3", "period_label": "2026年第三季度", "period_from": "2026-07-01", "period_until": "2026-09-30",
    "due_day": "2026-10-31", "case": {"id": 1, "number": "共享报告〔2026〕1号", "title": "市民政局2026年第三季度报告"},
}  # fmt: skip
COUNTY: Mapping[str, Any] = {**QUARTER, "applicant_unit": "902", "unit_kind": "county"}
CITY: Mapping[str, Any] = {
    **QUARTER, "applicant_unit": "024", "unit_kind": "office", "report_scope": "city", "period": "2026", "period_label": "2026年度",
    "period_from": "2026-01-01", "period_until": "2026-12-31", "due_day": "2027-01-31",
}  # fmt: skip

STARTS: Mapping[str, list[Start]] = {
    REPORT: [Start(QUARTER), Start(COUNTY), Start(CITY)],
}
OUTCOMES: Mapping[str, set[str]] = {
    REPORT: {"accepted", "reported"},
}
