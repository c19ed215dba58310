"""Which process of the file is to run, and ids that mean one thing each.

Files hold several pools, ids with spaces, braces or colons, references with a prefix, the same id twice. After this
step every reference points to the one element that it meant, and exactly one process is marked as the one to run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from engine.process.interpreter.document import BPMN, MAX_ELEMENTS, MAX_NESTING, local_name
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.interpreter.structure import IDENTIFIER
from engine.process.workshop.importing.sheet import CONTAINERS, NODES, ORIGINAL, Sheet, attributes, extensions, is_bpmn, label, replace

#: Processes that one file may hold.
PROCESSES_MOST = 100
#: Longest process key that the database keeps.
KEY_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """A process of the file."""

    id: str
    """As it is in the file after ids were mended; what `read_foreign(process=…)` takes."""
    name: str
    nodes: int
    """Flow nodes in it, those of subprocesses included."""
    chosen: bool


def choices(root: etree._Element, wanted: str | None = None) -> list[Choice]:
    """The processes of the file. The one to run: `wanted`, else the executable one if there is just one, else the largest.

    Raises DiagramError where there is none, or none with that id.
    """
    processes = root.findall(f"{{{BPMN}}}process")
    if len(processes) > PROCESSES_MOST:
        raise _refuse("too-many-processes", f"文件中的流程超过{PROCESSES_MOST}个，请分开导出")
    if not processes:
        raise _refuse("no-process", "文件中没有流程（只有协作图、编排图或说明），无法建立草稿")
    sizes = {id(process): sum(1 for node in process.iter() if is_bpmn(node, NODES)) for process in processes}
    if wanted is not None:
        chosen = next((process for process in processes if process.get("id") == wanted), None)
        if chosen is None:
            raise _refuse("no-such-process", f"文件中没有编号为“{wanted}”的流程")
    else:
        marked = [process for process in processes if process.get("isExecutable") == "true" and sizes[id(process)]]
        chosen = marked[0] if len(marked) == 1 else max(processes, key=lambda process: sizes[id(process)])
    if sizes[id(chosen)] == 0 and wanted is None:
        raise _refuse("no-process", "文件中的流程都是空的，没有任何步骤，无法建立草稿")
    pools = {pool.get("processRef"): " ".join((pool.get("name") or "").split()) for pool in root.iter(f"{{{BPMN}}}participant")}
    return [
        Choice(
            process.get("id") or "",
            " ".join((process.get("name") or "").split()) or pools.get(process.get("id")) or process.get("id") or "",
            sizes[id(process)], process is chosen,
        )
        for process in processes
    ]  # fmt: skip


def mend_ids(root: etree._Element) -> list[tuple[str | None, str]]:
    """Makes every reference plain and every id a unique identifier. Returns (id, sentence) for what changed."""
    _unprefix(root)
    return [*_missing(root), *_twins(root), *_identifiers(root)]


def mark(sheet: Sheet, found: list[Choice]) -> None:
    """Marks the chosen process as the one to run, and gives it its pool's name where it has none."""
    process = sheet.process
    others = [choice for choice in found if not choice.chosen and choice.nodes]
    if process.get("isExecutable") != "true":
        if process.get("isExecutable") == "false":
            sheet.rewrote(process, "made-executable", "原标为不可执行，现作为要运行的流程")
        process.set("isExecutable", "true")
    for node in sheet.root.findall(f"{{{BPMN}}}process"):
        if node is not process and node.get("isExecutable") != "false":
            if node.get("isExecutable") == "true":
                sheet.keep(node, isExecutable="true")
            node.set("isExecutable", "false")
            sheet.rewrote(node, "not-the-chosen-process", "文件中有多个流程，它只作图示，不运行")
    if others:
        names = "、".join(f"“{choice.name}”" for choice in others)
        sheet.lacks(None, "other-processes", f"文件中另有流程{names}，只作图示；需要时请分别导入", required=False)
    if not (process.get("name") or "").strip():
        name = next(choice.name for choice in found if choice.chosen)
        if name and name != process.get("id"):
            process.set("name", name)
            sheet.rewrote(process, "name-of-pool", "流程没有名称，取自泳池的名称")
    _bounded(sheet)


def _bounded(sheet: Sheet) -> None:
    nodes, flows = len(sheet.nodes()), len(sheet.flows())
    if nodes > MAX_ELEMENTS or flows > 3 * MAX_ELEMENTS:
        raise _refuse("too-many-elements", f"流程图的元素超过{MAX_ELEMENTS}个")
    for container in sheet.containers():
        if sum(1 for around in container.iterancestors() if is_bpmn(around, CONTAINERS)) > MAX_NESTING:
            raise _refuse("nested-too-deep", f"子流程嵌套超过{MAX_NESTING}层")


