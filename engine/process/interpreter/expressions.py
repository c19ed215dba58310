"""The expression language of diagrams: conditions, parameters, limits, units.

It looks like Python and is none: a short text is parsed, every node is checked against a list of what
is allowed, and a small interpreter of our own walks the tree. There is no attribute access to Python
objects (`a.b` looks up key "b" of a dict), no call except of listed functions, no way to change data,
and every value and text is bounded, so that no diagram can harm or stall the engine.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

MAX_LENGTH = 1000
MAX_NODES = 200
MAX_DEPTH = 40
MAX_ITEMS = 10_000
MAX_NUMBER = 10**30

Function = Callable[..., Any]


class ExpressionError(ValueError):
    """An expression that cannot be read or evaluated; the message is Chinese and says where and why.

    `position` counts characters of the text from 1; None where no place can be named.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        self.position = position
        super().__init__(message if position is None else f"{message}（第{position}个字符处）")


#: The functions of the language itself, each with the line that the handbook prints.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "len": "len(x)：文字的字数或列表的项数",
        "min": "min(a, b, …)：最小的",
        "max": "max(a, b, …)：最大的",
        "sum": "sum(列表)：合计",
        "abs": "abs(x)：绝对值",
        "round": "round(x, 位数)：按位数取整",
        "str": "str(x)：转为文字",
        "int": "int(x)：转为整数",
        "bool": "bool(x)：是否为真（非空、非零）",
        "any": "any(列表)：有一项为真",
        "all": "all(列表)：每一项为真",
        "given": "given(变量)：变量已有值（存在且不为空值）",
    }
)



def _sum(values: list[float]) -> float:
    # Of numbers only: lists would be copied again and again.
    if not all(isinstance(value, int | float) for value in values):
        raise ExpressionError("sum 只用于数的列表")
    return sum(values)


def _round(value: float, digits: int = 0) -> float:
    # Python would compute 10 to the power of a hundred million here.
    if not isinstance(digits, int) or not -15 <= digits <= 15:
        raise ExpressionError("round 的位数过大")
    return round(value, digits) if digits else round(value)


