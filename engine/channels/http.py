"""One POST of JSON to a gateway or robot: bounded in time and size, never redirected, and never told about in full.

The address of a robot holds its key, so no error of ours repeats an address.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import BaseHandler, HTTPRedirectHandler, ProxyHandler, Request, build_opener

import orjson

from engine.outbox import Undeliverable
from engine.store.settings import LOOPBACK

#: Seconds for each step of the conversation, and for all of the answer; far below the outbox's lease.
TIMEOUT = 10.0
PATIENCE = 30.0
#: An answer that is longer is cut: ours say in a line what became of the message.
LONGEST = 64 * 1024
#: Refusals that may be over in a while; any other 4xx will be the same tomorrow.
PASSING = frozenset({408, 425, 429})


class Failed(Exception):
    """The other side could not be reached or did not take it; it is tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with a status of 200 to 299."""

    body: bytes

    def json(self) -> dict[str, Any]:
        """The object that came back. Raises Failed for anything else."""
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise Failed("the answer is not the JSON object that was expected")
        return found


class _NoRedirection(HTTPRedirectHandler):
    def redirect_request(self, *_given: Any) -> None:
        """Nowhere: where a letter goes is for the operator to say, not for who answers."""


def post_json(
    url: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str], *, handlers: Sequence[BaseHandler] = ()
) -> Answer:
    """Posts an object (or one already written) and returns the answer; `handlers` make the connection in another way than usual.

    Raises Undeliverable for a refusal that will stay, Failed for everything else: no connection, too slow, too busy, a
    redirection, something that is no HTTP.
    """
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    request = Request(url, data=data, method="POST", headers={"Content-Type": "application/json; charset=utf-8", **headers})
    # What is on this machine needs no proxy, whatever the environment says.
    local: list[BaseHandler] = [ProxyHandler({})] if urlsplit(url).hostname in LOOPBACK else []
    try:
        with build_opener(_NoRedirection(), *local, *handlers).open(request, timeout=TIMEOUT) as response:
            return Answer(_read(response))
    except HTTPError as error:
        error.close()
        if 400 <= error.code < 500 and error.code not in PASSING:
            raise Undeliverable(f"refused with HTTP status {error.code}") from None
        if 300 <= error.code < 400:
            raise Failed(f"answered with a redirection (HTTP status {error.code}), which is not followed") from None
        raise Failed(f"HTTP status {error.code}") from None
    except URLError as error:
        raise Failed(f"no connection: {error.reason}") from None
    except (OSError, HTTPException) as error:  # the answer broke off, came too slowly or is no HTTP
        raise Failed(f"no usable answer: {type(error).__name__}") from None


def _read(response: Any) -> bytes:
    """The answer's first octets. Raises Failed when they drip in for longer than anybody should wait."""
    end, parts, length = time.monotonic() + PATIENCE, [], 0
    while length < LONGEST:
        part = response.read1(LONGEST - length)
        if not part:
            break
        if time.monotonic() > end:
            raise Failed("the answer came too slowly")
        parts.append(part)
        length += len(part)
    return b"".join(parts)
