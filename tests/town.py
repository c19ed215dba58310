"""The cast: the demo town as tests see it, in a real database, with the rule set deployed and a clock that is moved.

A story reads like this:

    case = town.asks(at="2026-02-10 09:00")
    town.signs(case, at="2026-02-10 09:30")
    town.passes_until("2026-03-03 00:00")
    assert "督办跟踪" in town.inbox(town.officer("024", "supervisor"))

People are found by unit and post. `passes_until` moves the clock as if a worker had been awake all the time; to tell of
an outage, move the clock itself and let `worker_sweeps` come later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engine.demo.half_year import let_pass
from engine.demo.town import load_town
from engine.people.accounts import create_account, holders
from engine.people.actor import Actor, load_actor
from engine.people.units import unit_id_of
from engine.process.definitions import deploy, deploy_rule_set, in_force
from engine.process.package import Package
from engine.process.editions import load_shipped_notices
from engine.process.forms import prefill
from engine.process.inbox import Tab, inbox
from engine.process.instances import start_form, start_instance
from engine.process.operations import SUBJECTS
from engine.process.sheets.case import CaseSheet, TaskView, case_sheet
from engine.process.sheets.task import task_sheet
from engine.process.tables import Task
from engine.process.tasks import claim_task, complete_task
from engine.process.timers import fire_due
from engine.sharing import registry
from engine.store.clock import MovableClock, shanghai
from engine.store.settings import ROOT
from engine.store.store import Store

assert registry  # imported so that the diagrams' operations are known

RULES = ROOT / "bpmn" / "liaoyang_2018"
#: 公租房保障对象 of 013, conditionally shared; theme data, so the platform's unit supplies it.
HOUSING = "209001/000001"
#: 不动产登记结果核验 of 011, conditionally shared; business data, so its own department supplies it.
ESTATE = "3070211000011/000001"

APPLICATION: Mapping[str, Any] = {
    "basis": "《社会救助暂行办法》第五十八条",
    "scenario": "救助申请家庭经济状况核对",
    "use": "数据校核",
    "scope": "社会救助科经办岗位",
    "frequency": "每日",
    "volume": 200,
    "valid_until": "2027-12-31",
    "system": "社会救助信息核对系统",
    "safety_officer": "演示李甲",
    "safety_phone": "0419-0000000",
    "promise_no_secrets": True,
    "promise_security": True,
    "promise_no_third_party": True,
}
#: How a step is answered when all is well.
WELL: Mapping[str, Mapping[str, Any]] = {
    "Task_ApplicantSign": {"sign": "agree"},
    "Task_Intake": {"completeness": "complete"},
    "Task_Supplement": {"supplement_answer": "已按要求补正。"},
    "Task_SupplementReceipt": {"completeness": "complete"},
    "Task_BusinessReview": {"business_finding": "agree", "business_necessity": "fit"},
    "Task_SecurityReview": {"security_screening": ["no_secrets"], "security_finding": "pass"},
    "Task_Reply": {"decision": "agree", "supply_by": "2026-12-31"},
    "Task_ReplyAgain": {"decision": "agree", "supply_by": "2026-12-31"},
    "Task_SupplyByPlatform": {"supplied_on": "2026-12-30", "supply_description": "已开通查询接口。"},
    "Task_SupplyByProvider": {"supplied_on": "2026-12-30", "supply_description": "已开通核验服务。"},
    "Task_Accept": {"acceptance": "accepted"},
    "Task_FirstReview": {"first_finding": "established", "first_note": "依据明确。"},
    "Task_LegalReview": {"legal_finding": "established", "legal_note": "依据现行有效。"},
    "Task_Decide": {"decision": "list", "decision_reason": "依据成立。"},
    "Task_RefusalReceipt": {"acknowledged": True, "refusal_answer": "accept"},
    "Task_Explain": {"late_reason": "staff", "explanation": "人手不足。", "planned_day": "2026-12-31"},
    "Task_FollowUp": {"follow_up_measures": ["call"], "follow_up_note": "已电话催办。"},
}


class Town:
    """The town and what its people do. Instants are Shanghai wall times such as "2026-02-10 09:30"."""

    def __init__(self, store: Store, clock: MovableClock) -> None:
        self.store = store
        self.clock = clock

    @classmethod
    def founded(cls, store: Store, clock: MovableClock) -> Town:
        """Loads the town, the notices and the rule set into an empty database."""
        load_town(store, password=None)
        with store.work() as work:
            load_shipped_notices(work)
            deploy_rule_set(work, RULES, shanghai("2018-11-26"))
        return cls(store, clock)

    # -- people -------------------------------------------------------------------------------

    def officer(self, unit: str, post: str) -> Actor:
        """The first person who holds the post in the unit, as known now."""
        with self.store.read() as session:
            (first, *_) = holders(session, unit_id_of(session, unit), post)
            actor = load_actor(session, first.account_id)
        assert actor is not None
        return actor

    def joins(self, login: str, unit: str, *posts: str) -> Actor:
        """A new colleague."""
        with self.store.read() as session:
            home = unit_id_of(session, unit)
        account = create_account(
            self.store, login, login, home, actor=None, appointments=[(home, post) for post in posts]
        )
        with self.store.read() as session:
            actor = load_actor(session, account)
        assert actor is not None
        return actor

    # -- what they do -------------------------------------------------------------------------

    def asks(
        self, unit: str = "007", resource: str = HOUSING, *, at: str | None = None, renews: int | None = None, **answers: Any
    ) -> int:
        """The unit's handler asks for a resource, or to renew a grant of it; returns the case. Without `at` it is now."""
        self._at(at)
        with self.store.read() as session:
            form = start_form(in_force(session, "conditional_share", self.clock.now())) or {}
            about = {"resource_code": resource} | ({"grant": str(renews)} if renews else {})
            subject = SUBJECTS["resource"](session, {**about, "applicant_unit": unit})
        offered = {"requested_fields": subject.variables["resource"]["items"], **prefill(form, subject.variables)}
        return start_instance(
            self.store,
            "conditional_share",
            actor=self.officer(unit, "handler"),
            answers={**APPLICATION, **offered, **answers} if renews else {**offered, **APPLICATION, **answers},
            variables=about,
        )

    def signs(self, case: int, *, at: str | None = None) -> None:
        """The head of the asking unit signs, and the request is with the provider."""
        self.does(case, "Task_ApplicantSign", at=at)

    def submits(self, unit: str = "007", resource: str = HOUSING, *, at: str, **answers: Any) -> int:
        """Asks and signs in the same minute; returns the case."""
        case = self.asks(unit, resource, at=at, **answers)
        self.signs(case)
        return case

    def starts(
        self, process: str, unit: str, post: str, *, resource: str | None = None, at: str | None = None, **answers: Any
    ) -> int:
        """Whoever holds the post in the unit starts a case of a process, about a resource or not; returns the case."""
        self._at(at)
        return start_instance(
            self.store, process, actor=self.officer(unit, post), answers=answers,
            variables={"resource_code": resource} if resource else None,
        )  # fmt: skip

    def does(
        self, case: int, step: str, *, at: str | None = None, by: Actor | None = None, opinion: str = "",
        unit: str | None = None, **answers: Any,
    ) -> None:  # fmt: skip
        """Somebody who may completes the open task of a step, as offered and as WELL says but for `answers`.

        An answer of None leaves the field empty. `unit` says whose task is meant where several units do the step at once.
        """
        self._at(at)
        task = self.task(case, step, unit)
        actor = by or self._able(task)
        with self.store.read() as session:
            offered = task_sheet(session, actor, task.id).first_values
        given = {**offered, **WELL.get(step, {}), **answers}
        complete_task(
            self.store,
            task.id,
            actor=actor,
            answers={key: value for key, value in given.items() if value is not None},
            opinion=opinion,
        )

    def reviews(self, case: int) -> None:
        """The provider takes the request in and both reviews agree."""
        for step in ("Task_Intake", "Task_BusinessReview", "Task_SecurityReview"):
            self.does(case, step)

    def claims(self, case: int, step: str, actor: Actor) -> None:
        """The actor claims the open task of a step."""
        claim_task(self.store, self.task(case, step).id, actor=actor)

    def changes(self, process: str, old: str, new: str, *, times: int = 1) -> None:
        """The process admin edits the diagram's text and a second person approves; in force from now on."""
        xml = self.diagram(process)
        assert xml.count(old) == times, f"{old!r} stands {xml.count(old)} times in the diagram"
        with self.store.read() as session:
            now = in_force(session, process, self.clock.now())
        package = Package(now.rule_set, xml.replace(old, new).encode(), now.forms, now.documents)
        deploy(
            self.store,
            package,
            actor=self.officer("024", "process_admin"),
            approved_by=self.officer("024", "process_approver"),
            reason="调整时限",
        )

    # -- time ---------------------------------------------------------------------------------

    def passes_until(self, moment: str) -> None:
        """Time passes, and a worker is awake all along."""
        let_pass(self.store, self.clock, shanghai(moment))

    def worker_sweeps(self) -> int:
        """A worker looks once at what is due now; returns how many timers fired."""
        return fire_due(self.store)

    # -- what they see ------------------------------------------------------------------------

    def inbox(self, actor: Actor, tab: Tab = "posts") -> list[str]:
        """The names of the steps in a tab of somebody's inbox, most urgent first."""
        with self.store.read() as session:
            return [line.step_name for line in inbox(session, actor, tab).lines]

    def sheet(self, case: int, actor: Actor | None = None) -> CaseSheet:
        """The page of a case, for the office's handler unless said otherwise."""
        with self.store.read() as session:
            return case_sheet(session, actor or self.officer("024", "handler"), case)

    def view(self, case: int, step: str) -> TaskView:
        """The open task of a step as its page shows it."""
        return next(task for task in self.sheet(case).open_tasks if task.step == step)

    def task(self, case: int, step: str, unit: str | None = None) -> Task:
        """The row of the open task of a step in the case (of a unit). Fails where there is none, or more than one."""
        with self.store.read() as session:
            found = session.scalars(select(Task).where(Task.instance_id == case, Task.state == "open", Task.step == step)).all()
            if unit is not None:
                found = [task for task in found if task.unit_id == unit_id_of(session, unit)]
        assert len(found) == 1, f"{len(found)} open tasks of {step}; open: {self.sheet(case).current_steps}"
        return found[0]

    def children(self, case: int, process: str) -> list[int]:
        """The cases of a process that this case has started, in order."""
        return [child.instance_id for child in self.sheet(case).children if child.process_key == process]

    def diagram(self, process: str) -> str:
        """The BPMN text in force now."""
        with self.store.read() as session:
            return in_force(session, process, self.clock.now()).diagram.xml.decode()

    def now(self) -> datetime:
        return self.clock.now()

    def _at(self, moment: str | None) -> None:
        if moment is not None:
            self.passes_until(moment)

    def _able(self, task: Task) -> Actor:
        with self.store.read() as session:
            (first, *_) = holders(session, task.unit_id, task.post)
            actor = load_actor(session, task.assignee_id or first.account_id)
        assert actor is not None
        return actor
