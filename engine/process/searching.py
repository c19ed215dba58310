"""What the free text of a list is looked for in, and how a text is read: without case, brackets or quotation marks.

Whoever types Chinese types initials first: “gzfbz” finds 公租房保障. The initials of a case's title and unit are written
beside them when the case is opened, so that a list only compares text. Cases from before are filled in by the worker.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from sqlalchemy import exists, select, text, update

from engine.people.tables import Unit
from engine.process.tables import Instance, Task
from engine.store.store import Store, command

#: The width of the columns `search`.
SEARCH_MAX = 700
#: More words than this are no search any more.
WORDS_MAX = 5
_NONE = re.compile(r"[\s〔〕\[\]【】()<>《》〈〉“”‘’\"'「」·]+")
_HAN = re.compile(r"[\u3400-\u9fff]")


def search_text(*parts: str) -> str:
    """Number, title and names of a case as its lists are searched by them: each part, then its initials, one a line."""
    lines: dict[str, None] = {}
    for part in parts:
        plain = _plain(part)
        lines[plain] = None
        if _HAN.search(plain):
            lines[_initials(plain)] = None
    return "\n".join(line for line in lines if line)[:SEARCH_MAX]


def words_of(text: str) -> list[str]:
    """The words of a free text, as they stand in `search_text`; every one must be found."""
    return list(dict.fromkeys(word for word in (_plain(part) for part in text.split()) if word))


def _plain(text: str) -> str:
    # First NFKC, which makes plain brackets, digits and letters of the wide ones.
    return _NONE.sub("", unicodedata.normalize("NFKC", text)).lower()


@lru_cache(maxsize=4096)
def _initials(text: str) -> str:
    # Its dictionary of words (重庆 is cq, 重大 is zd) costs 0.2 seconds and 20 MB: only a process that opens cases pays.
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)).lower()


@command
def fill_in_search(store: Store, most: int = 500) -> int:
    """Writes the search text of cases and tasks that have none, up to `most` of each; returns how many rows changed.

    Only what was opened before there was such a text has none, so that nearly always an empty index answers.
    """
    with store.work() as work:
        session = work.session
        # Word by word as the indexes have it: to a parameter they would not apply.
        rows = session.execute(
            select(Instance.id, Instance.number, Instance.title, Unit.name, Unit.short)
            .outerjoin(Unit, Unit.id == Instance.unit_id).where(text("instance.search = ''")).order_by(Instance.id).limit(most)
        ).all()
        for row in rows:
            found = search_text(row.number, row.title, row.name or "", row.short or "")
            session.execute(update(Instance).where(Instance.id == row.id).values(search=found))
        waiting = select(Task.id).where(text("task.search = ''"), exists().where(Instance.id == Task.instance_id, Instance.search != ""))
        ids = list(session.scalars(waiting.order_by(Task.id).limit(most)))
        if ids:
            own = select(Instance.search).where(Instance.id == Task.instance_id).scalar_subquery()
            session.execute(update(Task).where(Task.id.in_(ids)).values(search=own))
    return len(rows) + len(ids)
