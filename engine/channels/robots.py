"""What the robots of both products have in common: where one lives, what it is told, and what its answer means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.channels.http import Failed, post_json
from engine.outbox import Letter, Undeliverable
from engine.store.settings import origin_of

#: Characters of a message that both products take.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot's address, which holds its key, and the secret that its messages are signed with, if any."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)


#: Finds the robot of a letter's recipient; None where it was removed or is switched off.
FindRobot = Callable[[str], Robot | None]


@dataclass(frozen=True, slots=True)
class Robots:
    """How the installation finds its robots, and where they may live."""

    find: FindRobot
    origins: frozenset[str]
    base_url: str

    def of(self, letter: Letter) -> Robot:
        """The robot that a letter is for. Raises Undeliverable where there is none that it may go to."""
        robot = self.find(letter.recipient)
        if robot is None:
            raise Undeliverable("the robot was removed or switched off")
        # Asked again at each letter: the setting may have been narrowed since the robot was entered.
        if origin_of(robot.url) not in self.origins:
            raise Undeliverable("the robot's address is not among SHARING_BPM_ROBOT_HOSTS")
        return robot

    def text(self, letter: Letter) -> str:
        """The message: what the letter says, and where it leads."""
        path = letter.payload.get("path")
        return str(letter.payload.get("text", ""))[:LONGEST] + (f"\n{self.base_url}{path}" if path else "")


def tell(url: str, letter: Letter, text: str, *, hopeless: frozenset[int]) -> None:
    """Sends a text message and reads the answer: `errcode` 0 is success; `hopeless` lists those that trying again will not change.

    Neither product knows idempotency keys; ours goes along in a header, so that a proxy or a log can tell a repetition.
    """
    message: Mapping[str, Any] = {"msgtype": "text", "text": {"content": text}}
    answer = post_json(url, message, {"Idempotency-Key": letter.key}).json()
    code = answer.get("errcode")
    if code == 0:
        return
    said = f"errcode {code}: {str(answer.get('errmsg', ''))[:200]}"
    if code in hopeless:
        raise Undeliverable(said)
    raise Failed(said)
