"""Who may see and do what: the table of section "roles and visibility", line by line."""

from __future__ import annotations

from itertools import product

import pytest

from engine.people.actor import Actor
from engine.people.permissions import (
    NOBODY,
    CaseFacts,
    Sight,
    case_scope,
    may,
    may_claim_from,
    may_start,
    may_work,
    must_log_look,
    require,
    sight,
    start_units,
)
from engine.people.posts import BODIES, POSTS, POWERS
from engine.store.errors import NotAllowed

CIVIL, HOUSING, TRAFFIC, CENTRE, GOVERNMENT, CYBER, AUDIT = range(1, 8)
BODIES_OF = frozenset({
    (CENTRE, "leadership_office"), (CENTRE, "platform"), (GOVERNMENT, "leading_group"),
    (GOVERNMENT, "city_government"), (CYBER, "cyberspace"), (AUDIT, "audit"),
})  # fmt: skip

ADMINISTRATORS = ("process_admin", "process_approver", "system_admin", "security_admin", "audit_admin")


def person(unit: int, *posts: str, account: int = 50) -> Actor:
    bodies = frozenset(pair for pair in BODIES_OF if pair[0] == unit)
    return Actor(account, f"p{account}", "某人", unit, f"{unit:03}", "某单位", frozenset((unit, post) for post in posts), bodies)


#: Civil affairs asks housing for data; the platform supplies it; a cyberspace expert was asked.
REQUEST = CaseFacts(
    parties=frozenset({(CIVIL, None), (HOUSING, None), (CENTRE, "platform_operator"), (CYBER, "expert")}),
    handlers=frozenset({8}),
    starter=7,
)
ESCALATED = CaseFacts(REQUEST.parties, REQUEST.handlers, REQUEST.starter, escalated=True)


@pytest.mark.parametrize(
    ("unit", "post", "ordinary", "escalated"),
    [
        (CIVIL, "handler", Sight.FULL, Sight.FULL),
        (CIVIL, "head", Sight.FULL, Sight.FULL),
        (CIVIL, "cataloguer", Sight.FULL, Sight.FULL),
        (CIVIL, "catalogue_reviewer", Sight.FULL, Sight.FULL),
        (HOUSING, "intake", Sight.FULL, Sight.FULL),
        (HOUSING, "business_reviewer", Sight.FULL, Sight.FULL),
        (HOUSING, "security_reviewer", Sight.FULL, Sight.FULL),
        (TRAFFIC, "handler", Sight.NONE, Sight.NONE),
        (TRAFFIC, "head", Sight.NONE, Sight.NONE),
        (CENTRE, "handler", Sight.FULL, Sight.FULL),
        (CENTRE, "reviewer", Sight.FULL, Sight.FULL),
        (CENTRE, "head", Sight.FULL, Sight.FULL),
        (CENTRE, "supervisor", Sight.FULL, Sight.FULL),
        (CENTRE, "platform_operator", Sight.WITHOUT_OPINIONS, Sight.WITHOUT_OPINIONS),
        (GOVERNMENT, "leading_group_member", Sight.NONE, Sight.FULL),
        (GOVERNMENT, "recorder", Sight.NONE, Sight.FULL),
        (CYBER, "expert", Sight.FULL, Sight.FULL),
        (TRAFFIC, "expert", Sight.NONE, Sight.NONE),
        (CIVIL, "expert", Sight.NONE, Sight.NONE),
        (AUDIT, "auditor", Sight.FULL, Sight.FULL),
        (CIVIL, "auditor", Sight.NONE, Sight.NONE),
        (CIVIL, "county_liaison", Sight.FULL, Sight.FULL),
        *((CENTRE, post, Sight.NONE, Sight.NONE) for post in ADMINISTRATORS),
        *((CIVIL, post, Sight.NONE, Sight.NONE) for post in ADMINISTRATORS),
    ],
)
def test_what_each_post_sees_of_a_request(unit: int, post: str, ordinary: Sight, escalated: Sight) -> None:
    assert sight(person(unit, post), REQUEST) is ordinary
    assert sight(person(unit, post), ESCALATED) is escalated


@pytest.mark.parametrize("post", sorted(POSTS))
def test_a_list_shows_exactly_what_the_case_page_would_open(post: str) -> None:
    units = CIVIL, HOUSING, TRAFFIC, CENTRE, GOVERNMENT, CYBER, AUDIT
    for unit, account, facts in product(units, (7, 8, 50), (REQUEST, ESCALATED, CaseFacts(frozenset()))):
        actor = person(unit, post, account=account)
        assert listed(actor, facts) == (sight(actor, facts) is not Sight.NONE), (unit, account, facts)


def listed(actor: Actor, facts: CaseFacts) -> bool:
    """Whether a list restricted to the actor's scope shows the case."""
    scope = case_scope(actor)
    return (
        scope.all
        or (scope.escalated and facts.escalated)
        or any((unit_id, None) in facts.parties for unit_id in scope.unit_ids)
        or bool(scope.pairs & facts.parties)
        or scope.account_id in facts.handlers
        or scope.account_id == facts.starter
    )


def test_who_started_or_worked_on_a_case_sees_it_from_a_new_unit() -> None:
    assert sight(person(TRAFFIC, "handler", account=7), REQUEST) is Sight.FULL
    assert sight(person(TRAFFIC, "handler", account=8), REQUEST) is Sight.FULL
    assert sight(person(TRAFFIC, "platform_operator", account=8), REQUEST) is Sight.WITHOUT_OPINIONS


