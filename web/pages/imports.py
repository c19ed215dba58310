"""导入: a diagram from another tool becomes a draft, after everything that changes has been seen."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people.permissions import require
from engine.process.definitions import known_rule_sets
from engine.process.interpreter.document import MAX_BYTES
from engine.process.interpreter.model import DiagramError
from engine.process.rule_sets import shipped_rule_sets
from engine.process.workshop import drafts
from engine.process.workshop.importing.foreign import Imported
from engine.process.workshop.importing.drafts import import_draft, look_at, sentence_of, suggested_key
from engine.store.errors import Invalid, NotFound
from web.context import me, origin, settings, store

page = Blueprint("imports", __name__)


@page.get("/imports")
def choose() -> str:
    """Asks for the file."""
    require(me(), "edit_diagrams")
    return render_template("imports/choose.html", wrong=None, megabytes=MAX_BYTES // 1024 // 1024)


@page.post("/imports")
def review() -> ResponseReturnValue:
    """Shows what the file becomes. Nothing is kept yet: the file travels with the page."""
    require(me(), "edit_diagrams")
    try:
        data, file_name = _file()
        found = look_at(store(), data, actor=me(), process=request.form.get("process") or None)
    except Invalid as refusal:
        return render_template("imports/choose.html", wrong=refusal.message, megabytes=MAX_BYTES // 1024 // 1024), 422
    except DiagramError as error:
        return render_template("imports/choose.html", wrong=sentence_of(error), megabytes=MAX_BYTES // 1024 // 1024), 422
    return _review(found, data, file_name, {}, {"key": suggested_key(found, file_name), "name": found.name})


@page.post("/imports/drafts")
def keep() -> ResponseReturnValue:
    """Keeps the draft."""
    require(me(), "edit_diagrams")
    data, file_name = _file()
    typed = {name: request.form.get(name, "").strip() for name in ("key", "name", "rule_set")}
    process = request.form.get("process") or None
    try:
        draft_id = import_draft(store(), data, actor=me(), process=process, origin=origin(), **typed)
    except Invalid as refusal:
        found = look_at(store(), data, actor=me(), process=process)
        return _review(found, data, file_name, refusal.fields or {"other": refusal.message}, typed), 422
    except DiagramError as error:
        raise Invalid(message=sentence_of(error)) from None
    flash("已建立草稿。", "success")
    return redirect(f"/imports/{draft_id}", 303)


@page.get("/imports/<int:draft_id>")
def report(draft_id: int) -> str:
    """What the import of a draft rewrote and left to fill in, as it was then."""
    with store().read() as session:
        sheet = drafts.draft_sheet(session, me(), draft_id)
    if sheet.imported is None:
        raise NotFound("这份草稿不是由文件导入的")
    return render_template("imports/report.html", draft=sheet, lists=sheet.imported)


def _review(
    found: Imported, data: bytes, file_name: str, wrong: Mapping[str, str], typed: Mapping[str, str]
) -> str:
    with store().read() as session:
        used = known_rule_sets(session)
    names = {**{key: key for key in used}, **{files.key: files.name for files in shipped_rule_sets(settings().diagrams)}}
    return render_template(
        "imports/review.html", found=found, lists=found, xml=found.xml.decode("utf-8"), packed=_packed(data), file_name=file_name,
        wrong=wrong, typed=typed, rule_sets=sorted(names.items()), chosen=settings().rule_set,
        process=next(choice.id for choice in found.processes if choice.chosen),
        gaps=" ".join(sorted({gap.element for gap in found.to_fill_in if gap.required and gap.element})),
        changed=" ".join(sorted({one.element for one in found.rewritten if one.element})),
    )  # fmt: skip


def _file() -> tuple[bytes, str]:
    """The uploaded file, or the one that travels with the page. Raises Invalid; never reads more than a diagram may have."""
    sent = request.files.get("file")
    if sent is not None and sent.filename:
        data = sent.stream.read(MAX_BYTES + 1)
        sent.close()
        if len(data) > MAX_BYTES:
            raise Invalid(message=f"流程图文件不得超过{MAX_BYTES // 1024 // 1024}MB")
        return data, sent.filename[:200]
    kept = request.form.get("kept", "")
    if not kept:
        raise Invalid(message="请选择要导入的文件")
    return _unpacked(kept), request.form.get("file_name", "")[:200]


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def _unpacked(text: str) -> bytes:
    """What `_packed` made; anything else, or more than a diagram may have, is refused."""
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), MAX_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error):
        raise Invalid(message="页面已过期，请重新选择文件") from None
    if len(data) > MAX_BYTES:
        raise Invalid(message="页面已过期，请重新选择文件")
    return data
