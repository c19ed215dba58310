"""A worker whose operation stops half way until it is let go: for tests that act in the middle of a transaction.

    python -m tests.reliability.stalling worker --once

It makes the file in STALL_REACHED and waits for the one in STALL_GO. Without these settings it does not stop.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from engine.cli import main
from engine.process.operations import Call, operation


@operation("test.stall", {})
def stall(call: Call) -> bool:
    """Stands still in the middle of a transaction."""
    if "STALL_REACHED" in os.environ:
        Path(os.environ["STALL_REACHED"]).touch()
        nap = threading.Event()
        while not Path(os.environ["STALL_GO"]).exists():
            nap.wait(0.02)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
