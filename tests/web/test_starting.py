"""The start page: what it offers, and what it says where nothing may be started now."""

from __future__ import annotations

from collections.abc import Callable

from engine.process.definitions import in_force
from engine.process.outside.versions import set_suspended
from tests.web.cast import HOUSING, Cast
from tests.web.desk import REQUEST, Desk, text_of

START = f"/start/conditional_share?resource_code={HOUSING}"


def _switch(cast: Cast, suspended: bool) -> None:
    with cast.store.read() as session:
        version = in_force(session, "conditional_share", cast.store.clock.now()).id
    set_suspended(cast.store, [version], suspended, actor=cast.actor("approver"))


def test_a_suspended_version_is_not_offered_and_its_form_says_why(desk: Callable[[str], Desk], cast: Cast) -> None:
    asker = desk("asker")
    assert START in text_of(asker.get(f"/catalogue/{HOUSING}"))
    _switch(cast, True)
    assert "/start/conditional_share" not in text_of(asker.get(f"/catalogue/{HOUSING}")), "a button that can only be refused"
    page = asker.get(START)
    assert page.status_code == 409 and "已停用" in text_of(page), "before anybody fills in a long form for nothing"
    _switch(cast, False)
    assert asker.get(START).status_code == 200


def test_what_was_typed_survives_a_suspension_meanwhile(desk: Callable[[str], Desk], cast: Cast) -> None:
    asker = desk("asker")
    asker.get(START)
    _switch(cast, True)
    answer = asker.post("/start/conditional_share", {**REQUEST, "resource_code": HOUSING})
    assert answer.status_code == 409 and "已停用" in text_of(answer) and str(REQUEST["scenario"]) in text_of(answer)
    _switch(cast, False)
    again = asker.post("/start/conditional_share", {**REQUEST, "resource_code": HOUSING})
    assert again.status_code == 303, "the same page can be sent again"
