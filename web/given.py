"""What a form of the workshop gives, as values; a misspelt one is refused at its field."""

from __future__ import annotations

from datetime import datetime

from flask import request

from engine.store.clock import shanghai
from engine.store.errors import Invalid


def day_given(name: str) -> datetime | None:
    """The beginning of the day in a form's field, in Shanghai; None where it is empty. Raises Invalid at `effective_at`."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        if len(text) != len("2026-01-01"):
            raise ValueError
        return shanghai(text)
    except (ValueError, OverflowError):
        raise Invalid({"effective_at": "请填写正确的日期，例如2026-07-01"}) from None


def number_given(name: str, message: str = "页面已过期，请刷新后重试") -> int:
    """A positive whole number in a hidden field. Raises Invalid with `message` for anything else."""
    text = request.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Invalid(message=message)
    return int(text)
