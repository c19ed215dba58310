"""How many requests there were and how long they took, for `/metrics`.

Each web process counts for itself and leaves its counts in a small file of the data folder now and then, so that whichever
process is asked can tell of all: every series carries its process. A process that has ended is dropped after a while, which
looks like any restart to a reader of counters.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request

from engine.metrics import Metric

#: Upper bounds of the histogram, in seconds.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: Seconds between two writings of a process, and after which the file of one that is silent is forgotten.
EVERY, FORGOTTEN = 5.0, 900.0


class Measures:
    """The counts of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._buckets: Counter[tuple[str, int]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._written = 0.0

    def count(self, method: str, route: str, area: str, status: int, seconds: float) -> None:
        """One request. `route` is a rule, never an address: its values are bounded."""
        place = next((number for number, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        with self._lock:
            self._requests[method, route, str(status)] += 1
            self._buckets[area, place] += 1
            self._seconds[area] += seconds
            due = time.monotonic() - self._written > EVERY
            if due:
                self._written = time.monotonic()
        if due:
            self.write()

    def write(self) -> None:
        """Leaves the counts where other processes find them; a disk that is full or read-only loses metrics, nothing else."""
        with self._lock:
            told = {
                "requests": [[*key, count] for key, count in self._requests.items()],
                "buckets": [[*key, count] for key, count in self._buckets.items()], "seconds": dict(self._seconds),
            }  # fmt: skip
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self.folder / f"{os.getpid()}.json"
            draft = file.with_suffix(f".{threading.get_ident()}")
            draft.write_text(json.dumps(told), encoding="utf-8")
            draft.replace(file)
        except OSError:
            return

    def metrics(self) -> list[Metric]:
        """The counts of all web processes of this machine."""
        self.write()
        told = dict(self._files())
        requests = [
            ("", {"process": name, "method": method, "route": route, "status": status}, count)
            for name, found in told.items() for method, route, status, count in found["requests"]
        ]  # fmt: skip
        return [
            Metric("http_requests_total", "counter", "Requests answered, by route and status.", requests),
            Metric("http_request_duration_seconds", "histogram", "How long answers took.", [*self._histogram(told)]),
        ]

    def _histogram(self, told: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], float]]:
        for name, found in told.items():
            for area, seconds in found["seconds"].items():
                places = {place: count for of, place, count in found["buckets"] if of == area}
                so_far = 0
                for place, bound in enumerate((*map(str, BUCKETS), "+Inf")):
                    so_far += places.get(place, 0)
                    yield "_bucket", {"process": name, "area": area, "le": bound}, so_far
                yield "_sum", {"process": name, "area": area}, seconds
                yield "_count", {"process": name, "area": area}, so_far

    def _files(self) -> Iterator[tuple[str, Any]]:
        own = self.folder / f"{os.getpid()}.json"
        newest = own.stat().st_mtime if own.exists() else 0.0  # it was just written: the disk's clock tells the time
        for file in sorted(self.folder.glob("*.json")):
            try:
                if file.stat().st_mtime < newest - FORGOTTEN:
                    file.unlink(missing_ok=True)
                    continue
                yield file.stem, json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # it is being replaced, or was left half written by a full disk


def install(app: Flask, folder: Path) -> Measures:
    """Measures every request of the application."""
    measures = Measures(folder)

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "none"
        area = "api" if route.startswith("/engine-rest") else "static" if request.endpoint == "static" else "pages"
        measures.count(request.method if request.method in _METHODS else "other", route, area, response.status_code,
                       time.perf_counter() - g.get("begun", time.perf_counter()))
        return response

    app.extensions["sharing_measures"] = measures
    return measures


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
