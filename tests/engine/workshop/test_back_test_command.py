"""`sharing-bpm diagram rehearse FILE --back-test FROM..UNTIL`: the back-test on the command line."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli import main
from engine.store.clock import MovableClock
from engine.store.store import Store
from tests.database import copy_sqlite
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.process.office import Office

A = {"unit": "'A'", "post": "handler"}
PERIOD = ("--back-test", "2026-02-01..2026-02-28")


@pytest.fixture
def home(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: MovableClock) -> Path:
    """An office that has answered two requests on 10 February, and asks on the command line now."""
    folder = tmp_path / "home"
    folder.mkdir()
    with closing(Store(copy_sqlite(sqlite_template, folder / "sharing.db"), clock)) as store:
        office = Office(store, clock)
        office.deploy("start > user:reply > end", element("reply", name="答复", **A))
        for _ in range(2):
            office.start()
            office.complete("anna", "reply")
    monkeypatch.setenv("SHARING_BPM_HOME", str(folder))
    return folder


def drawn(folder: Path, *parts: object) -> str:
    file = folder / "drawn.bpmn"
    file.write_bytes(diagram(*parts, startPosts="handler"))
    return str(file)


def test_nothing_differs_and_the_exit_says_so(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = drawn(tmp_path, "start > user:reply > end", element("reply", name="答复", **A))
    assert main(["diagram", "rehearse", file, *PERIOD]) == 0
    assert capsys.readouterr().out == "回放2件，有差别0件\n"


def test_numbers_first_then_each_case(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = drawn(tmp_path, "start > user:reply > user:sign > end", element("reply", name="答复", **A), element("sign", name="签发", **A))
    assert main(["diagram", "rehearse", file, *PERIOD]) == 1
    out = capsys.readouterr().out
    assert out.startswith("回放2件，有差别2件\n") and "测试流程〔2026〕2号\n   2026-02-10 09:00 “答复”之后增加“签发”环节，记录中没有办理，由此分开" in out
    assert main(["diagram", "rehearse", file, *PERIOD, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["replayed"], said["different"], said["kinds"]) == (2, 2, {"gained_step": 2})
    assert said["steps"] == {"sign": {"name": "签发", "kinds": {"gained_step": 2}}}
    assert said["cases"][0]["findings"][0]["parts"] is True


def test_a_diagram_with_faults_is_not_replayed(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = drawn(tmp_path, "start > user:reply > end", element("reply", name="答复", unit="'A'", post="nobody"))
    assert main(["diagram", "rehearse", file, *PERIOD]) == 1
    assert "岗位“nobody”不存在" in capsys.readouterr().out


@pytest.mark.parametrize("period", ["2026-02-01", "2026-02-30..2026-03-01", "2026-03-01..2026-02-01", "..", "9999-12-31..9999-12-31"])
def test_a_period_that_is_none_is_refused_in_one_line(home: Path, tmp_path: Path, period: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = drawn(tmp_path, "start > user:reply > end", element("reply", name="答复", **A))
    assert main(["diagram", "rehearse", file, "--back-test", period]) != 0
    assert capsys.readouterr().err.count("\n") == 1
