"""The elements of an entry as typed, kept and told: items with their types, and what differs between two versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sharing.elements import LABELS, WRITTEN, differences, in_words, read_items, write_items

NAMES = st.text("甲乙丙丁AB12（）", min_size=1, max_size=6)


def test_items_come_one_a_line_with_or_without_their_types() -> None:
    assert read_items("姓名，字符型\n 出生日期 : 日期型 \n\n性别\n") == (
        ["姓名", "出生日期", "性别"], {"姓名": "字符型", "出生日期": "日期型"},
    )  # fmt: skip
    assert read_items("姓名、性别；住址") == (["姓名", "性别", "住址"], {}), "as people list them in one line"
    assert read_items("") == ([], {})
    assert read_items("，字符型") == ([], {}), "a type of nothing is nothing"


def test_an_item_stands_there_once() -> None:
    with pytest.raises(ValueError, match="“姓名”重复"):
        read_items("姓名，字符型\n性别\n姓名")


@given(st.lists(NAMES, unique=True, max_size=8), st.data())
def test_what_is_written_is_read_back(items: list[str], data: st.DataObject) -> None:
    types = {item: kind for item in items if (kind := data.draw(st.sampled_from(["", "字符型", "数值型"])))}
    assert read_items(write_items(items, types)) == (items, types)


def test_what_differs_is_told_in_words_and_in_the_order_of_the_entry() -> None:
    before = {"sharing_class": "conditional", "open_to_public": False, "items": ["甲"], "method": "联机查询", "level": ""}
    after = {"sharing_class": "unconditional", "open_to_public": True, "items": ["甲", "乙"], "method": "联机查询", "level": "", "state": "x"}
    assert [(one.label, one.before, one.after) for one in differences(before, after)] == [
        ("信息项", "甲", "甲、乙"), ("共享类型", "有条件共享", "无条件共享"), ("可否向社会开放", "不开放", "可以开放"),
    ]  # fmt: skip
    assert [one.key for one in differences(before, after, hidden=("items",))] == ["sharing_class", "open_to_public"]


def test_every_element_that_a_unit_writes_is_kept_in_its_versions() -> None:
    assert set(WRITTEN) <= set(LABELS)
    assert in_words("item_types", {"甲": "字符型"}) == "甲（字符型）"
