"""The filters of the inbox: what the parameters of its address ask, in values and in words, and the filters kept under a name.

The address is the filter: it can be sent to a colleague, and stays as it is over claiming and paging. So nothing in it is passed
over: a parameter that nobody knows, or a value that means nothing, is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from calendars.deadline import shanghai_day, start_of
from engine.people.actor import Actor
from engine.people.tables import Account, Unit
from engine.process.definitions import THERE
from engine.process.desk.tables import SavedFilter
from engine.process.filtering import NOTHING, Asked, AskedLight
from engine.process.searching import WORDS_MAX, words_of
from engine.process.tables import Definition
from engine.store.errors import Invalid, NotAllowed, NotFound
from engine.store.store import Store, Work, command

#: The tabs of the inbox, in their order: of tasks, then of cases.
TABS = {"mine": "我的待办", "posts": "岗位待办", "done": "已办", "copies": "抄送我的", "started": "我发起的"}
#: What the parameters are called on the screen, in the order of their words.
NAMES = {"q": "关键词", "process": "事项", "unit": "单位", "light": "时限状态", "due": "到期", "from": "时限起", "to": "时限止", "read": "阅知"}
LIGHTS: Mapping[AskedLight, str] = {"red": "逾期", "yellow": "临期", "green": "正常", "paused": "暂停计时", "none": "不限时"}
RECORD_LIGHTS: Mapping[AskedLight, str] = {"red": "逾期办结", "done": "按时办结"}
DUES = {"today": "今天到期", "week": "本周到期", "overdue": "已逾期"}
TEXT_MAX = 60
NAME_MAX = 30
#: How many filters somebody may keep for the inbox, and as many for programs.
KEPT_MAX = 50
#: In the place of the tab: a filter that a program keeps (`outside.filters`). The inbox does not know it, nor does it take up room there.
OUTSIDE = "api"


@dataclass(frozen=True, slots=True)
class Options:
    """What a filter may name."""

    processes: Mapping[str, str]
    """Key → name."""
    units: Mapping[str, str]
    """Code → name."""
    unit_ids: Mapping[str, int] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A filter as it was read: the parameters that were given, what they ask, and the same in words."""

    given: Mapping[str, str]
    asked: Asked = NOTHING
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """A filter under a name, as somebody finds it; `owner` is the name of a colleague who shares it, None for one's own."""

    id: int
    name: str
    tab: str
    query: Mapping[str, str]
    owner: str | None
    shared: bool


def options(session: Session) -> Options:
    """The processes and the units that there are. One query."""
    rows: Sequence[Any] = session.execute(union_all(
        select(literal("process"), Definition.key, Definition.name, Definition.version.label("place"), null()).where(THERE),
        select(literal("unit"), Unit.code, Unit.name, literal(0), Unit.id).where(Unit.active),
    ).order_by("place")).all()  # fmt: skip
    units = sorted(((code, name, unit_id) for kind, code, name, _, unit_id in rows if kind == "unit"))
    return Options(
        {key: name for kind, key, name, _, _ in rows if kind == "process"},
        {code: name for code, name, _ in units}, {code: unit_id for code, _, unit_id in units},
    )


def lights_of(tab: str) -> Mapping[AskedLight, str]:
    """The lights that a tab can be asked for."""
    return RECORD_LIGHTS if tab == "done" else LIGHTS


def read_question(found: Options, tab: str, given: Mapping[str, Sequence[str]], now: datetime) -> Question:
    """What the parameters of an address ask of a tab. Raises Invalid with a sentence for each that means nothing."""
    values, errors = {}, {}
    for name, texts in given.items():
        wanted = {text.strip() for text in texts} - {""}
        if name not in NAMES or (name == "read" and tab != "copies"):
            errors[name] = f"不认识的筛选条件“{name[:TEXT_MAX]}”"
        elif len(wanted) > 1:
            errors[name] = f"“{NAMES[name]}”只能填一项"
        elif wanted:
            values[name] = wanted.pop()
    ordered = {name: values[name] for name in NAMES if name in values}
    reader = _Reader(found, tab, ordered, shanghai_day(now), errors)
    asked = reader.read()
    if errors:
        raise Invalid(errors)
    return Question(ordered, asked, tuple(reader.words))


