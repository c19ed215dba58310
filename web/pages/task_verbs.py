"""What else than completing may be done with a task: each verb's form, and the verb.

Which verbs somebody has now, and what each does to the clock, the engine says (`offers`); here it is only asked and told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue

from engine.process.desk.colleagues import Colleague, colleagues
from engine.process.desk.copies import copy_case
from engine.process.desk.drafts import discard_draft
from engine.process.desk.handing import Given, delegate_task, take_back_task, transfer_task
from engine.process.desk.offers import Offer, offers
from engine.process.desk.signatures import add_signers, remove_signer
from engine.process.desk.urging import urge_task
from engine.process.returning import return_targets, return_task
from engine.process.sheets.task import TaskHead, task_head
from engine.process.withdrawing import give_up, withdraw_task
from web.context import me, origin, store
from web.verb_forms import Asked, Option, VerbForm, chosen_people, chosen_person, done, offered

page = Blueprint("task_verbs", __name__)

#: The last part of the address → the engine's verb.
VERBS = {
    "return": "return", "transfer": "transfer", "delegate": "delegate", "take-back": "take_back", "signers": "add_signer",
    "urge": "urge", "copy": "copy_to", "withdraw": "withdraw", "give-up": "give_up",
}  # fmt: skip
ROUTE = '/tasks/<int:task_id>/<any("return", transfer, delegate, "take-back", signers, urge, copy, withdraw, "give-up"):verb>'

GIVE_UP = Offer("give_up", "撤销申请", "撤销后办件终止，不再办理；需要时可以另行申请。")
SIGNING = (
    Option("before", "前加签", "加签人签署后，您才能提交"),
    Option("beside", "并加签", "与您同时办理，全部签署后转入下一环节"),
    Option("after", "后加签", "您提交后由加签人签署，签署后转入下一环节"),
)


@page.get(ROUTE)
def ask(task_id: int, verb: str) -> ResponseReturnValue:
    """The form of a verb; back to the task where the reader cannot use it now."""
    return offered(_form(task_id, verb), "现在不能对该待办进行这项操作，可能已有人办理。", f"/tasks/{task_id}")


@page.post(ROUTE)
def do(task_id: int, verb: str) -> ResponseReturnValue:
    """Does it; a refusal comes back with what was typed."""
    return done(lambda: _ACTS[verb](task_id), lambda: _form(task_id, verb))


@page.post("/tasks/<int:task_id>/signers/<int:signature_id>/remove")
def unsign(task_id: int, signature_id: int) -> ResponseReturnValue:
    """Takes back an added signature 减签."""
    remove_signer(store(), signature_id, actor=me(), origin=origin())
    flash("已减签，对方不再需要签署。", "success")
    return redirect(f"/tasks/{task_id}", 303)


# -- the acts: each does it, and gives the sentence and the page to go on to ------------------------


def _text(name: str) -> str:
    return request.form.get(name, "")


def _return(task_id: int) -> tuple[str, str]:
    return_task(store(), task_id, actor=me(), to=_text("to"), reason=_text("reason"), origin=origin())
    discard_draft(store(), task_id, actor=me(), origin=origin())
    return "已退回，对方将收到通知。", "/inbox"


def _transfer(task_id: int) -> tuple[str, str]:
    given = transfer_task(store(), task_id, actor=me(), to=chosen_person(), note=_text("note"), origin=origin())
    discard_draft(store(), task_id, actor=me(), origin=origin())
    return f"已转办给{_given(given)}。", "/inbox"


def _delegate(task_id: int) -> tuple[str, str]:
    given = delegate_task(store(), task_id, actor=me(), to=chosen_person(), note=_text("note"), origin=origin())
    return f"已委派给{_given(given)}，交回后由您提交。", "/inbox"


def _take_back(task_id: int) -> tuple[str, str]:
    take_back_task(store(), task_id, actor=me(), origin=origin())
    return "已收回委派，由您继续办理。", f"/tasks/{task_id}"


def _sign(task_id: int) -> tuple[str, str]:
    asked = add_signers(
        store(), task_id, actor=me(), people=chosen_people(), signing=_text("signing"), note=_text("note"), origin=origin()
    )
    return f"已请{'、'.join(asked)}加签。", f"/tasks/{task_id}"


def _urge(task_id: int) -> tuple[str, str]:
    urge_task(store(), task_id, actor=me(), note=_text("note"), origin=origin())
    return "已催办，对方将收到通知。", f"/tasks/{task_id}"


def _copy(task_id: int) -> tuple[str, str]:
    with store().read() as session:
        head = task_head(session, me(), task_id)
    copy_case(store(), head.instance_id, actor=me(), people=chosen_people(), note=_text("note"), task_id=task_id, origin=origin())
    return "已抄送。", f"/tasks/{task_id}"


def _withdraw(task_id: int) -> tuple[str, str]:
    withdraw_task(store(), task_id, actor=me(), reason=_text("reason"), origin=origin())
    return "已撤回，该环节由您重新办理。", "/inbox/mine"


def _give_up(task_id: int) -> tuple[str, str]:
    with store().read() as session:
        head = task_head(session, me(), task_id)
    give_up(store(), task_id, actor=me(), reason=_text("reason"), origin=origin())
    return "已撤销申请，办件终止。", f"/cases/{head.instance_id}"


_ACTS: dict[str, Callable[[int], tuple[str, str]]] = {
    "return": _return, "transfer": _transfer, "delegate": _delegate, "take-back": _take_back, "signers": _sign, "urge": _urge,
    "copy": _copy, "withdraw": _withdraw, "give-up": _give_up,
}  # fmt: skip


def _given(given: Given) -> str:
    return f"{given.name}（{given.instead_of}请假，由其代理）" if given.instead_of else given.name


# -- the forms ------------------------------------------------------------------------------------


def _form(task_id: int, verb: str) -> VerbForm | None:
    """The form of a verb; None where the reader cannot use it now. Raises NotFound, NotAllowed where they may not see the case."""
    with store().read() as session:
        head = task_head(session, me(), task_id)
        found: dict[str, Offer] = {offer.verb: offer for offer in offers(session, me(), task_id)}
        if head.revision:
            found["give_up"] = GIVE_UP
        offer = found.get(VERBS[verb])
        return _asking(session, head, verb, offer) if offer is not None else None


def _asking(session: Any, head: TaskHead, verb: str, offer: Offer) -> VerbForm:
    asks: tuple[Asked, ...] = ()
    if verb == "return":
        targets = return_targets(session, me(), head.task_id)
        options = [Option(target.step, target.name, target.person and f"由{target.person}重新办理") for target in targets]
        asks = (Asked("to", "退回到", options, nothing="目前没有可以退回的环节。"),)
    elif verb in ("transfer", "delegate"):
        asks = (Asked("to", "转办给" if verb == "transfer" else "委派给", _people(session, head, offer)),)
    elif verb == "signers":
        asks = (Asked("people", "加签人", _people(session, head, offer), many=True), Asked("signing", "加签方式", SIGNING))
    elif verb == "copy":
        asks = (Asked("people", "抄送给", _people(session, head, offer), many=True),)
    text, name, required = _TEXTS.get(verb, (None, "note", False))
    return VerbForm(
        title=offer.label, about=f"{head.name} · {head.title}（{head.number}）", effect=offer.effect, action=f"/tasks/{head.task_id}/{verb}",
        back=f"/tasks/{head.task_id}", submit=f"确定{offer.label}", asks=asks, text=text, text_name=name, text_required=required,
        grave=verb in ("return", "withdraw", "give-up"),
    )  # fmt: skip


#: Verb → the label of its text, the name it is posted under, whether it must be given.
_TEXTS: dict[str, tuple[str, str, bool]] = {
    "return": ("退回理由", "reason", True), "transfer": ("说明", "note", False), "delegate": ("委派说明", "note", False),
    "signers": ("请对方关注", "note", False), "urge": ("催办内容", "note", False), "copy": ("说明", "note", False),
    "withdraw": ("撤回原因", "reason", False), "give-up": ("撤销理由", "reason", True),
}  # fmt: skip


def _people(session: Any, head: TaskHead, offer: Offer) -> list[Option]:
    return people_options(colleagues(session, me(), head.task_id, offer.verb))


def people_options(found: Sequence[Colleague]) -> list[Option]:
    """Colleagues as options, by unit; who is on leave is told."""
    return [
        Option(str(one.account_id), one.name, "、".join(one.posts), one.unit_name, "请假中" if one.on_leave else "") for one in found
    ]
