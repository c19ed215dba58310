"""May a form's pattern be matched against whatever people type? Only one that cannot stall the server.

Python's regular expressions try every way to match, and a careless pattern such as `(a+)+b` has more ways for forty
letters than anybody can wait for; nothing in Python stops it half way. So a pattern of a form is read here first, in a
small language in which the number of ways is known: characters, sets, groups, alternatives and repetitions. What this
reader does not understand is refused, never passed on.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

LENGTH_MAX = 200
DEPTH_MAX = 6
#: What an endless repetition counts for, and the most ways that a pattern may have: two endless ones in a row.
ENDLESS, WAYS_MAX = 2000, 5_000_000
#: What all repetitions may come to, one inside the other.
COUNT_MAX = 5000

#: Two repetitions are told apart by the characters that they may take: of these, and of those in the pattern itself.
_COMMON = frozenset([*map(chr, range(9, 14)), *map(chr, range(32, 127)), *"　，。、；：（）《》“”〔〕—中文字条一第年月日号Ａ１é"])
_ATOM = re.compile(
    r"""\\[dDwWsS] | \\[nrt] | \\[^\w\s] | \\u[0-9a-fA-F]{4} | \\x[0-9a-fA-F]{2}
    | \[\^?\]?(?:\\.|[^\]\\])*\] | \. | [^\\\[\](){}|*+?^$]""",
    re.VERBOSE | re.DOTALL,
)
_TIMES = re.compile(r"\*|\+|\?|\{(\d{1,4})(,(\d{0,4}))?\}")


class _Unsafe(Exception):
    """What is wrong with a pattern, in Chinese."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A character, set or group, and how often it stands there."""

    own: frozenset[str]
    """Of a character or set: those that it may take."""
    branches: tuple[tuple[_Part, ...], ...]
    """Of a group: its alternatives."""
    least: int
    most: int

    @property
    def variable(self) -> bool:
        """Whether it can take more than one length."""
        return self.least != self.most or any(part.variable for branch in self.branches for part in branch)


def pattern_fault(pattern: str) -> str | None:
    """Why a pattern may not be used, in Chinese; None when it may."""
    if len(pattern) > LENGTH_MAX:
        return f"超过{LENGTH_MAX}个字符"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError, Warning):
        return "不是可以识别的正则表达式"
    try:
        _judge(_Reader(pattern).read(), 1)
    except _Unsafe as unsafe:
        return str(unsafe)
    return None


class _Reader:
    """A recursive descent over the pattern."""

    def __init__(self, pattern: str) -> None:
        # Flags for the whole; they make no way longer.
        self.text = re.sub(r"^\(\?[is]+\)", "", pattern)
        self.at = 0
        escaped = (chr(int(code, 16)) for code in re.findall(r"\\[ux]([0-9a-fA-F]{2,4})", pattern))
        self.sample = _COMMON | frozenset(pattern) | frozenset(escaped)

    def read(self) -> tuple[tuple[_Part, ...], ...]:
        found = self._branches(0)
        if self.at != len(self.text):
            raise _Unsafe(f"“{self.text[self.at :][:10]}”处无法识别")
        return found

    def _branches(self, depth: int) -> tuple[tuple[_Part, ...], ...]:
        if depth > DEPTH_MAX:
            raise _Unsafe("括号嵌套过深")
        branches = [tuple(self._sequence(depth))]
        while self._takes("|"):
            branches.append(tuple(self._sequence(depth)))
        return tuple(branches)

    def _sequence(self, depth: int) -> Iterator[_Part]:
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if self._takes("^") or self._takes("$"):
                continue  # the whole text must match anyway
            if self._takes("("):
                if self.text.startswith("?", self.at) and not self._takes("?:"):
                    raise _Unsafe("不能使用“(?”开头的写法")
                branches = self._branches(depth + 1)
                self._takes(")")
                yield self._times(frozenset(), branches)
                continue
            atom = _ATOM.match(self.text, self.at)
            if atom is None:
                raise _Unsafe(f"“{self.text[self.at :][:10]}”处的写法不能使用")
            self.at = atom.end()
            matches = re.compile(atom[0], re.DOTALL | re.IGNORECASE).fullmatch
            yield self._times(frozenset(one for one in self.sample if matches(one)), ())

    def _times(self, own: frozenset[str], branches: tuple[tuple[_Part, ...], ...]) -> _Part:
        found = _TIMES.match(self.text, self.at)
        if found is None:
            return _Part(own, branches, 1, 1)
        self.at = found.end()
        self._takes("?")
        endless = LENGTH_MAX * COUNT_MAX
        least, most = {"*": (0, endless), "+": (1, endless), "?": (0, 1)}.get(found[0], (0, 0))
        if found[1] is not None:
            least = int(found[1])
            most = least if found[2] is None else int(found[3]) if found[3] else endless
        return _Part(own, branches, least, most)

    def _takes(self, what: str) -> bool:
        if self.text.startswith(what, self.at):
            self.at += len(what)
            return True
        return False


