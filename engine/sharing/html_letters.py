"""Letters that are still HTML, until their templates are converted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from engine.sharing.letter_marks import chinese_date, chinese_list
from engine.sharing.letters import PLAIN_NUMBER, BadTemplate


def paragraphs(value: Any) -> Markup:
    """Text of several lines as paragraphs, escaped; blank lines are left out."""
    lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(line) for line in lines)


def fill_html(text: str, names: Mapping[str, Any], *, title: str) -> tuple[str, str, str]:
    """Fills a template; `title` is its title where it has no block of that name.

    Raises BadTemplate for a template that is broken, asks for a name that does not exist or tries what the sandbox forbids.
    """
    try:
        template = _compiled(text)
        number = _block(template, "number", names) or _compiled(PLAIN_NUMBER).render(names)
        return (
            _block(template, "title", names) or title, _plain(number), template.render({**names, "number": number}),
        )  # fmt: skip
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
