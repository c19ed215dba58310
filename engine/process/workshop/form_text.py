"""A form as an expert writes it: JSON, read with a Chinese sentence and a place for what is wrong."""

from __future__ import annotations

import json
from typing import Any

from engine.store.errors import Refused


class Unreadable(Refused):
    """表单的JSON写法有误。"""

    def __init__(self, message: str, line: int, column: int) -> None:
        self.line, self.column = line, column
        super().__init__(f"第{line}行第{column}个字符：{message}")


def from_json(text: str) -> Any:
    """The value of a JSON text. Raises Unreadable with the line; a member that stands twice is refused, not dropped."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        twice.extend(key for number, (key, _) in enumerate(pairs) if any(key == other for other, _ in pairs[:number][:200]))
        return found

    def no_number(name: str) -> Any:
        raise Unreadable(f"“{name}”不是JSON的数", *_place(text, text.find(name)))

    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise Unreadable(_FAULTS.get(error.msg, "此处无法识别"), error.lineno, error.colno) from None
    except (RecursionError, ValueError):
        raise Unreadable("嵌套过深或数字过长", 1, 1) from None
    if twice:
        raise Unreadable(f"“{twice[0]}”在同一处写了两次", *_place(text, text.rfind(f'"{twice[0]}"')))
    return value


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[: max(at, 0)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


#: What Python's reader says, in Chinese.
_FAULTS = {
    "Expecting value": "缺少值", "Expecting ',' delimiter": "缺少逗号或括号", "Expecting ':' delimiter": "缺少冒号",
    "Expecting property name enclosed in double quotes": "缺少用双引号括起的名称", "Extra data": "末尾有多余内容",
    "Illegal trailing comma before end of object": "右括号前多了逗号", "Illegal trailing comma before end of array": "右括号前多了逗号",
    "Unterminated string starting at": "文字缺少右引号", "Invalid control character at": "文字中不能直接换行，请写\\n",
    "Invalid \\escape": "反斜杠的写法有误", "Invalid \\uXXXX escape": "反斜杠的写法有误",
}  # fmt: skip
