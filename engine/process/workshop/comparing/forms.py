"""The difference between two sets of forms, field by field and attribute by attribute."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from engine.process.check_forms import too_large
from engine.process.workshop.comparing import words


#: How much of a note's words must be the same to call it the same note.
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class FormDifference:
    """One difference of one form."""

    kind: Literal["added", "removed", "changed"]
    name: str
    """Its file name."""
    title: str
    attribute: str | None
    """`field.attribute`, `field`, or an attribute of the form; None for a whole form."""
    before: str | None
    after: str | None
    text: str


def form_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FormDifference]:
    """All differences, form by form. Whatever the JSON holds is compared; a broken form as a whole."""
    if before != after and (too_large(before) or too_large(after)):
        yield FormDifference("changed", "", "", None, None, None, "表单内容过多，未逐项比较")
        return
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            title = _title(before[name], name)
            yield FormDifference("removed", name, title, None, None, None, f"删除表单“{title}”（{name}）")
        elif name not in before:
            title = _title(after[name], name)
            labels = "、".join(_label(field) for field in _fields(after[name]) if field.get("type") != "note")
            yield FormDifference("added", name, title, None, None, None, f"新增表单“{title}”（{name}）" + (f"：{labels}" if labels else ""))
        elif before[name] != after[name]:
            yield from _Form(name, before[name], after[name]).differences()


class _Form:
    def __init__(self, name: str, before: Any, after: Any) -> None:
        self.name = name
        self.before, self.after = before, after
        self.title = _title(after, name)

    def differences(self) -> Iterator[FormDifference]:
        if not (isinstance(self.before, dict) and isinstance(self.after, dict)):
            yield self._told("changed", "", self.before, self.after, "的内容已改")
            return
        for key in dict.fromkeys([*self.before, *self.after]):
            one, other = self.before.get(key), self.after.get(key)
            if key != "fields" and one != other:
                yield self._attribute(key, key, "的", one, other)
        yield from self._listed()

    def _listed(self) -> Iterator[FormDifference]:
        ours, theirs = _keyed(_fields(self.before)), _keyed(_fields(self.after))
        _match_notes(ours, theirs)
        common = [key for key in ours if key in theirs]
        for key, field in theirs.items():
            if key not in ours:
                need = "（必填）" if field.get("required") else ""
                yield self._told("added", key, None, field, f"新增{_kind(field)}“{_label(field)}”{need}")
        for key, field in ours.items():
            if key not in theirs:
                need = "（必填）" if field.get("required") else ""
                yield self._told("removed", key, field, None, f"删除{_kind(field)}“{_label(field)}”{need}")
        for key in common:
            one, other = ours[key], theirs[key]
            for name in dict.fromkeys([*one, *other]):
                if one.get(name) != other.get(name) and name != "key":
                    note = one.get("type") == "note" and name == "label"
                    of = "的说明" if note else f"“{_label(one)}”的"
                    yield self._attribute(f"{key}.{name}", "" if note else name, of, one.get(name), other.get(name))
        yield from self._moved(common, [key for key in theirs if key in ours], theirs)

    def _moved(self, ours: Sequence[str], theirs: Sequence[str], fields: Mapping[str, Mapping[str, Any]]) -> Iterator[FormDifference]:
        """The fewest fields whose move explains the new order."""
        matched = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
        stayed = {theirs[block.b + i] for block in matched for i in range(block.size)}
        for place, key in enumerate(theirs):
            if key not in stayed:
                where = f"移到“{_label(fields[theirs[place - 1]])}”之后" if place else "移到最前"
                yield self._told("changed", key, ours.index(key) + 1, place + 1, f"“{_label(fields[key])}”{where}")

    def _attribute(self, path: str, name: str, of: str, before: Any, after: Any) -> FormDifference:
        label = words.FIELD_LABELS.get(name, f"属性 {name}") if name else ""
        if name == "options":
            return self._told("changed", path, before, after, f"{of}{label}：{_options(before, after)}")
        change = words.step(name, _plain(before), _plain(after))
        return self._told("changed", path, before, after, f"{of}{label} {change}")

    def _told(self, kind: Literal["added", "removed", "changed"], path: str, before: Any, after: Any, text: str) -> FormDifference:
        return FormDifference(kind, self.name, self.title, path, _json(before), _json(after), f"表单“{self.title}”{text}")


def _title(form: Any, name: str) -> str:
    return str(form.get("title") or name) if isinstance(form, dict) else name


def _fields(form: Any) -> list[Mapping[str, Any]]:
    fields = form.get("fields") if isinstance(form, dict) else None
    return [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []


def _keyed(fields: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """By key; a note, which has none, by its words, and what is there twice by its place."""
    found: dict[str, Mapping[str, Any]] = {}
    for place, field in enumerate(fields):
        key = str(field.get("key") or f"note:{field.get('label')}")
        found[key if key not in found else f"{key}#{place}"] = field
    return found


def _match_notes(ours: dict[str, Mapping[str, Any]], theirs: dict[str, Mapping[str, Any]]) -> None:
    """A note has no key: one that was reworded is found by its words, and takes the key of the new one."""
    fresh = [key for key in theirs if key.startswith("note:") and key not in ours]
    for key in [key for key in ours if key.startswith("note:") and key not in theirs]:
        near = next((new for new in fresh if SequenceMatcher(None, key, new).ratio() > _ALIKE), None)
        if near is not None:
            fresh.remove(near)
            items = [(near if name == key else name, field) for name, field in ours.items()]
            ours.clear()
            ours.update(items)


def _label(field: Mapping[str, Any]) -> str:
    return words.shortened(str(field.get("label") or field.get("key") or ""))


def _kind(field: Mapping[str, Any]) -> str:
    return "说明" if field.get("type") == "note" else "一项"


def _plain(raw: Any) -> str | None:
    if raw is None or isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, bool | int | float) else json.dumps(raw, ensure_ascii=False)


def _json(raw: Any) -> str | None:
    return None if raw is None else json.dumps(raw, ensure_ascii=False)


def _options(before: Any, after: Any) -> str:
    """Which choices came, went, or are called otherwise."""
    ours, theirs = _choices(before), _choices(after)
    told = [f"新增“{label}”" for value, label in theirs.items() if value not in ours]
    told += [f"删除“{label}”" for value, label in ours.items() if value not in theirs]
    told += [f"“{label}”改称“{theirs[value]}”" for value, label in ours.items() if value in theirs and theirs[value] != label]
    return "，".join(told) or "顺序或内容有变"


def _choices(raw: Any) -> dict[str, str]:
    items = raw if isinstance(raw, list) else []
    return {str(item.get("value")): str(item.get("label")) for item in items if isinstance(item, dict)}
