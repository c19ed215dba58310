"""Pictures of signatures: only what is one by its bytes, only one's own, and with its trace."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.history import History
from engine.people.signature_images import OCTETS_MAX, picture_of, remove_signature, set_signature, signature_of, signed_people
from engine.store.errors import Invalid, NotFound
from tests.engine.people.conftest import Cast
from tests.pictures import jpeg, png


def test_a_signature_is_kept_replaced_and_taken_away_with_its_trace(cast: Cast) -> None:
    alice = cast.actor(cast.alice)
    set_signature(cast.store, png(200, 80), actor=alice)
    set_signature(cast.store, jpeg(300, 90), actor=alice)
    with cast.store.read() as session:
        kept = picture_of(session, cast.alice)
        assert (kept.media_type, kept.image) == ("image/jpeg", jpeg(300, 90))
        assert signed_people(session, [cast.alice, cast.bob]) == {cast.alice}
        assert signed_people(session, []) == frozenset()
    remove_signature(cast.store, actor=alice)
    with cast.store.read() as session:
        assert signature_of(session, cast.alice) is None
        with pytest.raises(NotFound):
            picture_of(session, cast.alice)
        acts = session.scalars(select(History.act).where(History.stream == f"account:{cast.alice}").order_by(History.seq)).all()
    assert acts[-3:] == ["signature_set", "signature_set", "signature_removed"]
    with pytest.raises(NotFound):
        remove_signature(cast.store, actor=alice)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (b"", "请选择"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "PNG或JPEG"),
        (b"<html><script>alert(1)</script>", "PNG或JPEG"),
        (b"GIF89a" + bytes(100), "PNG或JPEG"),
        (png(200, 80)[:20], "PNG或JPEG"),
        (b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "PNG或JPEG"),
        (b"\xff\xd8\xff\xe0", "PNG或JPEG"),
        (b"\xff\xd8\xff\xe0\x00\x00" * 9, "PNG或JPEG"),
        (png(2001, 80), "像素之间"),
        (png(200, 10), "像素之间"),
        (png(200, 80) + bytes(OCTETS_MAX), "不能超过200KB"),
    ],
)
def test_what_is_no_signature_is_refused_by_its_bytes(cast: Cast, image: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        set_signature(cast.store, image, actor=cast.actor(cast.alice))
    assert said in refused.value.fields["image"]
    with cast.store.read() as session:
        assert signature_of(session, cast.alice) is None
