"""The check in its own process: files that mean harm are refused in seconds and bounded memory, and the site stays up.

Seconds are not asserted tightly; what is asserted is that every call comes back with a finding, that our own process
has not grown by it, and that the next person's diagram is checked as before.
"""

from __future__ import annotations

import multiprocessing
import resource
import subprocess
import sys
import threading
from typing import Any

import pytest

from engine.process.definitions import known_processes
import engine.sharing.registry  # noqa: F401  (makes operations, words and subjects known)
from engine.process.check import check
from engine.process.interpreter.document import MAX_BYTES
from engine.process.package import Package
from engine.process.workshop import checking
from engine.process.workshop.checking import checked, refused_early
from engine.store.settings import ROOT
from tests.bpmn.shipped import keys_of, package
from tests.engine.interpreter.diagrams import call, diagram, element, script
from tests.engine.workshop import misdeeds  # noqa: F401  (registers its operations)
from tests.town import Town

PLAIN = diagram("start > user:a > end", element("a", unit="'A'", post="handler"))
REQUEST = "liaoyang_2018/conditional_share"


def after_head(text: bytes, xml: bytes = PLAIN) -> bytes:
    return xml.replace(b"?>\n", b"?>\n" + text, 1)


def inside(xml: str) -> bytes:
    return diagram("start > user:a > end", element("a", unit="'A'", post="handler"), raw=xml)


def condition(text: str) -> bytes:
    return diagram(f"start > user:a > xor:g [{text}] > end", "g [default] > end:e", element("a", unit="'A'", post="handler"))


LAUGHS = "<!DOCTYPE l [<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{i} '{f'&l{i - 1};' * 10}'>" for i in range(1, 30)) + "]>"
NODES = "".join(f'<bpmn:userTask id="u{i}"><bpmn:incoming>f{i}</bpmn:incoming></bpmn:userTask>' for i in range(10_000))
#: Twelve blocks of ten branches one after the other: SpiffWorkflow's own prediction would make 10^12 copies.
BLOCKS = [
    line for n in range(12) for line in (
        f"{'start' if n == 0 else f'join{n - 1}'} > and:fork{n} > user:t{n}_0 > and:join{n}",
        *(f"fork{n} > user:t{n}_{i} > join{n}" for i in range(1, 10)),
    )
]  # fmt: skip

