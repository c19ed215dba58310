"""Writes the table of endpoints in docs/api.md anew from the routes: `python -m tests.web.api.endpoints`; a test keeps it current."""

from __future__ import annotations

from tests.machine import ROOT
from web.api.blueprint import RESOURCES
from web.api.routing import PREFIX, ROUTES, Route
from web.api.uncovered import OPERATIONS, UNCOVERED

FILE = ROOT / "docs" / "api.md"
BEGIN, END = "<!-- endpoints: written by python -m tests.web.api.endpoints -->", "<!-- end of endpoints -->"
WORDS = {"same": "same", "better": "better", "partly": "partly", "own": "ours", "501": "not covered (501)"}


def table() -> str:
    """Every route by what it is about, and what is answered with 501."""
    assert RESOURCES, "imported for what they declare"
    groups: dict[str, list[Route]] = {}
    for declared in ROUTES:
        groups.setdefault(declared.tag, []).append(declared)
    lines = []
    for tag, routes in groups.items():
        lines += [f"### {tag}", "", "| endpoint | stands | scope | |", "|---|---|---|---|"]
        for declared in routes:
            path = declared.path.replace("<", "{").replace(">", "}")
            about = declared.summary + (f"; {declared.note}" if declared.note else "")
            lines.append(f"| `{declared.method} {path}` | {WORDS[declared.stands]} | {declared.scope or '–'} | {about.replace('|', '/')} |")
        lines.append("")
    lines += ["### Operations that are not covered", "", f"| operation behind `{PREFIX}/` | why |", "|---|---|"]
    lines += [f"| `{method} {pattern.replace('[^/]+', '{id}').replace('|', ' or ')}` | {why} |" for (method, pattern), why in OPERATIONS.items()]
    lines += ["", "### Whole parts that are not covered", "", f"| path behind `{PREFIX}/` | why |", "|---|---|"]
    lines += [f"| `{pattern.replace('|', ' or ')}` | {why} |" for pattern, why in UNCOVERED.items()]
    return "\n".join([*lines, ""])


def written(text: str) -> str:
    """The document with the table of now."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
