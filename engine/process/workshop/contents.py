"""What a draft may hold beside its diagram: forms and document templates that are sane as data, whatever their faults.

A form may lack fields and a letter may name what does not exist: the check says so before deployment. Here only that is
refused which could not be kept or opened: no JSON, too large, too deep, no word processor's file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from engine.store.errors import Invalid

#: Names of forms and kinds of letters: they are file names in `bpmn/` and stand in addresses.
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
FORMS_MAX = 200
FORMS_BYTES = 1024 * 1024
FORM_DEPTH = 12
DOCUMENTS_MAX = 50
DOCUMENT_BYTES = 2 * 1024 * 1024
UNPACKED_BYTES = 30 * 1024 * 1024
"""A letter is a packed file: what it unpacks to is bounded too."""


def checked_forms(forms: Mapping[str, Any]) -> dict[str, Any]:
    """The forms as they may be kept. Raises Invalid with what is wrong, by form."""
    if len(forms) > FORMS_MAX:
        raise Invalid(message=f"一个流程最多{FORMS_MAX}份表单")
    for name, form in forms.items():
        if not NAME.fullmatch(str(name)):
            raise Invalid({"name": f"表单名称“{str(name)[:80]}”不正确：须以小写字母开头，只含小写字母、数字和下划线"})
        if not isinstance(form, dict):
            raise Invalid(message=f"表单“{name}”不是表单定义")
        if _deeper_than(form, FORM_DEPTH):
            raise Invalid(message=f"表单“{name}”嵌套过深")
    try:
        text = json.dumps(forms, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError):
        raise Invalid(message="表单含有无法保存的内容") from None
    if "\\u0000" in text:
        raise Invalid(message="表单含有无法保存的字符")
    if size > FORMS_BYTES:
        raise Invalid(message=f"表单合计超过{FORMS_BYTES // 1024 // 1024}MB")
    return dict(forms)


def _deeper_than(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    return any(_deeper_than(inner, levels - 1) for inner in (value.values() if isinstance(value, dict) else value))


def checked_documents(documents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The templates as they may be kept. Raises Invalid with what is wrong, by template."""
    if len(documents) > DOCUMENTS_MAX:
        raise Invalid(message=f"一个流程最多{DOCUMENTS_MAX}份公文模板")
    for kind, template in documents.items():
        if not NAME.fullmatch(kind):
            raise Invalid({"kind": f"公文标识“{kind[:80]}”不正确：须以小写字母开头，只含小写字母、数字和下划线"})
        if len(template) > DOCUMENT_BYTES:
            raise Invalid({"file": f"公文模板“{kind}”超过{DOCUMENT_BYTES // 1024 // 1024}MB"})
        if not _is_letter(template):
            raise Invalid({"file": f"公文模板“{kind}”不是可以打开的.docx文件"})
    return dict(documents)


def _is_letter(template: bytes) -> bool:
    """Whether it is a word processor's file of a bounded size. Its inside is the letters' own check to judge."""
    try:
        with ZipFile(BytesIO(template)) as packed:
            inside = packed.infolist()
    except (BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        return False
    names = {entry.filename for entry in inside}
    small = len(inside) <= 500 and sum(entry.file_size for entry in inside) <= UNPACKED_BYTES
    return small and {"[Content_Types].xml", "word/document.xml"} <= names
