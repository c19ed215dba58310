"""The kinds of notices, their names, and how each reaches people who have said nothing else.

The channels that a person may choose for are the page, mail and short messages. Group robots belong to units: which kinds
they announce is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: Channels of a person, in the order of the screens.
CHANNELS: Mapping[str, str] = MappingProxyType({"page": "页面", "mail": "邮件", "sms": "短信"})
#: Channels of a unit's robots.
ROBOTS: Mapping[str, str] = MappingProxyType({"wecom": "企业微信", "dingtalk": "钉钉"})
#: How a notice may reach a person. `always` does not wait for working hours.
MODES: Mapping[str, str] = MappingProxyType({"always": "立即（含非工作时间）", "at_once": "立即", "digest": "每日汇总", "off": "不发"})
#: What of it makes sense by which channel: the page disturbs nobody, and a digest of short messages is none.
OFFERED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "page": ("at_once", "off"), "mail": ("always", "at_once", "digest", "off"), "sms": ("always", "at_once", "off"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice; `page`, `mail` and `sms` are the modes of who has chosen nothing."""

    key: str
    name: str
    help: str
    page: str = "at_once"
    mail: str = "at_once"
    sms: str = "off"
    robot: bool = False
    """Whether the robots of a unit announce it when it is for a post of theirs."""
    must: bool = False
    """Whether it always shows in the page: a person's own work depends on it."""

    def mode(self, channel: str) -> str:
        """The default mode of a channel."""
        return {"page": self.page, "mail": self.mail, "sms": self.sms}[channel]

    def offered(self, channel: str) -> tuple[str, ...]:
        """The modes that a person may choose for a channel."""
        return ("at_once",) if channel == "page" and self.must else OFFERED[channel]


_ALL = (
    Kind("new_task", "新待办", "岗位有新的待办，或者待办直接分到本人", page="off", mail="off", robot=True),
    Kind("task", "交办", "转办、委派、交回、退回、加签到本人的待办，以及对待办时限的调整", robot=True, must=True),
    Kind("urge", "催办", "他人催办本人或者本岗位的待办", robot=True, must=True),
    Kind("copy", "抄送", "他人抄送给本人的办件", mail="digest"),
    Kind("reminder", "临期提醒", "待办临近截止日", robot=True, must=True),
    Kind("escalation", "逾期升级", "待办逾期后的升级提醒", robot=True, must=True),
    Kind("case", "办件动态", "与本单位有关的办件、资源和授权的变化", robot=True),
    Kind("calendar", "工作日历", "放假安排的录入、确认以及由此引起的截止日变化"),
    Kind("workshop", "流程发布", "发布申请的提出和审批"),
    Kind("absence", "请假代理", "请假和代理的开始、结束"),
)

#: Kind → what it is; in the order of the screens.
KINDS: Mapping[str, Kind] = MappingProxyType({kind.key: kind for kind in _ALL})


def kind_of(key: str) -> Kind:
    """A kind by its key; one that is not known any more (of an old row) goes as news of a case."""
    return KINDS.get(key, KINDS["case"])
