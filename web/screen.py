"""How values look on the screen: instants in Shanghai time, days with their weekday, lights with their words.

Templates show and do not compute; what they need beyond plain text is a filter here.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request
from markupsafe import Markup, escape

from engine.store.clock import SHANGHAI

WEEKDAYS = "一二三四五六日"

#: A light's meaning in words: colour alone tells some readers nothing.
LIGHTS = {
    "none": "不限时",
    "green": "正常",
    "yellow": "临期",
    "red": "逾期",
    "paused": "暂停计时",
    "done": "已办结",
}

#: How a task came to be where it is, where the process itself did not bring it.
SENT = {
    "returned": "退回",
    "withdrawn": "撤回",
    "transferred": "转办",
    "delegated": "委派",
    "handed_back": "交回",
    "added": "加签",
}

CASE_STATES = {"running": "办理中", "suspended": "已暂停", "completed": "已办结", "terminated": "已终止"}


def moment(instant: datetime | None) -> str:
    """2026-03-02 09:30, Shanghai time."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else ""


def moment_exact(instant: datetime | None) -> str:
    """2026-03-02 09:30:05, where the order within a minute matters."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def day(value: date | datetime | None) -> str:
    """2026-03-02（周一）."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI).date()
    return f"{value.isoformat()}（周{WEEKDAYS[value.weekday()]}）"


def until(instant: datetime | None) -> str:
    """An exclusive end as people say it: 2026-03-03 00:00 is 2026-03-02 24:00."""
    if instant is None:
        return ""
    local = instant.astimezone(SHANGHAI)
    if (local.hour, local.minute) != (0, 0):
        return moment(instant)
    return f"{local.date() - timedelta(days=1)} 24:00"


def long_day(value: date | datetime | None) -> str:
    """2026年3月2日, as documents write it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(SHANGHAI).date()
    return f"{value.year}年{value.month}月{value.day}日"


def days_left(count: int | None) -> str:
    """What the number of working days left means, in words."""
    if count is None:
        return ""
    if count < 0:
        return f"已逾期{-count}个工作日"
    return "今日截止" if count == 0 else f"剩余{count}个工作日"


def counted(number: int) -> str:
    """A count that stops at 99: the exact number of a long list helps nobody and costs a scan."""
    return "99+" if number > 99 else str(number)


def size(octets: int) -> str:
    """A file's size: 812 B, 1.4 MB."""
    amount, unit = float(octets), "B"
    for larger in ("KB", "MB", "GB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def paragraphs(text: str | None) -> Markup:
    """Plain text with its line breaks, escaped."""
    return Markup("<br>").join(escape(line) for line in (text or "").splitlines())


def shown(value: Any) -> str:
    """An answer as text: 是/否 for booleans, a list joined, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple):
        return "、".join(shown(item) for item in value)
    return str(value)


def here(**changed: Any) -> str:
    """The address of this page with some of its questions changed; None takes one away."""
    asked = {**request.args.to_dict(), **changed}
    query = urlencode({name: value for name, value in asked.items() if value not in (None, "")})
    return f"{request.path}?{query}" if query else request.path


def install(app: Flask) -> None:
    """Makes the filters known to the templates."""
    for function in (moment, moment_exact, until, day, long_day, days_left, counted, size, paragraphs, shown):
        app.jinja_env.filters[function.__name__] = function
    app.jinja_env.globals["LIGHTS"] = LIGHTS
    app.jinja_env.globals["SENT"] = SENT
    app.jinja_env.globals["CASE_STATES"] = CASE_STATES
    app.jinja_env.globals["here"] = here
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
