"""What the walks need to know of the duties that come by themselves: reports, evaluation, maintenance, projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bpmn.walker import DUTIES, EVALUATED, Start

REPORT, EVALUATION, MAINTENANCE, PROJECT = (
    f"liaoyang_2018/{key}" for key in ("periodic_report", "annual_evaluation", "catalogue_maintenance", "project_catalogue")
)

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

YEAR: Mapping[str, Any] = {
    "applicant_unit": "013", "unit_kind": "dept", "period": "2026", "period_label": "2026年度", "period_from": "2026-01-01",
    "period_until": "2026-12-31", "due_day": "2026-12-31", "case": {"id": 1, "number": "年度〔2026〕1号", "title": "2026年度"},
}  # fmt: skip
GOOD = {**EVALUATED, "total": 92.0, "grade": "优秀"}
OWN: Mapping[str, Any] = {"applicant_unit": "013", "case": {"id": 1, "number": "项目目录〔2026〕1号", "title": "智慧住建"}}
NOTHING_WITHHELD = {**DUTIES["maintenance.list"], "withheld": []}
TO_FOLLOW_UP = {**DUTIES["maintenance.record"], "outstanding": ["公租房保障对象（变更）"], "outstanding_text": "公租房保障对象（变更）"}

STARTS: Mapping[str, list[Start]] = {
    REPORT: [Start(QUARTER), Start(COUNTY), Start(CITY)],
    EVALUATION: [Start(YEAR), Start(YEAR, gives={"evaluation.conclude": [GOOD]})],
    MAINTENANCE: [
        Start(YEAR),
        Start(YEAR, gives={"maintenance.list": [NOTHING_WITHHELD]}),
        Start(YEAR, gives={"maintenance.record": [TO_FOLLOW_UP, DUTIES["maintenance.record"]]}),
    ],
    PROJECT: [Start(OWN), Start(OWN, gives={"projects.compare": [{"gaps": ["甲"], "text": "甲"}, DUTIES["projects.compare"]]})],
}
OUTCOMES: Mapping[str, set[str]] = {
    REPORT: {"accepted", "reported"},
    EVALUATION: {"evaluated", "rectified"},
    MAINTENANCE: {"maintained"},
    PROJECT: {"accepted", "refused", "withdrawn"},
}
