"""Comparison 比较: what is different between two versions of a process, to the attribute, in the words of its readers.

Pure: two packages in, one immutable value out. Nothing is drawn here; the page colours both diagrams by the ids that
the comparison gives. Files that differ only in white space, order of attributes, prefixes or defaults written out are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.process.actions import listed
from engine.process.interpreter.document import parse
from engine.process.package import Package
from engine.process.workshop.comparing import words
from engine.process.workshop.comparing.forms import form_differences
from engine.process.workshop.comparing.letters import letter_differences
from engine.process.workshop.comparing.pairs import pairs
from engine.process.workshop.comparing.tree import Thing, definitions_facts, drawing_of, things_of

Kind = Literal["added", "removed", "changed", "moved"]
Group = Literal["times", "who", "steps", "flows", "forms", "documents", "process", "other", "layout"]

GROUPS: Mapping[Group, str] = {
    "times": "时限与定时", "who": "承办单位与岗位", "steps": "环节", "flows": "流向与条件", "forms": "表单", "documents": "公文模板",
    "process": "流程设置", "other": "其他", "layout": "图形位置",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, with a sentence that can stand alone."""

    kind: Kind
    group: Group
    element: str | None
    """Id in the diagram after (before, where it was removed); None where no element shows it."""
    was: str | None
    """Id in the diagram before; None where it was added."""
    name: str
    """What the element, form or letter is called."""
    attribute: str | None
    """Which attribute, as the file writes it; None for a whole element."""
    before: str | None
    after: str | None
    text: str
    """Plain Chinese."""
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, in the order in which they are read, and the elements by what happened to them."""

    changes: tuple[Change, ...]
    added: frozenset[str]
    """Ids in the diagram after."""
    removed: frozenset[str]
    """Ids in the diagram before."""
    changed: Mapping[str, str]
    """Id before → id after."""
    moved: Mapping[str, str]
    """The same, of what only stands elsewhere in the drawing."""
    pairs: Mapping[str, str] = field(repr=False)
    """Id before → id after, of everything that is in both."""

    @property
    def same(self) -> bool:
        """Whether nothing differs that anybody could notice."""
        return not self.changes

    def grouped(self) -> list[tuple[str, list[Change]]]:
        """The changes under their headings."""
        found = [(name, [change for change in self.changes if change.group == key]) for key, name in GROUPS.items()]
        return [(name, changes) for name, changes in found if changes]


def compare(before: Package, after: Package) -> Comparison:
    """What `after` changes in `before`. Raises DiagramError where one of the diagrams cannot be read as BPMN."""
    return _Comparing(before, after).result()


class _Comparing:
    def __init__(self, before: Package, after: Package) -> None:
        self.packages = (before, after)
        roots = (parse(before.xml), parse(after.xml))
        self.roots = roots
        self.before, self.after = things_of(roots[0]), things_of(roots[1])
        self.drawn = (drawing_of(roots[0]), drawing_of(roots[1]))
        self.pairs = pairs(self.before, self.after, *self.drawn)
        self.back = {new: old for old, new in self.pairs.items()}

    def result(self) -> Comparison:
        added = [key for key in self.after if key not in self.back]
        removed = [key for key in self.before if key not in self.pairs]
        changes = [*self._whole(added, removed), *self._facts(), *self._package()]
        changed = {c.was: c.element for c in changes if c.kind == "changed" and c.was and c.element}
        for change in changes:  # a form's change marks the steps that use it
            if change.group == "forms" and change.element in self.back:
                changed[self.back[change.element]] = change.element
        moved = {old: new for old, new in self._moved().items() if old not in changed}
        changes += self._layout()
        order = list(GROUPS)
        changes.sort(key=lambda change: order.index(change.group))
        return Comparison(tuple(changes), frozenset(added), frozenset(removed), changed, moved, self.pairs)

    # -- elements that came and went ------------------------------------------------------------

    def _whole(self, added: list[str], removed: list[str]) -> Iterator[Change]:
        for verb, kind, keys, things in (("新增", "added", added, self.after), ("删除", "removed", removed, self.before)):
            for key in keys:
                thing = things[key]
                if thing.tag in ("laneSet", "childLaneSet"):
                    continue
                text = f"{verb}{self._called(thing, things)}{self._told(thing, things)}"
                was = key if kind == "removed" else None
                yield Change(kind, _group(thing, None), key, was, self._name(thing, things), None, None, None, text, thing.article)  # type: ignore[arg-type]

    def _told(self, thing: Thing, things: Mapping[str, Thing]) -> str:
        """What a reader wants to know of a new or lost element at once."""
        facts = thing.facts
        told = [
            f"{words.label(path)}：{words.value(path, self._shown(path, facts[path], things))}{' 个工作日' if path in words.DAYS else ''}"
            for path in ("property:unit", "property:post", "property:form", "property:limit", "timer@sharing:workingDays",
                         "timer@sharing:beforeDeadline", "timer@sharing:afterDeadline", "property:operation", "@calledElement",
                         "conditionExpression")
            if facts.get(path)
        ]  # fmt: skip
        return f"（{'，'.join(told)}）" if told else ""

    # -- attributes -----------------------------------------------------------------------------

    def _facts(self) -> Iterator[Change]:
        one, other = (definitions_facts(root) for root in self.roots)
        for path in _paths(one, other):
            text = f"文件的{words.label(path)} {words.step(path, one.get(path), other.get(path))}"
            yield Change("changed", "other", None, None, "", path, one.get(path), other.get(path), text)
        for old, new in self.pairs.items():
            yield from self._pair(self.before[old], self.after[new])

    def _pair(self, old: Thing, new: Thing) -> Iterator[Change]:
        if old.tag != new.tag:
            text = f"“{self._name(new, self.after)}”由{words.KINDS.get(old.tag, old.tag)}改为{words.KINDS.get(new.tag, new.tag)}"
            yield self._change(old, new, "tag", old.tag, new.tag, text)
        if old.id != new.id and "#" not in old.id + new.id and old.tag not in ("laneSet", "childLaneSet", "collaboration"):
            text = f"{self._called(new, self.after)}的编号 {old.id} → {new.id}，其余视为同一个"
            yield self._change(old, new, "id", old.id, new.id, text)
        for path in _paths(old.facts, new.facts):
            before, after = old.facts.get(path), new.facts.get(path)
            if self._same(path, before, after):
                continue
            shown = self._shown(path, before, self.before), self._shown(path, after, self.after)
            text = f"{self._place(old, new, path)} {words.step(path, *shown)}"
            yield self._change(old, new, path, before, after, text)

    def _change(self, old: Thing, new: Thing, path: str, before: str | None, after: str | None, text: str) -> Change:
        article = new.article or old.article
        return Change("changed", _group(new, path), new.id, old.id, self._name(new, self.after), path, before, after, text, article)

    def _same(self, path: str, before: str | None, after: str | None) -> bool:
        if before == after:
            return True
        if path == "order":
            ours = [self.pairs[flow] for flow in (before or "").split() if self.pairs.get(flow) in (after or "").split()]
            theirs = [flow for flow in (after or "").split() if flow in ours]
            return ours == theirs
        return before is not None and self.pairs.get(before) == after and path in _REFERENCES

    def _shown(self, path: str, raw: str | None, things: Mapping[str, Thing]) -> str | None:
        """A value with the names of what it refers to."""
        if raw is None:
            return None
        if path == "order":
            return "、".join(self._called(things[flow], things) for flow in raw.split() if flow in things)
        if path in _REFERENCES and raw in things:
            return self._called(things[raw], things)
        if path == "property:returnTo":
            return ",".join(self._name(things[part], things) if part in things else part for part in listed(raw))
        if path in ("property:hiddenFields", "property:readonlyFields"):
            return ",".join(self._labels(things).get(part, part) for part in listed(raw))
        if path in ("property:form", "property:startForm"):
            form: Any = self.packages[things is self.after].forms.get(raw)
            return f"“{form['title']}”" if isinstance(form, dict) and form.get("title") else raw
        return raw

    def _labels(self, things: Mapping[str, Thing]) -> dict[str, str]:
        """What the fields of the forms are called, by key."""
        forms = self.packages[things is self.after].forms.values()
        fields = [field for form in forms if isinstance(form, dict) and isinstance(form.get("fields"), list) for field in form["fields"]]
        return {str(field["key"]): f"“{field['label']}”" for field in fields if isinstance(field, dict) and field.get("key") and field.get("label")}

    def _place(self, old: Thing, new: Thing, path: str) -> str:
        """Which attribute of what: `“提供部门答复”答复时限`, `“复核”的岗位`."""
        on = self.after.get(new.facts.get("@attachedToRef", ""))
        if on is not None and new.facts.get("event") == "timer" and path in _TIMES:
            rule = _TIMES[path] or (new.name.removesuffix("届满") if new.facts.get("timer@sharing:role") == "deadline" else "")
            name = f"“{new.name}”" if new.name and _TIMES[path] else ""
            return f"“{on.name or on.id}”{name}{rule or new.name or '定时'}"
        if path == "property:limit":
            return f"“{self._name(new, self.after)}”时限"
        if path == "@name":
            return f"{self._called(old, self.before)}的名称"
        return f"{self._called(new, self.after)}的{words.label(path)}"

    # -- names ----------------------------------------------------------------------------------

    def _name(self, thing: Thing, things: Mapping[str, Thing]) -> str:
        if thing.tag == "sequenceFlow" and not thing.name:
            return self._ends(thing, things)
        return thing.name or thing.facts.get("text", "")[:20] or thing.id.partition("#")[0]

    def _ends(self, flow: Thing, things: Mapping[str, Thing]) -> str:
        ends = (things.get(flow.facts.get(f"@{end}Ref", "")) for end in ("source", "target"))
        return "→".join((end.name or words.KINDS.get(end.tag, end.id)) if end else "？" for end in ends)

    def _called(self, thing: Thing, things: Mapping[str, Thing]) -> str:
        kind = words.KINDS.get(thing.tag, thing.tag)
        if thing.tag == "sequenceFlow" and thing.name:
            return f"{kind}“{thing.name}”（{self._ends(thing, things)}）"
        event = words.EVENTS.get(thing.facts.get("event", ""), "")
        return f"{event}{kind}“{self._name(thing, things)}”"

    # -- forms, letters, rule set -----------------------------------------------------------------

    def _package(self) -> Iterator[Change]:
        before, after = self.packages
        if before.rule_set != after.rule_set:
            text = f"所属规则集 {before.rule_set} → {after.rule_set}"
            yield Change("changed", "process", None, None, "", "rule_set", before.rule_set, after.rule_set, text)
        used = _users(self.after, self.before)
        for found in form_differences(before.forms, after.forms):
            element, article = used.get(found.name, (None, None))
            yield Change(
                found.kind, "forms", element, self.back.get(element or ""), found.title, found.attribute, found.before, found.after,
                found.text, article,
            )  # fmt: skip
        for letter in letter_differences(before.documents, after.documents):
            element = next((t.id for t in self.after.values() if t.facts.get("property:in.kind", "").strip("\"'") == letter.name), None)
            yield Change(
                letter.kind, "documents", element, self.back.get(element or ""), letter.name, None, letter.before, letter.after, letter.text
            )  # fmt: skip

    # -- the drawing ------------------------------------------------------------------------------

    def _moved(self) -> dict[str, str]:
        return {old: new for old, new in self.pairs.items() if _differs(self.drawn[0].bounds, self.drawn[1].bounds, old, new)}

    def _layout(self) -> Iterator[Change]:
        one, other = self.drawn
        shapes = len(self._moved())
        arrows = sum(_differs(one.corners, other.corners, old, new) for old, new in self.pairs.items())
        looks = sum(_differs(one.looks, other.looks, old, new) for old, new in self.pairs.items())
        told = [f"{count}{what}" for count, what in ((shapes, "个图形移动或改了大小"), (arrows, "条连线改了走向"), (looks, "处标签或外观有变")) if count]
        if told:
            yield Change("moved", "layout", None, None, "", None, None, None, f"{'，'.join(told)}，不影响办理")


def _differs(one: Mapping[str, Any], other: Mapping[str, Any], old: str, new: str) -> bool:
    return one.get(old) != other.get(new)


def _paths(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The attributes of which the two have different values, in the order of the files."""
    return [path for path in dict.fromkeys([*one, *other]) if one.get(path) != other.get(path)]


