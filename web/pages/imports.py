"""导入: a diagram from another tool becomes a draft."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("imports", __name__)
