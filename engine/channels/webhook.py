"""Webhooks: an event to an address that an operator has entered, signed, at least once.

Signed as the Standard Webhooks specification says (standardwebhooks.com), so that a library in the receiver's language can
verify it: `webhook-id` is the event's id and the idempotency key, `webhook-timestamp` are seconds, and `webhook-signature` is
`v1,` with the base64 of HMAC-SHA256 over `id.timestamp.body`. A receiver that refuses old timestamps and keeps the ids that it
has seen cannot be made to act twice (docs/webhooks.md).

Where it goes is guarded twice: by its text when it is entered and before each delivery, and by the address that the connection
really reached, as a name may lead elsewhere tomorrow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.request import BaseHandler, HTTPHandler, HTTPSHandler, ProxyHandler, Request

import orjson

from engine.channels.http import post_json
from engine.outbox import Channel, Letter, Undeliverable
from engine.process.outside.addresses import is_allowed, is_public, wrong_with
from engine.process.outside.webhooks import SECRET_PREFIX, Target
from engine.store.clock import Clock

#: Finds the webhook of a letter's recipient; None where it was removed or is switched off.
FindWebhook = Callable[[str], Target | None]


def webhook_channel(find: FindWebhook, hosts: frozenset[str], clock: Clock) -> Channel:
    """A channel that posts an event, signed anew each time that it is tried."""

    def send(letter: Letter) -> None:
        target = find(letter.recipient)
        if target is None:
            raise Undeliverable("the webhook was removed or switched off")
        if wrong_with(target.url, hosts) is not None:
            raise Undeliverable("the webhook's address is not allowed by SHARING_BPM_WEBHOOK_HOSTS")
        body, seconds = orjson.dumps(dict(letter.payload)), int(clock.now().timestamp())
        event = str(letter.payload.get("id", letter.key))
        headers = {
            "webhook-id": event, "webhook-timestamp": str(seconds), "webhook-signature": signature(target.secret, event, seconds, body),
            "Idempotency-Key": event, "User-Agent": "sharing-bpm",
        }  # fmt: skip
        post_json(target.url, body, headers, handlers=_handlers(is_allowed(target.url, hosts)))

    return send


def signature(secret: str, event: str, seconds: int, body: bytes) -> str:
    """What `webhook-signature` says."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    said = f"{event}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()


# -- where the connection really goes ---------------------------------------------------------


def _guard(connected: socket.socket) -> None:
    """Raises Undeliverable before a word is sent to an address inside one's own network."""
    if not is_public(str(connected.getpeername()[0])):
        raise Undeliverable("the webhook's name leads to a private address, which SHARING_BPM_WEBHOOK_HOSTS does not allow")


class _Guarded(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _guard(self.sock)


class _GuardedTls(HTTPSConnection, _Guarded):
    """Connects, is guarded, and only then begins with TLS: so the order of the bases has it."""


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> Any:
        return self.do_open(_Guarded, req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> Any:
        return self.do_open(_GuardedTls, req)


def _handlers(allowed: bool) -> list[BaseHandler]:
    # No proxy: it would hide where the connection goes.
    return [ProxyHandler({})] if allowed else [ProxyHandler({}), _Http(), _Https()]
