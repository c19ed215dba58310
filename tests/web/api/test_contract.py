"""The whole OpenAPI document against the application: whatever is sent, an answer that the document knows, and never a failure.

Schemathesis makes the requests from the document, right ones and wrong ones; some of them name what is really there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance, negative_data_rejection, response_headers_conformance, response_schema_conformance, status_code_conformance,
)  # fmt: skip

from engine.store.settings import Settings
from tests.web.api.client import Program
from tests.web.api.endpoints import FILE, written
from tests.web.cast import Cast
from tests.web.desk import Desk
from web.api.openapi import document

#: Requests of each kind to each operation: bounded, so that the whole takes about a minute.
EXAMPLES = 4
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance]


@pytest.fixture
def town(app: Flask, cast: Cast, desk: Callable[[str], Desk], settings: Settings) -> dict[str, str]:
    """Something to find: two cases, the one a step further; names of places in paths → what is really there."""
    app.extensions["sharing_settings"] = replace(settings, api_rate=1_000_000)
    first = desk("asker").ask()
    desk("asker_head").do("部门负责人审签", sign="agree")
    desk("asker").ask()
    return {"id": str(first), "key": "conditional_share", "name": "basis", "unit": "013", "post": "intake", "day": "2026-02-17"}


def _checked(operation: Any, mode: GenerationMode, caller: Program, places: dict[str, str]) -> None:
    declared_501 = operation.definition.raw["x-compared"] == "501"

    @seed(7)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    def one(case: Any, real: bool) -> None:
        if real:
            case.path_parameters = {name: places.get(name, value) for name, value in (case.path_parameters or {}).items()}
        response = case.call(headers={"Authorization": f"Bearer {caller.token}"})
        assert response.status_code < 500 or response.status_code == 501, response.text
        case.validate_response(response, checks=CHECKS if mode is GenerationMode.POSITIVE or declared_501 else [*CHECKS, negative_data_rejection])

    one()


@pytest.mark.parametrize("login", ["asker_head", "editor"])
def test_whatever_is_sent_gets_an_answer_that_the_document_knows(app: Flask, with_token: Callable[..., Program], town: dict[str, str], login: str) -> None:
    schema = schemathesis.openapi.from_wsgi("/engine-rest/openapi.json", app)
    caller = with_token(login)
    wrong = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if login == "editor" and operation.definition.raw.get("x-scope") != "deploy":
            continue  # the rest answers the editor as it answers everybody whose case it is not
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _checked(operation, mode, caller, town)
            except (Exception, BaseExceptionGroup) as failure:
                wrong.append(f"{operation.label} ({mode.value}): {getattr(failure, 'exceptions', failure)}")
    assert wrong == []


def test_the_document_is_one() -> None:
    told = document()
    assert told["openapi"].startswith("3.1") and len(told["paths"]) > 80
    names = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_the_table_of_endpoints_in_the_documentation_is_current() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert written(text) == text, "run: python -m tests.web.api.endpoints"
