"""Logs for operators: one line of JSON for each event, on standard error.

What happened to a case belongs in the history, not here: a log may be lost or thrown away.
"""

from __future__ import annotations

import json
import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_LEVELS = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "error", "INFO": "info", "DEBUG": "debug"}


#: The number of the request that is being answered here, "" outside one; the history has it too (`Origin.request_id`).
REQUEST: ContextVar[str] = ContextVar("request", default="")


class JsonLines(logging.Formatter):
    """`{"at", "level", "event", …}`, with the number of the `request` in which it was said; the keys of `extra={"facts": {…}}` follow, a traceback comes last as `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": _LEVELS.get(record.levelname, "info"),
            "event": record.getMessage(),
            "process": record.process,
            **({"request": number} if (number := REQUEST.get()) else {}),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configuration() -> dict[str, Any]:
    """The configuration of Python's logging for a process of ours; also given to the web server for its processes."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "engine.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # The metronome says each second that a long sweep is still going on: no news.
            "apscheduler": {"level": "CRITICAL"},
            "alembic": {"level": "WARNING"},
            "_granian": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }


def to_stderr() -> None:
    """Lets this process log to standard error."""
    logging.config.dictConfig(configuration())


def say(logger: logging.Logger, event: str, level: int = logging.INFO, **facts: Any) -> None:
    """Logs an event with named facts."""
    logger.log(level, event, extra={"facts": facts})
