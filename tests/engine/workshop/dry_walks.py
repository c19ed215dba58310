"""Dry runs as tests tell them: a script that grows move by move, and a fingerprint of everything that must stay as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.people.actor import Actor
from engine.process.forms import prefill
from engine.process.operations import SUBJECTS
from engine.process.package import Package, read_package
from engine.process.workshop.dry_run.cases import TaskShown
from engine.process.workshop.dry_run.script import read_script
from engine.process.workshop.dry_run.walk import Rehearsal, rehearse
from engine.store.base import Base
from engine.store.store import Store
from tests.engine.interpreter.diagrams import diagram
from tests.engine.process.office import Office
from tests.town import APPLICATION, HOUSING, RULES, WELL, Town


class DryWalk:
    """A dry run that is still going on: each act adds a move and walks the whole script again."""

    def __init__(self, store: Store, package: Package, admin: Actor) -> None:
        self.store, self.package, self.admin = store, package, admin
        self.script: list[dict[str, Any]] = []
        self.now: Rehearsal | None = None

    def makes(self, **move: Any) -> Rehearsal:
        """Adds a move and walks; the script keeps it only where it could be made."""
        tried = [*self.script, move]
        found = rehearse(self.store, self.package, read_script(tried), actor=self.admin)
        if found.stopped is None:
            self.script, self.now = tried, found
        return found

    def starts(self, unit: str, by: str = "", **more: Any) -> Rehearsal:
        return self.makes(do="start", unit=unit, by=by, **more)

    def does(self, step: str, *, case: int = 0, nth: int = 0, by: str = "", opinion: str = "", **answers: Any) -> Rehearsal:
        """Completes the open task of a step, as offered and as WELL says but for `answers`; None leaves a field empty."""
        task = self.task(step, case, nth)
        given = {**task.first_values, **WELL.get(step, {}), **answers}
        return self.makes(
            do="complete", case=case, step=step, nth=nth, by=by or next((person.login for person in task.people), ""), opinion=opinion,
            answers={key: value for key, value in given.items() if value is not None},
        )  # fmt: skip

    def passes(self, times: int = 1) -> Rehearsal:
        """Goes on to the next timer, so many times."""
        for _ in range(times):
            found = self.makes(do="timer")
        return found

    def until(self, moment: str) -> Rehearsal:
        return self.makes(do="until", at=moment)

    def task(self, step: str, case: int = 0, nth: int = 0) -> TaskShown:
        assert self.now is not None
        return next(task for task in self.now.cases[case].tasks if (task.step, task.nth) == (step, nth))

    def open(self) -> list[str]:
        """The steps with open tasks, over all cases."""
        assert self.now is not None
        return [task.step for case in self.now.cases for task in case.tasks]


def shipped(process: str) -> Package:
    """A process as it ships."""
    return read_package(RULES / process, RULES.name)


def of_town(town: Town, package: Package) -> DryWalk:
    return DryWalk(town.store, package, town.officer("024", "process_admin"))


def asked(
    town: Town, package: Package | None = None, *, at: str = "2026-02-10 09:30", about: Mapping[str, str] | None = None
) -> DryWalk:
    """The handler of 007 asks for HOUSING in a dry run, and the head signs."""
    walk = of_town(town, package or shipped("conditional_share"))
    about = dict(about or {"resource_code": HOUSING})
    with town.store.read() as session:
        subject = SUBJECTS["resource"](session, {**about, "applicant_unit": "007"})
    form = walk.package.forms["application"]
    answers = {"requested_fields": subject.variables["resource"]["items"], **prefill(form, subject.variables), **APPLICATION}
    found = walk.starts("007", town.officer("007", "handler").login, at=at, about=about, answers=answers)
    assert found.stopped is None, found.stopped
    walk.does("Task_ApplicantSign")
    return walk


def drawn(office: Office, *parts: object, forms: Mapping[str, Any] | None = None, **properties: object) -> DryWalk:
    """A draft of the small office, drawn in chains."""
    properties = {"startPosts": "handler", **properties}
    return DryWalk(office.store, Package("test_rules", diagram(*parts, **properties), dict(forms or {})), office["petra"])


def fingerprint(store: Store) -> dict[str, str]:
    """A digest of all rows of every table."""
    found = {}
    with store.read() as session:
        for table in Base.metadata.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
            found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found
