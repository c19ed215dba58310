"""The bundle's files as browsers get them: compressed for those that take it, whole for the others."""

from __future__ import annotations

import gzip

from tests.web.desk import Desk
from web.assets import DIST, read_manifest


def test_the_bundle_goes_over_slow_lines_compressed(stranger: Desk) -> None:
    address = f"/static/dist/{read_manifest(DIST)['app.css']}"
    packed = stranger.client.get(address, headers={"Accept-Encoding": "gzip, deflate"}, buffered=True)
    whole = stranger.client.get(address, buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in whole.headers
    assert packed.mimetype == whole.mimetype == "text/css"
    assert {packed.headers["Vary"], whole.headers["Vary"]} == {"Accept-Encoding"}
    assert gzip.decompress(packed.data) == whole.data
    assert len(packed.data) < len(whole.data) / 5
    assert "immutable" in packed.headers["Cache-Control"]


def test_what_is_not_there_is_not_found_and_nothing_outside_is_served(stranger: Desk) -> None:
    for path in ("/static/dist/no-such.css", "/static/../app.py", "/static/dist/../../app.py", "/static/%2e%2e/app.py"):
        assert stranger.client.get(path, headers={"Accept-Encoding": "gzip"}).status_code in (303, 404), path