class _Reader:
    """Reads the parameters one by one, and gathers what is wrong and the words."""

    def __init__(self, found: Options, tab: str, given: Mapping[str, str], today: date, errors: dict[str, str]) -> None:
        self.found, self.tab, self.given, self.today, self.errors = found, tab, given, today, errors
        self.words: list[str] = []

    def read(self) -> Asked:
        words = self._text()
        process, unit = self._one("process", self.found.processes), self._one("unit", self.found.units)
        light = self._light()
        since, until = self._days()
        if self._one("read", {"no": "未阅"}):
            self.words.append("未阅")
        return Asked(
            process=process, unit_id=self.found.unit_ids[unit] if unit else None, light=light,
            since=start_of(since) if since else None, until=start_of(until + timedelta(days=1)) if until else None,
            words=words, unread="read" in self.given,
        )

    def _one(self, name: str, known: Mapping[str, str]) -> str | None:
        value = self.given.get(name)
        if value is None:
            return None
        if value not in known:
            self.errors[name] = f"“{NAMES[name]}”没有“{value[:TEXT_MAX]}”这一选项"
            return None
        if name in ("process", "unit"):
            self.words.append(known[value])
        return value

    def _text(self) -> tuple[str, ...]:
        text = self.given.get("q", "")
        words = words_of(text)
        if len(text) > TEXT_MAX or len(words) > WORDS_MAX:
            self.errors["q"] = f"关键词不超过{TEXT_MAX}字、{WORDS_MAX}个词"
        elif text and not words:
            self.errors["q"] = "关键词不能只有标点"
        if words:
            self.words.append(f"“{text}”")
        return tuple(words)

    def _light(self) -> AskedLight | None:
        lights = lights_of(self.tab)
        chosen: AskedLight | None = next((light for light in lights if light == self.given.get("light")), None)
        if "light" in self.given and chosen is None:
            self.errors["light"] = f"“时限状态”没有“{self.given['light'][:TEXT_MAX]}”这一选项"
        if self.given.get("due") == "overdue":
            if chosen not in (None, "red"):
                self.errors["due"] = "“已逾期”与所选的时限状态矛盾，请只选一项"
            chosen = "red"
        if chosen:
            self.words.append(lights[chosen])
        return chosen

    def _days(self) -> tuple[date | None, date | None]:
        """First and last day of the deadlines that are asked for."""
        since, until, due = self._day("from"), self._day("to"), self.given.get("due")
        if due is not None and due not in DUES:
            self.errors["due"] = f"“到期”没有“{due[:TEXT_MAX]}”这一选项"
        if since and until and since > until:
            self.errors["from"] = "时限的起始日期晚于截止日期"
        if due in ("today", "week"):
            if since or until:
                self.errors["due"] = f"“{DUES[due]}”与时限起止日期只能填一项"
            self.words.append(DUES[due])
            monday = self.today - timedelta(days=self.today.weekday())
            return (self.today, self.today) if due == "today" else (monday, monday + timedelta(days=6))
        if since or until:
            self.words.append(f"时限{since or ''}至{until or ''}")
        return since, until

    def _day(self, name: str) -> date | None:
        text = self.given.get(name)
        if text is None:
            return None
        try:
            day = date.fromisoformat(text)
            if len(text) != len("2026-01-01") or not 1990 <= day.year <= 2200:
                raise ValueError
        except ValueError:
            self.errors[name] = f"“{NAMES[name]}”应为日期，例如2026-07-01"
            return None
        return day


# -- filters under a name -----------------------------------------------------------------------


def kept_filters(session: Session, actor: Actor) -> list[KeptFilter]:
    """The actor's own filters, then those that colleagues share with a unit of the actor. One query."""
    rows = session.execute(
        select(SavedFilter, Account.name).join(Account, Account.id == SavedFilter.account_id)
        .where(SavedFilter.tab.in_(TABS), found_by(actor))
        .order_by(SavedFilter.account_id != actor.account_id, SavedFilter.name, SavedFilter.id)
    ).all()
    return [
        KeptFilter(row.id, row.name, row.tab, row.query, None if row.account_id == actor.account_id else owner, row.unit_id is not None)
        for row, owner in rows
    ]


