"""Walks a shipped diagram wherever it can go, with its own forms and letters, and no database.

A `Walk` is one case: its machine and its data. `explore` visits every state that any sequence of answers, timers,
messages and ended calls can bring about; two states are the same when the same steps wait and the data that the
diagram decides by are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import product
from typing import Any

from engine.process.forms import options_of, shown, validate
from engine.process.interpreter.expressions import evaluate, names_in
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import Diagram, OperationError, Passed, Step
from tests.bpmn.letters import written
from tests.bpmn.shipped import diagram, package

WORDS: dict[str, Callable[..., Any]] = {
    "body": lambda name: {"leadership_office": "024", "leading_group": "001", "platform": "024", "justice": "008",
                          "city_government": "001", "cyberspace": "025"}[name],
    "unit_name": lambda code: {"007": "市民政局", "013": "市住房和城乡建设局"}.get(code, f"单位{code}"),
    "last_working_day": lambda day: day,
    "last_working_day_text": lambda day: day,
    "supplier": lambda resource: resource["provider"] if resource["kind"] == "business" else "024",
}

SERVED = {"served_text": "2026年10月12日", "due_text": "2026年11月2日"}
#: What the operations of rectification, correction, inconsistency and misuse give.
OVERSIGHT: Mapping[str, Any] = {
    "inconsistencies.open": {"id": 1, "number": "不一致〔2026〕1号"},
    "inconsistencies.others": [{"value": "013", "label": "市住房和城乡建设局"}],
    **dict.fromkeys(("misuse.suspend", "misuse.resume", "misuse.terminate"), {"numbers": ["共享授权〔2026〕1号"]}),
    "corrections.open": {"id": 1, "number": "校核〔2026〕1号"},
    "sharing.consumers": ["007", "014"],
    "rectification.open": {"id": 1, "number": "整改〔2026〕1号", "served_day": "2026-10-12", "due_day": "2026-11-02",
                            **SERVED},
    "rectification.miss": {"id": 1, "number": "整改〔2026〕1号", "served_day": "2026-10-12", "due_day": "2026-11-02",
                            **SERVED},
    "cases.extend": {"days": 10, "due_day": "2026-11-16", "due_text": "2026年11月16日", "old_day": "2026-11-02"},
}

EVALUATED: Mapping[str, Any] = {
    "id": 1, "scores": [], "lines": [], "text": "按时更新（30分）：30分", "automatic": 55.0, "adjustment": 5.0, "reason": "补报", "total": 55.0,
    "grade": "不合格",
}  # fmt: skip
#: What the operations of reports, evaluation, maintenance and projects give.
DUTIES: Mapping[str, Any] = {
    "reports.draw": {
        "id": 1, "figures": {"period": {"items": 3}}, "text": "目录内信息资源（项）：3", "drawn_on": "2026-10-12", "missing": ["市财政局"],
    },
    "reports.submit": {"id": 1, "in_time": True},
    "evaluation.score": EVALUATED,
    "evaluation.adjust": EVALUATED,
    "evaluation.conclude": EVALUATED,
    "maintenance.list": {
        "id": 1, "count": 1, "entries": [{"value": "209001/000001", "label": "公租房保障对象"}],
        "withheld": [{"value": "209001/000001", "label": "公租房保障对象"}],
    },
    "maintenance.record": {
        "confirmed": 0, "changed": 1, "withdrawn": 0, "rebased": 0, "outstanding": [], "outstanding_text": "", "text": "公租房保障对象：变更",
    },
    "projects.enter": {"id": 1, "count": 1, "names": ["公租房保障对象"]},
    "projects.compare": {"gaps": [], "text": ""},
}  # fmt: skip

#: What the operations of the catalogue give.
CATALOGUE: Mapping[str, Any] = {
    "catalogue.draft": {"code": "209001/000003", "name": "甲", "kind": "theme", "items": ["甲", "乙"], "provider": "013"},
    "catalogue.similar": [{"value": "209001/000001", "label": "公租房保障对象（209001/000001，市住房和城乡建设局）", "shared": ["甲"]}],
    "catalogue.publish": {"version": 1},
    "catalogue.change": {"version": 2, "changes": [{"label": "共享方式", "before": "甲", "after": "乙"}], "text": "共享方式：甲 → 乙", "resource": {}},
    "catalogue.withdraw": {"version": 2, "changes": [], "text": "", "resource": {}},
    "sharing.consumers": ["007"],
    "cases.start": [{"id": 2, "number": "变更比对〔2026〕1号", "unit": "007"}],
}  # fmt: skip

RESULTS: dict[str, Any] = {
    **CATALOGUE,
    "cases.answers": [
        {"unit": "市司法局", "person": "周某", "opinion": "", "expert_finding": "部分数据项可以共享", "expert_note": "可以脱敏",
         "statement": "依法采集"}
    ],
    "negative_list.file_objection": {"id": 1, "ground": "依据不足"},
    "documents.issue": {"id": 1, "number": "住建〔2026〕1号", "title": "文书"},
    "sharing.grant": {"id": 1, "number": "共享授权〔2026〕1号"},
    **OVERSIGHT,
    **DUTIES,
    "sharing.open_supervision": {"id": 1, "number": "督办〔2026〕1号", "level": "blue", "level_name": "蓝色"},
    "sharing.raise_supervision": {"id": 1, "number": "督办〔2026〕1号", "level": "orange", "level_name": "橙色"},
    "sharing.close_supervision": {"id": 1, "number": "督办〔2026〕1号", "level": "red", "level_name": "红色"},
}

TYPED: Mapping[str, Any] = {
    "text": "甲", "textarea": "甲\n乙", "date": "2026-12-31", "phone": "0419-2112345", "integer": 10, "number": 1.5,
    "boolean": True, "file": [1],
}


@dataclass
class Host:
    """What the kernel would be to the machine; letters are really filled in."""

    process: str
    variables: dict[str, Any]
    fails_with: Mapping[str, str] = field(default_factory=dict)
    """Operation → the error code that it fails with."""
    done: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gives: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Operation → what it gives the first time, the second …; the last one stays."""
    words: Mapping[str, Callable[..., Any]] = field(default_factory=lambda: WORDS)

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> Any:
        assert step.operation is not None
        if step.operation in self.fails_with:
            raise OperationError(self.fails_with[step.operation], "不能办理")
        self.done.append((step.operation, dict(parameters)))
        if step.operation == "documents.issue":
            self._fill(step, parameters)
        if step.operation in self.gives:
            results = self.gives[step.operation]
            return results[min(self.operations().count(step.operation), len(results)) - 1]
        return RESULTS.get(step.operation, 1)

    def operations(self) -> list[str]:
        return [name for name, _ in self.done]

    def _fill(self, step: Step, parameters: Mapping[str, Any]) -> None:
        unit = {"code": parameters["unit"], "name": WORDS["unit_name"](parameters["unit"]), "short": "住建"}
        names = {
            **self.variables, **parameters, "unit": unit, "article": step.article or "", "year": 2026, "serial": 1,
            "issued_at": datetime(2026, 3, 2, 1, tzinfo=UTC), "case_number": "共享申请〔2026〕1号", "case_title": "申请",
        }
        title, number, text = written(package(self.process).documents[parameters["kind"]], names, step.name)
        assert title and number and step.article and step.article in text


