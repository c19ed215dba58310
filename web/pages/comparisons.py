"""比较: what changed between two versions, or between a version and a draft."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("comparisons", __name__)
