"""One table from what the engine refuses to the status and the page that an official sees.

Views raise or let pass the engine's `Refused`; none of them chooses a status. Nothing of a program's inside ever reaches the
screen: an unknown failure shows its request number, and the log holds the rest.
"""

from __future__ import annotations

import logging

from flask import Flask, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine.process.case import Removed
from engine.process.incidents import CaseFault
from engine.store.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from web.context import is_swap, settings, somebody
from web.json_calls import wants_json

log = logging.getLogger(__name__)

#: The nearest class in a refusal's ancestry decides.
STATUS: dict[type[Refused], int] = {
    NotAllowed: 403, Removed: 410, NotFound: 404, Stale: 409, Invalid: 422, CaseFault: 500, Refused: 409,
}  # fmt: skip

TITLES = {
    400: "请求无法识别",
    401: "请先登录",
    403: "无权访问",
    404: "没有找到",
    405: "操作方式不正确",
    409: "事项已发生变化",
    410: "办件已销毁",
    413: "上传的文件过大",
    422: "填写内容有误",
    500: "系统暂时无法处理",
}

MESSAGES = {
    400: "请求内容不完整，请返回上一页重试。",
    404: "您要查看的内容不存在，或已被移走。",
    405: "该地址不接受这种操作，请返回上一页重试。",
    500: "系统已记录本次异常。请稍后重试；如仍未恢复，请将请求编号告知系统管理员。",
}


def status_of(refusal: Refused) -> int:
    """The HTTP status of a refusal."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def install(app: Flask) -> None:
    """Registers the table."""

    @app.errorhandler(Refused)
    def refused(refusal: Refused) -> ResponseReturnValue:
        if isinstance(refusal, Invalid) and refusal.fields:
            # No form to show the messages at: the reader gets them all the same.
            return page(422, "；".join(refusal.fields.values()) + "。")
        if isinstance(refusal, NotAllowed):
            person = somebody()
            who = person.login if person else "nobody"
            log.warning("request %s refused: %s %s for %s", g.get("request_id"), request.method, request.path, who)
        return page(status_of(refusal), refusal.message)

    @app.errorhandler(CSRFError)
    def forged(_error: CSRFError) -> ResponseReturnValue:
        if somebody() is None and not wants_json():
            # The page was open while the session ended; nothing was done, and signing in again mends it.
            return redirect("/sign-in", 303)
        return page(400, "页面已过期或来源不明，操作未执行。请返回上一页，刷新后重试。")

    @app.errorhandler(413)
    def too_large(_error: HTTPException) -> ResponseReturnValue:
        if wants_json():
            return page(413, "提交的内容过大，未作任何保存。")
        return page(413, f"单个附件不得超过 {settings().upload_bytes // 1024 // 1024} MB，请压缩或拆分后重新上传。")

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> ResponseReturnValue:
        if error.code is not None and error.code < 400:
            return error
        return page(error.code or 500, MESSAGES.get(error.code or 500, "请求未能完成。"))

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> ResponseReturnValue:
        log.exception("request %s failed: %s %s", g.get("request_id"), request.method, request.path, exc_info=error)
        return page(500, MESSAGES[500])


def page(status: int, message: str) -> ResponseReturnValue:
    """The page of a refusal; only its sentence where htmx asked for a part, and as JSON where a script did."""
    if wants_json():
        return jsonify(message=message), status
    template = "errors/_message.html" if is_swap() else "errors/page.html"
    return render_template(template, status=status, title=TITLES.get(status, "请求未能完成"), message=message), status