@dataclass(frozen=True)
class Start:
    """How a case begins: data that the kernel or the caller gives, and what to answer in the start form."""

    given: Mapping[str, Any]
    answers: Mapping[str, Any] = field(default_factory=dict)
    fails_with: Mapping[str, str] = field(default_factory=dict)
    gives: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Other results of operations than the usual ones, in order."""


@dataclass(frozen=True)
class Act:
    """Something that can happen to a waiting step."""

    step: str
    kind: str
    answers: tuple[tuple[str, Any], ...] = ()
    """For a task the values of its form; for a call the child's variables and outcome."""

    def __str__(self) -> str:
        return f"{self.step}{dict(self.answers) or ''}"


class Walk:
    """One case of a shipped process, saved and loaded again before every act."""

    def __init__(self, process: str, start: Start) -> None:
        self.process = process
        self.diagram: Diagram = diagram(process)
        self.host = Host(process, deepcopy(dict(start.given)), start.fails_with, gives=start.gives)
        form = self.diagram.properties.get("startForm")
        if form and start.answers is not NO_FORM:
            self.host.variables |= next(self.fillings(form, start.answers))
        self.machine = Machine.start(self.diagram, host=self.host)
        self.machine.run()

    def copy(self) -> Walk:
        twin = object.__new__(Walk)
        twin.process, twin.diagram = self.process, self.diagram
        twin.host = Host(self.process, deepcopy(self.host.variables), self.host.fails_with, list(self.host.done), self.host.gives)
        twin.machine = Machine.load(self.diagram, self.machine.save(), host=twin.host)
        return twin

    @property
    def waits(self) -> list[str]:
        return sorted(waiting.step for waiting in self.machine.waiting())

    @property
    def outcome(self) -> str | None:
        """The outcome key of an ended case."""
        end = self.diagram.steps[self.machine.outcome or ""] if self.machine.ended else None
        return end.properties.get("outcome", end.id) if end else None

    def operations(self) -> list[str]:
        return self.host.operations()

    # -- acts -----------------------------------------------------------------------------------

    def fillings(self, form: str, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Valid answers to a form: one for each combination of the choices that the diagram decides by.

        Raises AssertionError where what can be chosen in the form is then refused by it.
        """
        definition = package(self.process).forms[form]
        asked = {f["key"]: f for f in definition["fields"] if f["type"] != "note"}
        deciding = [key for key in asked if key in decides(self.process) and asked[key]["type"] in ("choice", "select")]
        alternatives = [
            [wanted[key]] if key in wanted else [option["value"] for option in options_of(asked[key], self.host.variables)]
            for key in deciding
        ]
        seen = []
        for combination in product(*alternatives):
            raw: dict[str, Any] = dict(zip(deciding, combination, strict=True))
            for key, definition_of in asked.items():
                known = {k: v for k, v in raw.items() if v is not None}
                if not shown(definition_of, known, self.host.variables):
                    raw[key] = None
                elif key not in deciding:
                    raw[key] = wanted.get(key, self._typed(definition_of))
            checked = validate(definition, {k: v for k, v in raw.items() if v is not None}, self.host.variables)
            assert checked.errors == {}, (form, checked.errors)
            if checked.values not in seen:
                seen.append(checked.values)
                yield checked.values

    def _typed(self, definition: Mapping[str, Any]) -> Any:
        if definition["type"] in ("integer", "number") and "max" in definition:
            return min(TYPED[definition["type"]], definition["max"])
        if definition["type"] in TYPED:
            return TYPED[definition["type"]]
        options = options_of(definition, self.host.variables)
        return [options[0]["value"]] if definition["type"] in ("choices", "fields") else options[0]["value"]

    def acts(self, calls: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterable[Act]:
        """Everything that can happen now. `calls` gives what a child of each process key may return."""
        for step_id in dict.fromkeys(waiting.step for waiting in self.machine.waiting()):
            step = self.diagram.steps[step_id]
            kind = next(waiting.kind for waiting in self.machine.waiting() if waiting.step == step_id)
            if kind == "task":
                for values in self.fillings(str(step.form), {}):
                    yield Act(step_id, kind, tuple(sorted(values.items(), key=lambda item: item[0])))
            elif kind == "call":
                for returned in calls[str(step.called)]:
                    yield Act(step_id, kind, tuple(returned.items()))
            else:
                yield Act(step_id, kind)

    def do(self, act: Act) -> Walk:
        """Lets it happen."""
        self.machine = Machine.load(self.diagram, self.machine.save(), host=self.host)
        waiting = next(w for w in self.machine.waiting() if w.step == act.step)
        match act.kind:
            case "task":
                multi = self.diagram.steps[act.step].multi
                if not multi:
                    self.host.variables.update(dict(act.answers))
                self.machine.complete(waiting.token, local=dict(act.answers) if multi else None)
            case "call":
                for name, text in self.diagram.steps[act.step].properties.items():
                    if name.startswith("out."):
                        self.host.variables[name.removeprefix("out.")] = evaluate(text, dict(act.answers), WORDS)
                self.machine.complete(waiting.token)
            case "timer":
                self.machine.fire(waiting.token)
            case "message":
                assert self.machine.deliver(str(waiting.message))
        return self

    def complete(self, step: str, **answers: Any) -> Walk:
        """Completes a task with these answers and whatever else its form asks for."""
        values = next(iter(self.fillings(str(self.diagram.steps[step].form), answers)))
        return self.do(Act(step, "task", tuple(values.items())))

    def fire(self, step: str) -> Walk:
        return self.do(Act(step, "timer"))

    def returned(self, step: str, **values: Any) -> Walk:
        return self.do(Act(step, "call", tuple(values.items())))

    def passed(self) -> list[Passed]:
        return self.machine.passed()


#: For a start without its form: the case is opened by another one.
NO_FORM: Mapping[str, Any] = {"": ""}


@cache
def decides(process: str) -> frozenset[str]:
    """The data by which a process decides, or one of its forms: each answer to it is tried."""
    forms = package(process).forms.values()
    return routes(process) | {name for form in forms for name in _conditions(form)}


@cache
def routes(process: str) -> frozenset[str]:
    """The data that matters beyond the step that gives it: what gateways read, and forms from earlier forms."""
    found = {name for flow in diagram(process).flows.values() if flow.condition for name in names_in(flow.condition)}
    for form in package(process).forms.values():
        found |= _conditions(form) - {item.get("key") for item in form["fields"]}
    return frozenset(found)


def _conditions(form: Mapping[str, Any]) -> set[str]:
    return {name for item in form["fields"] if "when" in item for name in names_in(item["when"])}


@dataclass
class Explored:
    """What a full exploration met."""

    states: int = 0
    steps: set[str] = field(default_factory=set)
    flows: set[str] = field(default_factory=set)
    outcomes: set[str] = field(default_factory=set)
    ends: dict[str, list[list[str]]] = field(default_factory=dict)
    """Outcome → operations done on the way, for each ended state met."""
    dead: list[str] = field(default_factory=list)
    """States from which no end can be reached."""


def explore(process: str, starts: Iterable[Start], calls: Mapping[str, Iterable[Mapping[str, Any]]]) -> Explored:
    """Every state of a process, from every start."""
    found = Explored()
    after: dict[Any, set[Any]] = {}
    ended: set[Any] = set()
    queue: list[tuple[Any, Walk]] = []

    def meet(walk: Walk) -> Any:
        _take_down(found, walk)
        state = _state(walk)
        if state not in after:
            after[state] = set()
            if walk.machine.ended:
                ended.add(state)
                found.ends.setdefault(str(walk.outcome), []).append(walk.operations())
            else:
                queue.append((state, walk))
        return state

    for start in starts:
        meet(Walk(process, start))
    while queue:
        state, walk = queue.pop()
        for act in walk.acts(calls):
            after[state].add(meet(walk.copy().do(act)))
    found.states, found.outcomes = len(after), set(found.ends)
    found.dead = [str(state) for state in after.keys() - _leading_to(ended, after)]
    return found


def _state(walk: Walk) -> Any:
    known = walk.host.variables
    deciding = tuple((name, str(known.get(name))) for name in sorted(routes(walk.process)))
    return (tuple(walk.waits), walk.outcome, deciding, tuple(sorted(walk.host.fails_with)), tuple(sorted(walk.host.gives)))


def _take_down(found: Explored, walk: Walk) -> None:
    """Notes the steps and the flows that the last act passed: a flow, when its target follows its source in the trace."""
    trace = walk.passed()
    found.steps |= {passed.step for passed in trace}
    for flow in walk.diagram.flows.values():
        places = [number for number, passed in enumerate(trace) if passed.step == flow.source and passed.how != "cancelled"]
        if places and any(passed.step == flow.target for passed in trace[places[0] + 1 :]):
            found.flows.add(flow.id)


def _leading_to(ends: set[Any], after: Mapping[Any, set[Any]]) -> set[Any]:
    before: dict[Any, set[Any]] = {}
    for state, following in after.items():
        for other in following:
            before.setdefault(other, set()).add(state)
    reached, queue = set(ends), list(ends)
    while queue:
        for state in before.get(queue.pop(), set()) - reached:
            reached.add(state)
            queue.append(state)
    return reached
