"""`diagram migrate`: what would become of each case, and a migration by two people, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from engine.cli import main
from engine.process.workshop.migrating.running import move_waiting
from engine.process.workshop.tables import Migration
from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office

WORK = {"unit": "'B'", "post": "handler"}


@pytest.fixture
def office(sqlite_store: Store, clock: MovableClock) -> Office:
    office = Office(sqlite_store, clock)
    office.deploy("start > user:a > user:b > end", element("a", name="受理", **WORK), element("b", name="审核", **WORK))
    office.start()
    office.deploy("start > user:b > end", element("b", name="审核", **WORK), at="2026-02-01")
    return office


@pytest.fixture
def run(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", office.store.url.render_as_string(hide_password=False))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["diagram", "migrate", "test", "--from", "1", "--to", "2", *words])
        return code, *capsys.readouterr()

    return run


def migrations(office: Office) -> int:
    with office.store.read() as session:
        return session.scalar(select(func.count()).select_from(Migration)) or 0


def test_it_shows_which_cases_would_stay_and_why(run: Callable[..., tuple[int, str, str]], office: Office) -> None:
    code, out, _ = run("--by", "petra")
    assert code == 1 and "保持原版本" in out and "“受理”" in out
    code, out, _ = run("--by", "petra", "--map", "a=b", "--json")
    assert code == 0
    [case] = json.loads(out)["cases"]
    assert case["stays"] is None and case["tasks"] == [{"from": "受理", "to": "审核"}]
    assert migrations(office) == 0


def test_two_people_start_it_and_the_worker_moves(run: Callable[..., tuple[int, str, str]], office: Office) -> None:
    for words, said in (
        (("--by", "petra", "--approved-by", "petra"), "您没有办理此事项的权限"),
        (("--by", "paul", "--approved-by", "paul"), "two people"),
        (("--by", "anna", "--approved-by", "paul", "--reason", "r"), "您没有办理此事项的权限"),
        (("--by", "petra", "--map", "nonsense"), "OLD=NEW"),
    ):
        code, _, err = run(*words)
        assert code != 0 and said in err
    assert migrations(office) == 0
    code, out, _ = run("--by", "petra", "--approved-by", "paul", "--reason", "简化", "--map", "a=b", "--json")
    assert code == 0 and json.loads(out)["migration"]
    assert move_waiting(office.store) == 1 and office.open_steps() == ["b"]
