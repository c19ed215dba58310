"""试运行: a draft walked with the real engine on a virtual clock; nothing real is touched."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("dry_runs", __name__)
