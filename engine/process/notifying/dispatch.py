"""The one place that decides for a notice which channels carry it: in the page, now, in the next digest, or never.

A notice to however many people costs the same number of statements: one for its rows, one for all its letters. What is
restricted leaves without any word of its content, and without a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import insert

from engine.outbox import Posting, post_all
from engine.people.posts import post_label
from engine.process.notifying.kinds import kind_of
from engine.process.notifying.quiet import working_moment
from engine.process.notifying.recipients import Person
from engine.process.notifying.restricting import HEADING, TEXT
from engine.process.notifying.tables import Robot
from engine.process.tables import Notice
from engine.store.store import Work

#: Characters of the heading in a short message, and in all else (the column's width).
SMS_MAX = 100
TITLE_MAX = 300


@dataclass(frozen=True, slots=True)
class Words:
    """What is said, and what it is about."""

    kind: str
    title: str
    text: str
    instance_id: int | None = None
    task_id: int | None = None
    restricted: bool = False
    """Outside it only says that there is something."""
    outside: str | None = None
    """What leaves instead of `text`, where a part of that must stay in."""

    @property
    def path(self) -> str:
        """Where in the product it leads."""
        return path_of(self.task_id, self.instance_id)


def path_of(task_id: int | None, instance_id: int | None) -> str:
    """The page that a notice is about: the task, else the case, else the list of notices."""
    if task_id is not None:
        return f"/tasks/{task_id}"
    return f"/cases/{instance_id}" if instance_id is not None else "/notices"


def tell(work: Work, told: Sequence[tuple[Person, Words]]) -> int:
    """Tells each of these people these words, each by the channels of their choice; returns how many were told at all."""
    channels = work.session.info["store"].channels
    carried = [(person, words, _channels(person, words.kind, channels)) for person, words in told]
    carried = [(person, words, modes) for person, words, modes in carried if set(modes.values()) != {"off"}]
    if carried:
        # As values, not as objects: the database would be asked for each one's number.
        work.session.execute(insert(Notice), [_row(work, person, words, modes) for person, words, modes in carried])
    post_all(work, [
        _posting(work, person, words, channel, mode)
        for person, words, modes in carried
        for channel, mode in modes.items() if channel != "page" and mode in ("always", "at_once")
    ])  # fmt: skip
    return len(carried)


def announce(work: Work, robots: Iterable[Robot], words: Words, post: str, *, count: int = 1) -> None:
    """Has a unit's robots say, in working hours, that there is something for a post: never what."""
    text, path = TEXT, None
    if not words.restricted:
        several = f"{count}条" if count > 1 else ""
        text, path = f"【{kind_of(words.kind).name}】{post_label(post)}岗位有{several}新消息，请登录系统查看。", words.path if count == 1 else "/inbox/posts"
    post_all(work, [
        Posting(robot.channel, recipient_of(robot.id), _payload(words.kind, None, text, path), f"robot:{robot.id}:{uuid4().hex}",
                working_moment(work.session, work.now, robot.unit_id))
        for robot in robots
    ])  # fmt: skip


def recipient_of(robot_id: int) -> str:
    """How a letter names its robot: never by its address, which is a secret."""
    return f"robot:{robot_id}"


def _channels(person: Person, kind: str, configured: frozenset[str]) -> dict[str, str]:
    """Channel → mode; a channel that the installation has not is off."""
    return {
        channel: person.mode(kind, channel) if channel == "page" or channel in configured else "off"
        for channel in ("page", "mail", "sms")
    }


def _row(work: Work, person: Person, words: Words, modes: dict[str, str]) -> dict[str, Any]:
    """The notice in the page. Where the page is not to show it as new, it is there all the same, as read."""
    return {
        "account_id": person.account_id, "kind": words.kind, "instance_id": words.instance_id, "task_id": words.task_id,
        "title": words.title[:TITLE_MAX], "text": words.text, "created_at": work.now, "restricted": words.restricted,
        "read_at": work.now if modes["page"] == "off" else None, "digest": modes["mail"] == "digest",
    }  # fmt: skip


def _posting(work: Work, person: Person, words: Words, channel: str, mode: str) -> Posting:
    text = words.text if words.outside is None else words.outside
    subject, path = words.title, words.path if channel == "mail" else None
    if channel == "sms":
        text = f"{words.title[:SMS_MAX]}。请登录系统查看。"
    if words.restricted:
        subject, text, path = HEADING, TEXT, None
    address, heading = (person.email, subject) if channel == "mail" else (person.phone, None)
    return Posting(
        channel, address or "", _payload(words.kind, heading, text, path), f"notice:{uuid4().hex}", _not_before(work, person, mode),
    )  # fmt: skip


def _payload(kind: str, subject: str | None, text: str, path: str | None) -> dict[str, Any]:
    said = {"kind": kind, "subject": subject, "text": text, "path": path}
    return {name: value for name, value in said.items() if value is not None}


def _not_before(work: Work, person: Person, mode: str) -> datetime | None:
    """When a letter may leave first; None for at once."""
    if mode == "always" or not person.quiet:
        return None
    return working_moment(work.session, work.now, person.unit_id)
