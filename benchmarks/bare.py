"""The floor of a request: a bare Flask that makes one indexed SELECT by the bare driver, served as the product is.

`python -m benchmarks.bare PORT` serves it; BENCH_DATABASE says which database.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from benchmarks.floors import open_raw
from engine.server import THREADS

application = Flask(__name__)
_here = threading.local()


def _connection() -> Any:
    if not hasattr(_here, "connection"):
        _here.connection = open_raw(os.environ["BENCH_DATABASE"])
    return _here.connection


@application.get("/")
def one() -> str:
    """The name of one account."""
    (name,) = _connection().execute("SELECT name FROM account WHERE id = 1").fetchone()
    return f"<p>{name}</p>"


def main() -> None:
    """Serves until it is told to stop."""
    Granian(
        "benchmarks.bare:application", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.WSGI, workers=1,
        blocking_threads=THREADS, log_level=LogLevels.warning,
    ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
