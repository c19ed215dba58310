"""The difference between two sets of letter templates: which came, went, or say something else, by paragraph."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from lxml import etree

from engine.process.workshop.comparing.words import shortened, step

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
#: Bytes of text in one template that are read: a letter has a few pages.
TEXT_MAX = 4 * 1024 * 1024
#: Paragraphs of a letter that are compared, and differences that are told of it.
PARAGRAPHS_MAX, TOLD_MAX = 2000, 20


@dataclass(frozen=True, slots=True)
class LetterDifference:
    """One difference of one template."""

    kind: Literal["added", "removed", "changed"]
    name: str
    before: str | None
    after: str | None
    text: str


def letter_differences(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[LetterDifference]:
    """All differences, template by template, with the paragraphs whose words changed."""
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield LetterDifference("removed", name, None, None, f"删除公文模板“{name}”")
        elif name not in before:
            yield LetterDifference("added", name, None, None, f"新增公文模板“{name}”")
        elif before[name] != after[name]:
            yield from _changed(name, _paragraphs(before[name]), _paragraphs(after[name]))


def _changed(name: str, before: list[str] | None, after: list[str] | None) -> Iterator[LetterDifference]:
    if before is None or after is None or before == after:
        yield LetterDifference("changed", name, None, None, f"公文模板“{name}”的版式或格式有改动，文字未变"
                               if before is not None and after is not None else f"公文模板“{name}”已更换")
        return
    told = 0
    for tag, i, until, j, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        one, other = "\n".join(before[i:until]), "\n".join(after[j:end])
        told += 1
        if told > TOLD_MAX:
            yield LetterDifference("changed", name, None, None, f"公文模板“{name}”还有其他段落的改动")
            return
        what = f"第{j + 1}段"
        if not one:
            text = f"{what}新增“{shortened(other)}”"
        elif not other:
            text = f"删去原第{i + 1}段“{shortened(one)}”"
        else:
            text = f"{what}：{step('text', one, other)}"
        yield LetterDifference("changed", name, one or None, other or None, f"公文模板“{name}”{text}")


def _paragraphs(template: bytes) -> list[str] | None:
    """The words of a template, a text a paragraph; None for a file that cannot be read in bounds."""
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as archive, archive.open("word/document.xml") as part:
            data = part.read(TEXT_MAX + 1)
        if len(data) > TEXT_MAX:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(data, parser)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, RuntimeError, NotImplementedError, EOFError, etree.XMLSyntaxError):
        return None
    found = ["".join(run.text or "" for run in paragraph.iter(f"{_WORD}t")).strip() for paragraph in root.iter(f"{_WORD}p")]
    return [text for text in found if text][:PARAGRAPHS_MAX]
