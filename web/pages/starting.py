"""发起: the start form of a process, about a resource of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people import permissions
from engine.process.definitions import Deployed, Suspended, in_force, require_active
from engine.process.editions import closed_until
from engine.process.forms import fields_of
from engine.process.instances import find_subject, start_body, start_form, start_instance, start_posts
from engine.store.errors import Invalid, NotAllowed
from web import forms
from web.context import me, origin, store
from web.errors import status_of
from web.uploads import Kept, keep_files

page = Blueprint("starting", __name__)

#: What a link may name as the subject of a new case: a resource, a grant, the case that gave the reason.
SUBJECT_NAMES = ("resource_code", "grant", "source")


@page.get("/start/<key>")
def form(key: str) -> str:
    """The start form."""
    return _page(key)


@page.post("/start/<key>")
def start(key: str) -> ResponseReturnValue:
    """Starts the case; a refused form comes back with all that was typed."""
    with store().read() as session:
        asked = start_form(in_force(session, key, store().clock.now()))
    raw = forms.read_posted(asked, request.form)
    file_fields = [field["key"] for field in fields_of(asked or {}) if field["type"] == "file"]
    kept = keep_files(file_fields)
    raw.update({key: kept.ids(key) for key in file_fields})
    try:
        if kept.errors:
            raise Invalid(kept.errors)
        instance_id = start_instance(
            store(), key, actor=me(), answers=raw, variables=_subject(), attachments=kept.all_ids, origin=origin()
        )
    except Invalid as refusal:
        return _page(key, typed=raw, errors=refusal.fields, kept=kept), 422
    except Suspended as refusal:  # while the form was being filled in
        return _page(key, typed=raw, kept=kept, refused=refusal.message), status_of(refusal)
    flash("已发起，事项已转入下一环节。", "success")
    return redirect(f"/cases/{instance_id}", 303)


def _subject() -> dict[str, str]:
    """What the case is to be about, as the link said."""
    return {name: request.values[name] for name in SUBJECT_NAMES if request.values.get(name)}


def _page(
    key: str,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    kept: Kept | None = None,
    refused: str | None = None,
) -> str:
    now = store().clock.now()
    with store().read() as session:
        definition = in_force(session, key, now)
        _require_start(definition)
        if typed is None:
            require_active(session, definition.id)
        subject = find_subject(session, definition, {**_subject(), "applicant_unit": me().unit_code})
        back_at_work = closed_until(session, now)
    names = {**(subject.variables if subject else {}), "applicant_unit": me().unit_code}
    return render_template(
        "starting/page.html",
        definition=definition,
        subject=subject,
        form=forms.show(start_form(definition), names, typed=typed, errors=errors),
        about=_subject(),
        kept=kept or Kept(),
        refused=refused,
        # Who submits on a day off should know that nobody reads it before then.
        back_at_work=back_at_work,
    )


def _require_start(definition: Deployed) -> None:
    if not permissions.may_start(me(), start_posts(definition), me().unit_id, start_body(definition)):
        raise NotAllowed("您的岗位不能发起该流程")
