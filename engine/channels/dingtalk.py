"""Group robots of DingTalk 钉钉: a text message to the robot's webhook, signed where the robot asks for it (加签).

Source: the developers' pages of DingTalk on custom robots: the signature is the base64 of HMAC-SHA256, under the secret, of
"<timestamp in milliseconds>\\n<secret>", and the timestamp may be an hour old.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlencode

from engine.channels.robots import Robots, tell
from engine.outbox import Channel, Letter
from engine.store.clock import Clock

#: The robot or its group is gone, stopped or does not know the key; its safety settings refuse the message.
HOPELESS = frozenset({300001, 300005, 310000, 400013, 400101, 400102, 400105, 400106, 430101, 430102, 430103, 430104})


def dingtalk_channel(robots: Robots, clock: Clock) -> Channel:
    """A channel that has the letter's robot say it. More than it takes in a minute (130101, 410100) is tried again."""

    def send(letter: Letter) -> None:
        robot = robots.of(letter)
        url = f"{robot.url}&{urlencode(signature(robot.secret, clock.now()))}" if robot.secret else robot.url
        tell(url, letter, robots.text(letter), hopeless=HOPELESS)

    return send


def signature(secret: str, at: datetime) -> dict[str, str]:
    """What a signed message adds to its address: `timestamp` (milliseconds) and `sign`."""
    timestamp = str(int(at.timestamp() * 1000))
    code = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(code).decode()}
