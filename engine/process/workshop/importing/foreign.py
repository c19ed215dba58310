"""Diagrams drawn elsewhere 导入: any BPMN 2.0 file becomes a draft, with a list of every rewriting and of all that is to be filled in.

Tolerant and never silent: what the engine cannot run is replaced by the nearest that it can, the original is kept in the
file, and each change is said. What afterwards stands between the draft and its deployment is listed too, so that nobody
learns of it from the check. The walls of this room: reading (bytes), ids, forms, vendor, tasks, events,
handlers (event subprocesses), flow, layout, all working on one sheet with its drawing.

When not to use it: for what ships with the product. Such a file goes through unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lxml import etree

from engine.process.interpreter.document import BPMN, properties_of
from engine.process.interpreter.model import Problem
from engine.process.package import Package
from engine.process.workshop.importing.drawing import Drawing
from engine.process.workshop.importing.events import bring_events
from engine.process.workshop.importing.flow import bring_flow, link_up, tidy_arrows
from engine.process.workshop.importing.forms import bring_forms
from engine.process.workshop.importing.gaps import gaps_of
from engine.process.workshop.importing.handlers import bring_handlers
from engine.process.workshop.importing.ids import Choice, choices, mark, mend_ids
from engine.process.workshop.importing.layout import draw_what_is_missing
from engine.process.workshop.importing.reading import read_tree, remarks
from engine.process.workshop.importing.sheet import Gap, Rewriting, Sheet, extensions, is_bpmn
from engine.process.workshop.importing.tasks import bring_tasks, fill_empty
from engine.process.workshop.importing.vendor import Kept, kept, take_over

#: Judges what a file became, as a change of the version that it comes from.
Check = Callable[[Package, Package | None], list[Problem]]


@dataclass(frozen=True, slots=True)
class Imported:
    """A file from elsewhere, brought into our language."""

    xml: bytes
    """UTF-8; a draft as it is, whatever is still to be filled in."""
    rewritten: list[Rewriting]
    to_fill_in: list[Gap]
    """Required ones first; every problem that the check would find is among them."""
    key: str
    """The id of the process as it is in the file: a suggestion, for it may be a number that a tool gave."""
    name: str
    forms: dict[str, Any] = field(default_factory=dict)
    """Forms made of what the file says: name → definition."""
    processes: list[Choice] = field(default_factory=list)
    """All processes of the file, with the one that was taken."""
    kept: list[Kept] = field(default_factory=list)
    """What of other tools stays in the file and means nothing here."""


def read_foreign(
    data: bytes, *, process: str | None = None, check: Check | None = None, package_of: Callable[[str], Package | None] | None = None
) -> Imported:
    """The tolerant pass over an uploaded file. `process` is the id of the process that is to run, where there are several.

    `check` judges the result (without it, the structure's own check); `package_of` gives the newest version of a process
    by its key, whose forms and letters a file that comes back still uses. Bounded in time: a file of at most
    `document.MAX_BYTES` with at most `document.MAX_ELEMENTS` steps. Raises DiagramError, one Chinese sentence, for
    what cannot become a draft.
    """
    root, encoding = read_tree(data)
    mended = mend_ids(root)
    found = choices(root, process)
    chosen = next(
        node for node, choice in zip(root.findall(f"{{{BPMN}}}process"), found, strict=True) if choice.chosen
    )
    sheet = Sheet(root, chosen)
    if encoding is not None:
        sheet.rewritten.append(Rewriting(None, None, "encoding", f"文件的字符编码与声明不符，按{encoding.upper()}读取"))
    if dropped := remarks(data):
        sheet.rewritten.append(Rewriting(None, None, "remarks-dropped", f"文件里有{dropped}处XML注释或处理指令，图上看不到，没有保留"))
    sheet.rewritten += [Rewriting(identity, None, "id-mended", sentence) for identity, sentence in mended]
    mark(sheet, found)
    _rewrite(sheet)
    name = " ".join((chosen.get("name") or chosen.get("id") or "").split())
    xml: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    key = chosen.get("id") or ""
    known = package_of(key) if package_of is not None else None
    package = merged(known, xml, sheet.forms, properties_of(chosen).get("ruleSet", ""))
    gaps = gaps_of(sheet, package, (lambda: check(package, known)) if check is not None else None)
    return Imported(xml, sheet.rewritten, gaps, key, name, sheet.forms, found, kept(sheet))


def merged(known: Package | None, xml: bytes, forms: Mapping[str, Any], rule_set: str) -> Package:
    """The package that a file makes: with the forms and letters of the version that it comes from, if it comes from one.

    `rule_set` is the one of a file that comes from none.
    """
    if known is None:
        return Package(rule_set, xml, dict(forms))
    return replace(known, xml=xml, forms={**forms, **known.forms})


def _rewrite(sheet: Sheet) -> None:
    drawing = Drawing(sheet)
    _strays(sheet)
    tidy_arrows(sheet, drawing)
    bring_forms(sheet)
    take_over(sheet)
    bring_tasks(sheet, drawing)
    bring_events(sheet, drawing)
    bring_handlers(sheet, drawing)
    fill_empty(sheet)
    bring_flow(sheet, drawing)
    link_up(sheet)
    draw_what_is_missing(sheet, Drawing(sheet))


#: Children of a process or subprocess that are BPMN, mean nothing here and have no place in the engine's index.
_STRAYS = frozenset({
    "auditing", "monitoring", "ioBinding", "resourceRole", "performer", "humanPerformer", "potentialOwner",
    "correlationSubscription", "supports", "dataInputAssociation", "dataOutputAssociation", "choreographyTask",
    "subChoreography", "callChoreography", "event", "implicitThrowEvent",
})  # fmt: skip


def _strays(sheet: Sheet) -> None:
    """What stands between the steps without being one moves into the extension elements, where every tool keeps it."""
    for container in sheet.containers():
        for node in list(container):
            if etree.QName(node).namespace != BPMN:
                node.tail = None
                extensions(container).append(node)
                sheet.rewrote(None, "stray-element", f"元素 {etree.QName(node).localname} 不是BPMN元素，已移入扩展部分保留")
            elif is_bpmn(node, _STRAYS):
                sheet.keep(container, node)


def as_json(imported: Imported) -> dict[str, Any]:
    """The lists of an import as the command line prints them and a draft keeps them."""
    return {
        "key": imported.key, "name": imported.name,
        "rewritten": [asdict(one) for one in imported.rewritten],
        "to_fill_in": [asdict(one) for one in imported.to_fill_in],
        "kept": [asdict(one) for one in imported.kept],
        "forms": sorted(imported.forms),
        "processes": [asdict(one) for one in imported.processes],
    }  # fmt: skip
