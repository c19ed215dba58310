"""Writes THIRD_PARTY.md: whose work this project stands on, and under which licence (`make notices`).

Python packages are read from what is installed, starting at setup.cfg's requirements and following theirs; the
browser's from node_modules. The full licence texts of what is bundled are written beside the bundle, as licences.txt.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from packaging.requirements import Requirement

from tests.machine import ROOT

HEAD = """\
# Third-party notices

Written by `make notices` from what is installed; a test keeps it current. sharing-bpm itself is under the MIT licence
(LICENSE). None of the work below is copied into this repository: it is installed from PyPI and npm.

**bpmn-js** (the diagram viewer) asks in its licence that the bpmn.io watermark in the corner of every diagram stays as it
is: unchanged, fully visible and never covered. Our style sheets leave it alone.

**SpiffWorkflow** and **psycopg** are under the LGPL-3.0, **docxtpl** under the LGPL-2.1. They are used unchanged, as libraries installed beside this project and
imported by it, and anyone may replace them by their own versions: that is all that the LGPL asks of us. Their sources:
<https://github.com/sartography/SpiffWorkflow>, <https://github.com/psycopg/psycopg>,
<https://github.com/elapouya/python-docx-template>.

**lunardate** is under the GPL-3.0. workalendar requires and imports it; we never call it (our calendar has a lunar table of its
own). Running an installation is free of conditions; whoever hands on a *packaged* installation that contains it (a disk
image, a container) must do so under the GPL's terms, with which our MIT licence is compatible.
"""

#: Where a package says its licence neither in an expression nor in a short text.
CLASSIFIER = re.compile(r"^License :: (?:OSI Approved :: )?(?!OSI Approved$)(.+)$")


def notices() -> str:
    """The whole text of THIRD_PARTY.md."""
    run, test = python_packages()
    return "\n".join(
        [
            HEAD,
            "## In the browser bundle (web/static/dist)",
            "The full texts: `web/static/dist/licences.txt`, made with the bundle.\n",
            *table(npm_packages(bundled=True)),
            "\n## Installed with the server\n",
            *table(python_row(name) for name in run),
            "\n## Used to build and to test only\n",
            *table([*npm_packages(bundled=False), *(python_row(name) for name in test)]),
            "",
        ]
    )


def table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    lines = [f"| {name} | {version} | {licence} |" for name, version, licence in sorted(rows, key=lambda row: row[0].lower())]
    return ["| package | version | licence |", "|---|---|---|", *lines]


#: Packages of long ago that tell npm nothing; what they say elsewhere.
UNTOLD = {"combined-stream": "MIT", "component-emitter": "MIT", "delayed-stream": "MIT", "extend": "MIT", "form-data": "MIT", "formidable": "MIT",
          "mime": "MIT", "qs": "BSD"}


def npm_packages(*, bundled: bool) -> list[tuple[str, str, str]]:
    """The packages of the lockfile: those for the browser, or those that only build and test."""
    lock: dict[str, dict[str, Any]] = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    rows = []
    for path, package in lock.items():
        # esbuild's programs for other machines are optional and not here.
        if not path or package.get("optional") or bool(package.get("dev")) is bundled:
            continue
        text = package.get("license") or UNTOLD[path.rpartition("node_modules/")[2]]
        licence = "bpmn.io licence (MIT with the watermark)" if "LICENSE" in text else text
        rows.append((path.removeprefix("node_modules/"), package["version"], licence))
    return rows


def python_packages() -> tuple[list[str], list[str]]:
    """The names of what the server needs, and of what only the tests need besides."""
    own = distribution("sharing-bpm").requires or []
    run = closure(own, "")
    return sorted(run), sorted(closure(own, "test") - run)


def closure(requires: Iterable[str], extra: str) -> set[str]:
    """All packages that these requirements bring, directly or through others."""
    found: set[str] = set()
    waiting = [(Requirement(text), extra) for text in requires]
    while waiting:
        requirement, wanted = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": wanted}):
            continue
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError:
            # For another machine or an older Python.
            continue
        name = package.metadata["Name"]
        extras = {"", *requirement.extras}
        if name not in found or requirement.extras:
            found.add(name)
            waiting += [(Requirement(text), extra) for text in package.requires or [] for extra in extras]
    return found


def python_row(name: str) -> tuple[str, str, str]:
    package = distribution(name)
    return name, package.version, licence(package)


def licence(package: Distribution) -> str:
    """The licence that a package declares, in its shortest form."""
    metadata = package.metadata
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    classifiers = [match[1] for text in metadata.get_all("Classifier") or [] if (match := CLASSIFIER.match(text))]
    if classifiers:
        return "; ".join(sorted(set(classifiers)))
    return str((metadata.get_all("License") or ["not declared"])[0]).splitlines()[0]


if __name__ == "__main__":
    sys.stdout.write(notices())
