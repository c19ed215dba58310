"""The bundle's files by their plain names: asset("app.js") → /static/dist/app-5RLXWC44.js.

`web/islands/build.mjs` writes the manifest and a compressed copy of each file. Without a bundle the pages still work,
plainly, and say so in the log.
"""

from __future__ import annotations

import json
import logging
from mimetypes import guess_type
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.security import safe_join

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
    app.view_functions["static"] = static


def static(filename: str) -> Response:
    """A static file; compressed where `build.mjs` has laid a compressed copy beside it and the browser takes that."""
    folder = DIST.parent
    packed = safe_join(str(folder), f"{filename}.gz")
    if packed is None or not Path(packed).is_file():
        return send_from_directory(folder, filename)
    if request.accept_encodings.quality("gzip") > 0:
        response = send_from_directory(folder, f"{filename}.gz", mimetype=guess_type(filename)[0])
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = send_from_directory(folder, filename)
    # A proxy must not hand the compressed copy to a browser that cannot read it.
    response.headers["Vary"] = "Accept-Encoding"
    return response


def read_manifest(folder: Path) -> dict[str, str]:
    """Plain name → name with hash; empty where nothing was bundled."""
    try:
        return {str(name): str(file) for name, file in json.loads((folder / "manifest.json").read_text()).items()}
    except FileNotFoundError:
        return {}
