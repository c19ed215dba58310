"""Another modeler: bpmn.io's reader and writer, run by Node, as any tool built on them saves a file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.machine import ROOT

#: Other prefixes, a moved shape, attributes and elements of the modeler's own: what saving elsewhere does to a file.
_PROGRAM = """
import { BpmnModdle } from "bpmn-moddle";
import { readFileSync } from "fs";
const [elsewhere] = process.argv.slice(1);
const moddle = new BpmnModdle();
const { rootElement } = await moddle.fromXML(readFileSync(0, "utf8"));
if (elsewhere === "yes") {
  rootElement.$attrs["xmlns:modeler"] = "http://modeler.example.org";
  rootElement.exporter = "Another Modeler";
  for (const root of rootElement.rootElements) {
    if (root.$type !== "bpmn:Process") continue;
    for (const node of root.flowElements) node.$attrs["modeler:mark"] = "seen";
  }
  for (const shape of rootElement.diagrams[0].plane.planeElement) {
    if (shape.bounds) shape.bounds.x += 7;
    for (const point of shape.waypoint || []) point.x += 7;
  }
}
const { xml } = await moddle.toXML(rootElement, { format: elsewhere !== "yes" });
process.stdout.write(elsewhere === "yes" ? xml.replaceAll("<bpmn:", "<model:").replaceAll("</bpmn:", "</model:").replace("xmlns:bpmn=", "xmlns:model=").replaceAll('"bpmn:t', '"model:t') : xml);
"""


def reserialised(xml: bytes, *, elsewhere: bool = False) -> bytes:
    """The file as another modeler saves it; `elsewhere` with other prefixes, moved shapes and attributes of its own."""
    result = subprocess.run(
        [_node(), "--input-type=module", "-e", _PROGRAM, "yes" if elsewhere else "no"],
        input=xml, capture_output=True, cwd=ROOT, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


def _node() -> str:
    """The Node that builds the browser bundle: the one beside Python, or the machine's."""
    beside = Path(shutil.which("python") or "").with_name("node")
    found = str(ROOT / ".venv/bin/node") if (ROOT / ".venv/bin/node").exists() else shutil.which("node") or str(beside)
    return found
