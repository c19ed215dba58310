"""Drafts: kept while one types, found again by nobody else, bounded, and gone with the task."""

from __future__ import annotations

from typing import Any

import pytest

from engine.process.desk.drafts import Draft, discard_draft, draft_of, save_draft, sweep_drafts
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, TaskClosed
from tests.engine.desk.desk import Desk


def save(desk: Desk, who: str, opinion: str = "", *, task: int | None = None, known: Any = None, **answers: Any) -> Any:
    number = task or desk.task().id
    return save_draft(desk.store, number, actor=desk.office[who], answers=answers, opinion=opinion, known=known)


def found(desk: Desk, who: str, task: int | None = None) -> Draft | None:
    with desk.store.read() as session:
        return draft_of(session, desk.office[who], task or desk.task().id)


def test_what_was_typed_is_there_again_for_its_writer_alone(desk: Desk) -> None:
    case = desk.opens()
    before = desk.acts(case)
    desk.clock.to("2026-02-10 10:15")
    save(desk, "anna", "写到一半", result="no", why="")
    draft = found(desk, "anna")
    assert draft == Draft({"result": "no", "why": ""}, "写到一半", shanghai("2026-02-10 10:15"))
    assert found(desk, "ben") is None
    assert desk.acts(case) == before, "nothing was done yet"
    discard_draft(desk.store, desk.task().id, actor=desk.office["ben"])
    assert found(desk, "anna") is not None, "another's draft is not thrown away"
    discard_draft(desk.store, desk.task().id, actor=desk.office["anna"])
    assert found(desk, "anna") is None


def test_of_two_windows_the_later_save_wins_and_is_told(desk: Desk) -> None:
    desk.opens()
    first = save(desk, "anna", "窗口一")
    desk.clock.to("2026-02-10 10:00")
    second = save(desk, "anna", "窗口二", known=first.at)
    assert not second.overtaken
    desk.clock.to("2026-02-10 10:05")
    third = save(desk, "anna", "窗口一续", known=first.at)
    assert third.overtaken
    kept = found(desk, "anna")
    assert kept is not None and kept.opinion == "窗口一续"


def test_only_whoever_may_work_on_it_keeps_a_draft(desk: Desk) -> None:
    desk.opens()
    for stranger in ("clara", "dora", "gu", "otto"):
        with pytest.raises(NotAllowed):
            save(desk, stranger, "想写")
    desk.office.claim("ben", "review")
    with pytest.raises(NotAllowed):
        save(desk, "anna", "慢了一步")
    with pytest.raises(NotFound):
        save(desk, "anna", "没有", task=999)
    number = desk.task().id
    desk.completes("ben")
    with pytest.raises(TaskClosed):
        save(desk, "ben", "已办结", task=number)


def test_a_draft_holds_what_the_form_can_show_again_and_no_more(desk: Desk) -> None:
    desk.opens()
    save(desk, "anna", result="yes", unknown="x", why=None)
    kept = found(desk, "anna")
    assert kept is not None and kept.answers == {"result": "yes", "why": None}
    for answers, opinion in (
        ({"why": {"nested": 1}}, ""), ({"why": [["x"]]}, ""), ({"why": 5}, ""), ({"why": "字" * 9000}, ""), ({"why": "a\x00"}, ""),
        ({"why": ["字" * 4000] * 11}, ""), ({}, "字" * 5000), ({}, "\x00"),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            save(desk, "anna", opinion, **answers)
    assert found(desk, "anna") == kept


def test_drafts_of_tasks_that_are_over_are_swept_away(desk: Desk) -> None:
    desk.opens()
    over = desk.task().id
    save(desk, "anna", "写了")
    save(desk, "ben", "也写了")
    desk.completes("anna")
    save(desk, "anna", "归档", task=desk.task("file").id)
    with desk.store.work() as work:
        assert sweep_drafts(work) == 2
    assert found(desk, "ben", over) is None
    assert found(desk, "anna", desk.task("file").id) is not None
