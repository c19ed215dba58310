"""Who may see and do what: the one place that decides, for pages, commands, files and interfaces alike.

Pure functions over an `Actor` and plain facts; no database. The floors above fetch the facts and obey the answer.

Source: the roles that the regulation gives to departments, to the platform's manager, to the leading group and its
office, to the city government and to audit (its general provisions and those on catalogue, sharing, supervision), read
as: everyone sees the cases in which their own unit takes part, the office sees all, the leading group and the city
government see what was escalated to them, an expert sees the one case asked about, auditors read everything and leave
a trace, and those who administer accounts, rights, logs or diagrams never see a case by that post.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from engine.people.actor import Actor
from engine.people.posts import POSTS, POWERS, Post
from engine.store.errors import NotAllowed

#: An account id that nobody has: a list restricted to it is empty.
NOBODY = 0


class Sight(IntEnum):
    """How much of a case an actor sees; more is greater."""

    NONE = 0
    WITHOUT_OPINIONS = 1
    """Everything but what officials wrote as their opinion: the platform's operators supply data, they do not judge."""
    FULL = 2


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a decision about one case needs.

    `parties` are (unit id, post) pairs; post None (or empty, as rows keep it) stands for every case-working post of the
    unit. `handlers` are the accounts that completed or hold a task of it; `starter` is None where a timer started it.
    """

    parties: frozenset[tuple[int, str | None]]
    handlers: frozenset[int] = frozenset()
    starter: int | None = None
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases that an actor's lists may show, as values for a query: any one that matches is enough.

    - `all`: no restriction.
    - `escalated`: those with the escalated mark.
    - `unit_ids`: those with a party (unit, every post) of these units.
    - `pairs`: those with a party (unit, this post).
    - `account_id`: those started or handled by this account; `NOBODY` for an actor who may see no case at all.
    """

    all: bool
    escalated: bool
    unit_ids: frozenset[int]
    pairs: frozenset[tuple[int, str]]
    account_id: int


def powers(actor: Actor) -> frozenset[str]:
    """All powers of an actor. A power tied to a body counts only for a post held in the unit that carries that body."""
    found: set[str] = set()
    for unit_id, post in _held(actor):
        found |= post.powers
        for body, tied in post.powers_in.items():
            if (unit_id, body) in actor.bodies:
                found |= tied
    return frozenset(found)


def may(actor: Actor, power: str) -> bool:
    """Whether the actor has a power. Raises ValueError for a power that does not exist: a typing error must not read as no."""
    if power not in POWERS:
        raise ValueError(f"unknown power {power!r}")
    return power in powers(actor)


def require(actor: Actor | None, power: str) -> None:
    """Raises NotAllowed unless the actor has the power; nobody (None) has none."""
    if actor is None or not may(actor, power):
        raise NotAllowed


def sight(actor: Actor, facts: CaseFacts) -> Sight:
    """How much of a case the actor sees.

    Full: the office's posts and auditors for every case; the leading group and the city government for an escalated
    one; case-working posts for a case in which their unit takes part; a named post for its case; who started or worked
    on it, while they still hold a case-working post. Without opinions: the same for the platform's operators.
    """
    return max(_by_power(actor, facts), _by_work(actor, facts))


def reads_opinions(actor: Actor) -> bool:
    """Whether every case that the actor sees shows its opinions, and looking at one leaves no trace: then a list may quote them."""
    held = [post for _, post in _held(actor)]
    return all(post.opinions for post in held if post.works_cases) and not watches(actor)


def must_log_look(actor: Actor, facts: CaseFacts) -> bool:
    """Whether this look at a case must be written to the history: an auditor's, where no work of their own brings them there."""
    return watches(actor) and _by_work(actor, facts) is Sight.NONE


def watches(actor: Actor) -> bool:
    """Whether the actor holds a post whose looks at cases go on record (an auditor's)."""
    return any(post.sees == "watch" for _, post in _held(actor))


def case_scope(actor: Actor) -> Scope:
    """The same decision as `sight`, as values for the query of a list. (Whether opinions show is `sight`'s to say.)"""
    working = [(unit_id, post) for unit_id, post in _held(actor) if post.works_cases]
    given = powers(actor)
    return Scope(
        all="see_all_cases" in given,
        escalated="see_escalated" in given,
        unit_ids=frozenset(unit_id for unit_id, post in working if post.sees == "unit"),
        pairs=frozenset((unit_id, post.key) for unit_id, post in working),
        account_id=actor.account_id if working else NOBODY,
    )


