"""SpiffWorkflow's place for scripts, filled with our own language.

Its default environment runs Python's eval. Whatever of SpiffWorkflow ever evaluates a text (conditions,
correlations, payloads) ends here instead: at environment level, because some of it bypasses the engine.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any, Protocol

from SpiffWorkflow.bpmn.script_engine import BasePythonScriptEngineEnvironment, PythonScriptEngine

from engine.process.interpreter import expressions
from engine.process.interpreter.model import Host


class Standpoint(Protocol):
    """Where an expression is asked from: the values that only that place knows."""

    @property
    def local(self) -> Mapping[str, Any]: ...


def names_for(host: Host, local: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an expression sees: the token's own values over the case data."""
    if not local:
        return host.variables
    # A ChainMap wants mutable mappings by its type only; nobody writes through it.
    return ChainMap(dict(local), host.variables)


class Environment(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """Evaluates over the case data of one host; never executes a script."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host

    def evaluate(self, expression: str, context: Mapping[str, Any], external_context: Any = None) -> Any:
        """The value of `expression`; `context` are values over the case data."""
        return expressions.evaluate(expression, names_for(self.host, context), self.host.words)

    def execute(self, script: str, context: Any, external_context: Any = None) -> bool:
        """Refused: script tasks are read as assignments when the diagram is read."""
        raise expressions.ExpressionError("不允许执行脚本")

    def call_service(self, context: Any, **kwargs: Any) -> Any:
        """Refused: service tasks call the host's operations."""
        raise expressions.ExpressionError("不允许执行脚本")


class ScriptEngine(PythonScriptEngine):  # type: ignore[misc]
    """One per machine, as it carries the host."""

    def __init__(self, host: Host) -> None:
        super().__init__(Environment(host))

    def validate(self, expression: str) -> None:
        """Raises ExpressionError if the text is no expression of the language."""
        expressions.compile_expression(expression)

    def evaluate(self, task: Standpoint, expression: str, external_context: Any = None) -> Any:
        """The value of `expression` as the token sees it."""
        return self.environment.evaluate(expression, task.local)