_FUNCTIONS: dict[str, Function] = {
    "len": len,
    "min": min,
    "max": max,
    "sum": _sum,
    "abs": abs,
    "round": _round,
    "str": str,
    "int": int,
    "bool": bool,
    "any": any,
    "all": all,
}
_ALIASES = {"true": True, "false": False, "null": None}
_ARITHMETIC: dict[type[ast.operator], Function] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Function] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, whole: item in whole,
    ast.NotIn: lambda item, whole: item not in whole,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.UAdd,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.Attribute,
    ast.Subscript,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Call,
    *_ARITHMETIC,
    *_COMPARISONS,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that is syntactically fine; whether its names exist shows at evaluation."""

    text: str
    tree: ast.expr
    names: frozenset[str]
    """Variables that it reads (the first name of a dotted path)."""
    functions: frozenset[str]
    """Functions that it calls, known or not."""


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Read an expression. Raises ExpressionError with the place of the first fault."""
    source = text.strip() if isinstance(text, str) else ""
    if not source:
        raise ExpressionError("表达式为空")
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"表达式超过{MAX_LENGTH}个字符")
    try:
        tree = ast.parse(source, mode="eval")
    except SyntaxError as error:
        raise ExpressionError("表达式无法读懂", max(error.offset or 1, 1)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("表达式无法读懂") from None
    names: set[str] = set()
    functions: set[str] = set()
    _check(tree.body, source, names, functions)
    return Expression(source, tree.body, frozenset(names), frozenset(functions))


def _check(root: ast.expr, source: str, names: set[str], functions: set[str]) -> None:
    """Walk the tree once: only allowed nodes, bounded in number and depth; collect names."""
    stack: list[tuple[ast.AST, int]] = [(root, 1)]
    count = 0
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise ExpressionError("表达式过于复杂")
        if not isinstance(node, _ALLOWED):
            raise ExpressionError(f"不允许的写法 {type(node).__name__}", _position(node, source))
        _check_node(node, source, names, functions)
        children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        stack.extend((child, depth + 1) for child in children)


def _check_node(node: ast.AST, source: str, names: set[str], functions: set[str]) -> None:
    match node:
        case ast.Name(id=name):
            if name.startswith("_"):
                raise ExpressionError(f"不允许的名称“{name}”", _position(node, source))
            if name not in _ALIASES:
                names.add(name)
        case ast.Attribute(attr=name):
            if name.startswith("_"):
                raise ExpressionError(f"不允许的字段“{name}”", _position(node, source))
        case ast.Constant(value=value):
            if not isinstance(value, str | int | float | bool | None):
                raise ExpressionError("不允许的常量", _position(node, source))
            _bounded(value)
        case ast.Dict(keys=keys):
            if any(key is None for key in keys):
                raise ExpressionError("不允许展开字典", _position(node, source))
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if not isinstance(function, ast.Name) or keywords:
                raise ExpressionError("只能按名称调用函数，参数不带名称", _position(node, source))
            if function.id.startswith("_"):
                raise ExpressionError(f"不允许的名称“{function.id}”", _position(node, source))
            if function.id == "given" and not (
                len(arguments) == 1 and isinstance(arguments[0], ast.Name | ast.Attribute)
            ):
                raise ExpressionError("given(…) 里只能写一个变量或字段", _position(node, source))
            functions.add(function.id)


def _position(node: ast.AST, source: str) -> int | None:
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    if line is None or column is None:
        return None
    lines = source.splitlines(keepends=True)
    before = sum(len(text) for text in lines[: line - 1])
    # The parser counts bytes of UTF-8; people count characters.
    return before + len(lines[line - 1].encode()[:column].decode(errors="ignore")) + 1


def names_in(text: str) -> frozenset[str]:
    """The variables that an expression reads."""
    return compile_expression(text).names


def functions_in(text: str) -> frozenset[str]:
    """The functions that an expression calls."""
    return compile_expression(text).functions


def tested_in(text: str) -> frozenset[str]:
    """The variables of which an expression asks whether they are `given`; none for a text that cannot be read."""
    calls = (call for call in _calls(text, "given") if call.args)
    return frozenset(node.id for call in calls for node in ast.walk(call.args[0]) if isinstance(node, ast.Name))


def texts_given(text: str, function: str, place: int = 0) -> frozenset[str]:
    """The texts that an expression gives to a function written out, such as the body in `body("platform")`; `place` counts from 0."""
    given = (call.args[place] for call in _calls(text, function) if len(call.args) > place)
    return frozenset(node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _calls(text: str, function: str) -> list[ast.Call]:
    try:
        tree = compile_expression(text).tree
    except ExpressionError:
        return []
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [node for node in nodes if isinstance(node.func, ast.Name) and node.func.id == function]


def constant(text: str) -> Any:
    """The value of an expression that reads no variable and calls no function; else ExpressionError."""
    compiled = compile_expression(text)
    if compiled.names or compiled.functions:
        raise ExpressionError("表达式不是常量")
    return evaluate(text, {})


def evaluate(text: str, names: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> Any:
    """The value of an expression over `names`; `functions` are words beside the language's own.

    Raises ExpressionError for an unknown name, field or function, and for whatever cannot be computed.
    """
    compiled = compile_expression(text)
    try:
        return _value(compiled.tree, names, functions or {})
    except ExpressionError as error:
        raise ExpressionError(f"表达式“{compiled.text}”：{error}") from None
    except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"表达式“{compiled.text}”无法计算：{error}") from error


def _bounded(value: Any) -> Any:
    if isinstance(value, str | list | tuple | dict) and len(value) > MAX_ITEMS:
        raise ExpressionError("数值过大")
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise ExpressionError("数值过大")
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError("数值过大")
    return value


def _value(node: ast.expr, names: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return _variable(node.id, names)
        case ast.Attribute():
            return _field(node, names, functions)
        case ast.Subscript():
            return _value(node.value, names, functions)[_value(node.slice, names, functions)]
        case ast.BoolOp():
            wanted = isinstance(node.op, ast.Or)
            value: Any = None
            for part in node.values:
                value = _value(part, names, functions)
                if bool(value) is wanted:
                    break
            return value
        case ast.UnaryOp():
            return _unary(node, names, functions)
        case ast.BinOp():
            return _binary(node, names, functions)
        case ast.Compare():
            return _compare(node, names, functions)
        case ast.IfExp():
            chosen = node.body if _value(node.test, names, functions) else node.orelse
            return _value(chosen, names, functions)
        case ast.List() | ast.Tuple():
            return [_value(part, names, functions) for part in node.elts]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {
                _value(key, names, functions): _value(value, names, functions)
                for key, value in pairs
                if key is not None
            }
        case ast.Call():
            return _call(node, names, functions)
    raise ExpressionError(f"不允许的写法 {type(node).__name__}")


def _variable(name: str, names: Mapping[str, Any]) -> Any:
    if name in names:
        return names[name]
    if name in _ALIASES:
        return _ALIASES[name]
    raise ExpressionError(f"没有变量“{name}”")


def _field(node: ast.Attribute, names: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    whole = _value(node.value, names, functions)
    if not isinstance(whole, Mapping):
        raise ExpressionError(f"“{ast.unparse(node.value)}”没有字段“{node.attr}”")
    if node.attr not in whole:
        raise ExpressionError(f"“{ast.unparse(node.value)}”没有字段“{node.attr}”")
    return whole[node.attr]


def _unary(node: ast.UnaryOp, names: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    value = _value(node.operand, names, functions)
    if isinstance(node.op, ast.Not):
        return not value
    return -value if isinstance(node.op, ast.USub) else +value


def _binary(node: ast.BinOp, names: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    left, right = _value(node.left, names, functions), _value(node.right, names, functions)
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    # Text times number makes gigabytes, text modulo a dict walks attributes.
    if isinstance(node.op, ast.Mult | ast.Mod) and not numbers:
        raise ExpressionError("乘和取余只用于数")
    return _bounded(_ARITHMETIC[type(node.op)](left, right))


def _compare(node: ast.Compare, names: Mapping[str, Any], functions: Mapping[str, Function]) -> bool:
    left = _value(node.left, names, functions)
    for comparison, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, names, functions)
        if not _COMPARISONS[type(comparison)](left, right):
            return False
        left = right
    return True


def _call(node: ast.Call, names: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    assert isinstance(node.func, ast.Name)  # kept by _check_node
    name = node.func.id
    if name == "given":
        try:
            return _value(node.args[0], names, functions) is not None
        except ExpressionError:
            return False
    function = _FUNCTIONS.get(name) or functions.get(name)
    if function is None:
        raise ExpressionError(f"没有函数“{name}”")
    return _bounded(function(*[_value(argument, names, functions) for argument in node.args]))
