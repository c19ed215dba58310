"""The list that somebody came from, as one text: `posts?light=red`. It goes along from the inbox to a task and back.

So whoever completes a task gets the next one of the same list, filter included, and “返回” leads where one was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, quote, urlencode

from flask import Flask

from engine.process.desk.filters import TABS
from engine.process.inbox import Tab

#: The tabs whose lines are tasks to do.
TO_DO: tuple[Tab, ...] = ("mine", "posts")


def list_of(tab: str, given: Mapping[str, str]) -> str:
    """The text of a list."""
    return f"{tab}?{urlencode(given)}" if given else tab


def address_of(text: str) -> str:
    """The address of the list that a text names; the inbox for any other text. Never leads out of it."""
    tab, given = read_list(text)
    if tab not in TABS:
        return "/inbox"
    query = urlencode(given, doseq=True)
    return f"/inbox/{tab}?{query}" if query else f"/inbox/{tab}"


def read_list(text: str) -> tuple[str, Mapping[str, Sequence[str]]]:
    """Tab and parameters of such a text; nothing of it is believed."""
    tab, _, query = text.partition("?")
    try:
        return tab, parse_qs(query, max_num_fields=20)
    except ValueError:
        return tab, {}


def task_address(task_id: int, text: str) -> str:
    """The page of a task that knows from which list one came."""
    return f"/tasks/{task_id}?list={quote(text, safe='')}" if text else f"/tasks/{task_id}"


def next_address(text: str) -> str:
    """Where the next task of the list is found."""
    return f"/inbox/next?list={quote(text, safe='')}"


def install(app: Flask) -> None:
    """Gives templates the addresses."""
    app.jinja_env.globals["task_address"] = task_address
    app.jinja_env.globals["list_address"] = address_of
    app.jinja_env.globals["next_address"] = next_address
