"""Proposals 发布申请: nothing is deployed before a second person has read what changes and agreed.

A proposal keeps the whole package as it was when somebody asked, so that what was approved is what is deployed, however
the draft goes on. It is checked when it is made and again when it is approved. One proposal per process waits at a time:
two would be compared with a version that the other is about to replace.

The check runs in a process of its own and may take seconds, so it stands before the transaction of each command; what it
rests on (the draft's revision, the newest version) is looked at again inside.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import undefer

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.people.tables import Account
from engine.process.check import as_json
from engine.process.definitions import Newest, NotDeployable, base_of, deploy_in, known_processes, lock_newest
from engine.process.interpreter.model import Problem
from engine.process.notices import notify_person, notify_power
from engine.process.package import Package, as_text, from_text
from engine.process.tables import Definition
from engine.process.workshop.checking import checked, held_posts
from engine.process.workshop.drafts import DraftConflict, draft_sheet, lock_draft, package_of, seen
from engine.process.workshop.tables import Draft, Proposal
from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid, NotAllowed, NotFound, Stale
from engine.store.store import Origin, Store, Work, command

WORDS_MAX = 1000
STATES = {"open": "待审批", "approved": "已批准", "refused": "未批准", "withdrawn": "已撤回"}


class OwnWork(NotAllowed):
    """提出申请或参与过编辑的人不能审批，请由另一人审批。"""


class ProposalClosed(Stale):
    """该发布申请已有处理结果，无需重复处理。"""


@command
def propose(
    store: Store, draft_id: int, *, actor: Actor, revision: int, reason: str, effective_at: datetime | None = None,
    origin: Origin = Origin(),
) -> int:
    """Asks for a draft's deployment as it stands at `revision`; returns the proposal's id.

    Cases received from `effective_at` on will follow it; None means from the approval on. Raises DraftConflict, Stale
    for a draft that has ended or a process that already has a proposal waiting, NotDeployable with every error that the
    check found (its warnings are kept for the approver), Invalid where nothing changed or the date has passed.
    """
    require(actor, "edit_diagrams")
    words = _words(reason, "reason", "请填写发布理由")
    with store.read() as session:
        sheet = draft_sheet(session, actor, draft_id)
    if sheet.revision != revision:
        raise DraftConflict(sheet.revision, sheet.updated_by, sheet.updated_at)
    remarks = _checked(store, sheet.key, sheet.package)
    with store.work(actor, origin) as work:
        draft = lock_draft(work, draft_id)
        seen(work, draft, revision)
        newest = lock_newest(work, draft.key)
        if newest is not None and draft.base_id is None and sheet.imported is None:
            raise Invalid(message=f"流程标识“{draft.key}”在草稿起草之后已由他人发布，请改用其他标识，或从其最新版本另起草稿")
        proposal = Proposal(draft_id=draft.id, editors=draft.editors)
        return _put(work, proposal, sheet.key, sheet.name, sheet.package, remarks, newest, words, effective_at)


@command
def propose_package(
    store: Store, key: str, name: str, package: Package, *, actor: Actor, reason: str, effective_at: datetime | None = None,
    origin: Origin = Origin(),
) -> int:
    """Asks for the deployment of a package that was made elsewhere, without a draft; returns the proposal's id. Raises as `propose`."""
    require(actor, "edit_diagrams")
    words = _words(reason, "reason", "请填写发布理由")
    remarks = _checked(store, key, package)
    with store.work(actor, origin) as work:
        newest = lock_newest(work, key)
        return _put(work, Proposal(editors=[]), key, name, package, remarks, newest, words, effective_at)


@command
def propose_rollback(
    store: Store, definition_id: int, *, actor: Actor, reason: str, effective_at: datetime | None = None,
    origin: Origin = Origin(),
) -> int:
    """Asks for an earlier version to come back: approved, its package becomes a new version. Raises as `propose`."""
    require(actor, "edit_diagrams")
    words = _words(reason, "reason", "请填写退回理由")
    with store.read() as session:
        everything = [undefer(Definition.xml), undefer(Definition.forms), undefer(Definition.documents)]
        earlier = session.get(Definition, definition_id, options=everything)
        if earlier is None or earlier.deleted_at is not None:
            raise NotFound("没有找到该流程版本")
        package = Package(earlier.rule_set, earlier.xml, earlier.forms, from_text(earlier.documents))
    remarks = _checked(store, earlier.key, package)
    with store.work(actor, origin) as work:
        newest = lock_newest(work, earlier.key)
        proposal = Proposal(rolls_back_to=earlier.id, editors=[])
        return _put(work, proposal, earlier.key, earlier.name, package, remarks, newest, words, effective_at)


