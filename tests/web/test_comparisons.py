"""The page of a comparison: what a change comes to, what the check says of a draft, and what both sides look like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from engine.process.package import read_package
from engine.process.tables import Definition
from engine.process.workshop.tables import Proposal
from engine.store.clock import MovableClock
from tests.web.cast import RULES, Cast
from tests.web.desk import Desk, text_of
from tests.web.test_diagrams import publish
from tests.web.test_drafts import begin, diagram_of, put
from tests.web.test_speed import counted

Desks = Callable[[str], Desk]
LIMIT = 'sharing:workingDays="10" sharing:statutoryMax="10"'


def version(cast: Cast, number: int = 1) -> int:
    with cast.store.read() as session:
        found = session.scalar(select(Definition.id).where(Definition.key == "conditional_share", Definition.version == number))
    assert found is not None
    return found


def drafted(desk: Desks, cast: Cast, old: str, new: str) -> int:
    """A draft of the request in which one text of the diagram is another."""
    editor = desk("editor")
    draft = begin(editor, cast)
    xml = diagram_of(cast, draft)
    assert old in xml
    put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": xml.replace(old, new)})
    return draft


def marks(page: str) -> dict[str, Any]:
    found = re.search(r'id="comparison-marks">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    marks: dict[str, Any] = json.loads(found[1])
    return marks


def test_a_tighter_limit_passes_the_check_and_is_told_with_its_article(desk: Desks, cast: Cast) -> None:
    draft = drafted(desk, cast, LIMIT, LIMIT.replace('Days="10"', 'Days="5"'))
    page = text_of(desk("editor").get(f"/comparisons?before=v{version(cast)}&after=d{draft}"))
    assert "没有发现问题，可以申请发布" in page
    assert re.search(r'data-was="BoundaryEvent_ReplyDeadline" data-element="BoundaryEvent_ReplyDeadline">“提供部门答复”答复时限 10 → 5 个工作日</button>'
                     r' <span class="chip">第十五条</span>', page)
    assert marks(page)["after"] == {"added": [], "changed": ["BoundaryEvent_ReplyDeadline"], "moved": []}
    assert 'aria-current="page">检查与比较' in page


def test_a_longer_limit_is_refused_there_by_element_and_article(desk: Desks, cast: Cast) -> None:
    draft = drafted(desk, cast, LIMIT, LIMIT.replace('Days="10"', 'Days="15"'))
    page = text_of(desk("approver").get(f"/comparisons?before=v{version(cast)}&after=d{draft}"))
    assert "须改正后才能发布" in page
    assert '<button type="button" data-element="BoundaryEvent_ReplyDeadline">定时“答复时限届满”' in page and "只能缩短、不能延长" in page


def test_two_versions_and_a_proposal_are_compared_too(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    publish(desk, cast, "5")
    with cast.store.read() as session:
        proposal = session.scalar(select(Proposal.id))
    first, second = version(cast), version(cast, 2)
    for after in (f"v{second}", f"p{proposal}"):
        page = text_of(desk("approver").get(f"/comparisons?before=v{first}&after={after}"))
        assert "10 → 5 个工作日" in page and "检查与比较" not in page
    assert "5 → 10 个工作日" in text_of(desk("approver").get(f"/comparisons?before=v{second}&after=v{first}"))
    assert "没有任何不同" in text_of(desk("approver").get(f"/comparisons?before=v{second}&after=p{proposal}"))


def test_a_new_process_has_its_findings_and_nothing_to_compare_with(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    sent = editor.post("/drafts", {"new": "1", "key": "leave", "name": "请假", "rule_set": "liaoyang_2018"})
    assert sent.status_code == 303, text_of(sent)
    page = text_of(editor.get(f"/comparisons?after=d{sent.location.rpartition('/')[2]}"))
    assert "这是一个新流程，没有可以比较的版本" in page and 'id="findings"' in page
    assert page.count("data-side=") == 1


def test_each_side_is_handed_out_as_it_is(desk: Desks, cast: Cast) -> None:
    shipped = read_package(RULES / "conditional_share", "liaoyang_2018")
    sent = desk("approver").get(f"/comparisons/diagram/v{version(cast)}")
    assert sent.data == shipped.xml and sent.mimetype == "application/xml"


@pytest.mark.parametrize("address", [
    "/comparisons", "/comparisons?after=v999999", "/comparisons?after=d1", "/comparisons?after=p1", "/comparisons?after=x1",
    "/comparisons?after=v1&before=v0", "/comparisons?after=v1&before=v99999999999999999999", "/comparisons?after=v１", "/comparisons/diagram/q",
])  # fmt: skip
def test_a_reference_that_means_nothing_is_not_found(desk: Desks, address: str) -> None:
    assert desk("editor").get(address).status_code == 404


@pytest.mark.parametrize("login", ["asker", "office_head", "sysadmin", "auditor"])
def test_whoever_neither_edits_nor_approves_sees_nothing(desk: Desks, cast: Cast, login: str) -> None:
    person = desk(login)
    for address in (f"/comparisons?after=v{version(cast)}", f"/comparisons/diagram/v{version(cast)}"):
        assert person.get(address).status_code == 403


def test_a_draft_that_is_no_bpmn_says_why_it_cannot_be_compared(desk: Desks, cast: Cast) -> None:
    """What the editor cannot save by hand may still come from an older client."""
    draft = drafted(desk, cast, LIMIT, LIMIT)
    sent = put(desk("editor"), f"/drafts/{draft}/xml", {"revision": 2, "xml": "<html/>"})
    page = text_of(desk("editor").get(f"/comparisons?before=v{version(cast)}&after=d{draft}"))
    assert sent.status_code != 200 or "现在还不能比较" in page


def test_the_page_costs_few_statements(desk: Desks, cast: Cast) -> None:
    draft = drafted(desk, cast, LIMIT, LIMIT.replace('Days="10"', 'Days="5"'))
    editor = desk("editor")
    address = f"/comparisons?before=v{version(cast)}&after=d{draft}"
    editor.get(address)
    with counted(cast) as sent:
        assert editor.get(address).status_code == 200
    assert len(sent) <= 7, sent
