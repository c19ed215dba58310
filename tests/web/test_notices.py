"""The pages of notices: the list, what one may set, the operator's letters and robots, and what an open page asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, update

from engine.outbox import OutboxLetter, post
from engine.people.tables import Account, SignIn
from engine.process.notices import notify_person
from engine.store.clock import MovableClock
from engine.store.settings import Settings
from tests.web.cast import Cast
from tests.web.desk import Desk, text_of
from web.app import create_app

Desks = Callable[[str], Desk]
AS_SCRIPT = {"headers": {"Accept": "application/json"}}


def tell(cast: Cast, login: str, title: str, **more: Any) -> None:
    with cast.store.work() as work:
        account = work.session.scalars(select(Account.id).where(Account.login == login)).one()
        notify_person(work, account, title=title, text=f"{title}的内容", **more)


def live(person: Desk, since: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = person.get("/live" if since is None else f"/live?since={since}", **AS_SCRIPT).get_json()
    return found


# -- the list ---------------------------------------------------------------------------------


def test_notices_are_found_by_kind_and_by_whether_they_were_read(desk: Desks, cast: Cast) -> None:
    tell(cast, "provider", "催办甲", kind="urge")
    tell(cast, "provider", "抄送乙", kind="copy")
    tell(cast, "asker", "催办丙", kind="urge")
    provider = desk("provider")
    page = text_of(provider.get("/notices?kind=urge"))
    assert "催办甲" in page and "抄送乙" not in page and "催办丙" not in page
    provider.post("/notices/1/open")
    page = text_of(provider.get("/notices?unread=1"))
    assert "抄送乙" in page and "催办甲" not in page
    assert "没有符合条件的消息" in text_of(provider.get("/notices?kind=workshop"))


def test_a_notice_leads_to_its_task_or_its_case_and_is_read_then(desk: Desks, cast: Cast) -> None:
    case = desk("asker").ask()
    tell(cast, "provider", "转办", kind="task", instance_id=case, task_id=1)
    tell(cast, "provider", "进展", instance_id=case)
    tell(cast, "provider", "日历", kind="calendar")
    provider = desk("provider")
    provider.get("/notices")
    assert [provider.post(f"/notices/{number}/open").location for number in (1, 2, 3)] == ["/tasks/1", f"/cases/{case}", "/notices"]
    assert live(provider)["counts"]["notices"] == 0


def test_a_notice_of_somebody_else_cannot_be_opened(desk: Desks, cast: Cast) -> None:
    tell(cast, "provider", "转办", kind="task", task_id=1)
    asker = desk("asker")
    assert asker.post("/notices/1/open").status_code == 404
    assert live(desk("provider"))["counts"]["notices"] == 1


# -- what one may set -------------------------------------------------------------------------


def test_a_person_sets_what_reaches_them_where_and_when(app: Flask, cast: Cast, settings: Settings, desk: Desks) -> None:
    cast.store.channels = frozenset({"mail", "webhook"})
    with cast.store.work() as work:
        work.session.execute(update(Account).where(Account.login == "provider").values(email="provider@example.gov.cn"))
    provider = desk("provider")
    page = text_of(provider.get("/notices/settings"))
    assert "provider@example.gov.cn" in page and "本系统未开通短信" in page and 'name="case.sms"' not in page
    assert 'name="urge.page"' not in page, "an urge always shows"
    answer = provider.post("/notices/settings", {"case.mail": "digest", "new_task.page": "at_once", "digest_time": "16:30"})
    assert answer.status_code == 303
    page = text_of(provider.get("/notices/settings"))
    assert '<option value="digest" selected>' in page and 'value="16:30"' in page
    assert 'name="quiet" value="true" aria-describedby="help-quiet">' in page, "not ticked"


def test_a_time_that_is_none_comes_back_at_its_field_and_changes_nothing(desk: Desks) -> None:
    provider = desk("provider")
    provider.get("/notices/settings")
    refused = provider.post("/notices/settings", {"quiet": "true", "digest_time": "早上"})
    assert refused.status_code == 422 and "请填写汇总时间" in text_of(refused) and 'value="早上"' in text_of(refused)
    assert provider.post("/notices/settings", {"urge.page": "off", "digest_time": "08:30"}).status_code == 422
    assert 'value="08:30"' in text_of(provider.get("/notices/settings"))


# -- what an open page asks for ---------------------------------------------------------------


def test_an_open_page_learns_of_what_came_since_and_of_nothing_twice(desk: Desks, cast: Cast) -> None:
    tell(cast, "provider", "早先的", kind="urge")
    provider = desk("provider")
    first = live(provider)
    assert first["counts"] == {"mine": 0, "posts": 0, "copies": 0, "notices": 1} and first["fresh"] == []
    tell(cast, "provider", "催办：受理", kind="urge")
    tell(cast, "asker", "别人的", kind="urge")
    second = live(provider, first["newest"])
    assert second["fresh"] == [{"id": 2, "title": "催办：受理"}]
    assert live(provider, second["newest"])["fresh"] == []
    assert live(provider)["fresh"] == [], "who asks for the first time is told of nothing old"
    for bad in ("-1", "x", "9" * 30, "１"):
        assert provider.get(f"/live?since={bad}", **AS_SCRIPT).status_code == 200


def test_of_many_only_the_newest_are_told(desk: Desks, cast: Cast) -> None:
    provider = desk("provider")
    for number in range(9):
        tell(cast, "provider", f"催办{number}", kind="urge")
    assert [notice["title"] for notice in live(provider, 0)["fresh"]] == ["催办6", "催办7", "催办8"]


def test_what_has_not_changed_is_not_sent_again(desk: Desks, cast: Cast) -> None:
    provider = desk("provider")
    answer = provider.get("/live", **AS_SCRIPT)
    tag = {"headers": {"Accept": "application/json", "If-None-Match": answer.headers["ETag"]}}
    again = provider.get("/live", **tag)
    assert (again.status_code, again.data) == (304, b"")
    tell(cast, "provider", "催办", kind="urge")
    assert provider.get("/live", **tag).status_code == 200


def test_asking_does_not_keep_a_session_alive(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    """A browser that was left open asks every ten seconds; after half an hour without its person it is signed out all the same."""
    provider = desk("provider")
    for _ in range(29):
        clock.to(clock.now() + timedelta(minutes=1))
        assert provider.get("/live", **AS_SCRIPT).status_code == 200
    with cast.store.read() as session:
        assert (clock.now() - session.scalars(select(SignIn.seen_at)).one()).total_seconds() >= 29 * 60
    clock.to(clock.now() + timedelta(minutes=1))
    ended = provider.get("/live", **AS_SCRIPT)
    assert ended.status_code == 401 and "重新登录" in ended.get_json()["message"]


# -- the operator's pages ---------------------------------------------------------------------


def test_the_operator_enters_a_robot_whose_address_never_comes_back(desk: Desks, cast: Cast) -> None:
    operator = desk("sysadmin")
    unit = "1"
    operator.get("/robots")
    refused = operator.post("/robots", {
        "unit_id": unit, "channel": "wecom", "name": "业务群", "url": "https://evil.example.org/send?key=b7d1-key", "secret": "SEC-b7d1-key",
    })  # fmt: skip
    assert refused.status_code == 422 and "业务群" in text_of(refused) and "b7d1-key" not in text_of(refused)
    good = {"unit_id": unit, "channel": "wecom", "name": "业务群", "url": "https://qyapi.weixin.qq.com/send?key=b7d1-key"}
    assert operator.post("/robots", good).status_code == 303
    assert operator.post("/robots/1/test").status_code == 303
    page = text_of(operator.get("/robots"))
    assert "qyapi.weixin.qq.com" in page and "b7d1-key" not in page
    assert operator.post("/robots/1/switch", {"active": "false"}).status_code == 303
    assert operator.post("/robots/1/test").status_code == 422
    assert operator.post("/robots/1/remove").status_code == 303
    assert operator.post("/robots/1/remove").status_code == 404


def test_the_operator_sees_dead_letters_and_has_them_tried_again_or_gives_them_up(desk: Desks, cast: Cast) -> None:
    with cast.store.work() as work:
        for key in ("one", "two"):
            post(work, "mail", f"{key}@example.gov.cn", {"kind": "urge", "subject": "不可见的标题", "text": "不可见的内容"}, key)
        work.session.execute(update(OutboxLetter).values(state="dead", attempts=16, error="Failed: 550 <one@example.gov.cn>"))
    operator = desk("sysadmin")
    assert "等待投递 0，投递失败 2" in text_of(operator.get("/operations"))
    page = text_of(operator.get("/operations/letters"))
    assert "o***@example.gov.cn" in page and "one@example" not in page and "不可见" not in page
    assert operator.post("/operations/letters/1/give-up", {"reason": ""}).status_code == 422
    assert operator.post("/operations/letters/1/give-up", {"reason": "已离职"}).status_code == 303
    assert operator.post("/operations/letters/2/redeliver").status_code == 303
    assert operator.post("/operations/letters/2/redeliver").status_code == 409
    assert "没有投递失败的信件" in text_of(operator.get("/operations/letters"))
    assert "t***@example.gov.cn" in text_of(operator.get("/operations/letters?state=waiting"))
    assert operator.post("/operations/letters/redeliver", {"channel": "mail"}).status_code == 303


def test_without_any_host_for_robots_the_page_says_so(cast: Cast, settings: Settings) -> None:
    app = create_app(cast.store, replace(settings, robot_origins=frozenset()))
    operator = Desk(app.test_client())
    operator.sign_in("sysadmin")
    assert "已关闭群机器人" in text_of(operator.get("/robots"))
