"""请假代理: one's own leave with substitutes, and for heads and supervisors that of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people import absence_lists
from engine.process.desk.standing_in import come_back, settle, take_leave
from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid
from web.context import me, origin, store

page = Blueprint("absences", __name__)

#: A leave may begin or end with either half of the day.
HALVES = (("am", "上午"), ("pm", "下午"))
NOON = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A post of the person who goes on leave, as the form asks for its substitute."""

    key: str
    """The name of the field; also that of what is wrong with it."""
    label: str
    candidates: list[tuple[int, str]]
    chosen: str


@page.get("/absences")
def absences() -> str:
    """One's own leaves and those that one may arrange, with the form for another one: for oneself, or for whom `person` names."""
    return _page({"person": request.args.get("person", ""), "take_open": "1", "starts_half": "am", "ends_half": "pm"})


@page.post("/absences")
def take() -> ResponseReturnValue:
    """Enters a leave; a refused form comes back with all that was typed."""
    typed = {name: value.strip() for name, value in request.form.items() if name != "csrf_token"}
    person = _person(typed)
    try:
        starts_at, ends_at = _moments(typed)
        take_leave(
            store(), person, actor=me(), starts_at=starts_at, ends_at=ends_at, reason=typed.get("reason", ""),
            take_open=typed.get("take_open") == "1", substitutes=_substitutes(typed), origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        return _page(typed, refusal.fields), 422
    settle(store())
    flash("已登记请假代理。", "success")
    return redirect("/absences", 303)


@page.post("/absences/<int:absence_id>/end")
def end(absence_id: int) -> ResponseReturnValue:
    """Ends a leave now, or takes one back that has not begun."""
    come_back(store(), absence_id, actor=me(), origin=origin())
    settle(store())
    flash("已销假，代理期间未办结的待办已交回。", "success")
    return redirect("/absences", 303)


def _page(typed: Mapping[str, str], errors: Mapping[str, str] | None = None) -> str:
    actor = me()
    with store().read() as session:
        shown = {
            "mine": absence_lists.absences(session, actor), "standing_in": absence_lists.standing_in_for(session, actor),
            "people": absence_lists.arrangeable(session, actor),
            "others": absence_lists.absences(session, actor, of_others=True) if absence_lists.may_arrange_others(actor) else None,
        }  # fmt: skip
        posts = absence_lists.posts_to_cover(session, actor, _person(typed))
    keys = [f"substitute:{post.unit_id}:{post.post}" for post in posts]
    choices = [
        Choice(key, f"{post.unit_name}·{post.post_label}", post.candidates, typed.get(key, ""))
        for key, post in zip(keys, posts, strict=True)
    ]
    today = store().clock.now().astimezone(SHANGHAI).date()
    return render_template("absences/list.html", **shown, choices=choices, typed=typed, errors=errors or {}, halves=HALVES, today=today)


def _person(typed: Mapping[str, str]) -> int:
    """Whose leave it is: one's own, unless somebody else is named."""
    named = typed.get("person", "")
    return int(named) if named.isdecimal() and len(named) < 10 else me().account_id


def _moments(typed: Mapping[str, str]) -> tuple[datetime, datetime | None]:
    """From when to when, from days and halves of days; no last day means until it is ended. Raises Invalid."""
    errors, starts, ends = {}, _day(typed.get("starts", "")), _day(typed.get("ends", ""))
    if starts is None:
        errors["starts_at"] = "请填写开始日期，例如2026-03-02"
    if ends is None and typed.get("ends"):
        errors["ends_at"] = "结束日期应为日期，例如2026-03-06；病假等未定的可以不填"
    if errors or starts is None:
        raise Invalid(errors)
    if typed.get("starts_half") == "pm":
        starts += timedelta(hours=NOON)
    if ends is not None:
        ends += timedelta(hours=NOON if typed.get("ends_half") == "am" else 2 * NOON)
    return starts, ends


def _day(text: str) -> datetime | None:
    """The beginning of a day in Shanghai; None for what is no day."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None


def _substitutes(typed: Mapping[str, str]) -> dict[tuple[int, str], int]:
    """Post → substitute, as chosen; posts left to nobody are left out."""
    found = {}
    for name, value in typed.items():
        kind, _, place = name.partition(":")
        unit, _, post = place.partition(":")
        if kind == "substitute" and unit.isdecimal() and value.isdecimal() and len(unit) < 10 and len(value) < 10:
            found[int(unit), post] = int(value)
    return found
