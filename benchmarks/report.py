"""Tables of figures, on the terminal and in docs/performance.md alike, with the machine that they were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from engine.store.clock import SHANGHAI
from tests.machine import postgresql


@dataclass(slots=True)
class Table:
    """A heading, columns and rows of text; `note` says what the rows mean."""

    title: str
    columns: Sequence[str]
    note: str = ""
    rows: list[list[str]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """A row; numbers are written as text by whoever knows their unit."""
        self.rows.append([str(cell) for cell in cells])

    def text(self) -> str:
        """As Markdown, aligned so that it also reads well on a terminal."""
        lines = [list(self.columns), *self.rows]
        widths = [max(_width(line[place]) for line in lines) for place in range(len(self.columns))]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        body = [self._line(line, widths) for line in (list(self.columns), rule, *self.rows)]
        return "\n".join([f"### {self.title}", "", *([self.note, ""] if self.note else []), *body])

    @staticmethod
    def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
        padded = [
            cell + " " * (width - _width(cell)) if place == 0 else " " * (width - _width(cell)) + cell
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def ms(value: float) -> str:
    """Milliseconds with as many digits as mean something."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def machine() -> str:
    """One line: date, processor and how many of it, load, and the versions that matter."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    return ", ".join([
        f"{datetime.now(SHANGHAI):%Y-%m-%d %H:%M} Shanghai time", f"{os.cpu_count()} × {cpu}", f"load {os.getloadavg()[0]:.1f} at the start",
        f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", _postgresql(),
        *(f"{name} {version(name)}" for name in ("SpiffWorkflow", "SQLAlchemy", "Flask", "granian")),
    ])  # fmt: skip


def _postgresql() -> str:
    folder = postgresql()
    if folder is None:
        return "no PostgreSQL"
    said = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return "PostgreSQL " + said.split()[2]


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""
