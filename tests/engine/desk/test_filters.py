"""Every filter of the inbox against the plainest way to find the same: look at each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from engine.people.actor import Actor
from engine.people.units import unit_id_of
from engine.process.desk import filters, followed
from engine.process.desk.counts import inbox_counts
from engine.process.desk.tables import Copy
from engine.process.filtering import Asked
from engine.process.inbox import Tab, inbox
from engine.process.lights import light_of
from engine.process.paging import Page
from engine.process.tables import Instance, Task
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.desk.crowd import PROCESSES, UNITS, crowd
from tests.town import Town

TODAY = date(2026, 2, 10)  # where the town's clock stands: a Tuesday
DAYS = [(TODAY + timedelta(days=away)).isoformat() for away in range(-7, 10)]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

#: What an address may ask of any tab; combinations that contradict themselves are passed over.
GIVEN = st.fixed_dictionaries({}, optional={
    "q": st.sampled_from(["公租房", "gzfbz", "公 对象", "gj 群", "2026〕1", "100%", "_", "不存在", "号"]),
    "process": st.sampled_from(PROCESSES), "unit": st.sampled_from(UNITS), "due": st.sampled_from(sorted(filters.DUES)),
    "from": st.sampled_from(DAYS), "to": st.sampled_from(DAYS),
    "light": st.sampled_from(sorted({*filters.LIGHTS, *filters.RECORD_LIGHTS})),
})  # fmt: skip


@pytest.fixture
def reader(town: Town) -> Actor:
    """Somebody with three posts in two units, and a crowd of cases around them."""
    actor = town.joins("reader", "007", "handler", "head", "intake")
    crowd(town.store, actor, [town.joins("other", "007", "handler")])
    return actor


def ask(town: Town, tab: str, given: Mapping[str, str]) -> Asked | None:
    """The question of an address; None where it contradicts itself."""
    with town.store.read() as session:
        try:
            return filters.read_question(filters.options(session), tab, {k: [v] for k, v in given.items()}, town.clock.now()).asked
        except Invalid:
            return None


def all_pages(read: Callable[[str | None], Page[Any]]) -> list[Any]:
    """The lines of all pages, one after the other."""
    lines, after = [], None
    while True:
        page = read(after)
        lines += page.lines
        if page.next is None:
            return lines
        assert page.next != after, "goes on"
        after = page.next


def fits(town: Town, task: Task, given: Mapping[str, str], unit_id: int | None) -> bool:
    """Whether a task is what the address asks for, by its columns alone."""
    now = town.clock.now()
    light = light_of(now, due_at=task.due_at, warn_at=task.warn_at, paused=task.paused, open_=task.state == "open", late=task.late)
    wanted = "red" if given.get("due") == "overdue" else given.get("light")
    first, last = given.get("from", ""), given.get("to", "9999")
    if given.get("due") == "today":
        first = last = TODAY.isoformat()
    elif given.get("due") == "week":
        first, last = "2026-02-09", "2026-02-15"
    dated = bool({"from", "to"} & given.keys()) or given.get("due") in ("today", "week")
    return (
        wanted in (None, light) and ("process" not in given or task.process_key == given["process"])
        and ("unit" not in given or task.case_unit_id == unit_id)
        and all(word.replace("〕", "") in task.search for word in given.get("q", "").split())
        and (not dated or (task.due_day is not None and first <= task.due_day.isoformat() <= last))
    )  # fmt: skip


def test_every_combination_finds_what_looking_at_each_task_finds(town: Town, reader: Actor) -> None:
    with town.store.read() as session:
        tasks = list(session.scalars(select(Task)))
        units = {code: unit_id_of(session, code) for code in UNITS}
    lists: dict[Tab, list[Task]] = {
        "mine": [task for task in tasks if task.state == "open" and task.assignee_id == reader.account_id],
        "posts": [task for task in tasks if task.state == "open" and task.assignee_id is None],
        "done": [task for task in tasks if task.state == "done" and task.completed_by == reader.account_id],
    }
    assert min(len(found) for found in lists.values()) > 10

    @QUICK
    @given(tab=st.sampled_from(sorted(lists)), given=GIVEN, limit=st.sampled_from([1, 3, 200]), windows=st.sampled_from([(1,), (2, 5), (7,), (1000,)]))
    def look(tab: Tab, given: dict[str, str], limit: int, windows: tuple[int, ...]) -> None:
        asked = ask(town, tab, given)
        if asked is None:
            return
        with town.store.read() as session:
            found = all_pages(lambda after: inbox(session, reader, tab, asked, after=after, limit=limit, windows=windows))
        wanted = [task for task in lists[tab] if fits(town, task, given, units.get(given.get("unit", "")))]
        if tab == "done":
            wanted.sort(key=lambda task: (task.completed_at, task.id), reverse=True)
        else:
            wanted.sort(key=lambda task: (task.sort_at, task.id))
        assert [line.task_id for line in found] == [task.id for task in wanted], "each once, in order"

    look()


def test_every_combination_finds_the_cases_that_looking_at_each_finds(town: Town, reader: Actor) -> None:
    with town.store.read() as session:
        cases = {case.id: case for case in session.scalars(select(Instance))}
        tasks = list(session.scalars(select(Task).where(Task.state == "open")))
        units = {code: unit_id_of(session, code) for code in UNITS}
        copies = list(session.scalars(select(Copy)))

    def asked_for(case: Instance, given: dict[str, str], *, lies_at: bool) -> bool:
        of_task = {name: value for name, value in given.items() if name in ("light", "due", "from", "to")}
        unit = units.get(given.get("unit", ""))
        own = [task for task in tasks if task.instance_id == case.id and (not lies_at or unit in (None, task.unit_id))]
        return (
            given.get("process", case.process_key) == case.process_key
            and all(word.replace("〕", "") in case.search for word in given.get("q", "").split())
            and (lies_at or unit in (None, case.unit_id))
            and (not of_task and not (lies_at and unit) or any(fits(town, task, of_task, None) for task in own))
        )

    @QUICK
    @given(tab=st.sampled_from(["started", "copies"]), given=GIVEN, unread=st.booleans(), limit=st.sampled_from([1, 4, 200]))
    def look(tab: str, given: dict[str, str], unread: bool, limit: int) -> None:
        given = {**given, "read": "no"} if unread and tab == "copies" else given
        asked = ask(town, tab, given)
        if asked is None:
            return
        with town.store.read() as session:
            if tab == "started":
                lines = all_pages(lambda after: followed.started(session, reader, asked, after=after, limit=limit))
                wanted = [case.id for case in cases.values() if case.starter_id == reader.account_id and asked_for(case, given, lies_at=True)]
                assert [line.instance_id for line in lines] == sorted(wanted, reverse=True)
                return
            lines = all_pages(lambda after: followed.copies(session, reader, asked, after=after, limit=limit))
        kept = [copy.id for copy in copies if asked_for(cases[copy.instance_id], given, lies_at=False) and not ("read" in given and copy.read_at)]
        assert [line.id for line in lines] == sorted(kept, reverse=True)

    look()


def test_a_case_on_a_list_says_where_it_lies_now(town: Town, reader: Actor) -> None:
    with town.store.read() as session:
        lines = all_pages(lambda after: followed.started(session, reader, after=after))
        tasks = list(session.scalars(select(Task).where(Task.state == "open").order_by(Task.sort_at, Task.id)))
    for line in lines:
        own = [task.id for task in tasks if task.instance_id == line.instance_id]
        assert (line.task.task_id if line.task else None, line.others) == (own[0] if own else None, max(0, len(own) - 1))


def test_a_search_that_looked_at_enough_says_so_and_goes_on(town: Town, reader: Actor) -> None:
    with town.store.read() as session:
        first = inbox(session, reader, "posts", Asked(words=("不存在",)), windows=(2, 3))
        assert first.lines == [] and first.partial and first.next
        whole = inbox(session, reader, "posts", Asked(words=("不存在",)))
        assert whole.lines == [] and not whole.partial and whole.next is None


@pytest.mark.parametrize(("tab", "given", "sentence"), [
    ("mine", {"colour": ["red"]}, "不认识的筛选条件“colour”"),
    ("mine", {"read": ["no"]}, "不认识的筛选条件“read”"),
    ("copies", {"read": ["yes"]}, "“阅知”没有“yes”这一选项"),
    ("mine", {"light": ["pink"]}, "“时限状态”没有“pink”这一选项"),
    ("done", {"light": ["yellow"]}, "“时限状态”没有“yellow”这一选项"),
    ("mine", {"process": ["P99"]}, "“事项”没有“P99”这一选项"),
    ("mine", {"unit": ["1' OR '1"]}, "“单位”没有“1' OR '1”这一选项"),
    ("mine", {"unit": ["007", "013"]}, "“单位”只能填一项"),
    ("mine", {"due": ["tomorrow"]}, "“到期”没有“tomorrow”这一选项"),
    ("mine", {"due": ["overdue"], "light": ["green"]}, "“已逾期”与所选的时限状态矛盾，请只选一项"),
    ("mine", {"due": ["week"], "from": ["2026-02-01"]}, "“本周到期”与时限起止日期只能填一项"),
    ("mine", {"from": ["2026-02-30"]}, "“时限起”应为日期，例如2026-07-01"),
    ("mine", {"to": ["20260210"]}, "“时限止”应为日期，例如2026-07-01"),
    ("mine", {"from": ["2026-02-11"], "to": ["2026-02-10"]}, "时限的起始日期晚于截止日期"),
    ("mine", {"q": ["《》"]}, "关键词不能只有标点"),
    ("mine", {"q": ["长" * 61]}, "关键词不超过60字、5个词"),
    ("mine", {"q": ["一 二 三 四 五 六"]}, "关键词不超过60字、5个词"),
])  # fmt: skip
def test_what_means_nothing_is_refused_with_a_sentence(town: Town, tab: str, given: dict[str, list[str]], sentence: str) -> None:
    with town.store.read() as session, pytest.raises(Invalid) as refusal:
        filters.read_question(filters.options(session), tab, given, town.clock.now())
    assert list(refusal.value.fields.values()) == [sentence]


def test_a_filter_reads_back_in_words_and_in_the_order_of_the_form(town: Town) -> None:
    given = {"due": ["week"], "light": ["yellow"], "q": [" 公租房 "], "unit": ["007"], "process": ["conditional_share"]}
    with town.store.read() as session:
        question = filters.read_question(filters.options(session), "mine", given, town.clock.now())
    assert list(question.given.items()) == [
        ("q", "公租房"), ("process", "conditional_share"), ("unit", "007"), ("light", "yellow"), ("due", "week")]
    assert question.words == ("“公租房”", "有条件共享申请", "市民政局（演示）", "临期", "本周到期")


# -- filters under a name ------------------------------------------------------------------------


def test_a_shared_filter_is_found_by_the_unit_and_deleted_by_its_owner_alone(town: Town) -> None:
    owner, colleague, stranger = town.joins("o", "007", "handler"), town.joins("c", "007", "head"), town.joins("s", "013", "handler")
    kept = filters.keep_filter(town.store, actor=owner, name="本周红灯", tab="posts", given={"light": ["red"], "due": ["overdue"]}, shared=True)
    own = filters.keep_filter(town.store, actor=owner, name="只给自己", tab="mine", given={"q": ["gzf"]}, shared=False)
    with town.store.read() as session:
        assert [(line.name, line.owner, dict(line.query)) for line in filters.kept_filters(session, colleague)] == [
            ("本周红灯", "o", {"light": "red", "due": "overdue"})]
        assert filters.kept_filters(session, stranger) == []
        assert {line.id for line in filters.kept_filters(session, owner)} == {kept, own}
    with pytest.raises(NotAllowed, match="只有保存该筛选的人可以删除"):
        filters.drop_filter(town.store, kept, actor=colleague)
    for person, which in ((stranger, kept), (colleague, own), (owner, 999)):
        with pytest.raises(NotFound):
            filters.drop_filter(town.store, which, actor=person)
    filters.drop_filter(town.store, kept, actor=owner)
    with town.store.read() as session:
        assert filters.kept_filters(session, colleague) == []


def test_a_filter_is_not_kept_without_a_name_twice_or_for_nothing(town: Town) -> None:
    owner = town.joins("o", "007", "handler")

    def keep(name: str = "红灯", tab: str = "mine", **given: list[str]) -> None:
        filters.keep_filter(town.store, actor=owner, name=name, tab=tab, given=given, shared=False)

    keep(light=["red"])
    for act, sentence in (
        (lambda: keep(light=["red"]), "已有名为“红灯”的筛选"), (lambda: keep(" ", light=["red"]), "请填写筛选名称"),
        (lambda: keep("长" * 31, light=["red"]), "不超过30字"), (lambda: keep("空"), "没有任何筛选条件"),
        (lambda: keep("错", light=["pink"]), "没有“pink”这一选项"), (lambda: keep("错", "trash", light=["red"]), "没有这一类待办"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refusal:
            act()
        assert sentence in "".join(refusal.value.fields.values())


def test_unread_copies_are_counted_beside_the_tabs(town: Town, reader: Actor) -> None:
    with town.store.read() as session:
        counts = inbox_counts(session, reader)
        unread = all_pages(lambda after: followed.copies(session, reader, Asked(unread=True), after=after))
        assert counts["copies"] == len(unread) > 3
        assert counts["mine"] == len(all_pages(lambda after: inbox(session, reader, "mine", after=after)))
