"""Bearer tokens 访问令牌: with one a program acts as the person who made it, never more than the person may.

The token is shown once and kept as its hash. Scopes narrow what it may be used for; they never give a right. It ends
with its date, when it is revoked, and with the account.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from engine.history import Entry, append
from engine.people.actor import Actor, actor_from, actor_query
from engine.people.permissions import may
from engine.people.tables import Account, ApiToken
from engine.store.errors import Invalid, NotAllowed, NotFound
from engine.store.store import Origin, Store, command

#: What a token may be made for → what the page calls it.
SCOPES = {
    "read": "查询", "work": "办理待办", "start": "发起办件", "deploy": "提交流程", "operate": "运行管理", "external": "外部任务",
}  # fmt: skip
#: So that a secret scanner, and a person, knows one when it sees one.
PREFIX = "sbpm_"
NAME_MAX = 100
#: The longest life: a forgotten token must end by itself.
LONGEST = timedelta(days=366)
#: How fine `last_used_at` is: one write a minute and token, not one a request.
USED_EVERY = timedelta(minutes=1)
#: Tokens in use that one person may have.
MOST = 50


@dataclass(frozen=True, slots=True)
class Grant:
    """Who is behind a token, and what it may be used for."""

    actor: Actor
    token_id: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class TokenLine:
    """One token in a list. `state` is live, expired or revoked."""

    id: int
    name: str
    login: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    state: str


@command
def create_token(
    store: Store, *, account_id: int, name: str, scopes: Collection[str], expires_at: datetime, actor: Actor | None,
    origin: Origin = Origin(),
) -> str:  # fmt: skip
    """Makes a token for an account and returns it, for the only time. `actor` None: from the command line.

    A person makes tokens for the own account only. Raises Invalid by field, NotAllowed.
    """
    if actor is not None and actor.account_id != account_id:
        raise NotAllowed("只能为自己的账号创建访问令牌")
    words, wrong = " ".join(name.split()), {}
    if not words or len(words) > NAME_MAX or not words.isprintable():
        wrong["name"] = f"请填写名称（不超过{NAME_MAX}字），写明由哪个系统使用"
    if not scopes or not set(scopes) <= SCOPES.keys():
        wrong["scopes"] = "请至少选择一项用途"
    now = store.clock.now()
    if not now < expires_at <= now + LONGEST:
        wrong["expires_at"] = f"有效期须在今天之后，最长{LONGEST.days}天"
    if wrong:
        raise Invalid(wrong)
    token = PREFIX + secrets.token_urlsafe(32)
    with store.work(actor, origin) as work:
        if work.session.scalar(select(Account.active).where(Account.id == account_id)) is not True:
            raise NotFound("没有该账号，或已停用")
        live = select(ApiToken.id).where(ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
        if len(work.session.scalars(live.limit(MOST)).all()) >= MOST:
            raise Invalid(message=f"每个账号最多有{MOST}个有效的访问令牌，请先停用不再使用的")
        row = ApiToken(
            account_id=account_id, name=words, token_hash=_hash(token), scopes=sorted(scopes), created_at=work.now, expires_at=expires_at,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        facts = {"token": row.id, "name": words, "scopes": row.scopes, "expires_at": expires_at.isoformat()}
        append(work, f"account:{account_id}", [Entry("token_created", data=facts)])
    return token


@command
def revoke_token(store: Store, token_id: int, *, actor: Actor | None, origin: Origin = Origin()) -> None:
    """Ends a token at once: one's own; whoever manages accounts, and the command line, any. Revoking twice changes nothing.

    Raises NotFound, also for a token that is somebody else's.
    """
    with store.work(actor, origin) as work:
        row = work.session.get(ApiToken, token_id, with_for_update=True)
        if row is None or (actor is not None and row.account_id != actor.account_id and not may(actor, "manage_accounts")):
            raise NotFound("没有该访问令牌")
        if row.revoked_at is None:
            row.revoked_at = work.now
            append(work, f"account:{row.account_id}", [Entry("token_revoked", data={"token": row.id, "name": row.name})])


def list_tokens(store: Store, *, account_id: int | None = None) -> list[TokenLine]:
    """The tokens of an account (of all: None), the newest first. One query."""
    now = store.clock.now()
    query = select(ApiToken, Account.login).join(Account, Account.id == ApiToken.account_id).order_by(ApiToken.id.desc())
    if account_id is not None:
        query = query.where(ApiToken.account_id == account_id)
    with store.read() as session:
        return [
            TokenLine(
                row.id, row.name, login, tuple(row.scopes), row.created_at, row.expires_at, row.last_used_at,
                "revoked" if row.revoked_at else "expired" if row.expires_at <= now else "live",
            )
            for row, login in session.execute(query)
        ]  # fmt: skip


# Built once: every request asks it.
_BEHIND = actor_query(ApiToken.id, ApiToken.scopes, ApiToken.last_used_at).join(ApiToken, ApiToken.account_id == Account.id).where(
    ApiToken.token_hash == bindparam("token_hash"), ApiToken.revoked_at.is_(None), ApiToken.expires_at > bindparam("now"),
    ~Account.locked,
)  # fmt: skip


def bearer(store: Store, token: str) -> Grant | None:
    """Who is behind a bearer token; None where nobody is: unknown, expired, revoked, its account locked or gone.

    One query; once a minute also one small write, which notes that it was used.
    """
    now, token_hash = store.clock.now(), _hash(token)
    with store.read() as session:
        rows = session.execute(_BEHIND, {"token_hash": token_hash, "now": now}).all()
    actor = actor_from(rows)
    if actor is None:
        return None
    token_id, scopes, used = rows[0][-3:]
    if used is None or used <= now - USED_EVERY:
        with store.work(actor) as work:
            work.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))
    return Grant(actor, token_id, frozenset(scopes))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