def _put(
    work: Work, proposal: Proposal, key: str, name: str, package: Package, remarks: list[Problem], newest: Newest | None,
    reason: str, effective_at: datetime | None,
) -> int:
    """Stores a proposal, tells those who may approve it, and puts it on record."""
    assert work.actor is not None, "somebody proposes"
    if newest is not None and newest.digest == package.digest:
        raise Invalid(message=f"内容与最新的第{newest.version}版完全相同，没有可发布的修改")
    waiting = work.session.execute(
        select(Account.name, Proposal.proposed_at)
        .join(Account, Account.id == Proposal.proposed_by)
        .where(Proposal.key == key, Proposal.state == "open")
    ).first()
    if waiting is not None:
        raise Stale(f"该流程已有{waiting[0]}于{_moment(waiting[1])}提出的发布申请待审批，请待其办结或撤回后再提出")
    if effective_at is not None and effective_at < work.now:
        raise Invalid({"effective_at": "生效日期须晚于今天；批准后立即生效的，请留空"})
    proposal.key, proposal.name, proposal.rule_set = key, name, package.rule_set
    proposal.base_id = newest.id if newest else None
    proposal.xml, proposal.forms, proposal.documents = package.xml, dict(package.forms), as_text(package.documents)
    proposal.digest, proposal.warnings = package.digest, list(as_json(remarks))
    proposal.reason, proposal.effective_at, proposal.state = reason, effective_at, "open"
    proposal.proposed_by, proposal.proposed_at = work.actor.account_id, work.now
    work.session.add(proposal)
    work.session.flush()
    _record(work, proposal, "proposed", reason=reason, digest=proposal.digest)
    notify_power(
        work, "approve_diagrams", kind="workshop", but={work.actor.account_id, *proposal.editors}, title=f"发布申请待审批：{name}",
        text=f"{work.actor.name}申请发布“{name}”，理由：{reason}。请在“发布申请”中查看修改内容后审批。",
    )  # fmt: skip
    return proposal.id


@command
def approve(
    store: Store, proposal_id: int, *, actor: Actor, note: str = "", seen_base_id: int | None, origin: Origin = Origin()
) -> int:
    """Agrees, and deploys in the same transaction; returns the version's id.

    `seen_base_id` is the version with which the approver compared it (None for a new process): if another one was deployed
    since, they have not seen what it changes, and Stale is raised. A date that has passed meanwhile becomes now. Raises
    OwnWork for the proposer and whoever edited the draft, ProposalClosed, NotDeployable.
    """
    require(actor, "approve_diagrams")
    words = _words(note, "note")
    with store.read() as session:
        asked = _find(session.get(Proposal, proposal_id, options=_EVERYTHING))
        _may_decide(asked, actor)
    package = _package(asked)
    _checked(store, asked.key, package)
    with store.work(actor, origin) as work:
        proposal = _lock(work, proposal_id)
        _may_decide(proposal, actor)
        draft = _draft_of(work, proposal)
        newest = lock_newest(work, proposal.key)
        if (newest.id if newest else None) != seen_base_id:
            raise Stale("在您查看之后又发布了新的版本，请重新查看与最新版本的比较后再审批")
        if newest is not None and newest.digest == proposal.digest:
            raise Stale(f"内容已与第{newest.version}版完全相同，无需再发布，请不予批准或由申请人撤回")
        effective_at = max(proposal.effective_at, work.now) if proposal.effective_at else work.now
        proposer = work.session.get_one(Account, proposal.proposed_by)
        definition_id = deploy_in(
            work, package, by=proposer.login, approved_by=actor.login, reason=proposal.reason, effective_at=effective_at
        )
        proposal.definition_id = definition_id
        _decide(work, proposal, "approved", words)
        if draft is not None:
            _follow(work, draft, proposal, definition_id)
        when = "立即生效" if effective_at == work.now else f"将于{_moment(effective_at)}生效"
        _answer(work, proposal, f"发布申请已批准：{proposal.name}", f"{actor.name}已批准，{when}。{words}")
        return definition_id


