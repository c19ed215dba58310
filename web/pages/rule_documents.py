"""制度文件: plans, rules, risk assessments and the clean-up of rules that hinder sharing."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people import permissions
from engine.sharing import rule_documents
from engine.store.errors import Invalid
from web.context import is_swap, me, origin, store

page = Blueprint("rule_documents", __name__)

FIELDS = ("kind", "title", "number", "issued_on", "note")


@page.get("/rule-documents")
def search() -> str:
    """The register with its filter; only the next lines where htmx asks for them."""
    return _page()


@page.post("/rule-documents")
def add() -> ResponseReturnValue:
    """Enters a document; a refused form comes back with all that was typed."""
    typed = {name: request.form.get(name, "") for name in FIELDS}
    try:
        rule_documents.add_rule_document(store(), actor=me(), origin=origin(), **typed)
    except Invalid as refusal:
        return _page(typed=typed, errors=refusal.fields), 422
    flash("已登记。", "success")
    return redirect("/rule-documents", 303)


@page.post("/rule-documents/<int:document_id>/result")
def conclude(document_id: int) -> ResponseReturnValue:
    """Says what became of a clause to be cleaned up."""
    rule_documents.conclude_clean_up(
        store(), document_id, actor=me(), result=request.form.get("result", ""), note=request.form.get("note", ""),
        origin=origin(),
    )  # fmt: skip
    flash("已登记清理结果。", "success")
    return redirect("/rule-documents?kind=clean_up", 303)


def _page(*, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    asked = {"kind": request.args.get("kind", "")}
    may_add = "keep_rule_documents" in permissions.powers(me())
    with store().read() as session:
        found = rule_documents.search(session, kind=asked["kind"] or None, after=request.args.get("after"))
    results = [(key, label) for key, label in rule_documents.RESULTS.items() if key != "pending"]
    shown = {"found": found, "may_add": may_add, "results": results}
    if is_swap():
        return render_template("rule_documents/_rows.html", **shown)
    return render_template(
        "rule_documents/list.html", **shown, asked=asked, kinds=list(rule_documents.KINDS.items()), typed=typed or {},
        errors=errors or {},
    )  # fmt: skip
