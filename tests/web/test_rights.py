"""Every page against every kind of account: who gets in, who is refused, and nobody ever sees a failure.

Whoever adds a route adds it here: a route that the table does not know fails the test.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.history import History
from engine.process.outside.webhooks import add_webhook
from engine.people.signature_images import set_signature
from engine.process.timekeeping.publishing import confirm_notice, propose_notice
from engine.process.timekeeping.recounting import recount
from engine.process.timers import fire_due
from engine.process.removing.tables import Removal
from engine.process.workshop import proposals
from engine.process.workshop.back_testing.commands import order_back_test, run_back_tests
from engine.process.workshop.drafts import draft_sheet, save_draft, start_draft
from engine.process.workshop.dry_run.runs import Origins, make_move
from engine.process.workshop.dry_run.script import ScriptMove
from engine.process.workshop.importing.drafts import import_draft
from engine.process.workshop.migrating.commands import plan_migration
from engine.store.clock import MovableClock, shanghai
from tests.engine.timekeeping.acts import closure
from tests.engine.workshop.dry_walks import fingerprint
from tests.engine.workshop.foreign import CORPUS
from tests.pictures import png
from tests.web.cast import HOUSING, PEOPLE, Cast
from tests.web.desk import REQUEST, Desk, text_of
from tests.web.test_migrations import shortened
from tests.web.test_security import changing
from web.pages import case_verbs, task_verbs

Desks = Callable[[str], Desk]
#: The API asks otherwise who it is, and has a table of its own: tests/web/api/test_rights.py.
API = "/engine-rest/"

#: The form of a verb; who sees the case and cannot use it is led back to the task.
VERB, CASE_VERB = task_verbs.ROUTE, case_verbs.ROUTE

EVERYBODY = frozenset(PEOPLE)
OFFICE = frozenset({"office", "office_reviewer", "office_head", "supervisor"})
#: Who works with cases at all: tasks can come to them.
WORKING = EVERYBODY - {"editor", "approver", "auditor", "sysadmin", "secadmin", "auditadmin"}
#: Who sees the case that 007 asks of 013, which has been supervised since its deadline passed.
PARTIES = frozenset({"asker", "asker_head", "provider", "provider_reviewer", "provider_head"})
SEES_CASE = PARTIES | OFFICE | {"auditor"}
#: Who enters plans and rules of their unit: handlers and heads.
KEEPS_RULES = frozenset({"asker", "asker_head", "provider", "provider_head", "outsider", "office", "office_head"})
#: Who draws processes and keeps the calendar, who agrees to it, and both: nobody else enters the workshop.
EDITS, AGREES = frozenset({"editor"}), frozenset({"approver"})
WORKSHOP = EDITS | AGREES

#: Route of the workshop and of the calendar → who may open it, as in READERS.
WORKSHOP_READERS = {
    "/diagrams": WORKSHOP,
    "/diagrams/<key>": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>/xml": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>/documents/<kind>": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>/changes": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>/roll-back": EDITS,
    "/diagrams/<key>/versions/<int:version>/dry-run": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>/dry-run/<int:move_id>": WORKSHOP,
    "/drafts/new": EDITS,
    "/drafts/<int:draft_id>": WORKSHOP,
    "/drafts/<int:draft_id>/xml": WORKSHOP,
    "/drafts/<int:draft_id>/export": WORKSHOP,
    "/drafts/<int:draft_id>/vocabulary": WORKSHOP,
    "/drafts/<int:draft_id>/forms": WORKSHOP,
    "/drafts/<int:draft_id>/forms/<name>": WORKSHOP,
    "/drafts/<int:draft_id>/documents": WORKSHOP,
    "/drafts/<int:draft_id>/documents/<kind>": WORKSHOP,
    "/drafts/<int:draft_id>/dry-run": WORKSHOP,
    "/drafts/<int:draft_id>/dry-run/<int:move_id>": WORKSHOP,
    "/drafts/<int:draft_id>/back-tests": WORKSHOP,
    "/drafts/<int:draft_id>/propose": WORKSHOP,
    "/drafts/<int:draft_id>/propose/check": WORKSHOP,
    "/back-tests/<int:test_id>": WORKSHOP,
    "/back-tests/<int:test_id>/cases.csv": WORKSHOP,
    "/imports": EDITS,
    "/imports/<int:draft_id>": WORKSHOP,
    "/comparisons": WORKSHOP,
    "/comparisons/diagram/<reference>": WORKSHOP,
    "/proposals": WORKSHOP,
    "/proposals/<int:proposal_id>": WORKSHOP,
    "/proposals/<int:proposal_id>/xml": WORKSHOP,
    "/diagrams/<key>/versions/<int:version>/delete": EDITS,
    "/migrations": WORKSHOP,
    "/migrations/new": EDITS,
    "/migrations/<int:migration_id>": WORKSHOP,
    "/migrations/<int:migration_id>/progress": WORKSHOP,
    "/migrations/<int:migration_id>/items": WORKSHOP,
    "/migrations/<int:migration_id>/preview": WORKSHOP,
    "/migrations/<int:migration_id>/cases.csv": WORKSHOP,
    "/calendars": EVERYBODY,
    "/calendars/years/<calendar>/<int:year>": EVERYBODY,
    "/calendars/what-if": EVERYBODY,
    "/calendars/bindings": EDITS,
    "/calendars/import": EDITS,
    "/calendars/proposals/<int:proposal_id>": WORKSHOP,
    "/calendars/proposals/<int:proposal_id>/preview.csv": WORKSHOP,
    # Whom a moved deadline concerns: the office watches deadlines, the administrator the worker that counts them.
    "/calendars/recounts/<int:recount_id>": WORKSHOP | OFFICE | {"sysadmin"},
    "/calendars/recounts/<int:recount_id>/moves.csv": WORKSHOP | OFFICE | {"sysadmin"},
}

#: What changes something in the workshop or the calendar → who may. In the order in which the test lets them.
WORKSHOP_ACTS = {
    ("POST", "/drafts/<int:draft_id>/check"): WORKSHOP,
    ("POST", "/drafts/<int:draft_id>/forms/<name>/preview"): WORKSHOP,
    ("POST", "/drafts/<int:draft_id>/forms/<name>/read"): WORKSHOP,
    ("POST", "/drafts/<int:draft_id>/dry-run"): WORKSHOP,
    ("POST", "/drafts/<int:draft_id>/dry-run/<int:move_id>"): WORKSHOP,
    ("POST", "/diagrams/<key>/versions/<int:version>/dry-run"): WORKSHOP,
    ("POST", "/diagrams/<key>/versions/<int:version>/dry-run/<int:move_id>"): WORKSHOP,
    ("POST", "/drafts/<int:draft_id>/back-tests"): WORKSHOP,
    ("POST", "/back-tests/<int:test_id>/cancel"): WORKSHOP,
    ("POST", "/drafts"): EDITS,
    ("POST", "/drafts/<int:draft_id>/copies"): EDITS,
    ("PUT", "/drafts/<int:draft_id>/xml"): EDITS,
    ("PUT", "/drafts/<int:draft_id>/forms/<name>"): EDITS,
    ("POST", "/drafts/<int:draft_id>/forms/<name>/copies"): EDITS,
    ("POST", "/drafts/<int:draft_id>/forms"): EDITS,
    ("POST", "/drafts/<int:draft_id>/forms/<name>/rename"): EDITS,
    ("POST", "/drafts/<int:draft_id>/forms/<name>/delete"): EDITS,
    ("POST", "/drafts/<int:draft_id>/documents"): EDITS,
    ("POST", "/drafts/<int:draft_id>/documents/<kind>/remove"): EDITS,
    ("POST", "/drafts/<int:draft_id>/propose"): EDITS,
    ("POST", "/diagrams/<key>/versions/<int:version>/roll-back"): EDITS,
    ("POST", "/diagrams/<key>/versions/<int:version>/delete"): EDITS,
    ("POST", "/imports"): EDITS,
    ("POST", "/imports/drafts"): EDITS,
    ("POST", "/proposals/<int:proposal_id>/approve"): AGREES,
    ("POST", "/proposals/<int:proposal_id>/refuse"): AGREES,
    ("POST", "/proposals/<int:proposal_id>/withdraw"): EDITS,
    ("POST", "/drafts/<int:draft_id>/discard"): EDITS,
    ("POST", "/migrations/new/preview"): EDITS,
    ("POST", "/migrations"): EDITS,
    ("POST", "/migrations/<int:migration_id>/start"): AGREES,
    ("POST", "/migrations/<int:migration_id>/<any(rest, resume):act>"): WORKSHOP,
    ("POST", "/migrations/<int:migration_id>/stop"): WORKSHOP,
    ("POST", "/migrations/<int:migration_id>/withdraw"): WORKSHOP,
    ("POST", "/calendars/bindings"): EDITS,
    ("POST", "/calendars/import"): EDITS,
    ("POST", "/calendars/proposals/<int:proposal_id>/confirm"): AGREES,
    ("POST", "/calendars/proposals/<int:proposal_id>/refuse"): WORKSHOP,
}  # fmt: skip
#: Those of them that are sent by scripts.
AS_JSON = {f"/drafts/<int:draft_id>/{end}" for end in (
    "check", "copies", "xml", "forms/<name>", "forms/<name>/copies", "forms/<name>/preview",
    "forms/<name>/read",
)}  # fmt: skip

#: Route → who may open it. Everybody else is refused with 403 (never told whether it exists) or, where noted, 404.
READERS = {
    "/": EVERYBODY,
    "/inbox": EVERYBODY,
    "/inbox/<tab>": EVERYBODY,
    "/inbox/next": EVERYBODY,
    "/inbox/bulk": EVERYBODY,  # without a choice of theirs it says so
    "/cases": EVERYBODY,
    "/cases/<int:instance_id>": SEES_CASE,
    "/tasks/<int:task_id>": SEES_CASE,
    "/deadlines/<int:timer_id>": SEES_CASE,
    "/deadlines/<int:timer_id>.json": SEES_CASE,
    "/attachments/<int:attachment_id>": SEES_CASE,
    "/attachments/<int:attachment_id>/preview": SEES_CASE,
    VERB: SEES_CASE,
    CASE_VERB: SEES_CASE,
    "/cases/<int:instance_id>/correct": OFFICE,
    "/cases/<int:instance_id>/print": SEES_CASE,
    "/cases/<int:instance_id>/signatures/<int:account_id>": SEES_CASE,
    "/phrases": WORKING,
    "/signature": WORKING,
    "/documents/<int:document_id>": SEES_CASE,
    "/documents/<int:document_id>.docx": SEES_CASE,
    "/diagrams/<int:definition_id>.bpmn": EVERYBODY,
    "/start/<key>": frozenset({"asker", "provider", "outsider", "office"}),
    "/catalogue": EVERYBODY,
    "/catalogue/<path:code>": EVERYBODY,
    "/own-catalogue": EVERYBODY,
    "/negative-list": EVERYBODY,
    "/negative-list/<int:entry_id>": EVERYBODY,
    "/board": OFFICE,
    "/board/tasks": OFFICE,
    "/supervision": OFFICE,
    "/rectifications": EVERYBODY,
    "/reports": EVERYBODY,
    "/reports/<int:report_id>": frozenset(),  # there is none: who would ask is told no more than that it is not theirs
    "/evaluations": EVERYBODY,
    "/projects": EVERYBODY,
    "/rule-documents": EVERYBODY,
    "/removals": OFFICE | {"auditor"},
    "/removals/due": OFFICE | {"auditor"},
    "/removals/<int:removal_id>": OFFICE | {"auditor"},
    "/removals/<int:removal_id>/progress": OFFICE | {"auditor"},
    "/removals/<int:removal_id>/items": OFFICE | {"auditor"},
    "/removals/<int:removal_id>/list.csv": OFFICE | {"auditor"},
    "/tokens": EVERYBODY,
    "/interfaces": EVERYBODY,
    "/notices": EVERYBODY,
    "/absences": EVERYBODY,
    "/notices/settings": EVERYBODY,
    "/live": EVERYBODY,
    "/operations": frozenset({"sysadmin"}),
    "/operations/letters": frozenset({"sysadmin"}),
    "/robots": frozenset({"sysadmin"}),
    "/metrics": EVERYBODY,  # here, where the installation and whoever asks are on one machine
    "/webhooks": frozenset({"sysadmin"}),
    "/webhooks/<int:webhook_id>": frozenset({"sysadmin"}),
    "/sign-in": EVERYBODY,
    "/healthz": EVERYBODY,
    "/readyz": EVERYBODY,
    "/static/<path:filename>": EVERYBODY,
    **WORKSHOP_READERS,
}  # fmt: skip

PLACES = {
    "<tab>": "mine", "<int:instance_id>": "1", "<int:task_id>": "2", "<int:attachment_id>": "1", "<int:definition_id>": "1",
    "<path:code>": "209001/000001", "<int:entry_id>": "1", "<path:filename>": "icon.svg", "<int:document_id>": "1",
    "<int:report_id>": "1", "<int:version>": "1", "<kind>": "reply_letter", "<name>": "spare", "<calendar>": "city", "<int:year>": "2026",
    "<key>": "conditional_share", VERB.rsplit("/", 1)[1]: "transfer", "<int:webhook_id>": "1", CASE_VERB.rsplit("/", 1)[1]: "copy",
}  # fmt: skip


#: What some pages ask for in their query.
QUERIES = {
    "/start/<key>": f"?resource_code={HOUSING}",
    "/comparisons": "?before=v<int:to>&after=<reference>",
    "/migrations/new": "?from=<int:from>&to=<int:to>",
    "/calendars/what-if": "?start=2026-02-10&days=10",
}


def _address(rule: str, places: Mapping[str, str]) -> str:
    """The address of a route; `places` names what was made for the test, by its place or by the beginning of the route."""
    address = rule + QUERIES.get(rule, "")
    for place, value in {**places, **PLACES}.items():
        address = address.replace(place, value)
    return address


def test_every_page_opens_for_those_it_is_for_and_for_nobody_else(
    app: Flask, desk: Desks, cast: Cast, clock: MovableClock, stranger: Desk
) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.rule.startswith(API)}
    assert routes == set(READERS), "a new page needs its line in the table"
    _a_supervised_case(desk, cast, clock)
    add_webhook(cast.store, actor=cast.actor("sysadmin"), name="共享平台", url="https://platform.example.cn/hook")
    link = re.search(r'href="/deadlines/(\d+)" aria-label="提供部门答复', text_of(desk("asker").get("/cases/1")))
    assert link
    set_signature(cast.store, png(200, 80), actor=cast.actor("asker_head"))
    places = {"<int:timer_id>": link[1], "<int:account_id>": str(cast.ids["asker_head"]), **_a_workshop(cast)}
    wrong = []
    for login in sorted(EVERYBODY):
        person = desk(login)
        for rule, readers in READERS.items():
            status = person.get(_address(rule, places)).status_code
            # 422: may start, but not about this; the provider does not ask itself.
            expected = ({200, 302} if rule in WORKSHOP_READERS else {200, 302, 422, 503}) if login in readers else {403}
            if (login, rule) == ("provider", "/start/<key>"):
                expected = {422}  # their post may ask, but nobody asks themselves
            if status not in expected:
                wrong.append(f"{login} {rule}: {status}")
    assert wrong == []
    for rule in sorted(set(READERS) - {"/sign-in", "/healthz", "/readyz", "/metrics", "/static/<path:filename>"}):
        assert stranger.get(_address(rule, places)).status_code == 303, rule


def test_no_post_moves_what_is_not_ones_own(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    _a_supervised_case(desk, cast, clock)
    number = desk("provider").task("受理")
    for login in sorted(EVERYBODY - {"provider"}):
        person = desk(login)
        verbs = ["claim", "unclaim", "return", "transfer", "delegate", "take-back", "signers", "hand-back"]
        if login not in SEES_CASE:
            verbs += ["urge", "copy"]  # whoever waits for the case, or had a hand in it, may
        for path in (f"/tasks/{number}", *(f"/tasks/{number}/{verb}" for verb in verbs)):
            sent = {"completeness": "complete", "to": "1", "reason": "试", "people": "1", "signing": "beside", "opinion": "试"}
            assert person.post(path, sent).status_code == 403, f"{login} {path}"
        told = person.as_json("PUT", f"/tasks/{number}/draft", {"answers": {}, "opinion": "试"})
        assert told.status_code == 403, login
        assert "转入" not in text_of(person.as_json("POST", f"/tasks/{number}/ahead", {"answers": {"completeness": "complete"}})), login
        if login != "sysadmin":
            for path in (
                "/operations/incidents/1/retry", "/operations/letters/redeliver", "/operations/letters/1/redeliver",
                "/operations/letters/1/give-up", "/robots", "/robots/1/test", "/robots/1/switch", "/robots/1/remove",
            ):  # fmt: skip
                assert person.post(path, {"reason": "试", "channel": "mail"}).status_code == 403, f"{login} {path}"
            for path in ("", "/1", "/1/secret", "/1/test", "/1/remove", "/1/deliveries/1"):
                assert person.post(f"/webhooks{path}", {"name": "x", "url": "https://x.example.cn"}).status_code == 403, f"{login} {path}"
        keeps = login in KEEPS_RULES
        assert person.post("/rule-documents", {"kind": ""}).status_code == (422 if keeps else 403), login
        if not keeps:
            assert person.post("/rule-documents/1/result", {"result": "revised"}).status_code == 403, login
        if login not in READERS["/start/<key>"]:
            assert person.post("/start/conditional_share", {"resource_code": "209001/000001"}).status_code == 403, login
    assert desk("provider").do("受理", completeness="complete").status_code == 303


def test_nobody_else_changes_anything_in_the_workshop_and_the_calendar(
    app: Flask, desk: Desks, cast: Cast, clock: MovableClock, stranger: Desk
) -> None:
    doors = tuple({f"/{rule.split('/')[1]}" for rule in WORKSHOP_READERS})
    assert {act for act in changing(app) if act[1].startswith(doors)} == set(WORKSHOP_ACTS), "a new act needs its line in the table"
    _a_supervised_case(desk, cast, clock)
    places = _a_workshop(cast)
    desks = {login: desk(login) for login in sorted(EVERYBODY)}
    before, wrong = fingerprint(cast.store), []
    for login, person in desks.items():
        for act, allowed in WORKSHOP_ACTS.items():
            if login not in allowed and (status := _try(person, act, places).status_code) != 403:
                wrong.append(f"{login} {act}: {status}")
    assert wrong == []
    stranger.get("/sign-in")
    for act in WORKSHOP_ACTS:
        assert _try(stranger, act, places).status_code in (303, 401), act
    after = fingerprint(cast.store)
    assert [table for table in after if after[table] != before[table]] == [], "who is refused changes nothing"
    for act, allowed in WORKSHOP_ACTS.items():
        for login in sorted(allowed):
            status = _try(desks[login], act, places).status_code
            assert status < 500 and status != 403, f"{login} {act}: {status}"


def _try(person: Desk, act: tuple[str, str], places: Mapping[str, str]) -> TestResponse:
    """Sends what makes sense to every act: nothing but a missing right can be the reason of a refusal with 403."""
    method, rule = act
    address = _address(rule, places)
    if rule in AS_JSON:
        sent = {"revision": 2, "xml": "<definitions/>", "form": {"title": "备用", "fields": []}, "text": "{}"}
        return person.client.open(address, method=method, data=json.dumps(sent), headers={
            "X-CSRFToken": person.token, "Content-Type": "application/json",
        })  # fmt: skip
    return person.post(address, {
        "revision": "2", "reason": "试", "note": "试", "base": places["<int:to>"], "period": "3", "from": places["<int:from>"],
        "to": places["<int:to>"], "key": "tried", "name": "tried", "title": "试", "new_name": "tried", "kind": "tried",
        "rule_set": "liaoyang_2018", "create": "1", "file": (io.BytesIO(CORPUS["pools"]), "流程.bpmn"),
    })  # fmt: skip


def _a_supervised_case(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    """Case 1 of 007, its document of supervision (case 2), and an attachment."""
    desk("asker").ask(upload=(io.BytesIO(b"%PDF-1.7"), "函.pdf"))
    clock.to("2026-02-10 09:30")
    desk("asker_head").do("部门负责人审签", sign="agree")
    clock.to("2026-03-03 00:00")
    fire_due(cast.store)


def _a_workshop(cast: Cast) -> dict[str, str]:
    """What stands behind the workshop's addresses, by their places: of everything one, while case 1 follows version 1."""
    store, editor, approver = cast.store, cast.actor("editor"), cast.actor("approver")
    old, new = shortened(cast)
    draft = start_draft(store, actor=editor, definition_id=new)
    with store.read() as session:
        package = draft_sheet(session, editor, draft).package
    limit = b'sharing:role="deadline" sharing:workingDays="5"'
    forms = {**package.forms, "spare": {"title": "备用", "fields": []}}
    save_draft(store, draft, actor=editor, revision=1, xml=package.xml.replace(limit, limit.replace(b"5", b"6")), forms=forms)
    imported = import_draft(store, CORPUS["pools"], actor=editor, key="reviews", rule_set="liaoyang_2018")
    begin = ScriptMove("start", at="2026-02-10T09:30", by="asker", unit="007", about={"resource_code": HOUSING}, answers=dict(REQUEST))
    on_draft, _ = make_move(store, Origins(draft_id=draft), None, begin, actor=editor)
    on_version, _ = make_move(store, Origins(definition_id=old), None, begin, actor=editor)
    test = order_back_test(
        store, draft, actor=editor, received_from=shanghai("2026-02-01"), received_until=shanghai("2026-03-02")
    )
    run_back_tests(store)
    proposal = proposals.propose(store, draft, actor=editor, revision=2, reason="缩短答复时限")
    migration = plan_migration(store, actor=editor, from_id=old, to_id=new, reason="按新规定办理")
    closed, asked = (
        propose_notice(store, closure(doc, day, published="2026-03-02"), actor=editor, calendar="city", accepted="已核对原文")
        for doc, day in (("辽市政办发〔2026〕8号", "2026-03-05"), ("辽市政办发〔2026〕9号", "2026-03-06"))
    )
    with store.work() as work:
        work.session.add(Removal(reason="无保存价值", digest="", state="proposed", created_by=cast.ids["supervisor"], created_at=work.now))
    counted = confirm_notice(store, closed, actor=approver)
    recount(store)
    assert on_draft and on_version, "the dry runs have begun"
    return {
        "/imports/<int:draft_id>": f"/imports/{imported}", "/calendars/proposals/<int:proposal_id>": f"/calendars/proposals/{asked}",
        "/versions/<int:version>/dry-run/<int:move_id>": f"/versions/1/dry-run/{on_version}", "<int:move_id>": str(on_draft),
        "<int:draft_id>": str(draft), "<reference>": f"d{draft}", "<int:test_id>": str(test), "<int:proposal_id>": str(proposal),
        "<int:migration_id>": str(migration), "<int:recount_id>": str(counted), "<int:removal_id>": "1", "<int:from>": str(old), "<int:to>": str(new),
        "<any(rest, resume):act>": "rest",
    }  # fmt: skip


