"""附件: a file of a case, as a download or, where its kind lets a browser only look at it, shown inside the page.

Whatever somebody uploaded is hostile until proven otherwise: it is sent as the type that it was stored under, sniffed by
no browser, and no script, frame or form in it lives.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_file
from flask.typing import ResponseReturnValue

from engine.process.attachments import Download, find_upload
from engine.process.sheets.case import SHOWN
from engine.store.errors import NotAllowed, NotFound
from web.context import me, settings, store
from web.looks import look_at_part
from web.security import preview_headers

page = Blueprint("attachments", __name__)

#: Octets of a text by which its character set is told.
SAMPLE = 65536


@page.get("/attachments/<int:attachment_id>")
def attachment(attachment_id: int) -> ResponseReturnValue:
    """An attachment as a download."""
    found = _found(attachment_id)
    return send_file(found.path, mimetype=found.media_type, as_attachment=True, download_name=found.name)


@page.get("/attachments/<int:attachment_id>/preview")
def preview(attachment_id: int) -> ResponseReturnValue:
    """The same file shown in the page: PDF, pictures and plain text. 404 for other kinds, which can only be downloaded."""
    found = _found(attachment_id)
    if found.media_type not in SHOWN:  # by what was stored, never by what a browser says
        raise NotFound("该附件的类型不能在线预览，请下载查看")
    response: Response = send_file(found.path, mimetype=found.media_type, as_attachment=False, download_name=found.name)
    if found.media_type == "text/plain":
        response.headers["Content-Type"] = f"text/plain; charset={_character_set(found.path)}"
    response.headers.update(preview_headers(sandboxed=found.media_type != "application/pdf"))
    return response


def _found(attachment_id: int) -> Download:
    """An attachment that the reader may have. Raises NotFound, NotAllowed."""
    found = find_upload(store(), settings(), attachment_id)
    if found is None or not found.path.exists():
        raise NotFound("没有该附件")
    if found.instance_id is None:
        if found.uploaded_by != me().account_id:
            raise NotAllowed
    else:
        look_at_part(found.instance_id)
    return found


def _character_set(path: Path) -> str:
    """UTF-8 where the beginning of the file is, else the national character set."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        # A character cut in two by the sample's end is none that is wrong.
        return "utf-8" if error.start >= SAMPLE - 4 else "gb18030"
    return "utf-8"
