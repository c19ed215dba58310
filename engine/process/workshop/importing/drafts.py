"""From an imported file to a draft: what the installation adds to it, and the command that keeps it.

A file whose process is known here goes back to the newest version of that process, with the forms and letters of it: an
exported diagram that was edited elsewhere comes home whole.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree
from sqlalchemy import select

from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.definitions import THERE, known_processes
from engine.process.interpreter.document import BPMN, properties_of
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.package import Package
from engine.process.tables import Definition
from engine.process.workshop.blank import KEY, KEY_WORDS, NAME_MAX, under_key
from engine.process.workshop.checking import checked, held_posts
from engine.process.workshop.drafts import add_draft, base_package
from engine.process.workshop.importing.foreign import Imported, as_json, merged, read_foreign
from engine.process.workshop.importing.reading import read_tree
from engine.process.workshop.importing.sheet import Sheet
from engine.store.errors import Invalid
from engine.store.store import Origin, Store, command


def look_at(store: Store, data: bytes, *, actor: Actor, process: str | None = None) -> Imported:
    """What a file would become, judged as this installation stands; nothing is kept.

    The judgement is made in a process apart, and may take seconds. Raises NotAllowed, DiagramError.
    """
    require(actor, "edit_diagrams")
    with store.read() as session:
        known, held = known_processes(session), held_posts(session)

    def judge(package: Package, base: Package | None) -> list[Problem]:
        return checked(package, known, base=base, held=held)

    def newest(key: str) -> Package | None:
        with store.read() as session:
            return base_package(session, key)

    return read_foreign(data, process=process, check=judge, package_of=newest)


@command
def import_draft(
    store: Store, data: bytes, *, actor: Actor, key: str, name: str = "", rule_set: str = "", process: str | None = None,
    origin: Origin = Origin(),
) -> int:
    """Keeps what a file becomes as a new draft under `key`; returns its id.

    Where a process with that key has a version, the draft follows the newest one and keeps its rule set. Raises
    NotAllowed, Invalid by field, DiagramError for a file that cannot become a draft.
    """
    found = look_at(store, data, actor=actor, process=process)
    if not KEY.fullmatch(key):
        raise Invalid({"key": KEY_WORDS})
    title = " ".join(name.split()) or found.name
    if len(title) > NAME_MAX:
        raise Invalid({"name": f"流程名称不超过{NAME_MAX}字"})
    with store.read() as session:
        base = base_package(session, key)
    if base is None and not 0 < len(rule_set) <= 64:
        raise Invalid({"rule_set": "请选择规则集"})
    try:
        renamed = under_key(found.xml, key, title)
    except ValueError:
        raise Invalid({"name": "流程名称含有无法保存的字符"}) from None
    package = merged(base, _under_rules(renamed, key, base.rule_set if base else rule_set), found.forms, rule_set)
    # The list is written anew: under another key the file may follow another version.
    again = look_at(store, package.xml, actor=actor)
    kept = as_json(replace(again, rewritten=found.rewritten, processes=found.processes, forms=found.forms))
    with store.work(actor, origin) as work:
        base_id = work.session.scalar(
            select(Definition.id).where(Definition.key == key, THERE).order_by(Definition.version.desc()).limit(1)
        )
        return add_draft(work, package, actor=actor, base_id=base_id, imported=kept)


def suggested_key(found: Imported, file_name: str) -> str:
    """A key that people can say: the file's own, else its file name, else nothing."""
    for text in (found.key, file_name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].removesuffix(".bpmn").removesuffix(".xml")):
        key = "".join(sign if sign.isascii() and (sign.isalnum() or sign == "_") else "_" for sign in text.lower()).strip("_")
        made_by_a_tool = key.startswith(("process_", "sid_", "_")) or sum(sign.isdigit() for sign in key) > 5
        if KEY.fullmatch(key) and not made_by_a_tool:
            return key
    return ""


def _under_rules(xml: bytes, key: str, rule_set: str) -> bytes:
    """Writes the rule set into the process, where it says another or none."""
    root, _ = read_tree(xml)
    process = next(node for node in root.findall(f"{{{BPMN}}}process") if node.get("id") == key)
    for item in process.iter("{*}property"):
        if item.get("name") == "ruleSet" and properties_of(process).get("ruleSet") == item.get("value"):
            item.set("value", rule_set)
            break
    else:
        Sheet(root, process).set_property(process, "ruleSet", rule_set)
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text


def sentence_of(error: DiagramError) -> str:
    """Why a file cannot become a draft."""
    return "；".join(problem.message for problem in error.problems) or "文件无法导入"
