"""Deployment: two persons, effective dates, immutability, and what the check refuses by name."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.process.check import check
from engine.process.definitions import NotDeployable, deploy, in_force
from engine.process.package import Package
from engine.process.tables import Definition
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.interpreter.diagrams import call, diagram, element, timer
from tests.engine.process.office import Office, form, text

TASK = element("reply", name="答复", unit="'B'", post="handler")


def reply_within(days: int, **more: Any) -> Package:
    return Package("test_rules", diagram(
        "start > user:reply > end", "due > end:d", TASK,
        timer("reply", "due", workingDays=days, role="deadline", statutoryMax=10, article="第十五条"), startPosts="handler", **more,
    ))


def deploy_as(office: Office, package: Package, by: str = "petra", approved: str = "paul", **more: Any) -> int:
    return deploy(office.store, package, actor=office[by], approved_by=office[approved], reason="缩短答复时限", **more)


def test_a_running_case_keeps_its_version_and_a_later_one_follows_the_new(office: Office) -> None:
    office.clock.to("2026-11-20 09:00")
    deploy_as(office, reply_within(10))
    office.clock.to("2026-11-23 10:00")
    office.start()
    office.clock.to("2026-11-23 11:00")
    deploy_as(office, reply_within(5))
    office.clock.to("2026-11-23 14:00")
    office.start()
    days = sorted(str(timer.last_day) for timer in office.timers(role="deadline"))
    assert days == ["2026-11-30", "2026-12-07"]


def test_a_version_waits_for_its_effective_date(office: Office) -> None:
    deploy_as(office, reply_within(10))
    deploy_as(office, reply_within(5), effective_at=shanghai("2026-03-01"))
    with office.store.read() as session:
        versions = [in_force(session, "test", shanghai(day)).version for day in ("2026-02-10 12:00", "2026-02-28", "2026-03-01")]
        assert versions == [1, 1, 2]
        with pytest.raises(NotFound):
            in_force(session, "test", shanghai("2026-02-09"))


def test_deploying_takes_two_different_people_with_the_right(office: Office) -> None:
    with pytest.raises(NotAllowed):
        deploy_as(office, reply_within(5), by="anna")
    with pytest.raises(NotAllowed):
        deploy_as(office, reply_within(5), approved="petra")
    with pytest.raises(Invalid, match="两|另一人|不能是同一人") as _:
        both = office["petra"]
        deploy(office.store, reply_within(5), actor=_with_both_powers(office), approved_by=_with_both_powers(office), reason="x")
        assert both
    with pytest.raises(Invalid):
        deploy_as(office, reply_within(5), effective_at=shanghai("2026-01-01"))
    with office.store.read() as session:
        assert session.scalars(select(Definition)).all() == []


def _with_both_powers(office: Office) -> Any:
    from dataclasses import replace

    petra = office["petra"]
    return replace(petra, appointments=petra.appointments | {(petra.unit_id, "process_approver")})


def test_the_same_content_is_not_deployed_twice(office: Office) -> None:
    assert deploy_as(office, reply_within(5)) == deploy_as(office, reply_within(5))


REFUSED: dict[str, tuple[Package, str, str]] = {
    "longer than the law allows": (reply_within(15), "statutory-limit-exceeded", "第十五条"),
    "a task for nobody": (Package("r", diagram("start > user:reply > end", element("reply", name="答复"))), "no-assignee", "答复"),
    "a post that does not exist": (
        Package("r", diagram("start > user:reply > end", element("reply", unit="'B'", post="emperor"))), "post-unknown", "emperor"),
    "a form that does not exist": (
        Package("r", diagram("start > user:reply > end", element("reply", unit="'B'", post="handler", form="gone"))),
        "form-missing", "gone"),
    "an operation that does not exist": (
        Package("r", diagram("start > service:act > end", element("act", operation="no.such"))), "operation-unknown", "no.such"),
    "a parameter that is missing": (
        Package("r", diagram("start > service:act > end", element("act", operation="notices.send", in_unit="'A'"))),
        "parameter-missing", "缺少"),
    "a parameter that does not exist": (
        Package("r", diagram("start > service:act > end", element(
            "act", operation="notices.send", in_unit="'A'", in_post="'head'", in_title="'t'", in_text="'x'", in_colour="'red'"))),
        "parameter-unknown", "colour"),
    "a called process that does not exist": (
        Package("r", diagram("start > call:c > end", call("c", "nowhere"))), "called-process-missing", "nowhere"),
    "an unknown word": (
        Package("r", diagram("start > user:reply > end", element("reply", unit="whoever('x')", post="handler"))),
        "unknown-function", "whoever"),
    "a reminder without a deadline": (
        Package("r", diagram("start > user:reply > end", "w > end:w2", TASK, timer("reply", "w", beforeDeadline=2, role="reminder"))),
        "relative-without-deadline", "w"),
    "a limit on a task over the statutory maximum": (
        Package("r", diagram("start > user:reply > end", element(
            "reply", unit="'B'", post="handler", limit="11", statutoryMax="10", article="第十五条"))),
        "statutory-limit-exceeded", "第十五条"),
    "a form with two fields of one key": (
        Package("r", diagram("start > user:reply > end", TASK), {"f": form(text("a"), text("a"))}), "form-broken", "重复"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_go_wrong_later_is_refused_by_name(what: str) -> None:
    package, rule, named = REFUSED[what]
    found = {problem.rule: problem for problem in check(package, {"test"}) if problem.severity == "error"}
    assert rule in found
    assert named in found[rule].message + str(found[rule].article)


def test_a_refused_package_leaves_nothing_behind(office: Office) -> None:
    with pytest.raises(NotDeployable) as refused:
        deploy_as(office, reply_within(15))
    assert [problem.rule for problem in refused.value.problems] == ["statutory-limit-exceeded"]
    with office.store.read() as session:
        assert session.scalars(select(Definition)).all() == []


def test_tightening_a_statutory_limit_is_allowed() -> None:
    assert [p for p in check(reply_within(3), {"test"}) if p.severity == "error"] == []
