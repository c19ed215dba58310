"""A desk for the stories of the verbs: one step of every kind, with all verbs allowed, and the acts as methods."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.history import History
from engine.process.desk.handing import Given, delegate_task, hand_back_task, take_back_task, transfer_task
from engine.process.desk.signatures import add_signers, remove_signer
from engine.process.tables import Notice, Task
from engine.process.tasks import complete_task
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office, choice, form, text

ALL = "return, withdraw, transfer, delegate, add_signer, copy_to, urge"
FORMS = {"review": form(choice("result", "yes", "no", required=True), text("why", when="result == 'no'", required=True),
                        opinion_when="result == 'no'")}
REVIEW = element("review", name="审核", form="review", unit="'A'", post="handler", limit="10")
NEXT = element("file", name="归档", unit="'A'", post="handler")


class Desk:
    """The office at its desks: `review` is the step in hand, `file` the one behind it."""

    def __init__(self, office: Office) -> None:
        self.office, self.store, self.clock = office, office.store, office.clock

    def opens(self, *parts: object, who: str = "anna", **properties: object) -> int:
        """Deploys the plain process (or another with a step `review`) and starts a case; returns it."""
        chains = parts or ("start > user:review > user:file > end", REVIEW, NEXT)
        self.office.deploy(*chains, forms=FORMS, **{"actions": ALL, **properties})
        return self.office.start(who)

    def id(self, who: str) -> int:
        return self.office[who].account_id

    def task(self, step: str = "review", state: str = "open") -> Task:
        return self.office.task(step, state)

    def transfer(self, who: str, to: str, note: str = "", *, task: int | None = None) -> Given:
        return transfer_task(self.store, task or self.task().id, actor=self.office[who], to=self.id(to), note=note)

    def delegate(self, who: str, to: str, note: str = "", *, task: int | None = None) -> Given:
        return delegate_task(self.store, task or self.task().id, actor=self.office[who], to=self.id(to), note=note)

    def hand_back(self, who: str, opinion: str = "已核对", *, task: int | None = None, **answers: Any) -> None:
        hand_back_task(self.store, task or self.task().id, actor=self.office[who], opinion=opinion, answers=answers)

    def take_back(self, who: str) -> None:
        take_back_task(self.store, self.task().id, actor=self.office[who])

    def add(self, who: str, *people: str, signing: str = "beside", note: str = "", task: int | None = None) -> list[str]:
        return add_signers(self.store, task or self.task().id, actor=self.office[who], people=[self.id(one) for one in people],
                           signing=signing, note=note)

    def remove(self, who: str, signer: str) -> None:
        remove_signer(self.store, self.signature(signer).id, actor=self.office[who])

    def sign(self, who: str, stance: str = "agree", opinion: str = "") -> None:
        complete_task(self.store, self.signature(who).id, actor=self.office[who], answers={"stance": stance}, opinion=opinion)

    def completes(self, who: str, opinion: str = "", *, task: int | None = None, **answers: Any) -> None:
        given = answers or {"result": "yes"}
        complete_task(self.store, task or self.task().id, actor=self.office[who], answers=given, opinion=opinion)

    # -- what one sees ------------------------------------------------------------------------

    def row(self, task_id: int) -> Task:
        with self.store.read() as session:
            return session.get_one(Task, task_id)

    def task_of(self, case: int) -> Task:
        """The oldest open task of a case."""
        with self.store.read() as session:
            return session.scalars(select(Task).where(Task.instance_id == case, Task.state == "open").order_by(Task.id)).all()[0]

    def signature(self, signer: str) -> Task:
        """The newest signature of somebody that is not taken away."""
        query = select(Task).where(Task.main_id.is_not(None), Task.assignee_id == self.id(signer), Task.state != "cancelled")
        with self.store.read() as session:
            found = session.scalars(query.order_by(Task.id.desc())).first()
        assert found is not None
        return found

    def acts(self, case: int) -> list[str]:
        with self.store.read() as session:
            return list(session.scalars(select(History.act).where(History.instance_id == case).order_by(History.seq)))

    def entry(self, case: int, act: str) -> History:
        """The last entry of that act."""
        with self.store.read() as session:
            found = session.scalars(select(History).where(History.instance_id == case, History.act == act).order_by(History.seq.desc())).first()
        assert found is not None, f"no {act} in {self.acts(case)}"
        return found

    def told(self, who: str, kind: str | None = None) -> list[str]:
        """The titles of somebody's notices, oldest first."""
        query = select(Notice.title).where(Notice.account_id == self.id(who)).order_by(Notice.id)
        with self.store.read() as session:
            return list(session.scalars(query if kind is None else query.where(Notice.kind == kind)))
