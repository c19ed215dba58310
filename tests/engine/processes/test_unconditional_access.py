"""无条件共享获取: what is shared without conditions is taken directly, without anybody's consent (article 15)."""

from __future__ import annotations

from datetime import date

import pytest

from engine.sharing import grants
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed
from tests.engine.processes.cataloguing import PERMITS, takes
from tests.engine.processes.oversight import told
from tests.town import HOUSING, Town

#: 道路运输经营许可 of 014, business data, hence supplied by 014 itself.
TRANSPORT = "3070211000014/000001"


def test_it_is_granted_in_the_same_minute_and_the_case_is_closed(town: Town) -> None:
    case = takes(town, at="2026-03-10 09:30", requested_fields=["许可证号", "项目"])
    sheet = town.sheet(case)
    assert (sheet.state, sheet.outcome, sheet.outcome_name, sheet.tasks) == ("completed", "subscribed", "已订阅", [])
    with town.store.read() as session:
        (grant,) = grants.search(session, town.officer("007", "handler"), today=date(2026, 3, 10), resource=PERMITS).lines
    assert (grant.fields, grant.use, grant.granted_at) == (("许可证号", "项目"), "数据校核", shanghai("2026-03-10 09:30"))
    assert (grant.valid_until, grant.conditions, grant.instance_id) == (None, "", case)
    assert told(town, "007", "handler") == ["已订阅无条件共享资源"]


def test_whoever_supplies_is_told(town: Town) -> None:
    takes(town, at="2026-03-10 09:30")
    assert told(town, "024", "platform_operator") == ["无条件共享资源已被订阅"]
    takes(town, resource=TRANSPORT)
    assert told(town, "014", "intake") == ["无条件共享资源已被订阅"]


def test_a_county_takes_it_like_a_department(town: Town) -> None:
    assert town.sheet(takes(town, "902", at="2026-03-10 09:30")).outcome == "subscribed"


def test_a_unit_subscribes_once(town: Town) -> None:
    takes(town, at="2026-03-10 09:30")
    with pytest.raises(Invalid) as refused:
        takes(town)
    assert refused.value.fields == {"resource_code": "本单位已订阅“商品房预售许可”（共享授权〔2026〕1号）"}


@pytest.mark.parametrize(
    ("unit", "resource", "sentence"),
    [("007", HOUSING, "有条件共享类"), ("007", "202001/000003", "不予共享类"), ("013", PERMITS, "由本单位提供"), ("007", "3070211000014/000002", "依据不足")],
)
def test_nothing_else_is_taken_directly(town: Town, unit: str, resource: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        takes(town, unit, resource, at="2026-03-10 09:30")
    assert sentence in refused.value.fields["resource_code"]


def test_the_undertakings_are_part_of_it(town: Town) -> None:
    with pytest.raises(Invalid) as refused:
        takes(town, at="2026-03-10 09:30", promise_no_third_party=False, promise_no_secrets=False, use=None)
    assert set(refused.value.fields) == {"promise_no_third_party", "promise_no_secrets", "use"}


def test_an_auditor_takes_nothing(town: Town) -> None:
    with pytest.raises(NotAllowed):
        town.starts("unconditional_access", "019", "auditor", resource=PERMITS, at="2026-03-10 09:30")
