"""Operaton's own client for Python (operaton-external-task-client-python3), unmodified: what it asks of an engine beside external tasks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest

from engine.store.settings import Settings
from tests.browser.serving import served
from tests.engine.interpreter.diagrams import element, timer
from tests.web.api.test_messages import FORM, WORK, catches_message, deploy
from tests.web.cast import PASSWORD, Cast

with warnings.catch_warnings():  # it is written for an older pydantic
    warnings.simplefilter("ignore", DeprecationWarning)
    from operaton.client.engine_client import EngineClient


@pytest.fixture
def engine(cast: Cast, settings: Settings) -> Iterator[Callable[[str], EngineClient]]:
    """`engine("asker")` is the client with that person's name and password, on a real server."""
    with served(cast.store, settings) as address:
        yield lambda login: EngineClient(f"{address}/engine-rest", {"auth_basic": {"username": login, "password": PASSWORD}})


def test_a_case_is_started_told_a_message_and_read(engine: Callable[[str], EngineClient], cast: Cast) -> None:
    deploy(cast, "line", "start > catch:wait > user:check > end", catches_message("wait", "report"), element("check", **WORK),
           timer("check", "late", interrupting=False, duration="PT10M"), "late > end:e2", startForm="ask", forms={"ask": FORM})
    asker, operator = engine("asker"), engine("sysadmin")
    case = asker.start_process("line", {"place": "东"})
    assert case["businessKey"] and case["definitionId"].startswith("line:1:")
    assert [each["id"] for each in asker.get_process_instance("line", ["place_eq_东"])] == [case["id"]]
    assert asker.get_process_instance("line", ["place_eq_西"]) == []
    (told,) = operator.correlate_message("report", process_instance_id=case["id"], process_variables={"depth": 3})
    assert told["resultType"] == "Execution" and told["execution"]["processInstanceId"] == case["id"]
    jobs = operator.get_jobs(0, 10, process_instance_id=case["id"])
    assert [job["retries"] > 0 for job in jobs] == [True]
    assert operator.get_jobs(0, 10, task_name="check", with_failure=True) == []
    assert operator.set_job_retry(jobs[0]["id"], 3) is True
    with pytest.raises(Exception, match="501"):  # a text is no file, and the case keeps none in its data
        asker.get_process_instance_variable(case["id"], "place")
    assert asker.get_process_instance_history(case["id"])["state"] == "ACTIVE"
    with pytest.raises(Exception, match="401|400|不正确"):
        engine("nobody").start_process("line", {})
