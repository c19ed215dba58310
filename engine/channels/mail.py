"""Mail by SMTP: one message per letter, plain text, its Message-ID made from the idempotency key.

A repeated delivery carries the same Message-ID, so mail servers and readers can drop the second copy.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from engine.outbox import Channel, Letter, Undeliverable
from engine.store.clock import SHANGHAI, Clock, WallClock
from engine.store.settings import Mail

#: Seconds for each step of the conversation; far below the outbox's lease.
TIMEOUT = 20


def mail_channel(mail: Mail, base_url: str = "", clock: Clock | None = None) -> Channel:
    """A channel that hands each letter to the SMTP server of the settings; links in it start with `base_url`."""
    dated = clock or WallClock()

    def send(letter: Letter) -> None:
        message = compose(letter, mail.sender, dated.now(), base_url)
        with _connected(mail) as server:
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                said = "; ".join(f"{code} {words.decode(errors='replace')}" for code, words in error.recipients.values())
                if all(code >= 500 for code, _ in error.recipients.values()):
                    raise Undeliverable(f"refused by the mail server: {said}") from error
                raise

    return send


def _connected(mail: Mail) -> smtplib.SMTP:
    """A connection, encrypted and signed in as the settings say. A server that cannot is a failure, never a way around."""
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT)
    try:
        if mail.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if mail.user:
            server.login(mail.user, mail.password)
    except BaseException:
        server.close()
        raise
    return server


def compose(letter: Letter, sender: str, at: datetime, base_url: str = "") -> EmailMessage:
    """The message of a letter with payload {"subject", "text", "path"}, dated `at`.

    Raises Undeliverable for an address or a subject that cannot stand in a header (a line break would start another one).
    """
    message = EmailMessage(policy=SMTP)
    identity = hashlib.sha256(letter.key.encode()).hexdigest()[:40]
    try:
        message["From"] = sender
        message["To"] = letter.recipient
        message["Subject"] = letter.payload["subject"]
        message["Date"] = at.astimezone(SHANGHAI)
        message["Message-ID"] = f"<{identity}@{sender.rpartition('@')[2]}>"
        # No absence note shall answer it.
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, KeyError) as error:
        raise Undeliverable(f"no header can be made: {type(error).__name__}") from error
    if not message["To"].addresses or message["To"].defects:
        raise Undeliverable("not an address")
    path = letter.payload.get("path")
    message.set_content(str(letter.payload.get("text", "")) + (f"\n\n{base_url}{path}\n" if path and base_url else ""))
    return message
