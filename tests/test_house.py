"""The rules of the house (docs/architecture.md) that a machine can keep."""

from __future__ import annotations

import ast
import configparser
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.machine import ROOT
from tests.notices import npm_packages

#: A room with more lines than this wants a wall.
LONGEST_FILE = 450

#: What would be law in Python: article numbers, names of offices, numbers of working days.
LAW = re.compile(
    r"""第[〇一二三四五六七八九十百]+条
    | [\u4e00-\u9fff]{2,}(?:局|委员会|办公室|领导小组)
    | [0-9一二三四五六七八九十]+\s*个?工作日
    | working_?days?\w*\s*[=:(]\s*["']?[1-9]
    | (?:deadline|statutory_max|reminder|escalation)\w*\s*[=:(]\s*["']?[1-9]
    | \bdays\s*=\s*(?:2|3|5|10|15|20)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


def run(*command: str) -> None:
    """Runs a tool in the checkout; the test fails with what it said."""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@cache
def our_files() -> list[Path]:
    """All files that are or will be committed."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted({ROOT / name for name in names if name and (ROOT / name).is_file()})


def sources(*folders: str, suffix: str = ".py") -> Iterator[Path]:
    for file in our_files():
        if file.suffix == suffix and file.relative_to(ROOT).parts[0] in folders:
            yield file


def lines_matching(pattern: re.Pattern[str], files: Iterator[Path]) -> list[str]:
    """`file:line: text` of each line that matches."""
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_every_import_goes_in_an_allowed_direction() -> None:
    run(str(Path(sys.executable).with_name("lint-imports")), "--no-logo")


def test_every_type_holds() -> None:
    run(sys.executable, "-m", "mypy")


def test_the_law_stands_in_the_diagrams_not_in_python() -> None:
    assert lines_matching(LAW, sources("engine", "web")) == []


@pytest.mark.parametrize(
    "line",
    ["article = '第十五条'", "name = '市领导小组办公室'", "due(working_days=10)", "days = 15", "'应在10个工作日内答复'", "deadline_days = 10"],
)
def test_the_search_for_law_finds_it(line: str) -> None:
    assert LAW.search(line)


def test_no_page_names_an_article_of_its_own() -> None:
    """Another rule set has other articles: what a page says of them comes from the diagrams."""
    assert lines_matching(re.compile("第[〇一二三四五六七八九十百]+条"), sources("web", suffix=".html")) == []


def test_only_the_clock_asks_the_machine_for_the_time() -> None:
    asking = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(|time\.time\(")
    found = lines_matching(asking, (file for file in sources("calendars", "engine", "web") if file.name != "clock.py"))
    assert found == []


def test_only_the_unit_of_work_commits() -> None:
    files = (file for file in sources("engine", "web") if ROOT / "engine/store" not in file.parents)
    assert lines_matching(re.compile(r"\.commit\("), files) == []


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in sources("benchmarks", "calendars", "engine", "tests", "web")
        if (text := file.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_no_file_is_too_long() -> None:
    folders = ("benchmarks", "calendars", "engine", "tests", "web")
    kinds = (".py", ".js", ".mjs", ".css", ".html")
    # A migration is a list, written once and never read again from top to bottom.
    code = [file for kind in kinds for file in sources(*folders, suffix=kind) if "migrations" not in file.parts]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in code}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_package_is_one() -> None:
    """A folder without __init__.py is passed over by the contracts and by mypy, silently."""
    folders = {file.parent for file in sources("calendars", "engine", "web")}
    scripts = {folder for folder in folders if "migrations" in folder.parts}  # loaded by Alembic by their paths
    assert [str(folder) for folder in sorted(folders - scripts) if not (folder / "__init__.py").exists()] == []


def test_a_template_folder_has_the_name_of_its_page() -> None:
    pages = {file.stem for file in sources("web") if file.parent.name == "pages"}
    nouns = {file.relative_to(ROOT / "web/templates").parts[0] for file in sources("web", suffix=".html")}
    folders = {noun for noun in nouns if "." not in noun} - {"parts", "errors"}
    assert folders - pages == set()


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    listed = (ROOT / "web/islands/icons.txt").read_text(encoding="utf-8").split()
    named = {
        name
        for file in sources("web", suffix=".html")
        for name in re.findall(r"""\bicon\(["']([a-z0-9-]+)["']""", file.read_text(encoding="utf-8"))
    }
    assert named - set(listed) == set()


def test_tests_neither_wait_nor_skip_nor_pretend() -> None:
    weak = re.compile(r"time\.sleep\(|mark\.(skip|xfail)|unittest\.mock|MagicMock|mocker\.|setattr\((engine|web|calendars)\b")
    files = (file for file in sources("tests") if file != Path(__file__))
    assert lines_matching(weak, files) == []


def test_nothing_points_outside_the_repository() -> None:
    outside = re.compile(r"\.\./shared|/work/(main|shared|brief)|extra-index-url|find-links")
    texts = (file for file in our_files() if file != Path(__file__) and file.suffix not in {".png", ".jpg", ".ico", ".docx"})
    assert lines_matching(outside, texts) == []


def test_the_lockfile_names_versions_and_hashes_not_places() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if not package.get("integrity")] == []


def test_every_setting_is_documented() -> None:
    source = (ROOT / "engine/store/settings.py").read_text(encoding="utf-8")
    documented = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    names = re.findall(r"\b(?:text|number)\(.([A-Z_]+).,", source)
    assert names
    assert [name for name in names if f"_{name}`" not in documented] == []


def requirements() -> list[Requirement]:
    """What setup.cfg asks for."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    text = setup["options"]["install_requires"] + setup["options.extras_require"]["test"]
    return [Requirement(line) for line in text.splitlines() if line.strip()]


def test_every_requirement_is_pinned_within_its_range_and_installed_so() -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    names = {name.lower().replace("_", "-"): pin for name, pin in pins.items()}
    for requirement in requirements():
        pin = names[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(pin), requirement
        assert version(requirement.name) == pin


def test_every_library_that_we_import_is_a_stated_requirement() -> None:
    """What another package happens to bring may be gone with its next release."""
    stated = {requirement.name.lower() for requirement in requirements()}
    owners = packages_distributions()
    own = {"benchmarks", "calendars", "engine", "tests", "web"}
    unstated = {
        f"{file.relative_to(ROOT)}: {root}"
        for file in sources(*own)
        for root in imported_roots(file) - own - sys.stdlib_module_names
        if stated.isdisjoint(owner.lower() for owner in owners.get(root, []))
    }
    assert unstated == set()


def imported_roots(file: Path) -> set[str]:
    """The top-level names of the packages that a module imports."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    members = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in plain | members}


def test_the_licence_notices_are_those_of_what_is_installed() -> None:
    """What Python packages bring with them differs a little between machines; the rest must be exactly so."""
    written = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for package, pinned, licence in (*npm_packages(bundled=True), *npm_packages(bundled=False)):
        assert f"| {package} | {pinned} | {licence} |" in written, "run: make notices"
    for requirement in requirements():
        assert re.search(rf"^\| {requirement.name} \| {version(requirement.name)} \|", written, re.MULTILINE), "run: make notices"
