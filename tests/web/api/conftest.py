"""Fixtures of the API tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from engine.people.tokens import SCOPES, create_token
from tests.web.api.client import Program
from tests.web.cast import Cast


@pytest.fixture
def program(app: Flask) -> Callable[[str], Program]:
    """`program("asker")` calls the API with that person's name and password."""
    return lambda login: Program(app.test_client(), login=login)


@pytest.fixture
def with_token(app: Flask, cast: Cast) -> Callable[..., Program]:
    """`with_token("asker", "read")` calls the API with a token of that person for those scopes (all when none is named)."""

    def made(login: str, *scopes: str) -> Program:
        token = create_token(
            cast.store, account_id=cast.ids[login], name="接口测试", scopes=scopes or tuple(SCOPES), actor=None,
            expires_at=cast.store.clock.now() + timedelta(days=30),
        )  # fmt: skip
        return Program(app.test_client(), token=token)

    return made
