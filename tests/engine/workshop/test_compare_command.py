"""`sharing-bpm diagram compare`: files, folders and deployed versions, in sentences and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli import main
from tests.database import copy_sqlite
from tests.engine.interpreter.diagrams import diagram, element
from tests.town import RULES

Say = Callable[..., tuple[int, str, str]]
NATIONAL = RULES.parent / "national_2025"


@pytest.fixture
def say(sqlite_town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a comparison in an installation with the town's database; gives exit code, output and error."""
    folder = tmp_path / "home"
    folder.mkdir()
    copy_sqlite(sqlite_town, folder / "sharing.db")
    monkeypatch.setenv("SHARING_BPM_HOME", str(folder))

    def say(*words: object) -> tuple[int, str, str]:
        return (main(["diagram", "compare", *map(str, words)]), *capsys.readouterr())

    return say


def test_two_files_are_compared_to_the_attribute(say: Say, tmp_path: Path) -> None:
    slow, quick = tmp_path / "slow.bpmn", tmp_path / "quick.bpmn"
    for file, days in ((slow, "10"), (quick, "5")):
        file.write_bytes(diagram("start > user:reply > end", element("reply", name="答复", limit=days, article="第十五条")))
    assert say(slow, quick) == (0, "时限与定时\n  “答复”时限 10 → 5 个工作日（第十五条）\n", "")
    found = json.loads(say(slow, quick, "--json")[1])
    [change] = found["changes"]
    assert (change["element"], change["attribute"], change["before"], change["after"]) == ("reply", "property:limit", "10", "5")
    assert found["changed"] == {"reply": "reply"}
    assert say(slow, slow)[1] == "没有任何不同\n"


def test_deployed_versions_are_compared_by_their_numbers(say: Say) -> None:
    assert say("negotiation@1", RULES / "negotiation")[1] == "没有任何不同\n"
    assert "需求部门" in say("negotiation@newest", NATIONAL / "negotiation")[1]


def test_what_cannot_be_compared_is_refused_in_a_line(say: Say, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.bpmn"
    hostile.write_bytes(b"<!DOCTYPE a><a/>")
    for words, named in (((hostile, RULES / "negotiation"), "DOCTYPE"), ((tmp_path / "none.bpmn", hostile), "none.bpmn"),
                         (("negotiation@7", "negotiation@1"), "negotiation@7")):
        code, out, error = say(*words)
        assert (code, out) == (2, "") and named in error and len(error.splitlines()) == 1
