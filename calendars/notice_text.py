"""Reads the text of a holiday notice, as it is published and as people paste it: half- and full-width forms, stray spaces, 周 or 星期.

What is understood is small and strict, because a wrong day is worse than a question: a date with its weekday, a span of days
off with its count, days worked instead, an extension, an advice that arranges nothing. A clause with a date that is none of
these is refused by quoting it. Pure: whether the whole makes sense is for `calendars.reading`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from calendars.notices import Notice, arrange, in_order
from calendars.reading import Complaint, Reading, Span, checked
from calendars.statutory import festivals, known_decrees

#: The festivals of a notice by the names that it may use for them.
FESTIVALS = {
    "元旦": "元旦", "春节": "春节", "清明节": "清明节", "清明": "清明节", "劳动节": "劳动节", "五一": "劳动节", "五一劳动节": "劳动节",
    "国际劳动节": "劳动节", "端午节": "端午节", "端午": "端午节", "中秋节": "中秋节", "中秋": "中秋节", "国庆节": "国庆节", "国庆": "国庆节",
}  # fmt: skip
TEXT_MAX = 20_000

_WEEKDAYS = {name: number for number, names in enumerate(["一", "二", "三", "四", "五", "六", "日天"]) for name in names}
_DATE = r"(?:(?:(\d{4})年)?(\d{1,2})月)?(\d{1,3})日(?:\(([^()]*)\))?"
_DAY = re.compile(_DATE)
_HAS_DATE = re.compile(r"\d{1,2}月\d{1,3}日|\d{1,3}日")
_SPAN = re.compile(rf"{_DATE}(?:(?:至|到|-|—|–|~){_DATE})?(?:共(\d+)天)?(?:,?)(?:放假(?:调休)?|调休放假|休息)(?:(\d+)天)?(?:共(\d+)天)?")
_WORK = re.compile(rf"({_DATE}(?:[、和及]{_DATE})*)起?(?:均|照常|正常|正式)*(?:调休)?上班")
_EXTEND = re.compile(rf"(?:将)?延长(?:(\d{{4}})年)?(\w+?)(?:假期|放假)至{_DATE}")
_COUNT = re.compile(r"共(?:计)?(\d+)天")
_ADVICE = re.compile(r"^(?:鼓励|建议|倡导|提倡|可结合)")
_NUMBERED = re.compile(r"^\(?[一二三四五六七八九十]+[、.)]|^\(?\d{1,2}[、.)](?!\d)")
_META = re.compile(r"^\W*(?:发布时间|发布日期|发文日期|成文日期|生成日期|印发日期|索引号|来源|信息来源|发文字号|文号|标题|发文机关|公文种类|主题分类|主题词|字体|打印|责任编辑|分享)\W*[::]")
_DOC = re.compile(r"[\u4e00-\u9fff]{2,12}[〔\[(【](\d{4})[〕\])】]\d+号")
_TITLE = re.compile(r"关于(?:调整|延长|修改|做好)?(\d{4})年\w*?(?:节假日|假期|放假|休假)\w*(?:安排)?的通知")
_SIGNATURE = re.compile(r"^(?:国务院办公厅|[\u4e00-\u9fff]{2,20}(?:办公厅|人民政府|政府))?(\d{4})年(\d{1,2})月(\d{1,2})日(?:\(此件.*\))?$")
_NUMERALS = {sign: str(number) for number, sign in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}


def read_text(
    text: str, known: Sequence[Notice] = (), *, doc: str = "", published: date | None = None, for_year: int | None = None
) -> Reading:
    """What a notice's text says, with every complaint. `known` are the notices that stand, which an amendment changes.

    `doc`, `published` and `for_year` are what the person adds who pasted the text; where they are not given, the text's own
    number, the day of its signature and the year of its title count.
    """
    if len(text) > TEXT_MAX:
        return Reading(doc, for_year or 0, None, published, complaints=(Complaint(f"文字超过{TEXT_MAX}字，不像是一份放假通知"),))
    return _Reader(known, doc.strip(), published, for_year).read(text)


def plain(text: str) -> str:
    """A line without the differences that mean nothing: full-width digits and brackets, white space, 星期 for 周."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[\s\u200b-\u200f\ufeff\u00ad]+", "", text)
    return re.sub(r"星期|礼拜|周(?=[一二三四五六日天])", "周", text)


