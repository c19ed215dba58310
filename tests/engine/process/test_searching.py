"""What a list's free text is looked for in: number, title and unit, plain and by pinyin initials."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.process.queries import cases
from engine.process.searching import SEARCH_MAX, fill_in_search, search_text, words_of
from engine.process.tables import Instance, Task
from engine.store.settings import Settings
from engine.worker import Worker
from tests.town import Town


def test_a_title_is_found_by_its_initials_and_without_its_marks() -> None:
    found = search_text("共享〔2026〕12号", "市民政局申请共享“公租房保障对象”（重点）", "市民政局")
    for typed in ("公租房保障", "gzfbz", "GZFBZ", "“公租房”", "2026〕12", "[2026]12", "２０２６", "smzj", "保障对象(重点)", "(zd)"):
        assert all(word in found for word in words_of(typed)), typed
    assert "gzfbx" not in found


@pytest.mark.parametrize(("name", "initials"), [("重庆银行", "cqyh"), ("长春市", "ccs"), ("行政审批", "xzsp"), ("女职工A岗", "nzgag")])
def test_initials_are_those_of_the_word_not_of_the_sign(name: str, initials: str) -> None:
    assert search_text(name).splitlines()[1] == initials


def test_several_words_must_all_be_found_and_marks_alone_are_none() -> None:
    assert words_of("  民政 公租房  民政 ") == ["民政", "公租房"]
    assert words_of("《》 〔〕") == []


def test_the_text_fits_its_column() -> None:
    assert len(search_text("号" * 64, "题" * 300, "局" * 200)) == SEARCH_MAX


def test_the_dictionary_is_not_loaded_at_the_start() -> None:
    script = "import sys, web.app, engine.cli, engine.worker; sys.exit('pypinyin' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_new_case_and_its_tasks_are_found_by_title_and_unit(town: Town) -> None:
    case = town.asks()
    with town.store.read() as session:
        instance = session.get_one(Instance, case)
        (task,) = session.query(Task).where(Task.instance_id == case)
    assert "gzfbzdx" in instance.search and "smzj" in instance.search and instance.number.replace("〔", "").replace("〕", "") in instance.search
    assert (task.search, task.case_unit_id) == (instance.search, instance.unit_id)


def test_the_list_of_cases_finds_by_initials_too(town: Town) -> None:
    case = town.asks()
    with town.store.read() as session:
        for text_, found in (("gzfbz", [case]), ("smz 公租房", [case]), ("《》", [case]), ("gzfbx", []), ("100%", [])):
            assert [line.instance_id for line in cases(session, town.officer("007", "handler"), text=text_).lines] == found, text_


def test_what_is_older_than_the_search_is_filled_in_by_the_worker(town: Town, tmp_path: Path) -> None:
    case = town.asks()
    with town.store.work() as work:
        for table in ("instance", "task"):
            work.session.execute(text(f"UPDATE {table} SET search = ''"))
    Worker(town.store, Settings(home=tmp_path, database_url="", secret_key="", base_url="")).housekeeping()
    with town.store.read() as session:
        assert "gzfbzdx" in session.get_one(Instance, case).search
        assert {task.search for task in session.query(Task)} == {session.get_one(Instance, case).search}
    assert fill_in_search(town.store) == 0
