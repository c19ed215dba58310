"""What the engine refuses, as classes. One table in the web maps them to a status and a page.

The docstring is the default message that an official reads, so it is a plain Chinese sentence.
"""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """操作未能完成。"""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.message)


class NotAllowed(Refused):
    """您没有办理此事项的权限。"""


class NotFound(Refused):
    """没有找到所请求的内容。"""


class Stale(Refused):
    """该事项已发生变化，请刷新后再办理。"""


class TaskTaken(Stale):
    """该待办已被同事签收。"""


class TaskClosed(Stale):
    """该待办已办结或已撤销，无需重复办理。"""


class NotRunning(Stale):
    """该办件已结束或已暂停，不能继续办理。"""


class Invalid(Refused):
    """填写内容有误，请按提示修改。"""

    def __init__(self, fields: Mapping[str, str] | None = None, message: str | None = None) -> None:
        self.fields: dict[str, str] = dict(fields or {})
        super().__init__(message)
