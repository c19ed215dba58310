"""Passwords: hashed with Argon2id, checked in the same time whether or not there is anything to check against."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.store.errors import Invalid

#: RFC 9106's second recommendation (64 MiB, 3 passes), argon2-cffi's default. A change is applied at the next sign-in.
HASHER = PasswordHasher()

#: Characters. The longest stops nobody, but keeps a request from costing us minutes.
SHORTEST, LONGEST = 10, 200
#: Kinds of characters.
KINDS = 2


def hash_password(password: str) -> str:
    """The encoded Argon2id hash, with its salt and parameters. Takes tens of milliseconds: never inside a transaction."""
    return HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one behind the hash; for no hash always False, after the same work.

    An attacker must not learn from the clock which accounts exist.
    """
    try:
        return HASHER.verify(password_hash or _decoy(), password[: LONGEST + 1]) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that a password must keep."""

    key: str
    parameters: Mapping[str, int]
    says: str
    """What is wrong with a password that does not keep it."""
    holds: Callable[[str, str], bool]
    """Of a login and a password."""


def _kinds(password: str) -> int:
    return len({"letter" if c.isalpha() else "digit" if c.isdigit() else "other" for c in password})


#: At least ten characters of at least two kinds (letters, digits, others), as the classified-protection reviews (等级保护) ask for complexity.
RULES = (
    Rule("length", {"shortest": SHORTEST, "longest": LONGEST}, f"密码长度应为{SHORTEST}至{LONGEST}个字符",
         lambda _login, password: SHORTEST <= len(password) <= LONGEST),
    Rule("kinds", {"kinds": KINDS}, "密码应至少包含字母、数字、符号中的两类", lambda _login, password: _kinds(password) >= KINDS),
    Rule("login", {}, "密码不能包含登录名", lambda login, password: login.lower() not in password.lower()),
)  # fmt: skip


def require_strong(login: str, password: str) -> None:
    """Raises Invalid (field "password") for one that is too short, too plain or contains the login name: the first rule not kept."""
    for rule in RULES:
        if not rule.holds(login, password):
            raise Invalid({"password": rule.says})


@cache
def _decoy() -> str:
    return HASHER.hash(secrets.token_urlsafe(16))
