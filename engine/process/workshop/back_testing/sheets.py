"""What the pages of back-tests 回测 show: how far one is, its numbers, and the cases that would have gone differently.

The process admin need not be allowed to see a case: a case is named by its number and tells steps, dates and labels of
fields. Who may see it gets a link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, and_, case, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.tables import Instance, Party, Task
from engine.process.workshop.back_testing.commands import CANCELLED, DONE, FAILED, RUNNING, WAITING
from engine.process.workshop.drafts import require_workshop
from engine.process.workshop.tables import BackTest, BackTestCase, Draft
from engine.store.errors import NotFound

#: What differs, with the word for it, gravest first.
KINDS: Mapping[str, str] = {
    "failed": "无法继续", "route": "流向不同", "gained_step": "增加环节", "lost_step": "减少环节", "field": "缺少填写",
    "deadline_missed": "将会逾期", "deadline_met": "不再逾期", "deadline_moved": "截止日变动",
}  # fmt: skip
STATES: Mapping[str, str] = {WAITING: "等待开始", RUNNING: "正在回测", DONE: "已完成", FAILED: "未能完成", CANCELLED: "已取消"}

CASES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class StepLine:
    """What changes at one step, in numbers of cases."""

    step: str
    name: str
    kinds: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class BackTestSheet:
    """A back-test with its numbers."""

    id: int
    draft_id: int
    draft_revision: int
    outdated: bool
    """The draft was saved again since."""
    key: str
    received_from: datetime
    received_until: datetime
    """Exclusive."""
    state: str
    total: int
    done: int
    error: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cases: int
    """Of those done, how many would have gone differently."""
    kinds: Mapping[str, int]
    """Kind → cases, in the order of `KINDS`, those that occur."""
    steps: Sequence[StepLine]

    @property
    def under_way(self) -> bool:
        return self.state in (WAITING, RUNNING)

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def seconds(self) -> int | None:
        """How long it took."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(1, round((self.ended_at - self.started_at).total_seconds()))

    @property
    def last_day(self) -> datetime:
        """An instant of the last day of the period."""
        return datetime.fromtimestamp(self.received_until.timestamp() - 1, self.received_until.tzinfo)


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding of a case."""

    kind: str
    step: str
    name: str
    at: datetime
    text: str
    before: date | datetime | None
    after: date | datetime | None
    moves: bool
    """Whether it is about a date, given or not."""
    parts: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case that would have gone differently."""

    id: int
    instance_id: int
    number: str
    kinds: Sequence[str]
    findings: Sequence[FindingLine]
    visible: bool
    """Whether the reader may open the case."""

    @property
    def parting(self) -> FindingLine | None:
        """The point where the case parts from its record; None where it goes on alike."""
        return next((finding for finding in self.findings if finding.parts), None)


@dataclass(frozen=True, slots=True)
class CasePage:
    """Cases, and behind which id the next page begins; None on the last."""

    lines: Sequence[CaseLine]
    next: int | None


