"""The two sides of a comparison page: a version, a draft or a proposal each, by a short reference.

`v12` is the version with that id, `d3` a draft, `p7` a proposal; nothing at all is where a new process comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from engine.people.actor import Actor
from engine.process.definitions import base_of, deployed, known_processes
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.package import Package, from_text
from engine.process.workshop.checking import checked, held_posts
from engine.process.workshop.comparing.compare import Comparison, compare
from engine.process.workshop.drafts import DraftSheet, draft_sheet, require_workshop
from engine.process.workshop.tables import Proposal
from engine.store.errors import NotFound
from engine.store.store import Store

_REFERENCE = re.compile(r"([vdp])([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Side:
    """One side, as far as a page shows it."""

    reference: str
    name: str
    """第3版, 草稿 5, 发布申请 7"""
    key: str
    process: str
    href: str
    package: Package
    draft: DraftSheet | None = None
    """Where it is a draft: what its tabs need."""


@dataclass(frozen=True, slots=True)
class ComparisonSheet:
    """What the page shows. `before` is None where there is nothing to compare with."""

    before: Side | None
    after: Side
    comparison: Comparison | None
    unreadable: tuple[Problem, ...]
    """Why there is no comparison: one of the diagrams is not (yet) BPMN."""
    problems: list[Problem] | None
    """The findings of the check, where the side after is a draft; None otherwise."""


def side_of(session: Session, actor: Actor, reference: str) -> Side:
    """What a reference means. One or two queries. Raises NotFound for one that means nothing, NotAllowed."""
    require_workshop(actor)
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise NotFound("没有找到要比较的版本、草稿或发布申请")
    kind, number = found[1], int(found[2])
    if kind == "v":
        version = deployed(session, number)
        package = Package(version.rule_set, version.diagram.xml, version.forms, version.documents)
        href = f"/diagrams/{version.key}/versions/{version.version}"
        return Side(reference, f"第{version.version}版", version.key, version.name, href, package)
    if kind == "d":
        draft = draft_sheet(session, actor, number)
        return Side(reference, f"草稿 {number}", draft.key, draft.name, f"/drafts/{number}", draft.package, draft)
    everything = [undefer(Proposal.xml), undefer(Proposal.forms), undefer(Proposal.documents)]
    asked = session.scalar(select(Proposal).where(Proposal.id == number).options(*everything))
    if asked is None:
        raise NotFound("没有找到该发布申请")
    package = Package(asked.rule_set, asked.xml, asked.forms, from_text(asked.documents))
    return Side(reference, f"发布申请 {number}", asked.key, asked.name, f"/proposals/{number}", package)


def comparison_sheet(store: Store, actor: Actor, before: str | None, after: str) -> ComparisonSheet:
    """Both sides, what differs, and for a draft what the check says. The check runs apart, after the reading has ended.

    Up to seven queries. Raises NotFound, NotAllowed.
    """
    known: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    base = None
    with store.read() as session:
        later = side_of(session, actor, after)
        earlier = side_of(session, actor, before) if before else None
        if later.draft is not None:
            known, held = known_processes(session), held_posts(session)
            base = base_of(session, later.key, later.package.rule_set)
    comparison: Comparison | None = None
    unreadable: tuple[Problem, ...] = ()
    if earlier is not None:
        try:
            comparison = compare(earlier.package, later.package)
        except DiagramError as error:
            unreadable = tuple(error.problems)
    problems = checked(later.package, known, base=base, held=held) if later.draft is not None else None
    return ComparisonSheet(earlier, later, comparison, unreadable, problems)
