"""`sharing-bpm token`: made once, listed without the token, revoked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.people.accounts import create_account
from engine.people.tokens import bearer
from engine.people.units import create_unit
from engine.store.settings import read_settings
from engine.store.store import Store
from tests.database import copy_sqlite


def test_a_token_is_made_listed_and_revoked(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHARING_BPM_HOME", str(tmp_path))
    store = Store(copy_sqlite(sqlite_template, tmp_path / "sharing.db"))
    assert read_settings().database_url.endswith("sharing.db")
    unit = create_unit(store, "007", "市民政局", actor=None)
    create_account(store, "robot", "共享平台", unit, actor=None)
    assert main(["token", "create", "robot", "--name", "市级共享平台", "--scope", "read", "--scope", "work", "--days", "30", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    grant = bearer(store, made["token"])
    assert grant is not None and grant.actor.login == "robot" and grant.scopes == {"read", "work"}
    assert main(["token", "list", "--login", "robot", "--json"]) == 0
    listed = capsys.readouterr().out
    assert json.loads(listed)[0]["name"] == "市级共享平台" and made["token"] not in listed
    assert main(["token", "revoke", "1"]) == 0
    assert bearer(store, made["token"]) is None
    assert main(["token", "create", "robot", "--name", "x", "--scope", "read", "--days", "9000"]) == 2
    assert main(["token", "create", "nobody", "--name", "x", "--scope", "read"]) == 2
    assert main(["token", "revoke", "99"]) == 2
    store.close()
