"""An issued document: read on the screen, printed, and taken along as the file that left the house."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from io import BytesIO
from urllib.parse import quote

from docx import Document
from sqlalchemy import select

from engine.history import History
from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


def supervised(desk: Desks, cast: Cast, clock: MovableClock) -> str:
    """A case that is late; gives the address of its supervision order."""
    desk("asker").ask()
    clock.to("2026-02-10 09:30")
    desk("asker_head").do("部门负责人审签", sign="agree")
    clock.to("2026-03-03 00:00")
    fire_due(cast.store)
    found = re.search(r'href="(/documents/\d+)"', text_of(desk("provider").get("/cases/2")))
    assert found
    return found[1]


def test_it_reads_as_it_was_issued(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    address = supervised(desk, cast, clock)
    page = text_of(desk("provider").get(address))
    sheet = page[page.index('<article class="sheet"') :]
    assert '<span class="red">市经济发展和创新服务中心</span>' in sheet
    assert '<p class="align-center ruled">经发中心督办〔2026〕1号</p>' in sheet
    assert '<h2 class="title align-center">督办单</h2>' in sheet
    assert re.search(r'<th scope="row"><p class="align-center">逾期环节</p></th><td><p class="align-left">提供部门答复</p></td>', sheet)
    assert '<p class="align-right">2026年3月3日</p>' in sheet


def test_the_file_is_the_one_whose_digest_the_history_keeps(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    address = supervised(desk, cast, clock)
    person = desk("provider")
    assert f'href="{address}.docx"' in text_of(person.get(address))
    response = person.get(f"{address}.docx")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert quote("督办单（经发中心督办〔2026〕1号）.docx") in response.headers["Content-Disposition"]
    assert "督办单" in [paragraph.text for paragraph in Document(BytesIO(response.data)).paragraphs]
    with cast.store.read() as session:
        told = [entry.data["documents"] for entry in session.scalars(select(History)) if "documents" in entry.data]
    assert told == [
        [{"id": 1, "kind": "supervision_order", "number": "经发中心督办〔2026〕1号", "sha256": hashlib.sha256(response.data).hexdigest()}]
    ]


def test_what_somebody_typed_stays_text(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    clock.to("2026-02-10 09:00")
    desk("asker").ask(scope="<script>alert(1)</script> & 救助\n核验")
    desk("asker_head").do("部门负责人审签", sign="agree")
    desk("provider").do("受理", completeness="complete")
    desk("provider_reviewer").do("业务审核", business_finding="agree", business_necessity="fit")
    desk("provider_reviewer").do("安全审核", security_screening=["no_secrets"], security_finding="pass")
    granted = {"agreed_fields": ["姓名"], "agreed_method": "联机查询", "agreed_until": "2027-02-28", "supply_by": "2026-03-10"}
    desk("provider_head").do("负责人答复", decision="agree", **granted)
    page = text_of(desk("asker").get("/documents/1"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; 救助\n核验" in page
