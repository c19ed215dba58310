"""Who is behind a request of the API: HTTP Basic with an account of ours, or a bearer token. No cookie, hence no CSRF.

A password takes tens of milliseconds to check, on purpose; a client that sends it with every request has it checked once
a minute, and the account is looked up each time all the same. What is remembered is keyed by a secret of this process.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app, g, request

from engine.people.actor import Actor
from engine.people.sign_in import Proof, SignInRefused, actor_proven, prove, rules_of
from engine.people.tokens import SCOPES, bearer
from web.api.refusals import ApiError
from web.context import origin, settings, store

REALM = 'Basic realm="sharing-bpm", charset="UTF-8"'
#: How long a checked password is believed, as long as the account keeps it.
BELIEVED = timedelta(minutes=1)
REMEMBERED_MAX = 10_000
WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what the credentials may be used for. `key` counts the calls: a token's, or an account's."""

    actor: Actor
    scopes: frozenset[str]
    key: str


class Gate:
    """What a process remembers of its callers: checked passwords, and how many calls each made in this minute."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._proofs: OrderedDict[bytes, tuple[Proof, datetime]] = OrderedDict()
        self._calls: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._lock = threading.Lock()

    def proof(self, login: str, password: str, now: datetime, check: Callable[[], Proof]) -> Proof:
        """The proof of a password, checked anew where it was not a minute ago. Raises what `check` raises."""
        said = f"{login}\x00{password}".encode(errors="surrogatepass")
        key = hashlib.blake2b(said, key=self._secret).digest()
        with self._lock:
            kept = self._proofs.get(key)
        if kept is not None and kept[1] > now:
            return kept[0]
        found = check()
        with self._lock:
            self._proofs[key] = found, now + BELIEVED
            while len(self._proofs) > REMEMBERED_MAX:
                self._proofs.popitem(last=False)
        return found

    def count(self, key: str, now: datetime, most: int) -> int:
        """Counts a call; seconds until the next is welcome where these were too many, else 0."""
        with self._lock:
            begun, calls = self._calls.get(key, (now, 0))
            if now - begun >= WINDOW:
                begun, calls = now, 0
            self._calls[key] = begun, calls + 1
            self._calls.move_to_end(key)
            while len(self._calls) > REMEMBERED_MAX:
                self._calls.popitem(last=False)
        return 0 if calls < most else max(1, int((begun + WINDOW - now).total_seconds()))


def gate() -> Gate:
    """This application's."""
    found: Gate = current_app.extensions["sharing_api_gate"]
    return found


def recognise() -> None:
    """Puts the caller where the views look for them. Raises 401 for nobody, 429 for too many calls."""
    caller = _caller()
    g.actor, g.api_caller = caller.actor, caller
    wait = gate().count(caller.key, store().clock.now(), settings().api_rate)
    if wait:
        raise ApiError(
            429, "TooManyRequestsException", f"调用过于频繁：每分钟最多{settings().api_rate}次，请{wait}秒后再试",
            headers={"Retry-After": str(wait)},
        )  # fmt: skip


def require_scope(scope: str) -> None:
    """Raises 403 where the token was not made for this."""
    caller: Caller = g.api_caller
    if scope not in caller.scopes:
        raise ApiError(403, "AuthorizationException", f"该访问令牌没有“{SCOPES[scope]}”（{scope}）用途")


def _caller() -> Caller:
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        found = bearer(store(), rest.strip())
        if found is not None:
            return Caller(found.actor, found.scopes, f"token:{found.token_id}")
        raise _nobody("访问令牌无效、已过期或已停用")
    given = request.authorization
    if kind.lower() != "basic" or given is None:
        raise _nobody("请使用账号（HTTP Basic）或访问令牌（Bearer）访问接口")
    login, password = given.username or "", given.password or ""
    try:
        proof = gate().proof(
            login, password, store().clock.now(), lambda: prove(store(), login, password, origin(), rules=rules_of(settings()))
        )
    except SignInRefused as refused:
        raise _nobody(refused.message) from None
    actor = actor_proven(store(), proof)
    if actor is None:
        raise _nobody(SignInRefused().message)
    return Caller(actor, frozenset(SCOPES), f"account:{actor.account_id}")


def _nobody(message: str) -> ApiError:
    return ApiError(401, "AuthenticationException", message, headers={"WWW-Authenticate": REALM})
