"""Webhooks: what happens to a case reaches another system, signed, at least once, and nothing that it should not know."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, select
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from engine.channels.webhook import signature, webhook_channel
from engine.history import History
from engine.outbox import ATTEMPTS, Letter, OutboxLetter, Undeliverable, deliver, forget_old
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.outside import webhooks as hooks
from engine.process.outside.addresses import wrong_with
from engine.process.outside.fetching import Asked, fetch_and_lock
from engine.process.outside.finishing import complete_external, fail_external
from engine.store.clock import MovableClock, WallClock
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.interpreter.diagrams import element
from tests.engine.outside.receiving import Receiver, receiving
from tests.engine.process.office import Office, form, text

REPLY = element("reply", name="答复", unit="'B'", post="handler", limit="3")
SECRETS = form(text("wish"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def replying(office: Office) -> Office:
    office.deploy("start > user:reply > end", REPLY, forms={"ask": SECRETS}, startForm="ask")
    return office


class Hooked:
    """An office with a webhook to the receiver."""

    def __init__(self, office: Office, receiver: Receiver, **asked: Any) -> None:
        self.office, self.receiver = office, receiver
        self.id, self.secret = hooks.add_webhook(
            office.store, actor=office["otto"], name="共享平台", url=receiver.url, hosts=frozenset({receiver.host}), **asked
        )

    def delivers(self) -> int:
        find = partial(hooks.find_webhook, self.office.store)
        channel = webhook_channel(find, frozenset({self.receiver.host}), self.office.store.clock)
        return deliver(self.office.store, {"webhook": channel})

    def log(self) -> list[hooks.Delivery]:
        with self.office.store.read() as session:
            return hooks.deliveries(session, self.office["otto"], self.id)


def letters(office: Office) -> list[OutboxLetter]:
    with office.store.read() as session:
        return list(session.scalars(select(OutboxLetter).where(OutboxLetter.channel == "webhook").order_by(OutboxLetter.id)))


def test_the_life_of_a_case_is_told_without_its_content(replying: Office, receiver: Receiver) -> None:
    hooked = Hooked(replying, receiver)
    case = replying.start(wish="绝密愿望")
    task = replying.task("reply")
    replying.complete("dora", "reply", opinion="机密意见")
    hooked.delivers()
    assert receiver.kinds == ["case.started", "task.opened", "task.completed", "case.ended"]
    started, opened, completed, ended = receiver.told
    number = replying.instance(case).number
    assert started["case"]["id"] == str(case) and started["case"]["number"] == number and started["case"]["process"] == "test"
    assert opened["task"] | {"due": None} == {
        "id": str(task.id), "step": "reply", "name": "答复", "unit": "B", "post": "handler", "due": None, "provisional": False,
    }
    assert opened["task"]["due"] == task.due_at.isoformat() if task.due_at else None
    assert (completed["task"]["id"], ended["outcome"]["key"]) == (str(task.id), "end")
    everything = b"".join(body for _, body in receiver.got).decode()
    assert "绝密" not in everything and "机密" not in everything and "Anna" not in everything
    assert len({told["id"] for told in receiver.told}) == 4


def test_a_receiver_verifies_with_the_library_of_its_language(replying: Office, receiver: Receiver, clock: MovableClock) -> None:
    hooked = Hooked(replying, receiver, kinds=["case.started"])
    clock.to(WallClock().now())  # the library compares with its own clock: replays are refused after five minutes
    replying.start(wish="x")
    hooked.delivers()
    [(headers, body)] = receiver.got
    assert Verifier(hooked.secret).verify(body, headers)["kind"] == "case.started"
    assert headers["webhook-id"] == headers["idempotency-key"] == json.loads(body)["id"]
    for forged in (body.replace(b"started", b"removed"), body + b" "):
        with pytest.raises(WebhookVerificationError):
            Verifier(hooked.secret).verify(forged, headers)
    old = int(headers["webhook-timestamp"]) - 3600
    replayed = {**headers, "webhook-timestamp": str(old), "webhook-signature": signature(hooked.secret, headers["webhook-id"], old, body)}
    with pytest.raises(WebhookVerificationError, match="too old"):
        Verifier(hooked.secret).verify(body, replayed)
    with pytest.raises(WebhookVerificationError):
        Verifier(hooks.renew_secret(replying.store, hooked.id, actor=replying["otto"])).verify(body, headers)


def test_only_what_was_asked_for_is_sent(replying: Office, receiver: Receiver) -> None:
    replying.deploy("start > user:other > end", element("other", unit="'B'", post="handler"), key="second")
    hooked = Hooked(replying, receiver, kinds=["deadline.missed", "case.suspended"], processes=["test"])
    case, other = replying.start(wish="x"), replying.start(key="second")
    for each in (case, other):
        suspend_instance(replying.store, each, actor=replying["gu"], reason="核查")
        resume_instance(replying.store, each, actor=replying["gu"], reason="核查完毕")
    replying.sweep("2026-03-20 09:00")
    hooked.delivers()
    assert [(told["kind"], told["case"]["id"]) for told in receiver.told] == [("case.suspended", str(case)), ("deadline.missed", str(case))]
    assert receiver.told[1]["deadline"]["activity"] == "答复"


def test_of_a_restricted_case_nothing_but_ids_leaves(office: Office, receiver: Receiver) -> None:
    office.deploy("start > user:reply > end", REPLY, forms={"ask": SECRETS}, startForm="ask", restricted="wish == '涉密'")
    hooked = Hooked(office, receiver, kinds=["task.opened"])
    case = office.start(wish="涉密")
    office.start(wish="公开")
    hooked.delivers()
    closed, open_one = receiver.told
    assert closed["restricted"] is True and set(closed["case"]) == {"id", "process", "definition"}
    assert closed["case"]["id"] == str(case) and set(closed["task"]) == {"id"}
    assert "restricted" not in open_one and open_one["case"]["number"]


def test_what_was_undone_is_never_told_and_what_was_told_is_told_once(replying: Office, receiver: Receiver) -> None:
    hooked = Hooked(replying, receiver)
    with pytest.raises(NotAllowed):
        replying.start("otto", wish="x")
    assert letters(replying) == []
    case = replying.start(wish="x")
    terminate_instance(replying.store, case, actor=replying["gu"], reason="无需办理")
    hooked.delivers()
    assert receiver.kinds == ["case.started", "task.opened", "task.cancelled", "case.ended"]
    assert hooked.delivers() == 0


def test_a_receiver_that_is_away_gets_it_later_and_an_operator_sends_it_again(replying: Office, receiver: Receiver, clock: MovableClock) -> None:
    hooked = Hooked(replying, receiver, kinds=["case.started"])
    receiver.status = 503
    replying.start(wish="x")
    assert hooked.delivers() == 0
    [line] = hooked.log()
    assert (line.state, line.attempts) == ("waiting", 1) and "503" in (line.error or "")
    receiver.status = 204
    assert hooked.delivers() == 0, "not before its time"
    clock.to(clock.now() + timedelta(minutes=1))
    assert hooked.delivers() == 1
    hooks.deliver_again(replying.store, hooked.log()[0].id, actor=replying["otto"])
    assert hooked.delivers() == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1, "the receiver can tell that it is the same"
    for who in ("anna", "gu", "petra"):
        with pytest.raises(NotAllowed):
            hooks.deliver_again(replying.store, line.id, actor=replying[who])


def test_a_receiver_that_refuses_gets_no_more_of_it(replying: Office, receiver: Receiver) -> None:
    hooked = Hooked(replying, receiver, kinds=["case.started"])
    receiver.status = 410
    replying.start(wish="x")
    hooked.delivers()
    assert [line.state for line in hooked.log()] == ["dead"]
    receiver.status, receiver.location = 302, "http://127.0.0.1:1/elsewhere"
    hooks.deliver_again(replying.store, hooked.log()[0].id, actor=replying["otto"])
    hooked.delivers()
    assert "redirection" in (hooked.log()[0].error or "") and len(receiver.got) == 2
    assert ATTEMPTS > 1


def test_a_webhook_that_was_stopped_or_removed_is_sent_nothing(replying: Office, receiver: Receiver) -> None:
    hooked = Hooked(replying, receiver, kinds=["case.started"])
    replying.start(wish="x")
    hooks.change_webhook(replying.store, hooked.id, actor=replying["otto"], name="平台", url=receiver.url, kinds=["case.started"],
                         active=False, hosts=frozenset({receiver.host}))
    replying.start(wish="y")
    assert len(letters(replying)) == 1
    hooked.delivers()
    assert (receiver.got, [line.state for line in hooked.log()]) == ([], ["dead"])
    hooks.remove_webhook(replying.store, hooked.id, actor=replying["otto"])
    assert [letter.state for letter in letters(replying)] == ["given_up"]
    with pytest.raises(NotFound):
        hooks.send_test(replying.store, hooked.id, actor=replying["otto"])


def test_nobody_listening_costs_nothing(replying: Office) -> None:
    replying.start(wish="x")
    seen: list[str] = []
    event.listen(replying.store.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    replying.start(wish="y")
    assert [statement for statement in seen if "webhook" in statement or "outbox" in statement] == []


def test_workers_outside_are_told_of_their_work(office: Office, receiver: Receiver) -> None:
    office.deploy("start > service:grant > end", element("grant", name="开通", topic="grants"))
    hooked = Hooked(office, receiver)
    office.start()
    for number in range(2):
        [task] = fetch_and_lock(office.store, actor=office["robot"], worker="w", most=1, topics=[Asked("grants", timedelta(minutes=1))])
        if number == 0:
            fail_external(office.store, task.id, actor=office["robot"], worker="w", message="无应答", retries=1)
    complete_external(office.store, task.id, actor=office["robot"], worker="w", given={})
    hooked.delivers()
    assert receiver.kinds == ["case.started", "external.opened", "external.failed", "external.completed", "case.ended"]


@pytest.mark.parametrize("url", [
    "http://oa.example.cn/hook", "ftp://oa.example.cn", "https://", "https://user:word@oa.example.cn/", "https://127.0.0.1/", "https://10.1.2.3/x",
    "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://localhost/", "https://intranet/", "https://2130706433/",
    "https://0x7f.1/", "https://oa.example.cn:99999/", "https://oa.example.cn/#x", "https://oa.local/", "https://oa .cn/", "https://oa.cn\\@evil.cn/",
])  # fmt: skip
def test_an_address_inside_or_without_encryption_is_refused(office: Office, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        hooks.add_webhook(office.store, actor=office["otto"], name="共享平台", url=url)
    assert set(refused.value.fields) == {"url"}


def test_the_settings_open_the_door_to_a_host_by_name() -> None:
    hosts = frozenset({"oa.city.local", "10.1.2.3:8443", "[::1]"})
    for url in ("http://oa.city.local/hook", "https://10.1.2.3:8443/hook", "http://[::1]:99/", "https://oa.example.cn/hook"):
        assert wrong_with(url, hosts) is None, url
    for url in ("https://10.1.2.3/hook", "http://oa.example.cn/hook", "http://other.city.local/"):
        assert wrong_with(url, hosts) is not None, url


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_name_that_leads_inside_is_found_out_before_a_word_is_said(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """The text of the address passed every check; whoever keeps its name lets it lead here."""
    port = receiver.server.server_port
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))])
    target = hooks.Target(f"{scheme}://oa.example.cn/hook", "whsec_QUJD")
    channel = webhook_channel(lambda _: target, frozenset(), office.store.clock)
    with pytest.raises(Undeliverable, match="private" if scheme == "https" else "not allowed"):
        channel(Letter("key", "1", {"id": "1"}))
    assert receiver.got == []


def test_what_an_operator_does_is_on_record_without_what_is_secret(office: Office) -> None:
    number, secret = hooks.add_webhook(office.store, actor=office["otto"], name="平台", url="https://oa.example.cn/hook?key=s3cret")
    again = hooks.renew_secret(office.store, number, actor=office["otto"])
    hooks.remove_webhook(office.store, number, actor=office["otto"])
    with office.store.read() as session:
        entries = session.scalars(select(History).where(History.act.like("webhook_%")).order_by(History.id)).all()
    assert [(entry.act, entry.actor_name) for entry in entries] == [
        ("webhook_added", "Otto"), ("webhook_secret_renewed", "Otto"), ("webhook_removed", "Otto"),
    ]
    assert not any(word in str(entry.data) for entry in entries for word in ("s3cret", secret, again))


def test_what_arrived_long_ago_is_forgotten_and_what_did_not_is_kept(replying: Office, receiver: Receiver, clock: MovableClock) -> None:
    hooked = Hooked(replying, receiver, kinds=["case.started"])
    replying.start(wish="x")
    hooked.delivers()
    receiver.status = 410
    replying.start(wish="y")
    hooked.delivers()
    clock.to(clock.now() + timedelta(days=89))
    assert forget_old(replying.store) == 0
    clock.to(clock.now() + timedelta(days=2))
    assert forget_old(replying.store) == 1
    assert [line.state for line in hooked.log()] == ["dead"]
