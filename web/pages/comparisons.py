"""比较: what changed between two versions, or between a version and a draft, as two diagrams side by side and as a list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from engine.process.workshop.comparing.sheet import ComparisonSheet, comparison_sheet, side_of
from engine.store.errors import NotFound
from web.context import me, store

page = Blueprint("comparisons", __name__)


@page.get("/comparisons")
def comparison() -> str:
    """`before` (may be absent: a new process) and `after` are references: v<id>, d<id>, p<id>."""
    after = request.args.get("after")
    if not after:
        raise NotFound("请选择要比较的两个版本")
    sheet = comparison_sheet(store(), me(), request.args.get("before") or None, after)
    return render_template("comparisons/page.html", sheet=sheet, marks=_marks(sheet))


@page.get("/comparisons/diagram/<reference>")
def diagram(reference: str) -> Response:
    """The diagram of one side, for the viewer."""
    with store().read() as session:
        found = side_of(session, me(), reference)
    return Response(found.package.xml, mimetype="application/xml")


def _marks(sheet: ComparisonSheet) -> dict[str, Any]:
    """What the script colours, by element: `before` and `after` name the elements of either side by what happened to them."""
    found = sheet.comparison
    if found is None:
        return {"before": {}, "after": {}, "pairs": {}}
    return {
        "before": {"removed": sorted(found.removed), "changed": sorted(found.changed), "moved": sorted(found.moved)},
        "after": {
            "added": sorted(found.added), "changed": sorted(found.changed.values()), "moved": sorted(found.moved.values()),
        },
        # Only where the id is another one: the script finds the rest by itself.
        "pairs": {old: new for old, new in found.pairs.items() if old != new},
    }  # fmt: skip
