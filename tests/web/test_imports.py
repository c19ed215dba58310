"""导入: a file is shown with all that was rewritten and is missing, then becomes a draft; what is no diagram gets a word of help."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any

import pytest

from engine.process.workshop.drafts import draft_sheet
from tests.engine.workshop.foreign import CORPUS
from tests.web.cast import RULES, Cast
from tests.web.desk import Desk, text_of

Sit = Callable[[str], Desk]


def upload(desk: Desk, data: bytes, name: str = "流程.bpmn", **more: str) -> Any:
    """Chooses a file on the page and sends it."""
    desk.get("/imports")
    return desk.post("/imports", {"file": (BytesIO(data), name), **more}, content_type="multipart/form-data")


def hidden(page: str) -> dict[str, str]:
    """The fields of the page's last form that the reader does not see."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found if name != "csrf_token"}


def test_a_file_is_reviewed_and_becomes_a_draft(desk: Sit, cast: Cast) -> None:
    editor = desk("editor")
    page = text_of(upload(editor, CORPUS["pools"], "reviews.bpmn"))
    for said in ("导入“审核部门”", "发布前须填写2项", "原为未定类型的任务，现为用户任务", "填在泳道“HR Department”上", "signavio:meta", "Who asks（2个步骤）"):
        assert said in page
    drawn = re.search(r'<script type="application/json" id="imported-diagram">(.*?)</script>', page, re.DOTALL)
    assert drawn and json.loads(drawn[1]).startswith("<?xml")
    answer = editor.post("/imports/drafts", {**hidden(page), "key": "reviews", "name": "共享审核", "rule_set": "liaoyang_2018"})
    assert answer.status_code == 303 and answer.location.startswith("/imports/")
    draft_id = int(answer.location.rsplit("/", 1)[1])
    with cast.store.read() as session:
        sheet = draft_sheet(session, cast.actor("editor"), draft_id)
    assert (sheet.key, sheet.name, sheet.rule_set) == ("reviews", "共享审核", "liaoyang_2018")
    report = text_of(editor.get(answer.location))
    assert "已建立草稿" in report and "填在泳道“HR Department”上" in report and f'href="/drafts/{draft_id}"' in report
    assert "填在泳道“HR Department”上" in text_of(desk("approver").get(answer.location))


def test_another_process_of_the_file_may_be_chosen(desk: Sit) -> None:
    editor = desk("editor")
    page = text_of(upload(editor, CORPUS["pools"]))
    kept = hidden(page)
    other = text_of(editor.post("/imports", {"kept": kept["kept"], "file_name": kept["file_name"], "process": "Asks"}))
    assert "导入“Who asks”" in other and hidden(other)["process"] == "Asks"


def test_a_refused_key_comes_back_with_all_that_was_typed(desk: Sit) -> None:
    editor = desk("editor")
    kept = hidden(text_of(upload(editor, CORPUS["links"])))
    answer = editor.post("/imports/drafts", {**kept, "key": "不行", "name": "连线流程", "rule_set": "national_2025"})
    page = text_of(answer)
    assert answer.status_code == 422 and "流程标识须以小写字母开头" in page and 'value="连线流程"' in page and 'value="不行"' in page
    assert re.search(r'value="national_2025" selected', page) and hidden(page)["kept"] == kept["kept"]


def test_an_exported_file_goes_back_to_its_process(desk: Sit, cast: Cast) -> None:
    editor = desk("editor")
    xml = (RULES / "supervision/diagram.bpmn").read_bytes()
    page = text_of(upload(editor, xml, "supervision-v1.bpmn"))
    assert "没有改写" in page and "没有必须填写的内容" in page and 'name="key" value="supervision"' in page
    answer = editor.post("/imports/drafts", {**hidden(page), "key": "supervision", "name": "督办", "rule_set": "national_2025"})
    with cast.store.read() as session:
        sheet = draft_sheet(session, cast.actor("editor"), int(answer.location.rsplit("/", 1)[1]))
    assert (sheet.base_version, sheet.rule_set) == (1, "liaoyang_2018")
    assert sheet.package.forms and sheet.package.documents


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "文件是空的"), (b"PK\x03\x04zip", "这是压缩包"), (b"\x89PNG\r\n", "这是图片"), (b"no xml", "不是正确的XML"), (b"<a/>", "不是BPMN"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
    ],
)  # fmt: skip
def test_what_is_no_diagram_is_refused_on_the_page(desk: Sit, data: bytes, said: str) -> None:
    answer = upload(desk("editor"), data)
    assert answer.status_code == 422 and said in text_of(answer) and 'type="file"' in text_of(answer)


def test_a_file_that_is_too_large_is_not_even_read(desk: Sit) -> None:
    editor = desk("editor")
    editor.get("/imports")
    parts = [
        f'--line\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{editor.token}\r\n'.encode(),
        b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.bpmn"\r\n\r\n<', b"a" * (2 * 1024 * 1024), b"\r\n--line--\r\n",
    ]  # fmt: skip
    answer = editor.post("/imports", b"".join(parts), content_type="multipart/form-data; boundary=line")
    assert answer.status_code == 422 and "不得超过2MB" in text_of(answer)


def test_a_form_without_a_file_asks_for_one(desk: Sit) -> None:
    editor = desk("editor")
    editor.get("/imports")
    answer = editor.post("/imports", {})
    assert answer.status_code == 422 and "请选择要导入的文件" in text_of(answer)


@pytest.mark.parametrize("kept", ["!!!", "YWJj", base64.b64encode(zlib.compress(b" " * 50_000_000)).decode()], ids=["no-base64", "no-zip", "bomb"])
def test_a_page_that_was_tampered_with_is_refused(desk: Sit, kept: str) -> None:
    editor = desk("editor")
    editor.get("/imports")
    for path in ("/imports", "/imports/drafts"):
        assert editor.post(path, {"kept": kept, "key": "x", "name": "x", "rule_set": "x"}).status_code == 422


def test_only_who_edits_diagrams_imports_them(desk: Sit, stranger: Desk) -> None:
    for login in ("asker", "approver", "sysadmin"):
        person = desk(login)
        assert person.get("/imports").status_code == 403
        assert upload(person, CORPUS["links"]).status_code == 403
        assert person.post("/imports/drafts", {"kept": "x"}).status_code in (403, 422)
    assert desk("asker").get("/imports/1").status_code == 403
    assert stranger.get("/imports").status_code == 303


def test_the_report_of_a_draft_that_was_drawn_here_is_not_there(desk: Sit, cast: Cast) -> None:
    from engine.process.workshop.drafts import start_draft

    draft_id = start_draft(cast.store, actor=cast.actor("editor"), key="mine", name="我的", rule_set="liaoyang_2018")
    assert desk("editor").get(f"/imports/{draft_id}").status_code == 404


def test_markup_in_names_stays_text(desk: Sit) -> None:
    data = CORPUS["links"].replace(b'name="one"', b'name="&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"')
    page = text_of(upload(desk("editor"), data))
    assert "<img src=x" not in page and "&lt;img src=x" in page