HOSTILE: dict[str, tuple[bytes, set[str]]] = {
    "a DOCTYPE": (after_head(b"<!DOCTYPE a>"), {"doctype"}),
    "a file of the server": (after_head(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), {"doctype"}),
    "a parameter entity from elsewhere": (after_head(b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>'), {"doctype"}),
    "a billion laughs": (after_head(LAUGHS.encode()), {"doctype"}),
    "a DOCTYPE behind comments": (after_head(b"<!-- a --><?x y?><!-- b -->\n<!DOCTYPE a>"), {"doctype"}),
    "a DOCTYPE in UTF-16": (after_head(b"<!DOCTYPE a>").decode().replace("UTF-8", "UTF-16").encode("utf-16"), {"doctype"}),
    "a hundred megabytes": (PLAIN + b" " * (100 * 1024 * 1024), {"file-too-large"}),
    "ten thousand nodes": (inside(NODES), {"too-many-elements"}),
    "a million empty elements": (inside("<a/>" * 400_000), {"file-too-large"}),
    "nested 256 deep": (inside("<bpmn:documentation>" * 300 + "</bpmn:documentation>" * 300), {"not-xml"}),
    "subprocesses 200 deep": (inside("".join(f'<bpmn:subProcess id="s{i}">' for i in range(200)) + "</bpmn:subProcess>" * 200), {"nested-too-deep"}),
    "hundreds of thousands of attributes": (inside("<x " + " ".join(f"a{i}=''" for i in range(180_000)) + "/>"), {"file-too-large"}),
    "an attribute of two megabytes": (inside(f'<bpmn:textAnnotation id="{"x" * (MAX_BYTES - 4000)}"/>'), set()),
    "a broken encoding": (PLAIN.replace("测试流程".encode(), b"\xff\xfe\xfd"), {"not-xml"}),
    "zeros": (PLAIN.replace("测试流程".encode(), b"a\0b"), {"not-xml"}),
    "nothing but zeros": (b"\0" * 1000, {"not-xml"}),
    "an endless automatic circle": (diagram("start > xor:m > script:s > and:f > m", "f > end", script("s", "x = 1")), {"endless-loop"}),
    "a process that calls itself at once": (diagram("start > call:c > end", call("c", "test")), {"calls-itself"}),
    "a data object that refers to itself": (inside('<bpmn:dataObject id="d"/><bpmn:dataObjectReference id="r" dataObjectRef="r"/>'), set()),
    "a number too large": (condition("9**9**9 > a"), {"bad-expression"}),
    "a text of a billion letters": (condition('"a" * 10**9 == "b"'), {"bad-expression"}),
    "brackets without end": (condition("(" * 900 + "1" + ")" * 900), {"bad-expression"}),
    "a long sum": (condition("+".join(["1"] * 450)), {"bad-expression"}),
    "a walk to the classes": (condition("().__class__.__bases__"), {"bad-expression"}),
    "an import": (condition("__import__('os').system('true')"), {"bad-expression"}),
    "a comprehension": (condition("[x for x in [1]]"), {"bad-expression"}),
    "a lambda": (condition("(lambda: 1)()"), {"bad-expression"}),
    "a format string": (condition("'{0.__class__}'.format(1)"), {"bad-expression"}),
    "an expression of a megabyte": (condition("1+" * 500_000 + "1"), {"bad-expression"}),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def warmed() -> Any:
    assert checked(Package("r", PLAIN), frozenset()) == []
    yield
    checking.close()


@pytest.mark.parametrize("what", HOSTILE)
def test_harm_is_refused_and_the_next_diagram_is_checked_as_before(what: str) -> None:
    xml, rules = HOSTILE[what]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = checked(Package("r", xml), frozenset())
    assert rules <= {problem.rule for problem in found if problem.severity == "error"}
    assert all(len(problem.message) < 5000 for problem in found)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KB; the largest file has 100 MB
    assert checked(Package("r", PLAIN), frozenset()) == []


def test_a_million_ways_are_no_danger() -> None:
    xml = diagram(*BLOCKS, "join11 > end", *(element(f"t{n}_{i}", unit="'A'", post="handler") for n in range(12) for i in range(10)))
    assert checked(Package("r", xml), frozenset()) == []


PATTERN = {"title": "甲", "fields": [{"key": "a", "type": "text", "label": "甲", "pattern": "(a+)+$"}]}


def deep(depth: int) -> Any:
    found: Any = "x"
    for _ in range(depth):
        found = {"x": found}
    return found


FORMS: dict[str, tuple[Any, set[str]]] = {
    "a pattern that never ends": (PATTERN, {"form-broken"}),
    "a hundred thousand fields": (
        {"title": "甲", "fields": [{"key": f"a{i}", "type": "text", "label": "甲"} for i in range(100_000)]}, {"form-too-large"}),
    "nested a hundred thousand deep": (deep(100_000), {"form-too-deep"}),
    "a megabyte in every word": ({"title": "甲" * 3_000_000, "fields": []}, {"form-too-large"}),
    "no form at all": ([1, 2, 3], {"form-broken"}),
    "fields that are none": ({"title": "甲", "fields": [1, None, [], {"type": []}]}, {"form-broken"}),
    "a list where an expression belongs": (
        {"title": "甲", "fields": [{"key": "a", "type": "text", "label": "甲", "when": ["x"]}], "opinion_when": {}}, {"form-broken"}),
}  # fmt: skip


@pytest.mark.parametrize("what", FORMS)
def test_a_form_that_means_harm_is_refused(what: str) -> None:
    form, rules = FORMS[what]
    found = checked(Package("r", PLAIN, {"f": form}), frozenset())
    assert rules <= {problem.rule for problem in found}
    assert checked(Package("r", PLAIN), frozenset()) == []


def test_a_letter_that_unpacks_to_gigabytes_is_refused() -> None:
    found = checked(Package("r", PLAIN, {}, {"a": b"x" * (checking.DOCUMENTS_MAX + 1)}), frozenset())
    assert [problem.rule for problem in found] == ["documents-too-large"]


def test_what_is_refused_at_sight_needs_no_process() -> None:
    for what in ("a DOCTYPE", "a billion laughs", "a DOCTYPE in UTF-16", "a hundred megabytes"):
        assert refused_early(HOSTILE[what][0]) is not None
    assert refused_early(PLAIN) is None
    assert refused_early(inside("<bpmn:documentation><![CDATA[<!DOCTYPE html>]]></bpmn:documentation>")) is None


# -- the process itself -------------------------------------------------------------------------


@pytest.mark.parametrize(("misdeed", "says"), [
    ("stalls", "用时过长"), ("swallows", "占用内存过多"), ("falls", "未能完成"), ("raises", "未能完成"),
])  # fmt: skip
def test_a_check_that_takes_too_much_ends_alone(misdeed: str, says: str) -> None:
    xml = diagram("start > service:s > end", element("s", operation=f"test.{misdeed}"))
    found = checked(Package("r", xml), frozenset())
    assert [problem.rule for problem in found] == ["check-too-costly"]
    assert says in found[0].message
    assert checked(Package("r", PLAIN), frozenset()) == []


def test_many_people_check_at_the_same_time() -> None:
    answers: list[list[Any]] = []
    known = keys_of("liaoyang_2018")
    people = [threading.Thread(target=lambda: answers.append(checked(package(REQUEST), known))) for _ in range(6)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert answers == [[]] * 6


def test_it_says_what_the_check_says() -> None:
    broken = Package("r", package(REQUEST).xml.replace(b'sharing:workingDays="10"', b'sharing:workingDays="15"'), {}, {})
    assert checked(broken, frozenset(), base=package(REQUEST), held=frozenset({"head"})) == check(
        broken, frozenset(), base=package(REQUEST), held=frozenset({"head"}))


def test_the_processes_of_an_installation_are_known(town: Town) -> None:
    with town.store.read() as session:
        assert known_processes(session) == keys_of("liaoyang_2018")
        assert {"handler", "head"} <= checking.held_posts(session)


def test_a_program_that_has_checked_ends_by_itself_and_leaves_nothing_behind() -> None:
    """Without anybody closing the pool: a command of the shell, a web process that is told to stop."""
    program = (
        "import engine.sharing.registry\n"
        "from engine.process.package import Package\n"
        "from engine.process.workshop.checking import checked\n"
        "if __name__ == '__main__':\n"
        "    print([p.rule for p in checked(Package('r', b'<a/>'), frozenset())])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "['not-bpmn']", "")


def _check_once() -> None:
    if checked(package(REQUEST), keys_of("liaoyang_2018")):
        raise SystemExit(3)


def test_a_web_process_that_has_checked_can_be_stopped() -> None:
    """Web processes are multiprocessing's: it waits for all children of theirs, and never runs what atexit was told."""
    web = multiprocessing.get_context("spawn").Process(target=_check_once)
    web.start()
    web.join(60)
    try:
        assert web.exitcode == 0
    finally:
        web.kill()