def _users(*sides: Mapping[str, Thing]) -> dict[str, tuple[str, str | None]]:
    """Form → the first step that uses it, and the article which that carries out."""
    found: dict[str, tuple[str, str | None]] = {}
    for things in sides:
        for thing in things.values():
            for name in (thing.facts.get("property:form"), thing.facts.get("property:startForm")):
                if name:
                    found.setdefault(name, (thing.id, thing.article))
    return found


def _group(thing: Thing, path: str | None) -> Group:
    if path is not None:
        if path in ("property:unit", "property:post", "lane"):
            return "who"
        if path.startswith("timer") or path in ("property:limit", "property:statutoryMax", "property:onPause", "property:officeHours", "property:clock"):
            return "other" if path == "timer/timeDuration" else "times"
        if path in ("order", "@default"):
            return "flows"
    if thing.facts.get("event") == "timer" and thing.tag == "boundaryEvent":
        return "times"
    if thing.tag == "sequenceFlow":
        return "flows"
    if thing.tag == "lane":
        return "who"
    if thing.tag == "process":
        return "process"
    return "steps" if thing.family in ("activity", "gateway", "event", "boundaryEvent") else "other"


#: Facts that name another object.
_REFERENCES = frozenset({
    "scope", "lane", "@sourceRef", "@targetRef", "@attachedToRef", "@default", "@processRef", "@messageRef", "message@messageRef",
    "error@errorRef", "escalation@escalationRef", "signal@signalRef", "@dataObjectRef", "@dataStoreRef",
})  # fmt: skip
#: Times of a boundary timer: what stands between the activity and the number; the timer's own name for its deadline.
_TIMES = {
    "timer@sharing:workingDays": "", "timer@sharing:beforeDeadline": "：时限届满前", "timer@sharing:afterDeadline": "：时限届满后",
    "timer@sharing:statutoryMax": "法定最长时限", "timer@sharing:calendarDate": "的日期", "timer@sharing:duration": "的时长",
    "timer@sharing:article": "的条款", "timer@sharing:onPause": "遇补正时", "timer@sharing:role": "的作用",
    "timer@sharing:countFrom": "的起算日", "timer@sharing:officeHours": "办公时间以外顺延",
}  # fmt: skip
