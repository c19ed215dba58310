"""The real notices, read as they were published and as people paste them; and what one would meet instead, refused by quoting it."""

from __future__ import annotations

from datetime import date

import pytest

from calendars.edition import Edition
from calendars.errors import NoticeError
from calendars.notice_text import read_text
from calendars.notices import Notice, shipped_notices
from calendars.reading import Reading
from tests.calendars.days import d
from tests.calendars.published import NOTICES, Published

SHIPPED = {notice.doc: notice for notice in shipped_notices()}
BEFORE_2026 = shipped_notices()[:-1]
THIS_YEAR = NOTICES[-1]


def known_before(published: Published) -> list[Notice]:
    place = [notice.doc for notice in NOTICES].index(published.doc)
    return [SHIPPED[notice.doc] for notice in NOTICES[:place]]


def read(text: str) -> Reading:
    """The notice for 2026, or a variant of it."""
    return read_text(text, BEFORE_2026)


@pytest.mark.parametrize("published", NOTICES, ids=lambda notice: notice.doc)
def test_every_notice_since_2018_is_read_as_we_know_it(published: Published) -> None:
    reading = read_text(published.text, known_before(published), published=published.published)
    assert [str(complaint) for complaint in reading.complaints] == []
    assert reading.notice() == SHIPPED[published.doc]


def test_the_calendar_built_from_the_texts_is_the_calendar_that_ships() -> None:
    known: list[Notice] = []
    for published in NOTICES:
        known.append(read_text(published.text, known, published=published.published).notice())
    assert Edition.of(known).fingerprint == Edition.of(shipped_notices()).fingerprint


WIDE = str.maketrans("0123456789", "０１２３４５６７８９")

PASTED = {
    "full width": THIS_YEAR.text.translate(WIDE),
    "half-width brackets": THIS_YEAR.text.replace("（", "(").replace("）", ")"),
    "星期": THIS_YEAR.text.replace("周", "星期"),
    "stray spaces": THIS_YEAR.text.replace("月", " 月 ").replace("日", "日 ").replace("（", " （\u3000"),
    "no-break and zero-width spaces": THIS_YEAR.text.replace("月", "月\u00a0").replace("天", "天\u200b"),
    "other dashes": THIS_YEAR.text.replace("至", "—"),
    "broken lines": THIS_YEAR.text.replace("放假调休，", "放假\n调休，\n").replace("至9日", "至\n9日"),
    "half-width commas": THIS_YEAR.text.replace("，", ","),
    "joined by a comma": THIS_YEAR.text.replace("共3天。1月4日", "共3天，1月4日"),
    "Chinese numerals in the signature": THIS_YEAR.text.replace("2025年11月4日", "二〇二五年十一月四日"),
    "page furniture": "索 引 号：000014349/2025-00099　主题分类：综合政务\n发布日期：2025年11月04日 15:00　来源：新华社\n【字体：大 中 小】 打印\n"
    + THIS_YEAR.text + "\n责任编辑：演示 2025年11月04日",
    "the number in square brackets": THIS_YEAR.text.replace("〔2025〕", "[2025]"),
}


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED.keys())
def test_text_copied_from_a_page_is_read_all_the_same(text: str) -> None:
    reading = read(text)
    assert [str(complaint) for complaint in reading.complaints] == []
    assert reading.notice() == SHIPPED[THIS_YEAR.doc]


REFUSED = {
    "wrong weekday": ("5月9日（周六）上班", "5月9日（周日）上班", "5月9日是周六，不是周日"),
    "wrong count": ("10月1日（周四）至7日（周三）放假调休，共7天", "10月1日（周四）至7日（周三）放假调休，共8天", "共8天，而2026-10-01至2026-10-07是7天"),
    "an impossible month": ("4月4日（周六）至6日", "14月4日（周六）至6日", "没有2026年14月4日这一天"),
    "an impossible day": ("6月19日（周五）至21日（周日）", "6月31日（周五）至33日（周日）", "没有2026年6月31日这一天"),
    "make-up day in the week": ("5月9日（周六）上班", "5月8日（周五）上班", "调休上班日2026-05-08不是周六或周日"),
    "turned about": ("4月4日（周六）至6日（周一）放假，共3天", "4月6日（周一）至4日（周六）放假，共3天", "前后颠倒"),
    "an unread clause": ("5月9日（周六）上班。", "5月9日（周六）上班。10月8日的安排另行通知。", "含有日期，但看不出是放假还是上班：“10月8日的安排另行通知”"),
    "a day twice": ("9月20日（周日）、10月10日", "9月20日（周日）、9月20日（周日）、10月10日", "2026-09-20在上班中出现了两次"),
    "off and worked": ("9月20日（周日）、", "10月4日（周日）、", "2026-10-04同时列入放假日和调休上班日"),
    "words in the bracket": ("5月9日（周六）上班", "5月9日（周六、仅限窗口）上班", "括号内的“仅限窗口”看不懂"),
    "no number": ("国办发明电〔2025〕7号", "", "没有文号"),
    "no signature": ("2025年11月4日", "", "没有成文日期"),
    "no year": ("关于2026年", "关于来年", "看不出是哪一年"),
}


