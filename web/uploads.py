"""Files that come with a form: kept at once, so that a form that is refused for another reason loses none of them.

An input `upload` brings attachments of the step, `upload.<key>` those of a file field. What was kept before comes back as
the ids in `attachments` and `<key>`, with the name only for showing it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, cast

from flask import request

from engine.process.attachments import Stored, upload
from engine.store.errors import Invalid
from web.context import me, origin, settings, store

STEP = "attachments"
"""The name under which attachments of the step itself are kept."""

MOST = 20
"""Files that one form may carry."""


@dataclass(slots=True)
class Kept:
    """The files of a posted form by the field they belong to, and what was wrong with those that were refused."""

    files: dict[str, list[Stored]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def ids(self, key: str) -> list[int]:
        """The ids of one field's files."""
        return [stored.id for stored in self.files.get(key, [])]

    @property
    def all_ids(self) -> list[int]:
        """The ids of all files, which the step takes over."""
        return [stored.id for files in self.files.values() for stored in files]


def keep_files(file_fields: list[str]) -> Kept:
    """Keeps the files of the posted form; those kept by an earlier try are taken along."""
    kept = Kept()
    for key in (STEP, *file_fields):
        for text in request.form.getlist(key):
            if text.isdigit() and len(text) < 19:
                kept.files.setdefault(key, []).append(_shown_again(int(text)))
        for sent in request.files.getlist("upload" if key == STEP else f"upload.{key}"):
            if not sent.filename:
                continue
            if len(kept.all_ids) >= MOST:
                kept.errors[key] = f"一次最多上传{MOST}个附件"
                break
            try:
                stored = upload(
                    store(), settings(), actor=me(), name=sent.filename, stream=cast(BinaryIO, sent.stream), origin=origin()
                )
            except Invalid as refusal:
                kept.errors[key] = next(iter(refusal.fields.values()), refusal.message)
            else:
                kept.files.setdefault(key, []).append(stored)
    return kept


def _shown_again(attachment_id: int) -> Stored:
    name = request.form.get(f"stored.{attachment_id}.name", f"附件{attachment_id}")
    size = request.form.get(f"stored.{attachment_id}.size", "0")
    return Stored(attachment_id, name, int(size) if size.isdigit() and len(size) < 12 else 0)
