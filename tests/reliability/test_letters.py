"""Letters while real workers are killed: each arrives at least once, a repetition under the same key."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from engine.outbox import LEASE, OutboxLetter, post
from tests.engine.process.office import Office
from tests.receiver import Receiver, answers, receiving
from tests.reliability.processes import Launcher

SECRET = "shared with the gateway"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.answer = answers(b"", 202)
        yield receiver


def letters(office: Office) -> list[OutboxLetter]:
    with office.store.read() as session:
        return list(session.scalars(select(OutboxLetter).order_by(OutboxLetter.id)))


def test_workers_killed_while_they_send_lose_no_letter_and_repeat_one_under_its_key(
    office: Office, launcher: Launcher, receiver: Receiver
) -> None:
    keys = [f"notice:{number}" for number in range(60)]
    with office.store.work() as work:
        for key in keys:
            post(work, "sms", "13800000000", {"text": "您有一条新消息，请登录系统查看"}, key)
    gateway = {"SHARING_BPM_SMS_URL": f"{receiver.origin}/sms", "SHARING_BPM_SMS_SECRET": SECRET}
    for _ in range(3):
        before = len(receiver.received)
        worker = launcher.start("worker", **gateway)
        worker.until(lambda before=before: len(receiver.received) >= before + 5, "it sends")  # type: ignore[misc]
        worker.signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    # What a killed worker had in hand is another's when its lease has ended; here that moment is brought about.
    with office.store.work() as work:
        work.session.execute(update(OutboxLetter).where(OutboxLetter.state == "waiting").values(next_at=work.now - LEASE))
    worker = launcher.start("worker", "--once", **gateway)
    assert worker.wait() == 0, worker.said
    assert {letter.state for letter in letters(office)} == {"sent"}
    arrived = Counter(received.json["key"] for received in receiver.received)
    assert arrived.keys() == set(keys), "none is lost"
    assert sum(arrived.values()) <= len(keys) + 3, "each killed worker had one letter in hand at most"
