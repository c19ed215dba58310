"""The office's verbs on a task: those that the original knows (delegate, resolve, assignee) and those that it does not.

People are named by their logins. What a verb does, and to the clocks: docs/verbs.md.
"""

from __future__ import annotations

from typing import Any

from engine.process.actions import PREVIOUS, STARTER
from engine.process.desk.copies import copy_case
from engine.process.desk.handing import delegate_task, hand_back_task, take_back_task, transfer_task
from engine.process.desk.offers import offers
from engine.process.desk.signatures import add_signers, remove_signer
from engine.process.desk.urging import urge_task
from engine.process.outside import todo
from engine.process.outside.modifying import Ending, go_back
from engine.process.outside.people import person_by_login
from engine.process.returning import return_targets, return_task
from engine.process.tasks import claim_task, unclaim_task
from engine.process.withdrawing import withdraw_start, withdraw_task
from engine.store.errors import Invalid
from web.api import shapes, values
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Call, route
from web.api.seeing import open_task, require_case
from web.api.shapes import many, maybe, record, text
from web.context import me, origin, store

_T = "task"
LOGIN = text("a login", most=64, least=1)
NOTE = text("for whoever gets it", most=2000)


def _person(login: str, field: str) -> int:
    """The account of a login. Raises 400 naming the field: who is not there can get nothing."""
    with store().read() as session:
        found = person_by_login(session, login)
    if found is None:
        raise Invalid({field: f"没有登录名为“{login[:64]}”的在职人员"})
    return found.account_id


# -- what the original knows ------------------------------------------------------------------


@route("POST", "/task/<id>/assignee", "Sets the assignee", tag=_T, scope="work", body=shapes.body({"userId": maybe(text(most=64))}), refuses=(409,),
       stands="better", note="oneself: claim; nobody: put back; a colleague of the post: transfer 转办")
def assignee(call: Call) -> None:
    row, login = open_task(call.row("task")), call.body.get("userId")
    if not login:
        unclaim_task(store(), row.id, actor=me(), origin=origin())
    elif login == me().login:
        claim_task(store(), row.id, actor=me(), origin=origin())
    else:
        transfer_task(store(), row.id, actor=me(), to=_person(login, "userId"), origin=origin())


@route("POST", "/task/<id>/delegate", "Delegates 委派", tag=_T, scope="work", body=shapes.body({"userId": LOGIN, "note": NOTE}, required=("userId",)),
       refuses=(409,))
def delegate(call: Call) -> None:
    row = open_task(call.row("task"))
    delegate_task(store(), row.id, actor=me(), to=_person(call.body["userId"], "userId"), note=call.body.get("note") or "", origin=origin())


@route("POST", "/task/<id>/resolve", "Hands back 交回", tag=_T, scope="work", refuses=(409,), stands="better",
       note="with an opinion (`opinion`, or a variable of that name); the answers become the owner's draft",
       body=shapes.body({"variables": values.GIVEN_VARIABLES, "opinion": text("意见")}))
def resolve(call: Call) -> None:
    row = open_task(call.row("task"))
    answers = values.plain(call.body.get("variables"))
    opinion = call.body.get("opinion") or answers.pop("opinion", None) or ""
    if not isinstance(opinion, str):
        raise bad_request("opinion: a text is expected")
    hand_back_task(store(), row.id, actor=me(), opinion=opinion, answers=answers, origin=origin())


# -- what it does not -------------------------------------------------------------------------


@route("POST", "/task/<id>/transfer", "Transfers 转办 to another holder of the post", tag=_T, scope="work", stands="own", refuses=(409,),
       body=shapes.body({"userId": LOGIN, "note": NOTE}, required=("userId",)))
def transfer(call: Call) -> None:
    row = open_task(call.row("task"))
    transfer_task(store(), row.id, actor=me(), to=_person(call.body["userId"], "userId"), note=call.body.get("note") or "", origin=origin())


@route("POST", "/task/<id>/take-back", "Ends one's own delegation 收回委派", tag=_T, scope="work", stands="own", refuses=(409,), body=shapes.body({}))
def take_back(call: Call) -> None:
    take_back_task(store(), open_task(call.row("task")).id, actor=me(), origin=origin())


@route("POST", "/task/<id>/add-signer", "Asks others to sign 加签", tag=_T, scope="work", stands="own", refuses=(409,),
       body=shapes.body({"userIds": many(LOGIN, most=20), "signing": text(only=("before", "beside", "after")), "note": NOTE},
                        required=("userIds", "signing")))
def add_signer(call: Call) -> None:
    row = open_task(call.row("task"))
    people = [_person(login, "userIds") for login in call.body["userIds"]]
    add_signers(store(), row.id, actor=me(), people=people, signing=call.body["signing"], note=call.body.get("note") or "", origin=origin())


@route("POST", "/task/<id>/remove-signer", "Takes an open signature away 减签", tag=_T, scope="work", stands="own", refuses=(409,), body=shapes.body({}),
       note="the id is the signature's own: its task")
def take_signer_away(call: Call) -> None:
    remove_signer(store(), open_task(call.row("task")).id, actor=me(), origin=origin())


TARGET = record({"step": text(), "name": text(), "person": text(), "label": text()})


@route("GET", "/task/<id>/return-targets", "Where it may be returned", tag=_T, scope="read", stands="own", answer={"type": "array", "items": TARGET})
def targets(call: Call) -> Any:
    row = open_task(call.row("task"))
    with store().read() as session:
        found = return_targets(session, me(), row.id)
    return [{"step": each.step, "name": each.name, "person": each.person, "label": each.label} for each in found]


