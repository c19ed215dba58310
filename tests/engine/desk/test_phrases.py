"""Canned phrases: one's own, those of the unit, and that nobody touches another's."""

from __future__ import annotations

import pytest

from engine.process.desk import phrases
from engine.process.desk.phrases import STARTERS, add_phrase, change_phrase, delete_phrase
from engine.store.errors import Invalid, NotFound
from tests.engine.desk.desk import Desk


def texts(desk: Desk, who: str) -> list[tuple[str, bool]]:
    with desk.store.read() as session:
        return [(line.text, line.mine) for line in phrases.phrases(session, desk.office[who])]


def add(desk: Desk, who: str, text: str, *, shared: bool = False) -> int:
    return add_phrase(desk.store, actor=desk.office[who], text=text, shared=shared)


def test_a_phrase_is_its_writers_until_it_is_shared_with_the_unit(desk: Desk) -> None:
    own = add(desk, "anna", "同意受理。")
    add(desk, "ben", "请核实。", shared=True)
    assert texts(desk, "anna") == [("同意受理。", True), ("请核实。", False)]
    assert texts(desk, "ben") == [("请核实。", True)]
    assert texts(desk, "dora") == [], "another unit"
    change_phrase(desk.store, own, actor=desk.office["anna"], text="同意受理，请按期答复。", shared=True)
    assert texts(desk, "ben") == [("请核实。", True), ("同意受理，请按期答复。", False)]
    delete_phrase(desk.store, own, actor=desk.office["anna"])
    assert texts(desk, "ben") == [("请核实。", True)]


def test_only_the_writer_changes_or_deletes_it(desk: Desk) -> None:
    shared = add(desk, "anna", "同意。", shared=True)
    for who in ("ben", "clara", "dora"):
        with pytest.raises(NotFound):
            change_phrase(desk.store, shared, actor=desk.office[who], text="不同意。", shared=True)
        with pytest.raises(NotFound):
            delete_phrase(desk.store, shared, actor=desk.office[who])
    assert texts(desk, "anna") == [("同意。", True)]


@pytest.mark.parametrize(("text", "said"), [("  \n", "请填写"), ("字" * 501, "不能超过500字"), ("同意\x00", "无法保存"), ("同意。", "已有相同")])
def test_what_cannot_be_a_phrase_is_refused_at_its_field(desk: Desk, text: str, said: str) -> None:
    add(desk, "anna", "同意。")
    with pytest.raises(Invalid) as refused:
        add(desk, "anna", text)
    assert said in refused.value.fields["text"]
    assert texts(desk, "anna") == [("同意。", True)]


def test_nobody_keeps_more_than_a_hundred(desk: Desk) -> None:
    for number in range(phrases.MOST):
        add(desk, "anna", f"常用语{number}")
    with pytest.raises(Invalid) as refused:
        add(desk, "anna", "再来一条")
    assert "最多保存100条" in refused.value.fields["text"]
    add(desk, "ben", "再来一条")


def test_everybody_finds_a_starter_set() -> None:
    assert len(STARTERS) >= 10 and len(set(STARTERS)) == len(STARTERS)
    assert all(0 < len(text) <= phrases.LONGEST for text in STARTERS)