@command
def refuse(store: Store, proposal_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Does not agree, and says why. The draft stays open, to be mended. Raises as `approve`."""
    require(actor, "approve_diagrams")
    words = _words(reason, "note", "请填写不予批准的理由")
    with store.work(actor, origin) as work:
        proposal = _lock(work, proposal_id)
        _may_decide(proposal, actor)
        _decide(work, proposal, "refused", words)
        _answer(work, proposal, f"发布申请未获批准：{proposal.name}", f"{actor.name}：{words}")


@command
def withdraw(store: Store, proposal_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Takes one's own proposal back. Raises NotAllowed for anybody else, ProposalClosed."""
    require(actor, "edit_diagrams")
    with store.work(actor, origin) as work:
        proposal = _lock(work, proposal_id)
        if proposal.proposed_by != actor.account_id:
            raise NotAllowed("只有提出申请的人可以撤回")
        if proposal.state != "open":
            raise ProposalClosed
        _decide(work, proposal, "withdrawn", "")


# -- what the commands share ------------------------------------------------------------------

_EVERYTHING = [undefer(Proposal.xml), undefer(Proposal.forms), undefer(Proposal.documents)]


def _checked(store: Store, key: str, package: Package) -> list[Problem]:
    """The warnings of a package that may be deployed. Raises NotDeployable for one that may not."""
    with store.read() as session:
        known, held = known_processes(session), held_posts(session)
        base = base_of(session, key, package.rule_set)
    problems = checked(package, known, base=base, held=held)
    if any(problem.severity == "error" for problem in problems):
        raise NotDeployable(problems)
    return problems


def _package(proposal: Proposal) -> Package:
    package = Package(proposal.rule_set, proposal.xml, proposal.forms, from_text(proposal.documents))
    if package.digest != proposal.digest:
        raise Stale("申请的内容与提出时不一致，不能发布，请联系系统管理员")
    return package


def _find(proposal: Proposal | None) -> Proposal:
    if proposal is None:
        raise NotFound("没有找到该发布申请")
    return proposal


def _lock(work: Work, proposal_id: int) -> Proposal:
    return _find(work.session.get(Proposal, proposal_id, with_for_update=True))


def _may_decide(proposal: Proposal, actor: Actor) -> None:
    if proposal.state != "open":
        raise ProposalClosed
    if is_own(proposal, actor):
        raise OwnWork


def is_own(proposal: Proposal, actor: Actor) -> bool:
    """Whether the actor proposed it or worked on its draft."""
    return actor.account_id in (proposal.proposed_by, *proposal.editors)


def _draft_of(work: Work, proposal: Proposal) -> Draft | None:
    """The draft, locked before the process is: in the order of `propose`, so that the two cannot wait for each other."""
    if proposal.draft_id is None:
        return None
    contents = [undefer(Draft.xml), undefer(Draft.forms), undefer(Draft.documents)]
    return work.session.get(Draft, proposal.draft_id, with_for_update=True, options=contents)


def _follow(work: Work, draft: Draft, proposal: Proposal, definition_id: int) -> None:
    """A draft that is what was deployed has done its work; one that went on is now a change of the new version."""
    if draft.state != "open":
        return
    if package_of(draft).digest == proposal.digest:
        draft.state, draft.updated_at = "deployed", work.now
        append(work, f"draft:{draft.id}", [Entry(act="draft_deployed", definition_id=definition_id, data={"key": draft.key})])
    else:
        draft.base_id = definition_id


def _decide(work: Work, proposal: Proposal, state: str, words: str) -> None:
    assert work.actor is not None, "somebody decides"
    proposal.state, proposal.decision = state, words
    proposal.decided_by, proposal.decided_at = work.actor.account_id, work.now
    _record(work, proposal, f"proposal_{state}", decision=words)


def _record(work: Work, proposal: Proposal, act: str, **more: str) -> None:
    """On the record of the process, and on the draft's."""
    date = proposal.effective_at.isoformat() if proposal.effective_at else None
    facts = {
        "proposal": proposal.id, "key": proposal.key, "draft": proposal.draft_id, "rolls_back_to": proposal.rolls_back_to,
        "effective_at": date, **more,
    }  # fmt: skip
    append(work, f"definition:{proposal.key}", [Entry(act=act, definition_id=proposal.definition_id, data=facts)])
    if proposal.draft_id is not None and act == "proposed":
        append(work, f"draft:{proposal.draft_id}", [Entry(act="draft_proposed", data=facts)])


def _answer(work: Work, proposal: Proposal, title: str, text: str) -> None:
    notify_person(work, proposal.proposed_by, kind="workshop", title=title, text=text)


def _words(text: str, name: str, missing: str | None = None) -> str:
    """What somebody wrote, trimmed. Raises Invalid where it is missing, too long or cannot be kept."""
    words = text.strip()
    if not words and missing:
        raise Invalid({name: missing})
    if len(words) > WORDS_MAX:
        raise Invalid({name: f"不能超过{WORDS_MAX}字，现有{len(words)}字"})
    if "\x00" in words:
        raise Invalid({name: "含有无法保存的字符"})
    return words


def _moment(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
