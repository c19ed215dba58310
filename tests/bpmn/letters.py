"""Letters as the walks write them: really filled in, but each different one only once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

from docxtpl import DocxTemplate

from engine.sharing.letter_marks import ENVIRONMENT
from engine.sharing.letter_text import plain, read
from engine.sharing.letters import fill

_WRITTEN: dict[tuple[bytes, str], tuple[str, str, str]] = {}


@cache
def asked(template: bytes) -> frozenset[str]:
    """The names that a template uses."""
    return frozenset(DocxTemplate(BytesIO(template)).get_undeclared_template_variables(ENVIRONMENT)) | {"unit", "year", "serial"}


def words_of(template: bytes) -> str:
    """What stands in a template, marks and all."""
    return plain(read(template))


def written(template: bytes, names: Mapping[str, Any], title: str) -> tuple[str, str, str]:
    """Title, number and text of a letter."""
    key = template, repr([(name, names[name]) for name in sorted(asked(template)) if name in names])
    if key not in _WRITTEN:
        letter = fill(template, names, title=title)
        _WRITTEN[key] = letter.title, letter.number, plain(read(letter.docx))
    return _WRITTEN[key]
