"""The pages of proposals: asking, reading what changes, deciding by a second person, and every wrong way to do it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.process.workshop.versions import process_sheet
from engine.store.clock import MovableClock
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of
from tests.web.test_diagrams import publish
from tests.web.test_drafts import begin, diagram_of, put

Desks = Callable[[str], Desk]
OLD, NEW = 'sharing:role="deadline" sharing:workingDays="10"', 'sharing:role="deadline" sharing:workingDays="5"'


def drafted(editor: Desk, cast: Cast, new: str = NEW) -> int:
    """A draft with another limit of the reply, at revision 2."""
    draft = begin(editor, cast)
    put(editor, f"/drafts/{draft}/xml", {"revision": 1, "xml": diagram_of(cast, draft).replace(OLD, new)})
    return draft


def asked(editor: Desk, cast: Cast, **given: str) -> str:
    """The address of a new proposal."""
    draft = drafted(editor, cast)
    editor.get(f"/drafts/{draft}/propose")
    answer = editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": "缩短答复时限", **given})
    assert answer.status_code == 303, text_of(answer)
    return str(answer.location)


def base_of(page: str) -> str:
    """The version with which the page compared the proposal."""
    return page.split('name="base" value="')[1].split('"')[0]


def versions_of(cast: Cast) -> list[str]:
    with cast.store.read() as session:
        sheet = process_sheet(session, cast.actor("editor"), "conditional_share", cast.store.clock.now())
    return [line.state for line in sheet.versions]


def test_s41_from_the_draft_to_the_version_in_force(desk: Desks, cast: Cast) -> None:
    editor, approver = desk("editor"), desk("approver")
    draft = drafted(editor, cast)
    page = text_of(editor.get(f"/drafts/{draft}/propose"))
    assert "10 → 5 个工作日" in page and "此草稿尚未回测" in page
    assert "检查通过" in text_of(editor.get(f"/drafts/{draft}/propose/check"))
    location = editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": "缩短答复时限"}).location
    assert "您参与了编辑，须由另一人审批" not in text_of(approver.get(location))
    assert "发布申请待审批：有条件共享申请" in text_of(approver.get("/notices"))
    assert "缩短答复时限" in text_of(approver.get("/proposals"))
    page = text_of(approver.get(location))
    for words in ("冯流程", "缩短答复时限", "10 → 5 个工作日", "批准后立即", "提出时检查通过"):
        assert words in page, words
    assert approver.post(f"{location}/approve", {"base": base_of(page), "note": "同意缩短"}).status_code == 303
    page = text_of(approver.get(location))
    assert "已批准并发布为第2版" in page and "同意缩短" in page and "去审批" not in page
    assert versions_of(cast) == ["in_force", "past"]
    assert "发布申请已批准" in text_of(editor.get("/notices"))
    assert "已发布" in text_of(editor.get(f"/drafts/{draft}"))


def test_a_process_from_nothing_is_offered_to_its_posts_once_it_is_deployed(desk: Desks, cast: Cast) -> None:
    editor, approver, asker = desk("editor"), desk("approver"), desk("asker")
    editor.get("/drafts/new")
    draft = editor.post("/drafts", {"new": "yes", "name": "请假审批", "key": "leave", "rule_set": "liaoyang_2018"}).location
    assert "发起请假审批" not in text_of(asker.get("/inbox/started"))
    editor.get(f"{draft}/propose")
    location = editor.post(f"{draft}/propose", {"revision": "1", "reason": "新增流程"}).location
    page = text_of(approver.get(location))
    assert "新流程，尚无已发布的版本" in page
    assert approver.post(f"{location}/approve", {"base": base_of(page)}).status_code == 303
    assert "发起请假审批" in text_of(asker.get("/inbox/started"))
    assert "发起请假审批" not in text_of(desk("asker_head").get("/inbox/started"))
    asker.get("/start/leave")
    assert asker.post("/start/leave").status_code == 303
    assert asker.do("办理").status_code == 303
    assert "已办结" in text_of(asker.get("/inbox/started"))


def test_s42_a_longer_statutory_limit_is_refused_with_element_and_article(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = drafted(editor, cast, OLD.replace('"10"', '"15"'))
    assert "改正后才能发布" in text_of(editor.get(f"/drafts/{draft}/propose/check"))
    editor.get(f"/drafts/{draft}/propose")
    refused = editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": "放宽", "effective": "2026-07-01"})
    page = text_of(refused)
    assert refused.status_code == 422
    for words in ("检查发现1个问题", "15个工作日", "只能缩短、不能延长", "第十五条", "答复时限", "放宽", "2026-07-01"):
        assert words in page, words
    assert "没有待审批的发布申请" in text_of(desk("approver").get("/proposals"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reason": ""}, "请填写发布理由"), ({"reason": "字" * 1001}, "不能超过1000字"), ({"effective": "2026-13-01"}, "正确的日期"),
        ({"effective": "2026-02-09"}, "须晚于今天"), ({"effective": "x" * 5000}, "正确的日期"), ({"revision": "x"}, "请刷新"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(desk: Desks, cast: Cast, given: dict[str, str], words: str) -> None:
    editor = desk("editor")
    draft = drafted(editor, cast)
    editor.get(f"/drafts/{draft}/propose")
    answer = editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": "缩短<b>", **given})
    page = text_of(answer)
    assert answer.status_code == 422 and words in page
    if "reason" not in given:
        assert "缩短&lt;b&gt;" in page


def test_who_proposed_or_edited_reads_but_does_not_decide(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    location = asked(editor, cast)
    page = text_of(editor.get(location))
    assert "撤回申请" in page and "批准并发布" not in page
    for act in ("approve", "refuse"):
        assert editor.post(f"{location}/{act}", {"base": "1", "note": "x"}).status_code == 403
    assert versions_of(cast) == ["in_force"]


def test_the_approver_refuses_with_a_reason_and_the_editor_tries_again(desk: Desks, cast: Cast) -> None:
    editor, approver = desk("editor"), desk("approver")
    location = asked(editor, cast)
    approver.get(location)
    refused = approver.post(f"{location}/refuse", {"note": " "})
    assert refused.status_code == 422 and "请填写不予批准的理由" in text_of(refused)
    assert approver.post(f"{location}/refuse", {"note": "请先回测"}).status_code == 303
    assert "请先回测" in text_of(editor.get(location)) and "未批准" in text_of(editor.get("/proposals"))
    assert approver.post(f"{location}/approve", {"base": "1"}).status_code == 409
    draft = text_of(editor.get(location)).split("/drafts/")[1].split("/")[0]
    editor.get(f"/drafts/{draft}/propose")
    assert editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": "已回测"}).status_code == 303


def test_a_proposal_is_withdrawn_by_who_made_it(desk: Desks, cast: Cast) -> None:
    editor, approver = desk("editor"), desk("approver")
    location = asked(editor, cast)
    approver.get(location)
    assert approver.post(f"{location}/withdraw").status_code == 403
    editor.get(location)
    assert editor.post(f"{location}/withdraw").status_code == 303
    assert "已撤回" in text_of(editor.get(location))
    assert approver.post(f"{location}/approve", {"base": "1"}).status_code == 409


def test_an_approval_of_an_outdated_comparison_is_refused_and_the_page_shows_the_new_one(desk: Desks, cast: Cast) -> None:
    editor, approver = desk("editor"), desk("approver")
    location = asked(editor, cast)
    seen = base_of(text_of(approver.get(location)))
    for base in ("", "4711", "x", "9" * 30):
        assert approver.post(f"{location}/approve", {"base": base}).status_code in (409, 422), base
    assert versions_of(cast) == ["in_force"]
    assert approver.post(f"{location}/approve", {"base": seen}).status_code == 303


def test_a_second_proposal_waits_until_the_first_is_decided(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    location = asked(editor, cast)
    other = begin(editor, cast)
    page = text_of(editor.get(f"/drafts/{other}/propose"))
    assert "待审批，请待其办结或撤回后再提出" in page and location in page
    assert editor.post(f"/drafts/{other}/propose", {"revision": "1", "reason": "x"}).status_code == 422  # nothing changed in it


def test_an_older_draft_is_told_that_it_would_undo_a_later_version(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    older = begin(editor, cast)
    put(editor, f"/drafts/{older}/xml", {"revision": 1, "xml": diagram_of(cast, older).replace('name="有条件共享申请"', 'name="共享申请"')})
    publish(desk, cast, "5")
    page = text_of(editor.get(f"/drafts/{older}/propose"))
    assert "该草稿起草于第1版，此后已发布第2版" in page and "5 → 10 个工作日" in page


def test_a_day_that_passed_while_it_waited_is_said_to_mean_now(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    location = asked(desk("editor"), cast, effective="2026-02-12")
    clock.to("2026-02-20 09:00")
    approver = desk("approver")
    page = text_of(approver.get(location))
    approver.post(f"{location}/approve", {"base": base_of(page)})
    page = text_of(approver.get(location))
    assert "约定的生效日期已过，自现在起生效" in page and "2026-02-20 09:00 起" in page


def test_many_decided_proposals_come_in_pages(desk: Desks, cast: Cast) -> None:
    editor = desk("editor")
    draft = drafted(editor, cast)
    for number in range(52):
        editor.get(f"/drafts/{draft}/propose")
        location = editor.post(f"/drafts/{draft}/propose", {"revision": "2", "reason": f"第{number}次"}).location
        editor.post(f"{location}/withdraw")
    page = text_of(editor.get("/proposals"))
    assert page.count("次</td>") == 50 and "第51次" in page and "加载更多" in page
    rest = text_of(editor.get("/proposals?after=3", headers={"HX-Request": "true"}))
    assert rest.count("次</td>") == 2 and "第0次" in rest and "<html" not in rest
    assert editor.get("/proposals?after=x").status_code == 422


def test_what_is_not_there_is_not_found_and_foreign_powers_open_nothing(desk: Desks, cast: Cast) -> None:
    approver = desk("approver")
    for path in ("/proposals/99", "/proposals/99/xml"):
        assert approver.get(path).status_code == 404
    approver.get("/notices")
    for act in ("approve", "refuse"):
        assert approver.post(f"/proposals/99/{act}", {"note": "x"}).status_code == 404
    location = asked(desk("editor"), cast)
    assert approver.get(f"{location}/xml").status_code == 200
    for login in ("asker", "office_head", "sysadmin"):
        person = desk(login)
        person.get("/notices")
        assert person.get(location).status_code == person.get(f"{location}/xml").status_code == 403
        for act in ("approve", "refuse", "withdraw"):
            assert person.post(f"{location}/{act}", {"base": "1", "note": "x"}).status_code == 403
