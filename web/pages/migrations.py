"""迁移: running cases moved to another version."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("migrations", __name__)