@pytest.mark.parametrize(("old", "new", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_a_corrupted_notice_is_refused_by_quoting_it(old: str, new: str, complaint: str) -> None:
    assert old in THIS_YEAR.text
    reading = read(THIS_YEAR.text.replace(old, new))
    assert complaint in "；".join(str(error) for error in reading.errors)
    with pytest.raises(NoticeError):
        reading.notice()


LOST = {
    "清明节": ["清明节的法定放假日2026-04-05没有列入放假", "放假与调休的天数不平衡"],
    "劳动节": ["劳动节的法定放假日", "放假与调休的天数不平衡"],
    "端午节": ["端午节的法定放假日", "放假与调休的天数不平衡"],
}


@pytest.mark.parametrize("festival", LOST)
def test_a_lost_line_raises_a_doubt_that_names_the_festival(festival: str) -> None:
    text = "\n".join(line for line in THIS_YEAR.text.splitlines() if f"、{festival}：" not in line)
    doubts = "；".join(map(str, read(text).doubts))
    assert all(words in doubts for words in LOST[festival])


def test_a_lost_make_up_day_upsets_the_balance_of_the_year() -> None:
    reading = read(THIS_YEAR.text.replace("9月20日（周日）、", ""))
    assert [str(doubt) for doubt in reading.doubts] == [
        "放假与调休的天数不平衡：工作日放假19天，周末上班5天，相抵14天，而2026年法定节假日共13天"
    ]
    assert reading.notice().add_work == tuple(day for day in SHIPPED[THIS_YEAR.doc].add_work if day != d("2026-09-20"))


def test_an_advice_to_take_leave_is_kept_as_a_remark_and_arranges_nothing() -> None:
    reading = read_text(NOTICES[8].text, known_before(NOTICES[8]))
    assert [remark[:4] for remark in reading.remarks] == ["鼓励各单"]
    assert d("2024-02-09") not in reading.notice().add_off


def test_a_notice_that_stands_already_is_refused() -> None:
    reading = read_text(THIS_YEAR.text, shipped_notices())
    assert "同一文号的通知已经存在" in str(reading.errors[0])


def test_an_amendment_without_what_it_amends_is_refused() -> None:
    assert "没有2019年的放假通知可供调整" in str(read_text(NOTICES[2].text, ()).errors[0])


def test_an_amendment_that_is_silent_about_a_make_up_day_asks() -> None:
    text = NOTICES[2].text.replace("2019年", "2026年").replace("〔2019〕3号", "〔2026〕3号")
    text = text.replace("5月1日至4日放假调休，共4天。4月28日（星期日）、5月5日（星期日）上班", "5月1日至6日放假调休，共6天。5月10日（星期日）上班")
    reading = read_text(text, shipped_notices(), published=date(2026, 3, 22))
    assert "原定2026-05-09上班，本通知没有再提到" in "；".join(map(str, reading.errors))


@pytest.mark.parametrize("text", ["", "   \n", "今天天气很好。", "放假！" * 10, "\x00\x01", "2026" * 4000, "（" * 5000], ids=range(7))
def test_what_is_no_notice_is_refused_without_a_fault(text: str) -> None:
    assert read_text(text, shipped_notices()).errors


def test_a_whole_book_is_refused_before_it_is_read() -> None:
    assert "不像是一份放假通知" in str(read_text("一、元旦：1月1日放假。" * 5000).errors[0])