def found_by(actor: Actor) -> ColumnElement[bool]:
    """The condition for the filters that the actor finds: the own, and those shared with a unit of theirs."""
    return or_(SavedFilter.account_id == actor.account_id, SavedFilter.unit_id.in_(_units(actor)))


@command
def keep_filter(store: Store, *, actor: Actor, name: str, tab: str, given: Mapping[str, Sequence[str]], shared: bool) -> int:
    """Keeps what `given` asks of a tab under a name; shared, the people of the actor's unit find it too. Returns its id.

    Raises Invalid for a name that is missing, too long or taken, for a filter that asks nothing or makes no sense.
    """
    if tab not in TABS:
        raise Invalid({"tab": "没有这一类待办"})
    name = sound_name(name)
    with store.work(actor) as work:
        question = read_question(options(work.session), tab, given, work.now)
        if not question.given:
            raise Invalid({"name": "没有任何筛选条件，无需保存"})
        return add_filter(work, actor, name=name, tab=tab, query=question.given, shared=shared)


def sound_name(name: str) -> str:
    """The name without blanks around it. Raises Invalid for one that is missing or too long."""
    name = name.strip()
    if not name or len(name) > NAME_MAX:
        raise Invalid({"name": f"请填写筛选名称，不超过{NAME_MAX}字"})
    return name


def add_filter(work: Work, actor: Actor, *, name: str, tab: str, query: Mapping[str, Any], shared: bool) -> int:
    """Writes a judged filter; returns its id. Raises Invalid for a name that is taken, or too many filters of the inbox or of programs."""
    beside = TABS if tab in TABS else (tab,)
    own = list(work.session.scalars(
        select(SavedFilter).where(SavedFilter.account_id == actor.account_id, SavedFilter.tab.in_(beside)).with_for_update()
    ))  # fmt: skip
    if any(kept.name == name for kept in own):
        raise Invalid({"name": f"已有名为“{name}”的筛选"})
    if len(own) >= KEPT_MAX:
        raise Invalid({"name": f"最多保存{KEPT_MAX}个筛选，请先删除不用的"})
    row = SavedFilter(account_id=actor.account_id, unit_id=actor.unit_id if shared else None, name=name, tab=tab,
                      query=dict(query), created_at=work.now)
    work.session.add(row)
    work.session.flush()
    return row.id


def change_filter(work: Work, actor: Actor, filter_id: int, *, name: str, tab: str, query: Mapping[str, Any], shared: bool) -> None:
    """Gives a filter of one's own another name, query and readers. Raises NotAllowed, NotFound, Invalid for a name that is taken."""
    row = _own_filter(work, actor, filter_id, (tab,), "只有保存该筛选的人可以修改")
    taken = select(SavedFilter.id).where(
        SavedFilter.account_id == actor.account_id, SavedFilter.tab == tab, SavedFilter.name == name, SavedFilter.id != filter_id
    )  # fmt: skip
    if work.session.scalar(taken) is not None:
        raise Invalid({"name": f"已有名为“{name}”的筛选"})
    row.name, row.query, row.unit_id = name, dict(query), actor.unit_id if shared else None


def _own_filter(work: Work, actor: Actor, filter_id: int, tabs: Collection[str], not_own: str) -> SavedFilter:
    """One of the actor's filters, locked."""
    row = work.session.get(SavedFilter, filter_id, with_for_update=True)
    if row is None or row.tab not in tabs or (row.account_id != actor.account_id and row.unit_id not in _units(actor)):
        raise NotFound("没有找到该筛选")
    if row.account_id != actor.account_id:
        raise NotAllowed(not_own)
    return row


@command
def drop_filter(store: Store, filter_id: int, *, actor: Actor, tabs: Collection[str] = TABS) -> None:
    """Deletes a filter of one of these tabs. Raises NotAllowed for a colleague's, NotFound for what the actor does not find there at all."""
    with store.work(actor) as work:
        work.session.delete(_own_filter(work, actor, filter_id, tabs, "只有保存该筛选的人可以删除"))


def _units(actor: Actor) -> frozenset[int]:
    return actor.units | {actor.unit_id}