@dataclass(slots=True)
class _Arranged:
    """What one numbered section arranges for its festivals."""

    name: str
    off: list[date] = field(default_factory=list)
    work: list[date] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class _Reader:
    """Goes through a text clause by clause."""

    def __init__(self, known: Sequence[Notice], doc: str, published: date | None, for_year: int | None) -> None:
        self.known = [notice for notice in in_order(known) if published is None or notice.published <= published]
        self.doc, self.published, self.year = doc, published, for_year or 0
        self.signed: date | None = None
        self.subject = ""
        self.amending = False
        self.sections: list[_Arranged] = []
        self.extended: list[tuple[str, date]] = []
        self.remarks: list[str] = []
        self.complaints: list[Complaint] = []

    def read(self, text: str) -> Reading:
        body = self._head(text)
        if not self.year:
            self._complain("看不出是哪一年的放假安排：标题中应有“关于××××年……的通知”")
        else:
            for sentence in filter(None, re.split(r"[。;]", body)):
                self._sentence(sentence)
        if self.published is None:
            self.published = self.signed
        return self._reading()

    # -- the frame of the letter ----------------------------------------------------------------

    def _head(self, text: str) -> str:
        """Takes number, title and signature out of the lines; returns the rest as one piece."""
        rest: list[str] = []
        lines = [line for line in map(plain, text.splitlines()) if line]
        title = _TITLE.search("".join(lines))
        if title:
            self.year = self.year or int(title[1])
            self.amending = bool(re.match("关于(?:调整|延长|修改)", title[0]))
            self.subject = next((FESTIVALS[word] for word in FESTIVALS if word in title[0]), "")
        for line in lines:
            number = _DOC.search(line)
            if number and not self.doc:
                self.doc = re.sub(r"[\[(【](\d{4})[\])】]", r"〔\1〕", number[0])
            if _META.match(line) or (number and number[0] == line):
                continue
            signature = _SIGNATURE.match(_arabic(line))
            if signature:
                self.signed = self._date(signature[0], int(signature[1]), int(signature[2]), int(signature[3]))
                continue
            rest.append(line)
        return "".join(rest)

    # -- clauses --------------------------------------------------------------------------------

    def _sentence(self, sentence: str) -> None:
        sentence = _NUMBERED.sub("", sentence)
        name, colon, rest = sentence.partition(":")
        names = [FESTIVALS.get(part.strip("“”\"'")) for part in re.split(r"[、和及]", re.sub(r"^\d{4}年", "", name))]
        if colon and all(names):
            self.sections.append(_Arranged("、".join(filter(None, names))))
            sentence = rest
        elif not _HAS_DATE.search(sentence):
            return
        elif colon:
            sentence = rest  # 经国务院批准…通知如下: and the like
        if not sentence:
            return
        if _ADVICE.match(sentence):
            self.remarks.append(sentence)
            return
        self._clause(sentence)

    def _clause(self, sentence: str) -> None:
        """The parts of a sentence between commas; a part without a date belongs to the one before it."""
        last_off: list[date] = []
        for part in filter(None, re.split(r",(?![^()]*\))", sentence)):
            if not _HAS_DATE.search(part):
                count = _COUNT.search(part)
                if count and last_off:
                    self._count(last_off, int(count[1]), sentence)
                continue
            part = re.sub(r"^其中", "", part)
            if found := _EXTEND.fullmatch(part):
                self._extension(found, sentence)
            elif found := _SPAN.fullmatch(part):
                last_off = self._span(found, sentence)
            elif found := _WORK.fullmatch(part):
                self._work(found[1], sentence)
            elif _ADVICE.match(part):
                self.remarks.append(part)
            else:
                self._complain("含有日期，但看不出是放假还是上班", sentence)
                return

    def _section(self, sentence: str) -> _Arranged:
        if not self.sections:
            named = [found for word, found in FESTIVALS.items() if word in sentence]
            self.sections.append(_Arranged(named[0] if named else self.subject or "放假"))
        section = self.sections[-1]
        if sentence not in section.said:
            section.said.append(sentence)
        return section

    def _span(self, found: re.Match[str], sentence: str) -> list[date]:
        first = self._dated(found.group(1, 2, 3, 4), sentence)
        last = self._dated(found.group(5, 6, 7, 8), sentence, after=first) if found[7] else first
        if first is None or last is None:
            return []
        if not 0 <= (last - first).days < 31:
            self._complain(f"放假从{first}到{last}，前后颠倒或过长", sentence)
            return []
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        for count in filter(None, found.group(9, 10, 11)):
            self._count(days, int(count), sentence)
        self._section(sentence).off.extend(days)
        return days

    def _work(self, dates: str, sentence: str) -> None:
        before: date | None = None
        for found in _DAY.finditer(dates):
            day = self._dated(found.group(1, 2, 3, 4), sentence, after=before)
            if day is None:
                continue
            before = day
            if "起" in sentence and day.weekday() < 5:
                continue  # 2月3日起正常上班: says when the holiday is over, and makes no working day
            self._section(sentence).work.append(day)

    def _extension(self, found: re.Match[str], sentence: str) -> None:
        name = FESTIVALS.get(found[2])
        until = self._dated((found[3], found[4], found[5], found[6]), sentence)
        if name is None:
            self._complain(f"不认识的节日“{found[2]}”", sentence)
        elif until is not None:
            self.amending = True
            self.extended.append((name, until))
            self._section(sentence).name = name

    def _count(self, days: list[date], said: int, sentence: str) -> None:
        if len(days) != said:
            self._complain(f"写明共{said}天，而{days[0]}至{days[-1]}是{len(days)}天", sentence)

    # -- dates ----------------------------------------------------------------------------------

    def _dated(self, parts: Sequence[str | None], sentence: str, *, after: date | None = None) -> date | None:
        """The date that is written, its weekday compared; a month or year not given is that of the date before it."""
        year, month, day, note = parts
        given = int(year) if year else (after.year if after else self.year)
        if month is None and after is None:
            self._complain("日期没有写月份", sentence)
            return None
        number = int(month) if month else (after.month if after else 0)
        if after and not year and month and number < after.month:
            given += 1
        found = self._date(sentence, given, number, int(day or 0))
        if found is not None:
            self._weekday(found, note or "", sentence)
        return found

    def _weekday(self, day: date, note: str, sentence: str) -> None:
        for part in filter(None, re.split(r"[、,]", note)):
            if (named := re.fullmatch(r"周([一二三四五六日天])", part)) is not None:
                if _WEEKDAYS[named[1]] != day.weekday():
                    self._complain(f"{day.month}月{day.day}日是周{'一二三四五六日'[day.weekday()]}，不是{part}", sentence)
            elif not re.fullmatch(r"农历.*|除夕|正月初[一二三四五六七八九十]|腊月.*|.*节|元旦|清明|立春|.*调休|补休", part):
                self._complain(f"日期后括号内的“{part}”看不懂", sentence)

    def _date(self, said: str, year: int, month: int, day: int) -> date | None:
        try:
            return date(year, month, day)
        except ValueError:
            self._complain(f"没有{year}年{month}月{day}日这一天", said)
            return None

    def _complain(self, what: str, quote: str = "") -> None:
        self.complaints.append(Complaint(what, quote))

    # -- the outcome ----------------------------------------------------------------------------

    def _reading(self) -> Reading:
        standing = next((n for n in reversed(self.known) if n.for_year == self.year and n.amends is None), None)
        newest = next((n for n in reversed(self.known) if n.for_year == self.year), None)
        spans = tuple(
            Span(section.name, tuple(section.off), tuple(section.work), "。".join(section.said))
            for section in self.sections if section.off or section.work or section.said
        )  # fmt: skip
        off = [day for span in spans for day in span.off]
        work = [day for span in spans for day in span.work]
        for days, label in ((off, "放假"), (work, "上班")):
            for day in sorted({day for day in days if days.count(day) > 1}):
                self._complain(f"{day}在{label}中出现了两次")
        made = Reading(
            self.doc, self.year, self.signed, self.published, spans=spans, remarks=tuple(self.remarks),
            add_off=tuple(sorted(set(off))), add_work=tuple(sorted(set(work))),
        )  # fmt: skip
        if self.amending:
            made = self._amendment(made, standing, newest)
        if not (made.add_off or made.add_work or made.cancel_off or made.cancel_work) and not self.complaints:
            self._complain("没有读到任何放假或上班的日期")
        return checked(replace(made, complaints=tuple(self.complaints)), self.known)

    def _amendment(self, made: Reading, standing: Notice | None, newest: Notice | None) -> Reading:
        """What an amending notice changes: it names festivals and says their days anew, or lengthens a holiday."""
        if standing is None or newest is None:
            self._complain(f"这是调整通知，但日历中没有{self.year}年的放假通知可供调整")
            return made
        arrangement = arrange(self.known)
        free, worked = set(arrangement.off), set(arrangement.work)
        off, work = set(made.add_off), set(made.add_work)
        gone: set[date] = set()
        for name, until in self.extended:
            block = [day for day in _block(name, self.year, free) if day <= until]
            if not block:
                self._complain(f"日历中没有{self.year}年{name}的放假可以延长")
                continue
            off |= {block[-1] + timedelta(days=n) for n in range(1, (until - block[-1]).days + 1)}
        for span in made.spans:
            if span.off and not self.extended:
                old = {day for part in span.name.split("、") for day in _block(part, self.year, free)}
                gone |= old - off
                for day in sorted(_near(worked, sorted(old | set(span.off))) - work - off):
                    self._complain(f"原定{day}上班，本通知没有再提到：请对照原文，改为手工录入")
        return Reading(
            made.doc, made.for_year, made.signed, made.published, newest.doc if newest.amends is None else standing.doc, made.spans,
            tuple(sorted(off - free)), tuple(sorted(work - worked)), tuple(sorted(gone)), tuple(sorted(worked & off)), made.remarks,
        )  # fmt: skip


