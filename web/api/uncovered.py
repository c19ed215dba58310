"""What the original API has and we do not: answered with 501 and a reason, never with a wrong 200.

Single operations here are those of addresses that we do serve by another method, or that stand beside some of ours; what is
the same for a whole part of the API stands once, as a pattern.
"""

from __future__ import annotations

import re

_ONE_BY_ONE = "cases are changed one by one, each with a reason on its record"
_NO_FILES = "data are JSON values; files are attachments: /task/{id}/attachment"
_BY_DIAGRAM = "tasks come from the diagram, and end with their step"

#: Method and pattern of the path behind /engine-rest/ → why.
OPERATIONS = {
    ("POST", r"task/create"): _BY_DIAGRAM,
    ("DELETE", r"task/[^/]+"): _BY_DIAGRAM,
    ("PUT", r"task/[^/]+"): "what a task is stands in its diagram; who has it is changed by claim, assignee and delegate",
    ("GET", r"(task|process-instance|execution)/[^/]+/(variables|localVariables)/[^/]+/data"): _NO_FILES,
    ("POST", r"(task|process-instance|execution)/[^/]+/(variables|localVariables)/[^/]+/data"): _NO_FILES,
    ("GET", r"(history/)?variable-instance/[^/]+/data"): _NO_FILES,
    ("DELETE", r"history/variable-instance/[^/]+"): "data stay with the record of their case, and go with it",
    ("DELETE", r"history/process-instance/[^/]+/variable-instances"): "data stay with the record of their case, and go with it",
    ("POST", r"process-instance/(delete|delete-historic-query-based|variables-async|message-async)"): _ONE_BY_ONE,
    ("POST", r"process-instance/suspended-async"): "PUT /process-instance/suspended does it at once",
    ("POST", r"process-instance/(job-retries|job-retries-historic-query-based)"): "retries are set by the ids of jobs: PUT /job/retries",
    ("POST", r"external-task/retries-async"): "PUT /external-task/retries does it at once",
    ("POST", r"job/retries"): "PUT /job/retries does it at once",
    ("PUT", r"job/suspended"): "clocks stand still with their case: PUT /process-instance/{id}/suspended",
    ("PUT", r"job/[^/]+/suspended"): "clocks stand still with their case: PUT /process-instance/{id}/suspended",
    ("PUT", r"job/[^/]+/priority"): "timers fire in the order in which they are due",
    ("DELETE", r"process-definition/key/[^/]+"): "versions are looked at one by one: DELETE /process-definition/{id}",
    ("POST", r"history/process-instance/delete"): "a case is removed from the record when its time has come and two people have said so: POST /history/cleanup",
    ("DELETE", r"history/batch/[^/]+"): "the record of a migration is kept as long as that of its process",
    ("POST", r"history/batch/set-removal-time"): "the record of a migration is kept as long as that of its process",
    ("PUT", r"incident/[^/]+/annotation"): "what was done about an incident stands in the history of its case; comment there",
    ("DELETE", r"incident/[^/]+/annotation"): "what was done about an incident stands in the history of its case",
    ("DELETE", r"group/[^/]+"): "accounts and posts are managed on their pages, with the separation of duties that they keep",
    ("PUT", r"group/[^/]+"): "accounts and posts are managed on their pages, with the separation of duties that they keep",
    ("PUT", r"user/[^/]+/profile"): "accounts and posts are managed on their pages, with the separation of duties that they keep",
}

#: Pattern of the path behind /engine-rest/ → why.
UNCOVERED = {
    r"(case|case-definition|case-instance|case-execution|history/case-.*)(/.*)?": "CMMN cases are no part of this engine",
    r"(decision-definition|decision-requirements-definition|history/decision-.*)(/.*)?": "decisions (DMN) are no part of this engine: conditions stand in the diagram",
    r"(authorization)(/.*)?": "rights come from posts (岗位), which administrators grant; no rights are kept per object",
    r"(tenant)(/.*)?": "there are no tenants: units (单位) share one engine",
    r"(metrics)(/.*)?": "only sums are covered: /metrics/{name}/sum; what goes on now is at /metrics outside this API, in the format of Prometheus",
    r"(job-definition)(/.*)?": "jobs have no definitions of their own: their rules stand in the diagram",
    r"(history/(job-log|external-task-log|detail|identity-link-log|cleanable-.*))(/.*)?": "what happened to a case is in its record: /history/user-operation and /history/activity-instance",
    r"(telemetry)(/.*)?": "nothing is collected",
    r"(optimize)(/.*)?": "not covered",
    r"(template)(/.*)?": "not covered",
    r"(filter)(/.*)?": "of a filter its list and its count can be asked for",
    # Last: what begins as an address of the original does, and is none of ours.
    r"(task|process-instance|process-definition|deployment|execution|variable-instance|history|condition|schema|modification|report|user|group|identity)(/.*)?":
        "not covered here, or no address at all: docs/api.md lists every endpoint that is",
}


def reason(method: str, path: str) -> str | None:
    """Why an operation of the original is not covered; None for what the original has not either. `path` behind /engine-rest/."""
    for (of, pattern), why in OPERATIONS.items():
        if of == method and re.fullmatch(pattern, path):
            return why
    return None


def part_reason(path: str) -> str | None:
    """Why the part of the API that a path belongs to is not covered; None for no part of it."""
    return next((why for pattern, why in UNCOVERED.items() if re.fullmatch(pattern, path)), None)
