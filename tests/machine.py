"""What a machine must have for all tests to run, found in one place and said plainly.

`python -m tests.machine` (the first thing `make test` does) lists what is missing. Elsewhere that is a warning and the
tests concerned are skipped; with CI=true it is an error, because a test that CI never runs protects nobody.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

#: The checkout.
ROOT = Path(__file__).resolve().parent.parent
#: Set by CI services and by .ci/run: nothing may be skipped.
CI = os.environ.get("CI", "").lower() == "true"


def chromium() -> Path | None:
    """Debian's Chromium, or a Chrome under one of its usual names; None where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    return None


def postgresql() -> Path | None:
    """The folder with `initdb` and `postgres` of the newest PostgreSQL installed; None where there is none."""
    # Debian keeps the server's programs off the PATH, one folder for each major version.
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_major)
    candidates = [Path(found).resolve() for found in [shutil.which("initdb")] if found] + debian
    return candidates[-1].parent if candidates else None


def word_processor() -> Path | None:
    """LibreOffice; None where there is none, or nothing to read back what it prints."""
    found = shutil.which("soffice")
    return Path(found) if found and shutil.which("pdftotext") else None


def chinese_fonts() -> bool:
    """Whether Chinese text shows as characters rather than as boxes."""
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout.strip())


def lacks() -> list[str]:
    """A sentence for each thing that this machine lacks, with what to install."""
    missing = []
    if chromium() is None:
        missing.append("Chromium: the browser tests cannot run. On Debian: apt-get install chromium chromium-l10n")
    if not chinese_fonts():
        missing.append("a Chinese font: pages cannot be looked at. On Debian: apt-get install fonts-noto-cjk")
    if word_processor() is None:
        missing.append(
            "LibreOffice or pdftotext: official documents are not opened in a word processor. "
            "On Debian: apt-get install libreoffice-writer poppler-utils"
        )
    if postgresql() is None:
        missing.append("PostgreSQL: its half of the tests cannot run. On Debian: apt-get install postgresql")
    return missing


def _major(initdb: Path) -> int:
    number = re.match(r"\d+", initdb.parent.parent.name)
    return int(number.group()) if number else 0


def main() -> int:
    missing = lacks()
    for sentence in missing:
        print(f"This machine lacks {sentence}", file=sys.stderr)
    return 1 if missing and CI else 0


if __name__ == "__main__":
    sys.exit(main())
