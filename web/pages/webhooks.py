"""事件推送: which events are sent to which other systems, what was delivered, and delivering it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.definitions import all_in_force
from engine.process.events import KINDS
from engine.process.outside import webhooks as hooks
from engine.store.errors import Invalid
from web.context import me, origin, settings, store

page = Blueprint("webhooks", __name__)

#: What events are about: the first word of their kind → the heading above them.
PARTS = {"case": "办件", "task": "待办", "signature": "加签", "external": "外部程序", "deadline": "时限", "incident": "异常"}


@page.get("/webhooks")
def listed() -> str:
    """All webhooks, and the form for another."""
    return _list()


@page.post("/webhooks")
def add() -> ResponseReturnValue:
    """Enters one; its secret is shown on the page that answers, and nowhere else."""
    typed = _typed()
    try:
        number, secret = hooks.add_webhook(store(), actor=me(), hosts=settings().webhook_hosts, origin=origin(), **typed)
    except Invalid as refusal:
        return _list(typed=typed, errors=refusal.fields, alert="" if refusal.fields else refusal.message), 422
    return _one(number, secret=secret)


@page.get("/webhooks/<int:webhook_id>")
def one(webhook_id: int) -> str:
    """One webhook with its deliveries."""
    return _one(webhook_id)


@page.post("/webhooks/<int:webhook_id>")
def change(webhook_id: int) -> ResponseReturnValue:
    """Changes it, or stops it."""
    typed = _typed()
    try:
        hooks.change_webhook(store(), webhook_id, actor=me(), active="active" in request.form, hosts=settings().webhook_hosts,
                             origin=origin(), **typed)  # fmt: skip
    except Invalid as refusal:
        return _one(webhook_id, typed=typed, errors=refusal.fields), 422
    flash("已保存。", "success")
    return redirect(f"/webhooks/{webhook_id}", 303)


@page.post("/webhooks/<int:webhook_id>/secret")
def renew(webhook_id: int) -> ResponseReturnValue:
    """A new secret, shown once."""
    return _one(webhook_id, secret=hooks.renew_secret(store(), webhook_id, actor=me(), origin=origin()))


@page.post("/webhooks/<int:webhook_id>/test")
def test(webhook_id: int) -> ResponseReturnValue:
    """Sends a test event."""
    hooks.send_test(store(), webhook_id, actor=me(), origin=origin())
    flash("已发出测试事件，结果稍后可见。", "success")
    return redirect(f"/webhooks/{webhook_id}", 303)


@page.post("/webhooks/<int:webhook_id>/remove")
def remove(webhook_id: int) -> ResponseReturnValue:
    """Removes it."""
    hooks.remove_webhook(store(), webhook_id, actor=me(), origin=origin())
    flash("已删除。", "success")
    return redirect("/webhooks", 303)


@page.post("/webhooks/<int:webhook_id>/deliveries/<int:letter_id>")
def again(webhook_id: int, letter_id: int) -> ResponseReturnValue:
    """Delivers an event once more."""
    try:
        hooks.deliver_again(store(), letter_id, actor=me(), origin=origin())
    except Invalid as refusal:
        flash(refusal.message, "warning")
    else:
        flash("已安排重推，结果稍后可见。", "success")
    return redirect(f"/webhooks/{webhook_id}", 303)


def _typed() -> dict[str, Any]:
    return {
        "name": request.form.get("name", ""), "url": request.form.get("url", "").strip(),
        "kinds": request.form.getlist("kinds"), "processes": request.form.getlist("processes"),
    }  # fmt: skip


def _list(*, typed: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None, alert: str = "") -> str:
    with store().read() as session:
        found = hooks.webhooks(session, me())
        processes = _processes(session)
    return render_template("webhooks/list.html", found=found, kinds=KINDS, parts=PARTS, processes=processes, typed=typed or {}, errors=errors or {}, alert=alert)


def _one(
    webhook_id: int, *, typed: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None, secret: str = ""
) -> str:
    before = request.args.get("before", "")
    with store().read() as session:
        hook = hooks.webhook(session, me(), webhook_id)
        sent = hooks.deliveries(session, me(), webhook_id, before=int(before) if before.isdecimal() and len(before) < 19 else None)
        processes = _processes(session)
    return render_template(
        "webhooks/page.html", hook=hook, sent=sent, kinds=KINDS, parts=PARTS, processes=processes, typed=typed or hook, errors=errors or {},
        secret=secret, more=sent[-1].id if len(sent) == hooks.SHOWN else None,
    )  # fmt: skip


def _processes(session: Any) -> dict[str, str]:
    return {definition.key: definition.name for definition in all_in_force(session, store().clock.now())}
