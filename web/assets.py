"""The bundle's files by their plain names: asset("app.js") → /static/dist/app-5RLXWC44.js.

`web/islands/build.mjs` writes the manifest. Without a bundle the pages still work, plainly, and say so in the log.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from flask import Flask

log = logging.getLogger(__name__)

DIST = Path(__file__).parent / "static" / "dist"


def install(app: Flask) -> None:
    """Gives the templates `asset(name)` and `icon_sheet`. The manifest is read once: a new bundle needs a new process."""
    manifest = read_manifest(DIST)
    if not manifest:
        log.warning("no browser bundle in %s: pages will be without style (make bundle)", DIST)

    def asset(name: str) -> str:
        return f"/static/dist/{manifest.get(name, name)}"

    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["icon_sheet"] = asset("icons.svg")


def read_manifest(folder: Path) -> dict[str, str]:
    """Plain name → name with hash; empty where nothing was bundled."""
    try:
        return {str(name): str(file) for name, file in json.loads((folder / "manifest.json").read_text()).items()}
    except FileNotFoundError:
        return {}
