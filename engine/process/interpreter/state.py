"""A running process as a few hundred bytes, and back.

Only live tokens and their direct parents are written, without the diagram: its spec stays in memory, once
per process. We do not use SpiffWorkflow's serializer, whose registry holds a flag that threads share.
"""

from __future__ import annotations

from typing import Any

import orjson

from engine.process.interpreter.model import Host, StateError
from engine.process.interpreter.network import Network
from engine.process.interpreter.nodes import Subprocess
from engine.process.interpreter.scripting import ScriptEngine
from engine.process.interpreter.tokens import Process, Scope, Token

FORMAT = 1
_OPTIONS = orjson.OPT_NON_STR_KEYS


def save(process: Process) -> bytes:
    """The state as JSON; prunes what is finished.

    Raises StateError if local data holds something that JSON cannot.
    """
    scopes = []
    for scope in process.scopes():
        scope.prune()
        rows = [_row(token) for token in scope.tasks.values()]
        scopes.append([scope.parent_task_id, rows])
    try:
        return orjson.dumps(
            {
                "v": FORMAT,
                "s": scopes,
                "w": process.writes,
                "o": [process.outcome, process.outcome_rank],
                "c": process.completed,
            },
            option=_OPTIONS,
        )
    except TypeError as error:
        raise StateError(f"流程状态无法保存：{error}") from error


def _row(token: Token) -> list[Any]:
    row: list[Any] = [token.id, token._parent, token.task_spec.name, token._state]
    # Of a finished parent only its node matters.
    if token.live and (token.data or token.internal_data):
        row += [token.data, token.internal_data]
    return row


def load(network: Network, state: bytes, host: Host) -> Process:
    """The process as it was saved. Raises StateError if it does not fit the diagram."""
    try:
        saved = orjson.loads(state)
        if saved["v"] != FORMAT:
            raise StateError(f"流程状态的格式{saved['v']}无法识别")
        process = Process(network.root, network.subprocesses, ScriptEngine(host), host)
        process.writes = saved["w"]
        process.outcome, process.outcome_rank = saved["o"]
        process.completed = saved["c"]
        for activity, rows in saved["s"]:
            _fill(_scope(process, activity), rows)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise StateError(f"流程状态已损坏或不属于此流程图：{error}") from error
    return process


def _scope(process: Process, activity: str | None) -> Process | Scope:
    """The scope that the next rows fill; parents were written before children."""
    if activity is None:
        return process
    for parent in process.scopes():
        token = parent.tasks.get(activity)
        if token is not None:
            if not isinstance(token.task_spec, Subprocess):
                break
            scope = Scope(process.subprocess_specs[token.task_spec.inside], activity, process, parent)
            process.subprocesses[activity] = scope
            return scope
    raise StateError("流程状态已损坏：找不到子流程")


def _fill(scope: Process | Scope, rows: list[list[Any]]) -> None:
    spec = scope.spec
    for row in rows:
        node = spec.node(row[2])
        if node is None:
            raise StateError(f"流程图中没有“{row[2]}”")
        token = Token(scope, node, None, row[3], row[0])
        token._parent = row[1]
        if len(row) > 4:
            token.data, token.internal_data = row[4], row[5]
    for token in scope.tasks.values():
        if token._parent is None:
            scope.task_tree = token
        else:
            scope.tasks[token._parent]._children.append(token.id)
    if not hasattr(scope, "task_tree"):
        raise StateError("流程状态已损坏：没有根")
