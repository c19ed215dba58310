"""The `sharing-bpm` command: finds the command that was typed, runs it, and says in one line what went wrong.

Exit codes: 0 done; 1 a check found something wrong (`diagram check`, `history verify`); 2 it could not be carried out
as typed or set; 70 a fault of ours.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from calendars.errors import CalendarError
from engine.commands import backup, calendar, diagram, history, serving, setup, token, user
from engine.commands.common import BAD_INPUT, CommandError, Parser
from engine.store.errors import Invalid, Refused
from engine.store.settings import BadSetting

#: EX_SOFTWARE of sysexits.h.
FAULT = 70


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # answers are Chinese, whatever the terminal is set to
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    try:
        options = _parser().parse_args([word for word in words if word != "--debug"])
        code = int(options.run(options) or 0)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read our answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if debug:
            raise
        message, code = _in_one_line(error)
        print(f"sharing-bpm: {message}", file=sys.stderr)
        return code


def _parser() -> Parser:
    parser = Parser(prog="sharing-bpm", description="An approval engine for government data sharing.")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (setup, serving, calendar, diagram, history, user, token, backup):
        module.add(commands)
    return parser


def _in_one_line(error: Exception) -> tuple[str, int]:
    match error:
        case Invalid():
            parts = [*error.fields.values()] or [error.message]
            return "；".join(parts), BAD_INPUT
        case CommandError() | CalendarError() | BadSetting():
            return str(error), BAD_INPUT
        case Refused():
            return error.message, BAD_INPUT
        case DBAPIError():
            return f"the database refuses: {str(error.orig).strip().splitlines()[0]} (--debug shows more)", BAD_INPUT
        case OSError():
            return str(error.strerror or error) + (f": {error.filename}" if error.filename else ""), BAD_INPUT
    return f"a fault: {type(error).__name__}: {error} (--debug shows where)".replace("\n", " "), FAULT


if __name__ == "__main__":
    sys.exit(main())
