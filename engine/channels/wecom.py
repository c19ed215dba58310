"""Group robots of enterprise WeChat 企业微信: a text message to the robot's webhook.

Source: the developers' pages of enterprise WeChat on message push (群机器人/消息推送) and its list of error codes.
"""

from __future__ import annotations

from engine.channels.robots import Robots, tell
from engine.outbox import Channel, Letter

#: The robot is unknown, removed from its group or stopped; the message is not one that it takes.
HOPELESS = frozenset({93000, 93004, 93008, 40008, 40058, 44004})


def wecom_channel(robots: Robots) -> Channel:
    """A channel that has the letter's robot say it. Too many messages a minute (45009) is tried again."""

    def send(letter: Letter) -> None:
        tell(robots.of(letter).url, letter, robots.text(letter), hopeless=HOPELESS)

    return send
