"""Duties come by themselves, each once for a unit and period, whoever sweeps how often. The schedule is data."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from sqlalchemy import func, select

from calendars.edition import Edition
from engine.people.tables import Unit
from engine.people.units import create_unit
from engine.process.editions import edition_at
from engine.process.tables import Instance
from engine.sharing import duties
from engine.sharing.duties import OpenedDuty
from engine.sharing.schedule import Duty, duties_of, periods_due_in
from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.town import Town

OPENING = "2026-10-12 08:00"


def reports_started(town: Town) -> Counter[int | None]:
    """How many report cases each unit has."""
    with town.store.read() as session:
        return Counter(session.scalars(select(Instance.unit_id).where(Instance.process_key == "periodic_report")))


def schedule(town: Town, key: str) -> tuple[Duty, Edition]:
    with town.store.read() as session:
        return next(duty for duty in duties_of(duties.DIAGRAMS) if duty.key == key), edition_at(session, town.now())


def sweep_in_a_process(url: str, at: str) -> None:
    """What a worker process does, for `multiprocessing`."""
    import engine.sharing.registry  # noqa: F401

    store = Store(url, MovableClock(shanghai(at)))
    duties.open_due(store)
    store.close()


def test_the_report_months_are_the_law_s_and_open_fifteen_working_days_ahead(town: Town) -> None:
    duty, edition = schedule(town, "unit_report")
    found = [(period.key, period.opens, period.due) for period in periods_due_in(duty, 2026, edition)]
    assert [due for _, _, due in found] == [date(2026, 4, 30), date(2026, 7, 31), date(2026, 10, 31), date(2026, 12, 31)]
    assert ("2026-Q3", date(2026, 10, 12), date(2026, 10, 31)) in found
    city, _ = schedule(town, "city_report")
    assert [(period.label, period.due) for period in periods_due_in(city, 2027, edition)] == [("2026年度", date(2027, 1, 31))]


def test_two_workers_in_threads_open_each_duty_once(town: Town) -> None:
    town.passes_until(OPENING)
    with ThreadPoolExecutor(2) as workers:
        opened = list(workers.map(lambda _: duties.open_due(town.store), range(2)))
    once = reports_started(town)
    assert set(once.values()) == {1}
    assert duties.open_due(town.store) == 0
    with town.store.read() as session:
        rows = session.scalar(select(func.count()).select_from(OpenedDuty))
        assert session.scalar(select(func.count()).select_from(OpenedDuty).where(OpenedDuty.instance_id.is_(None))) == 0
    assert sum(opened) == rows


def test_two_worker_processes_open_each_duty_once(town: Town) -> None:
    town.clock.to(OPENING)
    fresh = multiprocessing.get_context("spawn")
    url = town.store.url.render_as_string(hide_password=False)
    workers = [fresh.Process(target=sweep_in_a_process, args=(url, OPENING)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert set(reports_started(town).values()) == {1}
    assert duties.open_due(town.store) == 0


def test_what_an_outage_slept_through_is_opened_late_but_nothing_from_before_the_installation(town: Town) -> None:
    town.clock.to("2026-11-20 08:00")  # nobody was awake since January
    duties.open_due(town.store)
    with town.store.read() as session:
        periods = set(session.scalars(select(OpenedDuty.period).where(OpenedDuty.duty == "unit_report")))
    assert periods == {"2026-Q3"}  # the older ones are long past


def test_a_new_installation_owes_nothing_that_was_due_before_it(store: Store, clock: MovableClock) -> None:
    clock.to("2026-11-05 09:00")
    town = Town.founded(store, clock)
    duties.open_due(store)
    assert not reports_started(town)


def test_a_unit_that_joins_later_gets_what_is_open_and_not_what_is_past(town: Town) -> None:
    town.passes_until(OPENING)
    duties.open_due(town.store)
    during = create_unit(town.store, "930", "新设的局", actor=None, kind="dept")
    assert duties.open_due(town.store) >= 1
    assert reports_started(town)[during] == 1
    town.clock.to("2026-11-02 09:00")
    late = create_unit(town.store, "931", "更晚设立的局", actor=None, kind="dept")
    duties.open_due(town.store)
    assert reports_started(town)[late] == 0


def test_a_dissolved_unit_gets_nothing(town: Town) -> None:
    with town.store.work() as work:
        unit = work.session.scalars(select(Unit).where(Unit.code == "016")).one()
        unit.active = False
    town.passes_until(OPENING)
    duties.open_due(town.store)
    assert reports_started(town)[unit.id] == 0


def test_one_unit_s_trouble_does_not_keep_the_others_from_their_duty(town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "liaoyang_2018"
    folder.mkdir()
    data = json.loads((duties.DIAGRAMS / "liaoyang_2018" / "rule_set.json").read_text(encoding="utf-8"))
    data["duties"] = [duty for duty in data["duties"] if duty["process"] == "periodic_report"]
    broken = {**data["duties"][0], "key": "broken", "given": {"report_scope": "unit"}}  # the diagram wants `year_from`
    data["duties"].insert(0, broken)
    (folder / "rule_set.json").write_text(json.dumps(data), encoding="utf-8")
    town.passes_until(OPENING)
    assert duties.open_due(town.store, tmp_path) == 27
    with town.store.read() as session:
        assert set(session.scalars(select(OpenedDuty.duty))) == {"unit_report"}
