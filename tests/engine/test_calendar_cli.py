"""`calendar import` and `calendar publish`: a notice from a file to the deadlines, by two people, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from engine.people.accounts import account_id_of
from engine.people.actor import load_actor
from engine.process.calendar_tables import CalendarProposal, Recount
from engine.process.instances import start_instance
from engine.process.tables import CalendarNotice, Task
from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.calendars.published import NOTICES
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.test_cli import installed as installed
from tests.engine.test_cli import on as on
from tests.engine.test_cli import run as run
from tests.engine.test_cli import Run, office, refused
from tests.engine.timekeeping.year_2027 import TEXT

#: The newest notice that was really published; the installations of these tests have lost it.
NEWEST = next(found for found in NOTICES if "国办发明电〔2025〕7号" in found.text)


def written(folder: Path, content: str | bytes, name: str = "notice.txt") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# -- without any database -------------------------------------------------------------------------


def test_a_notice_is_read_and_judged_without_a_database(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, TEXT)
    said = run("calendar", "import", file, "--published", "2026-12-21", "--dry-run")
    assert (said.code, said.err) == (0, "")
    assert "国办发明电〔2026〕99号　2027年　放假28天，上班5天" in said.out and "核对无误" in said.out
    found = run("calendar", "import", file, "--published", "2026-12-21", "--dry-run", "--json").json
    assert (found["doc"], found["for_year"], found["published"]) == ("国办发明电〔2026〕99号", 2027, "2026-12-21")
    assert [festival["name"] for festival in found["festivals"]][:2] == ["元旦", "春节"]
    assert not (tmp_path / "home").exists(), "a question leaves nothing behind"


def test_a_corrupted_file_is_told_clause_by_clause(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, TEXT.replace("1月9日（周六）上班", "1月9日（周日）上班").replace("共7天。1月30日", "共8天。1月30日"))
    said = run("calendar", "import", file, "--published", "2026-12-21", "--dry-run")
    assert said.code == 1
    assert "错误 " in said.out and "1月9日是周六，不是周日" in said.out and "核对无误" not in said.out
    wrong = run("calendar", "import", file, "--dry-run", "--json").json["complaints"]
    assert len([complaint for complaint in wrong if not complaint["doubt"]]) == 2


def test_a_doubt_is_wrong_until_it_is_accepted(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, TEXT.replace("五、端午节：6月9日（周三）放假，共1天。\n", ""))
    words = ["calendar", "import", file, "--published", "2026-12-21", "--dry-run"]
    said = run(*words)
    assert said.code == 1 and "疑点 端午节的法定放假日2027-06-09没有列入放假" in said.out
    assert run(*words, "--accept", "另行通知").code == 0


@pytest.mark.parametrize(
    ("content", "words", "complaint"),
    [(b"\x89PNG\r\n\x00\x00", [], "文件不是文字"), ("{", ["--as", "json"], "不是有效的JSON：第1行第2字处有误"), ("", [], ""),
     ("BEGIN:VCALENDAR", ["--as", "ics"], "")],
)
def test_a_file_that_is_no_notice_is_told_as_wrong(run: Run, tmp_path: Path, content: str | bytes, words: list[str], complaint: str) -> None:
    said = run("calendar", "import", written(tmp_path, content), "--dry-run", *words)
    assert (said.code, said.err) == (1, "")
    assert f"错误 {complaint}" in said.out


@pytest.mark.parametrize(("words", "named"), [(["--published", "gestern"], "gestern"), (["--as", "xml"], "--as")])
def test_a_wrong_word_is_refused_in_one_line(run: Run, tmp_path: Path, words: list[str], named: str) -> None:
    assert named in refused(run("calendar", "import", written(tmp_path, TEXT), "--dry-run", *words))


def test_a_file_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    assert "none.txt" in refused(run("calendar", "import", tmp_path / "none.txt", "--dry-run"))


def test_nothing_is_brought_into_what_is_not_there(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, TEXT)
    assert "--by" in refused(run("calendar", "import", file, "--published", "2026-12-21"))
    assert "sharing-bpm init" in refused(run("calendar", "import", file, "--published", "2026-12-21", "--by", "petra"))
    assert "sharing-bpm init" in refused(run("calendar", "publish", "1", "--by", "paul"))


# -- two people ------------------------------------------------------------------------------------


@pytest.fixture
def waiting(on: Run, installed: Store, tmp_path: Path) -> Path:
    """An installation that does not know the newest notice, with a deadline that it moves; returns the notice's file."""
    office(installed)
    with installed.work() as work:
        work.session.execute(text("DELETE FROM calendar_notice WHERE published >= '2025-06-01'"))
    file = written(tmp_path, diagram("start > user:ask > end", element("ask", name="答复", unit="'024'", post="handler", limit="75"),
                                     key="leave", startPosts="handler"), "leave.bpmn")
    assert on("diagram", "deploy", file, "--reason", "请假", "--by", "petra", "--approved-by", "paul").code == 0
    with installed.work() as work:
        work.session.execute(text("UPDATE definition SET effective_at = '2018-11-26 00:00:00' WHERE key = 'leave'"))
    past = Store(installed.url, MovableClock(shanghai("2025-11-03 10:00")))
    with past.read() as session:
        anna = load_actor(session, account_id_of(session, "anna"))
    assert anna is not None
    start_instance(past, "leave", actor=anna, answers={})
    past.close()
    return written(tmp_path, NEWEST.text)