def test_past_work_opens_no_case_to_an_administrator_or_to_one_without_any_post() -> None:
    assert sight(person(CENTRE, "system_admin", account=7), REQUEST) is Sight.NONE
    assert sight(person(CIVIL, account=7), REQUEST) is Sight.NONE
    assert case_scope(person(CIVIL, account=7)).account_id == NOBODY


def test_a_party_kept_as_an_empty_post_is_every_post() -> None:
    facts = CaseFacts(frozenset({(CIVIL, "")}))
    assert sight(person(CIVIL, "head"), facts) is Sight.FULL
    assert sight(person(CIVIL, "expert"), facts) is Sight.NONE


def test_a_case_that_a_timer_started_belongs_to_nobody_by_accident() -> None:
    assert sight(person(TRAFFIC, "handler"), CaseFacts(frozenset(), starter=None)) is Sight.NONE


def test_only_an_auditors_look_is_logged() -> None:
    assert must_log_look(person(AUDIT, "auditor"), REQUEST)
    assert not must_log_look(person(CENTRE, "handler"), REQUEST)
    assert not must_log_look(person(CIVIL, "handler"), REQUEST)


def test_office_powers_count_only_in_the_office() -> None:
    assert may(person(CENTRE, "head"), "see_all_cases")
    assert may(person(CENTRE, "supervisor"), "supervise")
    assert not may(person(CIVIL, "head"), "see_all_cases")
    # A post elsewhere does not borrow the body of the unit one works in.
    lent = Actor(1, "x", "某人", CENTRE, "024", "中心", frozenset({(CIVIL, "head"), (CENTRE, "expert")}), BODIES_OF)
    assert not may(lent, "see_all_cases")


def test_the_administrators_hold_one_power_each() -> None:
    wanted = {
        "process_admin": {"edit_diagrams"},
        "process_approver": {"approve_diagrams"},
        "system_admin": {"manage_accounts", "operate"},
        "security_admin": {"manage_grants_of_posts"},
        "audit_admin": {"see_logs"},
    }
    assert {post: {power for power in POWERS if may(person(CENTRE, post), power)} for post in ADMINISTRATORS} == wanted


def test_a_missing_power_and_a_missing_person_are_refused_and_a_misspelt_power_is_a_bug() -> None:
    require(person(CENTRE, "system_admin"), "operate")
    with pytest.raises(NotAllowed):
        require(person(CIVIL, "handler"), "operate")
    with pytest.raises(NotAllowed):
        require(None, "operate")
    with pytest.raises(ValueError, match="oprate"):
        may(person(CIVIL, "handler"), "oprate")


def test_a_task_is_for_its_post_in_its_unit() -> None:
    assert may_work(person(HOUSING, "intake"), HOUSING, "intake", None)
    assert not may_work(person(HOUSING, "head"), HOUSING, "intake", None)
    assert not may_work(person(CIVIL, "intake"), HOUSING, "intake", None)
    assert not may_work(person(CENTRE, "head"), HOUSING, "intake", None)


def test_a_claimed_task_is_its_claimers_as_long_as_they_hold_the_post() -> None:
    assert may_work(person(HOUSING, "intake", account=9), HOUSING, "intake", 9)
    assert not may_work(person(HOUSING, "intake", account=10), HOUSING, "intake", 9)
    assert not may_work(person(HOUSING, "head", account=9), HOUSING, "intake", 9)
    assert may_claim_from(person(HOUSING, "intake", account=10), HOUSING, "intake")


def test_a_task_without_a_post_is_for_the_posts_that_work_cases() -> None:
    assert may_work(person(HOUSING, "head"), HOUSING, None, None)
    assert not may_work(person(HOUSING, "expert"), HOUSING, None, None)
    assert not may_work(person(HOUSING, "system_admin"), HOUSING, None, None)


@pytest.mark.parametrize("post", [*ADMINISTRATORS, "auditor"])
def test_no_case_task_can_be_given_to_those_who_only_administer_or_read(post: str) -> None:
    assert not may_work(person(AUDIT, post), AUDIT, post, None)
    assert not may_start(person(AUDIT, post), (post,), AUDIT)


def test_starting_is_for_the_posts_that_the_diagram_names_and_else_for_nobody() -> None:
    assert may_start(person(CIVIL, "handler"), ("handler", "county_liaison"), CIVIL)
    assert not may_start(person(CIVIL, "handler"), ("cataloguer",), CIVIL)
    assert not may_start(person(CIVIL, "handler"), ("handler",), HOUSING)
    assert not may_start(person(CIVIL, "handler"), (), CIVIL)
    assert not may_start(person(CENTRE, "supervisor"), (), CENTRE)


def test_the_start_page_offers_the_units_in_which_one_may_start() -> None:
    both = Actor(1, "x", "某人", CIVIL, "007", "民政", frozenset({(CIVIL, "handler"), (HOUSING, "head")}))
    assert start_units(both, ("handler",)) == {CIVIL}
    assert start_units(both, ("handler", "head")) == {CIVIL, HOUSING}


def test_every_post_power_and_body_has_a_chinese_name() -> None:
    names = [post.label for post in POSTS.values()] + list(POWERS.values()) + list(BODIES.values())
    assert all(name and not name.isascii() for name in names)


def test_a_post_that_no_longer_exists_gives_no_right() -> None:
    ghost = person(CIVIL, "abolished")
    assert sight(ghost, REQUEST) is Sight.NONE
    assert not may_work(ghost, CIVIL, "abolished", None)
