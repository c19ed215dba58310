"""The inbox of a person with several posts, and the office's board, at growing numbers of open tasks.

The rows are put into the tables in bulk, for this benchmark only. What matters of them is as in life: spread over all
units, six posts and three processes, a fifth of them claimed by somebody, some without a deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import func, select, text, update

from benchmarks.browser import served
from benchmarks.ground import SHARE, Ground, analyze
from benchmarks.measure import Act, in_turns
from benchmarks.report import Table, ms
from engine.people.tables import Account, Unit
from engine.process import inbox, queries
from engine.process.desk.counts import inbox_counts
from engine.process.filtering import NOTHING, Asked
from engine.process.paging import write_cursor
from engine.process.tables import FAR, Task

OFTEN = Asked(words=("共享",))
NEVER = Asked(words=("zzqq",))
SEVERAL = Asked(process=SHARE, light="yellow", words=("共享",))
SIZES = (1_000, 100_000, 1_000_000)
#: Rows of one INSERT … SELECT, so that no statement runs for minutes.
_CHUNK = 200_000
_POSTS = ("handler", "head", "intake", "business_reviewer", "security_reviewer", "supervisor")
_KEYS = (SHARE, "supervision", "negative_list_entry")


def run(ground: Ground, rounds: int, sizes: Sequence[int] = SIZES) -> list[Table]:
    """Figures of one database."""
    columns = ("", *(f"{size:,}: p50" for size in sizes), *(f"{size:,}: p95" for size in sizes))
    table = Table(f"Lists by number of open tasks, {ground.kind}", columns, "Milliseconds; a page shows 50 lines.")
    found = []
    instance = ground.start_share()
    with served(ground.url, ground.folder) as (person, bare):
        actor = ground.actor

        def query(read: Callable[..., object], *arguments: object, **options: object) -> Act:
            def act() -> None:
                with ground.store.read() as session:
                    read(session, actor, *arguments, **options)

            return act

        for size in sizes:
            _fill(ground, instance, size)
            person.reconnect()
            bare.reconnect()
            middle = _middle(ground)
            found.append(in_turns(rounds, {
                "bare Flask request": lambda: bare.get("/"),
                "inbox, my posts: queries": query(inbox.inbox, "posts"),
                "inbox, my posts, deep in the list: queries": query(inbox.inbox, "posts", after=middle),
                "inbox, mine: queries": query(inbox.inbox, "mine"),
                "counts of the tabs: query": query(inbox_counts),
                "inbox, my posts, filter that matches often: queries": query(inbox.inbox, "posts", OFTEN),
                "inbox, my posts, three filters: queries": query(inbox.inbox, "posts", SEVERAL),
                "inbox, my posts, words that never match: queries": query(inbox.inbox, "posts", NEVER),
                "inbox, my posts, yellow: page over HTTP": lambda: person.get("/inbox/posts?light=yellow"),
                "inbox, my posts: page over HTTP": lambda: person.get("/inbox/posts"),
                "inbox, mine: page over HTTP": lambda: person.get("/inbox/mine"),
            }))  # fmt: skip
            slow = in_turns(max(3, rounds // 20), {
                "board: query": query(queries.board),
                "board: page over HTTP": lambda: person.get("/board"),
            }, warm_up=1)  # fmt: skip
            found[-1].update(slow)
    for name in found[0]:
        table.add(name, *(ms(times[name].p50) for times in found), *(ms(times[name].p95) for times in found))
    return [table]


def own_posts(ground: Ground, rounds: int, sizes: Sequence[int] = (1_000, 100_000)) -> list[Table]:
    """The worst that a filter can meet: all the open tasks of the town wait for one post of one person."""
    columns = ("", *(f"{size:,}: p50" for size in sizes), *(f"{size:,}: p95" for size in sizes), "ratio")
    note = "Milliseconds of the queries of a page of 50 lines; the ratio is between the sizes."
    table = Table(f"Filters by number of open tasks in one's own post, {ground.kind}", columns, note)
    found = []
    instance = ground.start_share()

    def query(asked: Asked, after: str | None = None) -> Act:
        def act() -> None:
            with ground.store.read() as session:
                inbox.inbox(session, ground.actor, "posts", asked, after=after)

        return act

    for size in sizes:
        _fill(ground, instance, size)
        _gather(ground)
        found.append(in_turns(rounds, {
            "no filter": query(NOTHING),
            "words that match often": query(OFTEN),
            "words that match one line in a thousand": query(Asked(words=("bulk777",))),
            "words that never match": query(NEVER),
            "a process that is not there": query(Asked(process="nowhere")),
            "yellow": query(Asked(light="yellow")),
            "paused": query(Asked(light="paused")),
            "process, yellow and words": query(SEVERAL),
            "words that never match, from the middle on": query(NEVER, _middle(ground)),
        }))  # fmt: skip
    for name in found[0]:
        p50 = [times[name].p50 for times in found]
        table.add(name, *(ms(one) for one in p50), *(ms(times[name].p95) for times in found), f"{p50[-1] / p50[0]:.1f}")
    return [table]


def _gather(ground: Ground) -> None:
    """Puts every task into the first post of the person, unclaimed."""
    unit_id, post = sorted(ground.actor.appointments)[0]
    with ground.store.work() as work:
        work.session.execute(update(Task).values(unit_id=unit_id, post=post, assignee_id=None))
    if ground.kind == "postgresql":  # as autovacuum does; an index answers for itself only where the rows are known to be visible
        with ground.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM task")
    analyze(ground)


#: An instant within sixty days around now, by the number `n` of the row.
_INSTANT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '-20 days', (n * 7919 % 5184000) || ' seconds')",
    "postgresql": "now() - interval '20 days' + (n * 7919 % 5184000) * interval '1 second'",
}
_DAY = {"sqlite": "date('now', (n % 60 - 20) || ' days')", "postgresql": "current_date + (n % 60 - 20)::int"}
#: A share of the rows that has nothing to do with the unit: `n / units` and so on are different digits of n.
_BULK = """
    INSERT INTO task (instance_id, token, step, name, process_key, process_name, number, title, search, unit_id, post, assignee_id,
                      state, opened_at, due_at, due_day, warn_at, provisional, paused, sort_at, late)
    WITH RECURSIVE series(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :last)
    SELECT instance.id, 'bulk' || n, 'Task_Reply', '答复', {key}, instance.title, instance.number, instance.title,
           instance.search || ' bulk' || (n % 1000), 1 + n % :units, {post}, CASE n / :units / 6 % 5 WHEN 0 THEN 1 + n / :units % :accounts END,
           'open', instance.started_at, {due}, {day}, {due}, false, false, coalesce({due}, {far}), false
    FROM series JOIN instance ON instance.id = :instance
