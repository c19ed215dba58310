"""Group robots 群机器人 of units: entered, tried, switched and removed by the operator. Their addresses are secrets.

An address holds the robot's key: it is taken once and never shown again, neither on a page nor in the history.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.outbox import OutboxLetter, post
from engine.people.actor import Actor
from engine.people.permissions import require
from engine.people.tables import Account, Unit
from engine.process.notifying.dispatch import recipient_of
from engine.process.notifying.kinds import ROBOTS
from engine.process.notifying.tables import Robot
from engine.store.errors import Invalid, NotFound
from engine.store.settings import origin_of
from engine.store.store import Origin, Store, Work, command

_STREAM = "robots"


@dataclass(frozen=True, slots=True)
class RobotLine:
    """One robot as the operator sees it: of its address only the host."""

    id: int
    unit_name: str
    channel: str
    name: str
    host: str
    signed: bool
    active: bool
    created_by: str
    created_at: datetime
    waiting: int
    """Letters that are still to be delivered."""
    dead: int
    """Letters that could not be."""


def robots(session: Session, actor: Actor) -> list[RobotLine]:
    """All robots. Two queries. Raises NotAllowed unless the actor operates the system."""
    require(actor, "operate")
    open_ = {
        (recipient, state): count
        for recipient, state, count in session.execute(
            select(OutboxLetter.recipient, OutboxLetter.state, func.count())
            .where(OutboxLetter.channel.in_(sorted(ROBOTS)), OutboxLetter.state.in_(("waiting", "dead")))
            .group_by(OutboxLetter.recipient, OutboxLetter.state)
        )
    }
    rows = session.execute(
        select(Robot, Unit.name, Account.name).join(Unit, Unit.id == Robot.unit_id).join(Account, Account.id == Robot.created_by)
        .order_by(Unit.name, Robot.id)
    ).all()  # fmt: skip
    return [
        RobotLine(
            robot.id, unit_name, robot.channel, robot.name, urlsplit(robot.url).netloc, robot.secret is not None, robot.active, by,
            robot.created_at, open_.get((recipient_of(robot.id), "waiting"), 0), open_.get((recipient_of(robot.id), "dead"), 0),
        )
        for robot, unit_name, by in rows
    ]  # fmt: skip


def units_for_robots(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """The units that may get one: id and name. Raises NotAllowed unless the actor operates the system."""
    require(actor, "operate")
    rows = session.execute(select(Unit.id, Unit.name).where(Unit.active).order_by(Unit.code))
    return [(unit_id, name) for unit_id, name in rows]


def robot_address(store: Store, recipient: str) -> tuple[str, str | None] | None:
    """Address and signing secret of a letter's robot, for the channel; None where it was removed or is switched off."""
    number = recipient.removeprefix("robot:")
    if not number.isascii() or not number.isdigit():
        return None
    with store.read() as session:
        found = session.execute(select(Robot.url, Robot.secret).where(Robot.id == int(number), Robot.active)).first()
    return (found.url, found.secret) if found is not None else None


@command
def add_robot(
    store: Store, *, actor: Actor, unit_id: int | None, channel: str, name: str, url: str, secret: str, origins: Collection[str],
    origin: Origin = Origin(),
) -> int:  # fmt: skip
    """A new robot of a unit; returns its id. `origins` are those that the installation allows.

    Raises NotAllowed, and Invalid with a message at each field that is wrong: above all for an address elsewhere.
    """
    require(actor, "operate")
    name, url, secret = name.strip(), url.strip(), secret.strip()
    wrong = {}
    if channel not in ROBOTS:
        wrong["channel"] = "请选择企业微信或者钉钉"
    if not 0 < len(name) <= 100:
        wrong["name"] = "请填写名称，不超过100字"
    if origin_of(url) not in origins or not urlsplit(url).query or len(url) > 500 or "#" in url:
        wrong["url"] = "请填写机器人的完整地址（以 https:// 开头，含密钥），且主机须在系统允许的范围内"
    if len(secret) > 200 or not secret.isascii() or not (secret.isprintable() or not secret):
        wrong["secret"] = "加签密钥无法识别"
    with store.work(actor, origin) as work:
        unit = work.session.get(Unit, unit_id) if unit_id is not None else None
        if unit is None or not unit.active:
            wrong["unit_id"] = "请选择单位"
        if wrong or unit is None:
            raise Invalid(wrong)
        robot = Robot(
            unit_id=unit.id, channel=channel, name=name, url=url, secret=secret or None, active=True, created_by=actor.account_id,
            created_at=work.now,
        )  # fmt: skip
        work.session.add(robot)
        work.session.flush()
        _record(work, robot, "robot_added")
        return robot.id


@command
def try_robot(store: Store, robot_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Posts a message that says nothing but that it works. Raises NotAllowed, NotFound, Invalid for one that is switched off."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        robot = _robot(work, robot_id)
        if not robot.active:
            raise Invalid(message="该机器人已停用，请先启用再发送测试消息")
        said = {"kind": "test", "text": f"测试消息：群机器人“{robot.name}”可以收到提醒。"}
        post(work, robot.channel, recipient_of(robot.id), said, f"robot:{robot.id}:{uuid4().hex}")
        _record(work, robot, "robot_tried")


@command
def switch_robot(store: Store, robot_id: int, *, actor: Actor, active: bool, origin: Origin = Origin()) -> None:
    """Lets a robot speak, or silences it: what still waits for it is not delivered. Raises NotAllowed, NotFound."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        robot = _robot(work, robot_id)
        if robot.active != active:
            robot.active = active
            _record(work, robot, "robot_switched_on" if active else "robot_switched_off")


@command
def remove_robot(store: Store, robot_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Forgets a robot with its key. Raises NotAllowed, NotFound."""
    require(actor, "operate")
    with store.work(actor, origin) as work:
        robot = _robot(work, robot_id)
        _record(work, robot, "robot_removed")
        work.session.delete(robot)


def _robot(work: Work, robot_id: int) -> Robot:
    robot = work.session.get(Robot, robot_id, with_for_update=True)
    if robot is None:
        raise NotFound("没有找到该机器人，可能已被删除")
    return robot


def _record(work: Work, robot: Robot, act: str) -> None:
    facts = {"robot": robot.id, "unit": robot.unit_id, "channel": robot.channel, "name": robot.name, "host": urlsplit(robot.url).netloc}
    append(work, _STREAM, [Entry(act, data=facts)])
