"""The small forms of the office's verbs 退回、转办、委派、加签、催办、抄送、撤回: the same part as a dialog and as a page of its own.

A script opens it as a dialog over the page that one reads; without scripts the button is a link to the page. What was typed
comes back with the sentence of a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from engine.store.errors import Invalid, Refused
from web.context import is_swap
from web.errors import status_of

#: Letters of a reason or note that a form takes.
TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class Option:
    """Somebody, or a step, to choose."""

    value: str
    label: str
    hint: str = ""
    group: str = ""
    off: str = ""
    """Why it had better not be chosen; it still can be."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a verb lets one choose."""

    name: str
    label: str
    options: Sequence[Option]
    many: bool = False
    nothing: str = "没有可选的人员。"
    """Said where there is nothing to choose."""


@dataclass(frozen=True, slots=True)
class VerbForm:
    """The form of one verb."""

    title: str
    about: str
    """On what: the step and the case."""
    effect: str
    """What it does to the task, the case and the clock, in a sentence."""
    action: str
    back: str
    """The page to go back to."""
    submit: str
    asks: Sequence[Asked] = ()
    text: str | None = None
    """The label of the text; None asks for none."""
    day: str | None = None
    """The label of a day that it asks for (field `day`); None asks for none."""
    text_name: str = "note"
    text_required: bool = False
    grave: bool = False
    """It takes something back or ends something."""
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    """Why it was refused as a whole."""


def shown(form: VerbForm, status: int = 200) -> ResponseReturnValue:
    """The form: alone where a script opens it as a dialog, else as a page."""
    return render_template("tasks/_verb.html" if is_swap() else "tasks/verb.html", verb=form, text_max=TEXT_MAX), status


def refused(form: VerbForm, refusal: Refused, posted: MultiDict[str, str]) -> ResponseReturnValue:
    """The form again with the sentence of the refusal, and all that was typed."""
    known = {ask.name for ask in form.asks} | {form.text_name, "day"}
    wrong = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    message = "；".join(text for name, text in wrong.items() if name not in known) if wrong else refusal.message
    again = replace(form, typed={name: posted.getlist(name) for name in posted}, wrong=wrong, message=message)
    return shown(again, status_of(refusal))


def offered(form: VerbForm | None, gone: str, back: str) -> ResponseReturnValue:
    """The form of a verb; where the reader cannot use it now (None) the sentence `gone`, on the page to go back to."""
    if form is None:
        flash(gone, "warning")
        return gone_on(back) if is_swap() else redirect(back, 302)
    return shown(form)


def done(act: Callable[[], tuple[str, str]], form: Callable[[], VerbForm | None]) -> ResponseReturnValue:
    """Does a verb, which gives what to say and the page to go on to; a refusal comes back in its form, with what was typed."""
    try:
        said, place = act()
    except Refused as refusal:
        again = form()
        if again is None:
            raise  # there is no form to come back to
        return refused(again, refusal, request.form)
    flash(said, "success")
    return gone_on(place)


def gone_on(place: str) -> ResponseReturnValue:
    """Done: on to `place`, also out of a dialog."""
    if not is_swap():
        return redirect(place, 303)
    response = make_response("", 204)
    response.headers["HX-Redirect"] = place
    return response


def chosen_people(name: str = "people") -> list[int]:
    """The ids of the people who were ticked; what is no number is left out."""
    return [int(text) for text in request.form.getlist(name) if text.isascii() and text.isdigit() and len(text) < 19]


def chosen_person() -> int:
    """The id of the one who was chosen. Raises Invalid (field `to`)."""
    found = chosen_people("to")
    if not found:
        raise Invalid({"to": "请选择人员"})
    return found[0]
