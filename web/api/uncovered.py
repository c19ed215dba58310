"""What the original API has and we do not: answered with 501 and a reason, never with a wrong 200."""

from __future__ import annotations

#: Pattern of the path behind /engine-rest/ → why.
UNCOVERED = {
    r"(case|case-definition|case-instance|case-execution|history/case-.*)(/.*)?": "CMMN cases are no part of this engine",
    r"(decision-definition|decision-requirements-definition|history/decision-.*)(/.*)?": "decisions (DMN) are no part of this engine: conditions stand in the diagram",
    r"(authorization)(/.*)?": "rights come from posts (岗位), which administrators grant; no rights are kept per object",
    r"(tenant)(/.*)?": "there are no tenants: units (单位) share one engine",
    r"(history/cleanup|history/cleanup/.*)": "nothing of the history is deleted: every entry is chained to the one before, and the record of an office is kept for archiving",
    r"(metrics)(/.*)?": "only sums are covered: /metrics/{name}/sum; what goes on now is at /metrics outside this API, in the format of Prometheus",
    r"(job-definition)(/.*)?": "jobs have no definitions of their own: their rules stand in the diagram",
    r"(history/(batch|job-log|incident|external-task-log|detail|identity-link-log|cleanable-.*))(/.*)?": "what happened to a case is in its record: /history/user-operation and /history/activity-instance",
    r"(telemetry)(/.*)?": "nothing is collected",
    r"(optimize)(/.*)?": "not covered",
    r"(template)(/.*)?": "not covered",
    r"(filter)(/.*)?": "of a filter its list and its count can be asked for",
    # Last: what begins as an address of the original does, and is none of ours.
    r"(task|process-instance|process-definition|deployment|execution|variable-instance|history|condition|schema|modification|report|user|group|identity)(/.*)?":
        "not covered here, or no address at all: docs/api.md lists every endpoint that is",
}
