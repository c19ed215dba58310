"""What the workshop costs: checking, comparing and reading the largest shipped diagram, beside parsing its XML alone.

The floor is lxml's parse of the same bytes: nothing can judge a diagram without it. The check in a process of its own
shows what the wall costs, pickling and the way there and back included, once its process is warm.
"""

from __future__ import annotations

from lxml import etree

import engine.sharing.registry  # noqa: F401  (makes operations, words and subjects known)
from benchmarks.measure import in_turns
from benchmarks.report import Table, ms
from engine.process.check import check
from engine.process.interpreter.reader import read_diagram
from engine.process.workshop import checking
from engine.process.workshop.comparing.compare import compare
from tests.bpmn.shipped import PROCESSES, keys_of, package


def largest() -> str:
    """The shipped process with the largest diagram, as `rule set/process`."""
    return max(PROCESSES, key=lambda process: len(package(process).xml))


def check_and_compare(rounds: int) -> Table:
    """Times in milliseconds, each also as a multiple of the parse."""
    name = largest()
    rule_set, _, key = name.partition("/")
    found, known = package(name), keys_of(rule_set)
    twin = package(f"{'liaoyang_2018' if rule_set == 'national_2025' else 'national_2025'}/{key}")
    checking.checked(found, known)  # starts the process
    figures = in_turns(rounds, {
        "parse its XML (lxml)": lambda: etree.fromstring(found.xml),
        "read it into a diagram that runs": lambda: read_diagram(found.xml),
        "check it here": lambda: check(found, known, base=found),
        "check it in a process apart": lambda: checking.checked(found, known, base=found),
        "compare it with itself": lambda: compare(found, found),
        "compare it with the other rule set's": lambda: compare(found, twin),
    }, warm_up=2)  # fmt: skip
    checking.close()
    floor = figures["parse its XML (lxml)"].p50
    note = f"The largest shipped diagram, {key} ({len(found.xml) // 1024} KB, {len(found.forms)} forms, {len(found.documents)} letters)."
    table = Table("Workshop: check and compare", ("", "median ms", "p95 ms", "× the parse"), note)
    for what, times in figures.items():
        table.add(what, ms(times.p50), ms(times.p95), f"{times.p50 / floor:,.1f}")
    return table