def due(store: Store) -> tuple[str, bool]:
    with store.read() as session:
        task = session.scalars(select(Task).where(Task.step == "ask")).one()
        return str(task.due_day), task.provisional


def test_one_brings_it_in_and_another_publishes_with_the_deadlines(waiting: Path, on: Run, installed: Store) -> None:
    before = due(installed)
    assert before[1]
    brought = on("calendar", "import", waiting, "--by", "petra", "--json")
    assert brought.code == 0
    number = brought.json["proposal"]
    assert [line["doc"] for line in on("calendar", "publish", "--by", "paul", "--json").json] == ["国办发明电〔2025〕7号"]
    tried = on("calendar", "publish", number, "--by", "paul", "--dry-run", "--json").json
    assert "recount" not in tried and due(installed) == before
    done = on("calendar", "publish", number, "--by", "paul", "--json").json
    [move] = [move for move in done["moves"] if move["role"] == "截止"]
    assert (move["from"], move["to"], False) == (before[0], *due(installed))
    assert tried["moves"] == done["moves"]
    with installed.read() as session:
        assert session.get_one(Recount, done["recount"]).state == "done"
    assert on("calendar", "publish", "--by", "paul").out.strip() == "没有待确认的日历变更"
    assert on("calendar", "due", "2025-12-29", "--days", "10").json["provisional"] is False


def test_the_moves_are_told_in_a_table(waiting: Path, on: Run) -> None:
    said = on("calendar", "import", waiting, "--by", "petra")
    assert "已提交确认，编号1" in said.out
    assert "编号  文号" in on("calendar", "publish", "--by", "paul").out
    tried = on("calendar", "publish", "1", "--by", "paul", "--dry-run").out
    assert "涉及办件1：推后1" in tried and "未发布（试算）" in tried
    assert "已发布，在办时限已重新推算" in on("calendar", "publish", "1", "--by", "paul").out


def test_nobody_publishes_what_they_brought_in_and_nobody_twice(waiting: Path, on: Run, installed: Store) -> None:
    assert "权限" in refused(on("calendar", "import", waiting, "--by", "anna"))
    assert "没有找到该账号" in refused(on("calendar", "import", waiting, "--by", "nobody"))
    on("calendar", "import", waiting, "--by", "petra")
    assert "请勿重复提交" in refused(on("calendar", "import", waiting, "--by", "petra"))
    for unfit in ("petra", "anna"):
        assert "权限" in refused(on("calendar", "publish", "1", "--by", unfit))
    assert "没有找到" in refused(on("calendar", "publish", "77", "--by", "paul"))
    assert on("calendar", "publish", "1", "--by", "paul").code == 0
    assert "已处理" in refused(on("calendar", "publish", "1", "--by", "paul"))


def test_a_dry_run_and_a_wrong_notice_bring_nothing_in(waiting: Path, on: Run, installed: Store) -> None:
    assert on("calendar", "import", waiting, "--dry-run").code == 0
    waiting.write_text(NEWEST.text.replace("（周日）", "（周一）", 1), encoding="utf-8")
    assert on("calendar", "import", waiting, "--by", "petra").code == 1
    with installed.read() as session:
        assert session.scalar(select(func.count()).select_from(CalendarProposal)) == 0
        assert session.scalar(select(func.count()).where(CalendarNotice.doc == "国办发明电〔2025〕7号")) == 0
