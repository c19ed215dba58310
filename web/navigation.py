"""The menu: only what the person may open. Every page asks the engine again; a hidden link protects nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.posts import POSTS
from engine.process.desk.counts import inbox_counts
from engine.store.errors import NotAllowed
from web.context import me, somebody, store

#: Pages that hang under another's place in the menu.
BELONGS = {
    "tasks": "inbox", "deadlines": "cases", "documents": "cases", "signature": "phrases",
    "drafts": "diagrams", "comparisons": "diagrams", "dry-runs": "diagrams", "back-tests": "diagrams", "imports": "diagrams",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """A link of the menu; `current` where the reader is in it now."""

    name: str
    href: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the menu with its links."""

    name: str
    entries: tuple[Item, ...]


def works_cases(actor: Actor) -> bool:
    """Whether tasks can ever come to this person."""
    return any(post in POSTS and POSTS[post].works_cases for post in actor.posts)


def require_working(actor: Actor) -> None:
    """Raises NotAllowed for somebody to whom no task can ever come."""
    if not works_cases(actor):
        raise NotAllowed


def home(actor: Actor) -> str:
    """The page that a person begins with."""
    if works_cases(actor):
        return "/inbox/mine"
    powers = permissions.powers(actor)
    if "see_all_cases" in powers:
        return "/cases"
    if powers & {"edit_diagrams", "approve_diagrams"}:
        return "/diagrams"
    return "/operations" if "operate" in powers else "/catalogue"


def menu(actor: Actor, path: str) -> list[Group]:
    """The menu of a person on the page at `path`."""
    groups: dict[str, list[Item]] = {}
    for group, name, href, icon in _entries(actor):
        section = "/" + href.split("/")[1]
        path = "/" + "/".join((BELONGS.get(path.split("/")[1], path.split("/")[1]), *path.split("/")[2:]))
        current = path == section or path.startswith(section + "/")
        groups.setdefault(group, []).append(Item(name, href, icon, current))
    return [Group(name, tuple(items)) for name, items in groups.items()]


def _entries(actor: Actor) -> Iterator[tuple[str, str, str, str]]:
    powers = permissions.powers(actor)
    working = works_cases(actor)
    if working:
        yield "工作台", "待办", "/inbox", "inbox"
    if working or powers & {"see_all_cases", "see_escalated"}:
        yield "工作台", "办件", "/cases", "list-details"
    if working:
        yield "工作台", "常用语与签名", "/phrases", "pencil"
    yield "工作台", "消息", "/notices", "bell"
    if working:
        yield "工作台", "请假代理", "/absences", "calendar-user"
    yield "信息资源", "资源目录", "/catalogue", "database"
    yield "信息资源", "负面清单", "/negative-list", "shield-off"
    if any(post in POSTS and POSTS[post].sees == "unit" for post in actor.posts):
        yield "信息资源", "本单位目录", "/own-catalogue", "folder"
    if "supervise" in powers:
        yield "监督", "总览", "/board", "dashboard"
        yield "监督", "督办", "/supervision", "alarm"
    if working or powers & {"see_all_cases", "see_escalated"}:
        yield "监督", "整改", "/rectifications", "gavel"
    if powers & {"propose_removals", "approve_removals", "see_all_cases"}:
        yield "监督", "保管与销毁", "/removals", "history"
    if any(post in POSTS and POSTS[post].sees == "unit" for post in actor.posts) or "see_all_cases" in powers:
        yield "定期工作", "报告", "/reports", "report"
        yield "定期工作", "评价", "/evaluations", "list-check"
    if working or "see_all_cases" in powers:
        yield "定期工作", "项目目录", "/projects", "sitemap"
    yield "定期工作", "工作日历", "/calendars", "calendar"
    yield "定期工作", "制度文件", "/rule-documents", "book-2"
    if powers & {"edit_diagrams", "approve_diagrams"}:
        yield "流程管理", "流程图", "/diagrams", "sitemap"
        yield "流程管理", "发布申请", "/proposals", "send"
        yield "流程管理", "办件迁移", "/migrations", "arrow-right"
    if "operate" in powers:
        yield "运维", "运行状况", "/operations", "settings"
        yield "运维", "事件推送", "/webhooks", "send"
        yield "运维", "群机器人", "/robots", "send"
    yield "接口", "访问令牌", "/tokens", "lock"
    yield "接口", "接口文档", "/interfaces", "file-text"


def waiting() -> dict[str, int]:
    """What waits for the reader, capped; asked once in a request, and only by a page that shows it."""
    if "counts" not in g:
        with store().read() as session:
            g.counts = inbox_counts(session, me())
    return dict(g.counts)


def install(app: Flask) -> None:
    """Gives every page its menu and its reader."""

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        actor = somebody()
        found: dict[str, Any] = {"actor": actor, "request_id": g.get("request_id", "")}
        if actor is not None:
            found["menu"] = menu(actor, request.path)
            found["waiting"] = waiting
        return found
