"""The expression language: what it computes, what it says when it cannot, and that nothing gets out of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.process.interpreter.expressions import (
    MAX_LENGTH,
    WORDS,
    ExpressionError,
    compile_expression,
    constant,
    evaluate,
    functions_in,
    names_in,
)

CASE: dict[str, Any] = {
    "decision": "pass",
    "days": 4,
    "resource": {"code": "R1", "provider": {"no": "007"}, "tags": ["a", "b"]},
    "empty": None,
    "units": ["001", "002"],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("decision == 'pass' and days > 3", True),
        ("resource.provider.no", "007"),
        ("resource['code'] + '-' + str(days)", "R1-4"),
        ("'b' in resource.tags", True),
        ("decision in ['pass', 'agree']", True),
        ("days if days > 10 else 10", 10),
        ("1 < days <= 4", True),
        ("len(units) * 2 + max(1, 2) // 2", 5),
        ("not empty", True),
        ("units[0]", "001"),
        ("{'a': days}", {"a": 4}),
        ("true and not false and null is None", True),
        ("given(resource.code) and not given(resource.missing) and not given(nothing) and not given(empty)", True),
        ("any([days == 4, missing])", None),
        ("days == 4 or missing", True),
        ("sum([1, 2]) + abs(-1) + round(2.4) + int('3') + min(1, 2)", 10),
        ("all([]) and bool(1)", True),
        ("-days", -4),
        ("  days\n", 4),
    ],
)
def test_values(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(ExpressionError, match="missing"):
            evaluate(text, CASE)
    else:
        assert evaluate(text, CASE) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reply == 'yes'", "没有变量“reply”"),
        ("resource.owner", "“resource”没有字段“owner”"),
        ("decision.upper", "没有字段"),
        ("foo(1)", "没有函数“foo”"),
        ("1 / 0", "无法计算"),
        ("units[9]", "无法计算"),
        ("days < 'x'", "无法计算"),
        ("", "为空"),
        ("days +", "无法读懂"),
        ("x" * (MAX_LENGTH + 1), "超过"),
    ],
)
def test_errors_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=says):
        evaluate(text, CASE)


def test_a_fault_is_placed_in_characters() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("'中文' == x.__class__")
    assert caught.value.position == 9


HOSTILE = [
    "().__class__.__mro__[1].__subclasses__()",
    "''.__class__",
    "resource.__class__",
    "__import__('os').system('id')",
    "open('/etc/passwd')",
    "eval('1')",
    "getattr(resource, 'x')",
    "vars()",
    "(lambda: 1)()",
    "[x for x in units]",
    "{x for x in units}",
    "{x: 1 for x in units}",
    "sum(x for x in units)",
    "f'{resource}'",
    "'{0.__class__}'.format(days)",
    "'%s' % resource",
    "9 ** 9 ** 9",
    "1 << 100000",
    "'a' * 10000000000",
    "[0] * 10000000000",
    "10**30 * 10**30",
    "(days := 5)",
    "units.append(1)",
    "resource.pop('code')",
    "print('x')",
    "await x",
    "yield x",
    "*units",
    "max(*units)",
    "max(units, key=len)",
    "{**resource}",
    "units[0:1]",
    "b'bytes'",
    "1j",
    "...",
    "a; b",
    "import os",
    "x = 1",
    "_private",
    "str(_x)",
    "99999999999999999999999999999999",
    "given(1)",
    "given('x', 'y')",
    "days if (days) else (lambda: 0)",
    "len.__self__",
    "str.mro",
    "(str)(1).x",
    "resource[().__class__]",
    "1e400",
    "round(5, -100000000)",
    "round(5, 100000000)",
    "sum([[1], [2]], [])",
    "sum(['a', 'b'])",
    "int('9' * 5000)",
    "1e300 * 1e300",
    "-" * 500 + "1",
    "not " * 200 + "1",
    " + ".join(["1"] * 300),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, CASE)


def test_values_stay_bounded_while_they_grow() -> None:
    with pytest.raises(ExpressionError, match="过大"):
        evaluate("x + x", {"x": "字" * 9000})
    with pytest.raises(ExpressionError, match="过大"):
        evaluate("x * x", {"x": 10**20})


def test_nothing_is_changed_by_evaluating() -> None:
    before = repr(CASE)
    for text in HOSTILE:
        with pytest.raises(ExpressionError):
            evaluate(text, CASE)
    assert repr(CASE) == before


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abx_.()[]{}'\"+-*/%<>=!,:01 \n\\@#fln", max_size=40))
def test_any_text_either_gives_a_value_or_an_expression_error(text: str) -> None:
    try:
        evaluate(text, {"a": 1, "b": {"x": [1, 2]}})
    except ExpressionError:
        pass


def test_words_of_the_host_come_beside_the_own() -> None:
    assert evaluate("double(days)", CASE, {"double": lambda number: number * 2}) == 8
    with pytest.raises(ExpressionError, match="过大"):
        evaluate("much()", {}, {"much": lambda: list(range(20_000))})


def test_a_word_of_the_host_cannot_replace_one_of_the_language() -> None:
    assert evaluate("len(units)", CASE, {"len": lambda value: 99}) == 2


def test_names_and_functions_are_told() -> None:
    text = "resource.code == x and len(units) > working_days(y)"
    assert names_in(text) == {"resource", "x", "units", "y"}
    assert functions_in(text) == {"len", "working_days"}
    assert constant("2 + 3") == 5
    for text in ("days", "1/0", "[1][5]", "'a' < 1"):
        with pytest.raises(ExpressionError):
            constant(text)


def test_every_word_is_explained_and_works() -> None:
    for word, line in WORDS.items():
        assert line.startswith(word)
        try:
            evaluate(f"{word}(a)", {"a": [1]})
        except ExpressionError as error:
            assert "没有函数" not in str(error)
