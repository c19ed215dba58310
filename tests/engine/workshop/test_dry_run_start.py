"""How a dry run may begin: every shipped process can be tried, by whoever starts it, with samples for answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.process.workshop.dry_run.registers import MADE_UP
from engine.process.workshop.dry_run.samples import sample_answers
from engine.process.workshop.dry_run.start import StartOffer, as_lines, first_data, fitting, start_offer
from engine.sharing import catalogue
from engine.store.errors import Invalid
from tests.engine.workshop.dry_walks import DryWalk, of_town, shipped
from tests.town import Town

TODAY = date(2026, 2, 10)
#: What samples cannot know: registers' own codes, what a project is planned to hold.
KNOWN: dict[str, dict[str, Any]] = {
    "data_inconsistency": {"resource_codes": "209001/000001\n3070211000011/000001"},
    "project_catalogue": {"planned": "公租房保障对象：姓名、证件号码"},
}
ENDS = {
    "annual_evaluation": "024", "catalogue_entry": "007", "catalogue_maintenance": "007", "conditional_share": "007", "data_correction": "007",
    "misuse": "007", "negative_list_entry": "013", "negotiation": "007", "periodic_report": "007", "rectification": "024",
    "unconditional_access": "007", "withheld_need": "007",
}  # fmt: skip


@pytest.fixture
def database_kind() -> str:
    """On SQLite alone: what differs between databases is told by test_dry_run."""
    return "sqlite"


@pytest.mark.parametrize(("process", "unit"), ENDS.items())
def test_a_shipped_process_is_walked_to_its_end_with_sample_answers(town: Town, process: str, unit: str) -> None:
    walk = of_town(town, shipped(process))
    offer, about = begins(town, walk, process, unit)
    names = {**(offer.subject.variables if offer.subject else {}), "applicant_unit": unit}
    login = next((starter.login for starter in offer.starters if starter.unit_code == unit), "")
    given = {} if offer.by_person else first_data(as_lines(offer.given))
    answers = {**sample_answers(offer.form or {}, names, TODAY), **KNOWN.get(process, {})}
    found = walk.starts(unit, login, about=about, answers=answers, given=given)
    assert found.stopped is None, found.stopped
    for _ in range(30):
        assert walk.now is not None
        if walk.now.cases[0].sheet.state != "running":
            break
        task = next((task for case in walk.now.cases for task in case.tasks), None)
        if task is None:
            found = walk.passes()
        else:
            answers = sample_answers(task.form or {}, task.names, TODAY)
            found = walk.makes(do="complete", case=task.case, step=task.step, answers=answers, opinion="试运行意见")
        assert found.stopped is None, found.stopped
    assert walk.now is not None and walk.now.cases[0].sheet.state == "completed"
    assert [fault for move in walk.now.moves for fault in move.faults] == []


def begins(town: Town, walk: DryWalk, process: str, unit: str) -> tuple[StartOffer, dict[str, str]]:
    """What a start of the unit asks for, about the first resource that fits."""
    offer = start_offer(town.store, walk.package, actor=walk.admin, unit=unit)
    if not offer.asks:
        return offer, {}
    more = {"grant": MADE_UP} if "grant" in offer.asks else {}
    with town.store.read() as session:
        codes = [line.code for line in catalogue.search(session, walk.admin, limit=100).lines]
    fit = fitting(
        town.store, walk.package, actor=walk.admin, process=process, unit=unit, name="resource_code", values=codes, about=more
    )
    about = {**more, "resource_code": fit[0]}
    return start_offer(town.store, walk.package, actor=walk.admin, unit=unit, about=about), about


def test_a_process_that_nobody_starts_is_entered_by_one_that_leads_to_it(town: Town) -> None:
    offer = start_offer(town.store, shipped("supervision"), actor=town.officer("024", "process_admin"))
    assert offer.entries[0].drafted and "conditional_share" in {entry.key for entry in offer.entries}
    assert offer.key != "supervision" and offer.by_person


def test_first_data_are_read_as_they_are_written() -> None:
    given = {"days": 5, "period": "2025", "from": "2025-07-01", "units": ["007"], "label": "2025年下半年", "none": "", "missing": None}
    read = first_data(as_lines({"from_": given.pop("from"), **given}))
    assert read == {"days": 5, "period": "2025", "from_": "2025-07-01", "units": ["007"], "label": "2025年下半年", "none": ""}
    with pytest.raises(Invalid):
        first_data("no equals sign")