def _judge(branches: tuple[tuple[_Part, ...], ...], count: int) -> None:
    for branch in branches:
        for part in branch:
            if part.least * count > COUNT_MAX:
                raise _Unsafe("重复次数过多")
            if part.branches:
                if part.most > 1:
                    _repeated(part)
                _judge(part.branches, count * max(part.least, 1))
    ways, span = _choices(branches)
    if ways * span > WAYS_MAX:
        raise _Unsafe("可以用太多种方式匹配，会拖慢系统：请用分隔字符隔开各个重复，或限定次数")


def _repeated(group: _Part) -> None:
    """A group that is repeated must have one way only to be cut into its rounds."""
    if _choices(group.branches)[0] > 1:
        raise _Unsafe("重复的括号内，各个备选的开头不能相同，也不能连续重复同样的字符")
    for branch in group.branches:
        variable = [part for part in branch if part.variable]
        if not variable:
            if not any(part.least for part in branch):
                raise _Unsafe("重复的括号内不能为空")
            continue
        fixed = [_characters(part) for part in branch if not part.variable and not part.branches and part.least == 1]
        simple = len(variable) == 1 and not variable[0].branches
        if not simple or not any(one.isdisjoint(_characters(variable[0])) for one in fixed):
            raise _Unsafe("重复之中又有重复，会拖慢系统：请限定次数，或用分隔字符隔开")


def _choices(branches: tuple[tuple[_Part, ...], ...]) -> tuple[int, int]:
    """In how many ways alternatives may match the same text, and the most lengths that one repetition in them may try."""
    each = [_ways(branch) for branch in branches]
    firsts = [_first(branch) for branch in branches]
    # Told by their first characters, only one of them can match; an empty one always can.
    told = len(branches) == 1 or (all(firsts) and sum(map(len, firsts)) == len(frozenset().union(*firsts)))
    ways = [found for found, _ in each]
    return (max(ways) if told else sum(ways)), max(span for _, span in each)


def _ways(branch: tuple[_Part, ...]) -> tuple[int, int]:
    """The same of one sequence: parts of changing length in a row, with nothing between that tells where one ends, multiply."""
    ways = longest = 1
    row: list[int] = []
    characters: frozenset[str] = frozenset()
    told = False
    for part in branch:
        inside, span = _choices(part.branches) if part.branches else (1, 1)
        ways *= inside
        own = _characters(part)
        if not part.variable:
            told = told or (part.least > 0 and own.isdisjoint(characters))
            continue
        span = max(span, min(part.most - part.least + 1, ENDLESS))
        if told or (part.least > 0 and own.isdisjoint(characters)):
            ways *= prod(row) // max(row, default=1)
            row, characters = [], frozenset()
        row.append(span)
        longest, characters, told = max(longest, span), characters | own, False
    return ways * prod(row) // max(row, default=1), longest


def _characters(part: _Part) -> frozenset[str]:
    """Those of the sample that the part may take anywhere in it."""
    return part.own.union(*(_characters(inside) for branch in part.branches for inside in branch))


def _first(branch: tuple[_Part, ...]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for part in branch:
        found |= _characters(part)
        if part.least > 0:
            break
    return found
