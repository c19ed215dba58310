"""An unmodified public client of the original API (pycamunda) drives the real server: deploy, start, tasks, history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pycamunda
import pycamunda.deployment
import pycamunda.identity
import pycamunda.message
import pycamunda.processdef
import pycamunda.processinst
import pycamunda.task
import pycamunda.user
import pycamunda.version
import pytest
import requests


from engine.store.settings import Settings
from tests.browser.serving import served
from tests.web.api.test_definitions import changed_diagram, request_for
from tests.web.cast import PASSWORD, Cast


@pytest.fixture
def url(cast: Cast, settings: Settings) -> Iterator[str]:
    """The API of a real server, where deployments take effect at once."""
    with served(cast.store, replace(settings, api_deploy="direct")) as address:
        yield f"{address}/engine-rest"


@pytest.fixture
def sessions() -> Iterator[dict[str, requests.Session]]:
    """The connections of each person; closed at the end."""
    kept: dict[str, requests.Session] = {}
    yield kept
    for session in kept.values():
        session.close()


def test_a_client_of_the_original_deploys_starts_works_and_reads_the_record(
    url: str, sessions: dict[str, requests.Session], tmp_path: Path
) -> None:
    def by(login: str, request: Any) -> Any:
        session = sessions.setdefault(login, requests.Session())
        request.session, request.auth = session, (login, PASSWORD)
        return request

    assert by("editor", pycamunda.version.Get(url))().startswith("7.")

    file = tmp_path / "diagram.bpmn"
    file.write_bytes(changed_diagram())

    def deploys() -> Any:
        deploy = by("editor", pycamunda.deployment.Create(url, name="共享", source="pycamunda", deploy_changed_only=True))
        with file.open("rb") as opened:
            deploy.add_resource(opened)
            return deploy()

    unused = deploys()
    by("editor", pycamunda.deployment.Delete(url, id_=unused.id_, cascade=True))()
    with pytest.raises(pycamunda.NotFound):
        by("editor", pycamunda.deployment.Get(url, id_=unused.id_))()
    (version,) = deploys().deployed_process_definitions.values()
    assert version.key == "conditional_share" and version.version == 3, "a number never comes back"
    found = by("asker", pycamunda.processdef.GetList(url, key="conditional_share", latest_version=True))()
    assert [each.id_ for each in found] == [version.id_]
    assert by("asker", pycamunda.processdef.Count(url, key="conditional_share"))() == 2
    assert "部门负责人签批" in by("asker", pycamunda.processdef.GetXML(url, id_=version.id_))()

    start = by("asker", pycamunda.processdef.StartInstance(url, key="conditional_share"))
    for name, given in request_for().items():
        value = given["value"]
        start.add_variable(name=name, value=json.dumps(value) if isinstance(value, list) else value, type_="Json" if isinstance(value, list) else None)
    case = start()
    assert case.business_key and case.definition_id == version.id_
    running = by("asker", pycamunda.processinst.GetList(url, process_definition_key="conditional_share"))()
    assert [each.id_ for each in running] == [case.id_]
    assert by("asker", pycamunda.processinst.Get(url, id_=case.id_))().suspended is False
    assert by("asker", pycamunda.processinst.VariablesGet(url, process_instance_id=case.id_, var_name="basis"))().value == "《社会救助暂行办法》第五条"

    (task,) = by("asker_head", pycamunda.task.GetList(url, process_instance_id=case.id_, unassigned=True))()
    assert task.name == "部门负责人签批" and task.created.isoformat() == "2026-02-10T09:00:00+08:00"
    by("asker_head", pycamunda.task.Claim(url, id_=task.id_, user_id="asker_head"))()
    by("asker_head", pycamunda.task.CommentCreate(url, task_id=task.id_, message="已核对"))()
    assert [each.message for each in by("asker_head", pycamunda.task.CommentGetList(url, task_id=task.id_))()] == ["已核对"]
    assert by("asker_head", pycamunda.task.Get(url, id_=task.id_))().assignee == "asker_head"
    complete = by("asker_head", pycamunda.task.Complete(url, id_=task.id_))
    complete.add_variable(name="sign", value="agree")
    complete()
    with pytest.raises(pycamunda.NotFound):
        by("asker_head", pycamunda.task.Get(url, id_=task.id_))()
    assert len(by("provider", pycamunda.task.GetList(url, candidate_group="013/intake"))()) == 1
    assert by("outsider", pycamunda.task.GetList(url))() == ()

    record = sessions["asker"].get(f"{url}/history/task", params={"processInstanceId": case.id_, "finished": "true"}, auth=("asker", PASSWORD))
    assert [each["assignee"] for each in record.json()] == ["asker_head"]
    assert [each.last_name for each in by("asker", pycamunda.user.GetList(url, id_="provider"))()] == ["李住建"]
    assert by("asker", pycamunda.identity.VerifyUser(url, username="asker", password=PASSWORD))().authenticated is True

    stop = by("office_head", pycamunda.processinst.Suspend(url, id_=case.id_))
    stop()
    assert by("asker", pycamunda.processinst.Get(url, id_=case.id_))().suspended is True
    by("office_head", pycamunda.processinst.Activate(url, id_=case.id_))()
    by("office_head", pycamunda.processinst.Delete(url, id_=case.id_))()
    assert by("asker", pycamunda.processinst.GetList(url))() == ()
