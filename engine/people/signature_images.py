"""The picture of a person's handwritten signature 签名图片, printed beside their opinions. Everybody keeps their own only.

What is uploaded is believed for its bytes, never for its name: a PNG or JPEG of a size that a signature has. Setting and
removing it goes into the account's history, with the picture's digest: a printed signature can be traced to who set it when.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.people.tables import Account, SignatureImage
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, Work, command

#: Octets of a picture, and its sides in pixels.
OCTETS_MAX = 200 * 1024
SIDE_MIN, SIDE_MAX = 20, 2000

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """A signature's picture, to be sent."""

    image: bytes
    media_type: str
    digest: str


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """That somebody has a picture, and since when."""

    set_at: datetime
    digest: str


@command
def set_signature(store: Store, image: bytes, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Keeps the picture as the actor's signature, in place of an earlier one. Raises Invalid (field `image`)."""
    media_type = _checked(image)
    digest = hashlib.sha256(image).hexdigest()
    with store.work(actor, origin) as work:
        # Locked: two uploads at once would both make the row.
        work.session.get_one(Account, actor.account_id, with_for_update=True)
        row = work.session.get(SignatureImage, actor.account_id)
        if row is None:
            row = SignatureImage(account_id=actor.account_id)
            work.session.add(row)
        row.image, row.media_type, row.digest, row.set_at = image, media_type, digest, work.now
        work.session.flush()
        _record(work, actor, "signature_set", digest)


@command
def remove_signature(store: Store, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Takes the actor's picture away: what is printed from now on carries the name only. Raises NotFound."""
    with store.work(actor, origin) as work:
        row = work.session.get(SignatureImage, actor.account_id, with_for_update=True)
        if row is None:
            raise NotFound("您还没有设置签名图片")
        digest = row.digest
        work.session.delete(row)
        work.session.flush()
        _record(work, actor, "signature_removed", digest)


def signature_of(session: Session, account_id: int) -> SignatureLine | None:
    """Whether somebody has a picture."""
    row = session.execute(
        select(SignatureImage.set_at, SignatureImage.digest).where(SignatureImage.account_id == account_id)
    ).first()
    return SignatureLine(*row) if row is not None else None


def signed_people(session: Session, people: Collection[int]) -> frozenset[int]:
    """Which of these accounts have a picture. One query, none for nobody."""
    if not people:
        return frozenset()
    return frozenset(session.scalars(select(SignatureImage.account_id).where(SignatureImage.account_id.in_(people))))


def picture_of(session: Session, account_id: int) -> Picture:
    """The picture itself. The caller has decided that the reader may see it. Raises NotFound."""
    row = session.execute(
        select(SignatureImage.image, SignatureImage.media_type, SignatureImage.digest).where(SignatureImage.account_id == account_id)
    ).first()
    if row is None:
        raise NotFound("没有签名图片")
    return Picture(*row)


def _record(work: Work, actor: Actor, act: str, digest: str) -> None:
    append(work, f"account:{actor.account_id}", [Entry(act=act, data={"sha256": digest})])


def _checked(image: bytes) -> str:
    """The media type of a picture that may be kept. Raises Invalid with what is wrong."""
    if not image:
        raise Invalid({"image": "请选择签名图片"})
    if len(image) > OCTETS_MAX:
        raise Invalid({"image": f"签名图片不能超过{OCTETS_MAX // 1024}KB"})
    sides = _png(image) or _jpeg(image)
    if sides is None:
        raise Invalid({"image": "签名图片应为PNG或JPEG格式"})
    if not all(SIDE_MIN <= side <= SIDE_MAX for side in sides):
        raise Invalid({"image": f"签名图片的宽和高应在{SIDE_MIN}至{SIDE_MAX}像素之间"})
    return "image/png" if image.startswith(_PNG) else "image/jpeg"


def _png(image: bytes) -> tuple[int, int] | None:
    """Width and height from the header that a PNG begins with; None for what is none."""
    if not image.startswith(_PNG) or image[12:16] != b"IHDR" or len(image) < 33 or b"IEND" not in image[-16:]:
        return None
    width, height = struct.unpack(">II", image[16:24])
    return width, height


def _jpeg(image: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header of a JPEG; None for what is none."""
    if not image.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while at + 9 <= len(image) and image[at] == 0xFF:
        kind, length = image[at + 1], int.from_bytes(image[at + 2 : at + 4])
        # Start of frame, baseline to lossless; between them lie tables (C4, C8, CC) that hold no size.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", image[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