def _block(name: str, year: int, free: set[date]) -> list[date]:
    """The unbroken row of arranged days off around a festival's own days, in order."""
    own = [day for day, found in festivals(year, known_decrees(None)).items() if name in found.name.split("、") and day in free]
    found = set(own)
    for day in own:
        for step in (-1, 1):
            at = day + timedelta(days=step)
            while at in free:
                found.add(at)
                at += timedelta(days=step)
    return sorted(found)


def _near(worked: set[date], block: list[date]) -> set[date]:
    """The make-up days that may belong to a holiday: within two weeks of it."""
    reach = timedelta(days=14)
    return {day for day in worked if block and block[0] - reach <= day <= block[-1] + reach}


def _arabic(line: str) -> str:
    """A signature such as 二〇二五年十一月四日 with its numbers in digits; other lines as they are."""
    written = re.search(r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日", line)
    if written is None:
        return line
    year = "".join(_NUMERALS[sign] for sign in written[1])
    month, day = (_small(part) for part in (written[2], written[3]))
    return line.replace(written[0], f"{year}年{month}月{day}日")


def _small(text: str) -> int:
    tens, ten, ones = text.partition("十")
    return (int(_NUMERALS[tens]) if tens else 1) * 10 + (int(_NUMERALS[ones]) if ones else 0) if ten else int(_NUMERALS[text])


def clauses(reading: Reading) -> Iterator[str]:
    """What was read, a line a festival, in the words of a notice: for people to compare with the paper."""
    for span in reading.spans:
        parts = [f"{span.off[0].month}月{span.off[0].day}日至{span.off[-1].month}月{span.off[-1].day}日放假，共{len(span.off)}天"] if span.off else []
        parts += ["、".join(f"{day.month}月{day.day}日" for day in span.work) + "上班"] if span.work else []
        yield f"{span.name}：{'；'.join(parts)}"
