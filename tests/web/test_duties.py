"""The pages of what comes by itself: reports, evaluations, projects, plans and rules; each shows a reader what is theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.people.accounts import create_account
from engine.people.passwords import hash_password
from engine.people.units import unit_id_of
from engine.sharing import duties
from engine.sharing.reports import search
from engine.store.clock import MovableClock, shanghai
from engine.store.settings import Settings
from engine.store.store import Store
from tests.database import close_sqlite, copy_sqlite
from tests.town import Town
from tests.web.cast import PASSWORD
from tests.web.desk import Desk, text_of
from web.app import create_app

Desks = Callable[[str], Desk]


@pytest.fixture(scope="module")
def founded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo town in a database that is copied."""
    file = tmp_path_factory.mktemp("duties") / "town.db"
    clock = MovableClock(shanghai("2026-01-05 09:00"))
    store = Store(copy_sqlite(sqlite_template, file), clock)
    Town.founded(store, clock)
    store.close()
    close_sqlite(file)
    return file


@pytest.fixture
def town(founded: Path, tmp_path: Path, clock: MovableClock) -> Iterator[Town]:
    """The demo town on 12 October 2026, when the reports of the third quarter open; four people can sign in."""
    store = Store(copy_sqlite(founded, tmp_path / "town.db"), clock)
    town = Town(store, clock)
    town.passes_until("2026-10-12 08:00")
    hashed = hash_password(PASSWORD)
    for login, unit, post in (("civil", "007", "handler"), ("roads", "014", "handler"), ("bureau", "024", "handler"), ("rules", "024", "process_admin")):
        with store.read() as session:
            home = unit_id_of(session, unit)
        create_account(store, login, login, home, actor=None, password_hash=hashed, appointments=[(home, post)])
    duties.open_due(store)
    yield town
    store.close()


@pytest.fixture
def desk(town: Town, settings: Settings) -> Desks:
    app = create_app(town.store, settings)

    def sit_down(login: str) -> Desk:
        found = Desk(app.test_client())
        found.sign_in(login)
        return found

    return sit_down


def report_of(town: Town, unit: str) -> int:
    with town.store.read() as session:
        office = town.officer("024", "handler")
        return search(session, office, today=town.now().date(), unit=unit, period="2026-Q3").lines[0].id


def test_a_unit_sees_its_own_report_and_the_office_all_of_them(town: Town, desk: Desks) -> None:
    own = text_of(desk("civil").get("/reports"))
    assert "2026年第三季度" in own and "市民政局" in own and "市交通运输局" not in own
    everybody = text_of(desk("bureau").get("/reports?period=2026-Q3"))
    assert "市民政局" in everybody and "市交通运输局" in everybody
    assert "2026-10-31（周六）" in own


def test_what_is_missing_can_be_asked_for(town: Town, desk: Desks) -> None:
    assert "逾期未报送</span>" not in text_of(desk("bureau").get("/reports?missing=yes"))
    town.passes_until("2026-11-01 08:00")
    assert "逾期未报送</span>" in text_of(desk("bureau").get("/reports?missing=yes"))


def test_a_report_shows_its_figures_to_those_whose_it_is(town: Town, desk: Desks) -> None:
    address = f"/reports/{report_of(town, '007')}"
    page = text_of(desk("civil").get(address))
    assert "目录内信息资源（项）" in page and "尚未固化" in page
    assert desk("roads").get(address).status_code == 403
    assert desk("bureau").get(address).status_code == 200


def test_evaluations_show_scores_point_by_point(town: Town, desk: Desks) -> None:
    town.passes_until("2026-11-01 08:00")
    duties.open_due(town.store)
    page = text_of(desk("civil").get("/evaluations"))
    assert "2026年度" in page and "按时更新" in page and "市交通运输局" not in page


def test_a_project_is_proposed_from_its_page(town: Town, desk: Desks) -> None:
    civil = desk("civil")
    assert 'href="/start/project_catalogue"' in text_of(civil.get("/projects"))
    civil.get("/start/project_catalogue")
    typed = {"project_name": "智慧民政", "budget": "120", "purpose": "统一平台", "planned": "救助对象：姓名", "promise_no_secrets": "true"}
    assert civil.post("/start/project_catalogue", typed).status_code == 303
    page = text_of(civil.get("/projects"))
    assert "智慧民政" in page and "救助对象" in page
    assert "智慧民政" not in text_of(desk("roads").get("/projects"))


def test_plans_and_rules_are_entered_by_their_unit_and_read_by_all(town: Town, desk: Desks) -> None:
    civil = desk("civil")
    civil.get("/rule-documents")
    refused = civil.post("/rule-documents", {"kind": "clean_up", "title": "《某办法》第三条", "number": "", "issued_on": "", "note": ""})
    assert refused.status_code == 422 and "请写明不相适应的条款和理由" in text_of(refused) and "《某办法》第三条" in text_of(refused)
    typed = {"kind": "clean_up", "title": "《某办法》第三条", "number": "", "issued_on": "2019-01-01", "note": "要求重复提交证明。"}
    assert civil.post("/rule-documents", typed).status_code == 303
    page = text_of(civil.get("/rule-documents?kind=clean_up"))
    assert "待清理" in page and "/rule-documents/1/result" in page
    roads = desk("roads")
    assert "/rule-documents/1/result" not in text_of(roads.get("/rule-documents"))
    assert roads.post("/rule-documents/1/result", {"result": "revised"}).status_code == 403
    assert civil.post("/rule-documents/1/result", {"result": "revised", "note": "已印发修订"}).status_code == 303
    assert "已修订" in text_of(roads.get("/rule-documents"))


def test_who_starts_no_cases_reads_the_rules_and_enters_none(desk: Desks) -> None:
    admin = desk("rules")
    page = text_of(admin.get("/rule-documents"))
    assert "登记本单位的文件" not in page
    assert "/reports" not in page and "/projects" not in page
    assert admin.post("/rule-documents", {"kind": "plan", "title": "甲"}).status_code == 403
