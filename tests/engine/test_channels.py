"""The channels against real servers: what they send, and what each answer makes of the letter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.channels import http
from engine.channels.dingtalk import signature
from engine.channels.http import LONGEST, Failed
from engine.channels.mail import mail_channel
from engine.channels.registry import open_channels
from engine.channels.robots import Robot
from engine.channels.sms import sign
from engine.outbox import Channel, Letter, Undeliverable
from engine.store.clock import MovableClock, shanghai
from engine.store.settings import Mail, Settings, Sms
from engine.store.store import channels_of
from tests.post_office import PostOffice
from tests.receiver import Answering, Receiver, answers, hangs, receiving, says

SECRET = "shared with the gateway"
KEY = "3b1f-the-robots-key"
LETTER = Letter("robot:1:k", "robot:1", {"kind": "new_task", "text": "【新待办】经办岗位有新消息，请登录系统查看。", "path": "/tasks/7"})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def channels(receiver: Receiver, clock: MovableClock) -> dict[str, Channel]:
    """All channels of an installation whose robots and gateway are the receiver."""
    robots = {"robot:1": Robot(f"{receiver.origin}/robot/send?access_token={KEY}", "SEC000"), "robot:2": Robot(f"{receiver.origin}/send?key={KEY}")}
    settings = Settings(
        home=Path("var"), database_url="sqlite:///x", secret_key="x" * 32, base_url="https://sharing.example.gov.cn",
        sms=Sms(f"{receiver.origin}/sms", SECRET), robot_origins=frozenset({receiver.origin}),
    )  # fmt: skip
    opened = open_channels(settings, robots.get, clock)
    assert opened.keys() == channels_of(settings) - {"webhook"}
    return opened


# -- what is sent -----------------------------------------------------------------------------


def test_a_wecom_robot_is_told_in_text_where_to_look(channels: dict[str, Channel], receiver: Receiver) -> None:
    channels["wecom"](LETTER)
    (got,) = receiver.received
    assert got.query == {"access_token": KEY}
    assert got.headers["Idempotency-Key"] == "robot:1:k"
    assert got.json == {"msgtype": "text", "text": {
        "content": "【新待办】经办岗位有新消息，请登录系统查看。\nhttps://sharing.example.gov.cn/tasks/7"
    }}  # fmt: skip


def test_a_dingtalk_robot_is_told_with_a_signature_of_this_moment(
    channels: dict[str, Channel], receiver: Receiver, clock: MovableClock
) -> None:
    channels["dingtalk"](LETTER)
    (got,) = receiver.received
    timestamp = str(int(clock.now().timestamp() * 1000))
    code = hmac.new(b"SEC000", f"{timestamp}\nSEC000".encode(), hashlib.sha256).digest()
    assert got.query == {"access_token": KEY, "timestamp": timestamp, "sign": base64.b64encode(code).decode()}


def test_the_signature_covers_milliseconds_a_line_break_and_the_secret() -> None:
    found = signature("this is secret", shanghai("2020-09-13 20:26:40"))
    code = hmac.new(b"this is secret", b"1600000000000\nthis is secret", hashlib.sha256).digest()
    assert found == {"timestamp": "1600000000000", "sign": base64.b64encode(code).decode()}


def test_a_robot_without_a_signing_secret_gets_none(channels: dict[str, Channel], receiver: Receiver) -> None:
    channels["dingtalk"](Letter("k", "robot:2", {"text": "测试"}))
    assert receiver.received[0].query == {"key": KEY}


def test_the_sms_gateway_can_check_who_sends_and_what(
    channels: dict[str, Channel], receiver: Receiver, clock: MovableClock
) -> None:
    receiver.answer = answers(b"", 202)
    channels["sms"](Letter("notice:5:sms", "13800000000", {"text": "您有一条新消息，请登录系统查看"}))
    (got,) = receiver.received
    assert got.json == {"phone": "13800000000", "text": "您有一条新消息，请登录系统查看", "key": "notice:5:sms"}
    assert got.headers["Idempotency-Key"] == "notice:5:sms"
    at = got.headers["X-Timestamp"]
    assert at == str(int(clock.now().timestamp()))
    assert got.headers["X-Signature"] == sign(SECRET, at, got.body)
    assert got.headers["X-Signature"] == "sha256=" + hmac.new(SECRET.encode(), f"{at}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert SECRET not in str(got)


# -- what answers mean ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "answer", "error"),
    [
        ("wecom", answers({"errcode": 93000, "errmsg": "invalid webhook url"}), Undeliverable),
        ("wecom", answers({"errcode": 45009, "errmsg": "api freq out of limit"}), Failed),
        ("wecom", answers({"errcode": -1, "errmsg": "system busy"}), Failed),
        ("dingtalk", answers({"errcode": 310000, "errmsg": "sign not match"}), Undeliverable),
        ("dingtalk", answers({"errcode": 300001, "errmsg": "token is not exist"}), Undeliverable),
        ("dingtalk", answers({"errcode": 130101, "errmsg": "send too fast"}), Failed),
        ("wecom", answers({"no": "errcode"}), Failed),
        ("wecom", answers(b"<html>login</html>"), Failed),
        ("wecom", answers([]), Failed),
        ("wecom", answers({"errcode": 0}, 500), Failed),
        ("wecom", answers({"errcode": 0}, 429), Failed),
        ("wecom", answers({"errcode": 0}, 403), Undeliverable),
        ("wecom", says(b"220 smtp.example.org ESMTP\r\n"), Failed),
        ("wecom", says(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), Failed),
        ("wecom", says(b""), Failed),
        ("sms", answers(b"", 400), Undeliverable),
        ("sms", answers(b"", 503), Failed),
        ("sms", says(b"\x00\x01garbage"), Failed),
    ],
)  # fmt: skip
def test_every_answer_but_success_is_a_failure_that_is_tried_again_or_final(
    channels: dict[str, Channel], receiver: Receiver, channel: str, answer: Answering, error: type[Exception]
) -> None:
    receiver.answer = answer
    with pytest.raises(error) as told:
        channels[channel](LETTER)
    assert KEY not in str(told.value) and "SEC000" not in str(told.value), "errors are shown to the operator and logged"


def test_a_redirection_is_not_followed(channels: dict[str, Channel], receiver: Receiver) -> None:
    """Who answers does not decide where our letters go: not to the metadata service of a cloud, not to the next machine."""
    with receiving() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            receiver.answer = answers(b"", status, Location=f"{elsewhere.origin}/secret")
            with pytest.raises(Failed, match="redirection"):
                channels["sms"](LETTER)
        assert elsewhere.received == []


def test_a_receiver_that_does_not_answer_is_not_waited_for_long(
    channels: dict[str, Channel], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 0.2)
    released = threading.Event()
    receiver.answer = hangs(released)
    with pytest.raises(Failed):
        channels["wecom"](LETTER)
    released.set()


def test_an_endless_answer_is_read_no_further_than_makes_sense(channels: dict[str, Channel], receiver: Receiver) -> None:
    receiver.answer = answers(b"[" * (4 * LONGEST))
    with pytest.raises(Failed, match="not the JSON"):
        channels["wecom"](LETTER)


def test_nobody_at_home_is_tried_again(clock: MovableClock) -> None:
    with receiving() as gone:
        address = gone.origin
    settings = Settings(home=Path("var"), database_url="", secret_key="", base_url="", robot_origins=frozenset({address}))
    with pytest.raises(Failed, match="no connection"):
        open_channels(settings, lambda _: Robot(f"{address}/send?key=1"), clock)["wecom"](LETTER)


def test_a_robot_that_is_gone_or_no_longer_allowed_gets_nothing(receiver: Receiver, clock: MovableClock) -> None:
    """The setting was narrowed after the robot had been entered; and what waited for a removed one is dead at once."""
    for robot, origins in ((None, {receiver.origin}), (Robot(f"{receiver.origin}/send?key=1"), {"https://qyapi.weixin.qq.com"})):
        settings = Settings(home=Path("var"), database_url="", secret_key="", base_url="", robot_origins=frozenset(origins))
        with pytest.raises(Undeliverable):
            open_channels(settings, lambda _, robot=robot: robot, clock)["wecom"](LETTER)  # type: ignore[misc]
    assert receiver.received == []


# -- mail -------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of this machine's and its key, made now."""
    made, key = tmp_path / "server.pem", tmp_path / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def test_a_mail_leaves_encrypted_and_signed_in_where_set(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    office = PostOffice(users={"sharing": "right"}, tls=context)
    office.open()
    try:
        mail = Mail("127.0.0.1", office.port, "sharing@example.gov.cn", "sharing", "right", "starttls")
        letter = Letter("k", "alice@example.gov.cn", {"subject": "待办", "text": "有一件", "path": "/tasks/7"})
        with pytest.raises(ssl.SSLCertVerificationError):
            mail_channel(mail)(letter)  # a certificate that nobody vouches for is none
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
        mail_channel(mail, "https://sharing.example.gov.cn")(letter)
        with pytest.raises(Exception, match="535"):
            mail_channel(Mail("127.0.0.1", office.port, "sharing@example.gov.cn", "sharing", "wrong", "starttls"))(letter)
        with pytest.raises(Exception, match="530"):
            mail_channel(Mail("127.0.0.1", office.port, "sharing@example.gov.cn"))(letter)
    finally:
        office.close()
    assert (office.signed_in, office.encrypted) == (["sharing"], [True])
    assert office.mails[0].get_content().split() == ["有一件", "https://sharing.example.gov.cn/tasks/7"]


def test_a_mail_says_when_it_was_written_and_that_no_person_wrote_it(clock: MovableClock) -> None:
    office = PostOffice()
    office.open()
    try:
        mail_channel(office.settings, clock=clock)(Letter("k", "alice@example.gov.cn", {"subject": "待办", "text": ""}))
    finally:
        office.close()
    assert office.mails[0]["Date"] == "Tue, 10 Feb 2026 09:00:00 +0800"
    assert office.mails[0]["Auto-Submitted"] == "auto-generated"