def may_work(actor: Actor, unit_id: int, post: str | None, assignee_id: int | None) -> bool:
    """Whether the actor may work on a task of that post in that unit (post None: of any case-working post there).

    A task that somebody claimed is theirs alone; a claim does not outlive the post: who was dismissed works no longer.
    """
    if assignee_id is not None and assignee_id != actor.account_id:
        return False
    return _holds_one(actor, unit_id, (post,) if post else ())


def may_claim_from(actor: Actor, unit_id: int, post: str | None) -> bool:
    """Whether the actor belongs to those whom a task of that post concerns, whoever holds it now.

    Tells a colleague who came too late ("already claimed") from a stranger ("not yours").
    """
    return _holds_one(actor, unit_id, (post,) if post else ())


def may_urge(actor: Actor, *, involved: bool) -> bool:
    """Whether the actor may urge a task of a case: `involved` started it or completed a step of it, and still works on cases;
    or they supervise."""
    return may(actor, "supervise") or (involved and any(post.works_cases for _, post in _held(actor)))


def may_show(actor: Actor, facts: CaseFacts, *, task: tuple[int, str] | None = None) -> bool:
    """Whether the actor may show a case to others 抄送: who started it, worked on it or may work on its `task` (unit, post)."""
    if sight(actor, facts) is Sight.NONE:
        return False
    own = actor.account_id in facts.handlers or actor.account_id == facts.starter
    return own or (task is not None and may_claim_from(actor, *task))


def may_arrange_absence(actor: Actor, account_id: int, unit_id: int) -> bool:
    """Whether the actor may enter or end a leave of an account whose home is that unit: one's own, the unit's head's, or a supervisor's."""
    if actor.account_id == account_id or may(actor, "supervise"):
        return True
    return any(unit == unit_id and "arrange_absences" in post.powers for unit, post in _held(actor))


def may_start(actor: Actor, start_posts: Collection[str], unit_id: int, body: str | None = None) -> bool:
    """Whether the actor may start a process for that unit.

    The diagram names the posts that may; one that names none is started by the calendar or by another process, never by
    a person. Where it names a body, only the unit that carries it may start the process.
    """
    if body is not None and (unit_id, body) not in actor.bodies:
        return False
    return bool(start_posts) and _holds_one(actor, unit_id, start_posts)


def start_units(actor: Actor, start_posts: Collection[str], body: str | None = None) -> frozenset[int]:
    """The units for which the actor may start a process with those start posts: what a start page offers."""
    return frozenset(unit_id for unit_id in actor.units if may_start(actor, start_posts, unit_id, body))


def _held(actor: Actor) -> list[tuple[int, Post]]:
    """The actor's posts; one that `posts.json` no longer knows gives no right."""
    return [(unit_id, POSTS[post]) for unit_id, post in actor.appointments if post in POSTS]


def _holds_one(actor: Actor, unit_id: int, wanted: Collection[str]) -> bool:
    """Whether a case-working post among `wanted` (none given: any that sees its unit's cases) is held in the unit."""
    return any(
        unit == unit_id and post.works_cases and (post.key in wanted if wanted else post.sees == "unit")
        for unit, post in _held(actor)
    )


def _by_power(actor: Actor, facts: CaseFacts) -> Sight:
    given = powers(actor)
    return Sight.FULL if "see_all_cases" in given or (facts.escalated and "see_escalated" in given) else Sight.NONE


def _by_work(actor: Actor, facts: CaseFacts) -> Sight:
    """What the actor's own posts, and own work on the case, let them see."""
    working = [(unit_id, post) for unit_id, post in _held(actor) if post.works_cases]
    own = actor.account_id in facts.handlers or actor.account_id == facts.starter
    seeing = [
        post for unit_id, post in working
        if own
        or (unit_id, post.key) in facts.parties
        or (post.sees == "unit" and ((unit_id, None) in facts.parties or (unit_id, "") in facts.parties))
    ]
    if not seeing:
        return Sight.NONE
    return Sight.FULL if any(post.opinions for post in seeing) else Sight.WITHOUT_OPINIONS
