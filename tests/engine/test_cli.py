"""The command line: what each command answers, and that a mistake gets one plain line and the right exit code."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from engine.cli import main
from engine.history import History
from engine.history_seal import seal
from engine.people.accounts import create_account
from engine.people.sign_in import sign_in
from engine.people.units import create_unit
from engine.process.definitions import in_force, newest_versions
from engine.process.rule_sets import process_folders
from engine.process.tables import CalendarNotice, Definition
from engine.store.clock import shanghai
from engine.store.settings import read_settings
from engine.store.store import Store
from engine.worker import Worker
from tests.engine.interpreter.diagrams import diagram, element
from tests.machine import ROOT

RULES = ROOT / "bpmn" / "liaoyang_2018"
NATIONAL = RULES.with_name("national_2025")


@dataclass
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with a data folder of its own."""
    monkeypatch.setenv("SHARING_BPM_HOME", str(tmp_path / "home"))

    def run(*words: object) -> Said:
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def on(run: Run, monkeypatch: pytest.MonkeyPatch, empty_database_url: str) -> Run:
    """Runs commands on an installed database of each kind."""
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", empty_database_url)
    assert run("init").code == 0
    return run


@pytest.fixture
def installed(on: Run, empty_database_url: str) -> Any:
    """The store of that database."""
    store = Store(empty_database_url)
    yield store
    store.close()


def refused(said: Said) -> str:
    """The one line of a refusal."""
    assert said.code == 2
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith("sharing-bpm: ")
    return line


# -- init ---------------------------------------------------------------------------------------


def test_init_brings_tables_notices_and_the_rule_set_and_again_changes_nothing(on: Run, installed: Store) -> None:
    def rows() -> list[int]:
        with installed.read() as session:
            return [session.scalar(select(func.count()).select_from(table)) or 0 for table in (CalendarNotice, Definition, History)]

    before = rows()
    assert min(before) > 0
    assert on("init").code == 0
    assert rows() == before


def test_the_rule_set_is_in_force_since_the_day_that_it_says(on: Run, installed: Store) -> None:
    listing = json.loads((RULES / "rule_set.json").read_text(encoding="utf-8"))
    with installed.read() as session:
        assert set(newest_versions(session)) == {process["key"] for process in listing["processes"]}
        assert in_force(session, "conditional_share", shanghai(listing["in_force_from"])).version == 1


# -- calendar -----------------------------------------------------------------------------------


def test_a_deadline_is_explained_without_any_database(run: Run, tmp_path: Path) -> None:
    said = run("calendar", "due", "2026-02-10T09:30", "--days", "10")
    assert said.code == 0
    assert (said.json["due"], said.json["last_day"]) == ("2026-03-03T00:00:00+08:00", "2026-03-02")
    assert len(said.json["counted"]) == 10
    assert {"day", "why", "notice"} <= said.json["skipped"][0].keys()
    assert not (tmp_path / "home").exists(), "a question leaves nothing behind"


def test_the_calendar_of_an_installation_counts_with_its_own_notices(on: Run, installed: Store) -> None:
    with_all = on("calendar", "due", "2026-02-10", "--days", "10").json
    with installed.work() as work:
        work.session.execute(text("DELETE FROM calendar_notice WHERE published >= '2025-01-01'"))
    without = on("calendar", "due", "2026-02-10", "--days", "10").json
    assert (with_all["provisional"], without["provisional"]) == (False, True)


def test_a_pause_moves_the_day_and_as_of_goes_back_in_time(run: Run) -> None:
    paused = run("calendar", "due", "2026-04-28", "--days", "10", "--pause", "2026-05-06..2026-05-08", "--json").json
    assert paused["last_day"] == "2026-05-18"
    early = run("calendar", "due", "2019-04-25", "--days", "3", "--as-of", "2019-03-21").json
    late = run("calendar", "due", "2019-04-25", "--days", "3", "--as-of", "2019-03-22").json
    assert early["edition"] != late["edition"]


def test_a_year_is_shown_as_a_page_and_as_json(run: Run) -> None:
    assert "2026年工作日历" in run("calendar", "show", "2026").out
    assert run("calendar", "show", "2026", "--json").json["year"] == 2026


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["due", "soon", "--days", "10"], "soon"),
        (["due", "2026-02-30", "--days", "10"], "2026-02-30"),
        (["due", "2026-02-10", "--days", "many"], "many"),
        (["due", "2026-02-10", "--days", "10", "--pause", "later"], "later"),
        (["due", "2026-02-10"], "--days"),
        (["show", "2099"], "2099"),
        (["show", "next"], "next"),
        (["tell"], "tell"),
    ],
)
def test_a_wrong_question_to_the_calendar_is_refused_with_what_was_wrong(run: Run, words: list[str], named: str) -> None:
    assert named in refused(run("calendar", *words))


