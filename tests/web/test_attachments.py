"""Attachments inside the page: what a browser may look at without running anything in it, and nothing else."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest

from tests.pictures import jpeg, pdf, png
from tests.web.desk import REQUEST, Desk, text_of

Desks = Callable[[str], Desk]

#: A page that would act if it were one of ours.
HOSTILE = b"<!doctype html><html><script>document.title = 'taken'</script><svg onload='alert(1)'></svg></html>"


def attached(desk: Desks, name: str, body: bytes) -> str:
    """The address of a file that came with a request."""
    asker = desk("asker")
    case = asker.ask(upload=(io.BytesIO(body), name))
    found = re.search(r'href="(/attachments/\d+)"', text_of(asker.get(f"/cases/{case}")))
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [("函.pdf", pdf("Letter"), "application/pdf"), ("图.png", png(40, 30), "image/png"), ("照片.jpg", jpeg(40, 30), "image/jpeg"),
     ("说明.txt", "民政业务说明".encode(), "text/plain")],
)  # fmt: skip
def test_papers_and_pictures_are_shown_to_those_who_may_see_the_case(desk: Desks, name: str, body: bytes, kind: str) -> None:
    link = attached(desk, name, body)
    shown = desk("provider").get(f"{link}/preview")
    assert (shown.status_code, shown.mimetype, shown.data) == (200, kind, body)
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "script" not in policy
    assert ("sandbox" in policy) == (kind != "application/pdf")
    assert desk("outsider").get(f"{link}/preview").status_code == 403
    assert "预览" in text_of(desk("asker").get("/cases/1"))


def test_what_can_only_be_downloaded_is_not_shown(desk: Desks) -> None:
    for name, body in (("表.xlsx", b"PK\x03\x04table"), ("包.zip", b"PK\x03\x04pack"), ("数据.csv", b"a,b")):
        link = attached(desk, name, body)
        assert desk("asker").get(f"{link}/preview").status_code == 404, name
        assert desk("asker").get(link).headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [("说明.txt", HOSTILE, "text/plain"), ("函.pdf", b"%PDF-1.7\n" + HOSTILE, "application/pdf"),
     ("图.png", b"\x89PNG\r\n\x1a\n" + HOSTILE, "image/png"), ("照片.jpg", b"\xff\xd8\xff" + HOSTILE, "image/jpeg")],
)  # fmt: skip
def test_a_page_in_disguise_never_is_one(desk: Desks, name: str, body: bytes, kind: str) -> None:
    shown = desk("asker").get(f"{attached(desk, name, body)}/preview")
    assert shown.mimetype == kind, "by what was stored, not by what it looks like"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


def test_a_drawing_that_could_run_cannot_even_be_uploaded(desk: Desks) -> None:
    asker = desk("asker")
    asker.get("/start/conditional_share?resource_code=209001/000001")
    for name in ("图.svg", "页.html"):
        response = asker.post("/start/conditional_share", {**REQUEST, "resource_code": "209001/000001", "upload": (io.BytesIO(b"<svg onload='alert(1)'/>"), name)})
        assert response.status_code == 422 and "不能上传" in text_of(response)


def test_a_text_of_an_older_system_is_readable(desk: Desks) -> None:
    shown = desk("asker").get(f"{attached(desk, '旧.txt', '辽阳市民政局'.encode('gb18030'))}/preview")
    assert shown.headers["Content-Type"] == "text/plain; charset=gb18030"
    long = ("民政" * 40_000).encode()
    assert "utf-8" in desk("asker").get(f"{attached(desk, '长.txt', long)}/preview").headers["Content-Type"], "cut within a character"


def test_a_file_that_belongs_to_no_case_yet_is_its_uploaders(desk: Desks) -> None:
    asker = desk("asker")
    asker.get("/start/conditional_share?resource_code=209001/000001")
    asker.post("/start/conditional_share", {"resource_code": "209001/000001", "upload": (io.BytesIO(png(40, 30)), "图.png")})
    assert asker.get("/attachments/1/preview").status_code == 200
    assert desk("provider").get("/attachments/1/preview").status_code == 403
    assert asker.get("/attachments/999/preview").status_code == 404
