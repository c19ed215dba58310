"""负面清单异议 in a real browser, from the objection to the request that it makes possible (article 22), on real dates of 2026."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.desk import DESK, PHONE, Axe, diagram, does, fill_in, fits, open_task
from tests.town import Town

TAXES = "3070211000026/000001"


def objects(page: Page) -> None:
    """Finds the entry on the negative list and disputes it."""
    page.get_by_role("link", name="负面清单").click()
    page.get_by_label("资源名称、代码或依据").fill("企业纳税")
    page.get_by_role("button", name="查询").click()
    page.get_by_role("link", name=re.compile("企业纳税明细")).click()
    page.get_by_role("link", name="提出异议").click()
    reason = "同法第六条要求与其他管理机关共享信息。"
    fill_in(page, {"异议类型": "依据不足", "异议理由": reason, "承诺：本异议及附件不涉及国家秘密": True})
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("已发起，事项已转入下一环节")).to_be_visible()


def test_an_objection_is_upheld_and_the_objector_asks_for_the_data(
    town: Town, officer: Callable[..., Page], axe: Axe
) -> None:
    town.passes_until("2026-09-24 10:00")
    objector = officer("007", "handler")
    objects(objector)
    case = objector.url
    expect(objector.get_by_text("2026-10-29（周四） 24:00")).to_be_visible()  # the whole review
    town.passes_until("2026-09-29 10:00")
    office = officer("024", "handler")
    office.goto("/inbox/posts")
    expect(office.locator("tbody tr", has_text="受理审查")).to_contain_text("2026-09-29（周二）")
    open_task(office, "受理审查")
    assert axe(office) == []
    does(office, "受理审查", {"是否受理": "受理", "参加论证的单位": ("市司法局", "市委网信办")})
    objector = officer("007", "handler")
    objector.goto("/negative-list")
    expect(objector.get_by_role("row", name=re.compile("企业纳税明细"))).to_contain_text("异议审核中")
    provider = officer("026", "cataloguer")
    provider.goto("/inbox/posts")
    expect(provider.locator("tbody tr", has_text="举证")).to_contain_text("2026-10-12（周一）")
    does(provider, "举证", {"对异议的意见": "依据成立，应当维持", "举证说明": "纳税人的商业秘密应当保密。"})
    for unit, finding in (("008", "依据不成立，可以共享"), ("025", "部分数据项可以共享")):
        does(officer(unit, "expert"), "论证", {"论证结论": finding, "论证意见": "核验式返回即可。"})
    town.passes_until("2026-10-29 10:00")
    head = officer("024", "head")
    open_task(head, "办公室审核意见")
    expect(head.locator("main")).to_contain_text("纳税人的商业秘密应当保密。")
    now = diagram(head).locator(".diagram-step-now")
    expect(now).to_have_count(1)
    expect(now).to_contain_text("办公室审核意见")
    answers = {"审核结论": "移出负面清单", "移出后的共享类型": "有条件共享", "理由": "同法第六条要求共享。", "是否存在重大分歧": "否"}
    does(head, "办公室审核意见", answers)
    does(officer("026", "cataloguer"), "执行审核决定", {"共享条件": "救助核对；按人核验", "共享方式": "联机查询"})
    objector = officer("007", "handler")
    objector.goto(case)
    expect(objector.locator(".page-head")).to_contain_text("移出")
    assert axe(objector) == []
    objector.get_by_role("link", name=re.compile("审核决定书")).first.click()
    expect(objector.locator("article.sheet")).to_contain_text("移出负面清单，调整为有条件共享")
    assert axe(objector) == []
    objector.goto(case)
    objector.get_by_role("link", name="申请共享").click()
    expect(objector.get_by_role("heading", name="有条件共享申请", level=1)).to_be_visible()
    expect(objector.locator("main")).to_contain_text("企业纳税明细")
    for size in (DESK, PHONE):
        objector.set_viewport_size(size)
        for path in (f"/catalogue/{TAXES}", "/negative-list", case):
            objector.goto(path)
            assert axe(objector) == [], path
            assert fits(objector), f"{path} is wider than {size['width']} px"
        objector.goto("/negative-list?state=closed")
        expect(objector.locator("tbody")).to_contain_text("企业纳税明细")
        objector.goto(f"/catalogue/{TAXES}")
        expect(objector.locator(".page-head")).to_contain_text("有条件共享")
        expect(objector.get_by_role("link", name="申请共享")).to_be_visible()