"""


def _fill(ground: Ground, instance_id: int, size: int) -> None:
    """Adds open tasks until there are `size`."""
    with ground.store.work() as work:
        session = work.session
        present, units, accounts = (session.scalar(select(func.max(column))) for column in (Task.id, Unit.id, Account.id))
        statement = text(_BULK.format(
            key=_choice("n / :units / 30 % 3", _KEYS), post=_choice("n / :units % 6", _POSTS), day=_DAY[ground.kind],
            due=f"CASE WHEN n / :units / 90 % 10 > 0 THEN {_INSTANT[ground.kind]} END",
            far=f"'{FAR[:10]} 00:00:00.000000'" if ground.kind == "sqlite" else f"timestamptz '{FAR}'",
        ))  # fmt: skip
        for first in range(present or 0, size, _CHUNK):
            last = min(first + _CHUNK, size)
            session.execute(statement, {"first": first, "last": last, "units": units, "accounts": accounts, "instance": instance_id})
    analyze(ground)


def _choice(number: str, values: Sequence[str]) -> str:
    whens = " ".join(f"WHEN {place} THEN '{value}'" for place, value in enumerate(values))
    return f"CASE {number} {whens} END"


def _middle(ground: Ground) -> str:
    """A cursor in the middle of the list."""
    return write_cursor(ground.store.clock.now(), 0)
