"""Mail by SMTP: one message per letter, plain text, its Message-ID made from the idempotency key.

A repeated delivery carries the same Message-ID, so mail servers and readers can drop the second copy.
"""

from __future__ import annotations

import hashlib
import smtplib
from email.message import EmailMessage
from email.policy import SMTP

from engine.outbox import Channel, Letter, Undeliverable
from engine.store.settings import Mail

#: Seconds for each step of the conversation; far below the outbox's lease.
TIMEOUT = 20


def mail_channel(mail: Mail) -> Channel:
    """A channel that hands each letter to the SMTP server of the settings."""

    def send(letter: Letter) -> None:
        message = compose(letter, mail.sender)
        with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT) as server:
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                if all(code >= 500 for code, _ in error.recipients.values()):
                    raise Undeliverable(f"refused by the mail server: {error.recipients}") from error
                raise

    return send


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The message of a letter with payload {"subject", "text"}.

    Raises Undeliverable for an address or a subject that cannot stand in a header (a line break would start another one).
    """
    message = EmailMessage(policy=SMTP)
    identity = hashlib.sha256(letter.key.encode()).hexdigest()[:40]
    try:
        message["From"] = sender
        message["To"] = letter.recipient
        message["Subject"] = letter.payload["subject"]
        message["Message-ID"] = f"<{identity}@{sender.rpartition('@')[2]}>"
    except (ValueError, KeyError) as error:
        raise Undeliverable(f"no header can be made: {error}") from error
    if not message["To"].addresses or message["To"].defects:
        raise Undeliverable(f"not an address: {letter.recipient!r}")
    message.set_content(str(letter.payload.get("text", "")))
    return message
