"""How an official document is worded: its template, filled by a sandbox, and the way dates and lists are written.

A template is HTML with Jinja's marks, deployed with the diagram. Its blocks `title` and `number` say what the document is
called and how its number is written; they may stand anywhere in the page that the template is. A template sees the case's
variables, the parameters of the step and these: `unit` (code, name, short), `article`, `year`, `serial`, `issued_at`,
`case_number`, `case_title`. Whatever is filled in is escaped, and a name that does not exist is an error: an official
document with a hole in it must not leave the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from calendars.deadline import shanghai_day

#: How a number is written where the template does not say.
PLAIN_NUMBER = "{{ unit.short }}〔{{ year }}〕{{ serial }}号"


class BadTemplate(Exception):
    """The template cannot be filled; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A filled template: title and number as plain text, the page as HTML that is safe to show."""

    title: str
    number: str
    html: str


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
    """Text of several lines as paragraphs, escaped; blank lines are left out."""
    lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(line) for line in lines)


def fill(text: str, names: Mapping[str, Any], *, title: str) -> Letter:
    """Fills a template; `title` is its title where it has no block of that name.

    Raises BadTemplate for a template that is broken, asks for a name that does not exist or tries what the sandbox forbids.
    """
    try:
        template = _compiled(text)
        number = _block(template, "number", names) or _compiled(PLAIN_NUMBER).render(names)
        return Letter(
            title=_block(template, "title", names) or title,
            number=_plain(number),
            html=template.render({**names, "number": number}),
        )
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise BadTemplate(f"文书模板无法填写：{error}") from error


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"day": chinese_date, "listed": chinese_list, "paragraphs": paragraphs}
    return made


_ENVIRONMENT = _environment()


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def _block(template: Template, name: str, names: Mapping[str, Any]) -> str:
    block = template.blocks.get(name)
    return _plain("".join(block(template.new_context(dict(names))))) if block else ""


def _plain(html: str) -> str:
    """The text of some HTML, on one line."""
    return " ".join(Markup(html).striptags().split())
