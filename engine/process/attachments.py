"""Attachments 附件: uploaded files, kept outside the web root, given to a case when a step is completed.

An upload is its own small command, so that a form that is refused loses no file: it stays its uploader's until a start or
a completion takes it. Bytes are written before the row; a file without a row is swept away by the worker's housekeeping.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import select

from engine.people.actor import Actor
from engine.process.tables import Attachment
from engine.store.errors import Invalid, NotAllowed
from engine.store.settings import Settings
from engine.store.store import Origin, Store, Work, command

#: File endings that may be uploaded, with the first bytes that such a file must begin with (empty: plain text).
#: What a browser says of the type is never believed.
KINDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".pdf": ("application/pdf", (b"%PDF-",)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (b"PK\x03\x04",)),
    ".xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (b"PK\x03\x04",)),
    ".doc": ("application/msword", (b"\xd0\xcf\x11\xe0",)),
    ".xls": ("application/vnd.ms-excel", (b"\xd0\xcf\x11\xe0",)),
    ".ofd": ("application/ofd", (b"PK\x03\x04",)),
    ".zip": ("application/zip", (b"PK\x03\x04",)),
    ".txt": ("text/plain", ()),
    ".csv": ("text/csv", ()),
}
NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """An uploaded file as the page shows it."""

    id: int
    name: str
    size: int


@command
def upload(
    store: Store, settings: Settings, *, actor: Actor, name: str, stream: IO[bytes], origin: Origin = Origin()
) -> Stored:
    """Keeps an uploaded file for its uploader. Raises Invalid (field `attachments`) for a wrong kind, size or name."""
    clean = Path(name.replace("\\", "/")).name.strip()
    ending = Path(clean).suffix.lower()
    if not clean or len(clean) > NAME_MAX or any(ord(sign) < 32 for sign in clean):
        raise Invalid({"attachments": "附件名称无法使用，请改名后重新上传"})
    if ending not in KINDS:
        raise Invalid({"attachments": f"“{clean}”的类型不能上传，可上传：{'、'.join(sorted(kind[1:] for kind in KINDS))}"})
    media_type, beginnings = KINDS[ending]
    stored = secrets.token_hex(20)
    target = settings.uploads / stored[:2] / stored
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        size, digest = _write(stream, target, settings.upload_bytes, clean, beginnings)
        with store.work(actor, origin) as work:
            row = Attachment(name=clean, media_type=media_type, size=size, digest=digest, stored=stored,
                             uploaded_by=actor.account_id, uploaded_at=work.now)
            work.session.add(row)
            work.session.flush()
            return Stored(row.id, clean, size)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _write(stream: IO[bytes], target: Path, most: int, name: str, beginnings: Sequence[bytes]) -> tuple[int, str]:
    digest, size, first = hashlib.sha256(), 0, b""
    with target.open("xb") as out:
        while chunk := stream.read(1 << 16):
            first = first or chunk[:16]
            size += len(chunk)
            if size > most:
                raise Invalid({"attachments": f"“{name}”超过{most // (1024 * 1024)}MB，不能上传"})
            digest.update(chunk)
            out.write(chunk)
    if size == 0:
        raise Invalid({"attachments": f"“{name}”是空文件"})
    if beginnings and not first.startswith(tuple(beginnings)):
        raise Invalid({"attachments": f"“{name}”的内容与类型不符，不能上传"})
    if not beginnings and b"\0" in first:
        raise Invalid({"attachments": f"“{name}”不是文本文件"})
    return size, digest.hexdigest()


def take_attachments(
    work: Work, ids: Sequence[int], *, instance_id: int, actor: Actor, task_id: int | None = None
) -> list[dict[str, object]]:
    """Gives uploaded files to a case; returns what the history says of them.

    Raises NotAllowed for a file that somebody else uploaded or that belongs to another case already.
    """
    if not ids:
        return []
    rows = work.session.scalars(select(Attachment).where(Attachment.id.in_(ids)).order_by(Attachment.id)).all()
    if len(rows) != len(set(ids)):
        raise Invalid({"attachments": "有附件已不存在，请重新上传"})
    for row in rows:
        if row.uploaded_by != actor.account_id or row.instance_id not in (None, instance_id):
            raise NotAllowed("不能使用他人上传的附件")
        row.instance_id, row.task_id = instance_id, task_id
    return [{"id": row.id, "name": row.name, "sha256": row.digest} for row in rows]


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send as a download."""

    path: Path
    name: str
    media_type: str
    instance_id: int | None
    uploaded_by: int


def find_upload(store: Store, settings: Settings, attachment_id: int) -> Download | None:
    """Where an attachment lies; None when there is none. The caller checks the right to the case first."""
    with store.read() as session:
        row = session.get(Attachment, attachment_id)
        if row is None:
            return None
        return Download(settings.uploads / row.stored[:2] / row.stored, row.name, row.media_type, row.instance_id, row.uploaded_by)
