"""Retention as other programs see it: removal times, and cleaning up that a second person approves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.history_seal import seal, verify
from engine.process.instances import start_instance
from engine.process.removing.commands import approve_removal
from engine.process.removing.running import remove_waiting
from engine.process.tables import Task
from engine.process.tasks import complete_task
from engine.store.clock import MovableClock
from tests.web.api.client import Program, refusal
from tests.web.api.test_upkeep import Tokens, deploys
from tests.web.cast import Cast


@pytest.fixture
def case(cast: Cast) -> int:
    """A case that is over, of a process whose cases are kept for a year."""
    deploys(cast, "start > user:reply > end", key="brief", retention="1y")
    made = start_instance(cast.store, "brief", actor=cast.actor("asker"), answers={})
    with cast.store.read() as session:
        task = session.scalars(select(Task.id).where(Task.instance_id == made)).one()
    complete_task(cast.store, task, actor=cast.actor("provider"), answers={})
    return made


def _removal_time(program: Program, case: int) -> Any:
    return program.get(f"/history/process-instance/{case}")["removalTime"]


def test_how_long_is_told_with_the_version_and_since_when_with_the_case(with_token: Tokens, case: int) -> None:
    office = with_token("office_head")
    [version] = office.get("/process-definition", key="brief")
    [other] = office.get("/process-definition", key="conditional_share")
    assert (version["historyTimeToLive"], other["historyTimeToLive"]) == (366, None)
    assert _removal_time(office, case) == "2027-02-11T00:00:00.000+0800"
    status, _, said = refusal(with_token("editor").send("PUT", f"/process-definition/{version['id']}/history-time-to-live", {}))
    assert status == 501 and "retention" in said


def test_a_program_proposes_a_person_approves_and_the_case_is_gone(with_token: Tokens, case: int, cast: Cast, clock: MovableClock, tmp_path: Path) -> None:
    office = with_token("supervisor")
    assert office.get("/history/cleanup/configuration") == {"batchWindowStartTime": None, "batchWindowEndTime": None, "enabled": True}
    assert office.get("/history/cleanup/jobs") == []
    assert refusal(office.send("GET", "/history/cleanup/job"))[0] == 404
    assert refusal(office.send("POST", "/history/cleanup"))[:2] == (400, "InvalidRequestException"), "nothing is due"
    clock.to("2027-02-11 09:00")
    office = with_token("supervisor")  # the first one has ended meanwhile
    for login in ("asker", "editor", "sysadmin", "office"):
        assert refusal(with_token(login).send("POST", "/history/cleanup"))[0] == 403, login
    assert refusal(office.send("POST", "/history/cleanup?immediatelyDue=false"))[0] == 400
    job = office.post("/history/cleanup?immediatelyDue=true")
    assert (job["id"], job["suspended"], job["office"]["cases"]) == ("removal-1", True, 1)
    assert office.post("/history/cleanup") == job == office.get("/history/cleanup/job"), "asked again it is the same"
    assert office.get("/history/cleanup/jobs") == [job]
    assert _removal_time(office, case)
    approve_removal(cast.store, 1, actor=cast.actor("office_head"))
    assert office.get("/history/cleanup/job")["suspended"] is False
    while seal(cast.store):
        pass
    remove_waiting(cast.store, tmp_path)
    for path in ("/history/process-instance", "/process-instance"):
        assert refusal(office.send("GET", f"{path}/{case}"))[0] == 404
    assert refusal(office.send("GET", f"/process-instance/{case}/variables"))[0] == 404
    assert office.get("/history/process-instance", processDefinitionKey="brief") == []
    assert office.get("/history/process-instance/count", processDefinitionKey="brief") == {"count": 0}
    for kind in ("task", "user-operation"):
        assert office.get(f"/history/{kind}", processInstanceId=str(case)) == []
    for kind in ("activity-instance", "variable-instance"):
        assert office.get(f"/history/{kind}", processInstanceId=str(case)) == []
    assert office.get("/metrics/history-cleanup-removed-process-instances/sum") == {"result": 1}
    assert office.get("/metrics/history-cleanup-removed-process-instances/sum", endDate="2027-01-01T00:00:00+08:00") == {"result": 0}
    assert office.get("/history/cleanup/jobs") == [] and verify(cast.store).ok


def test_nobody_removes_a_case_alone(with_token: Tokens, case: int) -> None:
    status, _, said = refusal(with_token("office_head").send("DELETE", f"/history/process-instance/{case}"))
    assert status == 501 and "second" in said
    assert refusal(with_token("office_head").send("POST", "/history/process-instance/delete", {}))[0] == 501


def test_a_removal_time_is_set_later_or_never_and_not_sooner(with_token: Tokens, case: int) -> None:
    path, office = "/history/process-instance/set-removal-time", with_token("office_head")
    ids = {"historicProcessInstanceIds": [str(case)]}
    batch = office.post(path, {**ids, "absoluteRemovalTime": "2040-01-01T00:00:00.000+0800"})
    assert (batch["type"], batch["totalJobs"]) == ("process-set-removal-time", 1)
    assert refusal(office.send("GET", f"/batch/{batch['id']}"))[0] == 404, "it has ended, as the original tells it"
    assert _removal_time(office, case) == "2040-01-01T00:00:00.000+0800"
    assert office.post(path, {**ids, "clearedRemovalTime": True})["totalJobs"] == 1
    assert _removal_time(office, case) is None
    assert office.post(path, {**ids, "calculatedRemovalTime": True})["totalJobs"] == 1
    refused: list[tuple[dict[str, Any], int]] = [
        ({**ids, "absoluteRemovalTime": "2026-12-31T00:00:00.000+0800"}, 400), ({**ids}, 400), ({"clearedRemovalTime": True}, 400),
        ({**ids, "clearedRemovalTime": True, "calculatedRemovalTime": True}, 400), ({**ids, "absoluteRemovalTime": "2040-01-01"}, 400),
        ({**ids, "clearedRemovalTime": True, "hierarchical": True}, 400), ({**ids, "clearedRemovalTime": True, "until": 1}, 400),
        ({"historicProcessInstanceQuery": {"finished": True}, "clearedRemovalTime": True}, 501),
        ({"historicProcessInstanceIds": ["999999"], "clearedRemovalTime": True}, 404), ({"historicProcessInstanceIds": ["x"], "clearedRemovalTime": True}, 404),
        ({"historicProcessInstanceIds": ["1"] * 201, "clearedRemovalTime": True}, 400),
    ]  # fmt: skip
    for sent, status in refused:
        assert refusal(office.send("POST", path, sent))[0] == status, sent
    assert refusal(with_token("asker").send("POST", path, {**ids, "clearedRemovalTime": True}))[0] == 403
    assert _removal_time(office, case) == "2027-02-11T00:00:00.000+0800"
