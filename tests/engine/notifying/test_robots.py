"""Robots of units: only where the installation allows, never shown again, and silent once they are switched off."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.channels.registry import open_channels
from engine.channels.robots import Robot
from engine.history import History
from engine.outbox import deliver
from engine.process.notices import notify_post
from engine.process.notifying.robots import add_robot, remove_robot, robot_address, robots, switch_robot, try_robot
from engine.store.errors import Invalid, NotAllowed, NotFound
from engine.store.settings import read_settings
from tests.engine.notifying.conftest import ADDRESS, ORIGIN, Desk
from tests.receiver import receiving


def given(desk: Desk, **changed: Any) -> dict[str, Any]:
    return {"unit_id": desk.units["A"], "channel": "wecom", "name": "A群", "url": ADDRESS, "secret": "", "origins": {ORIGIN}, **changed}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "https://evil.example.org/cgi-bin/webhook/send?key=1"), ("url", "http://qyapi.weixin.qq.com/send?key=1"),
        ("url", "https://qyapi.weixin.qq.com@evil.example.org/send?key=1"), ("url", "https://qyapi.weixin.qq.com.evil.org/?key=1"),
        ("url", "https://evil.org\\@qyapi.weixin.qq.com/?key=1"), ("url", "https://qyapi.weixin.qq.com:8443/send?key=1"),
        ("url", "https://127.0.0.1/send?key=1"), ("url", "http://169.254.169.254/latest?x"), ("url", "file:///etc/passwd?x"),
        ("url", "https://qyapi.weixin.qq.com/send"), ("url", "https://qyapi.weixin.qq.com/send?key=1#"), ("url", ""),
        ("url", "https://qyapi.weixin.qq.com/send?key=1\r\nHost: evil.org"), ("url", f"{ADDRESS}{'x' * 500}"), ("url", "https://[::1"),
        ("channel", "feishu"), ("name", " "), ("unit_id", 999), ("unit_id", None), ("secret", "密钥"),
    ],
)  # fmt: skip
def test_a_robot_elsewhere_or_half_filled_in_is_refused_at_its_field(desk: Desk, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        add_robot(desk.store, actor=desk["otto"], **given(desk, **{field: value}))
    assert set(refused.value.fields) == {field}
    with desk.store.read() as session:
        assert robots(session, desk["otto"]) == []


def test_neither_the_page_nor_the_history_shows_an_address_or_a_secret(desk: Desk) -> None:
    number = add_robot(desk.store, actor=desk["otto"], **given(desk, channel="dingtalk", secret="SEC-hidden"))
    try_robot(desk.store, number, actor=desk["otto"])
    switch_robot(desk.store, number, actor=desk["otto"], active=False)
    switch_robot(desk.store, number, actor=desk["otto"], active=True)
    with desk.store.read() as session:
        (line,) = robots(session, desk["otto"])
        entries = session.scalars(select(History).where(History.stream == "robots").order_by(History.id)).all()
    remove_robot(desk.store, number, actor=desk["otto"])
    assert (line.host, line.signed, line.waiting) == ("qyapi.weixin.qq.com", True, 1)
    assert [entry.act for entry in entries] == ["robot_added", "robot_tried", "robot_switched_off", "robot_switched_on"]
    for shown in (repr(line), *(str(entry.data) for entry in entries), *(str(letter.payload) + letter.recipient for letter in desk.letters())):
        assert "b7d1" not in shown and "SEC-hidden" not in shown


def test_only_the_operator_has_to_do_with_robots(desk: Desk) -> None:
    number = desk.robot("A")
    for login in ("anna", "clara", "gu", "petra"):
        actor = desk[login]
        with pytest.raises(NotAllowed):
            add_robot(desk.store, actor=actor, **given(desk))
        for act in (try_robot, remove_robot):
            with pytest.raises(NotAllowed):
                act(desk.store, number, actor=actor)
        with pytest.raises(NotAllowed):
            switch_robot(desk.store, number, actor=actor, active=False)
        with desk.store.read() as session, pytest.raises(NotAllowed):
            robots(session, actor)


def test_a_robot_that_is_switched_off_or_removed_says_nothing_any_more(desk: Desk) -> None:
    with receiving() as receiver:
        number = add_robot(
            desk.store, actor=desk["otto"], **given(desk, url=f"{receiver.origin}/send?key=1", origins={receiver.origin})
        )
        settings = read_settings({"SHARING_BPM_ROBOT_HOSTS": receiver.origin, "SHARING_BPM_SECRET_KEY": "x" * 32})

        def find(recipient: str) -> Robot | None:
            found = robot_address(desk.store, recipient)
            return Robot(*found) if found else None

        def tell() -> None:
            with desk.store.work() as work:
                notify_post(work, desk.units["A"], "handler", title="授权到期", text="…", kind="case")
            deliver(desk.store, {"wecom": open_channels(settings, find)["wecom"]})

        tell()
        assert receiver.texts() == [f"【办件动态】经办岗位有新消息，请登录系统查看。\n{settings.base_url}/notices"]
        with desk.store.work() as work:  # posted while it may speak, delivered when it may not
            notify_post(work, desk.units["A"], "handler", title="授权到期", text="…", kind="case")
        switch_robot(desk.store, number, actor=desk["otto"], active=False)
        tell()
        with pytest.raises(Invalid):
            try_robot(desk.store, number, actor=desk["otto"])
        remove_robot(desk.store, number, actor=desk["otto"])
        tell()
        assert len(receiver.received) == 1
    assert [letter.state for letter in desk.letters() if letter.channel == "wecom"] == ["sent", "dead"]
    with pytest.raises(NotFound):
        remove_robot(desk.store, number, actor=desk["otto"])
