"""Against the original's own list of operations, as a client generated from its OpenAPI document has it (generic-camunda-client).

Every one of its operations is served or says why not; and the client itself, unmodified, reads what we answer into its types.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from inspect import getsource
from typing import Any

import generic_camunda_client
import pytest
from generic_camunda_client import api as original
from generic_camunda_client.exceptions import ApiException

from engine.store.settings import Settings
from tests.browser.serving import served
from tests.web.api.client import Program, refusal
from tests.web.api.test_definitions import request_for
from tests.web.cast import PASSWORD, Cast
from web.api.routing import ROUTES
from web.api.uncovered import OPERATIONS, UNCOVERED

#: Part of a path → something that may stand there. What is not there is a 404 of its own type, which says what was looked for.
_FILLED = {"id": "1", "key": "conditional_share", "varName": "basis"}


def _operations() -> set[tuple[str, str]]:
    """(method, path) of every operation."""
    found: set[tuple[str, str]] = set()
    for module in pkgutil.iter_modules(original.__path__):
        source = getsource(importlib.import_module(f"{original.__name__}.{module.name}"))
        found |= {(method, path) for path, method in re.findall(r"call_api\(\s*'([^']+)', '([A-Z]+)'", source)}
    return found


def _address(path: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda part: _FILLED.get(part[1], "x"), path)


def test_every_operation_of_the_original_is_served_or_says_why_not(program: Callable[[str], Program]) -> None:
    operations, person = _operations(), program("office_head")
    assert len(operations) > 350, "the list itself must be there"
    lost = []
    for method, path in sorted(operations):
        response = person.send(method, _address(path), {} if method in ("POST", "PUT") else None)
        kind = (response.get_json(silent=True) or {}).get("type") if response.is_json and response.status_code >= 400 else None
        if response.status_code == 405 or kind == "NotFoundException":
            lost.append(f"{method} {path}: {response.status_code}")
        elif response.status_code == 501:
            assert len(refusal(response)[2]) > 10, f"{method} {path} gives no reason"
    assert lost == []


def test_no_reason_is_given_for_what_is_served_or_never_was() -> None:
    ours = {(each.method, re.sub("<[^>]+>", "1", each.path).strip("/")) for each in ROUTES if each.stands != "501"}
    known = {(method, _address(path).strip("/")) for method, path in _operations()}
    for method, pattern in OPERATIONS:
        assert not [path for of, path in ours if of == method and re.fullmatch(pattern, path)], f"{method} {pattern} is served"
        assert [path for of, path in known if of == method and re.fullmatch(pattern, path)], f"{method} {pattern}: the original has no such operation"
    assert UNCOVERED.keys() >= {r"(tenant)(/.*)?"}


# -- the client itself ------------------------------------------------------------------------


@pytest.fixture
def client(cast: Cast, settings: Settings) -> Iterator[Callable[[str], generic_camunda_client.ApiClient]]:
    """`client("asker")` is the generated client with that person's name and password, on a real server."""
    opened: list[generic_camunda_client.ApiClient] = []
    with served(cast.store, settings) as address:

        def by(login: str) -> generic_camunda_client.ApiClient:
            found = generic_camunda_client.ApiClient(generic_camunda_client.Configuration(host=f"{address}/engine-rest"))
            found.set_default_header("Authorization", _basic(login))
            opened.append(found)
            return found

        yield by
        for each in opened:
            each.rest_client.pool_manager.clear()
            each.close()


