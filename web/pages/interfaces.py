"""接口文档: the API for people who write programs, printed from the same declarations as its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from engine.people.tokens import SCOPES
from web.api.routing import PREFIX, ROUTES, Route

page = Blueprint("interfaces", __name__)

#: How a route stands against the original API.
STANDS = {"same": "一致", "better": "更强", "partly": "部分", "own": "自有", "501": "不提供"}
_MEAN = {"一致": "与原接口相同", "更强": "相同并有所增加", "部分": "只覆盖一部分", "自有": "原接口没有", "不提供": "回答501和原因"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of what a route takes."""

    name: str
    place: str
    kind: str
    about: str
    required: bool


@dataclass(frozen=True, slots=True)
class Address:
    """One route, as the page shows it."""

    method: str
    path: str
    summary: str
    note: str
    scope: str
    stands: str
    parameters: tuple[Parameter, ...]


@page.get("/interfaces")
def interfaces() -> str:
    """All addresses, by what they are about."""
    groups: dict[str, list[Address]] = {}
    for declared in ROUTES:
        groups.setdefault(declared.tag, []).append(_address(declared))
    return render_template("interfaces/page.html", groups=groups, stands=_MEAN, prefix=PREFIX)


def _address(declared: Route) -> Address:
    sent: Mapping[str, Any] = (declared.body or {}).get("properties", {})
    required: Sequence[str] = (declared.body or {}).get("required", ())
    lines = [Parameter(name, "地址", _kind(shape), shape.get("description", ""), False) for name, shape in declared.query.items()]
    lines += [Parameter(name, "正文", _kind(shape), shape.get("description", ""), name in required) for name, shape in sent.items()]
    return Address(
        declared.method, declared.path.replace("<", "{").replace(">", "}"), declared.summary, declared.note,
        SCOPES[declared.scope] if declared.scope else "无需登录", STANDS[declared.stands], tuple(lines),
    )  # fmt: skip


def _kind(shape: Mapping[str, Any]) -> str:
    """The type of a value in a few words."""
    kinds = shape.get("type", "any")
    kind = next((each for each in kinds if each != "null"), "any") if isinstance(kinds, list) else str(kinds)
    if shape.get("format") == "sharing-date-time":
        return "date"
    return f"{_kind(shape['items'])}[]" if kind == "array" and "items" in shape else kind
