"""A worker of the platform on Operaton's own Python client, as its documentation shows."""

from __future__ import annotations

import os
from typing import Any

from operaton.external_task.external_task import ExternalTask, TaskResult
from operaton.external_task.external_task_worker import ExternalTaskWorker


def handle(task: ExternalTask) -> TaskResult:
    fields: Any = task.get_variable("fields")
    return task.complete({"number": f"OP-{task.get_variable('applicant_unit')}-{fields.count(',') + 1}"})


ExternalTaskWorker(
    os.environ["WORKER"], os.environ["BASE_URL"],
    config={"auth_bearer": {"access_token": os.environ["TOKEN"]}, "asyncResponseTimeout": 5000, "sleepSeconds": 1},
).subscribe("grants", handle)
