"""A draft's pages and what its scripts send: saves, conflicts, letters; bad input at every door."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from engine.process.package import read_templates
from engine.process.workshop.drafts import draft_sheet
from tests.web.cast import RULES, Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]


def begin(editor: Desk, cast: Cast, key: str = "conditional_share") -> int:
    """A draft of the version in force; returns its number."""
    editor.get("/diagrams")
    response = editor.post("/drafts", {"definition": version(cast, key)})
    assert response.status_code == 303, text_of(response)
    return int(response.location.rsplit("/", 1)[1])


def version(cast: Cast, key: str) -> int:
    """The number of the newest version of a process."""
    from engine.process.workshop.drafts import newest_id

    with cast.store.read() as session:
        found = newest_id(session, key)
    assert found is not None
    return found


def put(desk: Desk, path: str, sent: Any, method: str = "PUT") -> TestResponse:
    """What a page's script sends."""
    return desk.client.open(path, method=method, json=sent, headers={"X-CSRFToken": desk.token})


def diagram_of(cast: Cast, draft: int) -> str:
    with cast.store.read() as session:
        return draft_sheet(session, cast.actor("editor"), draft).package.xml.decode()


def test_a_save_gives_the_new_revision_and_the_page_shows_it(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    page = editor.get(f"/drafts/{draft}")
    assert page.status_code == 200 and "有条件共享申请" in text_of(page) and "基于第1版" in text_of(page)
    xml = diagram_of(cast, draft).replace('name="有条件共享申请"', 'name="共享申请"')
    answer = put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": xml})
    assert (answer.status_code, answer.get_json()) == (200, {"revision": 2})
    shown = editor.get(f"/drafts/{draft}/xml")
    assert shown.headers["X-Revision"] == "2" and shown.get_data(as_text=True) == xml
    assert "共享申请" in text_of(editor.get("/diagrams"))


def test_a_conflict_says_who_saved_and_when(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    xml = diagram_of(cast, draft)
    put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": xml.replace("</bpmn:definitions>", " </bpmn:definitions>")})
    answer = put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": xml.replace("</bpmn:definitions>", "\n</bpmn:definitions>")})
    assert answer.status_code == 409
    told = answer.get_json()
    assert told["revision"] == 2 and told["updated_by"] == "冯流程" and told["updated_at"] == "2026-02-10T01:00:00+00:00"
    assert "冯流程已于2026-02-10 09:00保存过此草稿" in told["message"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([], "无法识别"), ("x", "无法识别"), (None, "无法识别"), ({}, "revision"), ({"revision": "1", "xml": "<a/>"}, "revision"),
        ({"revision": True, "xml": "<a/>"}, "revision"), ({"revision": -1, "xml": "<a/>"}, "revision"),
        ({"revision": 10**30, "xml": "<a/>"}, "revision"), ({"revision": 1}, "xml"), ({"revision": 1, "xml": 5}, "xml"),
        ({"revision": 1, "xml": "\ud800"}, "字符"), ({"revision": 1, "xml": "<a"}, "XML"), ({"revision": 1, "xml": "\0"}, "XML"),
        ({"revision": 1, "xml": "<!DOCTYPE a []><a/>"}, "DOCTYPE"), ({"revision": 1, "xml": " " * 3_000_000}, "MB"),
    ],
)
def test_what_is_no_save_is_refused_with_a_sentence(desk: Desks, cast: Cast, sent: Any, words: str) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    answer = put(editor, f"/drafts/{draft}/xml", sent)
    assert answer.status_code == 422 and words in answer.get_json()["message"]
    assert editor.get(f"/drafts/{draft}/xml").headers["X-Revision"] == "1"


def test_no_json_a_huge_body_and_a_deep_one_are_refused_before_anything_is_kept(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    for data, status in ((b"<a/>", 422), (b"[" * 200_000, 422), (b'{"revision": 1, "xml": "' + b"x" * 13_000_000 + b'"}', 413)):
        answer = editor.client.put(
            f"/drafts/{draft}/xml", data=data, content_type="application/json", headers={"X-CSRFToken": editor.token}
        )
        assert answer.status_code == status and answer.get_json()["message"], data[:20]
    too_long = {"wsgi.input": BytesIO(b""), "CONTENT_LENGTH": str(100 * 1024 * 1024)}
    answer = editor.client.put(
        f"/drafts/{draft}/xml", content_type="application/json", headers={"X-CSRFToken": editor.token}, environ_overrides=too_long
    )
    assert answer.status_code == 413 and answer.get_json()["message"]


def test_a_save_without_the_token_and_one_after_the_session_ended_are_told_so(desk: Desks, cast: Cast, stranger: Desk) -> None:
    draft = begin(desk("editor"), cast)
    answer = desk("editor").client.put(f"/drafts/{draft}/xml", json={"revision": 1, "xml": "<a/>"})
    assert answer.status_code == 400 and "刷新" in answer.get_json()["message"]
    answer = stranger.client.get(f"/drafts/{draft}/xml", headers={"Accept": "application/json"})
    assert answer.status_code == 401 and "重新登录" in answer.get_json()["message"]


def test_the_check_of_what_stands_in_the_editor_names_the_element_and_saves_nothing(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    xml = diagram_of(cast, draft)
    assert put(editor, f"/drafts/{draft}/check", {"xml": xml}, "POST").get_json()["problems"] == []
    longer = xml.replace('sharing:workingDays="10"', 'sharing:workingDays="15"', 1)
    (problem,) = put(editor, f"/drafts/{draft}/check", {"xml": longer}, "POST").get_json()["problems"]
    assert (problem["element"], problem["rule"], problem["severity"]) == (
        "BoundaryEvent_ReplyDeadline", "statutory-limit-exceeded", "error",
    )
    assert problem["article"] == "第十五条" and "15个工作日" in problem["message"]
    bad = put(editor, f"/drafts/{draft}/check", {"xml": "<!DOCTYPE a []><a/>"}, "POST").get_json()["problems"]
    assert [found["rule"] for found in bad] == ["doctype"]
    assert editor.get(f"/drafts/{draft}/xml").headers["X-Revision"] == "1"


def test_a_new_process_is_begun_from_the_page_and_a_bad_key_is_shown_at_its_field(desk: Desks) -> None:
    editor = desk("editor")
    page = text_of(editor.get("/drafts/new"))
    assert "新建流程" in page and "政务数据共享条例" in page
    refused = editor.post("/drafts", {"new": "yes", "name": "请假", "key": "请假", "rule_set": "liaoyang_2018"})
    assert refused.status_code == 422 and "流程标识须以小写字母开头" in text_of(refused) and 'value="请假"' in text_of(refused)
    for given in ({"key": "leave"}, {"name": "请假"}, {"name": "请假", "key": "conditional_share"}):
        assert editor.post("/drafts", {"new": "yes", "rule_set": "liaoyang_2018", **given}).status_code == 422
    begun = editor.post("/drafts", {"new": "yes", "name": "请假", "key": "leave", "rule_set": "liaoyang_2018"})
    assert begun.status_code == 303
    assert "请假" in text_of(editor.get(begun.location)) and "新流程" in text_of(editor.get(begun.location))


def test_a_version_is_copied_under_another_key(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    number = version(cast, "conditional_share")
    assert "复制“有条件共享申请”为新流程" in text_of(editor.get(f"/drafts/new?copy={number}"))
    refused = editor.post("/drafts", {"new": "yes", "definition": number, "name": "我的", "key": "negotiation"})
    assert refused.status_code == 422 and "已属于" in text_of(refused)
    begun = editor.post("/drafts", {"new": "yes", "definition": number, "name": "我的共享", "key": "my_share"})
    assert "我的共享" in text_of(editor.get(begun.location))
    for path in ("/drafts/new?copy=x", "/drafts/new?copy=4711"):
        assert editor.get(path).status_code == 404


def test_the_ready_rule_set_is_taken_as_a_start(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    editor.get("/drafts/new")
    begun = editor.post("/drafts", {"files": "national_2025/conditional_share"})
    assert begun.status_code == 303
    number = int(begun.location.rsplit("/", 1)[1])
    with cast.store.read() as session:
        sheet = draft_sheet(session, cast.actor("editor"), number)
    assert (sheet.rule_set, sheet.key, sheet.base_version) == ("national_2025", "conditional_share", 1)
    assert sheet.package.forms and sheet.package.documents
    for named in ("national_2025/../liaoyang_2018/misuse", "../etc/passwd", "national_2025", "x/y", "national_2025/supervision"):
        assert editor.post("/drafts", {"files": named}).status_code == 404, named


def test_who_begins_the_same_copy_twice_gets_the_one_that_is_still_untouched(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    assert begin(editor, cast) == draft
    put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": diagram_of(cast, draft).replace('name="有条件共享申请"', 'name="甲"')})
    assert begin(editor, cast) != draft


def test_letters_are_listed_taken_along_replaced_and_removed(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    path = f"/drafts/{draft}/documents"
    assert "reply_letter.docx" in text_of(editor.get(path))
    shipped = read_templates(RULES / "conditional_share")
    taken = editor.get(f"{path}/reply_letter")
    assert taken.get_data() == shipped["reply_letter"] and "attachment" in taken.headers["Content-Disposition"]
    sent = {"kind": "other_letter", "file": (BytesIO(shipped["refusal_letter"]), "x.docx")}
    assert editor.post(path, sent).status_code == 303
    assert editor.get(f"{path}/other_letter").get_data() == shipped["refusal_letter"]
    assert editor.post(f"{path}/other_letter/remove").status_code == 303
    assert editor.get(f"{path}/other_letter").status_code == 404


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("a", b"", "请选择"), ("a", b"no letter", "不是可以打开的"), ("A b", b"PK", "公文标识"), ("", b"PK", "公文标识"),
        ("a", b"x" * 3_000_000, "超过2MB"),
    ],
)
def test_what_is_no_letter_is_refused_at_its_field(desk: Desks, cast: Cast, kind: str, content: bytes, words: str) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    answer = editor.post(f"/drafts/{draft}/documents", {"kind": kind, "file": (BytesIO(content), "x.docx")})
    assert answer.status_code == 422 and words in text_of(answer)
    answer.request.environ["wsgi.input"].close()  # a large body lies in a file that the test's client leaves open


def test_a_draft_is_exported_as_a_file_and_given_up(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = begin(editor, cast)
    taken = editor.get(f"/drafts/{draft}/export")
    assert taken.get_data(as_text=True) == diagram_of(cast, draft) and ".bpmn" in taken.headers["Content-Disposition"]
    editor.get(f"/drafts/{draft}/propose")
    for revision in ("", "x", "-1", "9" * 40):
        assert editor.post(f"/drafts/{draft}/discard", {"revision": revision}).status_code == 422
    assert editor.post(f"/drafts/{draft}/discard", {"revision": "2"}).status_code == 409
    assert editor.post(f"/drafts/{draft}/discard", {"revision": "1"}).status_code == 303
    assert "已放弃" in text_of(editor.get(f"/drafts/{draft}"))
    answer = put(editor, f"/drafts/{draft}/xml", {"revision": 2, "xml": diagram_of(cast, draft).replace("10", "9")})
    assert answer.status_code == 409 and "已放弃" in answer.get_json()["message"]


@pytest.mark.parametrize("login", ["asker", "office_head", "sysadmin", "auditor", "approver"])
def test_powers_of_others_open_nothing(desk: Desks, cast: Cast, login: str) -> None:
    draft = begin(desk("editor"), cast)
    person = desk(login)
    person.get("/notices")
    reading = 200 if login == "approver" else 403
    for path in (f"/drafts/{draft}", f"/drafts/{draft}/xml", f"/drafts/{draft}/export", f"/drafts/{draft}/documents",
                 f"/drafts/{draft}/propose"):
        assert person.get(path).status_code == reading, path
    assert person.get("/drafts/new").status_code == 403
    assert put(person, f"/drafts/{draft}/xml", {"revision": 1, "xml": "<a/>"}).status_code == 403
    sent: dict[str, Any] = {"definition": version(cast, "conditional_share"), "revision": "1", "reason": "x", "kind": "a"}
    for path in ("/drafts", f"/drafts/{draft}/discard", f"/drafts/{draft}/propose", f"/drafts/{draft}/documents/reply_letter/remove"):
        assert person.post(path, sent).status_code == 403, path


def test_what_is_not_there_is_not_found(desk: Desks) -> None:
    editor = desk("editor")
    for path in ("/drafts/99", "/drafts/99/xml", "/drafts/99/export", "/drafts/99/documents", "/drafts/99/documents/a", "/drafts/99/propose"):
        assert editor.get(path).status_code == 404, path
    answer = put(editor, "/drafts/99/xml", {"revision": 1, "xml": "<a/>"})
    assert answer.status_code == 404 and answer.get_json()["message"] == "没有找到该草稿"
    assert editor.post("/drafts", {"definition": "99"}).status_code == 404
    assert editor.post("/drafts", {"definition": "x"}).status_code == 404
