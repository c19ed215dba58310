"""访问令牌: the tokens with which programs act in the reader's name. A new one is shown once, and never again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people import tokens as tokens_
from engine.store.errors import Invalid
from web.context import me, origin, store

page = Blueprint("tokens", __name__)

#: How long a token may live, in days, and what the choice says.
LIVES = {"30": "30天", "90": "90天", "180": "180天", "365": "一年"}
#: What each scope lets a program do, beside its name.
SCOPES_SAY = {
    "read": "查看待办、办件、流程和办理记录", "work": "签收、办结、转办、退回等", "start": "按发起表单发起",
    "deploy": "提出发布申请，仍须另一人批准", "operate": "暂停、终止办件，更正数据，传递消息，处理异常", "external": "领取并办理交由外部程序的环节",
}  # fmt: skip


@page.get("/tokens")
def tokens() -> str:
    """One's own tokens, and the form for a new one."""
    return _page()


@page.post("/tokens")
def create() -> ResponseReturnValue:
    """Makes a token and shows it, this once."""
    typed = {"name": request.form.get("name", ""), "life": request.form.get("life", "")}
    scopes = request.form.getlist("scopes")
    try:
        if typed["life"] not in LIVES:
            raise Invalid({"life": "请选择有效期"})
        token = tokens_.create_token(
            store(), account_id=me().account_id, name=typed["name"], scopes=scopes, actor=me(), origin=origin(),
            expires_at=store().clock.now() + timedelta(days=int(typed["life"])),
        )  # fmt: skip
    except Invalid as refusal:
        if not refusal.fields:
            raise
        return _page(typed=typed, chosen=scopes, errors=refusal.fields), 422
    return _page(made=token)


@page.post("/tokens/<int:token_id>/revoke")
def revoke(token_id: int) -> ResponseReturnValue:
    """Ends a token at once."""
    tokens_.revoke_token(store(), token_id, actor=me(), origin=origin())
    flash("令牌已停用，使用它的系统从现在起不能再访问。", "success")
    return redirect("/tokens", 303)


def _page(
    *, typed: Mapping[str, str] | None = None, chosen: list[str] | None = None, errors: Mapping[str, str] | None = None, made: str = ""
) -> str:
    found = tokens_.list_tokens(store(), account_id=me().account_id)
    return render_template(
        "tokens/page.html", tokens=found, scopes=tokens_.SCOPES, say=SCOPES_SAY, lives=LIVES, typed=typed or {"life": "90"}, chosen=chosen or [],
        errors=errors or {}, made=made,
    )  # fmt: skip