def _unprefix(root: etree._Element) -> None:
    """`tns:Message_1` refers to `Message_1`: BPMN's references are qualified names, ours are plain."""
    known = {node.get("id") for node in root.iter() if node.get("id")}
    table: dict[str, str] = {}
    for node in root.iter():
        values = [value for name, value in attributes(node).items() if name not in ("id", "name")]
        for value in (*values, (node.text or "").strip()):
            prefix, colon, plain = value.partition(":")
            if colon and value not in known and plain in known and re.fullmatch(r"[\w.-]+", prefix):
                table[value] = plain
    if table:
        replace(root, table)


def _missing(root: etree._Element) -> list[tuple[str | None, str]]:
    """Ids for processes, nodes and flows without one: nothing can point to them, so nothing else changes."""
    said: list[tuple[str | None, str]] = []
    taken = {node.get("id") for node in root.iter()}
    number = 0
    for node in root.iter():
        if is_bpmn(node, NODES | {"sequenceFlow", "process", "lane", "participant"}) and not node.get("id"):
            if any(is_bpmn(around, {"extensionElements"}) for around in node.iterancestors()):
                continue
            number += 1
            while f"{local_name(node)}_{number}" in taken:
                number += 1
            node.set("id", f"{local_name(node)}_{number}")
            if not is_bpmn(node, {"sequenceFlow", "lane"}):
                said.append((node.get("id"), f"{label(node)}没有编号，现编为“{node.get('id')}”"))
    return said


def _twins(root: etree._Element) -> list[tuple[str | None, str]]:
    """An id that stands twice: the second one gets a new id, and so do the references inside its own process."""
    said: list[tuple[str | None, str]] = []
    seen: dict[str, etree._Element] = {}
    names = _Names(root)
    tables: dict[etree._Element, dict[str, str]] = {}
    for node in list(root.iter()):
        identity = node.get("id")
        if not identity or not isinstance(node.tag, str):
            continue
        if identity not in seen:
            seen[identity] = node
            continue
        if etree.QName(node).namespace != BPMN:
            continue  # an id of the drawing or of another tool: nobody refers to it
        new = names.free(identity)
        process = _process_of(node)
        if process is not None and process is not _process_of(seen[identity]):
            tables.setdefault(process, {}).setdefault(identity, new)
        node.set("id", new)
        said.append((new, f"{label(node)}编号“{identity[:80]}”重复，现改为“{new}”"))
    for process, table in tables.items():
        replace(process, table)
    return said


class _Names:
    """Ids that are taken, and the next number for each that wants a twin."""

    def __init__(self, root: etree._Element) -> None:
        self.taken = {node.get("id") or "" for node in root.iter()}
        self.numbers: dict[str, int] = {}

    def free(self, base: str) -> str:
        """An id like `base` that nothing has yet; it is taken from now on."""
        number = self.numbers.get(base, 1)
        name = base
        while name in self.taken:
            number += 1
            name = f"{base}_{number}"
        self.numbers[base] = number
        self.taken.add(name)
        return name


def _process_of(node: etree._Element) -> etree._Element | None:
    return next((around for around in (node, *node.iterancestors()) if is_bpmn(around, {"process"})), None)


def _identifiers(root: etree._Element) -> list[tuple[str | None, str]]:
    """Ids of letters, digits, `_`, `.` and `-` only; a key of bounded length for processes."""
    table: dict[str, str] = {}
    names = _Names(root)
    said: list[tuple[str | None, str]] = []
    for node in list(root.iter()):
        old = node.get("id")
        if old is None or not is_bpmn(node, NODES | {"sequenceFlow", "process"}):
            continue
        longest = KEY_LONGEST if is_bpmn(node, {"process"}) else 200
        if IDENTIFIER.fullmatch(old) and len(old) <= longest:
            continue
        new = re.sub(r"[^A-Za-z0-9_.\-\u4e00-\u9fff]", "_", old)[:longest]
        new = names.free((new if re.match(r"[A-Za-z_]", new) else f"_{new}")[: longest - 5])
        table[old] = new
        etree.SubElement(extensions(node), f"{{{ORIGINAL}}}original", {"was": old})
        if not is_bpmn(node, {"sequenceFlow"}):
            said.append((new, f"{label(node)}编号“{old[:80]}”含有不能用的字符或过长，现改为“{new}”"))
    if table:
        replace(root, table)
    return said


def _refuse(rule: str, message: str) -> DiagramError:
    return DiagramError([Problem(None, None, rule, message)])
