"""No article of the regulation without its place in the product: `docs/regulation.md` names all of them, and only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from engine.people.posts import POSTS
from engine.process.operations import OPERATIONS, WORDS
from engine.store.settings import read_settings
from engine.store.store import Store
from tests.bpmn.shipped import diagram, keys_of, rule_set
from tests.bpmn.test_files import number_of
from tests.machine import ROOT
from web.app import create_app

TABLE = ROOT / "docs/regulation.md"
FOUNDING = "liaoyang_2018"
LINES = {
    cells[0]: line
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and cells[0].startswith("第")
}
every_line = pytest.mark.parametrize("article", LINES)


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)


def marked(text: str) -> list[str]:
    """What stands between backticks outside links."""
    return re.findall(r"`([^`]+)`", re.sub(r"\[[^\]]*\]\([^)]*\)", "", text))


def diagrams(text: str) -> set[str]:
    """Keys of the processes that a line links to."""
    return {Path(link).parent.name for link in links(text) if link.endswith("diagram.bpmn")}


@pytest.fixture
def routes(sqlite_store: Store, tmp_path: Path) -> set[str]:
    environ = {"SHARING_BPM_HOME": str(tmp_path), "SHARING_BPM_SECRET_KEY": "only for tests, only for tests, only"}
    app: Flask = create_app(sqlite_store, read_settings(environ))
    return {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


def test_all_articles_stand_there_in_order() -> None:
    assert [number_of(article) for article in LINES] == list(range(1, rule_set(FOUNDING)["articles"] + 1))


@every_line
def test_every_file_that_a_line_names_exists(article: str) -> None:
    named = links(LINES[article])
    assert any(link.startswith("../tests/") for link in named), "no test holds it"
    assert [link for link in named if not (TABLE.parent / link).exists()] == []


@every_line
def test_every_page_operation_and_word_that_a_line_names_exists(article: str, routes: set[str]) -> None:
    known = routes | OPERATIONS.keys() | WORDS.keys() | POSTS.keys() | rule_set(FOUNDING).keys()
    named = marked(LINES[article])
    assert any(name in routes for name in named), "no page shows it"
    assert [name for name in named if name not in known] == []


@every_line
def test_every_diagram_that_a_line_names_is_shipped(article: str) -> None:
    assert diagrams(LINES[article]) - keys_of(FOUNDING) == set()


@pytest.mark.parametrize("key", sorted(keys_of(FOUNDING)))
def test_a_process_stands_at_the_article_that_it_carries_out_and_at_those_that_limit_it(key: str) -> None:
    shipped = diagram(f"{FOUNDING}/{key}")
    cited = {shipped.properties["article"]}
    cited |= {str(rule.article) for rule in shipped.timers.values() if rule.statutory_max is not None}
    cited |= {str(step.article) for step in shipped.steps.values() if "statutoryMax" in step.properties}
    assert {article for article in cited if key not in diagrams(LINES[article])} == set()
