"""The elements 要素 of a catalogue entry: what they are called, how they read, and what differs between two versions.

Pure functions over plain values: the register (`catalogue`) and its operations (`cataloguing`) keep and change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KINDS: Mapping[str, str] = {"basic": "基础", "theme": "主题", "business": "业务"}
SHARING_CLASSES: Mapping[str, str] = {"unconditional": "无条件共享", "conditional": "有条件共享", "withheld": "不予共享"}
STATES: Mapping[str, str] = {
    "draft": "编制中", "published": "已发布", "blocked": "依据不足 未发布", "withdrawn": "已撤销",
}  # fmt: skip

#: The elements that a unit writes itself, and what each is called. The keys are those of the forms.
WRITTEN: Mapping[str, str] = {
    "name": "资源名称",
    "abstract": "摘要",
    "source": "数据来源",
    "format": "资源格式",
    "items": "信息项",
    "item_types": "信息项类型",
    "identifier": "标识",
    "level": "数据分级",
    "sharing_class": "共享类型",
    "conditions": "共享条件",
    "sharing_scope": "共享范围",
    "method": "共享方式",
    "update_cycle": "更新频度",
    "update_deadline": "更新时限",
    "open_to_public": "可否向社会开放",
    "related_code": "关联资源代码",
}

#: All elements that a version keeps a copy of: those, and what follows from the process.
LABELS: Mapping[str, str] = {
    "class_code": "资源分类",
    "kind": "资源属性",
    "provider_id": "提供单位",
    **WRITTEN,
    "withheld_items": "不予共享的信息项",
    "state": "目录状态",
}

SOURCES: Mapping[str, str] = {
    "own": "依照法定职责采集", "third_party": "通过第三方依法采集", "authorised": "依法授权管理", "system": "依托信息系统形成",
}  # fmt: skip

_WORDS: Mapping[str, Mapping[Any, str]] = {
    "kind": KINDS, "sharing_class": SHARING_CLASSES, "state": STATES, "source": SOURCES,
    "open_to_public": {True: "可以开放", False: "不开放"},
}  # fmt: skip

#: What separates the items of a list typed into a form, and an item from its type.
_LINES = re.compile(r"[\n;；、]")
_TYPE = re.compile(r"[,，:：]")


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that differs between two versions, in words."""

    key: str
    label: str
    before: str
    after: str

    def as_json(self) -> dict[str, str]:
        return {"key": self.key, "label": self.label, "before": self.before, "after": self.after}


def in_words(key: str, value: Any) -> str:
    """The value of an element as people read it."""
    if key in _WORDS:
        return _WORDS[key].get(value, str(value))
    if isinstance(value, Mapping):
        return "、".join(f"{name}（{kind}）" for name, kind in value.items())
    if isinstance(value, list | tuple):
        return "、".join(str(item) for item in value)
    return "" if value is None else str(value)


def differences(before: Mapping[str, Any], after: Mapping[str, Any], hidden: Iterable[str] = ()) -> list[Difference]:
    """What differs between two sets of elements, in the order of LABELS; an element that one does not have is left out."""
    kept_back = set(hidden)
    return [
        Difference(key, label, in_words(key, before[key]), in_words(key, after[key]))
        for key, label in LABELS.items()
        if key in before and key in after and before[key] != after[key] and key not in kept_back
    ]


def read_items(text: str) -> tuple[list[str], dict[str, str]]:
    """Items and their types from the lines of a form, one item a line: `姓名，字符型`. The type may be left out.

    Raises ValueError, in Chinese, for an item that stands there twice.
    """
    names: list[str] = []
    types: dict[str, str] = {}
    for line in filter(None, (part.strip() for part in _LINES.split(text))):
        name, *kind = (part.strip() for part in _TYPE.split(line, maxsplit=1))
        if not name:
            continue
        if name in names:
            raise ValueError(f"信息项“{name}”重复")
        names.append(name)
        if kind and kind[0]:
            types[name] = kind[0]
    return names, types


def write_items(items: Iterable[str], types: Mapping[str, str]) -> str:
    """The items as the lines of a form; `read_items` takes them back."""
    return "\n".join(f"{item}，{types[item]}" if types.get(item) else str(item) for item in items)
