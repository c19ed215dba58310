"""The language of document templates: Jinja in a sandbox with few words, and the way dates and lists are written.

Template authors are trusted with wording, not with the server: no calls but those of CALLS, no filters but FILTERS, no
arithmetic on texts, nothing that turns a value into markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from calendars.deadline import shanghai_day

#: What XML cannot say (half characters of broken text among it).
UNSPEAKABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: docxtpl's mark for the end of a paragraph inside a value.
NEXT_PARAGRAPH = "\a"
#: The methods of a table of values that a template may call, beside making one with `dict`.
CALLS = frozenset({"get", "items", "keys", "values"})


def chinese_date(value: date | datetime | str | None) -> str:
    """2026年3月2日, of a date, of an instant (its day in Shanghai) or of their ISO text; nothing for nothing.

    Raises ValueError for text that is no date.
    """
    if not value:
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > len("2026-03-02") else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = shanghai_day(value)
    return f"{value.year}年{value.month}月{value.day}日"


def chinese_list(value: Any) -> str:
    """The items of a list as Chinese writes them: 姓名、性别; a single value as it is, nothing for nothing."""
    if isinstance(value, list | tuple):
        return "、".join(str(item) for item in value)
    return "" if value is None else str(value)


def paragraphs(value: Any) -> Markup:
    """Text of several lines as paragraphs like the one that it stands in; blank lines are left out."""
    lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
    return Markup(NEXT_PARAGRAPH).join(escape(line) for line in lines)


def printable(value: Any) -> Any:
    """The same data without what a document cannot hold (control characters), and with one kind of line end."""
    if isinstance(value, str):
        return UNSPEAKABLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, Mapping):
        return {name: printable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable(item) for item in value]
    return value


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, made smaller."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def from_string(self, source: Any, globals: Any = None, template_class: Any = None) -> Template:
        """A template from its text, compiled once per process: that takes longer than filling it."""
        if globals is not None or template_class is not None or not isinstance(source, str):
            return super().from_string(source, globals, template_class)
        return _compiled(self, source)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """A text times a number, or a number to the power of another, fills the memory of the server."""
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            raise SecurityError(f"文书模板中不能使用“{operator}”")
        return super().call_binop(context, operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        return obj is dict or (isinstance(owner, dict) and getattr(obj, "__name__", "") in CALLS)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if tree.find(nodes.EvalContextModifier) or tree.find(nodes.ScopedEvalContextModifier):
            raise SecurityError("文书模板中不能关闭转义")
        return tree


@lru_cache(maxsize=256)
def _compiled(sandbox: _Sandbox, source: str) -> Template:
    return ImmutableSandboxedEnvironment.from_string(sandbox, source)


def _written(value: Any) -> Any:
    """How a value stands in the text: nothing for nothing, not “None”."""
    return "" if value is None else value


def _environment() -> _Sandbox:
    made = _Sandbox(autoescape=True, undefined=StrictUndefined, finalize=_written)
    kept = ("abs", "default", "first", "int", "join", "last", "length", "round", "sort", "sum", "trim", "unique")
    made.filters = {name: JINJA[name] for name in kept}
    made.filters |= {"day": chinese_date, "listed": chinese_list, "paragraphs": paragraphs}
    made.globals = {"dict": dict}
    return made


ENVIRONMENT = _environment()
