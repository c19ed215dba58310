"""History entries in words: what the timeline says of each act. The record itself keeps keys and values, not sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.process.definitions import Deployed
from engine.store.clock import SHANGHAI

_ROLES = {"deadline": "时限到期", "reminder": "临期提醒", "escalation": "逾期升级", "timer": "定时到期"}
_TITLES = {"started": "发起办件", "message": "收到消息", "child_ended": "下级办件已办结", "terminated": "终止办件",
           "suspended": "暂停办理", "resumed": "恢复办理", "start_withdrawn": "撤回发起", "given_up": "发起人撤回办件",
           "corrected": "更正数据"}


def tell(act: str, data: Mapping[str, Any], definition: Deployed) -> tuple[str, list[str]]:
    """A title and detail lines for an entry of an instance."""
    return _title(act, data), [*_set_by_hand(act, data), *_details(data)]


def _title(act: str, data: Mapping[str, Any]) -> str:
    name = data.get("name", "")
    if act == "completed":
        stead = f"（代{data['for']}）" if data.get("for") else ""
        return f"办结“{name}”{stead}" + ("（逾期办结）" if data.get("late") else "")
    if act == "returned":
        return f"退回：由“{name}”退回“{data.get('to_name') or '发起人'}”"
    if act == "withdrawn":
        return f"撤回“{name}”的办结"
    if act == "timer_fired":
        role = str(data.get("role"))
        what = name if role == "timer" else data.get("activity")
        return f"{_ROLES.get(role, '定时')}：{what or name}"
    if act == "claimed":
        return f"签收“{name}”"
    if act == "unclaimed":
        return f"放回“{name}”"
    if act == "external_completed":
        return f"外部程序办结“{name}”"
    if act == "external_error":
        return f"外部程序报告“{name}”未能办成（{data.get('error')}）"
    if act == "external_failed":
        return f"外部程序办理“{name}”失败"
    if act == "external_retries":
        return f"安排外部程序再次办理“{name}”"
    if act == "signal":
        return f"收到信号“{data.get('signal')}”" + (f"（由{data['from']}发出）" if data.get("from") else "")
    if act == "redated":
        return f"日历更新，重新推算时限（{data.get('cause', '')}）"
    if act in _BY_HAND:
        return f"{_BY_HAND[act]}{_WHATS.get(str(data.get('role')), '定时')}：{data.get('activity', '')}"
    if act == "migrated":
        return f"迁移：由第{data.get('from_version')}版改按第{data.get('to_version')}版办理"
    if act == "removal_time_set":
        return f"保管期限改为{_until(data['to']) + '止' if data.get('to') else '永久'}"
    if act in _VERBS:
        return _VERBS[act](name, data)
    return _TITLES.get(act, act)


_BY_HAND = {"due_set": "手工调整", "due_counted": "恢复按日历推算"}
_WHATS = {"deadline": "时限", "reminder": "提醒", "escalation": "升级"}


def _set_by_hand(act: str, data: Mapping[str, Any]) -> list[str]:
    """From when to when, where the lines about deadlines do not say it."""
    if act not in _BY_HAND or data.get("deadlines") or not data.get("from") or not data.get("to"):
        return []
    return [f"仍为{_until(data['to'])}"] if data["from"] == data["to"] else [f"由{_until(data['from'])}调整为{_until(data['to'])}"]


def words_of(act: str, data: Mapping[str, Any]) -> str | None:
    """What a person wrote or judged in an entry; only for readers who may see opinions."""
    said: str | None = data.get("opinion") or data.get("reason") or data.get("note") or None
    if act == "signed" and "stance" in data:
        return "：".join(filter(None, [_STANCES.get(data["stance"], ""), said]))
    return said


def _to(data: Mapping[str, Any]) -> str:
    """Who got it, and in whose stead."""
    return f"{data.get('to', '')}" + (f"（代{data['for']}）" if data.get("for") else "")


_SIGNINGS = {"before": "前加签", "beside": "并加签", "after": "后加签"}
_STANCES = {"agree": "同意", "disagree": "不同意"}
_GIVEN_BACK = {"objected": "后加签人不同意", "refused": "填写内容已不再有效"}
#: The verbs of the desk that move no token.
_VERBS: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "transferred": lambda name, data: f"将“{name}”转办给{_to(data)}",
    "delegated": lambda name, data: f"将“{name}”委派给{_to(data)}办理",
    "handed_back": lambda name, data: f"将“{name}”交回{data.get('to', '')}",
    "taken_back": lambda name, data: f"收回委派给{data.get('from', '')}的“{name}”",
    "signer_added": lambda name, data: f"“{name}”{_SIGNINGS.get(data.get('signing', ''), '加签')}：{data.get('people', '')}",
    "signer_removed": lambda name, data: f"“{name}”减签：{data.get('person', '')}",
    "signed": lambda name, data: f"签署“{name}”",
    "held": lambda name, data: f"提交“{name}”，待{data.get('waits', '')}签署",
    "given_back": lambda name, data: f"“{name}”交还经办人（{_GIVEN_BACK.get(data.get('why', ''), '')}）",
    "urged": lambda name, data: f"催办“{name}”",
    "copied": lambda name, data: f"抄送给{data.get('people', '')}",
    "commented": lambda name, data: f"在“{name}”留言",
    "attached": lambda name, data: f"为“{name}”添加附件",
    "copy_read": lambda name, data: "阅办抄送",
    "stand_in": lambda name, data: f"{data.get('from', '')}请假，“{name}”改由{data.get('to') or '岗位其他人员'}{'代' if data.get('to') else ''}办",
    "released": lambda name, data: f"{data.get('from', '')}已不在该岗位，“{name}”{'交由' + data['to'] + '办理' if data.get('to') else '待签收'}",
    "came_back": lambda name, data: f"{data.get('to', '')}销假，“{name}”由{data.get('from') or '岗位'}交回",
}


def _details(data: Mapping[str, Any]) -> list[str]:
    lines = [_decided(fact) for fact in data.get("countersigned", ())]
    for task in data.get("opened", ()):
        until = f"，{_until(task['due'])}前办结" if task.get("due") else ""
        lines.append(f"转入“{task['name']}”{until}{'（暂定）' if task.get('provisional') else ''}{_given(task)}")
    for step in data.get("outside", ()):
        lines.append(f"“{step['name']}”交由外部程序办理（{step['topic']}）")
    for change in data.get("changes", ()):
        before, after = (f"“{text}”" if text else "空" for text in change["words"])
        lines.append(f"“{change['label']}”由{before}改为{after}")
    if data.get("changes") and data.get("title"):
        lines.append(f"办件名称改为“{data['title']}”")
    lines += [f"发出信号“{fact['signal']}”" for fact in data.get("thrown", ())]
    decided = {fact["step"] for fact in data.get("countersigned", ())}
    lines += [f"“{task['name']}”已撤销" for task in data.get("cancelled", ()) if task["step"] not in decided]
    for clock in data.get("clocks", ()):
        why = f"（“{clock['by']}”期间）" if clock.get("by") else ""
        lines.append(f"“{clock['activity']}”{'暂停计时' if clock['what'] == 'paused' else '恢复计时'}{why}")
    for fact in data.get("extended", ()):
        lines.append(f"“{fact['activity']}”的时限延长{fact['days']}个工作日（环节“{fact['by']}”）")
    for change in data.get("deadlines", ()):
        lines += _deadline(change)
    lines += _migrated(data)
    if data.get("worker"):
        lines.append(f"外部程序：{data['worker']}")
    if "retries" in data:
        lines.append(f"还可办理{data['retries']}次" if data["retries"] else "不再重试，等待运维人员处理")
    for child in data.get("children", ()):
        lines.append(f"启动{child['number']}")
    if data.get("outcome") and "passed" in data:
        lines.append(f"办件办结：{data['outcome']}")
    return lines


def _given(task: Mapping[str, Any]) -> str:
    """To whom the diagram gives a task, and who has it in their stead."""
    if not task.get("person"):
        return ""
    if "stand_in" not in task:
        return f"，由{task['person']}办理"
    return f"，应由{task['person']}办理，请假期间" + (f"由{task['stand_in']}代理" if task["stand_in"] else "无人代理，由本岗位办理")


def _decided(fact: Mapping[str, Any]) -> str:
    """How a countersign came out; the tasks that it withdraws are told with it."""
    if not fact["total"]:
        return f"会签结果已定：“{fact['name']}”没有会签人，视为未通过"
    left = fact["total"] - fact["yes"] - fact["no"]
    rest = f"，其余{left}份不再办理" if left else ""
    return f"会签结果已定：“{fact['name']}”{'通过' if fact['passed'] else '未通过'}（同意{fact['yes']}份，不同意{fact['no']}份，共{fact['total']}份{rest}）"


def _migrated(data: Mapping[str, Any]) -> list[str]:
    """What another version changed in a case that goes on under it."""
    lines = [
        f"“{fact['name']}”改为“{fact['to_name']}”" for fact in data.get("moved", ()) if fact["name"] != fact["to_name"]
    ]
    for fact in data.get("reassigned", ()):
        lines.append(f"“{fact['name']}”改由其他单位或岗位承办")
        if fact.get("released"):
            lines.append(f"{fact['released']}对“{fact['name']}”的签收已解除")
    said = {"added": "增加", "removed": "取消", "changed": "改变", "counted": "不再按手工调整的日期，恢复推算"}
    roles = {"deadline": "时限", "reminder": "提醒", "escalation": "升级", "timer": "定时"}
    for fact in data.get("timers", ()):
        lines.append(f"“{fact['activity']}”{said[fact['what']]}{roles.get(fact['role'], '定时')}{_days(fact)}")
    return lines


def _days(fact: Mapping[str, Any]) -> str:
    """From how many working days to how many a limit was changed, where it is a number of working days."""
    before, after = (fact.get(end, {}).get("working_days") for end in ("from", "to"))
    if before is None or after is None:
        return ""
    more = f"，含已延长的{fact['extended']}个工作日" if fact.get("extended") else ""
    return f"（{before}个工作日改为{after}个工作日{more}）"


def _deadline(change: Mapping[str, Any]) -> list[str]:
    if not change.get("to"):
        return []
    if change.get("kept"):
        return [f"“{change['activity']}”按新日历应为{change['computed_day']}截止，时间提前，保留原截止日{_until(change['to'])}"]
    if change.get("from") == change["to"]:
        return [f"“{change['activity']}”的截止日{_until(change['to'])}{'改为暂定' if change.get('provisional') else '已确定，不再暂定'}"]
    moved = f"由{_until(change['from'])}调整为" if change.get("from") else "为"
    return [f"“{change['activity']}”的截止日{moved}{_until(change['to'])}{'（暂定）' if change.get('provisional') else ''}"]


def _until(instant: str) -> str:
    """The last day of an exclusive end, as people say it: 2026-03-03T00:00 is “3月2日24时”."""
    moment = datetime.fromisoformat(instant).astimezone(SHANGHAI)
    if moment.hour == 0 and moment.minute == 0:
        last = datetime.fromtimestamp(moment.timestamp() - 1, SHANGHAI)
        return f"{last.year}年{last.month}月{last.day}日24时"
    return f"{moment.year}年{moment.month}月{moment.day}日{moment:%H:%M}"
