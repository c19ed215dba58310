"""签名图片: the picture of one's own handwritten signature, which is printed beside one's opinions."""

from __future__ import annotations

from base64 import b64encode

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.people import signature_images
from engine.people.permissions import Sight
from engine.process.sheets.seeing import find_instance, require_sight
from engine.store.errors import Invalid, NotFound
from web.context import me, origin, store
from web.navigation import require_working
from web.security import preview_headers

page = Blueprint("signature", __name__)


@page.get("/signature")
def own() -> str:
    """One's own signature, and where to change it."""
    return _page()


@page.post("/signature")
def upload() -> ResponseReturnValue:
    """Keeps a picture in place of the one before."""
    require_working(me())
    sent = request.files.get("image")
    # One octet more than is allowed tells that it is too large; the rest is not read.
    image = sent.stream.read(signature_images.OCTETS_MAX + 1) if sent else b""
    try:
        signature_images.set_signature(store(), image, actor=me(), origin=origin())
    except Invalid as refusal:
        return _page(refusal), 422
    flash("已保存签名图片，今后打印的办件单将使用它。", "success")
    return redirect("/signature", 303)


@page.post("/signature/remove")
def remove() -> ResponseReturnValue:
    """Takes the picture away."""
    require_working(me())
    signature_images.remove_signature(store(), actor=me(), origin=origin())
    flash("已删除签名图片。", "success")
    return redirect("/signature", 303)


@page.get("/cases/<int:instance_id>/signatures/<int:account_id>")
def image(instance_id: int, account_id: int) -> Response:
    """The picture of somebody who worked on a case, for those who read the opinions of it."""
    with store().read() as session:
        seen, facts = require_sight(session, me(), find_instance(session, instance_id))
        if seen is not Sight.FULL or account_id not in facts.handlers:
            raise NotFound("没有签名图片")
        picture = signature_images.picture_of(session, account_id)
    return Response(picture.image, mimetype=picture.media_type, headers=preview_headers(sandboxed=True))


def _page(refusal: Invalid | None = None) -> str:
    require_working(me())
    with store().read() as session:
        line = signature_images.signature_of(session, me().account_id)
        picture = signature_images.picture_of(session, me().account_id) if line else None
    return render_template(
        "signature/page.html", line=line, picture=_inline(picture) if picture else "", wrong=refusal.fields if refusal else {}, kilobytes=signature_images.OCTETS_MAX // 1024,
        side=signature_images.SIDE_MAX,
    )  # fmt: skip


def _inline(picture: signature_images.Picture) -> str:
    """The picture as an address that holds it: at most some hundred kilobytes, and only for its owner."""
    return f"data:{picture.media_type};base64,{b64encode(picture.image).decode()}"
