"""群机器人: which units' groups are told that there is something. An address goes in here, and never comes out again."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.process.notifying import robots as robots_
from engine.process.notifying.kinds import ROBOTS
from engine.store.errors import Invalid
from web.context import me, origin, settings, store

page = Blueprint("robots", __name__)

#: What comes back in a refused form: neither the address nor the secret.
SHOWN = ("unit_id", "channel", "name")


@page.get("/robots")
def robots() -> str:
    """All robots, and the form for a new one."""
    return _page()


@page.post("/robots")
def add() -> ResponseReturnValue:
    """Enters a robot."""
    given = {name: request.form.get(name, "") for name in (*SHOWN, "url", "secret")}
    try:
        robots_.add_robot(
            store(), actor=me(), unit_id=int(given["unit_id"]) if given["unit_id"].isascii() and given["unit_id"].isdigit() else None,
            channel=given["channel"], name=given["name"], url=given["url"], secret=given["secret"],
            origins=settings().robot_origins, origin=origin(),
        )  # fmt: skip
    except Invalid as refusal:
        return _page(typed={name: given[name] for name in SHOWN}, errors=refusal.fields), 422
    flash("机器人已添加，可以发送一条测试消息。", "success")
    return redirect("/robots", 303)


@page.post("/robots/<int:robot_id>/test")
def test(robot_id: int) -> ResponseReturnValue:
    """Has the robot say that it works."""
    robots_.try_robot(store(), robot_id, actor=me(), origin=origin())
    flash("测试消息已提交，几秒内送达群聊；未送达的，见“待投信件”。", "success")
    return redirect("/robots", 303)


@page.post("/robots/<int:robot_id>/switch")
def switch(robot_id: int) -> ResponseReturnValue:
    """Silences a robot, or lets it speak again."""
    robots_.switch_robot(store(), robot_id, actor=me(), active=request.form.get("active") == "true", origin=origin())
    return redirect("/robots", 303)


@page.post("/robots/<int:robot_id>/remove")
def remove(robot_id: int) -> ResponseReturnValue:
    """Forgets a robot and its key."""
    robots_.remove_robot(store(), robot_id, actor=me(), origin=origin())
    flash("机器人已删除。", "success")
    return redirect("/robots", 303)


def _page(*, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with store().read() as session:
        found = robots_.robots(session, me())
        units = robots_.units_for_robots(session, me())
    hosts = sorted(origin.removeprefix("https://") for origin in settings().robot_origins)
    return render_template(
        "robots/page.html", robots=found, units=units, channels=ROBOTS, hosts=hosts, typed=typed or {}, errors=errors or {}
    )
