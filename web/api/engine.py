"""`engine`, `version`: what clients ask first, to see that they speak with an engine."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from web.api.routing import Call, route
from web.api.shapes import record, text

NAME = "default"
#: The version of the original API whose shapes are kept: clients choose by it what they send.
SPOKEN = "7.24.0"


@route("GET", "/engine", "The engines that can be asked: one", tag="engine", scope="read",
       answer={"type": "array", "items": record({"name": text()})})
def engines(_: Call) -> Any:
    return [{"name": NAME}]


@route("GET", "/version", "The version of the API that is spoken", tag="engine", scope="read", stands="better",
       note="`product` names this engine and its own version",
       answer=record({"version": text(), "product": text()}))
def spoken(_: Call) -> Any:
    try:
        own = version("sharing-bpm")
    except PackageNotFoundError:
        own = "unknown"
    return {"version": SPOKEN, "product": f"sharing-bpm {own}"}


