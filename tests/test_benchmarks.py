"""The benchmarks still run: with the smallest numbers, on SQLite, and nothing is said about time."""

from __future__ import annotations

from pathlib import Path

from benchmarks import bench_back_test, bench_outside, bench_workshop, completion, inbox, loops, timers
from benchmarks.__main__ import BEGIN, DOCUMENT, END
from benchmarks.ground import database, ground
from engine.store.clock import MovableClock, shanghai


def test_starts_completions_and_lists_are_measured_through_a_real_server(tmp_path: Path) -> None:
    with database("sqlite", tmp_path) as url, ground("sqlite", url, tmp_path) as found:
        compared, _ = completion.run(found, rounds=2)
        (lists,) = inbox.run(found, rounds=2, sizes=(200, 400))
        (filters,) = inbox.own_posts(found, rounds=2, sizes=(500, 600))
    assert {"complete, HTTP", "sum of floors: complete"} <= {row[0] for row in compared.rows}
    assert "inbox, my posts: page over HTTP" in {row[0] for row in lists.rows}
    assert "words that never match" in {row[0] for row in filters.rows}


def test_timers_and_loops_are_measured_on_a_moved_clock(tmp_path: Path) -> None:
    clock = MovableClock(shanghai("2026-02-10 09:00"))
    with database("sqlite", tmp_path) as url, ground("sqlite", url, tmp_path, clock) as found:
        (rounds,) = loops.run(found, loops=4)
        (fired,) = timers.run(found, clock, count=40)
    assert rounds.rows[-1] == ["entries of the record", "1", "5"]
    assert [row[1] for row in fired.rows] == ["20", "20", "2"]


def test_check_and_compare_are_measured_beside_the_parse() -> None:
    rows = bench_workshop.check_and_compare(rounds=2).rows
    assert rows[0][-1] == "1.0" and {"check it in a process apart", "compare it with itself"} <= {row[0] for row in rows}


def test_a_back_test_is_measured_on_copies_of_lived_cases(tmp_path: Path) -> None:
    clock = MovableClock(shanghai("2026-01-05 09:00"))
    with database("sqlite", tmp_path) as url, ground("sqlite", url, tmp_path, clock) as found:
        (table,) = bench_back_test.run(found, clock, cases=8, lived=3)
    assert [row[0] for row in table.rows] == [
        "read the records", "back-test: the version that they ran on", "back-test: the reply's limit halved",
    ]  # fmt: skip


def test_other_programs_are_measured_beside_people(tmp_path: Path) -> None:
    with database("sqlite", tmp_path) as url, ground("sqlite", url, tmp_path) as found:
        pages, acts, together, idle, crowd = bench_outside.run(found, rounds=2, size=60, waiting=3)
    assert {"cases: over HTTP", "cases: query"} <= {row[0] for row in pages.rows}
    assert acts.rows[0][3] == "1.00" and len(acts.rows) == 3
    assert [row[-1] for row in together.rows] == ["0", "0"], "nothing is given twice"
    assert [row[2] for row in idle.rows] == ["12", "0"], "only the heartbeat writes"
    assert len(crowd.rows) == 2


def test_the_document_has_a_place_for_the_figures() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)
