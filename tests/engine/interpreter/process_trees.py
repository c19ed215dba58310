"""Random block-structured processes with a reference that says which tasks must be open at any moment.

A process is a tree (sequence, parallel, inclusive, exclusive, loop, subprocess, task). The reference walks
the tree itself and knows nothing of tokens, so it can judge the interpreter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.engine.interpreter.diagrams import Details, diagram, sub

Variables = dict[str, Any]


@dataclass
class Block:
    """A node of the tree and, while running, its state."""

    kind: str
    name: str
    parts: list[Block] = field(default_factory=list)
    open: bool = False
    running: list[Block] = field(default_factory=list)
    position: int = 0

    def begin(self, variables: Variables) -> None:
        """A token enters."""
        self.open = True
        match self.kind:
            case "and":
                self.running = list(self.parts)
            case "xor":
                self.running = [self.parts[variables[self.name] % len(self.parts)]]
            case "or":
                chosen = [part for index, part in enumerate(self.parts) if variables[f"{self.name}_{index}"]]
                self.running = chosen or [self.parts[0]]
            case _:
                self.position = 0
                self.running = self.parts[:1]
        for part in self.running:
            part.begin(variables)

    def tasks(self) -> list[str]:
        """Open tasks inside."""
        if not self.open:
            return []
        return [self.name] if self.kind == "task" else [name for part in self.running for name in part.tasks()]

    def complete(self, task: str, variables: Variables) -> None:
        """A task inside is done; blocks that are through close."""
        if self.kind == "task":
            self.open = False
            return
        for part in self.running:
            if task in part.tasks():
                part.complete(task, variables)
        if any(part.open for part in self.running):
            return
        if self.kind == "seq" and self.position + 1 < len(self.parts):
            self.position += 1
            self.running = [self.parts[self.position]]
            self.running[0].begin(variables)
        elif self.kind == "loop" and variables[self.name]:
            self.running[0].begin(variables)
        else:
            self.open = False

    def goes_back(self, task: str, target: str) -> bool:
        """Whether one can go back from an open task to another one: not if the two belong to branches that run side by side."""
        if not self.open or task not in self.tasks():
            return self.holds(target)
        part = next(part for part in self.parts if part.holds(target))
        beside = self.kind in ("and", "or") and task not in part.tasks()
        return not beside and (part.kind == "task" or part.goes_back(task, target))

    def go_back(self, task: str, target: str) -> None:
        """The branch in which the open task lies stands at the target again; branches beside it stay as they are."""
        within = self.open and task in self.tasks()
        self.open = True
        if self.kind == "task":
            return
        part = next(part for part in self.parts if part.holds(target))
        if not (within and self.kind in ("and", "or")):
            if not (within and part in self.running and task in part.tasks()):
                part.close()
            self.running, self.position = [part], self.parts.index(part) if self.kind == "seq" else 0
        part.go_back(task, target)

    def close(self) -> None:
        """Nothing inside is open any more."""
        self.open = False
        for part in self.parts:
            part.close()

    def holds(self, task: str) -> bool:
        return self.name == task or any(part.holds(task) for part in self.parts)


def random_block(random: Random, depth: int, counter: list[int]) -> Block:
    """A tree of at most `depth` levels in which every branch holds a task."""
    counter[0] += 1
    name = f"n{counter[0]}"
    kind = random.choice(["task", "seq", "and", "or", "xor", "loop", "sub"]) if depth else "task"
    sizes = {"task": 0, "loop": 1, "sub": 1, "seq": 2}
    count = sizes.get(kind, random.randint(2, 3))
    return Block(kind, name, [random_block(random, depth - 1, counter) for _ in range(count)])


def choices(block: Block, random: Random) -> Variables:
    """New values for every condition of the tree."""
    found: Variables = {}
    if block.kind == "xor":
        found[block.name] = random.randrange(len(block.parts))
    elif block.kind == "loop":
        found[block.name] = random.random() < 0.5
    elif block.kind == "or":
        found |= {f"{block.name}_{index}": random.random() < 0.5 for index in range(len(block.parts))}
    for part in block.parts:
        found |= choices(part, random)
    return found


def to_bpmn(block: Block) -> bytes:
    """The same process as a diagram."""
    parts: list[str | Details] = []
    last = _draw(block, "start", "", parts)
    parts.append(f"{last} > end")
    return diagram(*parts)


def _draw(block: Block, before: str, condition: str, parts: list[str | Details]) -> str:
    """Add the arrows of a block that is entered from `before`; the name of its last node."""
    name = block.name
    arrow = f"{before} {condition} >" if condition else f"{before} >"
    match block.kind:
        case "task":
            parts.append(f"{arrow} user:{name}")
            return name
        case "seq":
            last = _draw(block.parts[0], before, condition, parts)
            return _draw(block.parts[1], last, "", parts)
        case "sub":
            inside: list[str | Details] = []
            last = _draw(block.parts[0], "start", "", inside)
            parts.append(f"{arrow} sub:{name}")
            parts.append(sub(name, *inside, f"{last} > end"))
            return name
        case "loop":
            parts.append(f"{arrow} xor:{name}_in")
            last = _draw(block.parts[0], f"{name}_in", "", parts)
            parts.append(f"{last} > xor:{name}_out")
            parts.append(f"{name}_out [{name}] > {name}_in")
            # The way out is drawn by whoever follows: through a merge, so that it is the default flow.
            parts.append(f"{name}_out [default] > xor:{name}_left")
            return f"{name}_left"
    parts.append(f"{arrow} {block.kind}:{name}_fork")
    for index, part in enumerate(block.parts):
        if block.kind == "and":
            test = ""
        elif block.kind == "xor":
            test = f"[{name} == {index}]"
        else:
            test = f"[{name}_{index}]"
        last = _draw(part, f"{name}_fork", test, parts)
        parts.append(f"{last} > {block.kind}:{name}_join")
    if block.kind == "or":
        # Nothing chosen: the first branch.
        parts[:] = [_or_default(entry, name, len(block.parts)) for entry in parts]
    return f"{name}_join"


def _or_default(entry: str | Details, name: str, count: int) -> str | Details:
    first, none = f"[{name}_0]", " and ".join(f"not {name}_{index}" for index in range(1, count))
    if isinstance(entry, str) and entry.startswith(f"{name}_fork {first}"):
        return entry.replace(first, f"[{name}_0 or {none}]", 1)
    return entry