# -- diagrams -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [folder.name for folder in sorted(RULES.iterdir()) if (folder / "diagram.bpmn").exists()])
def test_the_shipped_diagrams_may_be_deployed(run: Run, key: str) -> None:
    said = run("diagram", "check", RULES / key / "diagram.bpmn", "--json")
    assert [problem for problem in said.json["problems"] if problem["severity"] == "error"] == []
    assert said.code == 0


def test_what_is_wrong_with_a_diagram_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "leave.bpmn"
    slow = element("reply", name="答复", unit="'A'", post="handler", limit="11", statutoryMax="10", article="第十五条")
    file.write_bytes(diagram("start > user:reply > user:nobody > end", slow))
    said = run("diagram", "check", file, "--json")
    assert said.code == 1
    problems = {problem["rule"]: problem for problem in said.json["problems"]}
    assert problems["no-assignee"]["element"] == "nobody"
    assert problems["statutory-limit-exceeded"]["article"] == "第十五条"
    shown = run("diagram", "check", file)
    assert (shown.code, "只能缩短、不能延长" in shown.out) == (1, True)


@pytest.mark.parametrize("content", [b"", b"not xml", b"<a/>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"\xff\xfe\x00"])
def test_a_file_that_is_no_diagram_has_problems_and_no_traceback(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.bpmn"
    file.write_bytes(content)
    said = run("diagram", "check", file, "--json")
    assert said.code == 1
    assert said.json["problems"][0]["rule"]
    assert said.err == ""


def test_a_missing_file_is_refused(run: Run, tmp_path: Path) -> None:
    assert "none.bpmn" in refused(run("diagram", "check", tmp_path / "none.bpmn"))


def office(store: Store) -> None:
    """Petra edits diagrams, Paul approves them, Anna only works."""
    unit = create_unit(store, "024", "办公单位", short="办公", kind="office", area="211000", actor=None)
    for login, post in (("petra", "process_admin"), ("paul", "process_approver"), ("anna", "handler")):
        create_account(store, login, login.title(), unit, actor=None, password="liaohe-2018", appointments=[(unit, post)])


def test_a_new_version_needs_a_second_person_and_its_problems_stop_it(on: Run, installed: Store, tmp_path: Path) -> None:
    office(installed)
    file = tmp_path / "leave.bpmn"
    file.write_bytes(diagram("start > user:ask > end", element("ask", unit="'024'", post="handler"), key="leave"))
    words = ["diagram", "deploy", file, "--reason", "请假", "--by", "petra"]
    for unfit in ("petra", "anna"):
        assert "权限" in refused(on(*words, "--approved-by", unfit))
    assert "没有找到该账号" in refused(on(*words, "--approved-by", "nobody"))
    assert "不能早于现在" in refused(on(*words, "--approved-by", "paul", "--effective", "2020-01-01"))
    done = on(*words, "--approved-by", "paul", "--effective", "2099-01-01", "--json")
    assert done.json == {"key": "leave", "version": 1, "effective_at": "2098-12-31T16:00:00+00:00"}
    file.write_bytes(diagram("start > user:ask > end", element("ask", unit="'024'"), key="leave"))
    said = on(*words, "--approved-by", "paul", "--json")
    assert (said.code, said.json["problems"][0]["element"]) == (1, "ask")
    with installed.read() as session:
        assert newest_versions(session)["leave"] == 1


def test_a_process_of_the_second_rule_set_comes_into_force_on_its_day(on: Run, installed: Store) -> None:
    office(installed)
    assert on("diagram", "check", NATIONAL / "conditional_share", "--json").json == {"problems": []}
    words = ["diagram", "deploy", NATIONAL / "conditional_share", "--reason", "适用政务数据共享条例", "--by", "petra"]
    done = on(*words, "--approved-by", "paul", "--effective", "2099-01-01", "--json")
    assert (done.json["key"], done.json["version"]) == ("conditional_share", 2)
    with installed.read() as session:
        for moment, rules in (("2098-12-31 23:59", "liaoyang_2018"), ("2099-01-01 00:00", "national_2025")):
            assert in_force(session, "conditional_share", shanghai(moment)).rule_set == rules


def test_an_installation_may_begin_with_the_second_rule_set(
    run: Run, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("SHARING_BPM_RULE_SET", "national_2025")
    assert run("init").code == 0
    store = Store(empty_database_url)
    with store.read() as session:
        found = {key: in_force(session, key, shanghai("2026-01-01")).rule_set for key in newest_versions(session)}
    store.close()
    assert found.keys() == process_folders(NATIONAL).keys()
    assert (found["conditional_share"], found["supervision"]) == ("national_2025", "liaoyang_2018")


def test_an_exported_rule_set_is_the_one_that_was_deployed(on: Run, installed: Store, tmp_path: Path) -> None:
    said = on("diagram", "export", tmp_path / "out", "--json")
    assert len(said.json["written"]) == len(list(RULES.glob("*/diagram.bpmn")))
    for source in RULES.glob("*/diagram.bpmn"):
        copy = tmp_path / "out" / "liaoyang_2018" / source.parent.name
        assert (copy / "diagram.bpmn").read_bytes() == source.read_bytes()
        for part in source.parent.glob("documents/*.docx"):
            assert (copy / part.relative_to(source.parent)).read_bytes() == part.read_bytes()
        for part in source.parent.glob("forms/*.json"):
            assert json.loads((copy / part.relative_to(source.parent)).read_text()) == json.loads(part.read_text())


# -- history ------------------------------------------------------------------------------------


def test_an_untouched_history_holds_and_a_touched_one_does_not(on: Run, installed: Store) -> None:
    assert seal(installed) > 0
    whole = on("history", "verify", "--json")
    assert (whole.code, whole.json["ok"]) == (0, True)
    assert on("history", "verify", "--anchor", whole.json["anchor"]).code == 0
    with installed.engine.begin() as connection:
        if installed.sqlite:
            connection.execute(text("DROP TRIGGER history_no_update"))
        else:
            connection.execute(text("ALTER TABLE history DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE history SET act = 'nothing' WHERE id = (SELECT min(id) FROM history)"))
    said = on("history", "verify", "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    assert "被改动" in said.json["first_broken"]
    assert "被改动" in on("history", "verify").out


# -- users --------------------------------------------------------------------------------------


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gives a line to standard input, as a pipe does."""
    return lambda line: monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))


def test_an_account_from_first_day_to_last(on: Run, installed: Store, typed: Callable[[str], None]) -> None:
    office(installed)
    typed("chunfeng-2026")
    assert on("user", "add", "grace", "--name", "葛丽思", "--unit", "024", "--post", "handler").code == 0
    assert sign_in(installed, "grace", "chunfeng-2026")
    assert on("user", "appoint", "grace", "head").code == 0
    [grace] = [person for person in on("user", "list", "--json").json if person["login"] == "grace"]
    assert (grace["posts"], grace["state"]) == (["024/handler", "024/head"], "active")
    on("user", "dismiss", "grace", "handler", "--unit", "024")
    on("user", "lock", "grace", "--reason", "休假")
    [grace] = [person for person in on("user", "list", "--json").json if person["login"] == "grace"]
    assert (grace["posts"], grace["state"]) == (["024/head"], "locked")
    on("user", "unlock", "grace")
    typed("qiushui-2026")
    on("user", "password", "grace")
    assert sign_in(installed, "grace", "qiushui-2026")
    on("user", "deactivate", "grace")
    assert "left" in next(line for line in on("user", "list").out.splitlines() if line.startswith("grace"))


def test_a_weak_password_an_unknown_unit_and_a_taken_login_are_refused(
    on: Run, installed: Store, typed: Callable[[str], None]
) -> None:
    office(installed)
    typed("short")
    assert "密码长度" in refused(on("user", "add", "grace", "--name", "葛丽思", "--unit", "024"))
    assert "unit" in refused(on("user", "add", "grace", "--name", "葛丽思"))
    refused(on("user", "add", "grace", "--name", "葛丽思", "--unit", "999"))
    typed("chunfeng-2026")
    assert "已被使用" in refused(on("user", "add", "anna", "--name", "安娜", "--unit", "024"))
    assert "岗位" in refused(on("user", "appoint", "anna", "emperor"))


# -- backup -------------------------------------------------------------------------------------


@pytest.fixture
def embedded(run: Run, tmp_path: Path) -> Run:
    """Commands on the embedded database, with one attachment."""
    assert run("init").code == 0
    stored = "ab" + "0" * 38
    folder = tmp_path / "home" / "attachments" / "ab"
    folder.mkdir(parents=True)
    (folder / stored).write_bytes(b"%PDF-")
    return run


def test_a_backup_brings_everything_back_on_another_machine(
    embedded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert embedded("backup", file).code == 0
    assert file.stat().st_mode & 0o077 == 0, "it holds what people wrote: nobody else reads it"
    monkeypatch.setenv("SHARING_BPM_HOME", str(tmp_path / "elsewhere"))
    assert embedded("restore", file).code == 0
    assert (tmp_path / "elsewhere/attachments/ab" / ("ab" + "0" * 38)).read_bytes() == b"%PDF-"
    assert embedded("history", "verify").code == 0
    with sqlite3.connect(tmp_path / "elsewhere/sharing.db") as connection:
        acts = [act for (act,) in connection.execute("SELECT act FROM history ORDER BY id")]
    connection.close()
    assert acts[-2:] == ["backed_up", "restored"]


def test_a_backup_overwrites_nothing_and_a_restore_only_when_told(embedded: Run, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    embedded("backup", file)
    assert "exists already" in refused(embedded("backup", file))
    assert "--replace" in refused(embedded("restore", file))
    assert embedded("restore", file, "--replace").code == 0


def test_a_restore_under_a_running_worker_is_refused(embedded: Run, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    embedded("backup", file)
    settings = read_settings()
    store = Store(settings.database_url)
    Worker(store, settings).beat()
    store.close()
    assert "a worker is running" in refused(embedded("restore", file, "--replace"))


def test_a_damaged_backup_changes_nothing(embedded: Run, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    embedded("backup", file)
    before = (tmp_path / "home/sharing.db").read_bytes()
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = bytes(byte ^ 0xFF for byte in whole[middle : middle + 4])
    for content in (b"", b"nonsense", whole[:middle], whole[:-200], whole[:middle] + flipped + whole[middle + 4 :]):
        file.write_bytes(content)
        assert "backup" in refused(embedded("restore", file, "--replace"))
    with tarfile.open(file, "w:gz") as archive:
        archive.add(tmp_path / "home/secret_key", "../outside")
    assert "../outside" in refused(embedded("restore", file, "--replace"))
    assert not (tmp_path / "outside").exists()
    assert (tmp_path / "home/sharing.db").read_bytes() == before


def test_postgresql_is_sent_to_its_own_tools(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert "pg_dump" in refused(run("backup", tmp_path / "backup.tar.gz"))


# -- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [["serve"], ["worker"], ["worker", "--once"], ["history", "verify"], ["user", "list"], ["diagram", "export", "out"], ["backup", "b"]],
)
def test_without_a_database_a_command_says_what_to_do_and_makes_none(run: Run, tmp_path: Path, words: list[str]) -> None:
    assert "sharing-bpm init" in refused(run(*words))
    assert list((tmp_path / "home").glob("*.db")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "town hall"), ("DATABASE_URL", "mysql://x"), ("IDLE_MINUTES", "soon"), ("UPLOAD_MEGABYTES", "0"),
        ("SECRET_KEY", "short"), ("RULE_SET", "atlantis"), ("SESSION_HOURS", "-1"),
    ],
)
def test_a_bad_setting_is_refused_by_name(run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SHARING_BPM_{name}", value)
    assert f"SHARING_BPM_{name}" in refused(run("init"))


def test_a_database_that_is_away_is_told_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARING_BPM_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert "the database refuses" in refused(run("history", "verify"))
    assert "the database refuses" in refused(run("calendar", "show", "2026")), "never a guess where the database may know better"


@pytest.mark.parametrize("words", [[], ["dance"], ["serve", "--port", "0"], ["serve", "--port", "http"], ["serve", "--processes", "0"]])
def test_a_mistyped_command_gets_one_line_and_a_hint(run: Run, words: list[str]) -> None:
    assert "--help" in refused(run(*words))


def test_debug_shows_where_an_error_came_from(run: Run) -> None:
    with pytest.raises(Exception, match="soon"):
        run("calendar", "due", "soon", "--days", "1", "--debug")


def test_every_command_explains_itself(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["init"], ["serve"], ["worker"], ["calendar", "due"], ["diagram", "deploy"], ["diagram", "compare"], ["user", "add"], ["backup"]):
        with pytest.raises(SystemExit) as ended:
            run(*words, "--help")
        assert ended.value.code == 0
        assert "usage: sharing-bpm" in capsys.readouterr().out
