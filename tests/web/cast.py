"""The cast of the page tests: three departments, the office, the platform, the auditor and the administrators.

Everybody signs in with the password `PASSWORD`. People are named by what they do, units by the demo town's codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.people.accounts import create_account
from engine.people.actor import Actor, load_actor
from engine.people.passwords import hash_password
from engine.people.units import create_unit, set_body
from engine.process.definitions import deploy_rule_set
from engine.process.editions import load_shipped_notices
from engine.sharing import registry
from engine.sharing.catalogue import add_resource
from engine.sharing.negative_list import enter
from engine.store.clock import shanghai
from engine.store.store import Store

assert registry  # imported so that the diagrams' operations are known

PASSWORD = "Sharing-2026"
RULES = Path(__file__).resolve().parents[2] / "bpmn" / "liaoyang_2018"

#: code → name, short name, bodies
UNITS = {
    "001": ("辽阳市人民政府办公室", "府办", ("leading_group", "city_government")),
    "007": ("市民政局", "民政", ()),
    "008": ("市司法局", "司法", ("justice",)),
    "013": ("市住房和城乡建设局", "住建", ()),
    "014": ("市交通运输局", "交通", ()),
    "019": ("市审计局", "审计", ("audit",)),
    "024": ("市经济发展和创新服务中心", "经发中心", ("leadership_office", "platform")),
}

#: login → name, unit, posts. The first letter of each pair of departments is the same: who asks, who provides.
PEOPLE = {
    "asker": ("钱民政", "007", ("handler", "intake")),
    "asker_head": ("李民政", "007", ("head",)),
    "provider": ("李住建", "013", ("handler", "intake", "cataloguer")),
    "provider_reviewer": ("周住建", "013", ("business_reviewer", "security_reviewer")),
    "provider_head": ("吴住建", "013", ("head",)),
    "outsider": ("冯交通", "014", ("handler", "intake")),
    "office": ("周经发", "024", ("handler",)),
    "office_reviewer": ("孙经发", "024", ("reviewer",)),
    "office_head": ("郑经发", "024", ("head",)),
    "supervisor": ("王经发", "024", ("supervisor",)),
    "operator": ("赵平台", "024", ("platform_operator",)),
    "editor": ("冯流程", "024", ("process_admin",)),
    "approver": ("陈流程", "024", ("process_approver",)),
    "member": ("钱府办", "001", ("leading_group_member",)),
    "recorder": ("李府办", "001", ("recorder",)),
    "lawyer": ("周司法", "008", ("legal_reviewer",)),
    "auditor": ("郑审计", "019", ("auditor",)),
    "sysadmin": ("王系统", "024", ("system_admin",)),
    "secadmin": ("冯安全", "024", ("security_admin",)),
    "auditadmin": ("陈审计", "024", ("audit_admin",)),
}

HOUSING = "209001/000001"
PERMITS = "209001/000002"
STATISTICS = "3070211000013/000001"


@dataclass(frozen=True)
class Cast:
    """The people in their database."""

    store: Store
    ids: dict[str, int]

    def actor(self, login: str) -> Actor:
        """A person of the cast, as known now."""
        with self.store.read() as session:
            found = load_actor(session, self.ids[login])
        assert found is not None
        return found


def assemble(store: Store) -> Cast:
    """Fills an empty database with the cast, the calendar, the rule set and a small catalogue."""
    units = {code: create_unit(store, code, name, actor=None, short=short) for code, (name, short, _) in UNITS.items()}
    for code, (_, _, bodies) in UNITS.items():
        for body in bodies:
            set_body(store, body, units[code], actor=None)
    ids = {
        login: create_account(
            store, login, name, units[code], actor=None, password_hash=one_hash(), appointments=[(units[code], post) for post in posts]
        )
        for login, (name, code, posts) in PEOPLE.items()
    }
    with store.work() as work:
        load_shipped_notices(work)
        deploy_rule_set(work, RULES, shanghai("2018-11-26"))
        common = {
            "kind": "theme", "provider_id": units["013"], "format": "数据库", "update_cycle": "每月", "update_deadline": "次月5日",
            "open_to_public": False, "state": "published",
        }  # fmt: skip
        add_resource(
            work, code=HOUSING, summary="首次编目", class_code="209001", name="公租房保障对象", sharing_class="conditional",
            conditions="住房保障、救助核验；按人核验", method="联机查询", items=["姓名", "公民身份号码", "保障方式", "房屋坐落"], **common,
        )  # fmt: skip
        add_resource(
            work, code=PERMITS, summary="首次编目", class_code="209001", name="商品房预售许可", sharing_class="unconditional",
            conditions="", method="批量下载", items=["许可证号", "项目名称"], **common,
        )  # fmt: skip
        secret = add_resource(
            work, code=STATISTICS, summary="首次编目", class_code="3070211000013", name="建筑业企业单户统计报表",
            sharing_class="withheld", conditions="", method="", items=["企业名称", "从业人数", "营业收入"], **common,
        )  # fmt: skip
        enter(
            work.session, secret, at=work.now, instance_id=None, note="首次编制清单", state="listed", basis_type="law",
            basis="中华人民共和国统计法", article="第二十八条", text="统计调查中获得的能够识别或者推断单个统计调查对象身份的资料，任何单位和个人不得对外提供、泄露。",
            reason="逐户数据无法脱敏后使用", valid_until=None, closed_at=None,
        )  # fmt: skip
    return Cast(store, ids)


@lru_cache(maxsize=1)
def one_hash() -> str:
    """One hash for everybody: hashing is slow on purpose."""
    return hash_password(PASSWORD)