def _basic(login: str) -> str:
    """HTTP Basic, which this client does not send by itself."""
    return "Basic " + b64encode(f"{login}:{PASSWORD}".encode()).decode()


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Variables as the client has them; lists go as JSON."""
    plain = {name: given["value"] for name, given in values.items()}
    return {
        name: {"value": json.dumps(value), "type": "Json"} if isinstance(value, list) else {"value": value} for name, value in plain.items()
    }


def test_a_generated_client_works_a_case_and_reads_every_list(client: Callable[[str], generic_camunda_client.ApiClient]) -> None:
    asker, head, office, operator = client("asker"), client("asker_head"), client("office_head"), client("sysadmin")
    api = generic_camunda_client
    assert api.VersionApi(asker).get_rest_api_version().version.startswith("7.")
    definitions = api.ProcessDefinitionApi(asker)
    (version,) = definitions.get_process_definitions(key="conditional_share", latest_version=True)
    assert version.suspended is False and definitions.get_process_definitions_count(latest_version=True).count > 10
    assert "bpmn" in definitions.get_process_definition_bpmn20_xml(version.id).bpmn20_xml
    case = definitions.start_process_instance_by_key("conditional_share", start_process_instance_dto={"variables": _given(request_for())})
    assert case.definition_id == version.id and case.business_key

    tasks = api.TaskApi(head)
    (task,) = tasks.query_tasks(max_results=10, task_query_dto={"processInstanceId": case.id, "unassigned": True, "sorting": [{"sortBy": "dueDate", "sortOrder": "asc"}]})
    assert task.name == "部门负责人审签" and task.created.utcoffset().total_seconds() == 8 * 3600
    tasks.claim(task.id, user_id_dto={"userId": "asker_head"})
    assert tasks.get_task(task.id).assignee == "asker_head"
    assert "sign" in tasks.get_form_variables(task.id)
    with pytest.raises(ApiException) as refused:
        tasks.complete(task.id, complete_task_dto={"variables": {"colour": {"value": "red"}}})
    assert refused.value.status == 400 and "colour" in refused.value.body
    # Asked for the data in return, as this client cannot read the empty answer that the original gives otherwise.
    assert tasks.complete(task.id, complete_task_dto={"variables": {"sign": {"value": "agree"}}, "withVariablesInReturn": True})["sign"].value == "agree"
    assert tasks.get_tasks_count(process_instance_id=case.id).count == 1

    (running,) = api.ProcessInstanceApi(office).query_process_instances(process_instance_query_dto={"businessKey": case.business_key})
    assert running.id == case.id
    assert api.ProcessInstanceApi(office).get_activity_instance_tree(case.id).child_activity_instances
    assert api.ProcessInstanceApi(office).get_process_instance_variables(case.id)["basis"].value
    (past,) = api.HistoricProcessInstanceApi(office).query_historic_process_instances(
        historic_process_instance_query_dto={"processInstanceIds": [case.id], "unfinished": True}
    )
    assert past.start_user_id == "asker" and past.state == "ACTIVE"
    done = api.HistoricTaskInstanceApi(office).query_historic_task_instances(historic_task_instance_query_dto={"processInstanceId": case.id, "finished": True})
    assert [each.assignee for each in done] == ["asker_head"]
    steps = api.HistoricActivityInstanceApi(office).query_historic_activity_instances(historic_activity_instance_query_dto={"processInstanceId": case.id})
    assert "部门负责人审签" in [each.activity_name for each in steps]
    assert [each.operation_type for each in api.HistoricUserOperationLogApi(office).query_user_operation_entries(process_instance_id=case.id)]
    waiting = api.JobApi(operator).query_jobs(job_query_dto={"processInstanceId": case.id})
    assert waiting and all(each.due_date for each in waiting)
    assert api.IncidentApi(operator).get_incidents() == []
    assert {each.id for each in api.UserApi(asker).get_users(member_of_group="013/intake")} == {"provider"}
    assert api.GroupApi(asker).get_query_groups(member="provider", sort_by="id", sort_order="asc")
    kept = api.FilterApi(head).create_filter(create_filter_dto={"name": "急件", "resourceType": "Task", "query": {"unassigned": True}, "properties": {}})
    assert api.FilterApi(head).execute_filter_count(kept.id).count == 1
    api.ProcessInstanceApi(office).update_suspension_state_by_id(case.id, suspension_state_dto={"suspended": True})
    assert api.ProcessInstanceApi(asker).get_process_instance(case.id).suspended is True
