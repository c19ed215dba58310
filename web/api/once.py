"""The headers of careful clients: `Idempotency-Key`, so that a retry does nothing twice, and `If-Match` with an ETag."""

from __future__ import annotations

import hashlib
import re

from flask import request

from engine.process.outside.once import Done, Once
from web.api.refusals import ApiError, bad_request

KEY_MAX = 200
_ETAG = re.compile(r'(?:W/)?"r([0-9]{1,18})"')


def etag(revision: int) -> dict[str, str]:
    """The header that names the state of a case: its revision, which rises with everything that happens in it."""
    return {"ETag": f'"r{revision}"'}


def seen() -> int | None:
    """The revision that the client has read, from `If-Match`; None where it does not say. Raises 412 for what is no ETag of ours."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        return None
    found = _ETAG.fullmatch(given)
    if found is None:
        raise ApiError(412, "OptimisticLockingException", "If-Match 不是本接口给出的 ETag，未作任何改动")
    return int(found[1])


def replayed(done: Done) -> dict[str, str]:
    """The header that tells a retry from the first answer."""
    return {"Idempotency-Replayed": "true"} if done.again else {}


def once(sent: bytes) -> Once | None:
    """What makes this request the same one again; None without the header. Raises 400 for a key that cannot be kept."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
        raise bad_request(f"Idempotency-Key: 1 to {KEY_MAX} printable ASCII characters are expected")
    place = f"{request.method} {request.path}\n".encode()
    return Once(key, hashlib.sha256(place + sent).hexdigest())
