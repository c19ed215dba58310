"""发布申请: what waits for a second person, and how it was decided."""

from __future__ import annotations

from flask import Blueprint

page = Blueprint("proposals", __name__)