@route("POST", "/task/<id>/return", "Returns 退回 to an earlier step", tag=_T, scope="work", stands="own", refuses=(409, 500),
       body=shapes.body({"to": text("a step's id, `starter` or `previous`", most=128, least=1), "reason": text(most=2000)}, required=("to", "reason")))
def give_back(call: Call) -> None:
    row = open_task(call.row("task"))
    return_task(store(), row.id, actor=me(), to=call.body["to"], reason=call.body["reason"], origin=origin())


def _case_of(call: Call) -> int:
    """The case of a task, open or done, that the account may see. Raises 404."""
    task_id = call.row("task")
    with store().read() as session:
        found = todo.task_case(session, task_id)
    if found is None:
        raise missing("task", task_id)
    require_case(found, "task", task_id)
    return found


@route("POST", "/task/<id>/withdraw", "Takes back 撤回 what one has completed", tag=_T, scope="work", stands="own", refuses=(409, 500),
       body=shapes.body({"reason": text(most=2000)}), note="the id is that of the completed task")
def withdraw(call: Call) -> None:
    _case_of(call)
    withdraw_task(store(), call.row("task"), actor=me(), reason=call.body.get("reason") or "", origin=origin())


@route("POST", "/process-instance/<id>/withdraw", "Takes back 撤回 a start", tag="process-instance", scope="start", stands="own", refuses=(409, 500),
       body=shapes.body({"reason": text(most=2000)}))
def withdraw_case(call: Call) -> None:
    instance_id = call.row("process instance")
    require_case(instance_id)
    withdraw_start(store(), instance_id, actor=me(), reason=call.body.get("reason") or "", origin=origin())


@route("POST", "/task/<id>/urge", "Urges 催办", tag=_T, scope="work", stands="own", refuses=(409,), body=shapes.body({"note": NOTE}))
def urge(call: Call) -> None:
    urge_task(store(), open_task(call.row("task")).id, actor=me(), note=call.body.get("note") or "", origin=origin())


@route("POST", "/task/<id>/copy-to", "Shows its case to colleagues 抄送", tag=_T, scope="work", stands="own", refuses=(409,),
       body=shapes.body({"userIds": many(LOGIN, most=50), "note": NOTE}, required=("userIds",)))
def copy_to(call: Call) -> None:
    case = _case_of(call)
    people = [_person(login, "userIds") for login in call.body["userIds"]]
    copy_case(store(), case, actor=me(), people=people, note=call.body.get("note") or "", task_id=call.row("task"), origin=origin())


OFFER = record({"verb": text(), "label": text(), "effect": text("what it does to the clock")})


@route("GET", "/task/<id>/verbs", "The verbs that the caller may use on it now", tag=_T, scope="read", stands="own", answer={"type": "array", "items": OFFER})
def verbs(call: Call) -> Any:
    row = open_task(call.row("task"))
    with store().read() as session:
        return [{"verb": offer.verb, "label": offer.label, "effect": offer.effect} for offer in offers(session, me(), row.id)]


# -- moving a token, as far as returning does -------------------------------------------------

_INSTRUCTION = shapes.body({
    "type": text(only=("cancel", "startBeforeActivity", "startAfterActivity", "startTransition")), "activityId": text(most=128),
    "activityInstanceId": text(most=64), "transitionId": text(most=128), "transitionInstanceId": text(most=64),
    "ancestorActivityInstanceId": text(most=64), "cancelCurrentActiveActivityInstances": shapes.flag(), "variables": values.GIVEN_VARIABLES,
}, required=("type",))  # fmt: skip
_ONLY = (
    "only going back 退回: `startBeforeActivity` of an earlier step (the start event: the starter), with a `cancel` of everything that ends by it; what is "
    "not named does not end. `annotation` is the reason; what goes on from behind a step, or sets data, is a 501"
)
_BEHIND = "a case stands where people work: going on from behind a step, or over a path, would say that it was done; go back before it instead"
_WITH = "a case goes back with its data as they are, into the activities that stood around the step: variables, ancestorActivityInstanceId and transitions are not covered"


@route("POST", "/process-instance/<id>/modification", "Goes back to an earlier step", tag="process-instance", scope="work", stands="partly", note=_ONLY,
       refuses=(409, 500, 501),
       body=shapes.body({"instructions": many(_INSTRUCTION, most=20), "skipCustomListeners": shapes.flag("there are none"),
                         "skipIoMappings": shapes.flag("there are none"), "annotation": text("the reason", most=2000)}, required=("instructions",)))
def modify(call: Call) -> None:
    instance_id = call.row("process instance")
    require_case(instance_id)
    given = call.body["instructions"]
    kinds = [each["type"] for each in given]
    if "startAfterActivity" in kinds or "startTransition" in kinds:
        raise not_covered(_BEHIND)
    if any(each.get(name) for each in given for name in ("variables", "ancestorActivityInstanceId", "transitionId", "transitionInstanceId")):
        raise not_covered(_WITH)
    if kinds.count("startBeforeActivity") != 1 or "cancel" not in kinds:
        raise not_covered("one startBeforeActivity with what it ends: a case is not begun a second time beside itself, nor ended in part")
    target = next(each for each in given if each["type"] == "startBeforeActivity").get("activityId")
    if not target or target in (STARTER, PREVIOUS):
        raise bad_request("instructions: startBeforeActivity must name a step")
    ends = [Ending(each.get("activityInstanceId"), each.get("activityId")) for each in given if each["type"] == "cancel"]
    if any(end.token is None and end.step is None for end in ends):
        raise bad_request("instructions: cancel must name activityInstanceId or activityId")
    go_back(store(), instance_id, actor=me(), ends=ends, to=target, reason=call.body.get("annotation") or "", origin=origin())
