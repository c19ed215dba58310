"""Short messages through a gateway of the installation's own: one POST of JSON, signed with a shared secret.

What the gateway gets (docs/guide/notices.md says the same to whoever builds one):

    POST <SHARING_BPM_SMS_URL>
    Idempotency-Key: <key>
    X-Timestamp: <seconds since 1970>
    X-Signature: sha256=<hex of HMAC-SHA256 under the secret of "<X-Timestamp>.<body>">

    {"phone": "13800000000", "text": "…", "key": "<the same for a repeated delivery>"}

Any status from 200 to 299 means that it took the message; 408, 425, 429 and 5xx are tried again, any other refusal is final.
"""

from __future__ import annotations

import hashlib
import hmac

import orjson

from engine.channels.http import post_json
from engine.outbox import Channel, Letter
from engine.store.clock import Clock
from engine.store.settings import Sms


def sms_channel(sms: Sms, clock: Clock) -> Channel:
    """A channel that hands each letter to the gateway of the settings."""

    def send(letter: Letter) -> None:
        body = orjson.dumps({"phone": letter.recipient, "text": str(letter.payload.get("text", "")), "key": letter.key})
        at = str(int(clock.now().timestamp()))
        signed = {"Idempotency-Key": letter.key, "X-Timestamp": at, "X-Signature": sign(sms.secret, at, body)}
        post_json(sms.url, body, signed)

    return send


def sign(secret: str, at: str, body: bytes) -> str:
    """The signature of a message that was sent at that second; a gateway compares it and refuses old ones."""
    return "sha256=" + hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
