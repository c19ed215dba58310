"""A notice from a file: our JSON, holiday-cn's, iCalendar, text in whatever encoding; and files that are none of these."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from calendars.notice_files import FILE_MAX, Heading, kind_of, read_days, read_file
from calendars.notices import Notice, arrange, shipped_notices
from tests.calendars.days import d
from tests.calendars.published import NOTICES

THIS_YEAR = shipped_notices()[-1]
BEFORE = shipped_notices()[:-1]
HEADING = Heading(doc=THIS_YEAR.doc, signed=THIS_YEAR.signed, published=THIS_YEAR.published)


def holiday_cn(notice: Notice, **change: Any) -> dict[str, Any]:
    days = [{"name": "放假", "date": day.isoformat(), "isOffDay": True} for day in notice.add_off]
    days += [{"name": "放假", "date": day.isoformat(), "isOffDay": False} for day in notice.add_work]
    return {"year": notice.for_year, "papers": ["https://www.gov.cn/"], "days": days, **change}


def ics(*events: tuple[str, str, str]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//"]
    for number, (summary, first, after) in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", f"SUMMARY:{summary}", f"DTSTART;VALUE=DATE:{first}"]
        lines += [f"DTEND;VALUE=DATE:{after}"] if after else []
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


#: 2026 as a calendar file gives it: spans with an exclusive end, make-up days one by one.
CALENDAR_FILE = ics(
    ("元旦（休）", "20260101", "20260104"), ("元旦 补班", "20260104", ""), ("春节 休", "20260215", "20260224"), ("春节 班", "20260214", "20260215"),
    ("春节 班", "20260228", ""), ("清明节", "20260404", "20260407"), ("劳动节放假", "20260501", "20260506"), ("劳动节调休上班", "20260509", ""),
    ("端午节", "20260619", "20260622"), ("中秋节", "20260925", "20260928"), ("国庆节", "20261001", "20261008"), ("国庆节 班", "20260920", ""),
    ("国庆节 班", "20261010", ""),
)  # fmt: skip

FORMS = {
    "our JSON": json.dumps(THIS_YEAR.as_json()).encode(),
    "a list of one": json.dumps([THIS_YEAR.as_json()]).encode(),
    "holiday-cn": json.dumps(holiday_cn(THIS_YEAR)).encode(),
    "ICS": CALENDAR_FILE.encode(),
    "text in UTF-8": NOTICES[-1].text.encode(),
    "text with a byte order mark": b"\xef\xbb\xbf" + NOTICES[-1].text.encode(),
    "text in UTF-16": NOTICES[-1].text.encode("utf-16"),
    "text in GB18030": NOTICES[-1].text.encode("gb18030"),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_the_notice_is_the_same_notice(data: bytes) -> None:
    reading = read_file(data, BEFORE, heading=HEADING)
    assert [str(complaint) for complaint in reading.complaints] == []
    assert reading.notice() == THIS_YEAR


def test_a_file_for_a_year_that_has_its_notice_is_read_as_what_it_changes() -> None:
    days = holiday_cn(THIS_YEAR)
    days["days"] = [item for item in days["days"] if item["date"] not in ("2026-05-05", "2026-05-09")]
    heading = Heading(doc="国办发明电〔2026〕2号", signed=d("2026-03-20"))
    reading = read_file(json.dumps(days).encode(), shipped_notices(), heading=heading)
    assert reading.amends == THIS_YEAR.doc
    assert (reading.cancel_off, reading.cancel_work) == ((d("2026-05-05"),), (d("2026-05-09"),))
    assert d("2026-05-05") not in arrange([*shipped_notices(), reading.notice()]).off


def test_days_entered_by_hand_are_checked_like_any_notice() -> None:
    days = [("春节", THIS_YEAR.add_off[3] + timedelta(days=n), True) for n in range(9)]
    reading = read_days(days, BEFORE, Heading("辽政办发〔2025〕1号", d("2025-11-05"), d("2025-11-05"), 2026))
    assert "国庆节的法定放假日" in "；".join(map(str, reading.doubts))
    assert reading.spans[0].name == "春节"


REFUSED = {
    "broken JSON": (b'{"days": [', "不是有效的JSON"),
    "deep JSON": (b"[" * 100_000, "不是有效的JSON"),
    "JSON of something else": (b'{"hello": 1}', "未知字段：hello"),
    "days that are no list": (b'{"year": 2026, "days": 7}', "days应为日期的列表"),
    "a day without a date": (json.dumps(holiday_cn(THIS_YEAR, days=[{"name": "元旦", "isOffDay": True}])).encode(), "这一天看不懂"),
    "text where a truth is due": (json.dumps(holiday_cn(THIS_YEAR, days=[{"name": "元旦", "date": "2026-01-01", "isOffDay": "yes"}])).encode(), "这一天看不懂"),
    "no day at all": (json.dumps(holiday_cn(THIS_YEAR, days=[])).encode(), "没有任何放假或上班的日期"),
    "off and worked": (ics(("元旦 休", "20260103", ""), ("元旦 班", "20260103", "")).encode(), "既列为放假又列为上班"),
    "an event with hours": (CALENDAR_FILE.replace("DTSTART;VALUE=DATE:20260619", "DTSTART:20260619T090000Z").encode(), "不是写明日期的全天日程：“端午节”"),
    "an event about something else": (ics(("团建", "20260701", "")).encode(), "看不出是放假还是上班：“团建”"),
    "an event of months": (ics(("暑假放假", "20260701", "20260901")).encode(), "不是写明日期的全天日程"),
    "a broken calendar": (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:2026\r\nEND:VEVENT\r\n", ""),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "文件不是文字"),
    "a large file": (b"1" * (FILE_MAX + 1), "不像是一份放假通知"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize(("data", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_is_no_notice_is_refused_in_words(data: bytes, complaint: str) -> None:
    reading = read_file(data, BEFORE, heading=HEADING)
    assert reading.errors
    assert complaint in "；".join(map(str, reading.errors))


def test_what_the_paper_says_and_the_file_does_not_is_asked_for() -> None:
    errors = "；".join(map(str, read_file(CALENDAR_FILE.encode(), BEFORE).errors))
    assert "请填写通知的文号" in errors
    assert "请填写通知落款的日期" in errors


def test_a_reading_is_shown_as_plain_values() -> None:
    shown = read_file(CALENDAR_FILE.encode(), BEFORE, heading=HEADING).as_json()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["festivals"][1] | {"said": ""} == {
        "name": "春节", "off": [(date(2026, 2, 15) + timedelta(days=n)).isoformat() for n in range(9)],
        "work": ["2026-02-14", "2026-02-28"], "said": "",
    }  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), [(b" {", "json"), (b"\xef\xbb\xbf[", "json"), (b"begin:vcalendar", "ics"), ("一、".encode(), "text")])
def test_a_file_is_known_by_its_first_characters(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind
