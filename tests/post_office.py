"""A real mail server on a port of this machine; nobody of the name `nobody` lives here."""

from __future__ import annotations

import asyncio
import socket
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from engine.store.settings import Mail


class PostOffice:
    """Keeps the mails that arrive; closed and opened again, it is on the same port. `users` may sign in, if any are named."""

    def __init__(self, *, users: dict[str, str] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.signed_in: list[str] = []
        self.encrypted: list[bool] = []
        self.port = 0
        self.users, self.tls = users or {}, tls
        self._controller: Controller | None = None

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address.startswith("nobody@"):
            return f"550 no such user <{address}>"
        if address.startswith("greylisted@"):
            return "450 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def _admit(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        name, password = data.login.decode(), data.password.decode()
        right = self.users.get(name) == password
        if right:
            self.signed_in.append(name)
        return AuthResult(success=right, handled=False)

    def open(self) -> None:
        self.port = self.port or free_port()
        more: dict[str, Any] = {}
        if self.users:
            more = {"authenticator": self._admit, "auth_required": True, "auth_require_tls": self.tls is not None}
        if self.tls is not None:
            more |= {"tls_context": self.tls, "require_starttls": True}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, loop=asyncio.new_event_loop(), **more)
        self._controller.start()

    def close(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @property
    def settings(self) -> Mail:
        return Mail("127.0.0.1", self.port, "sharing@example.gov.cn")


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