def test_an_auditors_look_and_a_refused_one_go_on_record(desk: Desks, cast: Cast) -> None:
    case = desk("asker").ask()
    desk("asker").get(f"/cases/{case}")
    desk("auditor").get(f"/cases/{case}")
    desk("outsider").get(f"/cases/{case}")
    with cast.store.read() as session:
        looks = session.execute(
            select(History.act, History.actor_name).where(History.act.in_(("looked", "look_refused"))).order_by(History.id)
        ).all()
    assert [tuple(look) for look in looks] == [("looked", "郑审计"), ("look_refused", "冯交通")]


def test_the_office_stops_a_case_and_lets_it_go_on_with_reasons(desk: Desks) -> None:
    case = desk("asker").ask()
    assert "办公室处理" not in text_of(desk("asker").get(f"/cases/{case}"))
    office = desk("office_head")
    assert "暂停办理" in text_of(office.get(f"/cases/{case}"))
    assert office.post(f"/cases/{case}/suspend", {"reason": " "}).status_code == 422
    assert office.post(f"/cases/{case}/suspend", {"reason": "等待上级批复"}).status_code == 303
    page = text_of(office.get(f"/cases/{case}"))
    assert "已暂停" in page and "恢复办理" in page and "等待上级批复" in page
    head = desk("asker_head")
    task = head.task("部门负责人审签")
    head.get(f"/tasks/{task}")
    refused = head.post(f"/tasks/{task}", {"sign": "agree"})
    assert refused.status_code == 409 and "已暂停" in text_of(refused)
    assert desk("asker").post(f"/cases/{case}/resume", {"reason": "想继续"}).status_code == 403
    assert office.post(f"/cases/{case}/resume", {"reason": "批复已下达"}).status_code == 303
    assert "已恢复办理。" in text_of(office.get(f"/cases/{case}"))
