"""Expressions of other tools in our language, where they say the same: `${amount > 100 && approved}` is `amount > 100 and approved`.

Read sign by sign, never executed. What has no equivalent that is certain gives None, and somebody fills it in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.process.interpreter.expressions import WORDS as LANGUAGE
from engine.process.interpreter.expressions import ExpressionError, compile_expression
from engine.process.operations import WORDS

#: One sign of an expression: a text, a number, a name, an operator.
_SIGN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>\d+(?:\.\d+)?)[lLdDfF]?(?![\w.])
    | (?P<name>[^\W\d]\w*)
    | (?P<operator>===|!==|==|!=|<>|<=|>=|&&|\|\||[-+*/%<>=!?:.,()\[\]])
    )""",
    re.VERBOSE,
)
_WRAPPED = re.compile(r"[$#]\{(?P<inside>[^{}]*)\}")
_OPERATORS = {"&&": "and", "||": "or", "===": "==", "!==": "!=", "<>": "!=", "!": "not"}
_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "div": "/", "mod": "%"}
_KEYWORDS = frozenset({"and", "or", "not", "in", "if", "else", "is"})
_GETTER = re.compile(
    r"(?:execution|task|delegateTask|vars)\.getVariable(?:Local)?\(\s*[\"'](\w+)[\"']\s*\)|variables\.(?:get\(\s*[\"'](\w+)[\"']\s*\)|(\w+))"
)
_EQUALS = re.compile(r"([\w.]+)\.equals\(\s*([^()]+?)\s*\)|(\"[^\"]*\"|'[^']*')\.equals\(\s*([\w.]+)\s*\)")
_EMPTY = re.compile(r"(?:!|\bnot)\s*empty\s+([\w.]+)|\bempty\s+([\w.]+)|([\w.]+)\.isEmpty\(\)")
_ABSENT = re.compile(r"\b(\w+)\s*(==|!=)\s*null\b|\bnull\s*(==|!=)\s*(\w+)")


def in_our_words(text: str, renamed: Mapping[str, str] | None = None) -> str | None:
    """The same expression in our language; None where that is not certain. `renamed` are variables that go by other names here.

    A text that is of our language already comes back as it is (but for renamed variables).
    """
    source = text.strip()
    if not source or len(source) > 1000:
        return None
    feel = source.startswith("=") and not source.startswith("==")
    wrapped = _WRAPPED.fullmatch(source)
    if wrapped is not None:
        source = wrapped["inside"].strip()
    elif feel:
        source = source[1:].strip()
    elif "${" in source or "#{" in source:
        return None
    plain = wrapped is None and not feel
    if plain and not renamed and _ours(source):
        return source
    found = _rewritten(source, renamed or {}, feel)
    return found if found is not None and _ours(found) else None


def literal(text: str) -> str:
    """A text as an expression that gives it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def name_of(text: str) -> str | None:
    """The variable that an expression consists of, such as `items` of `${items}`; None for anything longer."""
    found = in_our_words(text)
    return found if found is not None and found.isidentifier() else None


def _ours(text: str) -> bool:
    try:
        return compile_expression(text).functions <= set(LANGUAGE) | set(WORDS)
    except ExpressionError:
        return False


def _rewritten(source: str, renamed: Mapping[str, str], feel: bool) -> str | None:
    for name in sorted((name for name in renamed if not name.isidentifier()), key=len, reverse=True):
        source = source.replace(name, renamed[name])  # FEEL's names may hold spaces
    source = _GETTER.sub(lambda found: found[1] or found[2] or found[3], source)
    source = _EQUALS.sub(lambda found: f"({found[1] or found[4]} == {found[2] or found[3]})", source)
    source = _EMPTY.sub(lambda found: f"given({found[1]})" if found[1] else f"!given({found[2] or found[3]})", source)
    # A variable that does not exist is an error here, and nothing there: ask whether it has a value.
    source = _ABSENT.sub(_absent, source)
    signs: list[str] = []
    position = 0
    while position < len(source):
        sign = _SIGN.match(source, position)
        if sign is None:
            if source[position:].strip():
                return None
            break
        position = sign.end()
        signs.append(_sign(sign, signs, renamed, feel))
    return _chosen(signs)


def _absent(found: re.Match[str]) -> str:
    name, operator = found[1] or found[4], found[2] or found[3]
    return f"given({name})" if operator == "!=" else f"!given({name})"


def _sign(sign: re.Match[str], before: list[str], renamed: Mapping[str, str], feel: bool) -> str:
    if sign["text"] is not None:
        return literal(re.sub(r"\\(.)", r"\1", sign["text"][1:-1]))
    if sign["number"] is not None:
        return sign["number"]
    if sign["name"] is not None:
        name = sign["name"]
        if before and before[-1] == ".":
            return name
        return _WORDS.get(name) or renamed.get(name, name)
    operator = sign["operator"]
    return "==" if operator == "=" and feel else _OPERATORS.get(operator, operator)


def _chosen(signs: list[str]) -> str | None:
    """The signs as text; one `a ? b : c` at the outside becomes `b if a else c`."""
    if "?" in signs:
        if signs.count("?") != 1 or signs.count(":") != 1 or signs.index("?") > signs.index(":"):
            return None
        question, colon = signs.index("?"), signs.index(":")
        condition, yes, no = signs[:question], signs[question + 1 : colon], signs[colon + 1 :]
        if any(part.count("(") != part.count(")") for part in (condition, yes, no)):
            return None
        signs = [*yes, "if", *condition, "else", *no]
    return _joined(signs)


def _joined(signs: list[str]) -> str:
    text = ""
    for number, sign in enumerate(signs):
        last = signs[number - 1] if number else ""
        call = sign in "([" and (last.isidentifier() or last in (")", "]")) and last not in _KEYWORDS
        close = sign in (")", "]", ",", ".") or last in ("(", "[", ".", "") or call
        text += sign if close else f" {sign}"
    return text
