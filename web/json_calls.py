"""What a script of ours asks for and gets: JSON in, JSON out, refusals included.

A page that saves in the background cannot show a page of refusal; it gets `{"message": …}` with the same status. Kept
apart from the views so that every one of them bounds what it reads.
"""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from engine.store.errors import Invalid


def wants_json() -> bool:
    """True when a script asks: it sends JSON, or in a way that no form can, or accepts nothing that a page would be."""
    return request.is_json or request.method == "PUT" or request.accept_mimetypes.best == "application/json"


def read_json(most: int) -> dict[str, Any]:
    """The object that was sent, read only when it says to be no longer than `most` octets (413 otherwise).

    One that does not say its length is read up to the application's own limit.

    Raises Invalid for what is no JSON object.
    """
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge
    try:
        # Whatever type it says it is: who sends no JSON learns it from the sentence below.
        sent = request.get_json(force=True)
    except (BadRequest, RecursionError, UnicodeError):
        raise Invalid(message="提交的内容无法识别，未作任何保存") from None
    if not isinstance(sent, dict):
        raise Invalid(message="提交的内容无法识别，未作任何保存")
    return sent


def whole_number(sent: dict[str, Any], name: str) -> int:
    """A positive whole number of the object. Raises Invalid for anything else."""
    value = sent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**53:
        raise Invalid(message=f"提交的内容缺少“{name}”，或它不是正整数")
    return value


def long_text(sent: dict[str, Any], name: str) -> str:
    """A text of the object. Raises Invalid for anything else, and for characters that cannot be written."""
    value = sent.get(name)
    if not isinstance(value, str):
        raise Invalid(message=f"提交的内容缺少“{name}”，或它不是文字")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid(message="提交的内容含有无法保存的字符") from None
    return value
