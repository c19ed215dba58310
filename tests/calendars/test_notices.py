"""A notice that does not add up is refused with a sentence; what is accepted comes back unchanged."""

import json
from typing import Any

import pytest

from calendars.errors import CalendarError, NoticeError
from calendars.notices import (
    Notice,
    arrange,
    in_order,
    notice_from_json,
    notices_from_json,
    shipped_notices,
)
from tests.calendars.days import d

SNOW_YEAR: dict[str, Any] = {
    "doc": "国办发明电〔2026〕9号",
    "for_year": 2027,
    "signed": "2026-11-30",
    "published": "2026-12-01",
    "amends": None,
    "add_off": ["2026-12-31", "2027-01-01", "2027-01-02"],
    "add_work": ["2026-12-26"],
    "cancel_off": [],
    "cancel_work": [],
}


def test_the_shipped_notices_cover_2018_to_2026_with_two_amendments() -> None:
    notices = shipped_notices()
    assert [n.for_year for n in notices if n.amends is None] == list(range(2018, 2027))
    assert [n.doc for n in notices if n.amends] == ["国办发明电〔2019〕3号", "国办发明电〔2020〕1号"]
    assert in_order(notices) == notices, "they stand in the file as they were published"


@pytest.mark.parametrize("notice", shipped_notices(), ids=lambda n: n.doc)
def test_a_notice_survives_json(notice: Notice) -> None:
    assert notice_from_json(json.loads(json.dumps(notice.as_json()))) == notice


def test_the_order_in_which_days_are_listed_does_not_matter() -> None:
    shuffled = {**SNOW_YEAR, "add_off": SNOW_YEAR["add_off"][::-1]}
    assert notice_from_json(shuffled) == notice_from_json(SNOW_YEAR)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"add_work": ["2027-01-04"]}, "调休上班日2027-01-04不是周六或周日"),
        ({"add_work": ["2027-01-02"]}, "2027-01-02同时列入放假日和调休上班日"),
        ({"cancel_off": ["2027-01-01"]}, "2027-01-01同时列入放假日和取消的放假日"),
        ({"cancel_work": ["2026-12-26"]}, "2026-12-26同时列入调休上班日和取消的上班日"),
        ({"add_off": ["2027-01-01", "2027-01-01"]}, "2027-01-01重复列出"),
        ({"add_off": ["2025-12-31"]}, "2025-12-31不属于2027年的节假日安排"),
        ({"add_off": ["2026-10-01"]}, "2026-10-01不属于2027年的节假日安排"),
        ({"add_off": ["2028-02-01"]}, "2028-02-01不属于2027年的节假日安排"),
        ({"add_off": ["2027-13-01"]}, "不是有效日期"),
        ({"add_off": ["2027-02-30"]}, "不是有效日期"),
        ({"add_off": ["20270101"]}, "不是有效日期"),
        ({"add_off": [20270101]}, "不是有效日期"),
        ({"add_off": "2027-01-01"}, "应为日期列表"),
        ({"add_off": [], "add_work": []}, "没有任何放假或上班的日期"),
        ({"doc": "  "}, "缺少文号"),
        ({"doc": 9}, "文号应为文字"),
        ({"for_year": "2027"}, "年份应为整数"),
        ({"for_year": True}, "年份应为整数"),
        ({"amends": 5}, "所修改通知的文号应为文字"),
        ({"published": "2026-11-29"}, "成文日期2026-11-30晚于发布日期2026-11-29"),
        ({"days_off": []}, "未知字段：days_off"),
    ],
)
def test_a_notice_that_does_not_add_up_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(NoticeError, match=complaint):
        notice_from_json({**SNOW_YEAR, **change})


def test_a_notice_without_its_number_or_dates_is_refused_by_name() -> None:
    with pytest.raises(NoticeError, match="缺少字段：doc、published"):
        notice_from_json({"for_year": 2027, "signed": "2026-11-30"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "不是有效的 JSON"), ('{"notice": []}', "没有通知列表"), ("[3]", "应为一个 JSON 对象"), ("3", "没有通知列表")],
)
def test_a_file_that_holds_no_notices_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(NoticeError, match=complaint):
        notices_from_json(text)


def amendment(**change: Any) -> Notice:
    return notice_from_json(
        {
            "doc": "国办发明电〔2026〕10号",
            "for_year": 2026,
            "signed": "2026-04-01",
            "published": "2026-04-01",
            "amends": "国办发明电〔2025〕7号",
            **change,
        }
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cancel_off": ["2026-05-06"]}, "要取消的放假日2026-05-06从未安排过"),
        ({"cancel_work": ["2026-05-10"]}, "要取消的调休上班日2026-05-10从未安排过"),
        ({"add_off": ["2026-05-09"]}, "2026-05-09已由国办发明电〔2025〕7号作出安排，未先取消"),
        ({"add_off": ["2026-05-01"]}, "2026-05-01已由国办发明电〔2025〕7号作出安排，未先取消"),
        ({"add_work": ["2026-05-02"]}, "2026-05-02已由国办发明电〔2025〕7号作出安排，未先取消"),
        ({"add_off": ["2026-05-06"], "amends": None}, "2026年已有国办发明电〔2025〕7号"),
        ({"add_off": ["2026-05-06"], "amends": "国办发明电〔2027〕1号"}, "不在其前"),
        ({"add_off": ["2026-05-06"], "doc": "国办发明电〔2025〕7号"}, "同一文号的通知已经存在"),
    ],
)
def test_a_notice_that_does_not_fit_what_stands_is_refused(
    change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(NoticeError, match=complaint):
        arrange([*shipped_notices(), amendment(**change)])


def test_an_amendment_may_turn_a_make_up_day_into_a_day_off_by_cancelling_it() -> None:
    change = amendment(cancel_work=["2026-05-09"], add_off=["2026-05-09"])
    arrangement = arrange([*shipped_notices(), change])
    assert arrangement.off[d("2026-05-09")] == change.doc
    assert d("2026-05-09") not in arrangement.work


def test_every_error_of_this_floor_can_be_caught_as_one() -> None:
    assert issubclass(NoticeError, CalendarError)
