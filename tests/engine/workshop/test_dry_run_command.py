"""`sharing-bpm diagram rehearse`: the same dry run, from a file of moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.store.store import Store
from tests.database import copy_sqlite
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.workshop.dry_walks import fingerprint
from tests.town import APPLICATION, HOUSING, RULES

DIAGRAM = RULES / "conditional_share"
START = {
    "do": "start", "unit": "007", "by": "demo001", "at": "2026-02-10 09:30", "about": {"resource_code": HOUSING},
    "answers": {**APPLICATION, "requested_fields": ["公民身份号码"], "method": "联机查询"},
}  # fmt: skip
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(sqlite_town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the town's database."""
    folder = tmp_path / "home"
    folder.mkdir()
    copy_sqlite(sqlite_town, folder / "sharing.db")
    monkeypatch.setenv("SHARING_BPM_HOME", str(folder))
    return folder


@pytest.fixture
def say(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Rehearses a script; gives exit code, output and error."""

    def rehearse(file: Path, moves: Any, *more: str) -> tuple[int, str, str]:
        script = tmp_path / "moves.json"
        script.write_text(moves if isinstance(moves, str) else json.dumps(moves), encoding="utf-8")
        return (main(["diagram", "rehearse", str(file), "--answers", str(script), *more]), *capsys.readouterr())

    return rehearse


def test_a_script_is_walked_and_told_as_json_and_in_words(say: Say, home: Path) -> None:
    store = Store(f"sqlite:///{home / 'sharing.db'}")
    before = fingerprint(store)
    moves = [START, {"do": "complete", "step": "Task_ApplicantSign", "answers": {"sign": "agree"}}, {"do": "timer"}]
    code, out, err = say(DIAGRAM, moves, "--json")
    said = json.loads(out)
    assert (code, err, said["stopped"]) == (0, "", None)
    assert said["cases"][0]["tasks"][0]["step"] == "Task_Intake"
    assert said["cases"][0]["tasks"][0]["due"].startswith("2026-03-02T16:00")
    assert said["moves"][2]["notices"][0]["title"] == "受理或审核已超过内部时限"
    code, out, _ = say(DIAGRAM, moves)
    assert code == 0 and "2. 2026-02-10 09:30 办结“部门负责人审签”" in out and "待办 受理" in out
    assert fingerprint(store) == before
    store.close()


def test_where_a_script_cannot_go_on_it_says_why_and_exits_with_one(say: Say) -> None:
    code, out, _ = say(DIAGRAM, [{**START, "answers": {}}], "--json")
    assert code == 1 and json.loads(out)["stopped"]["fields"]["basis"].startswith("请填写")
    code, out, _ = say(DIAGRAM, [{**START, "by": "nobody"}])
    assert code == 1 and "第1步不能进行：没有找到该账号" in out


def test_a_diagram_with_errors_is_not_walked(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "leave.bpmn"
    file.write_bytes(diagram("start > user:ask > end", element("ask", unit="'007'", post="king")))
    code, out, _ = say(file, [START], "--json")
    assert code == 1 and [problem["rule"] for problem in json.loads(out)["problems"]] == ["post-unknown"]


@pytest.mark.parametrize("moves", ["", "{", "[]", "{}", '[{"do": "fly"}]', "[" * 100_000])
def test_a_file_that_is_no_script_is_refused_in_one_line(say: Say, moves: str) -> None:
    code, out, err = say(DIAGRAM, moves)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