def cases_in(session: Session, key: str, periods: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """How many cases of a process were received in each period (end exclusive). One query."""
    if not periods:
        return []
    counts = [
        func.sum(case((and_(Instance.started_at >= since, Instance.started_at < until), 1), else_=0))
        for since, until in periods
    ]
    row = session.execute(select(*counts).where(Instance.process_key == key, Instance.removed_at.is_(None))).one()
    return [int(count or 0) for count in row]


def back_tests_of(session: Session, actor: Actor, draft_id: int) -> list[BackTestSheet]:
    """The back-tests of a draft, newest first. One query. Raises NotAllowed."""
    require_workshop(actor)
    rows = session.execute(_sheets().where(BackTest.draft_id == draft_id).order_by(BackTest.id.desc()).limit(50))
    return [_sheet(*row) for row in rows]


def back_test_sheet(session: Session, actor: Actor, test_id: int) -> BackTestSheet:
    """A back-test. One query. Raises NotAllowed, NotFound."""
    require_workshop(actor)
    row = session.execute(_sheets().where(BackTest.id == test_id)).first()
    if row is None:
        raise NotFound("没有找到该回测")
    return _sheet(*row)


def _sheets() -> Any:
    return (
        select(BackTest, Account.name, Draft.revision)
        .join(Account, Account.id == BackTest.created_by).join(Draft, Draft.id == BackTest.draft_id)
    )  # fmt: skip


def _sheet(test: BackTest, created_by: str, revision: int) -> BackTestSheet:
    counts = test.counts or {}
    kinds = counts.get("kinds", {})
    steps = [StepLine(step, known["name"], known["kinds"]) for step, known in counts.get("steps", {}).items()]
    return BackTestSheet(
        test.id, test.draft_id, test.draft_revision, revision != test.draft_revision, test.key, test.received_from,
        test.received_until, test.state, test.total, test.done, test.error, created_by, test.created_at, test.started_at,
        test.ended_at, counts.get("cases", 0), {kind: kinds[kind] for kind in KINDS if kind in kinds},
        sorted(steps, key=lambda line: -line.total),
    )  # fmt: skip


def back_test_cases(
    session: Session, actor: Actor, test_id: int, *, kind: str = "", after: int = 0, most: int = CASES_SHOWN
) -> CasePage:
    """The cases of a back-test that would have gone differently, by id; those with findings of a kind if one is given."""
    require_workshop(actor)
    query = select(BackTestCase).where(BackTestCase.back_test_id == test_id, BackTestCase.id > after)
    if kind in KINDS:
        query = query.where(cast(BackTestCase.kinds, Text).like(f'%"{kind}"%'))
    rows = session.scalars(query.order_by(BackTestCase.id).limit(most + 1)).all()
    shown = rows[:most]
    visible = _visible(session, actor, [row.instance_id for row in shown])
    lines = [_case(row, row.instance_id in visible) for row in shown]
    return CasePage(lines, shown[-1].id if len(rows) > most else None)


def every_case(session: Session, actor: Actor, test_id: int) -> Iterator[CaseLine]:
    """All cases of a back-test that would have gone differently, read page by page."""
    after: int | None = 0
    while after is not None:
        page = back_test_cases(session, actor, test_id, after=after, most=500)
        yield from page.lines
        after = page.next


def _case(row: BackTestCase, visible: bool) -> CaseLine:
    return CaseLine(row.id, row.instance_id, row.number, row.kinds, [_finding(kept) for kept in row.findings], visible)


def _finding(kept: Mapping[str, Any]) -> FindingLine:
    return FindingLine(
        kept["kind"], kept["step"], kept["name"], datetime.fromisoformat(kept["at"]), kept["text"],
        _moment(kept.get("before")), _moment(kept.get("after")), "before" in kept, bool(kept.get("parts")),
    )  # fmt: skip


def _moment(text: str | None) -> date | datetime | None:
    if text is None:
        return None
    return date.fromisoformat(text) if len(text) == len("2026-01-01") else datetime.fromisoformat(text)


def _visible(session: Session, actor: Actor, instance_ids: Sequence[int]) -> set[int]:
    """Which of these cases the reader may open, as `permissions.case_scope` says. One query at most."""
    scope = permissions.case_scope(actor)
    if scope.all or not instance_ids:
        return set(instance_ids)
    ways: list[Any] = [Instance.escalated.is_(True)] if scope.escalated else []
    if scope.account_id != permissions.NOBODY:
        worked = exists().where(Task.instance_id == Instance.id, Task.completed_by == scope.account_id)
        ways += [Instance.starter_id == scope.account_id, worked]
    for unit_id, post in sorted({(unit_id, "") for unit_id in scope.unit_ids} | scope.pairs):
        ways.append(exists().where(Party.instance_id == Instance.id, Party.unit_id == unit_id, Party.post == post))
    if not ways:
        return set()
    return set(session.scalars(select(Instance.id).where(Instance.id.in_(instance_ids), or_(*ways))))
