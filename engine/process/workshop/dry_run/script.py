"""The script of a dry run: the moves that people make in it, as plain JSON that can be kept, sent and walked again.

A case is named by its place among those that the run has opened (0 is the one that was started), a task by its step: ids differ
with every walk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.store.clock import SHANGHAI
from engine.store.errors import Invalid

#: Moves in one run, and bytes of one move as JSON: far more than anybody clicks together.
MOVES_MAX = 200
MOVE_BYTES_MAX = 64 * 1024

#: What can be done, and which of the fields below belongs to it.
DOINGS: Mapping[str, frozenset[str]] = {
    "start": frozenset({"at", "by", "unit", "process", "about", "answers", "files", "given"}),
    "complete": frozenset({"case", "step", "nth", "by", "answers", "opinion", "files"}),
    "timer": frozenset(),
    "until": frozenset({"at"}),
    "message": frozenset({"case", "message", "given"}),
    "signal": frozenset({"signal", "given"}),
    "worker": frozenset({"case", "step", "nth", "given", "error"}),
}


@dataclass(frozen=True, slots=True)
class ScriptMove:
    """One move of the script."""

    do: str
    """start · complete · timer (to the next timer) · until (to an instant) · message · signal (to all cases of the run) · worker (outside)"""
    at: str = ""
    """When the run begins, or to when it goes on: an ISO instant, in Shanghai time where it says nothing else; "" for now."""
    by: str = ""
    """The login of who does it; "" for a stand-in who holds the post."""
    unit: str = ""
    """The code of the unit that starts."""
    process: str = ""
    """The key of the process that is started, where it is another one that leads to what is rehearsed; "" for that itself."""
    case: int = 0
    step: str = ""
    nth: int = 0
    """Which of several open tasks of the step, oldest first."""
    message: str = ""
    signal: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    """What the case is about, as a start page's link says: `resource_code`."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    opinion: str = ""
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field (or `attachments`) → names of files that are pretended to be uploaded."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """The first data of a process that no person starts; what a message or signal brings; what a worker outside gives back."""
    error: str = ""
    """The BPMN error that the worker reports instead."""

    def as_json(self) -> dict[str, Any]:
        """The move without what was left open."""
        return {name: value for name, value in asdict(self).items() if name == "do" or value not in ("", 0, {})}


def read_move(raw: Any) -> ScriptMove:
    """A move from its JSON. Raises Invalid with a sentence for whatever is no move."""
    if not isinstance(raw, Mapping) or raw.get("do") not in DOINGS:
        raise Invalid(message=f"试运行的步骤应写明 do：{'、'.join(DOINGS)}之一")
    unknown = sorted(set(map(str, raw)) - DOINGS[raw["do"]] - {"do"})
    if unknown:
        raise Invalid(message=f"步骤“{raw['do']}”没有“{'、'.join(unknown)}”这一项")
    for name, value in raw.items():
        if not _fits(name, value):
            raise Invalid(message=f"步骤“{raw['do']}”的“{name}”写法不正确")
    if len(json.dumps(dict(raw), ensure_ascii=False).encode()) > MOVE_BYTES_MAX:
        raise Invalid(message="这一步填写的内容过多，试运行无法保存")
    move = ScriptMove(**{str(name): value for name, value in raw.items()})
    if move.do == "until" or move.at:
        instant_of(move.at)
    return move


def _fits(name: str, value: Any) -> bool:
    if name in ("case", "nth"):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOVES_MAX * 10
    if name in ("answers", "given"):
        return isinstance(value, Mapping)
    if name == "about":
        return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
    if name == "files":
        return isinstance(value, Mapping) and all(
            isinstance(names, list | tuple) and all(isinstance(item, str) for item in names) for names in value.values()
        )
    return isinstance(value, str)


def read_script(raw: Any) -> list[ScriptMove]:
    """A whole script. Raises Invalid, also where it is too long or does not begin with a start."""
    if not isinstance(raw, list) or not raw:
        raise Invalid(message="试运行的脚本应是由步骤组成的列表")
    if len(raw) > MOVES_MAX:
        raise Invalid(message=f"试运行最多{MOVES_MAX}步")
    script = [read_move(item) for item in raw]
    if script[0].do != "start" or any(move.do == "start" for move in script[1:]):
        raise Invalid(message="试运行的第一步、也只有第一步应为 start")
    return script


def instant_of(text: str) -> datetime:
    """The instant (UTC) that a move names. Raises Invalid at `at`."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=SHANGHAI)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid({"at": f"“{text}”不是日期时间，例如2026-03-02 09:30"}) from None
