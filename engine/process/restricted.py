"""Whether a case is restricted: notices of it leave the page without its content, saying only that there is something.

The process says so itself, in its property `restricted`: an expression over the case's data. Where it cannot be computed
the case counts as restricted, as silence harms nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from engine.process.definitions import Deployed, deployed
from engine.process.interpreter.expressions import ExpressionError, evaluate
from engine.process.interpreter.model import InterpreterError
from engine.process.operations import WORDS
from engine.process.tables import Instance
from engine.store.errors import NotFound


def is_restricted(session: Session, instance: Instance) -> bool:
    """Whether the case, as it stands in its row, is restricted. No query where its version is known to this process."""
    definition = deployed(session, instance.definition_id)
    # The data may not be loaded yet, and most processes do not ask for them.
    return bool(definition.diagram.properties.get("restricted")) and restricts(session, definition, instance.variables)


def restricts(session: Session, definition: Deployed, variables: Mapping[str, Any]) -> bool:
    """Whether a version calls a case with such data restricted."""
    text = definition.diagram.properties.get("restricted")
    if not text:
        return False
    words = {name: partial(function, session) for name, function in WORDS.items()}
    try:
        return bool(evaluate(text, variables, words))
    except (ExpressionError, InterpreterError, NotFound):
        return True
