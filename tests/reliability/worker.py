"""A worker of the platform on the Python client, as its documentation shows. It says on standard output what it does."""

from __future__ import annotations

import os
import threading
from typing import Any

from camunda.external_task.external_task import ExternalTask, TaskResult
from camunda.external_task.external_task_worker import ExternalTaskWorker

MODE = os.environ["MODE"]


def handle(task: ExternalTask) -> TaskResult:
    print("fetched", task.get_task_id(), flush=True)
    if MODE == "hang":
        threading.Event().wait()
    if MODE == "late":
        # Whoever started us lets the lock run out and another worker take the task, then says so.
        input()
    if MODE == "fail":
        return task.failure("platform unreachable", "ECONNREFUSED", max_retries=1, retry_timeout=0)
    fields: Any = task.get_variable("fields")
    return task.complete({"number": f"PY-{task.get_variable('applicant_unit')}-{fields.count(',') + 1}"})


ExternalTaskWorker(
    os.environ["WORKER"], os.environ["BASE_URL"],
    config={
        "auth_bearer": {"access_token": os.environ["TOKEN"]}, "maxTasks": 1, "lockDuration": int(os.environ["LOCK"]),
        "asyncResponseTimeout": 5000, "sleepSeconds": 1,
    },
).subscribe("grants", handle)  # fmt: skip
